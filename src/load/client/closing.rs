//! Ends of connections, the fate of the requests that were in flight on them, and the time to dial
//! again: at once after a connection that was open, with a growing pause after one that was not.

use std::time::Duration;

use super::{ConnState, LoadClient, LoadConn};
use crate::event_loop::{AfterClose, Closed, Flow, Time};
use crate::http::response::BadReply;
use crate::load::accounting::Left;
use crate::load::counters::ErrorKind;

/// The first pause after a failed connect; each round of failures doubles it ...
const BACKOFF: Duration = Duration::from_millis(5);
/// ... up to this.
const BACKOFF_MAX: Duration = Duration::from_secs(1);

impl LoadClient<'_> {
    /// Bytes that are no reply: nothing later on this connection can be trusted.
    pub(super) fn refuse(&mut self, conn: &mut LoadConn, why: BadReply) -> Flow {
        self.counters
            .error(ErrorKind::BadReply, || format!("bad reply: {why}"));
        conn.state = ConnState::GivenUp;
        Flow::Abort
    }

    pub(super) fn connection_closed(
        &mut self,
        mut conn: LoadConn,
        why: &Closed,
        now: Time,
    ) -> AfterClose {
        self.release(&mut conn);
        if matches!(why, Closed::Stopped) {
            self.note_unserved(&conn, now);
            let (recorder, ended) = (&mut self.recorder, self.ended);
            self.ledger.stop(&mut conn.in_flight, |began, n| {
                recorder.gave_up(began, ended, n)
            });
            return AfterClose::Forget;
        }
        self.settle(conn, why, now);
        self.note_free_slots(now);
        self.redial(now)
    }

    /// A connection that the system has opened and the server has not accepted looks like this.
    fn note_unserved(&mut self, conn: &LoadConn, now: Time) {
        let started = self.started.unwrap_or_default();
        let waits_since = conn.in_flight.oldest().filter(|_| !conn.has_replied);
        if waits_since.is_some_and(|since| (now - since) * 2 >= now - started) {
            self.counters.unserved += 1;
        }
    }

    pub(super) fn not_connected(&mut self, why: &Closed, now: Time) -> AfterClose {
        if matches!(why, Closed::Stopped) {
            return AfterClose::Forget;
        }
        if let Closed::NotConnected(error) | Closed::Failed(error) = why {
            self.counters.error(ErrorKind::of_connecting(error), || {
                format!("cannot connect: {error}")
            });
        }
        // One round of failures is as many of them as there are connections.
        let rounds = self.connects_failed_in_a_row / self.connects.asked;
        self.connects_failed_in_a_row += 1;
        let doublings = u32::try_from(rounds).unwrap_or(u32::MAX);
        let pause = BACKOFF.saturating_mul(2_u32.saturating_pow(doublings));
        self.redial(now + pause.min(BACKOFF_MAX))
    }

    /// With nothing left to send, a connection would be idle.
    fn redial(&self, at: Time) -> AfterClose {
        match self.ledger.is_exhausted() {
            true => AfterClose::Forget,
            false => AfterClose::Redial(at),
        }
    }

    /// Accounts for the requests that were in flight on a connection that is gone.
    fn settle(&mut self, mut conn: LoadConn, why: &Closed, now: Time) {
        if conn.in_flight.is_idle() {
            return;
        }
        self.counters.resets += 1;
        let recorder = &mut self.recorder;
        if matches!(why, Closed::Stalled) {
            self.ledger.time_out(&mut conn.in_flight, |began, n| {
                recorder.gave_up(began, now, n);
            });
            self.counters.first_error.get_or_insert_with(|| {
                format!(
                    "the server read nothing of a request within the timeout of {:?}",
                    self.timeout
                )
            });
            return;
        }
        let lost = self
            .ledger
            .lose(&mut conn.in_flight, |left, began, n| match left {
                Left::InFlight => recorder.lost(began, now, n),
                Left::NeverSent => recorder.gave_up(began, now, n),
            });
        match (conn.state, why) {
            (ConnState::GivenUp, _) => {}
            (ConnState::Open, Closed::Failed(error)) => {
                self.counters.error(ErrorKind::of_connection(error), || {
                    format!("connection failed with {lost} requests in flight: {error}")
                });
            }
            (ConnState::LastReplied, _) => {
                self.counters.lost_behind_last_reply += 1;
                self.counters.error(ErrorKind::ClosedEarly, || {
                    format!("the server closed the connection before {lost} requests were answered")
                });
            }
            _ => self.counters.error(ErrorKind::ClosedEarly, || {
                format!("the server closed the connection with {lost} requests in flight")
            }),
        }
    }
}
