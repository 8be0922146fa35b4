//! Bounds and timeouts of a loop's connections.

use std::time::Duration;

/// Limits of a loop's connections.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Open connections at once; further ones wait in the kernel's backlog.
    pub connections_max: usize,
    /// Time limit for a peer that takes nothing of what is queued ([`super::Closed::Stalled`]).
    pub send_timeout: Duration,
    /// Time for which the input of a finished connection is discarded, so that the peer reads our
    /// last reply.
    pub linger: Duration,
    /// Time limit for sending the outstanding replies at a stop. Zero: none are sent.
    pub grace: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> ConnectionLimits {
        ConnectionLimits {
            connections_max: 1_000,
            send_timeout: Duration::from_secs(30),
            linger: Duration::from_secs(1),
            grace: Duration::from_secs(4),
        }
    }
}
