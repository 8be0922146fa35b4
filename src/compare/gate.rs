//! Gates: limits that a comparison has to keep, such as `bareloop-http.ratio<100`.
//!
//! A gate trips when its condition holds in the whole interval of the figure, and is open when
//! its limit lies within the interval: noise trips no gate. Below six rounds the range of the
//! rounds takes its place. Figures without an interval (memory, errors, a single round) count as
//! they are.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::baseline::BaselineReport;
use super::report::{ComparisonReport, ContestantResult, LatencyInterval, LoadLimit};
use super::statistics::GeometricMean;
use crate::format;
use crate::load::objective::{
    Answer, Comparison, Metric, Objective, ObjectiveError, split_comparison,
};

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
    #[error("'{0}' is no gate; write NAME.FIGURE, < or >, and a limit, such as 'app.ratio<0.95'")]
    Shape(String),
    /// No figure of a contestant.
    #[error("'{0}' is no figure of a server; there are: {FIGURES}")]
    Figure(String),
    /// The limit is no number in a unit of the figure.
    #[error("'{0}' is no limit; write a number{1}")]
    Limit(String, &'static str),
    /// As for a single run.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// The gate's contestant is not in the comparison.
    #[error("'{text}': there is no contestant named '{name}'; there are: {}", known.join(", "))]
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

/// A figure with its bounds; an open side is `None`.
#[derive(Clone, Copy)]
struct Bounded {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
}

impl Bounded {
    fn exact(value: f64) -> Bounded {
        Bounded::within(value, None)
    }

    /// Without an interval, as if it were exact.
    fn within(value: f64, interval: Option<(f64, f64)>) -> Bounded {
        let (low, high) = interval.unwrap_or((value, value));
        Bounded {
            value,
            low: Some(low),
            high: Some(high),
        }
    }

    fn of_rounds(rounds: &[f64]) -> Option<Bounded> {
        let mean = GeometricMean::of(rounds)?;
        let bounds = mean.bounds().map(|bounds| (bounds.low, bounds.high));
        Some(Bounded::within(mean.mean, bounds))
    }
}

impl Gate {
    /// Holds the gate against what the comparison found.
    pub fn judge(&self, report: &ComparisonReport) -> GateResult {
        let contestant = report.contestants.iter().find(|c| c.name == self.name);
        let baseline = report.baseline.as_ref();
        let bounded = contestant.and_then(|contestant| match self.figure {
            GateFigure::Change => change(baseline?, &self.name),
            figure => bounded(contestant, figure),
        });
        let limit = self.limit;
        let answer = bounded.map(|it| self.comparison.judge(limit, it.low, it.high));
        GateResult {
            gate: self.text.clone(),
            result: match answer {
                Some(Answer::Holds) => GateOutcome::Tripped,
                Some(Answer::Fails) => GateOutcome::Passed,
                Some(Answer::Undecided) => GateOutcome::Undecided,
                None => GateOutcome::NoFigure,
            },
            name: self.name.clone(),
            figure: self.figure,
            value: bounded.map(|it| it.value),
            low: bounded.and_then(|it| it.low),
            high: bounded.and_then(|it| it.high),
        }
    }
}

fn bounded(result: &ContestantResult, figure: GateFigure) -> Option<Bounded> {
    let has_run = result.requests_per_second.as_ref();
    match figure {
        GateFigure::Ratio => ratio(result),
        GateFigure::Change => None,
        GateFigure::Rate => Bounded::of_rounds(&has_run?.rounds),
        GateFigure::P50 => {
            let latency = result.latency_ms?;
            let is_bound = latency.lower_bounds_from == Some("p50");
            percentile(latency.p50?, latency.p50_interval, is_bound)
        }
        GateFigure::P99 => {
            let latency = result.latency_ms?;
            let is_bound = latency.lower_bounds_from.is_some();
            percentile(latency.p99?, latency.p99_interval, is_bound)
        }
        GateFigure::Cpu => Bounded::of_rounds(&result.cpu_micros_per_request.as_ref()?.rounds),
        GateFigure::Memory => result
            .peak_memory_bytes
            .map(|size| Bounded::exact(size as f64)),
        GateFigure::Errors => has_run.map(|_| Bounded::exact(result.errors as f64)),
    }
}

/// With a single round, a percentile that is only a lower bound, because requests had no reply, is
/// open above.
fn percentile(ms: f64, interval: Option<LatencyInterval>, is_lower_bound: bool) -> Option<Bounded> {
    let single = LatencyInterval {
        low: ms,
        high: Some(ms).filter(|_| !is_lower_bound),
    };
    let LatencyInterval { low, high } = interval.unwrap_or(single);
    Some(Bounded {
        value: ms,
        low: Some(low),
        high,
    })
}

/// A side beyond which the load was the limit is open.
fn ratio(result: &ContestantResult) -> Option<Bounded> {
    let ratio = result.ratio.as_ref()?;
    let measured = Bounded::within(ratio.mean, ratio.low.zip(ratio.high));
    Some(match ratio.limit {
        LoadLimit::None => measured,
        LoadLimit::AtLeast => Bounded {
            high: None,
            ..measured
        },
        LoadLimit::AtMost => Bounded {
            low: None,
            ..measured
        },
        LoadLimit::Unknown | LoadLimit::Rate => Bounded {
            low: None,
            high: None,
            ..measured
        },
    })
}

fn change(baseline: &BaselineReport, name: &str) -> Option<Bounded> {
    let change = baseline.changes.iter().find(|change| change.name == name)?;
    Some(Bounded::within(change.change, change.low.zip(change.high)))
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
