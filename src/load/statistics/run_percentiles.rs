//! All percentiles of a run, from which a curve is drawn.

use super::censoring::{Percentile, Survival};
use super::distribution::samples_needed;
use super::interval_log::Interval;
use super::quantile_interval::QuantileIntervals;

/// Percentiles of a run, with its requests that have no reply.
#[derive(Clone, Debug)]
pub struct RunPercentiles {
    survival: Survival,
    requests: u64,
}

impl RunPercentiles {
    /// Those of the run that these intervals are.
    pub fn of(intervals: &[Interval]) -> RunPercentiles {
        let requests = |interval: &Interval| {
            interval.answered.total() + interval.censored.total() + interval.lost.total()
        };
        RunPercentiles {
            survival: Survival::of(intervals),
            requests: intervals.iter().map(requests).sum(),
        }
    }

    /// The latency that a share of all requests does not exceed; `None` if too few of them lie
    /// beyond it.
    pub fn at(&self, share: f64) -> Option<Percentile> {
        let enough = self.requests > 0 && self.requests >= samples_needed(share);
        self.survival.quantile(share).filter(|_| enough)
    }

    /// 95 % intervals of these percentiles, from the intervals that they were made of.
    pub fn intervals(&self, intervals: &[Interval]) -> QuantileIntervals<'_> {
        QuantileIntervals::new(intervals, &self.survival)
    }
}

#[cfg(test)]
mod tests {
    use super::super::interval_log::IntervalLog;
    use super::*;
    use crate::event_loop::Time;

    /// 90 replies of 1 ms, and requests of 9 ms without one.
    fn percentiles(censored: u64, lost: u64) -> RunPercentiles {
        let mut log = IntervalLog::starting(Time::START);
        log.record(Time::START, 1_000_000, 90);
        log.record_censored(Time::START, 9_000_000, censored);
        log.record_lost(Time::START, 9_000_000, lost);
        log.finish(Time::from_ns(100_000_000));
        RunPercentiles::of(log.intervals())
    }

    /// The 90th percentile is reported from 100 requests on, replied to or not.
    #[test]
    fn a_percentile_is_told_if_ten_requests_lie_beyond_it() {
        assert_eq!(percentiles(4, 5).at(0.9), None);
        let found = percentiles(5, 5).at(0.9).map(Percentile::ns);
        assert_eq!(found.map(|ns| ns / 100_000), Some(10));
        let beyond = percentiles(55, 55).at(0.9);
        assert!(matches!(beyond, Some(Percentile::AtLeast(_))), "{beyond:?}");
        assert_eq!(RunPercentiles::of(&[]).at(0.5), None);
    }
}
