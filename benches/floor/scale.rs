//! CPU time of a server for a request with many open connections, over that with few, in the same
//! round.
//!
//! The kernel's part grows too, because ten thousand sockets do not fit into the caches. The ratio of
//! the floor shows that part.

use std::cmp;

use rustix::process::{Resource, getrlimit};

use super::options::{Load, Options, Workload};
use super::rounds::{Program, Rounds, Row, selected};
use super::runner::{Bench, Result};
use super::servers::Kind;
use super::spread::Spread;
use super::table::Sample;

/// Connections of the goal.
const MANY: usize = 10_000;

/// Other descriptors of one process.
const RESERVED: usize = 64;

/// Limit for `bareloop`: CPU time of a request at many connections over that at few.
const GOAL: f64 = 1.3;

/// The servers of this table.
pub const SERVERS: [Kind; 2] = [Kind::Floor, Kind::ServeHttp];

/// A server under the given load, or with more connections.
#[derive(Clone, Copy, PartialEq)]
struct Crowd {
    server: Kind,
    connections: Option<usize>,
}

impl Program for Crowd {
    type Sample = Sample;

    fn name(self) -> &'static str {
        self.server.name()
    }

    fn floor(self) -> Crowd {
        Crowd {
            connections: None,
            ..self
        }
    }

    fn installed(self) -> bool {
        self.server.installed()
    }

    fn measure(self, bench: &Bench, load: Load) -> Result<Sample> {
        let connections = self.connections.unwrap_or(load.connections);
        self.server.measure(
            bench,
            Load {
                connections,
                ..load
            },
        )
    }
}

/// Connections of the goal, or as many as one process may have. The limit on descriptors has to be
/// raised before.
pub fn many() -> usize {
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
    cmp::min(MANY, allowed.saturating_sub(RESERVED))
}

/// Measures and prints a table for each depth of pipelining. Returns the failures.
pub fn tables(options: &Options, bench: &Bench) -> Result<Vec<String>> {
    let (few, many) = (options.connections.get(), many());
    if few >= many {
        return Err(format!("scale: -c {few} is not less than {many}").into());
    }
    let at = |connections| {
        let all = SERVERS.map(|server| Crowd {
            server,
            connections,
        });
        selected(&all, &options.only)
    };
    let (at_few, at_many) = (at(None), at(Some(many)));
    if at_many.is_empty() {
        return Ok(Vec::new());
    }
    println!(
        "\nScale: CPU per request at {many} connections over that at {few} in the same round, of\n\
         servers loaded by the floor client"
    );
    let programs = [at_few.as_slice(), &at_many].concat();
    let mut failures = Vec::new();
    for &pipelining in &options.pipelining {
        let rounds = Rounds::run(
            options,
            bench,
            &programs,
            options.load(pipelining, Workload::Repeated),
        )?;
        println!(
            "{:<14} {:>8} {:>16} {:>12} {:>12} {:>6}",
            format!("p={pipelining}"),
            "ratio",
            "min .. max",
            format!("ns at {few}"),
            format!("at {many}"),
            "busy"
        );
        // The rows at few connections come first. The others are compared with them.
        let rows = rounds.rows();
        let at_many = &rows[at_few.len().min(rows.len())..];
        at_many.iter().for_each(print);
        judge(at_many);
        println!();
        failures.extend(rounds.into_failures());
    }
    Ok(failures)
}

/// Prints whether the goal is met, and the cost of a request over the floor's.
fn judge(rows: &[Row<'_, Sample>]) {
    let row_of = |kind: Kind| rows.iter().find(|row| row.name == kind.name());
    let (Some(floor), Some(own)) = (row_of(Kind::Floor), row_of(Kind::ServeHttp)) else {
        return;
    };
    let ratio = many_over_few(own).median;
    let verdict = if ratio <= GOAL { "met" } else { "MISSED" };
    let beside = own.samples.iter().zip(floor.samples);
    let beside = Spread::of(beside.map(|(own, floor)| cost_ns(own) / cost_ns(floor)));
    println!(
        "  {}: {ratio:.2}, at most {GOAL}: {verdict}; the floor's own is {:.2}, and at many\n  \
         connections a request costs {:.3} of what it costs the floor ({:.3} .. {:.3})",
        own.name,
        many_over_few(floor).median,
        beside.median,
        beside.min,
        beside.max,
    );
}

fn cost_ns(sample: &Sample) -> f64 {
    1e9 / sample.per_cpu_second()
}

/// The ratio of the goal, round by round.
fn many_over_few(row: &Row<'_, Sample>) -> Spread {
    let pairs = row.samples.iter().zip(row.floor);
    Spread::of(pairs.map(|(many, few)| cost_ns(many) / cost_ns(few)))
}

fn print(row: &Row<'_, Sample>) {
    let median_ns = |samples: &[Sample]| Spread::of(samples.iter().map(cost_ns)).median;
    println!(
        "  {:<12} {} {:>12.0} {:>12.0} {:>4.0} %",
        row.name,
        many_over_few(row),
        median_ns(row.floor),
        median_ns(row.samples),
        Spread::of(row.samples.iter().map(Sample::busy_percent)).median,
    );
}
