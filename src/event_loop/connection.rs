//! A connection: a stream, what its protocol remembers of it, and its unsent bytes.
//!
//! [`Connection::pump`] is the whole of a connection's life between two events, and it is generic
//! over the stream, so that it is tested on scripted ones. Its order is its correctness: *flush,
//! then read*. A peer that does not take our replies is not read from (unless the protocol is a
//! client's), so nobody has to remember that reading was paused, and nobody can forget to ask for a
//! writable event.

mod closing;

use std::io;

use super::clock::TimeSource;
use super::shared::{READ_BUFFER_BYTES, Shared};
use super::stream::Transport;
use super::write_queue::Flushed;
use super::{Closed, Flow, Protocol, Time, WriteQueue};

/// Reads one event may cause before the connection goes to the back of the line.
const READS_PER_EVENT_MAX: usize = 4;
/// No message that can draw a reply of its own is shorter.
const MESSAGE_BYTES_MIN: usize = 16;
/// Bound on the runs in a write queue, by arithmetic: only what one read asked for is ever
/// queued, since a server's connection with a residue is not read from. A client's bound is its
/// requests in flight.
const QUEUED_RUNS_MAX: usize = READ_BUFFER_BYTES / MESSAGE_BYTES_MIN;

/// What a readiness event says beyond "look".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A short read will have emptied the socket.
    Ready,
    /// The peer may have closed its side: only a read of 0 or `WouldBlock` is the end.
    ReadClosed,
}

/// What the loop is to do for a connection after a pump.
#[derive(Debug)]
pub enum Pumped {
    /// Wait until there is something to read.
    AwaitReadable,
    /// Wait until there is room to write.
    AwaitWritable,
    /// There may be more to read, but it was others' turn: look at it again after them.
    Again,
    /// Drop it.
    Closed(Closed),
}

/// An open connection.
#[derive(Debug)]
pub struct Connection<S, C> {
    stream: S,
    conn: C,
    phase: Phase,
    /// Absent unless the kernel refused bytes.
    unsent: Option<Box<Unsent>>,
}

/// Where a connection is on its way to its close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Messages are read and answered.
    Open,
    /// Nothing is read; what is owed is being sent.
    Flushing(PeerSide),
    /// All is sent and our write side is shut; input is thrown away until the peer closes, so
    /// that no reset destroys a reply on its way (RFC 9112 9.6).
    Draining { until: Time, budget_bytes: usize },
}

/// Whether the peer may send more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PeerSide {
    MaySend,
    Ended,
}

#[derive(Debug)]
struct Unsent {
    queue: WriteQueue,
    /// Since when the connection has not been read from.
    paused_at: Time,
    /// When the kernel last took some of it.
    progress_at: Time,
}

impl<S: Transport, C> Connection<S, C> {
    /// A connection that has just been opened, and what is to be done for it.
    pub fn open<P, K>(stream: S, shared: &mut Shared<P, K>) -> (Connection<S, C>, Pumped)
    where
        P: Protocol<Conn = C>,
        K: TimeSource,
    {
        let now = shared.received_at();
        let conn = shared.protocol.opened(now, &mut shared.queue);
        let mut connection = Connection {
            stream,
            conn,
            phase: Phase::Open,
            unsent: None,
        };
        let pumped = match connection.catch_up(Pumped::AwaitReadable, now, shared) {
            Pumped::AwaitReadable if connection.is_blocked() => Pumped::AwaitWritable,
            pumped => pumped,
        };
        (connection, pumped)
    }

    /// Does all that can be done now: flushes, then reads, answers and writes. Harmless if there
    /// is in fact nothing to do, so stale and spurious events need no care.
    pub fn pump<P, K>(&mut self, shared: &mut Shared<P, K>, hint: Hint) -> Pumped
    where
        P: Protocol<Conn = C>,
        K: TimeSource,
    {
        debug_assert!(shared.queue.is_empty());
        match self.flush_unsent(shared) {
            Ok(Flushed::Drained) => {}
            Ok(Flushed::Blocked) if P::READS_WHILE_BLOCKED && self.phase == Phase::Open => {}
            Ok(Flushed::Blocked) => return Pumped::AwaitWritable,
            Err(e) => return Pumped::Closed(Closed::Failed(e)),
        }
        match self.phase {
            Phase::Open => match self.receive(shared, hint) {
                Pumped::AwaitReadable if self.is_blocked() => Pumped::AwaitWritable,
                pumped => pumped,
            },
            Phase::Flushing(peer) => self.shut(peer, shared),
            Phase::Draining { .. } => self.drain(),
        }
    }

    /// When [`Connection::overdue`] is to be called.
    pub fn deadline<P, K>(&self, shared: &Shared<P, K>) -> Time
    where
        P: Protocol<Conn = C>,
    {
        match (&self.unsent, self.phase) {
            (Some(unsent), _) => unsent.progress_at + shared.limits.send_timeout,
            (None, Phase::Draining { until, .. }) => until,
            (None, Phase::Open | Phase::Flushing(_)) => shared.protocol.deadline(&self.conn),
        }
    }

    /// The deadline has passed.
    pub fn overdue<P, K>(&mut self, shared: &mut Shared<P, K>) -> Pumped
    where
        P: Protocol<Conn = C>,
        K: TimeSource,
    {
        match (&self.unsent, self.phase) {
            (Some(_), _) => Pumped::Closed(Closed::Stalled),
            (None, Phase::Open) => {
                let now = shared.now;
                let flow = shared
                    .protocol
                    .overdue(&mut self.conn, now, &mut shared.queue);
                self.settle(flow, PeerSide::MaySend, shared)
                    .unwrap_or(Pumped::AwaitReadable)
            }
            (None, Phase::Flushing(_) | Phase::Draining { .. }) => Pumped::Closed(Closed::Done),
        }
    }

    /// Whether the kernel has refused bytes that are still to be sent.
    pub fn is_blocked(&self) -> bool {
        self.unsent.is_some()
    }

    /// The stream, for registering it.
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream and the protocol's part, when the connection is gone.
    pub fn into_parts(self) -> (S, C) {
        (self.stream, self.conn)
    }

    /// Reads, lets the protocol answer all that was read, and sends the answers at once.
    fn receive<P, K>(&mut self, shared: &mut Shared<P, K>, hint: Hint) -> Pumped
    where
        P: Protocol<Conn = C>,
        K: TimeSource,
    {
        let mut now = shared.now;
        for _ in 0..READS_PER_EVENT_MAX {
            let bytes = match self.stream.read(&mut shared.read_buffer) {
                Ok(bytes) => bytes,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    return self.catch_up(Pumped::AwaitReadable, now, shared);
                }
                Err(e) => return Pumped::Closed(Closed::Failed(e)),
            };
            now = shared.received_at();
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
                let received = &shared.read_buffer[..bytes];
                let flow = shared.protocol.received(conn, received, now, queue);
                (flow, PeerSide::MaySend)
            };
            if let Some(pumped) = self.settle(flow, peer, shared) {
                return pumped;
            }
            if bytes < READ_BUFFER_BYTES {
                match after_short_read(hint) {
                    ShortRead::Drained => {
                        return self.catch_up(Pumped::AwaitReadable, now, shared);
                    }
                    ShortRead::LookAgain => return self.catch_up(Pumped::Again, now, shared),
                    ShortRead::ReadOn => {}
                }
            }
        }
        self.catch_up(Pumped::Again, now, shared)
    }

    /// All that is to be read for now was received, and the peer's end was not among it: lets the
    /// protocol speak. `then` is what is to be done next.
    #[inline]
    fn catch_up<P, K>(&mut self, then: Pumped, now: Time, shared: &mut Shared<P, K>) -> Pumped
    where
        P: Protocol<Conn = C>,
        K: TimeSource,
    {
        let (conn, queue) = (&mut self.conn, &mut shared.queue);
        match shared.protocol.caught_up(conn, now, queue) {
            Flow::Keep if shared.queue.is_empty() => then,
            flow => self.settle(flow, PeerSide::MaySend, shared).unwrap_or(then),
        }
    }

    /// Sends what the protocol queued and does what it decided; `None` if the connection is
    /// still open and to be read from.
    fn settle<P, K>(
        &mut self,
        flow: Flow,
        peer: PeerSide,
        shared: &mut Shared<P, K>,
    ) -> Option<Pumped>
    where
        P: Protocol<Conn = C>,
        K: TimeSource,
    {
        match flow {
            Flow::Keep => {}
            Flow::Finish => self.phase = Phase::Flushing(peer),
            Flow::Abort => {
                shared.queue.clear();
                return Some(Pumped::Closed(Closed::Done));
            }
        }
        match self.send_queued(shared) {
            Ok(Flushed::Drained) if flow == Flow::Finish => Some(self.shut(peer, shared)),
            Ok(Flushed::Drained) => None,
            Ok(Flushed::Blocked) if P::READS_WHILE_BLOCKED && flow == Flow::Keep => None,
            Ok(Flushed::Blocked) => Some(Pumped::AwaitWritable),
            Err(e) => Some(Pumped::Closed(Closed::Failed(e))),
        }
    }

    /// Sends the lent queue; what the kernel refuses moves into the connection.
    fn send_queued<P, K>(&mut self, shared: &mut Shared<P, K>) -> io::Result<Flushed>
    where
        P: Protocol<Conn = C>,
    {
        debug_assert!(shared.queue.len_runs() <= QUEUED_RUNS_MAX);
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
    fn flush_unsent<P, K>(&mut self, shared: &mut Shared<P, K>) -> io::Result<Flushed>
    where
        P: Protocol<Conn = C>,
        K: TimeSource,
    {
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
}

/// What a read that did not fill the buffer means.
enum ShortRead {
    Drained,
    LookAgain,
    ReadOn,
}

/// On epoll and kqueue a short read has emptied the socket, and whatever arrives later is a new
/// edge (epoll(7)); but an end that was already there is not, so it has to be read. Windows arms
/// nothing after a short read: there the loop registers again, which costs no system call.
fn after_short_read(hint: Hint) -> ShortRead {
    match hint {
        Hint::ReadClosed => ShortRead::ReadOn,
        Hint::Ready if cfg!(windows) => ShortRead::LookAgain,
        Hint::Ready => ShortRead::Drained,
    }
}

#[cfg(test)]
mod tests;
