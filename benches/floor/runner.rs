//! The rounds: each puts every program under the same load once, in an order that rotates, every
//! one in a fresh process.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::options::{Load, Options, Part};
use super::servers::Replies;
use super::table::{Row, Sample, Table};
use super::{client, clients, server, servers, sys};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One program under measurement: a row of a table.
pub trait Program: Copy + PartialEq {
    fn name(self) -> &'static str;
    /// The program that it is measured by; a floor is its own.
    fn floor(self) -> Self;
    fn installed(self) -> bool;
    /// Runs it once, in a process of its own.
    fn measure(self, bench: &Bench, load: Load) -> Result<Sample>;
}

/// Where everything runs.
pub struct Bench {
    pub server_core: usize,
    pub client_core: usize,
    pub replies: Replies,
    scratch: tempfile::TempDir,
}

impl Bench {
    /// A folder for configuration and scripts; removed at the end.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }
}

/// Does what the command line asks: one of the two floors, or the measurement.
pub fn main() -> ExitCode {
    let options = Options::parse();
    let result = match &options.part {
        Some(Part::FloorServer { reply }) => server::serve(reply.as_bytes()).map_err(Into::into),
        Some(Part::FloorClient {
            address,
            connections,
            pipelining,
            seconds,
        }) => {
            let duration = Duration::from_secs(*seconds);
            client::load(*address, *connections, *pipelining, duration).map_err(Into::into)
        }
        None if options.bench => measure(&options),
        None => {
            println!("floor: nothing measured; run `cargo bench --bench floor`");
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<()> {
    refuse_unknown(&options.only)?;
    allow_descriptors();
    let servers = selected(&servers::ALL, &options.only);
    let clients = selected(&clients::ALL, &options.only);
    let cores = sys::allowed_cores()?;
    let (server_core, client_core) = (cores[0], cores[1 % cores.len()]);
    let replies = Replies::ask(server_core)?;
    let bench = Bench {
        server_core,
        client_core,
        replies,
        scratch: tempfile::tempdir()?,
    };
    println!(
        "{} connections, {} rounds of {} s, server on core {server_core}, client on core {client_core}",
        options.connections, options.rounds, options.duration,
    );
    if cores.len() == 1 {
        println!("one core only: both ends share it, and evict each other's caches");
    }
    println!(
        "of floor: requests per CPU-second over the floor's in the same round, median of rounds"
    );
    println!("busy: share of its core; below 95 % wake-ups weigh in, and ratios mean less");

    let mut failures = Vec::new();
    if !servers.is_empty() {
        println!("\nServers, each loaded by the floor client");
        failures.extend(rounds(options, &bench, &servers)?);
    }
    if !clients.is_empty() {
        println!("\nClients, each loading the floor server");
        failures.extend(rounds(options, &bench, &clients)?);
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("; ").into())
    }
}

fn refuse_unknown(only: &[String]) -> Result<()> {
    let servers = servers::ALL.iter().map(|program| program.name());
    let clients = clients::ALL.iter().map(|program| program.name());
    let known: BTreeSet<&str> = servers.chain(clients).collect();
    match only.iter().find(|name| !known.contains(name.as_str())) {
        Some(name) => Err(format!("--only {name}: there are only {known:?}").into()),
        None => Ok(()),
    }
}

/// Takes as many descriptors as the system gives, for every process started from here. With too
/// few, connecting fails and says so.
fn allow_descriptors() {
    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limits.maximum,
        ..limits
    };
    let _ = setrlimit(Resource::Nofile, raised);
}

/// The installed programs that `only` names (all, if it is empty), and their floors.
fn selected<P: Program>(all: &[P], only: &[String]) -> Vec<P> {
    let named = |program: &P| only.is_empty() || only.iter().any(|name| name == program.name());
    let (wanted, missing): (Vec<P>, Vec<P>) = all
        .iter()
        .copied()
        .filter(named)
        .partition(|program| program.installed());
    for program in missing {
        println!("{} is not installed, and left out", program.name());
    }
    let needed = |program: &P| {
        wanted
            .iter()
            .any(|other| *program == *other || *program == other.floor())
    };
    all.iter().copied().filter(needed).collect()
}

/// One program's samples, a sample for each round, until it fails.
struct Series<P> {
    program: P,
    samples: Vec<Sample>,
    failure: Option<String>,
}

/// Measures and prints a table for each depth of pipelining. Returns what failed: such a program is
/// left out, and the others go on. Without its floor nothing can go on, so that is an error.
fn rounds<P: Program>(options: &Options, bench: &Bench, programs: &[P]) -> Result<Vec<String>> {
    let mut failures = Vec::new();
    for &pipelining in &options.pipelining {
        let begin = |&program| Series {
            program,
            samples: Vec::new(),
            failure: None,
        };
        let mut all: Vec<Series<P>> = programs.iter().map(begin).collect();
        for round in 0..options.rounds.get() {
            // Rotated, so that a machine that warms up or slows down favours no row.
            for turn in 0..all.len() {
                let series = &mut all[(round + turn) % programs.len()];
                series.measure(bench, options.load(pipelining))?;
            }
        }
        let title = format!("p={pipelining}");
        println!(
            "{}",
            Table {
                title,
                rows: rows(&all)
            }
        );
        failures.extend(all.into_iter().filter_map(|series| series.failure));
    }
    Ok(failures)
}

impl<P: Program> Series<P> {
    fn measure(&mut self, bench: &Bench, load: Load) -> Result<()> {
        if self.failure.is_some() {
            return Ok(());
        }
        let name = self.program.name();
        match self.program.measure(bench, load) {
            Ok(sample) => self.samples.push(sample),
            Err(error) if self.program.floor() == self.program => {
                return Err(format!("{name}: {error}").into());
            }
            Err(error) => {
                self.failure = Some(format!("{name}, p={}: {error}", load.pipelining));
            }
        }
        Ok(())
    }
}

/// A row for every program that went through all rounds.
fn rows<P: Program>(all: &[Series<P>]) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for series in all.iter().filter(|series| series.failure.is_none()) {
        let floor = all
            .iter()
            .find(|other| other.program == series.program.floor());
        let Some(Series { samples: floor, .. }) = floor else {
            continue;
        };
        rows.push(Row {
            name: series.program.name(),
            samples: &series.samples,
            floor,
        });
    }
    rows
}
