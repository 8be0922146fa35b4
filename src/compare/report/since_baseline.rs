//! Changes since a baseline, as values and as sentences.

use serde::Serialize;

use super::ratio::{Bounds, Finding, LoadLimit};
use crate::compare::statistics::{
    BaselineChange, Comparable, Compared, ContestantChange, DifferenceOf,
};
use crate::format;

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
    /// The contestants of both whose request is the same, and that answered as expected.
    pub changes: Vec<SpeedChange>,
    /// The contestants of both whose request is another one: not compared.
    pub other_request: Vec<String>,
    /// The contestants of both that answered wrongly, before or now: not compared.
    pub answered_wrongly: Vec<String>,
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
    /// Lower bound; `null` with a single round before and now.
    pub low: Option<f64>,
    /// Upper bound, likewise.
    pub high: Option<f64>,
    /// The meaning of the two bounds.
    pub bounds: Bounds,
    /// By the same rules as between contestants.
    pub finding: Finding,
    /// The bound on the change of the server itself if the load was the limit, before or now.
    pub limit: LoadLimit,
}

impl BaselineReport {
    /// The changes since a finished comparison by `version`, in which each request was the same
    /// and each reply as expected.
    pub(in crate::compare) fn new(change: BaselineChange, version: &str) -> BaselineReport {
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
            version: version.to_owned(),
            finished: true,
            comparable: match change.comparable {
                Comparable::RatiosAndFigures => BaselineComparable::RatiosAndFigures,
                Comparable::Ratios => BaselineComparable::Ratios,
                Comparable::Figures => BaselineComparable::Figures,
                Comparable::Nothing => BaselineComparable::Nothing,
            },
            differences: differences.collect(),
            changes: change.changes.into_iter().map(SpeedChange::from).collect(),
            other_request: Vec::new(),
            answered_wrongly: Vec::new(),
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
        for (of, words, consequence) in [
            ("settings", "different settings", "nothing can be compared"),
            (
                "machine",
                "different machine",
                "only ratios to the reference can be compared",
            ),
            ("reference", "other reference", "ratios cannot be compared"),
            (
                "version",
                "other version of bareloop",
                "the change may be that of bareloop itself",
            ),
        ] {
            let facts = differ(of);
            if !facts.is_empty() {
                lines.push(format!("{words}: {}; {consequence}", facts.join("; ")));
            }
        }
        for (names, words) in [
            (
                &self.other_request,
                "another request than before, not compared",
            ),
            (
                &self.answered_wrongly,
                "answered wrongly before or now, not compared",
            ),
            (&self.gone, "only in the baseline"),
            (&self.new, "not in the baseline"),
        ] {
            if !names.is_empty() {
                lines.push(format!("{}: {words}", names.join(", ")));
            }
        }
        if !self.finished {
            lines.push("the baseline was interrupted before its last round".to_owned());
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
        let (bounds, interval) = Bounds::of(change.uncertainty);
        SpeedChange {
            name: change.name,
            compared: match change.compared {
                Compared::Ratio => "ratio",
                Compared::Figure => "rate",
            },
            change: change.change,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            bounds,
            finding: match (change.claims.different, change.claims.same) {
                (Some(_), _) => Finding::Different,
                (None, true) => Finding::Same,
                (None, false) => Finding::Undecided,
            },
            limit: change.open.into(),
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
        let ends = self.low.zip(self.high).map(|(low, high)| {
            let [low, high] = [low, high].map(format::ratio);
            format!("{low} to {high}")
        });
        let bounds = match (ends, self.bounds) {
            (Some(ends), Bounds::Interval) => format!("{ends} with 95 % confidence"),
            (Some(ends), _) => {
                format!("{ends} from round to round, too few rounds for an interval")
            }
            (None, _) => "too few rounds for an interval".to_owned(),
        };
        let finding = match self.finding {
            Finding::Different => "changed",
            Finding::Same => "the same within the margin",
            Finding::Undecided => "no change shown",
        };
        let own = match self.limit {
            LoadLimit::None => "",
            LoadLimit::AtLeast => "; the load was the limit, the server's own factor may be larger",
            LoadLimit::AtMost => "; the load was the limit, the server's own factor may be smaller",
            LoadLimit::Unknown | LoadLimit::Rate => {
                "; the load was the limit, the server's own factor is not known"
            }
        };
        format!("{}: {of} {change} ({bounds}): {finding}{own}", self.name)
    }
}
