//! 95 % intervals of percentiles that are right although successive latencies are correlated.
//!
//! The run is cut into ten slices of equal time. At the percentile q of the whole run, the slices
//! have different shares of requests above q. The spread of these shares gives the uncertainty of
//! the *rank* of q, and the distribution of the whole run converts ranks into latencies (rank-space
//! slices: a t interval for a ratio of means over batches, as in Heidelberger and Lewis, 1984).
//! Three things are added to this method, each because the coverage on simulated queues was too low
//! without it:
//!
//! - The spread at a high percentile depends on a few large latencies, and a run without them
//!   underestimates it. So it is averaged (geometrically, two to one) with the largest relative
//!   spread at any lower percentile, which depends on many latencies.
//! - The same largest spread decides where no interval is given. A decision by the percentile's own
//!   spread would select the runs that underestimate it. There is no upper end if the interval
//!   would leave the range of ranks, and no interval at all if it would do so by half as much
//!   again.
//! - The spread is never less than that of independent replies, so that ten slices without a large
//!   latency do not count as certainty.
//!
//! The interval is about this run of this process of the server. It says nothing about restarts.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::buckets::index_of;
use super::censoring::{Percentile, Survival};
use super::distribution::{Distribution, Packed};
use super::interval_log::{Interval, slices};

/// Slices of a run. More would be shorter, and the means of short ones are alike.
const SLICES: usize = 10;
const CONFIDENCE: f64 = 0.95;
/// Where the spread is looked at, besides the percentile itself.
const LEVELS: [f64; 6] = [0.5, 0.75, 0.9, 0.95, 0.975, 0.99];
/// No interval if its half-width in ranks is more than this many times the tail beyond it.
const HALF_WIDTH_PER_TAIL_MAX: f64 = 1.5;

/// A 95 % interval of a percentile, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuantileInterval {
    /// The lower end.
    pub low_ns: u64,
    /// The upper end. `None`: this run does not bound the percentile from above.
    pub high_ns: Option<u64>,
}

/// Reason for a percentile without an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The run has fewer than ten intervals (one second).
    TooShort,
    /// Too few independent excursions reached this percentile.
    TooFewExcursions,
}

/// The slices of a run, ready for any percentile.
#[derive(Clone, Debug)]
pub struct QuantileIntervals<'a> {
    survival: &'a Survival,
    slices: Vec<Slice>,
}

#[derive(Clone, Debug)]
struct Slice {
    answered: Tail,
    censored: Tail,
    /// Lost requests are beyond every latency.
    lost: u64,
}

/// For each bucket in use, the count of what is in it or above.
#[derive(Clone, Debug)]
struct Tail(Vec<(usize, u64)>);

impl Tail {
    fn of(packed: &Packed) -> Tail {
        let mut from: Vec<(usize, u64)> = packed.buckets().collect();
        let mut sum = 0;
        for (_, count) in from.iter_mut().rev() {
            sum += *count;
            *count = sum;
        }
        Tail(from)
    }

    fn total(&self) -> u64 {
        self.0.first().map_or(0, |&(_, count)| count)
    }

    /// The count of what is in this bucket or above.
    fn from(&self, bucket: usize) -> u64 {
        let at = self.0.partition_point(|&(other, _)| other < bucket);
        self.0.get(at).map_or(0, |&(_, count)| count)
    }
}

impl<'a> QuantileIntervals<'a> {
    /// Cuts `intervals` into slices; `survival` is the distribution of the whole run.
    pub fn new(intervals: &[Interval], survival: &'a Survival) -> QuantileIntervals<'a> {
        let mut dense = Distribution::default();
        let mut sum = |slice: &[Interval], of: fn(&Interval) -> &Packed| {
            slice.iter().for_each(|interval| dense.add(of(interval)));
            dense.take_packed()
        };
        let slices = slices(intervals, SLICES).map(|slice| Slice {
            answered: Tail::of(&sum(slice, |interval| &interval.answered)),
            censored: Tail::of(&sum(slice, |interval| &interval.censored)),
            lost: slice.iter().map(|interval| interval.lost.total()).sum(),
        });
        QuantileIntervals {
            survival,
            slices: slices.collect(),
        }
    }

    /// The interval of a percentile; `quantile` is within 0 and 1, and not 0 or 1 itself.
    ///
    /// # Errors
    /// The run is too short, or too little of it reached the percentile.
    pub fn of(&self, quantile: f64) -> Result<QuantileInterval, Refusal> {
        if self.slices.len() < SLICES {
            return Err(Refusal::TooShort);
        }
        let own = self
            .relative_error(quantile)
            .ok_or(Refusal::TooFewExcursions)?;
        let lower = LEVELS.iter().filter(|&&level| level < quantile);
        let errors = lower.filter_map(|&level| self.relative_error(level));
        let largest = errors.fold(own, f64::max);
        let half_width =
            |relative: f64| relative * student_t(SLICES - 1) * (quantile * (1.0 - quantile)).sqrt();
        let tail = 1.0 - quantile;
        let widest = half_width(largest);
        if widest > HALF_WIDTH_PER_TAIL_MAX * tail {
            return Err(Refusal::TooFewExcursions);
        }
        let half_width = half_width((own * own * largest).cbrt());
        let low = self.survival.quantile(quantile - half_width);
        let high = (widest < tail).then(|| self.survival.quantile(quantile + half_width));
        Ok(QuantileInterval {
            low_ns: low.map_or(0, Percentile::ns),
            high_ns: match high.flatten() {
                Some(Percentile::Exactly(ns)) => Some(ns),
                Some(Percentile::AtLeast(_)) | None => None,
            },
        })
    }

    /// The standard error of the share of requests beyond a percentile, divided by
    /// sqrt(q (1 - q)), the standard deviation of one request. `None` if the percentile is not known.
    fn relative_error(&self, quantile: f64) -> Option<f64> {
        let Some(Percentile::Exactly(ns)) = self.survival.quantile(quantile) else {
            return None;
        };
        // A bucket may hold many replies: the larger error of from it on and beyond it.
        let bucket = index_of(ns);
        let from_it_on = self.variance(bucket)?;
        let beyond = self.variance(bucket + 1)?;
        let independent = quantile * (1.0 - quantile) / self.requests() as f64;
        let variance = beyond.max(from_it_on).max(independent);
        Some((variance / (quantile * (1.0 - quantile))).sqrt())
    }

    fn requests(&self) -> u64 {
        let requests = |slice: &Slice| slice.answered.total() + slice.censored.total() + slice.lost;
        self.slices.iter().map(requests).sum::<u64>().max(1)
    }

    /// Variance of the share of requests from a bucket on, as a ratio of sums over slices. A request
    /// censored below the bucket says nothing about it.
    fn variance(&self, bucket: usize) -> Option<f64> {
        let shares = self.slices.iter().map(|slice| {
            let waiting = slice.censored.from(bucket) + slice.lost;
            let above = slice.answered.from(bucket) + waiting;
            (above as f64, (slice.answered.total() + waiting) as f64)
        });
        let shares: Vec<_> = shares.collect();
        let of: f64 = shares.iter().map(|share| share.1).sum();
        let mean = shares.iter().map(|share| share.0).sum::<f64>() / of;
        let squares = shares.iter().map(|(above, of)| (above - mean * of).powi(2));
        let slices = shares.len() as f64;
        let variance = slices / (slices - 1.0) * squares.sum::<f64>() / (of * of);
        variance.is_finite().then_some(variance)
    }
}

/// The two-sided quantile of Student's t.
fn student_t(degrees_of_freedom: usize) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom as f64)
        .expect("slices are more than one")
        .inverse_cdf(0.5 + CONFIDENCE / 2.0)
}

#[cfg(test)]
mod tests {
    use super::super::interval_log::IntervalLog;
    use super::super::test_queue::{self, QUANTILES, QueuePlan};
    use super::*;
    use crate::event_loop::Time;

    #[derive(Default)]
    struct Tally {
        given: u32,
        covered: u32,
        closed: u32,
        closed_covered: u32,
    }

    const RUNS: u32 = 400;

    /// Coverage of each percentile's intervals over `runs` runs of an M/M/1 queue.
    fn tally(load: f64, runs: u32) -> Vec<Tally> {
        let mut tallies: Vec<Tally> = QUANTILES.iter().map(|_| Tally::default()).collect();
        for seed in 0..runs {
            let plan = QueuePlan::mm1(load, 2500.0, 20.0);
            let intervals = test_queue::run(&plan, u64::from(seed));
            let survival = Survival::of(&intervals);
            let found = QuantileIntervals::new(&intervals, &survival);
            for (tally, quantile) in tallies.iter_mut().zip(QUANTILES) {
                let truth = plan.mm1_quantile_ns(quantile);
                let Ok(interval) = found.of(quantile) else {
                    continue;
                };
                let high = interval.high_ns.map_or(f64::INFINITY, |ns| ns as f64);
                let covers = interval.low_ns as f64 <= truth && truth <= high;
                tally.given += 1;
                tally.covered += u32::from(covers);
                if interval.high_ns.is_some() {
                    tally.closed += 1;
                    tally.closed_covered += u32::from(covers);
                }
            }
        }
        for (tally, quantile) in tallies.iter().zip(QUANTILES) {
            println!(
                "load {load} p{:<5} given {:3} covers {:5.1} %, closed {:3} covers {:5.1} %",
                quantile * 100.0,
                tally.given,
                share(tally.covered, tally.given),
                tally.closed,
                share(tally.closed_covered, tally.closed)
            );
        }
        tallies
    }

    /// 1,000 latencies of 10 us to 10 ms, in ten slices that have 59, 57, ..., 41 of their hundred in
    /// the upper half.
    #[test]
    fn the_half_width_is_that_of_a_t_interval_over_ten_slices() {
        let mut log = IntervalLog::starting(Time::START);
        let (mut lower, mut upper) = (1..=500u64, 501..=1000u64);
        for slice in 0..SLICES {
            let now = Time::from_ns(slice as u64 * 100_000_000);
            let above = 59 - 2 * slice;
            let here = lower.by_ref().take(100 - above);
            let here = here.chain(upper.by_ref().take(above));
            here.for_each(|number| log.record(now, number * 10_000, 1));
        }
        log.finish(Time::from_ns(1_000_000_000));
        let survival = Survival::of(log.intervals());
        let intervals = QuantileIntervals::new(log.intervals(), &survival);
        let interval = intervals.of(0.5).expect("an interval");
        // 2.2622 sqrt(10 / 9 * 330) / 1000 = 0.0433: ranks 457 and 544.
        let is_about = |found_ns: u64, ns: u64| found_ns.abs_diff(ns) * 1000 <= ns;
        assert!(is_about(interval.low_ns, 4_570_000), "{interval:?}");
        let high_ns = interval.high_ns.expect("an upper end");
        assert!(is_about(high_ns, 5_440_000), "{interval:?}");
        assert_eq!(intervals.requests(), 1000);
    }

    fn share(part: u32, of: u32) -> f64 {
        100.0 * f64::from(part) / f64::from(of)
    }

    fn assert_covers(load: f64) {
        for (tally, quantile) in tally(load, RUNS).iter().zip(QUANTILES) {
            // A percentile that is nearly always refused has no coverage to speak of.
            if tally.given >= RUNS / 10 {
                let covered = share(tally.covered, tally.given);
                assert!(
                    (91.0..=98.0).contains(&covered),
                    "load {load}, {quantile}: {covered} %"
                );
            }
            if tally.closed >= RUNS / 2 {
                let covered = share(tally.closed_covered, tally.closed);
                assert!(
                    (91.0..=98.0).contains(&covered),
                    "closed, {load}, {quantile}: {covered} %"
                );
            }
        }
    }

    #[test]
    fn intervals_cover_at_low_load() {
        assert_covers(0.3);
    }

    #[test]
    fn intervals_cover_at_half_load() {
        assert_covers(0.5);
    }

    #[test]
    fn intervals_cover_at_high_load() {
        assert_covers(0.8);
    }

    #[test]
    fn near_saturation_the_upper_end_is_refused_rather_than_wrong() {
        let runs = RUNS / 2;
        let tallies = tally(0.9, runs);
        for (tally, quantile) in tallies.iter().zip(QUANTILES) {
            let covered = share(tally.covered, tally.given);
            assert!(
                tally.given < runs / 10 || covered >= 88.0,
                "{quantile}: {covered} %"
            );
        }
        assert!(
            tallies[3].closed < runs / 20,
            "p99 had an upper end {} times",
            tallies[3].closed
        );
        assert_eq!(tallies[4].given, 0);
    }

    fn of(
        record: impl Fn(u64, &mut IntervalLog),
        quantile: f64,
    ) -> Result<QuantileInterval, Refusal> {
        let mut log = IntervalLog::starting(Time::START);
        for ms in 0..2000 {
            record(ms, &mut log);
        }
        log.finish(Time::from_ns(2_000_000_000));
        let intervals = log.intervals();
        let survival = Survival::of(intervals);
        QuantileIntervals::new(intervals, &survival).of(quantile)
    }

    #[test]
    fn a_fixed_latency_has_a_narrow_interval() {
        let fixed =
            |ms, log: &mut IntervalLog| log.record(Time::from_ns(ms * 1_000_000), 1_000_000, 10);
        let found = of(fixed, 0.99);
        let (low_ns, high_ns) = (1_000_000, Some(1_000_000));
        assert_eq!(found, Ok(QuantileInterval { low_ns, high_ns }));
    }

    #[test]
    fn few_replies_are_no_certainty() {
        let rare = |ms: u64, log: &mut IntervalLog| {
            if ms.is_multiple_of(20) {
                log.record(Time::from_ns(ms * 1_000_000), 1_000_000 + ms, 1);
            }
        };
        assert_eq!(of(rare, 0.99), Err(Refusal::TooFewExcursions));
        assert!(of(rare, 0.5).is_ok_and(|interval| interval.high_ns.is_some()));
    }

    /// A hundred replies, alike in every slice, so that their spread is nothing.
    #[test]
    fn slices_without_spread_are_no_certainty() {
        let alike = |ms: u64, log: &mut IntervalLog| {
            if ms.is_multiple_of(20) {
                log.record(Time::from_ns(ms * 1_000_000), 1_000_000 * (1 + ms % 200), 1);
            }
        };
        assert_eq!(of(alike, 0.99), Err(Refusal::TooFewExcursions));
        assert_eq!(of(alike, 0.975).map(|interval| interval.high_ns), Ok(None));
    }

    /// One of eleven requests times out: p90.8 is known, but not what is just above.
    #[test]
    fn a_censored_rank_is_no_upper_end() {
        let lossy = |ms, log: &mut IntervalLog| {
            let now = Time::from_ns(ms * 1_000_000);
            log.record(now, 1_000_000, 10);
            log.record_censored(now, 2_000_000, 1);
        };
        assert!(of(lossy, 0.5).is_ok_and(|interval| interval.high_ns.is_some()));
        let found = of(lossy, 0.908);
        assert_eq!(
            found.map(|interval| (interval.low_ns, interval.high_ns)),
            Ok((1_000_000, None))
        );
    }

    #[test]
    fn a_run_of_less_than_a_second_has_no_interval() {
        let mut log = IntervalLog::starting(Time::START);
        log.record(Time::START, 5, 1000);
        log.finish(Time::from_ns(900_000_000));
        let survival = Survival::of(log.intervals());
        let found = QuantileIntervals::new(log.intervals(), &survival).of(0.5);
        assert_eq!(found, Err(Refusal::TooShort));
    }

    #[test]
    fn a_hang_until_the_end_bounds_nothing_from_above() {
        let hung = |ms, log: &mut IntervalLog| {
            let now = Time::from_ns(ms * 1_000_000);
            if ms < 1000 {
                log.record(now, 1_000_000, 10);
            } else {
                log.record_censored(Time::from_ns(1_999_999_999), (2000 - ms) * 1_000_000, 10);
            }
        };
        for quantile in [0.5, 0.9, 0.99] {
            let found = of(hung, quantile);
            assert!(
                found.is_err() || found.is_ok_and(|interval| interval.high_ns.is_none()),
                "{quantile}"
            );
        }
    }
}
