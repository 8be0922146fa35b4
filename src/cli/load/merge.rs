//! `bareloop load --merge`: runs of several processes as one.

use std::fs;
use std::path::{Path, PathBuf};

use super::{LoadArgs, printing};
use crate::cli::{Exit, output};
use crate::load::merge::{MergedReport, Source, merge};
use crate::load::table;

/// Flags of a run, which a merge is not.
pub(super) const REFUSED: [&str; 39] = [
    "urls",
    "requests",
    "har",
    "connections",
    "pipelining",
    "duration",
    "amount",
    "timeout",
    "method",
    "fields",
    "body",
    "input",
    "expect_body",
    "expect_status",
    "workers",
    "refill",
    "share",
    "start_at",
    "rate",
    "arrivals",
    "seed",
    "deadline",
    "find_rate",
    "trial_duration",
    "warm_up",
    "bailout",
    "requests_per_connection",
    "socket_path",
    "title",
    "cacert",
    "insecure",
    "kernel_timestamps",
    "calibrate",
    "export_json",
    "export_hlog",
    "export_hgrm",
    "export_csv",
    "export_html",
    "fail_if",
];

/// Reads `files` and prints the report of all of them.
pub(super) fn run(files: &[PathBuf], args: &LoadArgs) -> Exit {
    let sources: Result<Vec<Source>, String> = files.iter().map(|file| read(file)).collect();
    let report = match sources {
        Ok(sources) => merge(&sources),
        Err(message) => {
            output::fail(&message);
            return Exit::Usage;
        }
    };
    match print(&report, args) {
        Err(message) => output::fail(&message),
        Ok(()) if report.requests.total == 0 => output::fail("no file has a reply"),
        Ok(()) => return Exit::Fine,
    }
    Exit::Failed
}

fn read(path: &Path) -> Result<Source, String> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| format!("--merge {name}: {error}"))?;
    Source::read(name.clone(), &text).map_err(|error| format!("--merge {name}: {error}"))
}

fn print(report: &MergedReport, args: &LoadArgs) -> Result<(), String> {
    let text = match args.json {
        true => printing::json(report)?,
        false => table::render_merged(report, printing::detail(args), output::columns()),
    };
    output::refusal(output::print(&text)).map_or(Ok(()), Err)
}
