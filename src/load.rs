//! `load`: the load generator. Measures a server, and says how far its own figures can be trusted.
//!
//! [`run`] is the top of the job: it finds an address that answers, reads the clocks that a
//! protocol may not read (calendar and CPU time), and lets the loop drive a [`client::LoadClient`].

mod accounting;
pub mod client;
mod connect_check;
mod counters;
pub mod recorder;
pub mod report;
pub mod request;
pub mod schedule;
pub mod statistics;
pub mod table;
pub mod target;
mod verdict;
mod warning;
mod windows;

#[cfg(test)]
mod tests;

pub use connect_check::{ConnectError, probe};
pub use report::LoadReport;
pub use target::Target;
pub use warning::Warning;

use std::io;
use std::time::{Duration, Instant, SystemTime};

use cpu_time::ProcessTime;

use crate::event_loop::{EventLoop, Limits, StopSignal};
use client::LoadClient;
use report::{Circumstances, Cost};

/// A connect that takes longer has failed, however patient the plan is with replies.
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// A validated run.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// Where to send requests.
    pub target: Target,
    /// Connections kept open at once; at least 1.
    pub connections: usize,
    /// Requests in flight on each connection; at least 1.
    pub pipelining: usize,
    /// When to stop.
    pub until: Until,
    /// A request without a reply for so long has timed out.
    pub timeout: Duration,
    /// How a freed slot is used again.
    pub refill: Refill,
    /// Request method.
    pub method: String,
    /// Request fields beyond Host and Connection, or in their place.
    pub fields: Vec<(String, String)>,
    /// Request body; Content-Length is added for it.
    pub body: Vec<u8>,
    /// The body that every reply should have. Without one, bodies are held against the first.
    pub expected_body: Option<Vec<u8>>,
}

/// The connect check lasts no longer than a run for a duration would.
fn check_timeout(plan: &LoadPlan) -> Duration {
    let connect_timeout = plan.timeout.min(CONNECT_TIMEOUT_MAX);
    match plan.until {
        Until::Duration(duration) => connect_timeout.min(duration),
        Until::Amount(_) => connect_timeout,
    }
}

/// When a run stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After this time.
    Duration(Duration),
    /// After so many replies.
    Amount(u64),
}

/// How the slot that a reply has freed is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refill {
    /// Each reply is followed by a request at once; replies read together, by requests sent
    /// together.
    Rolling,
    /// A connection sends its next requests when all of the last are answered.
    Batch,
}

impl Refill {
    /// The word for it in flags and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Refill::Rolling => "rolling",
            Refill::Batch => "batch",
        }
    }
}

/// Live figures of a run under way.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Time since the start.
    pub elapsed: Duration,
    /// Replies so far.
    pub completed: u64,
    /// Errors so far.
    pub errors: u64,
}

/// Why there is no report at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The loop itself failed.
    #[error("the event loop failed: {0}")]
    Loop(#[from] io::Error),
}

/// Runs `plan` to its end, or to `signal`; calls `on_progress` no more than ten times a second.
///
/// # Errors
/// No address of the target answers, or the system gives no poll instance. Anything that goes
/// wrong later is part of the report.
pub fn run(
    plan: &LoadPlan,
    signal: &StopSignal,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<LoadReport, Error> {
    let connect_timeout = plan.timeout.min(CONNECT_TIMEOUT_MAX);
    let peer = connect_check::find_peer(&plan.target, check_timeout(plan), signal)?;
    let limits = Limits {
        connections_max: plan.connections,
        connect_timeout,
        send_timeout: plan.timeout,
        linger: Duration::ZERO,
        grace: Duration::ZERO,
    };
    let mut event_loop = EventLoop::new(LoadClient::new(plan, on_progress), limits, signal)?;
    let address = connect_check::display(&peer);
    event_loop.dial(peer, plan.connections);
    let start = SystemTime::now();
    let (wall_start, cpu_start) = (Instant::now(), ProcessTime::now());
    let outcome = event_loop.run()?.finish();
    Ok(LoadReport::new(
        plan,
        &outcome,
        Circumstances {
            address,
            start,
            finish: SystemTime::now(),
            cost: Cost {
                cpu: cpu_start.elapsed(),
                wall: wall_start.elapsed(),
            },
        },
    ))
}
