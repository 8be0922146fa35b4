//! Bounds and timeouts of a loop's connections.

use std::time::Duration;

/// Bounds and timeouts of a loop's connections.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Accepted connections beyond this wait in the kernel's backlog.
    pub connections_max: usize,
    /// A dialled connection that is not open by then is [`super::Closed::NotConnected`].
    pub connect_timeout: Duration,
    /// A peer that takes nothing of what is queued for so long is [`super::Closed::Stalled`].
    pub send_timeout: Duration,
    /// How long a finished connection is drained, so that the peer reads our last reply.
    pub linger: Duration,
    /// How long a stop waits for replies that are owed. Zero: not at all.
    pub grace: Duration,
}
