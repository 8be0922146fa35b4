//! `load`: the load generator. Measures a server, and says how far its own figures can be trusted.

pub mod report;
pub mod target;

pub use report::Report;
pub use target::Target;

use std::time::Duration;

use crate::event_loop::StopSignal;

/// A validated run.
#[derive(Clone, Debug)]
pub struct Plan {
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
    /// Each reply is followed by a request at once.
    Rolling,
    /// A connection sends its next requests when all of the last are answered.
    Batch,
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
pub enum Error {}

/// Runs `plan` to its end, or to `signal`; calls `on_progress` no more than ten times a second.
pub fn run(
    _plan: &Plan,
    _signal: &StopSignal,
    _on_progress: &mut dyn FnMut(Progress),
) -> Result<Report, Error> {
    todo!()
}
