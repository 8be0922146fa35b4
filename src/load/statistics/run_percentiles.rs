//! All percentiles of a run: what a curve is drawn from.

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
