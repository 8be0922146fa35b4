//! `compare`: runs servers side by side under the same load, and judges them.
//!
//! [`run`] is the whole procedure. It has no processes and no sockets of its own: a [`Bench`] runs
//! one contestant for one round. [`LocalBench`] is the real bench; tests have a scripted one. The
//! result is a [`ComparisonOutcome`], from which [`ComparisonReport`] computes the figures.
//!
//! Deliberately absent: a "best of" rule, and dropping of outliers. All rounds count.

mod auto_rounds;
pub mod baseline;
mod bench;
pub mod contestant;
mod duet;
mod failure;
pub mod follow_up;
pub mod gate;
mod local_bench;
mod machine;
pub mod markdown;
mod outcome;
pub mod page;
mod plan;
pub mod process;
mod python;
pub mod random;
mod readiness;
mod reply_check;
pub mod report;
mod request;
mod run_figures;
pub mod schedule;
pub mod search;
pub mod statistics;
pub mod sweep;
pub mod table;
mod verdict;
mod warning;

pub use auto_rounds::TIME_MAX;
pub use bench::{Bench, Stopped};
pub use contestant::{Contestant, OwnSettings};
pub use failure::Failure;
pub use local_bench::LocalBench;
pub use machine::{Machine, MachineUse};
pub use outcome::{ComparisonOutcome, ContestantRuns, RoundsEnd};
pub use plan::{ComparisonPlan, PlanError, Settings};
pub use report::ComparisonReport;
pub use request::{RequestChanges, RequestSettings};
pub use run_figures::{Closing, Limit, RunConditions, RunCourse, RunFigures, Silence};
pub use statistics::DuetRatio;
pub use warning::{Reason, Warning};

use std::ops::ControlFlow;
use std::time::Duration;

use crate::event_loop::{Clock, StopSignal, Time};
use crate::load;
use auto_rounds::RoundsUnderWay;
use reply_check::ReplyFacts;

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
