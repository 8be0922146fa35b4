//! A run as an HTML page.

use crate::cli::command_line;
use crate::compare::Machine;
use crate::load::{self, LoadReport};

pub(super) const FLAG: &str = "--export-html";

/// The page of `report`.
///
/// # Errors
/// The report has a figure that JSON cannot hold.
pub(super) fn render(report: &LoadReport) -> Result<String, String> {
    let seed = match (&report.find_rate, &report.open_loop) {
        (Some(found), _) => Some(found.seed),
        (None, open_loop) => open_loop.as_ref().map(|open_loop| open_loop.seed),
    };
    let command = command_line::repeating(std::env::args_os(), seed);
    load::page::of_run(report, &Machine::this(None), &command)
        .map(|page| page.to_html())
        .map_err(|error| format!("{FLAG}: {error}"))
}
