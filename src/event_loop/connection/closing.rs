//! The end of a connection: our write side is shut first, then the peer's end is awaited (a
//! lingering close, RFC 9112 9.6).

use std::io;
use std::time::Duration;

use super::{Connection, ConnectionPhase, Hint, PeerSide, Pumped, READS_PER_EVENT_MAX};
use crate::event_loop::{Closed, Protocol, Shared, Transport};

/// Bytes of a finished connection that are read and discarded; the rest stays in the kernel.
pub(super) const DRAINED_BYTES_MAX: usize = 256 * 1024;
/// Time for which a stop waits for the end of a peer that was not being answered.
pub(super) const IDLE_LINGER: Duration = Duration::from_millis(50);

impl<S: Transport, P: Protocol> Connection<S, P> {
    /// Finishes, because the loop is stopping: answers what has arrived first. A peer that was
    /// just answered has the linger to close, an idle one `IDLE_LINGER`.
    pub fn stop(&mut self, shared: &mut Shared<P>) -> Pumped {
        let reads_before = shared.reads;
        let mut pumped = self.pump(shared, Hint::ReadClosed);
        // Bounded: a peer that sends faster than we read is stopped between two replies.
        for _ in 0..READS_PER_EVENT_MAX {
            if !matches!(pumped, Pumped::Again) {
                break;
            }
            pumped = self.pump(shared, Hint::ReadClosed);
        }
        if self.phase != ConnectionPhase::Open || matches!(pumped, Pumped::Closed(_)) {
            return pumped;
        }
        if self.unsent.is_some() {
            self.phase = ConnectionPhase::Flushing(PeerSide::MaySend);
            return Pumped::Wait;
        }
        let pumped = self.shut(PeerSide::MaySend, shared);
        if let (ConnectionPhase::Draining { until, .. }, true) =
            (&mut self.phase, shared.reads == reads_before)
        {
            *until = shared.now + IDLE_LINGER.min(shared.limits.linger);
        }
        self.invariants(shared);
        pumped
    }

    /// Shuts our write side, since all is sent, and waits for the peer's end if that is still to
    /// come.
    pub(super) fn shut(&mut self, peer: PeerSide, shared: &Shared<P>) -> Pumped {
        if peer == PeerSide::Ended {
            return Pumped::Closed(Closed::Done);
        }
        match self.stream.shutdown_write() {
            Ok(()) => {}
            // The peer's end has come already.
            Err(e) if e.kind() == io::ErrorKind::NotConnected => {
                return Pumped::Closed(Closed::Done);
            }
            Err(e) => return Pumped::Closed(Closed::Failed(e)),
        }
        self.phase = ConnectionPhase::Draining {
            until: shared.now + shared.limits.linger,
            budget_bytes: DRAINED_BYTES_MAX,
        };
        self.drain()
    }

    /// Discards input until the peer's end. Input beyond the bound is left unread until the linger
    /// ends: an earlier close would be a reset, and a last reply that was lost on its way would
    /// not be sent again.
    pub(super) fn drain(&mut self) -> Pumped {
        let mut scrap = [0; 8 * 1024];
        let ConnectionPhase::Draining { budget_bytes, .. } = &mut self.phase else {
            return Pumped::Wait;
        };
        while *budget_bytes > 0 {
            match self.stream.read(&mut scrap) {
                Ok(0) => return Pumped::Closed(Closed::Done),
                Ok(bytes) => *budget_bytes = budget_bytes.saturating_sub(bytes),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Pumped::Wait,
                Err(_) => return Pumped::Closed(Closed::Done),
            }
        }
        Pumped::Wait
    }
}
