//! Connections that end in a reset, at every stage of a head and a body.

use std::thread;
use std::time::{Duration, Instant};

use super::client::{Client, GET};
use super::figure::{Bound, Figures};
use super::runner::{Bench, Result};
use super::server::Server;
use crate::support::PATIENCE;

const RESETS: usize = 1_000;

const STAGES: [&[u8]; 9] = [
    b"",
    b"GET / HT",
    b"GET / HTTP/1.1\r\nHost: a\r\n",
    GET,
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    b"BAD\r\n\r\n",
];

/// Resets 1,000 connections at each stage. The slowest clean-up counts.
pub fn everywhere(bench: &Bench) -> Result<Vec<Figures>> {
    let server = bench.server(&[])?;
    let (before_bytes, baseline) = (server.resident_bytes()?, server.descriptors()?);
    let mut slowest = Duration::ZERO;
    for stage in STAGES {
        for _ in 0..RESETS {
            let mut client = Client::connect(server.address())?;
            client.send(stage)?;
            client.reset()?;
        }
        slowest = slowest.max(time_until(&server, baseline)?);
    }
    let growth_bytes = server.resident_bytes()?.saturating_sub(before_bytes);
    let figures = Figures::new(8, "1,000 resets at each of 9 stages")
        .time("to the last descriptor's close", slowest, 1000.0)
        .memory(growth_bytes, Bound::Below(1.0));
    Ok(vec![figures])
}

/// Time until only `baseline` descriptors are open, and no connection waits to be accepted.
fn time_until(server: &Server, baseline: usize) -> Result<Duration> {
    let started = Instant::now();
    // It is the last one, so all others have been accepted when it gets its reply.
    Client::connect(server.address())?.get()?;
    while server.descriptors()? > baseline {
        if started.elapsed() > PATIENCE {
            return Err("descriptors are left".into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(started.elapsed())
}
