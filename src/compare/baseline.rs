//! A baseline: the JSON of an earlier comparison, and what has changed since.
//!
//! Both results are read from their JSON, the present one too, so that the same rules hold for
//! both.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Limit;
use super::report::{BaselineReport, ComparisonReport, LoadLimit};
use super::statistics::{
    BoundedRounds, Facts, Margin, OpenSides, SavedResult, SavedRounds, change,
};
use crate::http::credentials;

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
    /// Contestants with replies that were not as expected: errors are often cheaper than answers,
    /// so their speed is no speed.
    wrong: BTreeSet<String>,
    /// False if it was interrupted.
    finished: bool,
}

/// The reason for which a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not JSON, or not that of a comparison.
    #[error("it is not the JSON of a comparison ({0}); write one with --export-json")]
    NotAReport(#[from] serde_json::Error),
    /// There is nothing to compare with.
    #[error("no server in it has figures; write another with --export-json")]
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
    answered_wrongly: Option<bool>,
    #[serde(default)]
    runs: Vec<SavedRun>,
}

#[derive(Deserialize)]
struct SavedFigure {
    rounds: Vec<f64>,
}

#[derive(Deserialize)]
struct SavedRatio {
    #[serde(default)]
    rounds: Vec<f64>,
    #[serde(default)]
    limit: Value,
}

#[derive(Deserialize)]
struct SavedRun {
    #[serde(default)]
    limits: Vec<Value>,
}

impl SavedContestant {
    /// True if it answered wrongly. Where an earlier version did not say so, it has no ratio,
    /// although it is not the reference.
    fn is_wrong(&self, reference: Option<&str>) -> bool {
        let has_none = self.ratio.is_none() && reference != Some(&self.name);
        self.answered_wrongly.unwrap_or(has_none)
    }

    /// Its rounds; `None` if it has no figures.
    fn rounds(self) -> Option<SavedRounds> {
        let figure = self.requests_per_second?;
        let limits = self.runs.into_iter().flat_map(|run| run.limits);
        // As for ratios: a server may be faster than it could be loaded in one of its rounds.
        let is_lower_bound = limits
            .filter_map(|limit| serde_json::from_value(limit).ok())
            .any(|limit| matches!(limit, Limit::Rate | Limit::Client));
        let figures = BoundedRounds {
            rounds: figure.rounds,
            open: OpenSides {
                low: false,
                high: is_lower_bound,
            },
        };
        let ratios = self.ratio.map_or_else(BoundedRounds::default, |ratio| {
            let open = load_limit(ratio.limit).open_sides();
            BoundedRounds {
                rounds: ratio.rounds,
                open,
            }
        });
        Some(SavedRounds { figures, ratios })
    }
}

/// The bound of a saved ratio. An unknown word is that of a later version, and may be any bound.
fn load_limit(saved: Value) -> LoadLimit {
    match saved {
        Value::Null => LoadLimit::None,
        word => serde_json::from_value(word).unwrap_or(LoadLimit::Unknown),
    }
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
        let (mut before, mut present) = (self.saved.clone(), now.saved);
        let mut take = |is_out: &dyn Fn(&String) -> bool| -> Vec<String> {
            let names = before.contestants.keys();
            let in_both = names.filter(|name| present.contestants.contains_key(*name));
            let out: Vec<String> = in_both.filter(|name| is_out(name)).cloned().collect();
            for name in &out {
                before.contestants.remove(name);
                present.contestants.remove(name);
            }
            out
        };
        // Servers with another request than before are other contestants.
        let other_request = take(&|name| self.requests.get(name) != now.requests.get(name));
        let answered_wrongly = take(&|name| self.wrong.contains(name) || now.wrong.contains(name));
        let change = change(&before, &present, margin);
        Ok(BaselineReport {
            finished: self.finished,
            other_request,
            answered_wrongly,
            ..BaselineReport::new(change, &self.saved.version)
        })
    }
}

impl From<SavedReport> for Baseline {
    fn from(mut report: SavedReport) -> Baseline {
        mask_credentials(&mut report.settings);
        for contestant in &mut report.contestants {
            if let Value::Object(request) = &mut contestant.request {
                mask_credentials(request);
            }
        }
        let facts = |map: &Map<String, Value>, is_wanted: &dyn Fn(&str) -> bool| -> Facts {
            map.iter()
                .filter(|(name, value)| is_wanted(name) && !is_off(value))
                .map(|(name, value)| (name.clone(), text_of(value)))
                .collect()
        };
        let mut requests = BTreeMap::new();
        let mut contestants = BTreeMap::new();
        let mut wrong = BTreeSet::new();
        for contestant in report.contestants {
            let (name, request) = (contestant.name.clone(), contestant.request.clone());
            if contestant.is_wrong(report.reference.as_deref()) {
                wrong.insert(name.clone());
            }
            let Some(rounds) = contestant.rounds() else {
                continue;
            };
            if !request.is_null() {
                requests.insert(name.clone(), request);
            }
            contestants.insert(name, rounds);
        }
        Baseline {
            saved: SavedResult {
                machine: facts(&report.machine, &|name| MACHINE.contains(&name)),
                settings: facts(&report.settings, &|name| SETTINGS.contains(&name)),
                version: report.version,
                reference_request: report
                    .reference
                    .as_ref()
                    .and_then(|name| requests.get(name))
                    .map(text_of),
                reference: report.reference,
                contestants,
            },
            requests,
            wrong,
            finished: report.finished,
        }
    }
}

/// Masks the credentials among the fields of a request, which earlier versions saved: differences
/// are for others to read, and a token that was renewed is none.
fn mask_credentials(request: &mut Map<String, Value>) {
    let fields = request.get_mut("fields").and_then(Value::as_array_mut);
    for field in fields.into_iter().flatten() {
        if let Some(masked) = field.as_str().and_then(credentials::masked) {
            *field = masked.into();
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
