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

    /// Write the latencies of each tenth of a second to this file (a log of HdrHistogram); '-'
    /// prints them in place of the report, or after the JSON of --json
    #[arg(long, value_name = "FILE")]
    export_hlog: Option<PathBuf>,

    /// Write the distribution of all latencies to this file (percentiles in HdrHistogram's format);
    /// '-' prints it in place of the report
    #[arg(long, value_name = "FILE")]
    export_hgrm: Option<PathBuf>,

    /// Write the rate and the latency of each tenth of a second to this file (CSV); '-' prints them
    /// in place of the report
    #[arg(long, value_name = "FILE")]
    export_csv: Option<PathBuf>,

    /// Write the report as an HTML page to this file: charts, figures and the JSON in one file that
    /// needs no network; '-' prints it in place of the report
    #[arg(long, value_name = "FILE")]
    export_html: Option<PathBuf>,

    /// Exit with 3 if this is true. FIGURE<LIMIT or FIGURE>LIMIT, such as 'p99>5ms', 'rate<1000' or
    /// 'errors>1%'; figures are percentiles, mean, max, rate and errors. 'suspect' is true for a
    /// SUSPECT run. May be repeated
    #[arg(long, value_name = "GATE")]
    fail_if: Vec<Objective>,
}

/// A file that is open, and what is to be written to it.
pub(super) type Writing = (Export, Content);

/// Makes the content of a file.
pub(super) type Content = fn(&LoadReport) -> Result<String, String>;

/// A form of the report, and the file that it was asked for in.
struct Form<'a> {
    flag: &'static str,
    name: &'static str,
    path: Option<&'a Path>,
    content: Content,
}

impl Form<'_> {
    fn is_for_stdout(&self) -> bool {
        self.path == Some(Path::new(export::STDOUT))
    }
}

impl ExportArgs {
    /// The JSON goes to stdout in place of the report.
    pub(super) fn prints_json(&self) -> bool {
        let [json, ..] = self.forms();
        json.is_for_stdout()
    }

    /// The forms that go to stdout in place of the report, in their order; the JSON is one of them
    /// if
    /// `json`.
    pub(super) fn printed(&self, json: bool) -> Vec<Content> {
        let printed = self.forms_on_stdout(json);
        printed.iter().map(|form| form.content).collect()
    }

    /// Opens every file.
    ///
    /// # Errors
    /// A file cannot be written, or stdout is wanted for two of them that no program reads
    /// together.
    pub(super) fn open(&self, json: bool) -> Result<Vec<Writing>, String> {
        if let [first, .., last] = &self.forms_on_stdout(json)[..]
            && (first.name, last.name) != ("JSON", "log")
        {
            return Err(format!(
                "{} -: stdout is for the {}; name a file for one of them",
                last.flag, first.name
            ));
        }
        let files = self
            .forms()
            .into_iter()
            .filter(|form| !form.is_for_stdout());
        let open = |form: Form<'_>| {
            let file = Export::open(form.flag, form.path?);
            Some(file.map(|file| (file, form.content)))
        };
        files.filter_map(open).collect()
    }

    fn forms_on_stdout(&self, json: bool) -> Vec<Form<'_>> {
        let mut forms = self.forms();
        if json {
            forms[0].path = Some(Path::new(export::STDOUT));
        }
        forms.into_iter().filter(Form::is_for_stdout).collect()
    }

    fn forms(&self) -> [Form<'_>; 5] {
        fn form<'a>(
            flag: &'static str,
            name: &'static str,
            path: &'a Option<PathBuf>,
            content: Content,
        ) -> Form<'a> {
            let path = path.as_deref();
            Form {
                flag,
                name,
                path,
                content,
            }
        }
        [
            form("--export-json", "JSON", &self.export_json, |report| {
                printing::json(report)
            }),
            form("--export-hlog", "log", &self.export_hlog, printing::hlog),
            form(
                "--export-hgrm",
                "percentiles",
                &self.export_hgrm,
                |report| Ok(exports::hgrm(report)),
            ),
            form("--export-csv", "intervals", &self.export_csv, |report| {
                Ok(exports::csv(report))
            }),
            form(page::FLAG, "page", &self.export_html, page::render),
        ]
    }

    /// Reports on stderr which gates do not pass; [`Exit::GateTripped`] if one trips.
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

/// Writes every file, also if another cannot be written.
///
/// # Errors
/// The first that cannot be written.
pub(super) fn write(files: Vec<Writing>, report: &LoadReport) -> Result<(), String> {
    let written: Vec<_> = files
        .into_iter()
        .map(|(file, content)| file.write(&content(report)?))
        .collect();
    written.into_iter().collect()
}
