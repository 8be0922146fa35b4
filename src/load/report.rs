//! The results of a run, in the shape of their JSON: autocannon's keys, and ours beside them.
//!
//! Three of autocannon's keys have a more exact meaning here. `requests.total` counts complete
//! replies. `errors` counts each failed connection once, however many requests were lost with it
//! (those are `accounting.lost`), and each request that timed out. `resets` counts connections that
//! ended with requests in flight. A percentile with too few samples is `null`.

mod build;
mod client;
mod latency;

pub(super) use build::{Circumstances, Cost};
pub use client::{Calibration, ClientCost, ClientDelay, ClientPause, TurnLength};
pub use latency::{Latency, LatencyInterval, LatencyIntervals};

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::Warning;
pub use super::accounting::Accounting;
use super::find_rate::FindRateReport;
use super::plan::Share;
use super::statistics::interval_log::Interval;
use crate::event_loop::Time;

/// A finished (or interrupted) run.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadReport {
    /// Name of the run.
    pub title: Option<String>,
    /// Where requests were sent, scheme included; of several that take turns, their server.
    pub url: String,
    /// TLS; `null` for http.
    pub tls: Option<Tls>,
    /// The address or socket that answered.
    pub address: String,
    /// Connections kept open at once.
    pub connections: usize,
    /// Copies of the client's loop, on a thread each.
    pub workers: u32,
    /// The part of a run that this is, such as `0/4`: connections and rate are those of the part.
    /// `null` for a whole run.
    pub share: Option<Share>,
    /// Requests in flight on each connection.
    pub pipelining: usize,
    /// Requests that take turns on each connection; 1 if all are alike.
    pub requests_in_turn: usize,
    /// The planned end: `5s`, or `1000 requests`.
    pub until: String,
    /// Seconds from the start to the end (for an amount: to the last reply).
    pub duration: f64,
    /// The same, exactly.
    #[serde(skip)]
    pub exact_duration: Duration,
    /// The part that was left out of latencies and rates; `null` without a warm-up.
    pub warm_up: Option<WarmUpReport>,
    /// Windows that the rates were sampled in.
    pub samples: usize,
    /// Milliseconds that a window is meant to last.
    pub sample_int: u64,
    /// Start of the run: RFC 3339, UTC.
    pub start: String,
    /// End of the run: RFC 3339, UTC.
    pub finish: String,
    /// It was stopped before its planned end.
    pub interrupted: bool,
    /// It gave up before its amount: there were errors, and no reply came for three times the
    /// timeout.
    pub gave_up: bool,
    /// It ended early, after as many errors as were allowed.
    pub bailed_out: bool,
    /// `rolling` or `batch`.
    pub refill: String,
    /// From the hand-over of each request to its complete reply; in an open loop from its due time.
    pub latency: Latency,
    /// Complete replies per second.
    pub requests: Rate,
    /// Bytes received per second.
    pub throughput: Rate,
    /// Failed connections, and requests that timed out.
    pub errors: u64,
    /// Requests that timed out.
    pub timeouts: u64,
    /// Replies whose body is not the expected one.
    pub mismatches: u64,
    /// Replies whose body is not that of the first reply to the same request, if none was expected:
    /// a note, no error.
    pub varied_bodies: u64,
    /// Replies with a status other than 2xx.
    pub non2xx: u64,
    /// Connections that went away with requests in flight.
    pub resets: u64,
    /// Interim replies; they answer nothing.
    #[serde(rename = "1xx")]
    pub status_1xx: u64,
    /// Replies of this class.
    #[serde(rename = "2xx")]
    pub status_2xx: u64,
    /// Replies of this class.
    #[serde(rename = "3xx")]
    pub status_3xx: u64,
    /// Replies of this class.
    #[serde(rename = "4xx")]
    pub status_4xx: u64,
    /// Replies of this class.
    #[serde(rename = "5xx")]
    pub status_5xx: u64,
    /// Replies with a status outside 100 to 599.
    pub other_status: u64,
    /// Replies by status code.
    pub status_code_stats: BTreeMap<u16, StatusCount>,
    /// The number of requests in each state.
    pub accounting: Accounting,
    /// Errors by kind.
    pub error_kinds: ErrorKinds,
    /// The first error, in words.
    pub first_error: Option<String>,
    /// Requests per write and replies per read.
    pub bundling: Bundling,
    /// Connections: asked for, open, and the time that they took.
    pub connects: ConnectStats,
    /// The longest time without a reply on any connection, milliseconds; `null` if several workers
    /// have none of 20 ms or longer in common.
    pub longest_silence_ms: Option<f64>,
    /// Its beginning, seconds after the start.
    pub longest_silence_began: Option<f64>,
    /// Mean latency x rate / slots; `null` where the law does not apply.
    pub little_ratio: Option<f64>,
    /// The self-tests.
    pub checks: Vec<Check>,
    /// The judgement of the figures: the sum of the self-tests.
    pub verdict: Verdict,
    /// CPU time of this process, and its own delays.
    pub client: ClientCost,
    /// The course of the run.
    #[serde(skip)]
    pub timeline: Timeline,
    /// `null` in a closed loop.
    pub open_loop: Option<OpenLoop>,
    /// The search that the run was a trial of; `null` without `--find-rate`.
    pub find_rate: Option<FindRateReport>,
    /// The most that this client does here; `null` unless it was asked for.
    pub calibration: Option<Calibration>,
    /// Of this program.
    pub version: String,
}

impl LoadReport {
    /// Replies per second, over the whole run.
    pub fn requests_per_second(&self) -> f64 {
        self.accounting.completed as f64 / self.exact_duration.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Returns true for a run without a result: no reply at all, an amount out of reach, or too
    /// many errors.
    pub fn is_failure(&self) -> bool {
        self.accounting.completed == 0 || self.gave_up || self.bailed_out
    }
}

/// A warm-up that latencies and rates do not include.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WarmUpReport {
    /// Its length.
    pub seconds: f64,
    /// The way in which it was found.
    pub found: WarmUpFound,
}

/// The way in which a warm-up was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum WarmUpFound {
    /// It was asked for, and came before the run: no figure includes it.
    Given,
    /// Its end was found in the run: only latencies and rates leave it out.
    Auto,
    /// Its end was looked for and not found: they leave out the first half of the run.
    Unfinished,
}

/// The course of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The run in tenths of a second.
    pub intervals: Vec<Interval>,
    /// Requests due in each of them; empty in a closed loop.
    pub due: Vec<u64>,
    /// Its start by the clock of the intervals.
    pub started: Time,
    /// Its start by the calendar.
    pub start: SystemTime,
}

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline {
            intervals: Vec::new(),
            due: Vec::new(),
            started: Time::START,
            start: SystemTime::UNIX_EPOCH,
        }
    }
}

/// TLS of a run. The time of connecting includes its handshake.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Tls {
    /// The server's certificate was verified.
    pub verified: bool,
}

/// A rate per second, from windows divided by their real length. The average is the mean over the
/// windows; `total` divided by `duration` is the mean over the run.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the fields are percentiles by name")]
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

/// Replies with one status code.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct StatusCount {
    /// Number of replies.
    pub count: u64,
}

/// Errors by kind. All but the timeouts and the wrong bodies are counted once a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorKinds {
    /// No server listened.
    pub refused: u64,
    /// No connection for another reason.
    pub unreachable: u64,
    /// Reset with requests in flight.
    pub reset: u64,
    /// Closed in order, but with requests in flight.
    pub closed_early: u64,
    /// Requests without a reply in time.
    pub timeout: u64,
    /// Bytes that are no reply.
    pub bad_reply: u64,
    /// Bodies other than the expected one; not part of `errors`.
    pub wrong_body: u64,
    /// The client's own limit: no local port left.
    pub no_local_port: u64,
    /// The client's own limit: no descriptor or memory left.
    pub no_descriptor: u64,
    /// A read or write failed for a reason of its own.
    pub other: u64,
}

/// Requests per write and replies per read.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundling {
    /// Mean.
    pub requests_per_write: f64,
    /// Mean.
    pub replies_per_read: f64,
    /// Connections opened, reconnects included.
    pub connects: u64,
}

/// Connections of a run.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectStats {
    /// Connections that were to be kept open.
    pub asked: usize,
    /// The most that were open at once.
    pub opened: usize,
    /// Time at which that many were open for the first time, milliseconds after the start.
    pub last_after_ms: f64,
    /// From the dial to the open connection.
    pub latency_ms: ConnectLatency,
}

/// Milliseconds; percentiles as those of [`Latency`].
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the fields are percentiles by name")]
pub struct ConnectLatency {
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub max: f64,
}

/// A self-test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// Name of the test.
    pub name: &'static str,
    /// Its result.
    pub result: CheckResult,
    /// The figure that passed, what was found, or why the test says nothing.
    pub detail: String,
    /// The remedy, if it failed and there is one.
    pub advice: Option<String>,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.advice {
            None => f.write_str(&self.detail),
            Some(advice) => write!(f, "{}; {advice}", self.detail),
        }
    }
}

/// The result of a self-test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckResult {
    /// Nothing was found.
    Passed,
    /// A reason for doubt.
    Failed,
    /// It says nothing about this run.
    NotApplicable,
}

/// The judgement of the figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// No reason for doubt was found.
    pub valid: bool,
    /// Reasons for doubt.
    pub reasons: Vec<Warning>,
}

/// The schedule of an open loop.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenLoop {
    /// Requests due per second.
    pub rate: ScheduledRate,
    /// Arrival process: `constant` or `poisson`.
    pub arrivals: &'static str,
    /// Seed of Poisson arrivals.
    pub seed: u64,
    /// From the due time of each sent request to its hand-over.
    pub schedule_lag_ms: ScheduleLag,
}

/// Requests due per second; both ends are equal unless it is a ramp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ScheduledRate {
    /// At the start.
    pub from: f64,
    /// At the end.
    pub to: f64,
}

/// Milliseconds; percentiles as those of [`Latency`].
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the fields are percentiles by name")]
pub struct ScheduleLag {
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub max: f64,
}
