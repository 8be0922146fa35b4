//! The end of a run: as planned, early because of its errors, or because its amount is out of reach.

use super::LoadClient;
use crate::event_loop::Time;
use crate::load::Until;

/// A run for an amount gives up when no reply came for this number of timeouts.
const TIMEOUTS_TO_GIVE_UP: u32 = 3;

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunEnd {
    /// It was stopped from outside.
    Interrupted,
    /// It was stopped from outside before its warm-up was over: there was no run.
    StillWarming,
    /// As planned.
    Planned,
    /// The amount was out of reach.
    GaveUp,
    /// There were as many errors as the plan allows.
    BailedOut,
}

impl LoadClient<'_> {
    /// Returns true if no reply came for so long that none will.
    fn is_out_of_reach(&self, now: Time) -> bool {
        let limit = self.timeout.saturating_mul(TIMEOUTS_TO_GIVE_UP);
        now > self.recorder.last_reply_at() + limit
    }

    /// The run's end, if this is it.
    pub(super) fn end(&self, now: Time, started: Time) -> Option<(RunEnd, Time)> {
        if self.errors_total() + self.counters.wrong_bodies >= self.bailout {
            return Some((RunEnd::BailedOut, now));
        }
        match self.until {
            _ if self.warm_until.is_some() => None,
            Until::Duration(duration) => {
                (now >= started + duration).then_some((RunEnd::Planned, now))
            }
            Until::Amount(amount) if self.ledger.counts().completed >= amount => {
                Some((RunEnd::Planned, self.recorder.last_reply_at()))
            }
            Until::Amount(_) => self.is_out_of_reach(now).then_some((RunEnd::GaveUp, now)),
        }
    }
}
