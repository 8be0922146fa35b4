//! `cargo bench --bench throughput`: the comparison of `bareloop compare`, made short. Takes the
//! same flags after `--`.

use std::path::Path;
use std::process::ExitCode;

use bareloop::cli::compare::{self, CompareArgs};
use bareloop::event_loop::{StopSignal, StopSignals};
use clap::{CommandFactory, FromArgMatches, Parser};

/// Defaults other than those of `bareloop compare`: about 20 s in all.
const DEFAULTS: [(&str, &str); 3] = [("duration", "0.4"), ("warmup", "0.3"), ("rounds", "6")];

/// The comparison of `bareloop compare`, made short
#[derive(Parser)]
#[command(name = "throughput")]
struct Throughput {
    /// Passed by `cargo bench`, and not by `cargo test`
    #[arg(long, hide = true)]
    bench: bool,
    #[command(flatten)]
    compare: CompareArgs,
}

fn main() -> ExitCode {
    // `cargo test --all-targets` runs benches too, to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        eprintln!("throughput: nothing to do without --bench; use cargo bench");
        return ExitCode::SUCCESS;
    }
    let mut command = Throughput::command();
    for (name, value) in DEFAULTS {
        command = command.mut_arg(name, |flag| flag.default_value(value));
    }
    let matches = command.get_matches();
    let args = match Throughput::from_arg_matches(&matches) {
        Ok(throughput) => throughput.compare,
        Err(e) => e.exit(),
    };
    let signal = StopSignal::new();
    if let Err(e) = signal.obey_system(StopSignals::InterruptsAndHangUp) {
        eprintln!("throughput: Ctrl-C will not be handled: {e}");
    }
    let bareloop = Path::new(env!("CARGO_BIN_EXE_bareloop"));
    compare::run_with(&args, bareloop, &signal).into()
}
