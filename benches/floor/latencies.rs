//! The result of one paced run, which the paced client prints and the bench reads.

use serde::{Deserialize, Serialize};

/// Replies of one slice: some tens of milliseconds of a run. The machine stalls for a millisecond a
/// few times a second. Such stalls move the p99 of a whole run, but are in few slices.
const SLICE: usize = 1000;

/// Latencies of one run, and the delay of its client.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Latencies {
    pub p50_ns: u64,
    /// p99 of the median slice.
    pub slice_p99_ns: u64,
    /// p99 of all.
    pub p99_ns: u64,
    pub p999_ns: u64,
    pub max_ns: u64,
    /// The client's own delay: from the time a request was due, on a free connection, to the time
    /// it was sent.
    pub lag_p99_ns: u64,
}

/// Latencies of a run under way.
pub struct Recorder {
    latencies_ns: Vec<u64>,
    lags_ns: Vec<u64>,
}

impl Recorder {
    /// Allocates for `requests`, so that nothing is allocated during the run.
    pub fn new(requests: usize) -> Recorder {
        Recorder {
            latencies_ns: Vec::with_capacity(requests),
            lags_ns: Vec::with_capacity(requests),
        }
    }

    pub fn latency(&mut self, ns: u64) {
        self.latencies_ns.push(ns);
    }

    pub fn lag(&mut self, ns: u64) {
        self.lags_ns.push(ns);
    }

    pub fn latencies(self) -> Latencies {
        let slices = self.latencies_ns.chunks(SLICE);
        let slices_p99_ns = slices.map(|slice| quantile(&sorted(slice), 0.99));
        let slices_p99_ns = sorted(&slices_p99_ns.collect::<Vec<_>>());
        let all = sorted(&self.latencies_ns);
        Latencies {
            p50_ns: quantile(&all, 0.5),
            slice_p99_ns: quantile(&slices_p99_ns, 0.5),
            p99_ns: quantile(&all, 0.99),
            p999_ns: quantile(&all, 0.999),
            max_ns: quantile(&all, 1.0),
            lag_p99_ns: quantile(&sorted(&self.lags_ns), 0.99),
        }
    }
}

fn sorted(figures: &[u64]) -> Vec<u64> {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable();
    sorted
}

/// The smallest figure that at least `share` of all figures do not exceed; 0 without figures.
fn quantile(sorted: &[u64], share: f64) -> u64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}
