//! The client's own part in the results: its cost, its delays, and the most that it can do.

use serde::Serialize;

use super::LoadReport;

/// CPU time of this process, and its own delays.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCost {
    /// User and system time.
    pub cpu_seconds: f64,
    /// Of one core for each worker, 0 to 1.
    pub cpu_share: f64,
    /// Of a core, that of the busiest worker.
    pub busiest_worker_share: f64,
    /// Per complete reply; 0 if there is none.
    pub cpu_micros_per_request: f64,
    /// Work of the event loop between two waits.
    pub turn_ms: TurnLength,
    /// Time from the kernel's receipt of a reply until the client read it, which no latency
    /// includes; `null` without the kernel's stamps, where every latency does.
    pub delay_ms: Option<ClientDelay>,
    /// Time for which the client was ready to run and waited for a core, from before the warm-up to
    /// the end; `null` with several workers, and where the system does not report it.
    pub run_delay_ms: Option<f64>,
    /// Time that the host took from this virtual machine, the sum over its cores; `null` where
    /// the system does not report it.
    pub steal_ms: Option<f64>,
    /// Pauses of the client of 20 ms or longer; the first 1,000 of them.
    pub pauses: Vec<ClientPause>,
    /// Number of all of them.
    pub pause_count: u64,
    /// Their sum.
    pub paused_ms: f64,
}

/// Milliseconds; `None` if it was not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are percentiles by name")]
pub struct TurnLength {
    pub p99: Option<f64>,
    pub max: Option<f64>,
}

/// Milliseconds; a percentile is `None` with too few replies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are percentiles by name")]
pub struct ClientDelay {
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub max: f64,
}

/// A time in which the client did not read what had arrived: it was stopped, or busy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientPause {
    /// Its start, after the start of the run.
    pub start_ms: f64,
    /// Its length. A stop in the middle of a wait may have been longer by up to 10 ms.
    pub ms: f64,
}

/// The same settings as a closed loop, for a second, on a server of our own that has next to no work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Calibration {
    /// Replies per second there.
    pub requests_per_second: f64,
    /// Replies per second of the run, as a share of them.
    pub share: f64,
}

impl Calibration {
    /// The run of `report` beside this rate.
    pub fn of(requests_per_second: f64, report: &LoadReport) -> Calibration {
        Calibration {
            requests_per_second: requests_per_second.round(),
            share: (report.requests_per_second() / requests_per_second * 1e4).round() / 1e4,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_run_is_compared_with_its_calibration() {
        let mut report = LoadReport {
            exact_duration: Duration::from_secs(2),
            ..LoadReport::default()
        };
        report.accounting.completed = 1_000;
        let calibration = Calibration::of(2_999.7, &report);
        assert_eq!(calibration.requests_per_second, 3_000.0);
        // 500 / 2999.7 is 0.16668.
        assert_eq!(calibration.share, 0.1667);
    }
}
