//! The results of a comparison, in the shape of their JSON.

mod cost;
mod figure;
mod ratio;
mod runs;
mod settings;
mod since_baseline;

pub use cost::{Cost, SideCost};
pub use figure::Figure;
pub use ratio::{Bounds, Finding, LoadLimit, Noise, RatioToReference};
pub use runs::{RunClient, RunResult};
pub use settings::{RequestUsed, SettingsUsed};
pub use since_baseline::{BaselineComparable, BaselineReport, FactChange, SpeedChange};

use std::collections::BTreeMap;

use serde::Serialize;

use super::gate::GateResult;
use super::outcome::reference;
use super::reply_check::ReplyFacts;
use super::search::SearchResult;
use super::statistics::{OpenInterval, PercentileOverRounds, PercentileUncertainty, RoundLatency};
use super::sweep::SweepResult;
use super::{
    ComparisonOutcome, ComparisonPlan, ContestantRuns, Machine, RoundsEnd, RunFigures, Settings,
    Warning, warning,
};
use crate::format::{bound, milliseconds, or_dash};

/// A finished (or interrupted) comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComparisonReport {
    /// Where it ran.
    pub machine: Machine,
    /// The load on each contestant.
    pub settings: SettingsUsed,
    /// True if it was stopped before its end.
    pub interrupted: bool,
    /// False if it was interrupted, or is still under way.
    pub finished: bool,
    /// Rounds that came to their end, of those in the settings.
    pub rounds_done: usize,
    /// Reason for the end of the rounds; `null` while it is under way.
    pub rounds_end: Option<RoundsEnd>,
    /// The contestant that ratios refer to; `null` if none ran.
    pub reference: Option<String>,
    /// In the order in which they were named.
    pub contestants: Vec<ContestantResult>,
    /// Each contestant under rising and falling load.
    pub sweeps: Vec<SweepResult>,
    /// Changes since an earlier comparison; `null` without one.
    pub baseline: Option<BaselineReport>,
    /// Limits that it had to keep.
    pub gates: Vec<GateResult>,
    /// Figures that others measured elsewhere.
    pub published: Vec<Published>,
    /// Of this program.
    pub version: String,
}

/// State of a contestant at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ContestantStatus {
    /// It ran in every round that was held.
    Ran,
    /// It could not run, or not in every round, or answered wrongly.
    Failed,
    /// The comparison was stopped before its first run ended.
    NotRun,
}

/// One contestant's figures. Medians, minima and maxima are over rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContestantResult {
    /// Its name.
    pub name: String,
    /// Its command, with `{port}` in place.
    pub command: String,
    /// Variables added to its environment.
    pub environment: BTreeMap<String, String>,
    /// Its request, if it has one of its own.
    pub request: Option<RequestUsed>,
    /// Its state at the end.
    pub status: ContestantStatus,
    /// Reason why it failed; `null` if it did not.
    pub reason: Option<String>,
    /// True if replies had other statuses or bodies than the expected ones: then its figures are
    /// not those of answers.
    pub answered_wrongly: bool,
    /// Replies per second.
    pub requests_per_second: Option<Figure>,
    /// Latencies in milliseconds.
    pub latency_ms: Option<LatencyMs>,
    /// CPU time of the server per reply.
    pub cpu_micros_per_request: Option<Figure>,
    /// The largest of all rounds.
    pub peak_memory_bytes: Option<u64>,
    /// Errors of all rounds together.
    pub errors: u64,
    /// Replies with a status other than 2xx, of all rounds together.
    pub non2xx: u64,
    /// Replies per second, to the reference's; `null` for the reference, without a common round,
    /// or if it answered wrongly.
    pub ratio: Option<RatioToReference>,
    /// Its highest rate within an objective; `null` without a search.
    pub find_rate: Option<SearchResult>,
    /// Its cost, and the load generator's beside it; `null` without a run.
    pub cost: Option<Cost>,
    /// Its reply before the load of the first round; `null` if there was none in time.
    pub reply: Option<ReplyFacts>,
    /// Each run by itself.
    pub runs: Vec<RunResult>,
    /// Reasons to doubt its figures.
    pub warnings: Vec<Warning>,
}

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyMs {
    /// Median over rounds of the rounds' medians; `null` with too few replies.
    pub p50: Option<f64>,
    /// The interval of that median.
    #[serde(rename = "p50Interval")]
    pub p50_interval: Option<LatencyInterval>,
    /// Median over rounds of the rounds' 99th percentiles; `null` likewise.
    pub p99: Option<f64>,
    /// The interval of that median.
    #[serde(rename = "p99Interval")]
    pub p99_interval: Option<LatencyInterval>,
    /// The longest of all rounds.
    pub max: f64,
    /// The first of the two percentiles that is only a lower bound, because requests had no reply.
    #[serde(rename = "lowerBoundsFrom")]
    pub lower_bounds_from: Option<&'static str>,
}

/// The 95 % interval of a percentile by the ranks of the rounds; below six rounds, their range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end; `null` if requests without a reply leave it open.
    pub high: Option<f64>,
}

/// A figure that was measured elsewhere, for orientation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// The contestant it is about.
    pub name: &'static str,
    /// Mean of one run.
    pub requests_per_second: f64,
    /// As published, rounded to thousands.
    pub errors: u64,
    /// Where and how it was measured.
    pub conditions: &'static str,
}

const PUBLISHED_CONDITIONS: &str = "another machine, autocannon -c 100 -d 5 -p 10";
const PUBLISHED: [Published; 2] = [
    Published {
        name: "python-http",
        requests_per_second: 5264.4,
        errors: 14_000,
        conditions: PUBLISHED_CONDITIONS,
    },
    Published {
        name: "python-tcp",
        requests_per_second: 6999.6,
        errors: 36_000,
        conditions: PUBLISHED_CONDITIONS,
    },
];

impl ComparisonReport {
    /// Judges `outcome`, which `plan` had on `machine`.
    pub fn new(
        plan: &ComparisonPlan,
        outcome: &ComparisonOutcome,
        machine: Machine,
    ) -> ComparisonReport {
        let records = &outcome.records;
        let reference = reference(records, plan);
        let settings = plan.settings();
        let ratios = match reference {
            Some(index) => ratio::ratios(records, index, settings),
            None => vec![None; records.len()],
        };
        ComparisonReport {
            machine,
            settings: settings.into(),
            interrupted: outcome.is_interrupted(),
            finished: outcome.is_finished(),
            rounds_done: outcome.rounds_done,
            rounds_end: outcome.end,
            reference: reference.map(|index| records[index].contestant.name().to_owned()),
            contestants: std::iter::zip(records, ratios)
                .map(|(record, ratio)| ContestantResult::new(record, ratio, settings))
                .collect(),
            sweeps: Vec::new(),
            baseline: None,
            gates: Vec::new(),
            published: PUBLISHED.to_vec(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// True if a sweep or a search failed.
    pub fn has_failed_part(&self) -> bool {
        let searches = self.contestants.iter().filter_map(|c| c.find_rate.as_ref());
        self.sweeps.iter().any(|sweep| sweep.reason.is_some())
            || searches.into_iter().any(|search| search.reason.is_some())
    }
}

impl ContestantResult {
    fn new(
        record: &ContestantRuns,
        ratio: Option<RatioToReference>,
        settings: &Settings,
    ) -> ContestantResult {
        let own = record.contestant.own();
        let reason = record.reason();
        let status = match &reason {
            Some(_) => ContestantStatus::Failed,
            None if record.runs().next().is_none() => ContestantStatus::NotRun,
            None => ContestantStatus::Ran,
        };
        ContestantResult {
            name: record.contestant.name().to_owned(),
            command: record.contestant.command_shown().to_owned(),
            environment: own.environment.iter().cloned().collect(),
            request: Some(own.request.of(&settings.request))
                .filter(|request| *request != settings.request)
                .map(|request| (&request).into()),
            status,
            reason,
            answered_wrongly: record.wrong_replies().is_some(),
            requests_per_second: Figure::over_rounds(record, |run| Some(run.requests_per_second())),
            latency_ms: latency(record),
            cpu_micros_per_request: Figure::over_rounds(record, RunFigures::cpu_micros_per_request),
            peak_memory_bytes: record
                .runs()
                .filter_map(|run| Some(run.server?.memory_bytes))
                .max(),
            errors: record.runs().map(|run| run.errors).sum(),
            non2xx: record.runs().map(|run| run.non2xx).sum(),
            ratio,
            find_rate: None,
            cost: Cost::of(record),
            reply: record.runs().find_map(|run| run.reply),
            runs: RunResult::of_rounds(record),
            warnings: warning::of_runs(record.runs()),
        }
    }
}

impl ContestantResult {
    /// p50 and p99 as text.
    pub(super) fn percentiles(&self) -> [String; 2] {
        let found = self.latency_ms;
        let first = found.and_then(|found| found.lower_bounds_from);
        let words =
            |ms: Option<f64>, is_bound| or_dash(ms.map(|ms| bound(is_bound, milliseconds(ms))));
        [
            words(found.and_then(|found| found.p50), first == Some("p50")),
            words(found.and_then(|found| found.p99), first.is_some()),
        ]
    }
}

fn latency(record: &ContestantRuns) -> Option<LatencyMs> {
    let p50 = over_rounds(record, 50.0, |run| run.p50_ms);
    let p99 = over_rounds(record, 99.0, |run| run.p99_ms);
    let is_bound = |over: &Option<PercentileOverRounds>| {
        over.is_some_and(|over| matches!(over.median, RoundLatency::AtLeast(_)))
    };
    Some(LatencyMs {
        p50: Figure::over_rounds(record, |run| run.p50_ms).map(|figure| figure.median),
        p50_interval: p50.and_then(LatencyInterval::of),
        p99: Figure::over_rounds(record, |run| run.p99_ms).map(|figure| figure.median),
        p99_interval: p99.and_then(LatencyInterval::of),
        max: Figure::over_rounds(record, |run| Some(run.max_ms))?.max,
        lower_bounds_from: match (is_bound(&p50), is_bound(&p99)) {
            (true, _) => Some("p50"),
            (false, true) => Some("p99"),
            (false, false) => None,
        },
    })
}

/// A percentile, in percent, over the rounds in which it is known.
fn over_rounds(
    record: &ContestantRuns,
    percent: f64,
    of: fn(&RunFigures) -> Option<f64>,
) -> Option<PercentileOverRounds> {
    let rounds = record.runs().filter_map(|run| {
        let ms = of(run)?;
        Some(match run.is_lower_bound(percent) {
            true => RoundLatency::AtLeast(ms),
            false => RoundLatency::Exactly(ms),
        })
    });
    PercentileOverRounds::of_rounds(&rounds.collect::<Vec<_>>())
}

impl LatencyInterval {
    fn of(over: PercentileOverRounds) -> Option<LatencyInterval> {
        match over.uncertainty {
            PercentileUncertainty::Unknown => None,
            PercentileUncertainty::Range(OpenInterval { low, high })
            | PercentileUncertainty::Confidence(OpenInterval { low, high }) => {
                Some(LatencyInterval { low, high })
            }
        }
    }
}
