//! The standings of a comparison under way, a line for each contestant.

use super::Cells;
use crate::compare::report::{ComparisonReport, ContestantResult};
use crate::format::{or_dash, rate};

/// Rate, ratio with its bounds, and answer of each contestant that has run.
pub fn standings(report: &ComparisonReport) -> Vec<String> {
    let ran = report
        .contestants
        .iter()
        .filter(|result| result.requests_per_second.is_some());
    let rows: Vec<[String; 3]> = ran.map(|result| row(result, report)).collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let (names, rates) = (width(0), width(1));
    let line = |[name, rate, versus]: &[String; 3]| {
        format!("  {name:<names$}  {rate:>rates$} requests/s  {versus}")
    };
    rows.iter().map(line).collect()
}

fn row(result: &ContestantResult, report: &ComparisonReport) -> [String; 3] {
    let mean = result.requests_per_second.as_ref();
    let mean = or_dash(mean.map(|figure| rate(figure.mean)));
    let versus = Cells::new(result, report).versus_in_one_line();
    [result.name.clone(), mean, versus]
}
