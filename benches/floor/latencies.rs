//! What one paced run has found, as it goes from the paced client to the bench.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Longer ones count as so long: no patience lasts to here.
const HIGHEST_NS: u64 = 60_000_000_000;

/// Latencies of one run, and how late its client was.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Latencies {
    pub p50_ns: u64,
    pub p99_ns: u64,
    pub p999_ns: u64,
    pub max_ns: u64,
    /// What the client itself has added: from the time a request was due, on a connection that
    /// was free, to the time it was sent.
    pub lag_p99_ns: u64,
}

/// Latencies as they come.
pub struct Recorder {
    latencies_ns: Histogram<u64>,
    lags_ns: Histogram<u64>,
}

impl Recorder {
    /// Takes all the memory that it will ever need: nothing is allocated between two requests.
    pub fn new() -> Result<Recorder, hdrhistogram::CreationError> {
        let histogram = || Histogram::new_with_bounds(1, HIGHEST_NS, 3);
        Ok(Recorder {
            latencies_ns: histogram()?,
            lags_ns: histogram()?,
        })
    }

    pub fn latency(&mut self, ns: u64) {
        self.latencies_ns.saturating_record(ns);
    }

    pub fn lag(&mut self, ns: u64) {
        self.lags_ns.saturating_record(ns);
    }

    pub fn latencies(&self) -> Latencies {
        let latency_ns = |quantile| self.latencies_ns.value_at_quantile(quantile);
        Latencies {
            p50_ns: latency_ns(0.5),
            p99_ns: latency_ns(0.99),
            p999_ns: latency_ns(0.999),
            max_ns: self.latencies_ns.max(),
            lag_p99_ns: self.lags_ns.value_at_quantile(0.99),
        }
    }
}
