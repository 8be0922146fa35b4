//! `serve tcp`: sends a fixed reply for every terminator in the stream, and parses nothing else.

use std::rc::Rc;
use std::time::Duration;

use super::request_cache::{HEAD_BYTES_MAX, RequestCache};
use super::{Counters, Warnings};
use crate::event_loop::{Block, Flow, Protocol, ServerWarning, Time, WriteQueue};
use crate::http::terminator::{self, TerminatorCounter};

/// The reply of the seed's `TCPHandler`.
pub const REPLY: &[u8] = b"HTTP/1.1 200\r\nContent-Length: 12\r\n\r\nHello world!";

/// Answers terminators.
pub struct TcpServer {
    reply: Rc<Block>,
    request_cache: RequestCache,
    idle_timeout: Option<Duration>,
    warnings: Warnings,
    counters: Counters,
}

/// State of a connection of [`TcpServer`].
#[derive(Debug)]
pub struct TcpConn {
    terminators: TerminatorCounter,
    received_at: Time,
}

impl TcpServer {
    /// A server that closes a connection that is silent for `idle_timeout`.
    pub fn new(idle_timeout: Option<Duration>, warnings: Warnings) -> TcpServer {
        TcpServer {
            reply: Block::repeated(REPLY),
            request_cache: RequestCache::default(),
            idle_timeout,
            warnings,
            counters: Counters::default(),
        }
    }

    /// Its work so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Number of terminators that end within `bytes`. The fast path comes first: copies of the
    /// cached head, one terminator each.
    #[inline]
    fn count(&mut self, terminators: &mut TerminatorCounter, bytes: &[u8]) -> usize {
        let (mut copies, mut rest) = (0, bytes);
        if *terminators == TerminatorCounter::Start {
            (copies, rest) = self.request_cache.strip_repeats(bytes);
            if copies == 0
                && let Some(head) =
                    terminator::first_head(&bytes[..bytes.len().min(HEAD_BYTES_MAX)])
            {
                self.request_cache.learn(head);
                (copies, rest) = self.request_cache.strip_repeats(bytes);
            }
        }
        match rest {
            [] => copies,
            rest => copies + terminators.count(rest),
        }
    }
}

impl Protocol for TcpServer {
    type Conn = TcpConn;

    fn opened(&mut self, now: Time, _out: &mut WriteQueue) -> TcpConn {
        self.counters.connections += 1;
        TcpConn {
            terminators: TerminatorCounter::default(),
            received_at: now,
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
        conn.received_at = now;
        let replies = self.count(&mut conn.terminators, bytes);
        self.counters.requests += replies as u64;
        out.push(&self.reply, replies);
        Flow::Keep
    }

    #[inline]
    fn deadline(&self, conn: &TcpConn) -> Time {
        match self.idle_timeout {
            Some(timeout) => conn.received_at + timeout,
            None => Time::NEVER,
        }
    }

    fn resumed(&mut self, conn: &mut TcpConn, paused: Duration) {
        conn.received_at = conn.received_at + paused;
    }

    fn warn(&mut self, warning: ServerWarning, now: Time) {
        self.warnings.report(&warning, now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Heads of which some begin, end or contain what others consist of.
    fn head() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            Just(b"GET / HTTP/1.1\r\n\r\n".to_vec()),
            Just(b"GET / HTTP/1.1\r\n".to_vec()),
            Just(b"\r\n\r\n".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(b"\r\nGET /\r\n\r\n".to_vec()),
            Just(b"GET /\r\n\r\r\n\r\n".to_vec()),
        ]
    }

    proptest! {
        #[test]
        fn replies_are_as_many_as_terminators_on_several_connections(
            pieces in prop::collection::vec((head(), 1usize..6, 0usize..90, 0usize..3), 0..12),
        ) {
                let mut server = TcpServer::new(None, Warnings::discarded());
            let mut queue = WriteQueue::new();
            let mut conns = [(); 3].map(|()| server.opened(Time::START, &mut queue));
            let mut oracle = [TerminatorCounter::default(); 3];
            let mut expected = 0;
            for (head, copies, cut, index) in pieces {
                let stream = head.repeat(copies);
                let (one, other) = stream.split_at(cut.min(stream.len()));
                for piece in [one, other] {
                    server.received(&mut conns[index], piece, Time::START, &mut queue);
                    expected += oracle[index].count(piece);
                }
            }
            prop_assert_eq!(queue.len_bytes(), expected * REPLY.len());
        }
    }

    #[test]
    fn the_idle_time_begins_with_the_last_bytes_and_excludes_our_own_pause() {
        let at = |seconds| Time::START + Duration::from_secs(seconds);
        let mut server = TcpServer::new(Some(Duration::from_secs(5)), Warnings::discarded());
        let mut out = WriteQueue::new();
        let mut conn = server.opened(at(1), &mut out);
        assert_eq!(server.deadline(&conn), at(6));
        server.received(&mut conn, b"\r", at(4), &mut out);
        assert_eq!(server.deadline(&conn), at(9));
        server.resumed(&mut conn, Duration::from_secs(30));
        assert_eq!(server.deadline(&conn), at(39));
    }
}
