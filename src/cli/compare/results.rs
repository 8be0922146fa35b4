//! Output of the results of a comparison, and the baseline and gates that they are judged by.

use std::fs;
use std::path::{Path, PathBuf};

use super::screen::Screen;
use crate::cli::export::{self, Export};
use crate::cli::{command_line, output};
use crate::compare::baseline::Baseline;
use crate::compare::gate::{self, Gate};
use crate::compare::process::cores::CoreDivision;
use crate::compare::search::{SearchObserver, SearchResult};
use crate::compare::sweep::{SweepResult, SweepVariable, WalkObserver};
use crate::compare::{
    ComparisonOutcome, ComparisonPlan, ComparisonReport, Contestant, Failure, Machine, Observer,
    RunFigures, markdown, page, table,
};
use crate::load;
use crate::load::find_rate::TrialProgress;

/// The flags for output, baseline and gates.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Results")]
pub struct ResultArgs {
    /// Print one JSON object in place of the table
    #[arg(short, long)]
    json: bool,
    /// Write the JSON to this file as well, also after each round; '-' is --json
    #[arg(long, value_name = "FILE")]
    export_json: Option<PathBuf>,
    /// Write the table as Markdown, for a pull request, to this file; '-' prints it in place of the
    /// table
    #[arg(long, value_name = "FILE")]
    export_markdown: Option<PathBuf>,
    /// Write the results as an HTML page to this file, also after each round: charts, figures and
    /// the JSON in one file that needs no network; '-' prints it in place of the table
    #[arg(long, value_name = "FILE")]
    export_html: Option<PathBuf>,
    /// JSON of an earlier comparison (--export-json); the report then says what has changed since
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Exit with 3 if this is true for the whole interval of a figure. NAME.FIGURE<LIMIT or
    /// NAME.FIGURE>LIMIT, such as 'app.ratio<0.95'; NAME is a server. Figures: ratio, change (since
    /// the baseline), rate, p50, p99, cpu, memory, errors. Memory and errors have no interval;
    /// their value is compared. May be repeated
    #[arg(long, value_name = "GATE")]
    fail_if: Vec<Gate>,
}

/// Use of stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StdoutForm {
    Table,
    Json,
    Markdown,
    Page,
}

/// Open files, the baseline and the gates.
pub(super) struct Results {
    form: StdoutForm,
    json: Option<Export>,
    markdown: Option<Export>,
    page: Option<Export>,
    baseline: Option<Baseline>,
    gates: Vec<Gate>,
    machine: Machine,
    sweeps: Vec<SweepResult>,
    searches: Vec<SearchResult>,
    /// Sweeps and searches that are not over yet.
    pub(super) parts_to_go: usize,
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
        parts_to_go: usize,
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
            page: open("--export-html", self.export_html.as_deref())?,
            baseline,
            gates: self.fail_if.clone(),
            machine: Machine::this(cores),
            sweeps: Vec::new(),
            searches: Vec::new(),
            parts_to_go,
            is_save_refused: false,
        })
    }

    fn stdout_form(&self) -> Result<StdoutForm, String> {
        let is_stdout = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new(export::STDOUT));
        let wanted = [
            (
                StdoutForm::Json,
                self.json || is_stdout(&self.export_json),
                "--json",
            ),
            (
                StdoutForm::Markdown,
                is_stdout(&self.export_markdown),
                "--export-markdown -",
            ),
            (
                StdoutForm::Page,
                is_stdout(&self.export_html),
                "--export-html -",
            ),
        ];
        let mut wanted = wanted.iter().filter(|(_, is_wanted, _)| *is_wanted);
        match (wanted.next(), wanted.next()) {
            (Some((.., first)), Some((.., flag))) => Err(format!(
                "{flag}: stdout is for {first}; name a file for one of them"
            )),
            (Some((form, ..)), None) => Ok(*form),
            (None, _) => Ok(StdoutForm::Table),
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
        self.json.is_some() || self.markdown.is_some() || self.page.is_some()
    }

    /// Keeps what a sweep has found, in place of what it had found before.
    fn keep_sweep(&mut self, sweep: Vec<SweepResult>) {
        let variable = sweep.first().map(|result| result.variable);
        self.sweeps
            .retain(|result| Some(result.variable) != variable);
        self.sweeps.extend(sweep);
    }

    /// Results of the comparison, held against baseline and gates.
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
        for result in &mut report.contestants {
            let mut searches = self.searches.iter();
            result.find_rate = searches.find(|it| it.name == result.name).cloned();
        }
        report.finished &= self.parts_to_go == 0;
        report.gates = self.gates.iter().map(|gate| gate.judge(&report)).collect();
        Ok(report)
    }

    /// Writes what there is after a part that follows the rounds.
    fn save_after(&mut self, plan: &ComparisonPlan, outcome: &ComparisonOutcome) {
        match self.report(plan, outcome) {
            Ok(report) => self.save(&report, outcome),
            Err(message) => output::warn(&message),
        }
    }

    /// Writes the results so far after a round, so that an interrupted comparison is not lost.
    fn save(&mut self, report: &ComparisonReport, so_far: &ComparisonOutcome) {
        if self.is_save_refused {
            return;
        }
        let save = |export: &Option<Export>, text: &dyn Fn() -> Result<String, String>| {
            export
                .as_ref()
                .map_or(Ok(()), |export| export.save(&text()?))
        };
        let saved = save(&self.json, &|| to_json(report))
            .and_then(|()| save(&self.page, &|| to_html(report, so_far)));
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
        outcome: &ComparisonOutcome,
        screen: &mut Screen<'_>,
    ) -> Result<(), String> {
        screen.print_report(&match self.form {
            StdoutForm::Table => format!("\n{}", table::render(report, output::columns())),
            StdoutForm::Json => to_json(report)?,
            StdoutForm::Markdown => markdown::render(report),
            StdoutForm::Page => to_html(report, outcome)?,
        });
        let write = |export: Option<Export>, text: &dyn Fn() -> Result<String, String>| {
            export.map_or(Ok(()), |export| export.write(&text()?))
        };
        let json = write(self.json, &|| to_json(report));
        let markdown = write(self.markdown, &|| Ok(markdown::render(report)));
        let page = write(self.page, &|| to_html(report, outcome));
        json.and(markdown).and(page)
    }
}

fn to_html(report: &ComparisonReport, outcome: &ComparisonOutcome) -> Result<String, String> {
    let seed = Some(u64::from(report.settings.seed));
    let command = command_line::repeating(std::env::args_os(), seed);
    page::of_comparison(report, outcome, &command)
        .map(|page| page.to_html())
        .map_err(|error| format!("--export-html: {error}"))
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
        match self.results.report(self.plan, so_far) {
            Ok(report) => {
                self.screen.stand(&report);
                self.results.save(&report, so_far);
            }
            Err(message) => output::warn(&message),
        }
    }
}

/// Shows a sweep under way, and saves its results as they land.
pub(super) struct WalkWatch<'a, 'p> {
    pub plan: &'p ComparisonPlan,
    pub variable: SweepVariable,
    pub outcome: &'a ComparisonOutcome,
    pub screen: &'a mut Screen<'p>,
    pub results: &'a mut Results,
}

impl WalkObserver for WalkWatch<'_, '_> {
    fn started(&mut self, contestant: &Contestant, round: usize) {
        let walk = (round, self.outcome.rounds_done);
        self.screen.walk(self.variable, contestant, walk);
    }

    fn progress(&mut self, progress: load::Progress) {
        self.screen.progress(progress);
    }

    fn ended(&mut self, so_far: Vec<SweepResult>) {
        self.screen.walk_ended();
        self.results.keep_sweep(so_far);
        self.results.save_after(self.plan, self.outcome);
    }
}

/// Shows the searches under way, and saves their results as they land.
pub(super) struct SearchWatch<'a, 'p> {
    pub plan: &'p ComparisonPlan,
    pub outcome: &'a ComparisonOutcome,
    pub screen: &'a mut Screen<'p>,
    pub results: &'a mut Results,
}

impl SearchObserver for SearchWatch<'_, '_> {
    fn trial(&mut self, contestant: &Contestant, trial: TrialProgress) {
        self.screen.trial(contestant, trial);
    }

    fn ended(&mut self, result: SearchResult) {
        self.screen.search_ended();
        self.results.searches.push(result);
        self.results.save_after(self.plan, self.outcome);
    }
}
