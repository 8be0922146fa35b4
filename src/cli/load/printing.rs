//! The report on stdout, in the form that was asked for.

use super::{LoadArgs, page};
use crate::cli::output;
use crate::load::LoadReport;
use crate::load::table::{self, Detail};

/// Prints the table, or the JSON or the page in its place.
///
/// # Errors
/// Stdout cannot be written, for another reason than that its reader has gone away.
pub(super) fn print(report: &LoadReport, args: &LoadArgs) -> Result<(), String> {
    let detail = match args.latency {
        true => Detail::Percentiles,
        false => Detail::Plain,
    };
    let text = match (args.prints_json(), args.exports.prints_page()) {
        (true, _) => json(report)?,
        (_, true) => page::render(report)?,
        _ => match &report.find_rate {
            Some(found) => table::render_search(found, output::columns()),
            None => table::render(report, detail, output::columns()),
        },
    };
    output::refusal(output::print(&text)).map_or(Ok(()), Err)
}

/// One line.
///
/// # Errors
/// A value that JSON cannot hold.
pub(super) fn json(report: &LoadReport) -> Result<String, String> {
    let json = serde_json::to_string(report).map_err(|error| error.to_string())?;
    Ok(json + "\n")
}
