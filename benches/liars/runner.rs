//! The run: each row under each tool, one after the other.

use std::io;
use std::num::NonZeroU64;
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Parser, ValueEnum};

use super::rows::{Figure, Row, Truth};
use super::tools::{Said, Tool, read_load};
use crate::support::PATIENCE;
use crate::support::process::Process;

/// Servers whose truth is known, under `bareloop load` and other load generators
#[derive(Parser)]
#[command(
    name = "liars",
    after_help = "\
Exit codes: 0 load printed the truth or warned in each row; 1 it did neither in one; 2 bad usage."
)]
struct Options {
    /// Run only these servers
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME")]
    rows: Vec<Row>,
    /// Run only these tools beside `load`, if they are installed
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME")]
    tools: Vec<Tool>,
    /// Length of each run, seconds
    #[arg(short, long, default_value = "3", value_name = "SECS")]
    duration: NonZeroU64,
    /// Passed by `cargo bench`. `cargo test` does not pass it and measures nothing.
    #[arg(long, hide = true)]
    bench: bool,
}

pub fn main() -> ExitCode {
    let options = Options::parse();
    if !options.bench {
        eprintln!("liars: not measured; run `cargo bench --bench liars`");
        return ExitCode::SUCCESS;
    }
    match measure(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("liars: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs and prints. True if `load` printed the truth or warned in each row.
fn measure(options: &Options) -> io::Result<bool> {
    let run = Duration::from_secs(options.duration.get());
    println!(
        "10 connections, runs of {} s; `load` as shown, other tools in a closed loop\n",
        run.as_secs()
    );
    println!("| server | truth | tool | reported | true | warned |\n|---|---|---|---|---|---|");
    let mut all_are_honest = true;
    for row in chosen(&options.rows) {
        let truth = row.truth(run);
        let said = load(row, &truth, run)?;
        let named = said
            .warned
            .iter()
            .any(|check| truth.checks.contains(&check.as_str()));
        let is_honest = is_true(&truth, &said) || named;
        print_row(row, &truth, &["load"], truth.flags, &said);
        if !is_honest {
            println!("liars: load was neither true nor warned: {}", row.name());
            all_are_honest = false;
        }
        for tool in chosen(&options.tools) {
            let peer = row.serve(run)?;
            if let Some(said) = tool.run(&peer.url(), run) {
                print_row(row, &truth, &[tool.name()], &[], &said);
            }
        }
    }
    Ok(all_are_honest)
}

fn chosen<V: ValueEnum + PartialEq>(asked: &[V]) -> Vec<V> {
    let all = V::value_variants().iter().cloned();
    all.filter(|value| asked.is_empty() || asked.contains(value))
        .collect()
}

/// Runs `load` as the user of such a server would.
fn load(row: Row, truth: &Truth, run: Duration) -> io::Result<Said> {
    let peer = row.serve(run)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_bareloop"));
    command.args(["load", "--json", "-d", &run.as_secs().to_string()]);
    command.args(truth.flags).arg(peer.url());
    let finished = Process::start(&mut command)?.wait(run + PATIENCE)?;
    Ok(read_load(&finished.stdout))
}

fn is_true(truth: &Truth, said: &Said) -> bool {
    let Some((figure, range)) = &truth.figure else {
        return false;
    };
    said.figure(*figure)
        .is_some_and(|value| range.contains(&value))
}

fn print_row(row: Row, truth: &Truth, tool: &[&str], flags: &[&str], said: &Said) {
    let value = truth.figure.as_ref().and_then(|(figure, _)| {
        let value = said.figure(*figure)?;
        Some(match figure {
            Figure::P50Ms => format!("p50 {value:.2} ms"),
            Figure::P99Ms => format!("p99 {value:.2} ms"),
            Figure::MaxMs => format!("max {value:.1} ms"),
            Figure::BadPercent => format!("{value:.1} %"),
        })
    });
    println!(
        "| {} | {} | {} | {} | {} | {} |",
        row.name(),
        truth.text,
        [tool, flags].concat().join(" "),
        value.unwrap_or_else(|| "-".to_owned()),
        match &truth.figure {
            None => "-",
            Some(_) if is_true(truth, said) => "yes",
            Some(_) => "no",
        },
        match said.warned.is_empty() {
            true => "-".to_owned(),
            false => said.warned.join(", "),
        }
    );
}
