//! Takes the replies out of what was read, and records each against its own request.

use super::LoadClient;
use super::conn::{ConnState, LoadConn};
use crate::event_loop::Time;
use crate::http::response::{BadReply, BodyVerdict, ReceivedReply, ResponseReader};

impl LoadClient<'_> {
    /// Frames, pairs and records every complete reply in `bytes`.
    pub(super) fn take_replies(
        &mut self,
        conn: &mut LoadConn,
        mut bytes: &[u8],
        now: Time,
    ) -> Result<(), BadReply> {
        while !bytes.is_empty() {
            if conn.state != ConnState::Open {
                return Err(BadReply::AfterLast);
            }
            if conn.in_flight.requests() == 0 {
                return Err(BadReply::Unasked);
            }
            bytes = match self.take_copies(conn, bytes, now) {
                0 => &bytes[self.take_parsed(conn, bytes, now)?..],
                taken => &bytes[taken..],
            };
        }
        Ok(())
    }

    /// The fast path: whole copies of the learned reply at a message boundary. Returns the bytes
    /// they are; 0 if there is none.
    fn take_copies(&mut self, conn: &mut LoadConn, bytes: &[u8], now: Time) -> usize {
        if conn.partial.is_some() {
            return 0;
        }
        let Some((copies, reply)) = self.requests.learned_copies(conn.oldest, bytes) else {
            return 0;
        };
        let copies = copies.min(conn.in_flight.requests());
        let reply_bytes = self.requests.reply_to(conn.oldest).learned.len_bytes();
        self.complete(conn, copies, &reply, now);
        copies * reply_bytes
    }

    /// The slow path: at most one reply. Returns the bytes it took.
    // Kept out of the fast path, whose registers it would take.
    #[inline(never)]
    fn take_parsed(
        &mut self,
        conn: &mut LoadConn,
        bytes: &[u8],
        now: Time,
    ) -> Result<usize, BadReply> {
        let expected = self.requests.reply_to(conn.oldest);
        let mut read =
            |reader: &mut ResponseReader| reader.read(bytes, expected.method, &mut expected.body);
        let (step, whole) = match &mut conn.partial {
            Some(reader) => (read(reader)?, None),
            None => {
                let mut reader = ResponseReader::new();
                let step = read(&mut reader)?;
                if step.reply.is_none() {
                    conn.partial = Some(Box::new(reader));
                }
                (step, Some(&bytes[..step.used]))
            }
        };
        if let Some(reply) = step.reply {
            conn.partial = None;
            expected.learned.missed(whole, &reply);
            self.complete(conn, 1, &reply, now);
        }
        Ok(step.used)
    }

    /// Takes equal replies that are complete, those to the oldest requests.
    pub(super) fn complete(
        &mut self,
        conn: &mut LoadConn,
        replies: usize,
        reply: &ReceivedReply,
        now: Time,
    ) {
        conn.has_replied = true;
        self.recorder.replied(reply.status, replies, now);
        let arrived_at = self.arrival(replies, now);
        let recorder = &mut self.recorder;
        self.ledger
            .complete(&mut conn.in_flight, replies, |began, n| {
                recorder.took(began, arrived_at, now, n);
            });
        conn.oldest = self.requests.after(conn.oldest, replies);
        self.counters.interim += u64::from(reply.interim);
        if reply.body == BodyVerdict::Other {
            if self.body_is_given {
                self.counters.wrong_bodies += replies as u64;
            } else {
                self.counters.varied_bodies += replies as u64;
            }
        }
        if reply.closes {
            self.counters.last_replies += 1;
            conn.state = ConnState::LastReplied;
        }
    }

    /// Time at which the kernel received replies that are read `now`; `now`, if it does not report
    /// it.
    #[inline]
    fn arrival(&mut self, replies: usize, now: Time) -> Time {
        let Some(arrived_at) = self.arrived_at else {
            return now;
        };
        self.turns.read_late(now - arrived_at, replies);
        arrived_at.min(now)
    }
}
