//! What a run found, in the shape of its JSON: autocannon's keys, and ours beside them.

use std::collections::BTreeMap;

use serde::Serialize;

/// A finished (or interrupted) run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub url: String,
    pub connections: usize,
    pub pipelining: usize,
    /// Seconds from the first request to the end.
    pub duration: f64,
    /// RFC 3339.
    pub start: String,
    pub finish: String,
    /// `rolling` or `batch`.
    pub refill: String,
    /// Milliseconds.
    pub latency: Latency,
    pub requests: Rate,
    pub throughput: Rate,
    pub errors: u64,
    pub timeouts: u64,
    pub mismatches: u64,
    pub non2xx: u64,
    pub resets: u64,
    #[serde(rename = "1xx")]
    pub status_1xx: u64,
    #[serde(rename = "2xx")]
    pub status_2xx: u64,
    #[serde(rename = "3xx")]
    pub status_3xx: u64,
    #[serde(rename = "4xx")]
    pub status_4xx: u64,
    #[serde(rename = "5xx")]
    pub status_5xx: u64,
    pub status_code_stats: BTreeMap<u16, StatusCount>,
    pub accounting: Accounting,
    pub error_kinds: ErrorKinds,
    pub verdict: Verdict,
    pub client: ClientCost,
    /// `null` in a closed loop.
    pub open_loop: Option<OpenLoop>,
    pub version: String,
}

/// Latency figures in milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Latency {
    pub average: f64,
    pub mean: f64,
    pub stddev: f64,
    pub min: f64,
    pub max: f64,
    pub p2_5: f64,
    pub p50: f64,
    pub p75: f64,
    pub p90: f64,
    pub p97_5: f64,
    pub p99: f64,
    pub p99_9: f64,
    pub p99_99: f64,
    #[serde(rename = "totalCount")]
    pub total_count: u64,
}

/// A rate per second, from windows divided by their real length.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rate {
    pub average: f64,
    pub mean: f64,
    pub stddev: f64,
    pub min: f64,
    pub max: f64,
    pub p1: f64,
    pub p2_5: f64,
    pub p50: f64,
    pub p97_5: f64,
    pub total: u64,
    /// Requests handed to the kernel; absent for bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct StatusCount {
    pub count: u64,
}

/// sent = completed + timedOut + lost + inFlight, always.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Accounting {
    pub sent: u64,
    pub completed: u64,
    pub timed_out: u64,
    pub lost: u64,
    pub in_flight: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorKinds {
    pub refused: u64,
    pub reset: u64,
    pub closed_early: u64,
    pub timeout: u64,
    pub bad_reply: u64,
    pub wrong_body: u64,
}

/// Whether the figures can be trusted, and why not.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    pub valid: bool,
    pub reasons: Vec<String>,
}

/// What the run cost this process.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCost {
    pub cpu_seconds: f64,
    /// Of one core, 0 to 1.
    pub cpu_share: f64,
    pub cpu_micros_per_request: f64,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenLoop {
    pub rate: f64,
}
