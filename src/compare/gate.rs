//! Gates: limits that a comparison has to keep, such as `bareloop-http.ratio<100`.
//!
//! A gate trips when its condition holds in the whole interval of the figure, and is open when
//! its limit lies within the interval: noise trips no gate. Below six rounds the range of the
//! rounds takes its place. Figures without an interval (memory, errors, a single round) count as
//! they are.

mod judgement;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::format;
use crate::load::objective::{Comparison, Metric, Objective, ObjectiveError, split_comparison};

/// A condition on a figure of a contestant, under which the comparison fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// As it was written.
    text: String,
    /// The contestant's name.
    name: String,
    figure: GateFigure,
    comparison: Comparison,
    /// In the unit of the figure.
    limit: f64,
}

/// A figure of a contestant, in the unit that it has in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum GateFigure {
    /// Replies per second, to the reference's.
    Ratio,
    /// Speed now, to that of the baseline.
    Change,
    /// Replies per second.
    Rate,
    /// Median latency, milliseconds.
    P50,
    /// 99th percentile of the latency, milliseconds.
    P99,
    /// CPU time of the server per reply, microseconds.
    Cpu,
    /// Peak memory of the server, bytes.
    Memory,
    /// Errors of all rounds.
    Errors,
}

const FIGURES: &str = "ratio, change, rate, p50, p99, cpu, memory, errors";

/// The reason for which a text is no gate.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// Not `NAME.FIGURE`, a comparison and a limit.
    #[error(
        "'{0}' is not a gate; write NAME.FIGURE, < or >, and a limit, such as 'app.ratio<0.95'"
    )]
    Shape(String),
    /// No figure of a contestant.
    #[error("'{0}' is not a figure of a server; the figures are: {FIGURES}")]
    Figure(String),
    /// The limit is no number in a unit of the figure.
    #[error("'{0}' is not a limit; write a number{1}")]
    Limit(String, &'static str),
    /// As for a single run.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// The gate's contestant is not in the comparison.
    #[error("'{text}': there is no server named '{name}'; there are: {}", known.join(", "))]
    Name {
        /// The gate.
        text: String,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A change needs something to compare with.
    #[error("'{0}': a change is from a baseline; add --baseline FILE")]
    NoBaseline(String),
}

impl FromStr for Gate {
    type Err = GateError;

    fn from_str(text: &str) -> Result<Gate, GateError> {
        let shape = || GateError::Shape(text.to_owned());
        let (place, comparison, limit) = split_comparison(text).ok_or_else(shape)?;
        // A name may hold dots.
        let (name, figure) = place.rsplit_once('.').ok_or_else(shape)?;
        if name.is_empty() {
            return Err(shape());
        }
        let figure: GateFigure = figure.parse()?;
        Ok(Gate {
            text: text.trim().to_owned(),
            name: name.to_owned(),
            figure,
            comparison,
            limit: figure.parse_limit(limit)?,
        })
    }
}

impl FromStr for GateFigure {
    type Err = GateError;

    fn from_str(text: &str) -> Result<GateFigure, GateError> {
        Ok(match text {
            "ratio" => GateFigure::Ratio,
            "change" => GateFigure::Change,
            "rate" => GateFigure::Rate,
            "p50" => GateFigure::P50,
            "p99" => GateFigure::P99,
            "cpu" => GateFigure::Cpu,
            "memory" => GateFigure::Memory,
            "errors" => GateFigure::Errors,
            other => return Err(GateError::Figure(other.to_owned())),
        })
    }
}

impl GateFigure {
    /// Rates, latencies and numbers of errors are written as for a single run.
    fn parse_limit(self, text: &str) -> Result<f64, GateError> {
        match self {
            GateFigure::Ratio | GateFigure::Change => with_unit(text, &[("", 1.0), ("%", 0.01)])
                .ok_or_else(|| GateError::Limit(text.to_owned(), ", such as 0.95 or 95%")),
            GateFigure::Cpu => {
                with_unit(text, &[("us", 1.0), ("µs", 1.0), ("ns", 1e-3), ("ms", 1e3)])
                    .ok_or_else(|| GateError::Limit(text.to_owned(), " with its unit: us, ns, ms"))
            }
            GateFigure::Memory => with_unit(
                text,
                &[
                    ("B", 1.0),
                    ("kB", 1e3),
                    ("MB", 1e6),
                    ("GB", 1e9),
                    ("KiB", 1024.0),
                ]
                .into_iter()
                .chain([("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0)])
                .collect::<Vec<_>>(),
            )
            .ok_or_else(|| GateError::Limit(text.to_owned(), " with its unit, such as 50MB")),
            GateFigure::Rate => objective(&format!("rate>{text}")),
            GateFigure::P50 | GateFigure::P99 => Ok(objective(&format!("p99>{text}"))? / 1e6),
            GateFigure::Errors => match text.parse::<u64>() {
                Ok(number) => Ok(number as f64),
                Err(_) => Err(GateError::Limit(text.to_owned(), ", such as 0")),
            },
        }
    }

    fn words(self, value: f64) -> String {
        match self {
            GateFigure::Ratio | GateFigure::Change => format::ratio(value),
            GateFigure::Rate => format!("{} requests/s", format::rate(value)),
            GateFigure::P50 | GateFigure::P99 => format::milliseconds(value),
            GateFigure::Cpu => format!("{} µs", format::three_digits(value)),
            GateFigure::Memory => format::bytes(value),
            GateFigure::Errors => format::plural(value as u64, "error"),
        }
    }
}

fn objective(text: &str) -> Result<f64, GateError> {
    let objective: Objective = text.parse()?;
    debug_assert!(matches!(
        objective.metric,
        Metric::Rate | Metric::Percentile(_)
    ));
    Ok(objective.limit)
}

/// A number that is not negative, in one of these units.
fn with_unit(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    Some(number.parse::<f64>().ok()? * factor)
}

/// Checks that every gate is about one of `names`, and that there is a baseline for changes.
///
/// # Errors
/// The first gate that is not.
pub fn check(gates: &[Gate], names: &[&str], has_baseline: bool) -> Result<(), GateError> {
    for gate in gates {
        if !names.contains(&&*gate.name) {
            return Err(GateError::Name {
                text: gate.text.clone(),
                name: gate.name.clone(),
                known: names.iter().map(|&name| name.to_owned()).collect(),
            });
        }
        if gate.figure == GateFigure::Change && !has_baseline {
            return Err(GateError::NoBaseline(gate.text.clone()));
        }
    }
    Ok(())
}

/// A gate with the figure that it was held against.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GateResult {
    /// As it was written.
    pub gate: String,
    /// Its judgement of the comparison.
    pub result: GateOutcome,
    /// The contestant.
    pub name: String,
    /// Its figure.
    pub figure: GateFigure,
    /// The figure's value; `null` if it has none.
    pub value: Option<f64>,
    /// Lower bound of the figure; `null` if it has none.
    pub low: Option<f64>,
    /// Upper bound of the figure; `null` if it has none.
    pub high: Option<f64>,
}

/// Judgement of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum GateOutcome {
    /// Its condition holds nowhere in the interval.
    Passed,
    /// The limit lies within the interval.
    Undecided,
    /// Its condition holds in the whole interval.
    Tripped,
    /// There is no figure: nothing shows that the limit was kept.
    NoFigure,
}

impl GateOutcome {
    /// True if the comparison fails for it.
    pub fn fails(self) -> bool {
        matches!(self, GateOutcome::Tripped | GateOutcome::NoFigure)
    }
}

impl fmt::Display for GateResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.gate)?;
        f.write_str(match self.result {
            GateOutcome::Passed => ": passed",
            GateOutcome::Undecided => ": undecided, the limit lies within the bounds",
            GateOutcome::Tripped => ": tripped",
            GateOutcome::NoFigure => ": failed, there is no such figure",
        })?;
        let Some(value) = self.value else {
            return Ok(());
        };
        let words = |value| self.figure.words(value);
        write!(f, " ({}", words(value))?;
        match (self.low, self.high) {
            (Some(low), Some(high)) if low < high => {
                write!(f, "; {} to {}", words(low), words(high))?;
            }
            (Some(low), None) => write!(f, "; at least {}", words(low))?,
            (None, Some(high)) => write!(f, "; at most {}", words(high))?,
            _ => {}
        }
        f.write_str(")")
    }
}
