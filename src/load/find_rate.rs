//! `--find-rate`: the highest rate at which a server keeps within an objective.
//!
//! Each trial is a short open-loop run of its own, with new connections and a new seed. The pure
//! module [`search`] chooses the rates, and confirms the result.

mod outcome;
pub mod search;
mod value;
mod wording;

pub use outcome::{FindRateReport, Limit, Outcome, TrialReport};

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::objective::{Comparison, Metric, Objective, ObjectiveError};
use super::plan::OpenLoopPlan;
use super::schedule::Rate;
use super::{ConnectError, Error, LoadPlan, LoadReport, Progress, Until, WarmUp, Warning};
use crate::event_loop::StopSignal;
use search::{Purpose, RateSearch};

/// Requests beyond a percentile that a trial has, if it may be as long as that takes: fewer tell
/// too little of a queue, where long latencies come together.
const REQUESTS_BEYOND: f64 = 100.0;
/// A trial at a low rate is longer by up to this factor.
const LONGER_MAX: u32 = 10;
/// The warm-up of a trial, as a part of it: connecting is not the server's latency.
pub const WARM_UP_PARTS: u32 = 10;

/// A latency and its upper limit: `p99<5ms`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateObjective(Objective);

/// Reasons why a text is no objective of a search.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateObjectiveError {
    /// No objective at all.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// Not an upper limit of a latency.
    #[error(
        "'{0}' limits no latency: write a percentile, mean or max, <, and a time, as in 'p99<5ms'"
    )]
    NoLatencyLimit(String),
}

impl FromStr for RateObjective {
    type Err = RateObjectiveError;

    fn from_str(text: &str) -> Result<RateObjective, RateObjectiveError> {
        let objective: Objective = text.parse()?;
        let is_upper = matches!(objective.comparison, Comparison::Below | Comparison::AtMost);
        match objective.metric.is_latency() && is_upper && objective.limit > 0.0 {
            true => Ok(RateObjective(objective)),
            false => Err(RateObjectiveError::NoLatencyLimit(text.to_owned())),
        }
    }
}

impl fmt::Display for RateObjective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl RateObjective {
    /// Length of a trial at `rate`: `shortest`, or as long as its percentile needs.
    fn trial_duration(&self, rate: f64, shortest: Duration) -> Duration {
        let Metric::Percentile(quantile) = self.0.metric else {
            return shortest;
        };
        let needed_s = REQUESTS_BEYOND / ((1.0 - quantile) * rate);
        let needed = Duration::try_from_secs_f64(needed_s).unwrap_or(Duration::MAX);
        needed.clamp(shortest, shortest.saturating_mul(LONGER_MAX))
    }

    /// The value of a trial in nanoseconds; infinite if it has none, or if its replies were not
    /// those of a server that works.
    fn value_ns(&self, report: &LoadReport) -> f64 {
        let reasons = &report.verdict.reasons;
        let is_broken = reasons.iter().any(|reason| {
            matches!(
                reason,
                Warning::UnexpectedStatus { .. }
                    | Warning::WrongBodies { .. }
                    | Warning::Unserved { .. }
                    | Warning::BailedOut { .. }
            )
        });
        match is_broken || report.accounting.completed == 0 {
            true => f64::INFINITY,
            false => value::latency_ns(self.0.metric, report),
        }
    }
}

/// A validated search.
#[derive(Clone, Debug)]
pub struct FindRatePlan {
    /// Each trial, but for its rate, seed and length.
    pub trial: LoadPlan,
    /// The schedule of the trials; its rate is that of the first.
    pub open_loop: OpenLoopPlan,
    /// Requests per second of the first trial; above 0.
    pub first_rate: f64,
    /// Length of a trial, if its rate is high enough for the objective's percentile.
    pub trial_duration: Duration,
    /// The objective.
    pub objective: RateObjective,
}

impl FindRatePlan {
    /// The plan of trial `number` at `rate`.
    pub fn trial(&self, rate: f64, number: usize) -> LoadPlan {
        let duration = self.objective.trial_duration(rate, self.trial_duration);
        let warm_up = match self.trial.warm_up {
            WarmUp::None => WarmUp::For(duration / WARM_UP_PARTS),
            given => given,
        };
        LoadPlan {
            until: Until::Duration(duration),
            warm_up,
            open_loop: Some(OpenLoopPlan {
                rate: Rate::Constant(rate),
                seed: self.open_loop.seed.wrapping_add(number as u64),
                ..self.open_loop
            }),
            ..self.trial.clone()
        }
    }
}

/// A trial under way.
#[derive(Clone, Copy, Debug)]
pub struct TrialProgress {
    /// Its number, from 1.
    pub number: usize,
    /// Requests per second.
    pub rate: f64,
    /// Reason for making it.
    pub purpose: Purpose,
    /// Its length.
    pub duration: Duration,
    /// Its figures so far.
    pub progress: Progress,
}

/// Searches to the end, or to `signal`. The report is that of the last trial at the rate that was
/// found, or of the last trial, with the search in [`LoadReport::find_rate`].
///
/// # Errors
/// No trial could be made. A server that goes away later ends the search, and the report says so.
pub fn find_rate(
    plan: &FindRatePlan,
    signal: &StopSignal,
    on_progress: &mut dyn FnMut(TrialProgress),
) -> Result<LoadReport, Error> {
    let run =
        |trial: &LoadPlan, on_progress: OnProgress<'_>| super::run(trial, signal, on_progress);
    search_by(run, plan, on_progress)
}

type OnProgress<'a> = &'a mut dyn FnMut(Progress);

/// Searches by trials that `run` makes.
fn search_by(
    mut run: impl FnMut(&LoadPlan, OnProgress<'_>) -> Result<LoadReport, Error>,
    plan: &FindRatePlan,
    on_progress: &mut dyn FnMut(TrialProgress),
) -> Result<LoadReport, Error> {
    let mut search = RateSearch::new(plan.objective.0.limit, plan.first_rate);
    let mut trials: Vec<TrialReport> = Vec::new();
    let mut last: Option<LoadReport> = None;
    let mut stopped = None;
    while let Some((rate, purpose)) = search.next() {
        let number = trials.len() + 1;
        let trial = plan.trial(rate, number);
        let run = run(&trial, &mut |progress| {
            on_progress(TrialProgress {
                number,
                rate,
                purpose,
                duration: progress_duration(&trial),
                progress,
            });
        });
        let report = match run {
            Ok(report) => report,
            Err(error) if last.is_some() => {
                stopped = Some(early_end(error)?);
                break;
            }
            Err(error) => return Err(error),
        };
        if report.interrupted {
            stopped = Some(Outcome::Interrupted);
            last = last.or(Some(report));
            break;
        }
        let value_ns = plan.objective.value_ns(&report);
        search.take(value_ns);
        trials.push(TrialReport {
            rate,
            value_ms: value_ns.is_finite().then_some(value_ns / 1e6),
            purpose,
            client_late: is_client_late(&report),
        });
        last = Some(report);
    }
    let found = search.found();
    let outcome = stopped.unwrap_or_else(|| Outcome::of(&found, &trials));
    let mut report = last.unwrap_or_default();
    report.find_rate = Some(FindRateReport::new(
        plan.objective.to_string(),
        plan.open_loop.seed,
        &found,
        outcome,
        trials,
    ));
    Ok(report)
}

/// The end of a search of which a later trial could not be made.
///
/// # Errors
/// The reason lies in this program.
fn early_end(error: Error) -> Result<Outcome, Error> {
    match error {
        Error::InterruptedBeforeStart | Error::Connect(ConnectError::Interrupted { .. }) => {
            Ok(Outcome::Interrupted)
        }
        Error::Connect(error) => Ok(Outcome::ServerGone {
            cause: error.to_string(),
        }),
        error => Err(error),
    }
}

fn is_client_late(report: &LoadReport) -> bool {
    let mut reasons = report.verdict.reasons.iter();
    reasons.any(|reason| matches!(reason, Warning::LateClient { .. }))
}

fn progress_duration(trial: &LoadPlan) -> Duration {
    match trial.until {
        Until::Duration(duration) => duration,
        Until::Amount(_) => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests;
