//! The run: measures the chosen tables, one after the other, or runs one of the parts.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::options::{Load, Measured, Options, Part, Workload};
use super::rounds::{Program, Rounds, selected};
use super::servers::Replies;
use super::table::{Sample, Table};
use super::{client, clients, footprint, paced, scale, server, servers, tail};
use crate::support::cores::Cores;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The cores, the replies of the floors, and a folder.
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

/// Runs what the command line names.
pub fn main() -> ExitCode {
    let options = Options::parse();
    let result = match &options.part {
        Some(Part::FloorServer { reply, workload }) => {
            server::serve(reply, *workload).map_err(Into::into)
        }
        Some(Part::FloorClient {
            address,
            connections,
            pipelining,
            seconds,
            workload,
        }) => {
            let load = Load {
                connections: *connections,
                pipelining: *pipelining,
                duration: Duration::from_secs(*seconds),
                workload: *workload,
            };
            client::load(*address, load).map_err(Into::into)
        }
        Some(Part::PacedClient {
            address,
            connections,
            rate_per_second,
            seconds,
        }) => {
            let duration = Duration::from_secs(*seconds);
            paced::load(*address, *connections, *rate_per_second, duration).map_err(Into::into)
        }
        None if options.bench => measure(&options),
        None => {
            println!("floor: not measured; run `cargo bench --bench floor`");
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
    let cores = Cores::first_two()?;
    let (server_core, client_core) = (cores.server, cores.clients);
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
    if cores.are_shared() {
        println!("one core only: both ends share it, and evict each other's caches");
    }
    let mut failures = Vec::new();
    for measured in &options.tables {
        failures.extend(table(*measured, options, &bench)?);
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("; ").into())
    }
}

/// Measures and prints one kind of table. Returns the failures.
fn table(measured: Measured, options: &Options, bench: &Bench) -> Result<Vec<String>> {
    match measured {
        Measured::Servers => {
            let title = "Servers, each loaded by the floor client";
            throughput(title, options, bench, &servers::ALL)
        }
        Measured::Clients => {
            let title = "Clients, each loading the floor server";
            throughput(title, options, bench, &clients::ALL)
        }
        Measured::Scale => {
            let failures = scale::tables(options, bench)?;
            footprint::table(options, bench)?;
            Ok(failures)
        }
        Measured::Tail => tail::table(options, bench),
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

/// Raises the limit on descriptors as far as the system allows, for every process started here.
/// With too few of them, connecting fails with an error.
fn allow_descriptors() {
    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limits.maximum,
        ..limits
    };
    let _ = setrlimit(Resource::Nofile, raised);
}

/// Measures and prints a table for each depth of pipelining. Returns the failures.
fn throughput<P: Program<Sample = Sample>>(
    title: &str,
    options: &Options,
    bench: &Bench,
    all: &[P],
) -> Result<Vec<String>> {
    let programs = selected(all, &options.only);
    if programs.is_empty() {
        return Ok(Vec::new());
    }
    println!(
        "\n{title}. Of floor: requests per CPU-second over the\n\
         floor's in the same round, median of rounds. Busy: share of its core; below 95 %, wake-ups\n\
         count too, and the ratios say less"
    );
    let mut failures = Vec::new();
    for &workload in &options.workload {
        println!("{}", describe(workload));
        for &pipelining in &options.pipelining {
            let load = options.load(pipelining, workload);
            let rounds = Rounds::run(options, bench, &programs, load)?;
            let title = format!("p={pipelining}");
            let rows = rounds.rows();
            println!("{}", Table { title, rows });
            failures.extend(rounds.into_failures());
        }
    }
    Ok(failures)
}

fn describe(workload: Workload) -> &'static str {
    match workload {
        Workload::Repeated => "Repeated: one short request, one reply",
        Workload::Varying => {
            "Varying: to servers, browser heads each with its own target and cookie;\n\
             to clients, replies each with its own X-Request-Id"
        }
    }
}
