//! The client beside an attack: one request after the other, at most one each millisecond.

use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::client::Client;
use super::figure::Figures;
use super::runner::Result;
use super::server::Server;
use crate::support::usage::Scheduled;

const PACE: Duration = Duration::from_millis(1);
/// Longer than any reply may take.
const HIGHEST_NS: u64 = 60_000_000_000;

/// Latencies of its replies.
pub struct Latencies {
    ns: Histogram<u64>,
    /// Time in which other processes had the server's core, or this client's.
    server_waited: Duration,
    client_waited: Duration,
}

impl Latencies {
    pub fn new() -> Result<Latencies> {
        Ok(Latencies {
            ns: Histogram::new_with_bounds(1, HIGHEST_NS, 3)?,
            server_waited: Duration::ZERO,
            client_waited: Duration::ZERO,
        })
    }

    /// Measures on `client` for `span`. A reply that takes several milliseconds is counted as if
    /// the requests that were due meanwhile had been sent and answered with it, so that a stall is
    /// more than one sample (coordinated omission).
    pub fn record(&mut self, server: &Server, client: &mut Client, span: Duration) -> Result<()> {
        let before = (
            server.scheduled()?.waited,
            Scheduled::of_this_thread()?.waited,
        );
        let started = Instant::now();
        let mut sent_at = started;
        while sent_at < started + span {
            client.get()?;
            let latency_ns = u64::try_from(sent_at.elapsed().as_nanos())?;
            self.ns.record_correct(latency_ns, PACE.as_nanos() as u64)?;
            thread::sleep((sent_at + PACE).saturating_duration_since(Instant::now()));
            sent_at = Instant::now();
        }
        self.server_waited += server.scheduled()?.waited - before.0;
        self.client_waited += Scheduled::of_this_thread()?.waited - before.1;
        Ok(())
    }

    pub fn at(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.ns.value_at_quantile(quantile))
    }

    pub fn p99(&self, figures: Figures, limit_ms: f64) -> Figures {
        let what = "another client's p99";
        let noted = figures.time(what, self.at(0.99), limit_ms);
        noted.note(format!("cores taken: {}", self.cores_taken()))
    }

    /// Time that the machine, and the attackers on the client's core, have added.
    pub fn cores_taken(&self) -> String {
        format!(
            "server's {:.0} ms, client's {:.0} ms in all",
            self.server_waited.as_secs_f64() * 1e3,
            self.client_waited.as_secs_f64() * 1e3
        )
    }
}

/// Measures for `span` on a new connection.
pub fn beside(server: &Server, span: Duration) -> Result<Latencies> {
    let mut client = Client::connect(server.address())?;
    let mut latencies = Latencies::new()?;
    latencies.record(server, &mut client, span)?;
    Ok(latencies)
}
