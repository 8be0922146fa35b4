//! State that the connections of one loop share: the protocol, the clock, the buffers.

use super::kernel::ShortRead;
use super::{Clock, ClockRead, ConnectionLimits, Protocol, Time, WriteQueue};

/// Size of the read buffer. There is one for all connections of a loop, so it stays in the cache,
/// and an idle connection owns no buffer.
pub const READ_BUFFER_BYTES: usize = 64 * 1024;

/// State that the connections of one loop share.
#[derive(Debug)]
pub struct Shared<P> {
    /// The protocol of the connections.
    pub protocol: P,
    /// Bounds and timeouts of connections.
    pub limits: ConnectionLimits,
    /// Time at which this turn's events were fetched.
    pub now: Time,
    pub(super) clock: Clock,
    pub(super) short_read: ShortRead,
    pub(super) read_buffer: Box<[u8]>,
    /// Reads that returned bytes, on all connections.
    pub(super) reads: u64,
    /// Lent to the connection that is being pumped; empty between two pumps.
    pub(super) queue: WriteQueue,
}

impl<P: Protocol> Shared<P> {
    /// Shared state with a read buffer of [`READ_BUFFER_BYTES`].
    pub fn new(
        protocol: P,
        limits: ConnectionLimits,
        clock: Clock,
        short_read: ShortRead,
    ) -> Shared<P> {
        Shared {
            protocol,
            limits,
            now: clock.now(),
            clock,
            short_read,
            read_buffer: vec![0; READ_BUFFER_BYTES].into_boxed_slice(),
            reads: 0,
            queue: WriteQueue::new(),
        }
    }

    /// Time to stamp received bytes with.
    #[inline]
    pub(super) fn received_at(&self) -> Time {
        match P::CLOCK_READ {
            ClockRead::PerTurn => self.now,
            ClockRead::PerRead => self.clock.now(),
        }
    }
}
