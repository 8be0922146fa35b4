//! Runners of contestants: this machine, or a script in tests.

use super::statistics::{Side, SliceSchedule};
use super::{Contestant, Failure, RunConditions, RunFigures, Settings};
use crate::event_loop::StopSignal;
use crate::load;
use crate::load::find_rate::{FindRateReport, RateObjective, TrialProgress};

/// The reason for which a run has no figures.
#[derive(Debug, PartialEq)]
pub enum Stopped {
    /// The contestant could not run, or not to the end.
    Failed(Failure),
    /// We were asked to stop.
    Interrupted,
}

impl Stopped {
    /// The same end, of a server that was never loaded.
    pub(super) fn before_ready(self) -> Stopped {
        match self {
            Stopped::Failed(Failure::Died {
                status,
                error_excerpt,
            }) => Stopped::Failed(Failure::EndedEarly {
                status,
                error_excerpt,
            }),
            other => other,
        }
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Stopped {
        Stopped::Failed(failure)
    }
}

/// The beginning of one contestant's search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchStart {
    /// The objective.
    pub objective: RateObjective,
    /// Requests per second of the first trial; above 0.
    pub first_rate: f64,
}

/// Runs a contestant once: starts it, warms it up, loads it, stops it.
pub trait Bench {
    /// Runs `contestant` once. When this returns, none of its processes is left.
    ///
    /// # Errors
    /// If there is nothing to measure, or `signal` was raised before the window's end.
    fn run_once(
        &mut self,
        contestant: &Contestant,
        conditions: RunConditions,
        settings: &Settings,
        signal: &StopSignal,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<RunFigures, Stopped>;

    /// Runs a contestant and the reference at once, and loads them in turn for a window each. When
    /// this returns, none of their processes is left. The contestant's figures come first; the
    /// progress is its own.
    ///
    /// # Errors
    /// As [`Bench::run_once`], with the side that it is about.
    fn run_duet(
        &mut self,
        contestants: [&Contestant; 2],
        conditions: [RunConditions; 2],
        slices: SliceSchedule,
        settings: &Settings,
        signal: &StopSignal,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<[RunFigures; 2], (Side, Stopped)>;

    /// Runs `contestant` under several loads in one life, in this order.
    ///
    /// # Errors
    /// As [`Bench::run_once`].
    fn run_walk(
        &mut self,
        contestant: &Contestant,
        conditions: RunConditions,
        loads: &[Settings],
        signal: &StopSignal,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<Vec<RunFigures>, Stopped>;

    /// Searches for the highest rate of `contestant` in one life; the window is the length of a
    /// trial.
    ///
    /// # Errors
    /// As [`Bench::run_once`].
    fn run_search(
        &mut self,
        contestant: &Contestant,
        conditions: RunConditions,
        search: SearchStart,
        settings: &Settings,
        signal: &StopSignal,
        on_trial: &mut dyn FnMut(TrialProgress),
    ) -> Result<FindRateReport, Stopped>;
}
