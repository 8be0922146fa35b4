//! Latency figures: those of replies, with requests without one in the percentiles.

use super::ms;
use crate::load::report::{Latency, LatencyInterval, LatencyIntervals};
use crate::load::statistics::censoring::{Percentile, Survival};
use crate::load::statistics::distribution::{Distribution, samples_needed};
use crate::load::statistics::interval_log::{Interval, all_answered, all_censored, all_lost};
use crate::load::statistics::quantile_interval::{QuantileIntervals, Refusal};

/// The percentiles of a report, in percent.
const PERCENTS: [f64; 15] = [
    0.001, 0.01, 0.1, 1.0, 2.5, 10.0, 25.0, 50.0, 75.0, 90.0, 97.5, 99.0, 99.9, 99.99, 99.999,
];

/// The figures of `intervals`, whose replies are `answered`.
pub(super) fn build(intervals: &[Interval], answered: &Distribution) -> Latency {
    let [censored, lost] = [all_censored(intervals), all_lost(intervals)];
    let survival = Survival::new(answered, &censored, &lost);
    let unanswered = censored.total() + lost.total();
    let percentiles = Percentiles {
        survival: &survival,
        answered,
        requests: answered.total() + unanswered,
    };
    let at = |percent| percentiles.at_ms(percent);
    let bounded_percent = PERCENTS.into_iter().find(|&p| percentiles.is_bounded(p));
    let mean = ms(answered.mean_ns());
    Latency {
        average: mean,
        mean,
        stddev: ms(answered.stdev_ns()),
        min: ms(answered.min_ns() as f64),
        max: ms(answered.max_ns() as f64),
        p0_001: at(0.001),
        p0_01: at(0.01),
        p0_1: at(0.1),
        p1: at(1.0),
        p2_5: at(2.5),
        p10: at(10.0),
        p25: at(25.0),
        p50: at(50.0),
        p75: at(75.0),
        p90: at(90.0),
        p97_5: at(97.5),
        p99: at(99.0),
        p99_9: at(99.9),
        p99_99: at(99.99),
        p99_999: at(99.999),
        total_count: answered.total(),
        censored: unanswered,
        lower_bounds_from: bounded_percent.map(|percent| format!("p{percent}").replace('.', "_")),
        intervals: intervals_of(intervals, &percentiles),
        bounded_percent,
        max_age_ms: ms(censored.max_ns().max(lost.max_ns()) as f64),
    }
}

impl Latency {
    /// The figures of these intervals.
    pub(in crate::load) fn of(intervals: &[Interval]) -> Latency {
        build(intervals, &all_answered(intervals))
    }
}

/// The percentiles with enough requests.
struct Percentiles<'a> {
    survival: &'a Survival,
    answered: &'a Distribution,
    requests: u64,
}

impl Percentiles<'_> {
    fn at(&self, percent: f64) -> Option<Percentile> {
        let enough = self.requests >= samples_needed(percent / 100.0);
        let found = self.survival.quantile(percent / 100.0);
        found.filter(|_| enough && self.answered.total() > 0)
    }

    fn at_ms(&self, percent: f64) -> Option<f64> {
        let ns = self.at(percent)?.ns();
        Some(ms(ns.max(self.answered.min_ns()) as f64))
    }

    fn is_bounded(&self, percent: f64) -> bool {
        matches!(self.at(percent), Some(Percentile::AtLeast(_)))
    }
}

fn intervals_of(intervals: &[Interval], percentiles: &Percentiles<'_>) -> LatencyIntervals {
    let found = QuantileIntervals::new(intervals, percentiles.survival);
    let of = |percent: f64| {
        percentiles.at(percent)?;
        let interval = found.of(percent / 100.0).ok()?;
        Some(LatencyInterval {
            low: ms(interval.low_ns as f64),
            high: interval.high_ns.map(|ns| ms(ns as f64)),
        })
    };
    LatencyIntervals {
        p50: of(50.0),
        p90: of(90.0),
        p97_5: of(97.5),
        p99: of(99.0),
        p99_9: of(99.9),
        too_short: found.of(0.5) == Err(Refusal::TooShort),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_loop::Time;
    use crate::load::statistics::interval_log::IntervalLog;

    fn tenth(number: u64) -> Time {
        Time::from_ns(number * 100_000_000)
    }

    /// A million replies of 1 us to 1 s, which is enough for all percentiles.
    #[test]
    fn each_percentile_is_the_one_that_it_is_called() {
        let mut log = IntervalLog::starting(Time::START);
        for us in 1..=1_000_000u64 {
            log.record(tenth(us % 7), us * 1000, 1);
        }
        log.finish(tenth(7));
        let latency = Latency::of(log.intervals());
        for (found, percent) in [
            (latency.p0_001, 0.001),
            (latency.p0_01, 0.01),
            (latency.p0_1, 0.1),
            (latency.p1, 1.0),
            (latency.p2_5, 2.5),
            (latency.p10, 10.0),
            (latency.p25, 25.0),
            (latency.p50, 50.0),
            (latency.p75, 75.0),
            (latency.p90, 90.0),
            (latency.p97_5, 97.5),
            (latency.p99, 99.0),
            (latency.p99_9, 99.9),
            (latency.p99_99, 99.99),
            (latency.p99_999, 99.999),
        ] {
            let found_percent = found.expect("enough replies") / 10.0;
            let error = (found_percent / percent - 1.0).abs();
            assert!(error < 0.002, "{percent} {found:?}");
        }
        assert!(latency.intervals.too_short);
    }

    #[test]
    fn the_greatest_age_is_that_of_any_request_without_a_reply() {
        for (censored_ms, lost_ms) in [(3, 9), (9, 3)] {
            let mut log = IntervalLog::starting(Time::START);
            log.record_censored(tenth(1), censored_ms * 1_000_000, 1);
            log.record_lost(tenth(1), lost_ms * 1_000_000, 1);
            log.finish(tenth(2));
            let latency = Latency::of(log.intervals());
            assert_eq!(latency.max_age_ms, 9.0);
            // Without a reply there is no percentile.
            assert_eq!((latency.total_count, latency.p50), (0, None));
        }
    }

    /// 50 tenths with this many replies of 1 ms to 100 ms each, in another order in each.
    fn run(replies: u64) -> Vec<Interval> {
        let mut log = IntervalLog::starting(Time::START);
        for number in 0..50 * replies {
            let ms = 1 + number * 7_919 % 100;
            log.record(tenth(number / replies), ms * 1_000_000, 1);
        }
        log.finish(tenth(50));
        log.into_intervals()
    }

    #[test]
    fn each_interval_is_that_of_its_percentile() {
        let intervals = run(400);
        let survival = Survival::of(&intervals);
        let expected = QuantileIntervals::new(&intervals, &survival);
        let latency = Latency::of(&intervals).intervals;
        for (found, quantile) in [
            (latency.p50, 0.5),
            (latency.p90, 0.9),
            (latency.p97_5, 0.975),
            (latency.p99, 0.99),
        ] {
            let expected = expected.of(quantile).expect("it is long enough");
            let found = found.expect("it is long enough");
            assert_eq!(found.low, ms(expected.low_ns as f64), "{quantile}");
            let high = expected.high_ns.map(|ns| ms(ns as f64));
            assert_eq!(found.high, high, "{quantile}");
        }
        assert!(!latency.too_short);
    }

    #[test]
    fn a_percentile_of_a_thousand_replies_is_told_and_one_of_fewer_not() {
        let told = |replies| {
            let latency = Latency::of(&run(replies));
            (latency.p99.is_some(), latency.intervals.p99.is_some())
        };
        assert_eq!((told(20).0, told(19)), (true, (false, false)));
    }
}
