//! The part of a run that its latencies and rates come from: all of it, or what follows a warm-up
//! that was found in it.

use super::rounded;
use crate::load::client::RunRecord;
use crate::load::report::{WarmUpFound, WarmUpReport};
use crate::load::statistics::distribution::Distribution;
use crate::load::statistics::interval_log::{Interval, all_answered};
use crate::load::statistics::warmup::find_warmup;
use crate::load::windows::Windows;
use crate::load::{LoadPlan, WarmUp};

/// Latencies and rates of a run.
pub(super) struct Course<'a> {
    pub(super) intervals: &'a [Interval],
    /// Replies in these intervals.
    pub(super) answered: Distribution,
    pub(super) windows: Windows,
    /// The part that was left out.
    pub(super) warm_up: Option<WarmUpReport>,
}

impl Course<'_> {
    pub(super) fn of<'a>(plan: &LoadPlan, record: &'a RunRecord) -> Course<'a> {
        let all = record.recorder.log.intervals();
        let found = match plan.warm_up {
            WarmUp::Auto => Some(find_warmup(all)),
            WarmUp::None | WarmUp::For(_) => None,
        };
        let (left_out, intervals) = all.split_at(found.map_or(0, |found| found.intervals));
        let ns: u64 = left_out.iter().map(|interval| interval.length_ns).sum();
        let mut windows = record.recorder.windows.clone();
        windows.without_start(std::time::Duration::from_nanos(ns));
        Course {
            intervals,
            answered: all_answered(intervals),
            windows,
            warm_up: match plan.warm_up {
                WarmUp::None => None,
                WarmUp::For(_) => Some(WarmUpReport {
                    seconds: rounded(record.warmed.as_secs_f64(), 3),
                    found: WarmUpFound::Given,
                }),
                WarmUp::Auto => Some(WarmUpReport {
                    seconds: rounded(ns as f64 / 1e9, 3),
                    found: match found.is_some_and(|found| found.unfinished) {
                        true => WarmUpFound::Unfinished,
                        false => WarmUpFound::Auto,
                    },
                }),
            },
        }
    }

    /// Length of a warm-up whose end was not found.
    pub(super) fn unfinished_warm_up_s(&self) -> Option<f64> {
        let warm_up = self.warm_up?;
        (warm_up.found == WarmUpFound::Unfinished).then_some(warm_up.seconds)
    }
}
