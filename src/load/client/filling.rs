//! Filling of free slots: in a closed loop at once, in an open loop from the queue of due
//! requests.

use super::{LoadClient, LoadConn};
use crate::event_loop::{Time, WriteQueue};
use crate::load::open_loop::OpenLoop;
use crate::load::{OpenLoopPlan, Refill};

impl LoadClient<'_> {
    /// Sends as many requests as the refill mode and the budget allow.
    #[inline]
    pub(super) fn fill(&mut self, conn: &mut LoadConn, now: Time, out: &mut WriteQueue) {
        let used = conn.in_flight.unanswered();
        if self.open_loop.is_some() {
            return self.send_due(conn, self.pipelining - used, now, out);
        }
        let free = match self.refill {
            Refill::Rolling => self.pipelining - used,
            Refill::Batch if used == 0 => self.pipelining,
            Refill::Batch => 0,
        };
        let requests = self.ledger.allowed(free.min(conn.requests_left));
        if requests == 0 {
            return;
        }
        conn.requests_left -= requests;
        self.requests.push(self.next_request(conn), requests, out);
        self.ledger.send(&mut conn.in_flight, requests, now);
        self.recorder.sent(requests);
        self.counters.writes += 1;
    }

    /// Sends the oldest due requests in the `free` slots of a connection.
    // Kept out of the path of a closed loop.
    #[inline(never)]
    fn send_due(&mut self, conn: &mut LoadConn, free: usize, now: Time, out: &mut WriteQueue) {
        self.note_free_slots(now);
        let next = self.next_request(conn);
        let Some(open_loop) = &mut self.open_loop else {
            return;
        };
        while let Some(due) = open_loop.shed(now) {
            self.ledger.never_send(1);
            self.recorder.gave_up(due, now, 1);
        }
        let share = open_loop.share(self.connects.open(), now);
        let share = usize::try_from(share).map_or(free, |share| share.min(free));
        let mut requests = 0;
        while requests < share
            && let Some(due) = open_loop.take(now)
        {
            self.ledger.send_due(&mut conn.in_flight, due, now);
            requests += 1;
        }
        if requests > 0 {
            self.requests.push(next, requests, out);
            self.recorder.sent(requests);
            self.counters.writes += 1;
            self.note_free_slots(now);
        }
    }

    /// Place in the cycle of the request that is sent next on a connection.
    pub(super) fn next_request(&self, conn: &LoadConn) -> usize {
        self.requests
            .after(conn.oldest, conn.in_flight.unanswered())
    }

    /// Counts the free slots of all open connections.
    pub(super) fn note_free_slots(&mut self, now: Time) {
        if let Some(open_loop) = &mut self.open_loop {
            let slots = self.connects.open() * self.pipelining;
            let taken = usize::try_from(self.ledger.slots_taken()).unwrap_or(slots);
            open_loop.note_free(slots.saturating_sub(taken), now);
        }
    }

    /// The schedule starts now, if there is one.
    pub(super) fn start_open_loop(&mut self, plan: Option<OpenLoopPlan>, now: Time, end: Time) {
        self.open_loop = plan.map(|plan| Box::new(OpenLoop::new(&plan, now, end, self.worker)));
    }

    /// The run is over: what was due and is still in the queue is never sent.
    pub(super) fn censor_backlog(&mut self) {
        let Some(open_loop) = &self.open_loop else {
            return;
        };
        for due in open_loop.untaken(self.ended) {
            self.ledger.never_send(1);
            self.recorder.gave_up(due, self.ended, 1);
        }
    }
}
