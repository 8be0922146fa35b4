//! The command line: it turns flags into validated options. No other module uses flags, standard
//! streams or exit codes.

mod command_line;
pub mod compare;
mod export;
mod foreign_flag;
mod generate;
mod live;
pub mod load;
mod output;
mod serve;
mod supervise;
mod tls;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::event_loop::{StopSignal, StopSignals};

/// The end of the program, as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Fine,
    /// The run failed, or a part of it could not run.
    Failed,
    /// The command line is not valid.
    Usage,
    /// A `--fail-if` tripped.
    GateTripped,
    /// Interrupted; partial results were printed.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::GateTripped => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// A comparison of HTTP servers, a load generator, and a minimal server
#[derive(Debug, Parser)]
#[command(
    name = "bareloop",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    args_override_self = true,
    after_help = "\
Examples:
  bareloop compare
      Compare two Python servers and the two servers of this program under the same load
  bareloop serve http
      Answer every GET on http://localhost:8080 with 'Hello World!'
  bareloop load -c 100 -d 5 -p 10 http://localhost:8080
      Load a server for 5 s over 100 connections, with 10 requests in flight on each

Exit codes: 0 success, 1 the run failed, 2 bad usage, 3 a gate tripped (--fail-if), 130 interrupted"
)]
struct Cli {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    Serve(serve::ServeArgs),
    Load(load::LoadArgs),
    Compare(compare::CompareArgs),
    Supervise(supervise::SuperviseArgs),
    Generate(generate::GenerateArgs),
}

/// Runs the program on `argv`, the program's own name first.
pub fn run(argv: impl IntoIterator<Item = OsString>) -> Exit {
    let argv: Vec<OsString> = argv.into_iter().collect();
    let words = argv.iter().map(|arg| arg.to_string_lossy().into_owned());
    let words: Vec<String> = words.collect();
    let cli = match Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, &words),
    };
    if let Some(warning) = foreign_flag::misunderstanding(&words) {
        output::warn(&warning);
    }
    let signal = StopSignal::new();
    match cli.job {
        Job::Serve(args) => {
            obey_system(&signal, StopSignals::Interrupts);
            serve::run(args, &signal)
        }
        Job::Load(args) => {
            obey_system(&signal, StopSignals::Interrupts);
            load::run(args, &signal)
        }
        Job::Compare(args) => {
            obey_system(&signal, StopSignals::InterruptsAndHangUp);
            compare::run(args, &signal)
        }
        Job::Supervise(args) => supervise::run(&args),
        Job::Generate(args) => generate::run(&args),
    }
}

fn obey_system(signal: &StopSignal, signals: StopSignals) {
    if let Err(error) = signal.obey_system(signals) {
        output::warn(&format!("Ctrl-C will end the program at once: {error}"));
    }
}

/// Prints help, or the parser's message about a command line that is not valid.
fn refuse(error: &clap::Error, words: &[String]) -> Exit {
    if !error.use_stderr() {
        return output::conclude(output::print(&error.to_string()));
    }
    let is_help = error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    match foreign_flag::hint(words).filter(|_| !is_help) {
        Some(hint) => output::fail(&format!("{hint}\n\nFor more information, try '--help'.")),
        // Without stderr only the exit code reports it.
        None => _ = error.print(),
    }
    Exit::Usage
}
