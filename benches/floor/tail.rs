//! Latencies at half of the floor server's maximum rate, paced.

use std::num::NonZeroU64;
use std::process::Command;

use super::latencies::Latencies;
use super::options::{Load, Options, Workload};
use super::process;
use super::rounds::{Program, Rounds, Row, selected};
use super::runner::{Bench, Result};
use super::servers::Kind;
use super::spread::Spread;

/// Limit for `bareloop`: its p99 over the floor's in the same round.
const GOAL: f64 = 1.2;

/// Servers that have to meet the goal.
const JUDGED: [Kind; 2] = [Kind::ServeHttp, Kind::ServeTcp];

/// Closed-loop runs of the floor server; the median counts.
const MAXIMUM_RUNS: usize = 3;

/// The servers of this table.
const SERVERS: [Kind; 5] = [
    Kind::Floor,
    Kind::FloorAgain,
    Kind::ServeHttp,
    Kind::ServeTcp,
    Kind::Nginx,
];

/// A server under paced requests. All are compared with one floor, because a few bytes more in a
/// reply do not change a latency.
#[derive(Clone, Copy, PartialEq)]
struct Paced {
    server: Kind,
    rate_per_second: NonZeroU64,
}

impl Program for Paced {
    type Sample = Latencies;

    fn name(self) -> &'static str {
        self.server.name()
    }

    fn floor(self) -> Paced {
        Paced {
            server: Kind::Floor,
            ..self
        }
    }

    fn installed(self) -> bool {
        self.server.installed()
    }

    fn measure(self, bench: &Bench, load: Load) -> Result<Latencies> {
        let server = self.server.start(bench)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args([
            "paced-client",
            &server.address().to_string(),
            &load.connections.to_string(),
            &self.rate_per_second.to_string(),
            &load.duration.as_secs().to_string(),
        ]);
        let run = process::run(command, bench.client_core)?;
        Ok(serde_json::from_str(&run.stdout)?)
    }
}

/// Measures and prints. Returns the failures.
pub fn table(options: &Options, bench: &Bench) -> Result<Vec<String>> {
    if bench.client_core == bench.server_core {
        return Err("tail: a client that polls without sleep needs a core of its own".into());
    }
    let load = Load {
        pipelining: 1,
        ..options.load(options.pipelining[0], Workload::Repeated)
    };
    let maximum = closed_loop_maximum(bench, load)?;
    let rate_per_second = NonZeroU64::new(maximum as u64 / 2).unwrap_or(NonZeroU64::MIN);
    let all = SERVERS.map(|server| Paced {
        server,
        rate_per_second,
    });
    let programs = selected(&all, &options.only);
    if programs.is_empty() {
        return Ok(Vec::new());
    }
    println!(
        "\nTail: {rate_per_second} requests/s, due at even intervals over {} connections: half of the\n\
         floor server's closed-loop maximum ({maximum:.0}). Microseconds, from the time a request was due;\n\
         medians of rounds, max of all. slice: p99 of the median slice of a run, which stalls of the\n\
         machine are not in; of floor: that over the floor's in the same round. lag: p99 of how late\n\
         the client itself was",
        load.connections
    );
    let rounds = Rounds::run(options, bench, &programs, load)?;
    println!(
        "{:<14} {:>8} {:>16} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "", "of floor", "min .. max", "p50", "slice", "p99", "p99.9", "max", "lag"
    );
    let rows = rounds.rows();
    rows.iter().for_each(print);
    judge(&rows);
    println!();
    Ok(rounds.into_failures().collect())
}

/// Prints whether the goal is met; not, if the machine is too noisy: then not even the second floor
/// meets it.
fn judge(rows: &[Row<'_, Latencies>]) {
    let of_floor = |kind: Kind| {
        let row = rows.iter().find(|row| row.name == kind.name())?;
        Some(p99_of_floor(row).median)
    };
    let noise = of_floor(Kind::FloorAgain);
    for kind in JUDGED {
        let Some(ratio) = of_floor(kind) else {
            continue;
        };
        let name = kind.name();
        match noise {
            Some(noise) if !(1.0 / GOAL..=GOAL).contains(&noise) => println!(
                "  {name}: not judged: the second floor is at {noise:.2} of the first; repeat on a quiet machine"
            ),
            None => println!("  {name}: not judged without floor-again"),
            Some(_) if ratio <= GOAL => println!("  {name}: {ratio:.2}, at most {GOAL}: met"),
            Some(_) => println!("  {name}: {ratio:.2}, at most {GOAL}: MISSED"),
        }
    }
}

/// p99 over the floor's, round by round.
fn p99_of_floor(row: &Row<'_, Latencies>) -> Spread {
    let pairs = row.samples.iter().zip(row.floor);
    Spread::of(pairs.map(|(own, floor)| own.slice_p99_ns as f64 / floor.slice_p99_ns as f64))
}

/// Requests per second that the floor server answers to the floor client.
fn closed_loop_maximum(bench: &Bench, load: Load) -> Result<f64> {
    let runs: Result<Vec<f64>> = (0..MAXIMUM_RUNS)
        .map(|_| Ok(Kind::Floor.measure(bench, load)?.per_second()))
        .collect();
    Ok(Spread::of(runs?.into_iter()).median)
}

fn print(row: &Row<'_, Latencies>) {
    let us = |figure: fn(&Latencies) -> u64| {
        Spread::of(row.samples.iter().map(|sample| figure(sample) as f64 / 1e3))
    };
    println!(
        "  {:<12} {} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>8.1}",
        row.name,
        p99_of_floor(row),
        us(|sample| sample.p50_ns).median,
        us(|sample| sample.slice_p99_ns).median,
        us(|sample| sample.p99_ns).median,
        us(|sample| sample.p999_ns).median,
        us(|sample| sample.max_ns).max,
        us(|sample| sample.lag_p99_ns).median,
    );
}
