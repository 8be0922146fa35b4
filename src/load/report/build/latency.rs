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

/// The percentiles that enough requests stand behind.
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
