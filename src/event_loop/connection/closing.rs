//! How a connection ends: our side is shut first, and the peer is waited for.

use std::io;
use std::time::Duration;

use super::{Connection, Hint, PeerSide, Phase, Pumped, READS_PER_EVENT_MAX};
use crate::event_loop::{Closed, Protocol, Shared, TimeSource, Transport};

/// Bytes read and thrown away of a finished connection; what follows stays in the kernel.
pub(super) const DRAINED_BYTES_MAX: usize = 256 * 1024;
/// How long a stop waits for the end of a peer that was not being answered.
pub(super) const IDLE_LINGER: Duration = Duration::from_millis(50);

impl<S: Transport, C> Connection<S, C> {
    /// The loop is stopping: answers what has arrived, then finishes. A peer that was just
    /// answered has the linger to close, an idle one `IDLE_LINGER`.
    pub fn stop<P, K>(&mut self, shared: &mut Shared<P, K>) -> Pumped
    where
        P: Protocol<Conn = C>,
        K: TimeSource,
    {
        let reads_before = shared.reads;
        let mut pumped = self.pump(shared, Hint::ReadClosed);
        // Bounded: a peer that sends faster than we read is cut off at a reply's end.
        for _ in 0..READS_PER_EVENT_MAX {
            if !matches!(pumped, Pumped::Again) {
                break;
            }
            pumped = self.pump(shared, Hint::ReadClosed);
        }
        if self.phase != Phase::Open || matches!(pumped, Pumped::Closed(_)) {
            return pumped;
        }
        if self.unsent.is_some() {
            self.phase = Phase::Flushing(PeerSide::MaySend);
            return Pumped::AwaitWritable;
        }
        let pumped = self.shut(PeerSide::MaySend, shared);
        if let (Phase::Draining { until, .. }, true) =
            (&mut self.phase, shared.reads == reads_before)
        {
            *until = shared.now + IDLE_LINGER.min(shared.limits.linger);
        }
        pumped
    }

    /// All is sent: ends our side, and waits for the peer's end if that is still to come.
    pub(super) fn shut<P, K>(&mut self, peer: PeerSide, shared: &Shared<P, K>) -> Pumped {
        if peer == PeerSide::Ended {
            return Pumped::Closed(Closed::Done);
        }
        match self.stream.shutdown_write() {
            Ok(()) => {}
            // The peer's end, which was to be waited for, has come.
            Err(e) if e.kind() == io::ErrorKind::NotConnected => {
                return Pumped::Closed(Closed::Done);
            }
            Err(e) => return Pumped::Closed(Closed::Failed(e)),
        }
        self.phase = Phase::Draining {
            until: shared.now + shared.limits.linger,
            budget_bytes: DRAINED_BYTES_MAX,
        };
        self.drain()
    }

    /// Throws input away until the peer's end. Beyond its share the rest is left unread until the
    /// linger ends: a close would be a reset, and our last reply, if it was lost on its way, would
    /// not be sent again.
    pub(super) fn drain(&mut self) -> Pumped {
        let mut scrap = [0; 8 * 1024];
        let Phase::Draining { budget_bytes, .. } = &mut self.phase else {
            return Pumped::AwaitReadable;
        };
        while *budget_bytes > 0 {
            match self.stream.read(&mut scrap) {
                Ok(0) => return Pumped::Closed(Closed::Done),
                Ok(bytes) => *budget_bytes = budget_bytes.saturating_sub(bytes),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Pumped::AwaitReadable,
                Err(_) => return Pumped::Closed(Closed::Done),
            }
        }
        Pumped::AwaitReadable
    }
}
