//! `compare`: runs servers side by side under the same load, and judges them.
//!
//! [`run`] is the judge's whole procedure, and knows no process and no socket: what one contestant
//! does in one round it asks a [`Bench`]. [`LocalBench`] is the real one; tests have a scripted
//! one. What came of it is an [`ComparisonOutcome`], which [`ComparisonReport`] turns into figures.
//!
//! Deliberately absent: a "best of" rule, and dropping of outliers. All rounds count.

mod auto_rounds;
pub mod baseline;
mod bench;
pub mod contestant;
mod duet;
mod failure;
pub mod gate;
mod local_bench;
mod machine;
pub mod markdown;
pub mod page;
mod plan;
pub mod process;
mod python;
pub mod random;
mod readiness;
mod reply_check;
pub mod report;
pub mod schedule;
pub mod statistics;
pub mod sweep;
pub mod table;
mod verdict;
mod warning;

pub use auto_rounds::{RoundsEnd, TIME_MAX};
pub use bench::{Bench, Stopped};
pub use contestant::{Contestant, OwnSettings};
pub use failure::Failure;
pub use local_bench::LocalBench;
pub use machine::{Machine, MachineUse};
pub use plan::{ComparisonPlan, PlanError, RequestChanges, RequestSettings, Settings};
pub use report::ComparisonReport;
pub use statistics::DuetRatio;
pub use warning::{Reason, Warning};

use std::ops::ControlFlow;
use std::time::Duration;

use serde::Serialize;

use crate::event_loop::{Clock, StopSignal, Time};
use crate::load;
use auto_rounds::RoundsUnderWay;
use process::resource_usage::Usage;
use reply_check::ReplyFacts;

/// Outcome of one contestant in one round.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFigures {
    /// Length of the measured window.
    pub window: Duration,
    /// Replies in the window.
    pub completed: u64,
    /// Errors of any kind in the window.
    pub errors: u64,
    /// The server's treatment of a connection after a reply.
    pub closing: Closing,
    /// Replies with a status other than 2xx in the window.
    pub non2xx: u64,
    /// Median latency in milliseconds; `None` if too few replies stand behind it.
    pub p50_ms: Option<f64>,
    /// 99th percentile of the latency in milliseconds; `None` if too few replies stand behind it.
    pub p99_ms: Option<f64>,
    /// The first percentile that is only a lower bound, in percent; `None` if each is exact.
    pub lower_bounds_from: Option<f64>,
    /// Longest latency in milliseconds.
    pub max_ms: f64,
    /// Usage of the server and its descendants in the window; `None` if the system did not tell.
    pub server: Option<Usage>,
    /// Usage of the load generator in the window.
    pub client: Option<Usage>,
    /// The whole machine in the window; `None` if the system did not say.
    pub machine: Option<MachineUse>,
    /// The reply as it was before the load; `None` if there was none in time.
    pub reply: Option<ReplyFacts>,
    /// The ratio to the reference, if both were loaded in turn; the rate is that of its own slices.
    pub duet: Option<DuetRatio>,
    /// Variance of the logarithm of the rate, as far as the window shows it; `None` if the window
    /// was too short.
    pub rate_variance: Option<f64>,
    /// CPU time of the load generator, as a share of one core.
    pub client_cpu_share: f64,
    /// Why the load generator would not trust these figures.
    pub warnings: Vec<load::Warning>,
    /// The run over time, for charts.
    pub course: RunCourse,
}

/// A run over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunCourse {
    /// Each tenth of a second, packed: about 1 kB.
    pub timeline: load::report::Timeline,
    /// The longest time without a reply on any connection, milliseconds.
    pub longest_silence_ms: f64,
    /// When it began, seconds after the start of the window.
    pub longest_silence_began: f64,
}

impl RunFigures {
    /// Replies per second of the window.
    pub fn requests_per_second(&self) -> f64 {
        self.completed as f64 / self.window.as_secs_f64()
    }

    /// CPU time of the server per reply, in microseconds.
    pub fn cpu_micros_per_request(&self) -> Option<f64> {
        self.per_request_micros(self.server?.cpu)
    }

    /// A time per reply, in microseconds; `None` without replies.
    pub fn per_request_micros(&self, time: Duration) -> Option<f64> {
        (self.completed > 0).then(|| time.as_secs_f64() * 1e6 / self.completed as f64)
    }

    /// CPU time of the server, as a share of one core.
    pub fn server_cpu_share(&self) -> Option<f64> {
        Some(self.server?.cpu.as_secs_f64() / self.window.as_secs_f64())
    }

    /// The warning that its replies had other statuses or bodies than the expected ones. Errors are
    /// often cheaper than answers, so the speed of such a run is no speed.
    pub fn wrong_replies(&self) -> Option<&load::Warning> {
        let mut warnings = self.warnings.iter();
        warnings.find(|warning| warning::is_wrong_reply(warning))
    }

    /// Returns true if the load generator used a whole core: then the figures are a lower bound of
    /// what the server can do, even if the server was busy too.
    pub fn is_client_limited(&self) -> bool {
        self.client_cpu_share >= warning::BUSY_SHARE_MIN
    }

    /// Returns true if the load generator used a whole core and the server did not: the figures say
    /// nothing of the server's own limit.
    pub fn is_client_limited_alone(&self) -> bool {
        let server_is_busy = |share| share >= warning::BUSY_SHARE_MIN;
        self.is_client_limited() && !self.server_cpu_share().is_some_and(server_is_busy)
    }

    /// Returns the parts at their limit in this run; empty if there was none.
    pub fn limits(&self) -> Vec<Limit> {
        let share = self.server_cpu_share();
        let server = share.is_some_and(|share| share >= warning::BUSY_SHARE_MIN);
        let machine = self.machine.is_some_and(|machine| {
            let taken = machine.others_share + machine.steal_share;
            machine.idle_share < IDLE_SHARE_MIN && taken >= warning::TAKEN_SHARE_MIN
        });
        [
            (Limit::Client, self.is_client_limited()),
            (Limit::Server, server),
            (Limit::Machine, machine),
        ]
        .into_iter()
        .filter_map(|(limit, is_reached)| is_reached.then_some(limit))
        .collect()
    }
}

/// Something that a run can be limited by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// The load generator used a whole core.
    Client,
    /// The server used a whole core or more.
    Server,
    /// No core was idle, and others took a part of them.
    Machine,
}

/// A machine with less than this share of its time idle has nothing left to give.
const IDLE_SHARE_MIN: f64 = 0.05;

/// Settings that differ from run to run of one contestant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunConditions {
    /// Length of the measured window.
    pub window: Duration,
    /// Length of a dummy environment variable. It moves the stack of the process, and speed moves
    /// with that (Mytkowicz et al. 2009): one more draw of what is luck.
    pub padding_bytes: usize,
}

/// A server's treatment of a connection after a reply.
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

/// Observer of a comparison under way.
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
    /// Why no more rounds were held; `None` while it is under way.
    pub end: Option<RoundsEnd>,
}

impl ComparisonOutcome {
    /// Returns true if a stop was asked for before the last round's end.
    pub fn is_interrupted(&self) -> bool {
        self.end == Some(RoundsEnd::Interrupted)
    }

    /// Returns true if all rounds came to their end.
    pub fn is_finished(&self) -> bool {
        self.end.is_some() && !self.is_interrupted()
    }

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
    let clock = Clock::start();
    let settings = plan.settings();
    let contestants = plan.contestants().iter();
    let mut outcome = ComparisonOutcome {
        records: contestants
            .map(|contestant| ContestantRuns {
                contestant: contestant.clone(),
                runs: Vec::new(),
                failure: None,
            })
            .collect(),
        rounds_done: 0,
        end: None,
    };
    let mut rounds = RoundsUnderWay::new(settings);
    while outcome.end.is_none() {
        let round = outcome.rounds_done;
        let records = &mut outcome.records;
        records.iter_mut().for_each(|record| record.runs.push(None));
        let mut under_way = RoundUnderWay {
            plan,
            round,
            window: rounds.window,
            bench,
            signal,
            observer,
        };
        let held = match settings.duet {
            true => under_way.hold_duets(records),
            false => under_way.hold(records),
        };
        if held.is_break() {
            outcome.end = Some(RoundsEnd::Interrupted);
            return outcome;
        }
        outcome.rounds_done += 1;
        let elapsed = clock.now() - Time::START;
        let end = rounds.held(&outcome.records, round, plan, elapsed);
        observer.round_ended(&outcome);
        outcome.end = end;
    }
    outcome
}

/// One round of a comparison.
struct RoundUnderWay<'a> {
    plan: &'a ComparisonPlan,
    round: usize,
    /// Length of each measured window.
    window: Duration,
    bench: &'a mut dyn Bench,
    signal: &'a StopSignal,
    observer: &'a mut dyn Observer,
}

impl RoundUnderWay<'_> {
    /// Every contestant once, in random order. Breaks if it was interrupted.
    fn hold(&mut self, records: &mut [ContestantRuns]) -> ControlFlow<()> {
        for index in schedule::order(records.len(), self.round, self.plan.settings().seed) {
            if records[index].failure.is_none() {
                self.run_contestant(index, &mut records[index])?;
            }
        }
        ControlFlow::Continue(())
    }

    fn run_contestant(&mut self, index: usize, record: &mut ContestantRuns) -> ControlFlow<()> {
        if self.signal.times_raised() > 0 {
            return ControlFlow::Break(());
        }
        let conditions = self.conditions(index);
        let contestant = &record.contestant;
        self.observer.started(contestant, self.round);
        let observer = &mut *self.observer;
        let mut on_progress = |progress| observer.progress(progress);
        let settings = self.plan.settings();
        let result = self.bench.run_once(
            contestant,
            conditions,
            settings,
            self.signal,
            &mut on_progress,
        );
        self.conclude(record, result)
    }

    fn conditions(&self, index: usize) -> RunConditions {
        RunConditions {
            window: self.window,
            padding_bytes: schedule::padding_bytes(index, self.round, self.plan.settings().seed),
        }
    }

    /// Records how a run ended. Breaks if it was interrupted.
    fn conclude(
        &mut self,
        record: &mut ContestantRuns,
        result: Result<RunFigures, Stopped>,
    ) -> ControlFlow<()> {
        let result = match result {
            Ok(run) => Ok(run),
            Err(Stopped::Failed(failure)) => Err(failure),
            Err(Stopped::Interrupted) => return ControlFlow::Break(()),
        };
        self.observer.ended(&record.contestant, self.round, &result);
        match result {
            Ok(run) => record.runs[self.round] = Some(run),
            Err(failure) => record.failure = Some((self.round, failure)),
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
