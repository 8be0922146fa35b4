//! `bareloop compare`: flags, output and exit code of a comparison.

mod judgement;
mod screen;

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::export::{self, Export};
use super::{Exit, output, values};
use crate::compare::process::resource_usage::Processes;
use crate::compare::{
    self, ComparisonPlan, ComparisonReport, Contestant, LocalBench, Machine, PlanError,
    RequestSettings, Settings, table,
};
use crate::event_loop::{StopSignal, raise_descriptor_limit};
use crate::load::{self, ExpectedStatuses, Target};
use judgement::JudgementArgs;
use screen::{Screen, StdoutState};

const EXAMPLES: &str = "\
Examples:
  bareloop compare
  bareloop compare -d 10 -r 12 --only bareloop-http,python-http
  bareloop compare --server node='node server.js {port}' --reference node --export-json out.json
  bareloop compare --server app=http://localhost:3000 --only app,bareloop-http --path /health -p 1

It compares python-http, python-tcp, bareloop-http and bareloop-tcp, and the servers that --server
adds. Each runs once per round, on a free port of 127.0.0.1 or ::1.
Exit codes: 0 fine; 1 a contestant could not run; 2 bad usage; 130 interrupted, partial results
printed.";

/// Run servers side by side under the same load: speed, cost, and how sure the difference is
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_override_self = true)]
pub struct CompareArgs {
    /// Connections kept open at once
    #[arg(short, long, value_name = "N", default_value = "100", value_parser = count)]
    connections: NonZeroUsize,
    /// Requests in flight on each connection
    #[arg(short, long, value_name = "N", default_value = "10", value_parser = count)]
    pipelining: NonZeroUsize,
    /// Measured time of each run: seconds, or with a unit (500ms, 1m)
    #[arg(short, long, value_name = "SECS", default_value = "2", value_parser = values::duration)]
    duration: Duration,
    /// Runs of each contestant
    #[arg(short, long, value_name = "N", default_value = "6", value_parser = count)]
    rounds: NonZeroUsize,
    #[command(flatten)]
    judgement: JudgementArgs,
    /// Seed of the order in which the contestants run [default: random, named in the report]
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Load before each run that is not measured; 0 for none
    #[arg(long, value_name = "SECS", default_value = "1", value_parser = warmup)]
    warmup: Duration,
    /// Time limit for a reply
    #[arg(short, long, value_name = "SECS", default_value = "10", value_parser = values::duration)]
    timeout: Duration,
    /// Time limit from a server's start to its first accepted connection
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = values::duration)]
    start_timeout: Duration,
    /// Add a server: a command for the shell, in which {port} is replaced, or the http:// URL of one
    /// that runs already; may be repeated
    #[arg(long = "server", value_name = "NAME=COMMAND|NAME=URL")]
    servers: Vec<Contestant>,
    /// Process of a server that runs already: its CPU time and memory are counted; may be repeated
    #[arg(long = "pid", value_name = "NAME=PID", value_parser = named_pid)]
    pids: Vec<(String, u32)>,
    /// Path and query of each request
    #[arg(long, value_name = "PATH", default_value = "/", value_parser = path)]
    path: String,
    /// Request method
    #[arg(short, long, default_value = "GET", value_parser = load::request::parse_method)]
    method: String,
    /// Request field 'Name: value' or Name=value; may be repeated
    #[arg(short = 'H', long = "header", value_name = "FIELD", value_parser = load::request::parse_field)]
    fields: Vec<(String, String)>,
    /// Request body; Content-Length is set from it
    #[arg(short, long, value_name = "TEXT")]
    body: Option<String>,
    /// Status codes that replies should have (200, 4xx, 500-503; several with commas); a server with
    /// others is not compared [default: any below 400]
    #[arg(long, value_name = "CODES")]
    expect_status: Option<ExpectedStatuses>,
    /// Run only these servers, in this order
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// The server that the others are compared with [default: python-http, or the first that ran]
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
    /// The comparison that the flags describe.
    ///
    /// # Errors
    /// One line that names the flag and the remedy.
    fn plan(&self, bareloop: &Path) -> Result<ComparisonPlan, String> {
        let descriptors = raise_descriptor_limit();
        let connections = self.connections.get();
        if connections > descriptors {
            return Err(format!(
                "--connections {connections}: this process may open {descriptors}; raise the \
                 limit with ulimit -n"
            ));
        }
        let mut contestants = Contestant::defaults(bareloop);
        contestants.extend(self.servers.iter().cloned());
        for (name, id) in &self.pids {
            let of_that_name = contestants.iter_mut().find(|c| c.name() == name);
            if !of_that_name.is_some_and(|contestant| contestant.set_running_pid(*id)) {
                return Err(format!(
                    "--pid {name}={id}: no --server {name}=URL is given; the processes of a \
                     server that is started here are known"
                ));
            }
            if Processes::Tree(*id).usage().is_none() {
                return Err(format!("--pid {name}={id}: there is no such process"));
            }
        }
        ComparisonPlan::new(
            contestants,
            &self.only,
            self.reference.clone(),
            self.settings(),
        )
        .map_err(|error| {
            let flag = match error {
                PlanError::Empty | PlanError::Twice(_) => "--server",
                PlanError::ChosenTwice(_)
                | PlanError::ChosenEmpty
                | PlanError::ChosenUnknown { .. } => "--only",
                PlanError::ReferenceUnknown { .. } | PlanError::ReferenceNotChosen(_) => {
                    "--reference"
                }
            };
            format!("{flag}: {error}")
        })
    }

    fn settings(&self) -> Settings {
        Settings {
            connections: self.connections,
            pipelining: self.pipelining,
            duration: self.duration,
            warmup: self.warmup,
            timeout: self.timeout,
            start_timeout: self.start_timeout,
            rounds: self.rounds,
            same_within: self.judgement.same_within,
            seed: self.seed.unwrap_or_else(fresh_seed),
            request: RequestSettings {
                path: self.path.clone(),
                method: self.method.clone(),
                fields: self.fields.clone(),
                body: self.body.clone().unwrap_or_default().into_bytes(),
                expected_statuses: self.expect_status.clone(),
            },
        }
    }

    fn json_to_stdout(&self) -> bool {
        self.json || self.export_json.as_deref() == Some(Path::new(export::STDOUT))
    }

    fn open_export(&self) -> Result<Option<Export>, String> {
        match &self.export_json {
            Some(path) if path != Path::new(export::STDOUT) => {
                Export::open("--export-json", path).map(Some)
            }
            _ => Ok(None),
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
        .and_then(|plan| Ok((plan, args.open_export()?)));
    let (plan, export) = match ready {
        Ok(ready) => ready,
        Err(message) => {
            output::fail(&message);
            return Exit::Usage;
        }
    };
    let stop_without_reader = export.is_none().then_some(signal);
    let mut screen = Screen::new(&plan, args.json_to_stdout(), stop_without_reader);
    screen.print(&format!("{}\n", table::heading(&plan)));
    if let StdoutState::Failed(message) = screen.stdout() {
        output::fail(message);
        return Exit::Failed;
    }
    let mut bench = LocalBench::new(bareloop.to_owned());
    let outcome = compare::run(&plan, &mut bench, signal, &mut screen);
    screen.clear();
    let report = ComparisonReport::new(&plan, &outcome, Machine::this());
    let exported = to_json(&report).and_then(|json| {
        screen.print_report(&report, &json);
        export.map_or(Ok(()), |export| export.write(&json))
    });
    if let Err(message) = &exported {
        output::fail(message);
    }
    match screen.stdout() {
        StdoutState::Failed(message) => {
            output::fail(message);
            Exit::Failed
        }
        // A reader that has seen enough (`| head`) is no failure.
        StdoutState::Closed if exported.is_ok() => Exit::Fine,
        _ if outcome.interrupted => Exit::Interrupted,
        _ if outcome.has_failures() || exported.is_err() => Exit::Failed,
        _ => Exit::Fine,
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

/// A path with or without a query.
fn path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err(format!(
            "'{text}' is not a path; write it with a slash: /{text}"
        ));
    }
    match Target::parse(&format!("http://localhost{text}")) {
        Ok(target) => Ok(target.request_target().to_owned()),
        Err(e) => Err(e.to_string()),
    }
}

/// `NAME=PID`.
fn named_pid(text: &str) -> Result<(String, u32), String> {
    let named = text.split_once('=').and_then(|(name, id)| {
        let id = id.parse().ok().filter(|&id| id > 0)?;
        Some((name.to_owned(), id))
    });
    named.ok_or_else(|| format!("'{text}' is not NAME=PID, such as app=1234"))
}
