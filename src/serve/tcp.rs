//! `serve tcp`: the seed's bytes, once for every terminator in the stream, whatever stands between.
//!
//! It parses nothing: the difference to `serve http` is what HTTP itself costs.

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use super::Warn;
use crate::event_loop::{Block, Closed, Flow, Next, Protocol, Then, Time, Trouble, WriteQueue};
use crate::http::terminator::TerminatorCounter;

/// The reply of the seed's `TCPHandler`.
pub const REPLY: &[u8] = b"HTTP/1.1 200\r\nContent-Length: 12\r\n\r\nHello world!";

/// Answers terminators.
pub struct TcpServer<'a> {
    reply: Rc<Block>,
    idle_timeout: Option<Duration>,
    warn: Warn<'a>,
}

/// What a connection of [`TcpServer`] remembers.
#[derive(Debug)]
pub struct TcpConn {
    terminators: TerminatorCounter,
    heard_at: Time,
}

impl<'a> TcpServer<'a> {
    /// A server that closes a connection that is silent for `idle_timeout`.
    pub fn new(idle_timeout: Option<Duration>, warn: Warn<'a>) -> TcpServer<'a> {
        TcpServer {
            reply: Block::repeated(REPLY),
            idle_timeout,
            warn,
        }
    }
}

impl Protocol for TcpServer<'_> {
    type Conn = TcpConn;

    fn opened(&mut self, now: Time, _out: &mut WriteQueue) -> TcpConn {
        TcpConn {
            terminators: TerminatorCounter::default(),
            heard_at: now,
        }
    }

    #[inline]
    fn received(
        &mut self,
        conn: &mut TcpConn,
        bytes: &[u8],
        now: Time,
        out: &mut WriteQueue,
    ) -> Flow {
        conn.heard_at = now;
        out.push(&self.reply, conn.terminators.count(bytes));
        Flow::Keep
    }

    fn ended(&mut self, _conn: &mut TcpConn, _now: Time, _out: &mut WriteQueue) -> Flow {
        Flow::Finish
    }

    #[inline]
    fn deadline(&self, conn: &TcpConn) -> Time {
        match self.idle_timeout {
            Some(timeout) => conn.heard_at + timeout,
            None => Time::NEVER,
        }
    }

    fn overdue(&mut self, _conn: &mut TcpConn, _now: Time, _out: &mut WriteQueue) -> Flow {
        Flow::Finish
    }

    fn resumed(&mut self, conn: &mut TcpConn, paused: Duration) {
        conn.heard_at = conn.heard_at + paused;
    }

    fn closed(&mut self, _conn: Option<TcpConn>, _why: Closed, _now: Time) -> Then {
        Then::Forget
    }

    fn turn(&mut self, _now: Time, _wall: SystemTime) -> Next {
        Next::Run { wake: Time::NEVER }
    }

    fn trouble(&mut self, what: Trouble, now: Time) {
        self.warn.warn(&what, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_begins_with_the_last_bytes_and_our_own_pause_is_not_silence() {
        let at = |seconds| Time::START + Duration::from_secs(seconds);
        let mut ignore = |_: &str| {};
        let mut server = TcpServer::new(Some(Duration::from_secs(5)), Warn::new(&mut ignore));
        let mut out = WriteQueue::new();
        let mut conn = server.opened(at(1), &mut out);
        assert_eq!(server.deadline(&conn), at(6));
        server.received(&mut conn, b"\r", at(4), &mut out);
        assert_eq!(server.deadline(&conn), at(9));
        server.resumed(&mut conn, Duration::from_secs(30));
        assert_eq!(server.deadline(&conn), at(39));
    }
}
