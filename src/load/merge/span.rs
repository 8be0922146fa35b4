//! The time of a run.

use std::time::Duration;

use crate::event_loop::Time;
use crate::load::statistics::interval_log::Interval;

/// From one moment to another, after 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) began: Time,
    pub(super) ended: Time,
}

impl Span {
    /// From the start of the first to the end of the last.
    pub(super) fn of(intervals: &[Interval]) -> Option<Span> {
        Some(Span {
            began: intervals.iter().map(|interval| interval.began).min()?,
            ended: intervals.iter().map(ended).max()?,
        })
    }

    pub(super) fn seconds(self) -> f64 {
        (self.ended - self.began).as_secs_f64()
    }

    pub(super) fn common(self, other: Span) -> Span {
        Span {
            began: self.began.max(other.began),
            ended: self.ended.min(other.ended),
        }
    }
}

pub(super) fn ended(interval: &Interval) -> Time {
    interval.began + Duration::from_nanos(interval.length_ns)
}
