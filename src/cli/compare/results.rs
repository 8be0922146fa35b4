//! Where the results of a comparison go, and what they are held against.

use std::fs;
use std::path::{Path, PathBuf};

use super::screen::Screen;
use crate::cli::export::{self, Export};
use crate::cli::output;
use crate::compare::baseline::Baseline;
use crate::compare::gate::{self, Gate};
use crate::compare::process::cores::CoreDivision;
use crate::compare::sweep::SweepResult;
use crate::compare::{
    ComparisonOutcome, ComparisonPlan, ComparisonReport, Contestant, Failure, Machine, Observer,
    RunFigures, markdown, table,
};
use crate::load;

/// The flags that decide it.
#[derive(Clone, Debug, clap::Args)]
pub struct ResultArgs {
    /// Print one JSON object in place of the table
    #[arg(short, long)]
    json: bool,
    /// Write the JSON to this file beside the table, after each round too; '-' is --json
    #[arg(long, value_name = "FILE")]
    export_json: Option<PathBuf>,
    /// Write the table as Markdown, for a pull request, to this file; '-' prints it in place of the
    /// table
    #[arg(long, value_name = "FILE")]
    export_markdown: Option<PathBuf>,
    /// The JSON of an earlier comparison: say what has changed since
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Exit with 3 if a figure is beyond a limit with its whole interval: NAME.FIGURE<LIMIT or >;
    /// figures are ratio, change (since the baseline), rate, p50, p99, cpu, memory, errors; may be
    /// repeated
    #[arg(long, value_name = "GATE")]
    fail_if: Vec<Gate>,
}

/// What stdout is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StdoutForm {
    Table,
    Json,
    Markdown,
}

/// Open files, and what the results are held against.
pub(super) struct Results {
    form: StdoutForm,
    json: Option<Export>,
    markdown: Option<Export>,
    baseline: Option<Baseline>,
    gates: Vec<Gate>,
    machine: Machine,
    sweeps: Vec<SweepResult>,
    /// A file took the results of a round for the last time.
    is_save_refused: bool,
}

impl ResultArgs {
    /// Opens all files, and reads the baseline.
    ///
    /// # Errors
    /// One line that names the flag and the remedy.
    pub(super) fn open(
        &self,
        plan: &ComparisonPlan,
        cores: Option<CoreDivision>,
    ) -> Result<Results, String> {
        let baseline = self.baseline.as_deref().map(read_baseline).transpose()?;
        let names: Vec<&str> = plan.contestants().iter().map(Contestant::name).collect();
        gate::check(&self.fail_if, &names, baseline.is_some())
            .map_err(|error| format!("--fail-if {error}"))?;
        let form = self.stdout_form()?;
        Ok(Results {
            form,
            json: open("--export-json", self.export_json.as_deref())?,
            markdown: open("--export-markdown", self.export_markdown.as_deref())?,
            baseline,
            gates: self.fail_if.clone(),
            machine: Machine::this(cores),
            sweeps: Vec::new(),
            is_save_refused: false,
        })
    }

    fn stdout_form(&self) -> Result<StdoutForm, String> {
        let is_stdout = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new(export::STDOUT));
        let json = self.json || is_stdout(&self.export_json);
        match (json, is_stdout(&self.export_markdown)) {
            (true, true) => Err(
                "--export-markdown -: stdout is for the JSON; name a file for one \
                                 of them"
                    .to_owned(),
            ),
            (true, false) => Ok(StdoutForm::Json),
            (false, true) => Ok(StdoutForm::Markdown),
            (false, false) => Ok(StdoutForm::Table),
        }
    }
}

fn open(flag: &'static str, path: Option<&Path>) -> Result<Option<Export>, String> {
    let file = path.filter(|path| *path != Path::new(export::STDOUT));
    file.map(|path| Export::open(flag, path)).transpose()
}

fn read_baseline(path: &Path) -> Result<Baseline, String> {
    let shown = path.display();
    let json = fs::read_to_string(path)
        .map_err(|error| format!("--baseline: cannot read {shown}: {error}"))?;
    Baseline::from_json(&json).map_err(|error| format!("--baseline: {shown}: {error}"))
}

impl Results {
    /// True if nothing but a report of one form may be printed to stdout.
    pub(super) fn own_stdout(&self) -> bool {
        self.form != StdoutForm::Table
    }

    /// True if results also go to a file.
    pub(super) fn has_file(&self) -> bool {
        self.json.is_some() || self.markdown.is_some()
    }

    /// Adds what a sweep found.
    pub(super) fn add_sweep(&mut self, sweep: Vec<SweepResult>) {
        self.sweeps.extend(sweep);
    }

    /// What the comparison found, held against baseline and gates.
    ///
    /// # Errors
    /// The report cannot be held against the baseline.
    pub(super) fn report(
        &self,
        plan: &ComparisonPlan,
        outcome: &ComparisonOutcome,
    ) -> Result<ComparisonReport, String> {
        let mut report = ComparisonReport::new(plan, outcome, self.machine.clone());
        if let Some(baseline) = &self.baseline {
            let margin = plan.settings().same_within;
            let change = baseline.change(&report, margin);
            report.baseline = Some(change.map_err(|error| error.to_string())?);
        }
        report.sweeps.clone_from(&self.sweeps);
        report.gates = self.gates.iter().map(|gate| gate.judge(&report)).collect();
        Ok(report)
    }

    /// Writes what there is after a round, so that a comparison that is broken off is not lost.
    fn save(&mut self, plan: &ComparisonPlan, so_far: &ComparisonOutcome) {
        let Some(export) = self.json.as_ref().filter(|_| !self.is_save_refused) else {
            return;
        };
        let saved = self
            .report(plan, so_far)
            .and_then(|report| export.save(&to_json(&report)?));
        if let Err(message) = saved {
            self.is_save_refused = true;
            output::warn(&message);
        }
    }

    /// Prints the report in its form, and writes it to all files.
    ///
    /// # Errors
    /// The first file that could not be written.
    pub(super) fn write(
        self,
        report: &ComparisonReport,
        screen: &mut Screen<'_>,
    ) -> Result<(), String> {
        let json = to_json(report)?;
        let markdown = || markdown::render(report);
        screen.print_report(&match self.form {
            StdoutForm::Table => format!("\n{}", table::render(report, output::columns())),
            StdoutForm::Json => json.clone(),
            StdoutForm::Markdown => markdown(),
        });
        let json_written = self.json.map_or(Ok(()), |export| export.write(&json));
        let written = self
            .markdown
            .map_or(Ok(()), |export| export.write(&markdown()));
        json_written.and(written)
    }
}

fn to_json(report: &ComparisonReport) -> Result<String, String> {
    let json = serde_json::to_string_pretty(report).map_err(|e| e.to_string())?;
    Ok(json + "\n")
}

/// Shows a comparison under way, and saves its results as they land.
pub(super) struct Watch<'a, 'p> {
    pub plan: &'p ComparisonPlan,
    pub screen: &'a mut Screen<'p>,
    pub results: &'a mut Results,
}

impl Observer for Watch<'_, '_> {
    fn started(&mut self, contestant: &Contestant, round: usize) {
        self.screen.started(contestant, round);
    }

    fn progress(&mut self, progress: load::Progress) {
        self.screen.progress(progress);
    }

    fn ended(
        &mut self,
        contestant: &Contestant,
        round: usize,
        result: &Result<RunFigures, Failure>,
    ) {
        self.screen.ended(contestant, round, result);
    }

    fn round_ended(&mut self, so_far: &ComparisonOutcome) {
        self.screen.round_ended(so_far);
        self.results.save(self.plan, so_far);
    }
}
