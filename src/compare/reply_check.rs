//! The check of a contestant's reply before it is measured: the load generator itself sends a few
//! requests, so that what is checked is what is measured.
//!
//! Equal requests have equal replies, so replies in the wrong order cannot be detected. Requests on
//! one connection that are not answered can be.

use std::time::Duration;

use serde::Serialize;

use crate::event_loop::StopSignal;
use crate::load::{self, LoadPlan, LoadReport, Refill, Until};

/// Time limit for each reply; a slower server is measured without this check.
const TIMEOUT_MAX: Duration = Duration::from_secs(1);
/// Requests sent at once on one connection.
const PIPELINED: usize = 3;

/// A contestant's reply, and what becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplyFacts {
    /// Status code.
    pub status: u16,
    /// Length of the reply, head and body.
    pub bytes: u64,
    /// A second request was answered on the same connection.
    pub keeps_alive: bool,
    /// Three requests sent at once on one connection were each answered on it.
    pub pipelines: bool,
}

/// Asks the target of `plan` for a few replies; `None` if it gives none in time.
pub fn check(plan: &LoadPlan, signal: &StopSignal) -> Option<ReplyFacts> {
    let one_by_one = ask(plan, 2, 1, signal)?;
    let pipelined = ask(plan, PIPELINED, PIPELINED, signal);
    let replies = one_by_one.accounting.completed;
    let status = one_by_one.status_code_stats.keys().next()?;
    Some(ReplyFacts {
        status: *status,
        bytes: one_by_one.throughput.total / replies,
        keeps_alive: all_on_one_connection(&one_by_one, 2),
        pipelines: pipelined.is_some_and(|report| all_on_one_connection(&report, PIPELINED)),
    })
}

fn ask(
    plan: &LoadPlan,
    requests: usize,
    pipelining: usize,
    signal: &StopSignal,
) -> Option<LoadReport> {
    let plan = LoadPlan {
        connections: 1,
        pipelining,
        until: Until::Amount(requests as u64),
        timeout: plan.timeout.min(TIMEOUT_MAX),
        refill: Refill::Batch,
        // An amount has no schedule.
        open_loop: None,
        ..plan.clone()
    };
    let report = load::run(&plan, signal, &mut |_| {}).ok()?;
    (report.accounting.completed > 0).then_some(report)
}

fn all_on_one_connection(report: &LoadReport, requests: usize) -> bool {
    report.accounting.completed == requests as u64
        && report.errors == 0
        && report.bundling.connects == 1
}
