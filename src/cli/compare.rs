//! `bareloop compare`: flags, output and exit code of a comparison.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Seek, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Exit, output, values};
use crate::compare::{
    self, ComparisonPlan, ComparisonReport, Contestant, Failure, LocalBench, Machine, Observer,
    PlanError, RunFigures, Settings, table,
};
use crate::event_loop::StopSignal;
use crate::load;

/// Prints to stdout in place of a file.
const STDOUT: &str = "-";

const EXAMPLES: &str = "\
Examples:
  bareloop compare
  bareloop compare -d 10 -r 5 --only bareloop-http,python-http
  bareloop compare --server node='node server.js {port}' --reference node --export-json out.json

Without --server it compares python-http, python-tcp, bareloop-http and bareloop-tcp; with it, the
added servers take part beside them. Each runs once per round, on a free port of its own.
Exit codes: 0 fine; 1 a contestant could not run; 2 bad usage; 130 interrupted, partial results
printed.";

/// Run servers side by side under the same load: who is faster, by how much, at what cost, how sure
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    /// Connections kept open at once
    #[arg(short, long, value_name = "N", default_value = "100", value_parser = count)]
    connections: NonZeroUsize,
    /// Requests in flight on each connection
    #[arg(short, long, value_name = "N", default_value = "10", value_parser = count)]
    pipelining: NonZeroUsize,
    /// Measured time of each run, in seconds
    #[arg(short, long, value_name = "SECS", default_value = "5", value_parser = values::duration)]
    duration: Duration,
    /// How often each contestant runs
    #[arg(short, long, value_name = "N", default_value = "3", value_parser = count)]
    rounds: NonZeroUsize,
    /// Seed of the order in which the contestants run [default: random, named in the report]
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Load before each run that is not measured, in seconds; 0 for none
    #[arg(long, value_name = "SECS", default_value = "1", value_parser = warmup)]
    warmup: Duration,
    /// A request without a reply for so many seconds has timed out
    #[arg(short, long, value_name = "SECS", default_value = "10", value_parser = values::duration)]
    timeout: Duration,
    /// Add a server; the command goes to the shell with {port} replaced (repeatable)
    #[arg(long = "server", value_name = "NAME=COMMAND")]
    servers: Vec<Contestant>,
    /// Let only these take part, in this order
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Compare with this contestant [default: python-http, or the first that ran]
    #[arg(long, value_name = "NAME")]
    reference: Option<String>,
    /// Print one JSON object in place of the table
    #[arg(short, long)]
    json: bool,
    /// Write the JSON to this file beside the table; '-' is --json
    #[arg(long, value_name = "FILE")]
    export_json: Option<PathBuf>,
}

/// The standard library seeds its hash maps from the system's random numbers.
fn fresh_seed() -> u32 {
    RandomState::new().hash_one(()) as u32
}

impl CompareArgs {
    fn plan(&self, bareloop: &Path) -> Result<ComparisonPlan, PlanError> {
        let mut contestants = Contestant::defaults(bareloop);
        contestants.extend(self.servers.iter().cloned());
        let settings = Settings {
            connections: self.connections,
            pipelining: self.pipelining,
            duration: self.duration,
            warmup: self.warmup,
            timeout: self.timeout,
            rounds: self.rounds,
            seed: self.seed.unwrap_or_else(fresh_seed),
        };
        ComparisonPlan::new(contestants, &self.only, self.reference.clone(), settings)
    }

    fn json_to_stdout(&self) -> bool {
        self.json || self.export_json.as_deref() == Some(Path::new(STDOUT))
    }

    /// The file to export to, opened before anything runs: a comparison takes minutes, and must
    /// not end at a folder that is not there. What it held stays until there is something better.
    fn open_export(&self) -> Result<Option<Export>, String> {
        let Some(path) = self
            .export_json
            .as_deref()
            .filter(|p| *p != Path::new(STDOUT))
        else {
            return Ok(None);
        };
        let mut options = OpenOptions::new();
        match options.write(true).create(true).truncate(false).open(path) {
            Ok(file) => Ok(Some(Export {
                file,
                path: path.to_owned(),
            })),
            Err(e) => Err(format!(
                "--export-json: cannot write {}: {e}",
                path.display()
            )),
        }
    }
}

/// Runs the comparison that `args` ask for.
pub fn run(args: CompareArgs, signal: &StopSignal) -> Exit {
    match std::env::current_exe() {
        Ok(bareloop) => run_with(&args, &bareloop, signal),
        Err(e) => {
            output::fail(&format!("cannot find this program's own file: {e}"));
            Exit::Failed
        }
    }
}

/// The same, where `bareloop` is the program that the contestants `bareloop-http` and
/// `bareloop-tcp` run: a bench is not that program itself.
pub fn run_with(args: &CompareArgs, bareloop: &Path, signal: &StopSignal) -> Exit {
    let ready = args
        .plan(bareloop)
        .map_err(|e| e.to_string())
        .and_then(|plan| Ok((plan, args.open_export()?)));
    let (plan, export) = match ready {
        Ok(ready) => ready,
        Err(message) => {
            output::fail(&message);
            return Exit::Usage;
        }
    };
    let mut screen = Screen::new(&plan, args.json_to_stdout());
    if export.is_none() {
        screen.stop_without_reader = Some(signal);
    }
    screen.print(&format!("{}\n", table::heading(&plan)));
    let mut bench = LocalBench::new(bareloop.to_owned());
    let outcome = compare::run(&plan, &mut bench, signal, &mut screen);
    screen.bar.finish_and_clear();
    let report = ComparisonReport::new(&plan, &outcome, Machine::this());
    let written = screen
        .print_report(&report)
        .and_then(|()| export.map_or(Ok(()), |export| export.write(&report)));
    if let Err(message) = &written {
        output::fail(message);
    }
    if screen.stdout_is_gone {
        // A reader that has had enough (`| head`) is no failure.
        Exit::Fine
    } else if outcome.interrupted {
        Exit::Interrupted
    } else if outcome.has_failures() || written.is_err() {
        Exit::Failed
    } else {
        Exit::Fine
    }
}

/// Where the results appear as they come.
struct Screen<'a> {
    plan: &'a ComparisonPlan,
    json: bool,
    /// Raised when nobody reads any more, unless there is another reason to go on.
    stop_without_reader: Option<&'a StopSignal>,
    /// On stderr, and on a terminal only.
    bar: ProgressBar,
    stdout_is_gone: bool,
}

impl Screen<'_> {
    fn new(plan: &ComparisonPlan, json: bool) -> Screen<'_> {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Screen {
            plan,
            json,
            stop_without_reader: None,
            bar,
            stdout_is_gone: false,
        }
    }

    /// A line for the reader, while stdout may be reserved for JSON.
    fn print(&mut self, line: &str) {
        let json = self.json;
        let result = self.bar.suspend(|| match json {
            // Without stderr there is nobody to tell, and the JSON may still be wanted.
            true => {
                let _ = writeln!(io::stderr(), "{line}");
                Ok(())
            }
            false => writeln!(io::stdout(), "{line}"),
        });
        if result.is_err() {
            self.stdout_is_gone = true;
            if let Some(signal) = self.stop_without_reader {
                signal.raise();
            }
        }
    }

    fn print_report(&mut self, report: &ComparisonReport) -> Result<(), String> {
        let text = match self.json {
            true => to_json(report)?,
            false => format!("\n{}", table::render(report, output::columns())),
        };
        let mut stdout = io::stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
                self.stdout_is_gone = true;
                Ok(())
            }
            result => result.map_err(|e| format!("cannot write to stdout: {e}")),
        }
    }
}

impl Observer for Screen<'_> {
    fn started(&mut self, contestant: &Contestant, round: usize) {
        let rounds = self.plan.settings().rounds;
        let name = contestant.name();
        self.bar
            .set_message(format!("round {}/{rounds}  {name}", round + 1));
        self.bar.tick();
    }

    fn progress(&mut self, progress: load::Progress) {
        self.bar.set_length(progress.completed);
        self.bar.tick();
    }

    fn ended(
        &mut self,
        contestant: &Contestant,
        round: usize,
        result: &Result<RunFigures, Failure>,
    ) {
        self.print(&table::result_line(
            self.plan,
            contestant.name(),
            round,
            result,
        ));
    }
}

/// A file that is there and can be written.
struct Export {
    file: File,
    path: PathBuf,
}

impl Export {
    fn write(mut self, report: &ComparisonReport) -> Result<(), String> {
        let json = to_json(report)?;
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .and_then(|()| self.file.write_all(json.as_bytes()))
            .map_err(|e| format!("cannot write {}: {e}", self.path.display()))
    }
}

fn to_json(report: &ComparisonReport) -> Result<String, String> {
    let json = serde_json::to_string_pretty(report).map_err(|e| e.to_string())?;
    Ok(json + "\n")
}

fn count(text: &str) -> Result<NonZeroUsize, String> {
    let count = values::count(text)?;
    NonZeroUsize::new(count).ok_or_else(|| "must be at least 1".to_owned())
}

/// A time that may be zero.
fn warmup(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(0.0) => Ok(Duration::ZERO),
        _ => values::duration(text),
    }
}
