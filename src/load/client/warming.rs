//! The warm-up: the client works as in the run, on the connections of the run, and then forgets what
//! it measured.

use super::{LoadClient, LoadConn};
use crate::event_loop::Time;
use crate::load::counters::Counters;
use crate::load::recorder::Recorder;
use crate::load::schedule::Rate;
use crate::load::turns::Turns;
use crate::load::{OpenLoopPlan, Until, WarmUp};

/// Requests per second of a warm-up before a ramp that starts at nothing.
const WARM_UP_RATE_MIN: f64 = 1.0;

impl<'a> LoadClient<'a> {
    /// The same client, whose run starts at this time; connections are opened before it.
    pub(in crate::load) fn starting_at(self, start_at: Option<Time>) -> LoadClient<'a> {
        LoadClient { start_at, ..self }
    }

    /// A start was given, and has not come.
    pub(super) fn is_before_start(&self) -> bool {
        self.start_at.is_some() && self.started.is_none()
    }

    /// The first turn of the loop that is not before the start: the warm-up begins, or the run if
    /// there is none.
    pub(super) fn start(&mut self, now: Time) {
        let now = match self.start_at {
            Some(start_at) => start_at,
            None => self.worker.start_of(Time::START, now),
        };
        match self.warm_up {
            WarmUp::For(time) => {
                self.begin_phase(now);
                self.warm_until = Some(now + time);
                let plan = self.open_loop_plan.map(|plan| OpenLoopPlan {
                    rate: warm_up_rate(plan.rate),
                    ..plan
                });
                self.start_open_loop(plan, now, Time::NEVER);
            }
            WarmUp::None | WarmUp::Auto => self.start_run(now),
        }
    }

    /// A connection that was open before the start is held back no longer.
    pub(super) fn release(&mut self, conn: &mut LoadConn) {
        self.held -= usize::from(std::mem::take(&mut conn.held));
    }

    /// Ends the warm-up if it is over.
    pub(super) fn end_warm_up(&mut self, now: Time) {
        let Some(until) = self.warm_until.filter(|&until| now >= until) else {
            return;
        };
        let now = self.worker.start_of(until, now);
        self.begin_run(now);
    }

    /// Begins the run, and forgets what was measured before. Requests in flight belong to the run.
    pub(in crate::load) fn begin_run(&mut self, now: Time) {
        self.warm_until = None;
        self.warmed = now - self.started.unwrap_or(now);
        self.ledger.restart();
        self.counters = Counters::default();
        self.start_run(now);
        self.note_free_slots(now);
    }

    fn start_run(&mut self, now: Time) {
        self.begin_phase(now);
        let end = match self.until {
            Until::Duration(duration) => now + duration,
            Until::Amount(_) => Time::NEVER,
        };
        self.start_open_loop(self.open_loop_plan, now, end);
    }

    fn begin_phase(&mut self, now: Time) {
        self.started = Some(now);
        self.recorder = Recorder::starting(now);
        self.turns = Turns::default();
        self.connects.started(now);
        self.progress_due = now;
    }
}

/// The rate at the start of the run.
fn warm_up_rate(rate: Rate) -> Rate {
    match rate {
        Rate::Constant(_) => rate,
        Rate::Ramp { from, .. } => Rate::Constant(from.max(WARM_UP_RATE_MIN)),
    }
}
