//! Memory for idle connections, size of the binary, and time to start.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use super::clients;
use super::exchange::first_reply;
use super::options::{Load, Options, Workload};
use super::process::Client;
use super::rounds::{Program, selected};
use super::runner::{Bench, Result};
use super::scale;
use super::servers::Kind;
use super::spread::Spread;
use crate::support::server::Server;
use crate::support::usage::{resident_bytes, wait_until_idle};

/// Starts; the median counts.
const STARTS: usize = 20;

/// Measures and prints.
pub fn table(options: &Options, bench: &Bench) -> Result<()> {
    let servers = selected(&scale::SERVERS, &options.only);
    if servers.is_empty() {
        return Ok(());
    }
    let connections = scale::many();
    println!("Footprint: resident memory for each of {connections} idle connections (it grows by");
    println!("whole pages); from exec to the first reply, median of {STARTS} starts");
    println!(
        "{:<14} {:>14} {:>18} {:>14} {:>8} {:>16}",
        "", "before any", "after a request", "binary", "start", "min .. max"
    );
    println!(
        "  {:<12} {:>12} B {:>18} {:>11} MB {:>5} ms",
        "goal", 300, "", "4.00", "10.0"
    );
    for server in servers {
        let memory = Memory::of(server, bench, connections)?;
        let start = Spread::of(start_times_ms(server, bench)?.into_iter());
        println!(
            "  {:<12} {:>12.1} B {:>16.1} B {:>14} {:>5.1} ms {:>16}",
            server.name(),
            memory.silent_bytes,
            memory.served_bytes,
            binary(server)?,
            start.median,
            format!("{:.1} .. {:.1}", start.min, start.max),
        );
    }
    println!();
    Ok(())
}

/// Resident bytes of a server for each connection that is open and idle.
struct Memory {
    /// No request has come on any of them.
    silent_bytes: f64,
    /// Each has had a reply.
    served_bytes: f64,
}

impl Memory {
    fn of(server: Kind, bench: &Bench, connections: usize) -> Result<Memory> {
        let server = server.start(bench)?;
        // Loads the pages of its code, which do not belong to a connection.
        first_reply(server.address())?;
        let before = resident_at_rest(&server)?;
        let growth = |after: u64| (after as f64 - before as f64) / connections as f64;
        let one_request_each = Load {
            connections,
            pipelining: 1,
            duration: Duration::ZERO,
            workload: Workload::Repeated,
        };
        let command = clients::Kind::Floor.command(server.address(), one_request_each, bench)?;
        let mut client = Client::start(command, bench.client_core)?;
        client.line(Duration::ZERO)?;
        let silent = resident_at_rest(&server)?;
        client.go()?;
        client.line(Duration::ZERO)?;
        let served = resident_at_rest(&server)?;
        Ok(Memory {
            silent_bytes: growth(silent),
            served_bytes: growth(served),
        })
    }
}

/// An idle server has accepted all connections.
fn resident_at_rest(server: &Server) -> io::Result<u64> {
    wait_until_idle(server.process.id())?;
    resident_bytes(server.process.id())
}

/// The server prints its address, and gets a request at once: the figure holds no pause between
/// attempts.
fn start_times_ms(server: Kind, bench: &Bench) -> io::Result<Vec<f64>> {
    let start = |_| {
        let started = Instant::now();
        let running = server.start(bench)?;
        first_reply(running.address())?;
        Ok(started.elapsed().as_secs_f64() * 1e3)
    };
    (0..STARTS).map(start).collect()
}

/// Empty for the floor, which is a part of this bench.
fn binary(server: Kind) -> io::Result<String> {
    if server != Kind::ServeHttp {
        return Ok(String::new());
    }
    let bytes = fs::metadata(env!("CARGO_BIN_EXE_bareloop"))?.len();
    Ok(format!("{:.2} MB", bytes as f64 / 1e6))
}
