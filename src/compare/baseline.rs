//! A baseline: the JSON of an earlier comparison, and what has changed since.
//!
//! Both results are read from their JSON, the present one too, so that the same rules hold for
//! both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::report::{ComparisonReport, Finding};
use super::statistics::{
    BaselineChange, Comparable, Compared, ContestantChange, DifferenceOf, Facts, Margin,
    SavedResult, SavedRounds, change,
};
use crate::format;

/// The settings that decide whether figures can be compared. Others, such as the number of
/// rounds, decide how sure they are.
const SETTINGS: [&str; 11] = [
    "connections",
    "pipelining",
    "durationSeconds",
    "warmupSeconds",
    "timeoutSeconds",
    "duet",
    "rate",
    "path",
    "method",
    "fields",
    "body",
];

/// A saved comparison that can be compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    saved: SavedResult,
    /// Requests of the contestants that have one of their own.
    requests: BTreeMap<String, Value>,
    /// False if it was broken off.
    finished: bool,
}

/// The reason for which a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not JSON, or not that of a comparison.
    #[error("it is not the JSON of a comparison ({0}); write one with --export-json")]
    NotAReport(#[from] serde_json::Error),
    /// There is nothing to compare with.
    #[error("no contestant in it has figures; write another with --export-json")]
    Empty,
}

/// The part of a report's JSON that a baseline needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedReport {
    machine: Map<String, Value>,
    settings: Map<String, Value>,
    reference: Option<String>,
    contestants: Vec<SavedContestant>,
    version: String,
    #[serde(default = "yes")]
    finished: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedContestant {
    name: String,
    #[serde(default)]
    request: Value,
    requests_per_second: Option<SavedFigure>,
    ratio: Option<SavedRatio>,
}

#[derive(Deserialize)]
struct SavedFigure {
    rounds: Vec<f64>,
}

#[derive(Deserialize)]
struct SavedRatio {
    #[serde(default)]
    rounds: Vec<f64>,
}

impl Baseline {
    /// Reads the JSON of a comparison.
    ///
    /// # Errors
    /// It is something else, or holds no figures.
    pub fn from_json(json: &str) -> Result<Baseline, BaselineError> {
        let baseline = Baseline::from(serde_json::from_str::<SavedReport>(json)?);
        match baseline.saved.contestants.is_empty() {
            true => Err(BaselineError::Empty),
            false => Ok(baseline),
        }
    }

    /// Changes since then.
    ///
    /// # Errors
    /// The report is none that could be saved.
    pub fn change(
        &self,
        report: &ComparisonReport,
        margin: Margin,
    ) -> Result<BaselineReport, serde_json::Error> {
        let now = Baseline::from(serde_json::from_value::<SavedReport>(
            serde_json::to_value(report)?,
        )?);
        let mut before = self.saved.clone();
        // Servers with another request than before are other contestants.
        let same_request = |name: &String| self.requests.get(name) == now.requests.get(name);
        let other_request: Vec<String> = before
            .contestants
            .keys()
            .filter(|name| now.saved.contestants.contains_key(*name) && !same_request(name))
            .cloned()
            .collect();
        let mut present = now.saved;
        for name in &other_request {
            before.contestants.remove(name);
            present.contestants.remove(name);
        }
        let change = change(&before, &present, margin);
        Ok(BaselineReport::new(change, other_request, self))
    }
}

impl From<SavedReport> for Baseline {
    fn from(report: SavedReport) -> Baseline {
        let facts = |map: &Map<String, Value>, is_wanted: &dyn Fn(&str) -> bool| -> Facts {
            map.iter()
                .filter(|(name, value)| is_wanted(name) && !is_off(value))
                .map(|(name, value)| (name.clone(), text_of(value)))
                .collect()
        };
        let mut requests = BTreeMap::new();
        let mut contestants = BTreeMap::new();
        for contestant in report.contestants {
            let Some(figure) = contestant.requests_per_second else {
                continue;
            };
            if !contestant.request.is_null() {
                requests.insert(contestant.name.clone(), contestant.request);
            }
            let rounds = SavedRounds {
                figures: figure.rounds,
                ratios: contestant.ratio.map_or(Vec::new(), |ratio| ratio.rounds),
            };
            contestants.insert(contestant.name, rounds);
        }
        Baseline {
            saved: SavedResult {
                machine: facts(&report.machine, &|name| MACHINE.contains(&name)),
                settings: facts(&report.settings, &|name| SETTINGS.contains(&name)),
                version: report.version,
                reference: report.reference,
                contestants,
            },
            requests,
            finished: report.finished,
        }
    }
}

/// The facts that make two machines one; what else is known of a machine changes from run to run.
const MACHINE: [&str; 5] = ["os", "cpu", "cores", "memoryBytes", "pinned"];

/// True for what an earlier version could not have, and what is not in use now.
fn is_off(value: &Value) -> bool {
    value.is_null() || *value == Value::Bool(false)
}

/// Without the quotes of JSON.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Changes since a baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BaselineReport {
    /// Version of the program that wrote the baseline.
    pub version: String,
    /// True if the baseline's comparison came to its end.
    pub finished: bool,
    /// The figures that can be compared.
    pub comparable: BaselineComparable,
    /// The facts in which both differ.
    pub differences: Vec<FactChange>,
    /// The contestants of both whose request is the same.
    pub changes: Vec<SpeedChange>,
    /// The contestants of both whose request is another one: not compared.
    pub other_request: Vec<String>,
    /// Contestants of the baseline only.
    pub gone: Vec<String>,
    /// Contestants of the present comparison only.
    pub new: Vec<String>,
}

/// See [`Comparable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum BaselineComparable {
    /// Ratios to the reference and plain figures.
    RatiosAndFigures,
    /// Ratios only: the machines differ.
    Ratios,
    /// Plain figures only: the references differ.
    Figures,
    /// Nothing.
    Nothing,
}

/// A fact in which the baseline and the present comparison differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactChange {
    /// `machine`, `settings`, `version` or `reference`.
    pub of: &'static str,
    /// Its name in JSON.
    pub name: String,
    /// In the baseline; `null` if it was not recorded.
    pub before: Option<String>,
    /// Now; `null` if it is not recorded.
    pub now: Option<String>,
}

/// The change of one contestant's speed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpeedChange {
    /// Its name.
    pub name: String,
    /// `ratio` to the reference, or `rate`.
    pub compared: &'static str,
    /// Now divided by before.
    pub change: f64,
    /// Lower end of the 95 % interval; `null` with too few rounds for one.
    pub low: Option<f64>,
    /// Upper end, likewise.
    pub high: Option<f64>,
    /// By the same rules as between contestants.
    pub finding: Finding,
}

impl BaselineReport {
    fn new(
        change: BaselineChange,
        other_request: Vec<String>,
        baseline: &Baseline,
    ) -> BaselineReport {
        let differences = change.differences.into_iter().map(|difference| FactChange {
            of: match difference.of {
                DifferenceOf::Machine => "machine",
                DifferenceOf::Settings => "settings",
                DifferenceOf::Version => "version",
                DifferenceOf::Reference => "reference",
            },
            name: difference.name,
            before: difference.before,
            now: difference.now,
        });
        BaselineReport {
            version: baseline.saved.version.clone(),
            finished: baseline.finished,
            comparable: match change.comparable {
                Comparable::RatiosAndFigures => BaselineComparable::RatiosAndFigures,
                Comparable::Ratios => BaselineComparable::Ratios,
                Comparable::Figures => BaselineComparable::Figures,
                Comparable::Nothing => BaselineComparable::Nothing,
            },
            differences: differences.collect(),
            changes: change.changes.into_iter().map(SpeedChange::from).collect(),
            other_request,
            gone: change.gone,
            new: change.new,
        }
    }

    /// Returns its sentences, one a line.
    pub fn sentences(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.changes.iter().map(SpeedChange::sentence).collect();
        let differ = |of: &str| -> Vec<String> {
            let facts = self.differences.iter().filter(|fact| fact.of == of);
            facts.map(FactChange::words).collect()
        };
        for (of, consequence) in [
            ("settings", "nothing can be compared"),
            ("machine", "only ratios to the reference can be compared"),
            ("reference", "ratios cannot be compared"),
            ("version", "the change may be that of bareloop itself"),
        ] {
            let facts = differ(of);
            if !facts.is_empty() {
                lines.push(format!("{of} differ: {}; {consequence}", facts.join("; ")));
            }
        }
        for (names, words) in [
            (
                &self.other_request,
                "another request than before, not compared",
            ),
            (&self.gone, "only in the baseline"),
            (&self.new, "not in the baseline"),
        ] {
            if !names.is_empty() {
                lines.push(format!("{}: {words}", names.join(", ")));
            }
        }
        if !self.finished {
            lines.push("the baseline was broken off before its last round".to_owned());
        }
        lines
    }
}

impl FactChange {
    fn words(&self) -> String {
        let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let (before, now) = (or_none(&self.before), or_none(&self.now));
        format!("{} {before} before, {now} now", self.name)
    }
}

impl From<ContestantChange> for SpeedChange {
    fn from(change: ContestantChange) -> SpeedChange {
        SpeedChange {
            name: change.name,
            compared: match change.compared {
                Compared::Ratio => "ratio",
                Compared::Figure => "rate",
            },
            change: change.change,
            low: change.interval.map(|interval| interval.low),
            high: change.interval.map(|interval| interval.high),
            finding: match (change.claims.different, change.claims.same) {
                (Some(_), _) => Finding::Different,
                (None, true) => Finding::Same,
                (None, false) => Finding::Undecided,
            },
        }
    }
}

impl SpeedChange {
    fn sentence(&self) -> String {
        let of = match self.compared {
            "ratio" => "ratio to the reference",
            _ => "requests/s",
        };
        let change = format!("{} times the baseline", format::ratio(self.change));
        let bounds = match self.low.zip(self.high) {
            Some((low, high)) => format!(
                "{} to {} with 95 % confidence",
                format::ratio(low),
                format::ratio(high)
            ),
            None => "too few rounds for an interval".to_owned(),
        };
        let finding = match self.finding {
            Finding::Different => "changed",
            Finding::Same => "the same within the margin",
            Finding::Undecided => "no change shown",
        };
        format!("{}: {of} {change} ({bounds}): {finding}", self.name)
    }
}
