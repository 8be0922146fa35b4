//! `--find-rate`: the highest rate at which a server keeps within an objective.
//!
//! Each trial is a short open-loop run of its own, with new connections and a new seed. The pure
//! [`search`] says at which rate, and signs one.

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
        needed.clamp(shortest, shortest * LONGER_MAX)
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
    let mut search = RateSearch::new(plan.objective.0.limit, plan.first_rate);
    let mut trials: Vec<TrialReport> = Vec::new();
    let mut last: Option<LoadReport> = None;
    let mut stopped = None;
    while let Some((rate, purpose)) = search.next() {
        let number = trials.len() + 1;
        let trial = plan.trial(rate, number);
        let run = super::run(&trial, signal, &mut |progress| {
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
mod tests {
    use super::*;
    use crate::load::statistics::test_queue::{self, QueuePlan};

    fn objective(text: &str) -> RateObjective {
        text.parse().expect("an objective")
    }

    #[test]
    fn an_objective_is_an_upper_limit_of_a_latency() {
        assert_eq!(objective("p99 < 5ms").to_string(), "p99<5ms");
        assert_eq!(objective("mean<=1s").0.limit, 1e9);
        for text in ["p99>5ms", "rate<1000", "errors<1%", "suspect", "p99<0ms"] {
            let error = text.parse::<RateObjective>().expect_err(text);
            assert!(error.to_string().contains("'p99<5ms'"), "{error}");
        }
        let error = "p99<5".parse::<RateObjective>().expect_err("no unit");
        assert!(error.to_string().contains("5ms"), "{error}");
    }

    #[test]
    fn a_trial_at_a_low_rate_is_as_long_as_its_percentile_needs() {
        let second = Duration::from_secs(1);
        let of = |text: &str, rate| objective(text).trial_duration(rate, second);
        assert_eq!(of("p99<5ms", 100_000.0), second);
        assert_eq!(of("p99<5ms", 5_000.0), 2 * second);
        assert_eq!(of("p99<5ms", 1.0), 10 * second);
        assert_eq!(of("mean<5ms", 1.0), second);
    }

    /// The rate that a search signs for `p99<20ms` on a queue that serves 1,000 requests a second.
    fn signed_on_a_queue(seed: u64) -> Option<f64> {
        let objective = objective("p99<20ms");
        let mut search = RateSearch::new(objective.0.limit, 200.0);
        let mut trials = 0;
        while let Some((rate, _)) = search.next() {
            trials += 1;
            let duration = objective.trial_duration(rate, Duration::from_secs(1));
            let load = rate / 1000.0;
            // A fuller queue has no such percentile in that time.
            search.take(match load < 0.95 {
                true => {
                    let queue = QueuePlan::mm1(load, rate, duration.as_secs_f64());
                    value::percentile_ns(0.99, &test_queue::run(&queue, seed * 100 + trials))
                }
                false => f64::INFINITY,
            });
        }
        search.found().signed.map(|signed| signed.rate)
    }

    #[test]
    fn a_rate_signed_on_a_queue_keeps_within_the_objective() {
        // M/M/1: the 99th percentile is ln(100) / (capacity - rate).
        let knee = 1000.0 - 100f64.ln() / 0.020;
        let signed: Vec<f64> = (0..100).filter_map(signed_on_a_queue).collect();
        let over = signed.iter().filter(|&&rate| rate > knee).count();
        let mean = signed.iter().sum::<f64>() / signed.len() as f64 / knee;
        println!(
            "{} of 100 signed, {over} beyond the knee, {mean:.3} of it in the mean",
            signed.len()
        );
        assert!(over * 20 <= signed.len(), "{over} of {}", signed.len());
        assert!(mean >= 0.9, "{mean}");
    }

    #[test]
    fn a_trial_with_wrong_replies_is_beyond_any_limit() {
        let mut report = LoadReport::default();
        report.latency.max = 1.0;
        assert_eq!(objective("max<5ms").value_ns(&report), f64::INFINITY);
        report.accounting.completed = 1000;
        assert_eq!(objective("max<5ms").value_ns(&report), 1e6);
        report.verdict.reasons = vec![Warning::WrongBodies { replies: 1 }];
        assert_eq!(objective("max<5ms").value_ns(&report), f64::INFINITY);
    }
}
