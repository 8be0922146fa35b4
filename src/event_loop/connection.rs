//! A connection: a stream, its protocol's state, and its unsent bytes.
//!
//! [`Connection::pump`] does everything between two events. It is generic over the stream, so that
//! it is tested on scripted ones. It *flushes first, then reads*: a peer that does not take our
//! replies is not read from (unless the protocol is a client's). No flag says that reading is
//! paused, and a connection with unsent bytes always waits for a writable event.

mod closing;

use std::io;

use super::kernel::{ShortRead, Transport};
use super::shared::{READ_BUFFER_BYTES, Shared};
use super::write_queue::Flushed;
use super::{Closed, Flow, Protocol, Time, WriteQueue};

/// Reads for one event; after them the other connections come first.
const READS_PER_EVENT_MAX: usize = 4;
/// Length of the shortest message that draws a reply of its own.
const MESSAGE_BYTES_MIN: usize = 16;
/// Bound on the runs in a write queue: the replies to one read, since a server's connection with
/// unsent bytes is not read from. A client's bound is its requests in flight.
pub const QUEUED_RUNS_MAX: usize = READ_BUFFER_BYTES / MESSAGE_BYTES_MIN;

/// Hint of a readiness event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A short read will have emptied the socket.
    Ready,
    /// The peer may have closed its side: only a read of 0 or `WouldBlock` is the end.
    ReadClosed,
}

/// Result of a pump.
#[derive(Debug)]
pub enum Pumped {
    /// Everything that is possible now was done: wait for room to write if the connection is
    /// [blocked](Connection::is_blocked), otherwise for something to read.
    Wait,
    /// There may be more to read: pump again after the other connections.
    Again,
    /// Drop the connection.
    Closed(Closed),
}

/// An open connection.
pub struct Connection<S, P: Protocol> {
    stream: S,
    conn: P::Conn,
    phase: ConnectionPhase,
    /// Absent unless the kernel refused bytes.
    unsent: Option<Box<Unsent>>,
}

/// Phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnectionPhase {
    /// Messages are read and answered.
    Open,
    /// Nothing is read; the outstanding replies are being sent.
    Flushing(PeerSide),
    /// All is sent and our write side is shut; input is discarded until the peer closes, so that
    /// no reset destroys a reply on its way (RFC 9112 9.6).
    Draining { until: Time, budget_bytes: usize },
}

/// The peer's side of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PeerSide {
    MaySend,
    Ended,
}

#[derive(Debug)]
struct Unsent {
    queue: WriteQueue,
    /// Time since which the connection has not been read from.
    paused_at: Time,
    /// Time at which the kernel last took some of it.
    progress_at: Time,
}

impl Unsent {
    /// Time at which the kernel has taken none of it for too long.
    fn stalled_at<P>(&self, shared: &Shared<P>) -> Time {
        self.progress_at + shared.limits.send_timeout
    }
}

impl<S: Transport, P: Protocol> Connection<S, P> {
    /// A connection that has just been opened, and the result of its first pump.
    pub fn open(stream: S, shared: &mut Shared<P>) -> (Connection<S, P>, Pumped) {
        let now = shared.received_at();
        let conn = shared.protocol.opened(now, &mut shared.queue);
        let mut connection = Connection {
            stream,
            conn,
            phase: ConnectionPhase::Open,
            unsent: None,
        };
        let pumped = connection.catch_up(Pumped::Wait, now, shared);
        connection.invariants(shared);
        (connection, pumped)
    }

    /// Flushes, then reads, answers and writes, as far as possible now. Harmless if there is
    /// nothing to do, so stale and spurious events need no care.
    #[inline]
    pub fn pump(&mut self, shared: &mut Shared<P>, hint: Hint) -> Pumped {
        let pumped = match self.flush_unsent(shared) {
            Ok(Flushed::Blocked)
                if !P::READS_WHILE_BLOCKED || self.phase != ConnectionPhase::Open =>
            {
                Pumped::Wait
            }
            Ok(Flushed::Drained | Flushed::Blocked) => match self.phase {
                ConnectionPhase::Open => self.receive(shared, hint),
                ConnectionPhase::Flushing(peer) => self.shut(peer, shared),
                ConnectionPhase::Draining { .. } => self.drain(),
            },
            Err(e) => Pumped::Closed(Closed::Failed(e)),
        };
        self.invariants(shared);
        pumped
    }

    /// Time at which to call [`Connection::overdue`].
    #[inline]
    pub fn deadline(&self, shared: &Shared<P>) -> Time {
        match (&self.unsent, self.phase) {
            (Some(unsent), ConnectionPhase::Open) if P::READS_WHILE_BLOCKED => {
                let stalled_at = unsent.stalled_at(shared);
                stalled_at.min(shared.protocol.deadline(&self.conn))
            }
            (Some(unsent), _) => unsent.stalled_at(shared),
            (None, ConnectionPhase::Draining { until, .. }) => until,
            (None, ConnectionPhase::Open | ConnectionPhase::Flushing(_)) => {
                shared.protocol.deadline(&self.conn)
            }
        }
    }

    /// The deadline has passed.
    pub fn overdue(&mut self, shared: &mut Shared<P>) -> Pumped {
        let pumped = match (&self.unsent, self.phase) {
            (Some(unsent), ConnectionPhase::Open)
                if P::READS_WHILE_BLOCKED && shared.now < unsent.stalled_at(shared) =>
            {
                self.protocol_overdue(shared)
            }
            (Some(_), _) => self.overdue_unsent(shared),
            (None, ConnectionPhase::Open) => self.protocol_overdue(shared),
            (None, ConnectionPhase::Flushing(_) | ConnectionPhase::Draining { .. }) => {
                Pumped::Closed(Closed::Done)
            }
        };
        self.invariants(shared);
        pumped
    }

    /// Gives up a peer that took nothing. The kernel reports room only when there is plenty: a slow
    /// peer may have taken some without an event.
    fn overdue_unsent(&mut self, shared: &mut Shared<P>) -> Pumped {
        let unsent_bytes = |unsent: &Unsent| unsent.queue.len_bytes();
        let before = self.unsent.as_deref().map(unsent_bytes);
        match self.flush_unsent(shared) {
            Ok(_) if self.unsent.as_deref().map(unsent_bytes) == before => {
                Pumped::Closed(Closed::Stalled)
            }
            Ok(_) => self.pump(shared, Hint::Ready),
            Err(e) => Pumped::Closed(Closed::Failed(e)),
        }
    }

    fn protocol_overdue(&mut self, shared: &mut Shared<P>) -> Pumped {
        let (conn, now) = (&mut self.conn, shared.now);
        let flow = shared.protocol.overdue(conn, now, &mut shared.queue);
        self.settle(flow, PeerSide::MaySend, shared)
            .unwrap_or(Pumped::Wait)
    }

    /// Lets the protocol send what is due now.
    pub fn send_due(&mut self, shared: &mut Shared<P>) -> Pumped {
        let pumped = match self.phase {
            ConnectionPhase::Open => {
                let now = shared.received_at();
                self.catch_up(Pumped::Wait, now, shared)
            }
            ConnectionPhase::Flushing(_) | ConnectionPhase::Draining { .. } => Pumped::Wait,
        };
        self.invariants(shared);
        pumped
    }

    /// Returns true while the kernel refuses bytes that are still to be sent.
    pub fn is_blocked(&self) -> bool {
        self.unsent.is_some()
    }

    /// The stream, for registering it.
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream and the protocol's state, when the connection is gone.
    pub fn into_parts(self) -> (S, P::Conn) {
        (self.stream, self.conn)
    }

    /// Reads, lets the protocol answer all that was read, and sends the answers at once.
    fn receive(&mut self, shared: &mut Shared<P>, hint: Hint) -> Pumped {
        let mut now = shared.now;
        for _ in 0..READS_PER_EVENT_MAX {
            let bytes = match self.stream.read(&mut shared.read_buffer) {
                Ok(bytes) => bytes,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    return self.catch_up(Pumped::Wait, now, shared);
                }
                Err(e) => return Pumped::Closed(Closed::Failed(e)),
            };
            now = shared.received_at();
            if let Some(pumped) = self.take(bytes, now, shared) {
                return pumped;
            }
            // After a hint of the peer's end, only a read of 0 or WouldBlock is the end.
            if bytes < READ_BUFFER_BYTES && hint == Hint::Ready {
                let then = match shared.short_read {
                    ShortRead::Drained => Pumped::Wait,
                    // The loop registers again, which costs no system call on Windows.
                    ShortRead::NotArmed => Pumped::Again,
                };
                return self.receive_held(then, now, shared);
            }
        }
        self.receive_held(Pumped::Again, now, shared)
    }

    /// Takes what the reads of this event left in the stream, so that the next event comes with the
    /// next byte. TLS leaves at most the records of one read.
    #[inline]
    fn receive_held(&mut self, then: Pumped, now: Time, shared: &mut Shared<P>) -> Pumped {
        match self.stream.read_held(&mut shared.read_buffer) {
            None => self.catch_up(then, now, shared),
            Some(held) => self.take_held(held, then, shared),
        }
    }

    /// Takes held bytes until none are left; the first of them are in the read buffer.
    // Only TLS holds bytes: kept out of the path of other streams.
    #[inline(never)]
    fn take_held(
        &mut self,
        mut held: io::Result<usize>,
        then: Pumped,
        shared: &mut Shared<P>,
    ) -> Pumped {
        loop {
            let bytes = match held {
                Ok(bytes) => bytes,
                Err(e) => return Pumped::Closed(Closed::Failed(e)),
            };
            let now = shared.received_at();
            if let Some(pumped) = self.take(bytes, now, shared) {
                return pumped;
            }
            held = match self.stream.read_held(&mut shared.read_buffer) {
                Some(held) => held,
                None => return self.catch_up(then, now, shared),
            };
        }
    }

    /// Lets the protocol answer the first bytes of the read buffer, and sends the answers. `None` if
    /// the connection is to be read from further; 0 bytes are the peer's end.
    // The compiler does not inline it by itself, because held bytes are taken too.
    #[inline(always)]
    fn take(&mut self, bytes: usize, now: Time, shared: &mut Shared<P>) -> Option<Pumped> {
        let (conn, queue) = (&mut self.conn, &mut shared.queue);
        let (flow, peer) = if bytes == 0 {
            let flow = match shared.protocol.ended(conn, now, queue) {
                Flow::Abort => Flow::Abort,
                // There is nothing left to keep it open for.
                Flow::Finish | Flow::Keep => Flow::Finish,
            };
            (flow, PeerSide::Ended)
        } else {
            shared.reads += 1;
            if P::TIMES_ARRIVALS
                && let Some(stamp) = self.stream.receive_stamp()
            {
                shared.protocol.arrived(shared.clock.time_of(stamp));
            }
            let received = &shared.read_buffer[..bytes];
            let flow = shared.protocol.received(conn, received, now, queue);
            (flow, PeerSide::MaySend)
        };
        self.settle(flow, peer, shared)
    }

    /// All that is to be read for now was received, without the peer's end: lets the protocol
    /// send something new. Returns `then` if the connection stays open.
    #[inline]
    fn catch_up(&mut self, then: Pumped, now: Time, shared: &mut Shared<P>) -> Pumped {
        let (conn, queue) = (&mut self.conn, &mut shared.queue);
        let flow = shared.protocol.caught_up(conn, now, queue);
        self.settle(flow, PeerSide::MaySend, shared).unwrap_or(then)
    }

    /// Sends what the protocol queued and acts on its decision; `None` if the connection stays
    /// open and is to be read from.
    fn settle(&mut self, flow: Flow, peer: PeerSide, shared: &mut Shared<P>) -> Option<Pumped> {
        match flow {
            Flow::Keep if shared.queue.is_empty() => return None,
            Flow::Keep => {}
            Flow::Finish => self.phase = ConnectionPhase::Flushing(peer),
            Flow::Abort => {
                shared.queue.clear();
                return Some(Pumped::Closed(Closed::Done));
            }
        }
        match self.send_queued(shared) {
            Ok(Flushed::Drained) if flow == Flow::Finish => Some(self.shut(peer, shared)),
            Ok(Flushed::Drained) => None,
            Ok(Flushed::Blocked) if P::READS_WHILE_BLOCKED && flow == Flow::Keep => None,
            Ok(Flushed::Blocked) => Some(Pumped::Wait),
            Err(e) => Some(Pumped::Closed(Closed::Failed(e))),
        }
    }

    /// Sends the lent queue; what the kernel refuses moves into the connection.
    fn send_queued(&mut self, shared: &mut Shared<P>) -> io::Result<Flushed> {
        let unsent = match &mut self.unsent {
            Some(unsent) => {
                // What already waits goes first.
                unsent.queue.append(&mut shared.queue);
                unsent
            }
            None => match shared.queue.flush(&mut self.stream) {
                Ok(Flushed::Drained) => return Ok(Flushed::Drained),
                Ok(Flushed::Blocked) => self.unsent.insert(Box::new(Unsent {
                    queue: std::mem::take(&mut shared.queue),
                    paused_at: shared.now,
                    progress_at: shared.now,
                })),
                Err(e) => {
                    shared.queue.clear();
                    return Err(e);
                }
            },
        };
        let bytes = unsent.queue.len_bytes();
        shared.protocol.unsent(&mut self.conn, bytes, shared.now);
        Ok(Flushed::Blocked)
    }

    /// Sends what the kernel refused before.
    fn flush_unsent(&mut self, shared: &mut Shared<P>) -> io::Result<Flushed> {
        let Some(unsent) = &mut self.unsent else {
            return Ok(Flushed::Drained);
        };
        let now = shared.received_at();
        let before_bytes = unsent.queue.len_bytes();
        let flushed = unsent.queue.flush(&mut self.stream)?;
        let bytes = unsent.queue.len_bytes();
        if bytes < before_bytes {
            shared.protocol.unsent(&mut self.conn, bytes, now);
        }
        match flushed {
            Flushed::Drained => {
                let paused = shared.now - unsent.paused_at;
                self.unsent = None;
                shared.protocol.resumed(&mut self.conn, paused);
            }
            Flushed::Blocked if bytes < before_bytes => {
                unsent.progress_at = shared.now;
            }
            Flushed::Blocked => {}
        }
        Ok(flushed)
    }

    #[inline]
    fn invariants(&self, shared: &Shared<P>) {
        debug_assert!(shared.queue.is_empty(), "a queue was left to the next");
        if let Some(unsent) = &self.unsent {
            debug_assert!(!unsent.queue.is_empty(), "blocked without unsent bytes");
            debug_assert!(unsent.paused_at <= unsent.progress_at);
            debug_assert!(unsent.queue.len_runs() <= QUEUED_RUNS_MAX || P::READS_WHILE_BLOCKED);
            debug_assert!(!matches!(self.phase, ConnectionPhase::Draining { .. }));
        }
    }
}

#[cfg(test)]
mod tests;
