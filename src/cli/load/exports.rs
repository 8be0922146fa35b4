//! Files beside the report, and gates on its figures.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{page, printing};
use crate::cli::export::{self, Export};
use crate::cli::{Exit, output};
use crate::load::objective::{Answer, Objective};
use crate::load::{LoadReport, exports, gate};

/// Files that are made of a report beside printing it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Report")]
pub(super) struct ExportArgs {
    /// Write the JSON to this file beside the report; '-' is --json
    #[arg(long, value_name = "FILE")]
    export_json: Option<PathBuf>,

    /// Write the latencies of each tenth of a second to this file (HdrHistogram's log); '-' prints
    /// them in place of the report, or after --json
    #[arg(long, value_name = "FILE")]
    export_hlog: Option<PathBuf>,

    /// Write the distribution of all latencies to this file (HdrHistogram's percentiles)
    #[arg(long, value_name = "FILE")]
    export_hgrm: Option<PathBuf>,

    /// Write rate and latency of each tenth of a second to this file, comma-separated
    #[arg(long, value_name = "FILE")]
    export_csv: Option<PathBuf>,

    /// Write the report as an HTML page to this file: charts, figures and the JSON in one file that
    /// needs no network; '-' prints it in place of the report
    #[arg(long, value_name = "FILE")]
    export_html: Option<PathBuf>,

    /// Exit with 3 if this holds: a percentile, mean, max, rate, errors or suspect, as in 'p99>5ms',
    /// 'rate<1000', 'errors>1%'; may be repeated
    #[arg(long, value_name = "GATE")]
    fail_if: Vec<Objective>,
}

/// A file that is open, and what is to be written to it.
pub(super) type Writing = (Export, Content);

/// Makes the content of a file.
type Content = fn(&LoadReport) -> Result<String, String>;

impl ExportArgs {
    /// The JSON goes to stdout in place of the report.
    pub(super) fn prints_json(&self) -> bool {
        is_stdout(self.export_json.as_deref())
    }

    /// The page goes to stdout in place of the report.
    pub(super) fn prints_page(&self) -> bool {
        is_stdout(self.export_html.as_deref())
    }

    /// The log goes to stdout in place of the report, or after the JSON.
    pub(super) fn prints_hlog(&self) -> bool {
        is_stdout(self.export_hlog.as_deref())
    }

    /// Opens every file.
    ///
    /// # Errors
    /// One cannot be written, or stdout is for two of them.
    pub(super) fn open(&self, json: bool) -> Result<Vec<Writing>, String> {
        let others = [
            ("JSON", json || self.prints_json()),
            ("log", self.prints_hlog()),
        ];
        if let Some((other, _)) = others
            .iter()
            .find(|(_, prints)| *prints && self.prints_page())
        {
            return Err(format!(
                "--export-html -: stdout is for the {other}; name a file for one of them"
            ));
        }
        let page = self.export_html.as_ref().filter(|_| !self.prints_page());
        let json = self.export_json.as_ref().filter(|_| !self.prints_json());
        let hlog = self.export_hlog.as_ref().filter(|_| !self.prints_hlog());
        let files: [(&'static str, Option<&PathBuf>, Content); 5] = [
            ("--export-json", json, |report| printing::json(report)),
            ("--export-hlog", hlog, printing::hlog),
            ("--export-hgrm", self.export_hgrm.as_ref(), |report| {
                Ok(exports::hgrm(report))
            }),
            ("--export-csv", self.export_csv.as_ref(), |report| {
                Ok(exports::csv(report))
            }),
            (page::FLAG, page, page::render),
        ];
        let open = |(flag, path, content): (_, Option<&PathBuf>, _)| {
            let file = Export::open(flag, path?);
            Some(file.map(|file| (file, content)))
        };
        files.into_iter().filter_map(open).collect()
    }

    /// Tells on stderr which gates do not pass; [`Exit::GateTripped`] if one trips.
    pub(super) fn judge(&self, report: &LoadReport) -> Exit {
        let results = self
            .fail_if
            .iter()
            .filter_map(|gate| gate::judge(*gate, report));
        let mut exit = Exit::Fine;
        for result in results {
            if result.answer == Answer::Holds {
                output::fail(&result.to_string());
                exit = Exit::GateTripped;
            } else {
                output::warn(&result.to_string());
            }
        }
        exit
    }
}

fn is_stdout(path: Option<&Path>) -> bool {
    path == Some(Path::new(export::STDOUT))
}

/// Writes every file.
///
/// # Errors
/// One cannot be written.
pub(super) fn write(files: Vec<Writing>, report: &LoadReport) -> Result<(), String> {
    files
        .into_iter()
        .try_for_each(|(file, content)| file.write(&content(report)?))
}
