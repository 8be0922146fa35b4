//! A sweep in words.

use std::fmt;

use super::{SweepFigure, SweepKnee, SweepPoint, SweepResult, SweepVariable};
use crate::format::{bound, milliseconds, or_dash, plural, rate, short_rate, shortest};

impl SweepVariable {
    /// Name of the varied setting.
    pub fn words(self) -> &'static str {
        match self {
            SweepVariable::Connections => "connections",
            SweepVariable::Pipelining => "requests in flight",
            SweepVariable::Rate => "requests due/s",
        }
    }
}

impl SweepResult {
    /// Name and variable, a line for each point, and the knees.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} over {}, {} walks",
            self.name,
            self.variable.words(),
            self.walks
        )];
        let indented = |line: String| format!("  {line}");
        lines.extend(self.failure_line().map(indented));
        lines.extend(self.points.iter().map(SweepPoint::line));
        lines.extend(self.knee_lines().into_iter().map(indented));
        lines
    }

    /// Reason why there are no more walks.
    pub(in crate::compare) fn failure_line(&self) -> Option<String> {
        let reason = self.reason.as_ref()?;
        Some(format!("failed: {reason}"))
    }

    /// A line for each knee, and for the load generator where it stood in its way.
    pub(in crate::compare) fn knee_lines(&self) -> Vec<String> {
        let line = |knee: Option<SweepKnee>, words: &str| {
            knee.map(|knee| format!("{words} {knee} {}", self.variable.words()))
        };
        let throughput = line(self.throughput_knee, "throughput rises up to");
        let latency = line(self.latency_knee, "p99 rises from");
        let limit = self.client_limit_line();
        limit.into_iter().chain(throughput).chain(latency).collect()
    }
}

impl SweepPoint {
    /// At most 100 columns, unless there are errors or lower bounds beside a limit.
    fn line(&self) -> String {
        let [speed, p50, p99] = self.cells();
        format!(
            "  {:>4} {:>9}  {speed:>27}/s  p50 {p50:>8}  p99 {p99:>8}{}{}",
            self.walk,
            shortest(self.load),
            self.error_words(),
            self.limit_words(),
        )
    }

    /// The errors at the end of a line; nothing without any.
    fn error_words(&self) -> String {
        match self.errors {
            0 => String::new(),
            errors => format!("  {}", plural(errors, "error")),
        }
    }

    /// Replies per second, p50 and p99 as text.
    pub(in crate::compare) fn cells(&self) -> [String; 3] {
        let ms = |figure: Option<SweepFigure>, is_bound| {
            or_dash(figure.map(|it| bound(is_bound, milliseconds(it.mean))))
        };
        let first = self.lower_bounds_from;
        [
            or_dash(self.requests_per_second.map(|figure| figure.to_string())),
            ms(self.p50_ms, first == Some("p50")),
            ms(self.p99_ms, first.is_some()),
        ]
    }
}

/// The mean rate with its bounds.
impl fmt::Display for SweepFigure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounds = self.low.zip(self.high);
        let bounds =
            bounds.map(|(low, high)| format!(" ({} - {})", short_rate(low), short_rate(high)));
        f.pad(&format!(
            "{}{}",
            rate(self.mean),
            bounds.unwrap_or_default()
        ))
    }
}

impl fmt::Display for SweepKnee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.load)?;
        if let Some((low, high)) = self.low.zip(self.high) {
            write!(f, " ({low:.0} - {high:.0})")?;
        }
        match self.hysteresis {
            Some(true) => f.write_str(", another on the way down"),
            Some(false) | None => Ok(()),
        }
    }
}
