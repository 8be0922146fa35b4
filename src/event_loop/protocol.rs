//! What connections are for. Pure: bytes and times in, bytes and a decision out.

use std::io;
use std::time::{Duration, SystemTime};

use super::{Time, WriteQueue};

/// What the connections of one loop are for: a server, or a load generator.
///
/// A protocol sees bytes and times, never a socket or a clock. It decides by what it returns;
/// only the loop reads, writes and closes.
pub trait Protocol {
    /// What a connection remembers between two reads: a parser's few words, what is in flight.
    /// It should own no buffer while it is idle.
    type Conn;

    /// How fresh the `now` of [`Protocol::received`] has to be.
    const CLOCK_READ: ClockRead = ClockRead::PerTurn;

    /// Whether a peer that does not take what is queued is read from all the same. A server that
    /// did so would queue replies without bound; a client that did not would wait for ever for a
    /// server that has to send its reply before it takes the next request.
    const READS_WHILE_BLOCKED: bool = false;

    /// A connection is open. [`Protocol::caught_up`] follows before anything is read.
    fn opened(&mut self, now: Time, out: &mut WriteQueue) -> Self::Conn;

    /// A dialled connection is about to be opened, this long after it was first dialled.
    fn dialled(&mut self, _took: Duration) {}

    /// Bytes arrived: many messages, or a part of one. They are gone after the call.
    fn received(
        &mut self,
        conn: &mut Self::Conn,
        bytes: &[u8],
        now: Time,
        out: &mut WriteQueue,
    ) -> Flow;

    /// All that had arrived was received, and the peer has not ended: the time to send something
    /// new, or to close a connection that has no work. A server sends nothing unasked.
    fn caught_up(&mut self, _conn: &mut Self::Conn, _now: Time, _out: &mut WriteQueue) -> Flow {
        Flow::Keep
    }

    /// The peer will send no more. It may still be reading (half-close).
    fn ended(&mut self, conn: &mut Self::Conn, now: Time, out: &mut WriteQueue) -> Flow;

    /// When [`Protocol::overdue`] is to be called, unless something happens before.
    /// [`Time::NEVER`] for no deadline. Kept to within [`super::TICK`], never early.
    fn deadline(&self, conn: &Self::Conn) -> Time;

    /// The deadline has passed.
    fn overdue(&mut self, conn: &mut Self::Conn, now: Time, out: &mut WriteQueue) -> Flow;

    /// The kernel had no room: `bytes` of what was queued are still to be handed over. Called
    /// whenever that number changes, down to 0; `now` was read before the bytes that left the
    /// queue were handed over.
    fn unsent(&mut self, _conn: &mut Self::Conn, _bytes: usize, _now: Time) {}

    /// The loop is reading from this connection again after a pause of its own making (the peer
    /// did not take what was queued). Deadlines that blame the peer for silence move by `paused`.
    fn resumed(&mut self, _conn: &mut Self::Conn, _paused: Duration) {}

    /// The connection is gone; `None` if it never opened.
    fn closed(&mut self, conn: Option<Self::Conn>, why: Closed, now: Time) -> AfterClose;

    /// Once a loop turn, before its events: the wall clock's Date, windows of a report, the end
    /// of a run.
    fn turn(&mut self, now: Time, wall: SystemTime) -> TurnResult;

    /// The loop had to refuse or postpone something that is not one connection's affair.
    fn trouble(&mut self, _what: ServerWarning, _now: Time) {}
}

/// How fresh `now` has to be when bytes are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockRead {
    /// The time at which this turn's events were fetched: no clock read per connection.
    PerTurn,
    /// Read from the clock after the bytes were, and before the answer is written.
    PerRead,
}

/// What becomes of a connection after a protocol saw to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It stays open.
    Keep,
    /// Nothing more is read as a message: flush, shut the write side, drain, close.
    Finish,
    /// Close now; what is queued is dropped.
    Abort,
}

/// Why a connection is gone.
#[derive(Debug)]
pub enum Closed {
    /// It could not be opened: refused, unreachable, timed out, or no local port or descriptor
    /// left.
    NotConnected(io::Error),
    /// A read or a write failed; most often the peer reset it.
    Failed(io::Error),
    /// The protocol said [`Flow::Finish`] or [`Flow::Abort`], or the peer ended and all is done.
    Done,
    /// The peer took nothing of what was queued for too long.
    Stalled,
    /// The loop stopped while it was open or being opened.
    Stopped,
}

/// What a client does about a connection that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterClose {
    /// Nothing.
    Forget,
    /// Dial the same peer again, not before this time.
    Redial(Time),
}

/// What the loop does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnResult {
    /// Go on, and take another turn at this time at the latest.
    Run {
        /// [`Time::NEVER`] if only events matter.
        wake: Time,
    },
    /// Stop now; open connections are closed as [`Closed::Stopped`].
    Stop,
}

/// What is not one connection's affair.
#[derive(Debug)]
pub enum ServerWarning {
    /// Accepting failed for want of descriptors or memory; it is tried again.
    CannotAccept(io::Error),
}
