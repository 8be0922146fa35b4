//! The search for each contestant's highest rate within an objective, after the comparison.
//!
//! Each contestant has one fresh start, in the comparison's random order. The search itself is that
//! of a single load.

use std::time::Duration;

use serde::Serialize;

use super::bench::SearchStart;
use super::statistics::Summary;
use super::{
    Bench, ComparisonOutcome, ComparisonPlan, Contestant, ContestantRuns, RunConditions,
    RunFigures, Stopped, schedule,
};
use crate::event_loop::StopSignal;
use crate::format::{four_digits, milliseconds, percent, plural};
use crate::load::find_rate::{
    FindRateReport, Limit, Outcome, RateObjective, TrialProgress, WARM_UP_PARTS,
};

/// The first trial is at this part of the speed in the comparison.
const FIRST_RATE_SHARE: f64 = 0.5;

/// A search for the highest rate of each contestant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchPlan {
    /// The objective.
    pub objective: RateObjective,
    /// Length of a trial, if its rate is high enough for the objective's percentile.
    pub trial_duration: Duration,
}

impl SearchPlan {
    /// The time of a trial with its warm-up, at a rate that is high enough.
    pub fn trial_time(&self) -> Duration {
        self.trial_duration + self.trial_duration / WARM_UP_PARTS
    }
}

/// Observer of a search under way.
pub trait SearchObserver {
    /// A trial of `contestant` is under way.
    fn trial(&mut self, contestant: &Contestant, trial: TrialProgress);

    /// The search of a contestant has ended.
    fn ended(&mut self, result: SearchResult);
}

/// Searches with each contestant of `outcome` that did not fail, or as many as there is time for
/// until `signal`.
pub fn run(
    search: &SearchPlan,
    plan: &ComparisonPlan,
    outcome: &ComparisonOutcome,
    bench: &mut dyn Bench,
    signal: &StopSignal,
    observer: &mut dyn SearchObserver,
) {
    let settings = plan.settings();
    let (records, round) = (&outcome.records, outcome.rounds_done);
    for index in schedule::order(records.len(), round, settings.seed) {
        let record = &records[index];
        if record.failure.is_some() || record.wrong_replies().is_some() {
            continue;
        }
        if signal.times_raised() > 0 {
            return;
        }
        let start = SearchStart {
            objective: search.objective,
            first_rate: settings.rate.unwrap_or_else(|| first_rate(record)),
        };
        let conditions = RunConditions {
            window: search.trial_duration,
            padding_bytes: schedule::padding_bytes(index, round, settings.seed),
        };
        let found = bench.run_search(
            &record.contestant,
            conditions,
            start,
            settings,
            signal,
            &mut |trial| observer.trial(&record.contestant, trial),
        );
        let name = record.contestant.name().to_owned();
        observer.ended(match found {
            Ok(found) => SearchResult {
                name,
                reason: found.failure(),
                found: Some(found),
            },
            Err(Stopped::Failed(failure)) => SearchResult {
                name,
                reason: Some(failure.to_string()),
                found: None,
            },
            Err(Stopped::Interrupted) => return,
        });
    }
}

fn first_rate(record: &ContestantRuns) -> f64 {
    let runs = record.runs.iter().flatten();
    let rates: Vec<f64> = runs.map(RunFigures::requests_per_second).collect();
    Summary::of(&rates).map_or(1.0, |speed| speed.mean * FIRST_RATE_SHARE)
}

/// One contestant's search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchResult {
    /// The contestant's name.
    #[serde(skip)]
    pub name: String,
    /// Reason why no rate was found; `null` if one was.
    pub reason: Option<String>,
    /// The search; nothing if it could not begin, or the server did not last.
    #[serde(flatten)]
    pub found: Option<FindRateReport>,
}

impl SearchResult {
    /// The rate with its bound, the bracket and the trials, or why there is no rate.
    pub fn line(&self) -> String {
        let name = &self.name;
        let found = match (&self.reason, &self.found) {
            (None, Some(found)) => found,
            (reason, _) => {
                let reason = reason.as_deref().unwrap_or_default();
                return format!("{name}: none found: {reason}");
            }
        };
        let (at_least, limit) = match found.outcome {
            Outcome::AtLeast {
                limit: Limit::Client,
            } => ("at least ", "; the client was late beyond it"),
            Outcome::AtLeast {
                limit: Limit::Trials,
            } => ("at least ", "; no trial failed"),
            _ => ("", ""),
        };
        let [within, beyond] = found.bracket;
        let end = |rate: Option<f64>, words: &str| {
            rate.map_or_else(String::new, |rate| {
                format!(" {words} {}", four_digits(rate))
            })
        };
        format!(
            "{name}: {at_least}{} requests/s, at most {} there with {} confidence; single trials \
             were within{}{}; {}{limit}",
            four_digits(found.rate.unwrap_or_default()),
            milliseconds(found.bound_ms.unwrap_or_default()),
            percent(found.bound_confidence),
            end(within, "up to"),
            end(beyond, "and beyond from"),
            plural(found.trials.len() as u64, "trial"),
        )
    }
}
