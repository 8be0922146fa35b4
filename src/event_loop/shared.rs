//! What the connections of one loop share: the protocol, the clock, the buffers.

use super::clock::TimeSource;
use super::{ClockRead, Limits, Protocol, Time, WriteQueue};

/// What all connections of a loop read into: one buffer, hot in the cache. A connection that
/// has nothing to say owns no buffer.
pub const READ_BUFFER_BYTES: usize = 64 * 1024;
/// What the connections of one loop share.
#[derive(Debug)]
pub struct Shared<P, K> {
    /// What the connections are for.
    pub protocol: P,
    /// The clock.
    pub clock: K,
    /// The time at which this turn's events were fetched.
    pub now: Time,
    /// What connections are allowed.
    pub limits: Limits,
    pub(super) read_buffer: Box<[u8]>,
    /// Reads that returned bytes, on all connections.
    pub(super) reads: u64,
    /// Lent to the connection that is being pumped; empty between two pumps.
    pub(super) queue: WriteQueue,
}

impl<P: Protocol, K: TimeSource> Shared<P, K> {
    /// Shared state with a read buffer of [`READ_BUFFER_BYTES`].
    pub fn new(protocol: P, clock: K, limits: Limits) -> Shared<P, K> {
        Shared {
            protocol,
            now: clock.now(),
            clock,
            limits,
            read_buffer: vec![0; READ_BUFFER_BYTES].into_boxed_slice(),
            reads: 0,
            queue: WriteQueue::new(),
        }
    }

    /// The time to stamp received bytes with.
    pub(super) fn received_at(&self) -> Time {
        match P::CLOCK_READ {
            ClockRead::PerTurn => self.now,
            ClockRead::PerRead => self.clock.now(),
        }
    }
}
