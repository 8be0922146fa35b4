//! The cost of a request: of the server with all its descendants, and of the load generator.

use serde::Serialize;

use super::Figure;
use crate::compare::process::resource_usage::Usage;
use crate::compare::statistics::Summary;
use crate::compare::{ContestantRuns, RunFigures};

/// Resource usage of both sides under load.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// The server and its descendants.
    pub server: SideCost,
    /// The load generator.
    pub client: SideCost,
}

/// Resource usage of one side; each part is `null` where the system does not report it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SideCost {
    /// CPU time per reply, user and system.
    pub cpu_micros_per_request: Option<Figure>,
    /// Of that, in user mode.
    pub user_micros_per_request: Option<Figure>,
    /// Of that, in the kernel.
    pub system_micros_per_request: Option<Figure>,
    /// Switches per reply because a thread waited for something.
    pub voluntary_switches_per_request: Option<Figure>,
    /// Switches per reply because another thread was to run.
    pub involuntary_switches_per_request: Option<Figure>,
    /// The most resident memory of all rounds.
    pub peak_memory_bytes: Option<u64>,
    /// Resident memory at the end of a window, median over rounds.
    pub steady_memory_bytes: Option<u64>,
}

impl Cost {
    pub(super) fn of(record: &ContestantRuns) -> Option<Cost> {
        record.runs().next()?;
        Some(Cost {
            server: SideCost::of(record, |run| run.server),
            client: SideCost::of(record, |run| run.client),
        })
    }
}

impl SideCost {
    fn of(record: &ContestantRuns, side: impl Fn(&RunFigures) -> Option<Usage>) -> SideCost {
        let micros = |share: &dyn Fn(Usage) -> Option<f64>| {
            Figure::over_rounds(record, |run| {
                let usage = side(run)?;
                Some(run.per_request_micros(usage.cpu)? * share(usage)?)
            })
        };
        let switches = |of: &dyn Fn(Usage) -> Option<u64>| {
            Figure::over_rounds(record, |run| {
                let count = of(side(run)?)? as f64;
                (run.completed > 0).then(|| count / run.completed as f64)
            })
        };
        let resident = record
            .runs()
            .filter_map(|run| Some(side(run)?.resident_bytes as f64));
        let steady = Summary::of(&resident.collect::<Vec<_>>());
        SideCost {
            cpu_micros_per_request: micros(&|_| Some(1.0)),
            user_micros_per_request: micros(&|usage| Some(1.0 - usage.kernel_share()?)),
            system_micros_per_request: micros(&|usage| usage.kernel_share()),
            voluntary_switches_per_request: switches(&|u| Some(u.detail?.voluntary_switches)),
            involuntary_switches_per_request: switches(&|u| Some(u.detail?.involuntary_switches)),
            peak_memory_bytes: record
                .runs()
                .filter_map(|run| Some(side(run)?.memory_bytes))
                .max(),
            steady_memory_bytes: steady.map(|steady| steady.median as u64),
        }
    }
}
