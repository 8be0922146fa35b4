//! `compare`: runs servers side by side under the same load, and judges them.
//!
//! [`run`] is the judge's whole procedure, and knows no process and no socket: what one contestant
//! does in one round it asks a [`Bench`]. [`LocalBench`] is the real one; tests have a scripted
//! one. What came of it is an [`ComparisonOutcome`], which [`ComparisonReport`] turns into figures.
//!
//! Deliberately absent: a "best of" rule, and dropping of outliers. All rounds count.

pub mod baseline;
pub mod contestant;
mod failure;
pub mod gate;
mod local_bench;
mod machine;
pub mod markdown;
mod plan;
pub mod process;
mod python;
pub mod random;
mod readiness;
pub mod report;
pub mod schedule;
pub mod statistics;
pub mod table;
mod verdict;
mod warning;

pub use contestant::{Contestant, OwnSettings};
pub use failure::Failure;
pub use local_bench::LocalBench;
pub use machine::Machine;
pub use plan::{ComparisonPlan, PlanError, RequestChanges, RequestSettings, Settings};
pub use report::ComparisonReport;
pub use warning::{Reason, Warning};

use std::time::Duration;

use crate::event_loop::StopSignal;
use crate::load;

/// What one contestant did in one round.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFigures {
    /// Length of the measured window.
    pub window: Duration,
    /// Replies in the window.
    pub completed: u64,
    /// Errors of any kind in the window.
    pub errors: u64,
    /// What the server does with a connection after a reply.
    pub closing: Closing,
    /// Replies with a status other than 2xx in the window.
    pub non2xx: u64,
    /// Median latency in milliseconds; `None` if too few replies stand behind it.
    pub p50_ms: Option<f64>,
    /// 99th percentile of the latency in milliseconds; `None` if too few replies stand behind it.
    pub p99_ms: Option<f64>,
    /// Longest latency in milliseconds.
    pub max_ms: f64,
    /// CPU time that the server and its descendants spent in the window; `None` if the system
    /// did not say.
    pub server_cpu: Option<Duration>,
    /// Largest resident memory of the server and its descendants since their start.
    pub peak_memory_bytes: Option<u64>,
    /// CPU time of the load generator, as a share of one core.
    pub client_cpu_share: f64,
    /// Why the load generator would not trust these figures.
    pub warnings: Vec<load::Warning>,
}

impl RunFigures {
    /// Replies per second of the window.
    pub fn requests_per_second(&self) -> f64 {
        self.completed as f64 / self.window.as_secs_f64()
    }

    /// CPU time of the server per reply, in microseconds.
    pub fn cpu_micros_per_request(&self) -> Option<f64> {
        let cpu = self.server_cpu?;
        (self.completed > 0).then(|| cpu.as_secs_f64() * 1e6 / self.completed as f64)
    }

    /// CPU time of the server, as a share of one core.
    pub fn server_cpu_share(&self) -> Option<f64> {
        let cpu = self.server_cpu?;
        Some(cpu.as_secs_f64() / self.window.as_secs_f64())
    }

    /// The warning that its replies had other statuses or bodies than the expected ones. Errors are
    /// often cheaper than answers, so the speed of such a run is no speed.
    pub fn wrong_replies(&self) -> Option<&load::Warning> {
        let mut warnings = self.warnings.iter();
        warnings.find(|warning| warning::is_wrong_reply(warning))
    }

    /// Whether the load generator used a whole core: then the figures are a lower bound of what
    /// the server can do, even if the server was busy too.
    pub fn is_client_limited(&self) -> bool {
        self.client_cpu_share >= warning::BUSY_SHARE_MIN
    }

    /// Whether the load generator used a whole core and the server did not: the figures say
    /// nothing of the server's own limit.
    pub fn is_client_limited_alone(&self) -> bool {
        let server_is_busy = |share| share >= warning::BUSY_SHARE_MIN;
        self.is_client_limited() && !self.server_cpu_share().is_some_and(server_is_busy)
    }
}

/// What a server does with a connection after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// It serves several replies on most connections.
    KeepsAlive,
    /// It closes most connections after one reply.
    AfterEachReply {
        /// Requests lost with a connection.
        lost: u64,
        /// Requests sent.
        sent: u64,
    },
}

/// The reason for which a run has no figures.
#[derive(Debug, PartialEq)]
pub enum Stopped {
    /// The contestant could not run, or not to the end.
    Failed(Failure),
    /// We were asked to stop.
    Interrupted,
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Stopped {
        Stopped::Failed(failure)
    }
}

/// What can run a contestant once: start it, warm it up, load it, stop it.
pub trait Bench {
    /// Runs `contestant` once. When this returns, none of its processes is left.
    ///
    /// # Errors
    /// If there is nothing to measure, or `signal` was raised before the window's end.
    fn run_once(
        &mut self,
        contestant: &Contestant,
        settings: &Settings,
        signal: &StopSignal,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<RunFigures, Stopped>;
}

/// Who watches a comparison under way.
pub trait Observer {
    /// `contestant` starts in `round`, counted from 0.
    fn started(&mut self, contestant: &Contestant, round: usize);
    /// It is under load.
    fn progress(&mut self, progress: load::Progress);
    /// It is done for this round.
    fn ended(
        &mut self,
        contestant: &Contestant,
        round: usize,
        result: &Result<RunFigures, Failure>,
    );
    /// A round has ended; `so_far` is all that there is until now.
    fn round_ended(&mut self, _so_far: &ComparisonOutcome) {}
}

/// Everything that one contestant did.
#[derive(Clone, Debug)]
pub struct ContestantRuns {
    /// Who.
    pub contestant: Contestant,
    /// Its run in each round; `None` where it has none.
    pub runs: Vec<Option<RunFigures>>,
    /// The round (from 0) in which it failed, and why. It takes no part in later ones.
    pub failure: Option<(usize, Failure)>,
}

/// Everything that happened.
#[derive(Clone, Debug)]
pub struct ComparisonOutcome {
    /// In the plan's order.
    pub records: Vec<ContestantRuns>,
    /// Rounds that came to their end.
    pub rounds_done: usize,
    /// Whether a stop was asked for before the last round's end.
    pub interrupted: bool,
    /// Whether all rounds came to their end.
    pub finished: bool,
}

impl ComparisonOutcome {
    /// True if a contestant could not run, or not to the end, or answered wrongly.
    pub fn has_failures(&self) -> bool {
        let mut records = self.records.iter();
        records.any(|record| record.failure.is_some() || record.wrong_replies().is_some())
    }
}

/// Runs all rounds of `plan` on `bench`, or as many as there is time for until `signal`.
pub fn run(
    plan: &ComparisonPlan,
    bench: &mut dyn Bench,
    signal: &StopSignal,
    observer: &mut dyn Observer,
) -> ComparisonOutcome {
    let rounds = plan.settings().rounds.get();
    let contestants = plan.contestants().iter();
    let mut outcome = ComparisonOutcome {
        records: contestants
            .map(|contestant| ContestantRuns {
                contestant: contestant.clone(),
                runs: vec![None; rounds],
                failure: None,
            })
            .collect(),
        rounds_done: 0,
        interrupted: false,
        finished: false,
    };
    for round in 0..rounds {
        for index in schedule::order(outcome.records.len(), round, plan.settings().seed) {
            let record = &mut outcome.records[index];
            if record.failure.is_some() {
                continue;
            }
            let raised = signal.times_raised() > 0;
            if raised || run_in_round(record, round, plan, bench, signal, observer).is_break() {
                outcome.interrupted = true;
                return outcome;
            }
        }
        outcome.rounds_done += 1;
        observer.round_ended(&outcome);
    }
    outcome.finished = true;
    outcome
}

/// Breaks if it was interrupted.
fn run_in_round(
    record: &mut ContestantRuns,
    round: usize,
    plan: &ComparisonPlan,
    bench: &mut dyn Bench,
    signal: &StopSignal,
    observer: &mut dyn Observer,
) -> std::ops::ControlFlow<()> {
    let contestant = &record.contestant;
    observer.started(contestant, round);
    let mut on_progress = |progress| observer.progress(progress);
    let result = match bench.run_once(contestant, plan.settings(), signal, &mut on_progress) {
        Ok(run) => Ok(run),
        Err(Stopped::Failed(failure)) => Err(failure),
        Err(Stopped::Interrupted) => return std::ops::ControlFlow::Break(()),
    };
    observer.ended(contestant, round, &result);
    match result {
        Ok(run) => record.runs[round] = Some(run),
        Err(failure) => record.failure = Some((round, failure)),
    }
    std::ops::ControlFlow::Continue(())
}

#[cfg(test)]
mod tests;
