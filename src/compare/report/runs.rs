//! Each run on its own, for readers who want to evaluate the runs themselves.

use serde::Serialize;

use crate::compare::{ContestantRuns, DuetRatio, Limit, MachineUse, RunFigures};
use crate::load::report::ClientPause;

/// The figures of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// Counted from 1.
    pub round: usize,
    /// Length of the measured window.
    pub seconds: f64,
    /// Replies per second.
    pub requests_per_second: f64,
    /// Median latency in milliseconds.
    pub p50_ms: Option<f64>,
    /// 99th percentile of the latency in milliseconds.
    pub p99_ms: Option<f64>,
    /// Longest latency in milliseconds.
    pub max_ms: f64,
    /// The longest time without a reply on any connection, milliseconds; `null` in a duet.
    pub longest_silence_ms: Option<f64>,
    /// Its beginning, seconds after the start of the window.
    pub longest_silence_began: Option<f64>,
    /// Errors of any kind.
    pub errors: u64,
    /// CPU time of the server per reply.
    pub cpu_micros_per_request: Option<f64>,
    /// Largest resident memory of the server and its descendants.
    pub peak_memory_bytes: Option<u64>,
    /// CPU time of the server, as a share of one core.
    pub server_cpu_share: Option<f64>,
    /// CPU time of the load generator, as a share of one core.
    pub client_cpu_share: f64,
    /// The load generator's own part.
    pub client: RunClient,
    /// The whole machine; `null` if the system does not report it.
    pub machine: Option<MachineUse>,
    /// Ratio by the slices of a duet; `null` without one, and for the reference.
    pub duet: Option<DuetRatio>,
    /// The parts at their limit; empty if there was none.
    pub limits: Vec<Limit>,
}

/// The load generator's own part in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunClient {
    /// Its pauses of 20 ms or longer; none in a duet, which is made of them.
    pub pauses: Vec<ClientPause>,
}

impl RunResult {
    pub(super) fn of_rounds(record: &ContestantRuns) -> Vec<RunResult> {
        let rounds = record.runs.iter().enumerate();
        rounds
            .filter_map(|(round, run)| Some(RunResult::new(round + 1, run.as_ref()?)))
            .collect()
    }

    fn new(round: usize, run: &RunFigures) -> RunResult {
        let silence = run.course.longest_silence;
        RunResult {
            round,
            seconds: run.window.as_secs_f64(),
            requests_per_second: run.requests_per_second(),
            p50_ms: run.p50_ms,
            p99_ms: run.p99_ms,
            max_ms: run.max_ms,
            longest_silence_ms: silence.map(|silence| silence.ms),
            longest_silence_began: silence.map(|silence| silence.began_seconds),
            errors: run.errors,
            cpu_micros_per_request: run.cpu_micros_per_request(),
            peak_memory_bytes: run.server.map(|server| server.memory_bytes),
            server_cpu_share: run.server_cpu_share(),
            client_cpu_share: run.client_cpu_share,
            client: RunClient {
                pauses: run.course.client_pauses.clone(),
            },
            machine: run.machine,
            duet: run.duet,
            limits: run.limits(),
        }
    }
}
