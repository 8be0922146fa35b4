//! `bareloop compare`: flags, output and exit code of a comparison.

mod given;
mod judgement;
mod planning;
mod results;
mod screen;
mod search_flags;
mod suite;
mod sweep_flags;
mod time_to_go;
mod toml_values;
mod trust;
mod values;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::tls::TlsArgs;
use super::values::duration;
use super::{Exit, output};
use crate::compare::follow_up::FollowUp;
use crate::compare::gate::{GateOutcome, GateResult};
use crate::compare::process::server::Launcher;
use crate::compare::{
    self, ComparisonOutcome, ComparisonPlan, Contestant, LocalBench, RoundsEnd, table,
};
use crate::compare::{search, sweep};
use crate::event_loop::{StopSignal, raise_descriptor_limit};
use crate::load::{self, ExpectedStatuses};
use judgement::{JudgementArgs, Rounds};
use results::{ResultArgs, Results, SearchWatch, WalkWatch, Watch};
use screen::{Screen, StdoutState};
use search_flags::SearchArgs;
use sweep_flags::SweepArgs;
use values::{count, warmup};

const EXAMPLES: &str = "\
Examples:
  bareloop compare
  bareloop compare -d 10 -r 12 --only bareloop-http,python-http
  bareloop compare --server node='node server.js {port}' --reference node --export-json out.json
  bareloop compare --server app=http://localhost:3000 --only app,bareloop-http --path /health -p 1

Without --suite or --only it compares python-http, python-tcp (both need python3), bareloop-http and
bareloop-tcp, and the servers that --server adds. Each server runs once per round, on a free port of
127.0.0.1 or ::1.

Exit codes: 0 success; 1 a server could not run; 2 bad usage; 3 a gate tripped (--fail-if); 130
interrupted, with the results of the rounds so far.";

/// Run servers under the same load and report which is faster, at what cost, and how certain that
/// is
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_override_self = true)]
pub struct CompareArgs {
    /// Connections kept open at once [default: 100]
    #[arg(short, long, value_name = "N", value_parser = count)]
    connections: Option<NonZeroUsize>,
    /// Requests in flight on each connection [default: 10]
    #[arg(short, long, value_name = "N", value_parser = values::pipelining)]
    pipelining: Option<NonZeroUsize>,
    /// Send this number of requests per second in all, evenly spaced (500, 1k), to each server: an
    /// open loop. It compares latency and CPU time at this rate, and speeds only where a server
    /// does not keep up
    #[arg(short = 'R', long, value_name = "RATE", value_parser = values::rate)]
    rate: Option<f64>,
    /// Measured time of each run: seconds, or with a unit (500ms, 1m) [default: 2]
    #[arg(short, long, value_name = "SECS", value_parser = duration)]
    duration: Option<Duration>,
    /// Runs of each server; 'auto' for as many as --precision needs, at most 60 runs or 10 minutes
    /// [default: 6]
    #[arg(short, long, value_name = "N|auto", value_parser = judgement::rounds)]
    rounds: Option<Rounds>,
    #[command(flatten)]
    judgement: JudgementArgs,
    /// Seed of the order in which the servers run [default: random, named in the report]
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Time for which each server is loaded before it is measured; 0 for none [default: 1]
    #[arg(long, value_name = "SECS", value_parser = warmup)]
    warmup: Option<Duration>,
    /// Time limit for a reply [default: 10]
    #[arg(short, long, value_name = "SECS", value_parser = duration)]
    timeout: Option<Duration>,
    /// Time limit from a server's start until it is ready: it accepts a connection and, if the
    /// suite gives it a ready.path, answers a GET of that path [default: 10]
    #[arg(long, value_name = "SECS", value_parser = duration)]
    start_timeout: Option<Duration>,
    /// Read servers, requests and settings from this TOML file; flags override its settings
    #[arg(long, value_name = "FILE", help_heading = "Servers")]
    suite: Option<PathBuf>,
    /// Print the default comparison as a suite file, with every key explained, and exit
    #[arg(long, exclusive = true, help_heading = "Servers")]
    print_suite: bool,
    /// Add a server: a shell command with {port} in it, or the URL of a server that is already
    /// running; may be repeated
    #[arg(
        long = "server",
        value_name = "NAME=COMMAND|NAME=URL",
        help_heading = "Servers"
    )]
    servers: Vec<Contestant>,
    /// Process id of a server given by its URL, to measure its CPU time and memory; may be repeated
    #[arg(long = "pid", value_name = "NAME=PID", value_parser = values::named_pid, help_heading = "Servers")]
    pids: Vec<(String, u32)>,
    /// Path and query of each request [default: /]
    #[arg(long, value_name = "PATH", value_parser = values::path, help_heading = "Requests")]
    path: Option<String>,
    /// Request method [default: GET]
    #[arg(short, long, value_parser = load::request::parse_method, help_heading = "Requests")]
    method: Option<String>,
    /// Header field 'Name: value' or Name=value; may be repeated
    #[arg(short = 'H', long = "header", value_name = "FIELD", value_parser = load::request::parse_field, help_heading = "Requests")]
    fields: Vec<(String, String)>,
    /// Request body; Content-Length is set from it
    #[arg(short, long, value_name = "TEXT", help_heading = "Requests")]
    body: Option<String>,
    /// Status codes that replies should have (200, 4xx, 500-503; several with commas); a server
    /// that sends others has failed [default: any below 400]
    #[arg(long, value_name = "CODES", help_heading = "Requests")]
    expect_status: Option<ExpectedStatuses>,
    /// The body that every reply should have; a server that sends another has failed
    #[arg(short = 'E', long, value_name = "TEXT", help_heading = "Requests")]
    expect_body: Option<String>,
    /// Run only these servers, in this order
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        help_heading = "Servers"
    )]
    only: Vec<String>,
    /// The server that the others are compared with [default: python-http, or the first that ran]
    #[arg(long, value_name = "NAME", help_heading = "Servers")]
    reference: Option<String>,
    #[command(flatten)]
    tls: TlsArgs,
    #[command(flatten)]
    sweep: SweepArgs,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    results: ResultArgs,
}

/// Runs the comparison that `args` ask for.
pub fn run(args: CompareArgs, signal: &StopSignal) -> Exit {
    if args.print_suite {
        return output::conclude(output::print(suite::DEFAULT));
    }
    match std::env::current_exe() {
        Ok(bareloop) => run_with(&args, &bareloop, signal),
        Err(e) => {
            output::fail(&format!("cannot find this program's own file: {e}"));
            Exit::Failed
        }
    }
}

/// The same as [`run`], with `bareloop` as the program of the built-in servers. A bench calls this,
/// because it is another program itself.
pub fn run_with(args: &CompareArgs, bareloop: &Path, signal: &StopSignal) -> Exit {
    let Ready {
        plan,
        follow_up,
        launcher,
        mut results,
    } = match Ready::of(args, bareloop) {
        Ok(ready) => ready,
        Err(message) => {
            output::fail(&message);
            return Exit::Usage;
        }
    };
    let stop_without_reader = (!results.has_file()).then_some(signal);
    let mut screen = Screen::new(
        (&plan, &follow_up),
        results.own_stdout(),
        stop_without_reader,
    );
    screen.print(&format!("{}\n", table::heading(&plan, &follow_up)));
    if let StdoutState::Failed(message) = screen.stdout() {
        output::fail(message);
        return Exit::Failed;
    }
    let mut bench = LocalBench::new(launcher);
    let outcome = measure(
        &plan,
        &follow_up,
        &mut bench,
        signal,
        &mut screen,
        &mut results,
    );
    screen.clear();
    let (written, gates, has_failed_part) = match results.report(&plan, &outcome) {
        Ok(report) => {
            let written = results.write(&report, &outcome, &mut screen);
            let has_failed_part = report.has_failed_part();
            (written, report.gates, has_failed_part)
        }
        Err(message) => (Err(message), Vec::new(), false),
    };
    if let Err(message) = &written {
        output::fail(message);
    }
    gates.iter().for_each(report_gate);
    match screen.stdout() {
        StdoutState::Failed(message) => {
            output::fail(message);
            Exit::Failed
        }
        // A reader that has seen enough (`| head`) is no failure, and ends a comparison without
        // files.
        StdoutState::Closed if written.is_ok() && stop_without_reader.is_some() => Exit::Fine,
        _ if outcome.is_interrupted() => Exit::Interrupted,
        _ if outcome.has_failures() || has_failed_part || written.is_err() => Exit::Failed,
        _ if gates.iter().any(|gate| gate.result.fails()) => Exit::GateTripped,
        _ => Exit::Fine,
    }
}

/// A comparison before its start: flags and suite are valid, and the files are open.
struct Ready {
    plan: ComparisonPlan,
    follow_up: FollowUp,
    launcher: Launcher,
    results: Results,
}

impl Ready {
    /// The comparison that `args` ask for. Warns of what may not have been meant.
    ///
    /// # Errors
    /// One line that names the flag or the key, and the remedy.
    fn of(args: &CompareArgs, bareloop: &Path) -> Result<Ready, String> {
        let suite = args.suite(bareloop)?;
        let launcher = args.launcher(bareloop, &suite);
        let (objective, trial) = (suite.settings.find_rate, suite.settings.trial_duration);
        let follow_up = FollowUp {
            sweeps: args
                .sweep
                .plans(&suite.settings.sweep, raise_descriptor_limit())?,
            search: args.search.plan(objective, trial)?,
        };
        let plan = args.plan(&suite, bareloop)?;
        let results = args
            .results
            .open(&plan, launcher.cores.clone(), follow_up.parts())?;
        let warnings = args.trust_warnings(&suite.settings, &plan);
        warnings.iter().for_each(|warning| output::warn(warning));
        Ok(Ready {
            plan,
            follow_up,
            launcher,
            results,
        })
    }
}

/// The comparison, and then the sweeps and the search.
fn measure<'p>(
    plan: &'p ComparisonPlan,
    follow_up: &FollowUp,
    bench: &mut LocalBench,
    signal: &StopSignal,
    screen: &mut Screen<'p>,
    results: &mut Results,
) -> ComparisonOutcome {
    let mut watch = Watch {
        plan,
        screen,
        results,
    };
    let mut outcome = compare::run(plan, bench, signal, &mut watch);
    for sweep in follow_up
        .sweeps
        .iter()
        .filter(|_| !outcome.is_interrupted())
    {
        let mut watch = WalkWatch {
            plan,
            variable: sweep.variable(),
            outcome: &outcome,
            screen,
            results,
        };
        sweep::run(sweep, plan, outcome.rounds_done, bench, signal, &mut watch);
        results.parts_to_go -= 1;
    }
    if let Some(search) = follow_up.search.filter(|_| signal.times_raised() == 0) {
        let mut watch = SearchWatch {
            plan,
            outcome: &outcome,
            screen,
            results,
        };
        search::run(&search, plan, &outcome, bench, signal, &mut watch);
        results.parts_to_go -= 1;
    }
    if signal.times_raised() > 0 {
        outcome.end = Some(RoundsEnd::Interrupted);
    }
    outcome
}

/// Reports a gate that did not pass on stderr, because a program may read stdout.
fn report_gate(gate: &GateResult) {
    match gate.result {
        GateOutcome::Passed => {}
        GateOutcome::Undecided => output::warn(&gate.to_string()),
        GateOutcome::Tripped | GateOutcome::NoFigure => output::fail(&gate.to_string()),
    }
}
