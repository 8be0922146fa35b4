//! The report on stdout, in the form that was asked for.

use serde::Serialize;

use super::LoadArgs;
use crate::cli::output;
use crate::load::table::{self, Detail};
use crate::load::{LoadReport, exports};

/// Prints the table, or the forms that were asked for in its place.
///
/// # Errors
/// Stdout cannot be written, for another reason than that its reader has gone away.
pub(super) fn print(report: &LoadReport, args: &LoadArgs) -> Result<(), String> {
    let printed = args.exports.printed(args.prints_json());
    let text = match (&printed[..], &report.find_rate) {
        ([], Some(found)) => table::render_search(found, report.errors, output::columns()),
        ([], None) => table::render(report, detail(args), output::columns()),
        (forms, _) => forms
            .iter()
            .map(|content| content(report))
            .collect::<Result<_, _>>()?,
    };
    output::refusal(output::print(&text)).map_or(Ok(()), Err)
}

/// The log of the run.
///
/// # Errors
/// A histogram that cannot be encoded.
pub(super) fn hlog(report: &LoadReport) -> Result<String, String> {
    exports::hlog(report).map_err(|error| format!("--export-hlog: {error}"))
}

/// One line.
///
/// # Errors
/// A value that JSON cannot hold.
pub(super) fn json(report: &impl Serialize) -> Result<String, String> {
    let json = serde_json::to_string(report).map_err(|error| error.to_string())?;
    Ok(json + "\n")
}

/// The amount of detail in a report.
pub(super) fn detail(args: &LoadArgs) -> Detail {
    match args.latency {
        true => Detail::Percentiles,
        false => Detail::Plain,
    }
}
