//! The purpose of connections. Pure: bytes and times in, bytes and a decision out.

use std::io;
use std::time::{Duration, SystemTime};

use super::{Time, WriteQueue};

/// The purpose of the connections of one loop: a server, or a load generator.
///
/// A protocol sees bytes and times, never a socket or a clock. It decides by what it returns;
/// only the loop reads, writes and closes.
pub trait Protocol {
    /// State of a connection between two reads: a parser's few words, the requests in flight. It
    /// should own no buffer while it is idle.
    type Conn;

    /// Accuracy of the `now` of [`Protocol::received`].
    const CLOCK_READ: ClockRead = ClockRead::PerTurn;

    /// True if a peer that does not take what is queued is still read from. A server that did so
    /// would queue replies without bound; a client that did not would wait for ever for a server
    /// that has to send its reply before it takes the next request.
    const READS_WHILE_BLOCKED: bool = false;

    /// True if [`Protocol::waited`] is called, at the cost of a clock read in each turn.
    const TIMES_WAITS: bool = false;

    /// True if [`Protocol::arrived`] is called for streams with receive stamps.
    const TIMES_ARRIVALS: bool = false;

    /// A connection is open. [`Protocol::caught_up`] follows before anything is read.
    fn opened(&mut self, now: Time, out: &mut WriteQueue) -> Self::Conn;

    /// A dialled connection is about to be opened, `took` after it was first dialled.
    fn dialled(&mut self, _took: Duration) {}

    /// The kernel had received the last of the bytes of [`Protocol::received`], which follows, at
    /// this time. Before their request was sent, if the time of day was set meanwhile.
    fn arrived(&mut self, _at: Time) {}

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
    fn ended(&mut self, _conn: &mut Self::Conn, _now: Time, _out: &mut WriteQueue) -> Flow {
        Flow::Finish
    }

    /// Time at which to call [`Protocol::overdue`], unless something happens before.
    /// [`Time::NEVER`] for no deadline. Kept to within [`super::TICK`], never early.
    fn deadline(&self, _conn: &Self::Conn) -> Time {
        Time::NEVER
    }

    /// The deadline has passed.
    fn overdue(&mut self, _conn: &mut Self::Conn, _now: Time, _out: &mut WriteQueue) -> Flow {
        Flow::Finish
    }

    /// The kernel had no room: `bytes` of what was queued are still to be handed over. Called
    /// whenever that number changes, down to 0; `now` was read before the bytes that left the
    /// queue were handed over.
    fn unsent(&mut self, _conn: &mut Self::Conn, _bytes: usize, _now: Time) {}

    /// The loop is reading from this connection again after a pause of its own making (the peer
    /// did not take what was queued). Deadlines that blame the peer for silence move by `paused`.
    fn resumed(&mut self, _conn: &mut Self::Conn, _paused: Duration) {}

    /// Time of the next request that is due unasked and that an open connection could take;
    /// [`Time::NEVER`] if there is none. From then on, [`Protocol::caught_up`] is called for the
    /// open connections in turn. The loop keeps this time to microseconds, at the cost of a core.
    #[inline]
    fn send_at(&self) -> Time {
        Time::NEVER
    }

    /// The connection is gone; `None` if it never opened.
    fn closed(&mut self, _conn: Option<Self::Conn>, _why: Closed, _now: Time) -> AfterClose {
        AfterClose::Forget
    }

    /// The loop has waited for events, and [`Protocol::turn`] follows. Between two waits lies the
    /// work of one turn. Called only if [`Protocol::TIMES_WAITS`].
    fn waited(&mut self, _wait: Wait) {}

    /// Called once a turn of the loop, before its events.
    fn turn(&mut self, _now: Time, _wall: SystemTime) -> TurnResult {
        TurnResult::Run { wake: Time::NEVER }
    }

    /// Something went wrong that concerns more than one connection.
    fn warn(&mut self, _warning: ServerWarning, _now: Time) {}
}

/// A wait of the loop for events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Its begin.
    pub began: Time,
    /// Its latest end as planned; [`Time::NEVER`] if only events were to end it. The system rounds
    /// it up to its timer's step: a millisecond, on Windows up to sixteen.
    pub due: Time,
    /// Its end.
    pub ended: Time,
}

/// Accuracy of the time at which bytes are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockRead {
    /// The time at which this turn's events were fetched: no clock read per connection.
    PerTurn,
    /// Read from the clock after the bytes were, and before the answer is written.
    PerRead,
}

/// Decision of a protocol about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It stays open.
    Keep,
    /// Send what is queued, shut the write side, discard input until the peer's end, close.
    Finish,
    /// Close now; what is queued is dropped.
    Abort,
}

/// Reason for which a connection is gone.
#[derive(Debug)]
pub enum Closed {
    /// It could not be opened: refused, unreachable, timed out, or no local port or descriptor
    /// left.
    NotConnected(io::Error),
    /// A read or a write failed; most often the peer reset it.
    Failed(io::Error),
    /// The protocol said [`Flow::Finish`] or [`Flow::Abort`], or the peer ended and all is done.
    Done,
    /// The peer took nothing of what was queued for the send timeout.
    Stalled,
    /// The loop stopped while it was open or being opened.
    Stopped,
}

/// Decision of a protocol after a connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterClose {
    /// Nothing.
    Forget,
    /// Dial the same peer again, not before this time.
    Redial(Time),
    /// Stop the loop now; open connections are closed as [`Closed::Stopped`].
    Stop,
}

/// Decision of a protocol about the loop.
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

/// A problem that concerns more than one connection.
#[derive(Debug)]
pub enum ServerWarning {
    /// No descriptor or memory is left to accept connections; it is tried again.
    CannotAccept(io::Error),
}
