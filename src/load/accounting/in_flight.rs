//! The requests of one connection: those in flight, as runs of equal start stamps, and those that
//! wait for room in the kernel's buffer.

use std::collections::VecDeque;

use crate::event_loop::Time;

/// Requests that were handed over at the same time.
#[derive(Clone, Copy, Debug)]
struct StampedRun {
    sent_at: Time,
    /// `None` in a closed loop: they were due when they were sent.
    due: Option<Time>,
    requests: usize,
}

impl StampedRun {
    /// Start of their latency.
    fn began(&self) -> Time {
        self.due.unwrap_or(self.sent_at)
    }
}

/// The requests in flight on one connection, oldest first. Only the ledger changes it.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    /// The only run of most connections, kept apart so that it lies beside their other state.
    front: Option<StampedRun>,
    /// Empty if there is no front.
    rest: VecDeque<StampedRun>,
    requests: usize,
    /// Requests behind them of which the kernel has not taken a byte.
    queued: usize,
    /// Due times of the queued requests; empty in a closed loop.
    queued_due: VecDeque<Time>,
}

/// State in which a connection left requests without a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// They were sent.
    InFlight,
    /// They were due and queued, and the kernel took none of them.
    NeverSent,
}

/// Requests that were removed from a connection.
#[derive(Debug)]
pub(super) struct Cleared {
    pub(super) in_flight: usize,
    pub(super) queued: usize,
    /// Those of the queued requests that had a due time.
    pub(super) queued_due: usize,
}

impl InFlight {
    /// Number of requests in flight.
    pub(crate) fn requests(&self) -> usize {
        self.requests
    }

    /// Number of requests that wait for room in the kernel's buffer.
    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    /// Number of requests in flight or queued.
    pub(crate) fn unanswered(&self) -> usize {
        self.requests + self.queued
    }

    /// Returns true if nothing is in flight or queued.
    pub(crate) fn is_idle(&self) -> bool {
        self.unanswered() == 0
    }

    /// Time at which the oldest of them was sent.
    pub(crate) fn oldest(&self) -> Option<Time> {
        self.front.map(|run| run.sent_at)
    }

    /// The last `queued` requests wait for room: those that waited before and no longer do are sent
    /// at `now`, and the newest in flight were not sent after all.
    pub(super) fn set_queued(&mut self, queued: usize, now: Time) {
        if queued < self.queued {
            let mut requests = self.queued - queued;
            while requests > 0
                && let Some(due) = self.queued_due.pop_front()
            {
                self.send_due(due, now);
                requests -= 1;
            }
            self.send(requests, now);
        } else {
            self.unsend(queued - self.queued);
        }
        self.queued = queued;
    }

    /// Moves the newest `requests` behind those that are queued.
    fn unsend(&mut self, mut requests: usize) {
        self.requests -= requests;
        let behind = self.queued_due.len();
        while let Some(last) = self.last_mut().filter(|_| requests > 0) {
            let here = last.requests.min(requests);
            requests -= here;
            last.requests -= here;
            let (due, left) = (last.due, last.requests);
            if let Some(due) = due {
                // They are taken newest first.
                (0..here).for_each(|_| self.queued_due.insert(behind, due));
            }
            if left == 0 && self.rest.pop_back().is_none() {
                self.front = None;
            }
        }
    }

    fn last_mut(&mut self) -> Option<&mut StampedRun> {
        self.rest.back_mut().or(self.front.as_mut())
    }

    /// Adds `requests` that are sent at `now`.
    #[inline]
    pub(super) fn send(&mut self, requests: usize, now: Time) {
        if requests > 0 {
            self.push(requests, None, now);
        }
    }

    /// Adds a request that was due at `due` and is sent at `now`.
    pub(super) fn send_due(&mut self, due: Time, now: Time) {
        self.push(1, Some(due), now);
    }

    #[inline]
    fn push(&mut self, requests: usize, due: Option<Time>, now: Time) {
        self.requests += requests;
        let run = StampedRun {
            sent_at: now,
            due,
            requests,
        };
        match self.last_mut() {
            None => self.front = Some(run),
            Some(last) if last.sent_at == now && last.due == due => last.requests += requests,
            Some(_) => self.rest.push_back(run),
        }
    }

    /// Removes the oldest `replies` requests (no more than are in flight). Calls `on_run` with the
    /// start and the number of each run of them.
    pub(super) fn answer(&mut self, mut replies: usize, mut on_run: impl FnMut(Time, usize)) {
        self.requests -= replies;
        while replies > 0 {
            let Some(front) = &mut self.front else {
                return;
            };
            let here = front.requests.min(replies);
            on_run(front.began(), here);
            replies -= here;
            front.requests -= here;
            if front.requests == 0 {
                self.front = match self.rest.is_empty() {
                    true => None,
                    false => self.next_run(),
                };
            }
        }
    }

    /// The run behind the front.
    // Few connections have one: kept out of the path of the others.
    #[inline(never)]
    fn next_run(&mut self) -> Option<StampedRun> {
        self.rest.pop_front()
    }

    /// Removes all of them. Calls `on_run` with the start and the number of each run of those in
    /// flight, and of those queued that had a due time.
    pub(super) fn clear(&mut self, mut on_run: impl FnMut(Left, Time, usize)) -> Cleared {
        for run in self.front.take().into_iter().chain(self.rest.drain(..)) {
            on_run(Left::InFlight, run.began(), run.requests);
        }
        let queued_due = self.queued_due.len();
        for due in self.queued_due.drain(..) {
            on_run(Left::NeverSent, due, 1);
        }
        Cleared {
            queued_due,
            in_flight: std::mem::take(&mut self.requests),
            queued: std::mem::take(&mut self.queued),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reply_is_paired_with_its_own_stamp() {
        let at = Time::from_ns;
        let mut in_flight = InFlight::default();
        in_flight.send(3, at(5));
        in_flight.send(2, at(5));
        in_flight.send(0, at(6));
        in_flight.send(4, at(7));
        assert_eq!((in_flight.requests(), in_flight.oldest()), (9, Some(at(5))));
        let mut pairs = Vec::new();
        in_flight.answer(2, |sent_at, n| pairs.push((sent_at, n)));
        in_flight.answer(5, |sent_at, n| pairs.push((sent_at, n)));
        assert_eq!(pairs, [(at(5), 2), (at(5), 3), (at(7), 2)]);
        assert_eq!((in_flight.requests(), in_flight.oldest()), (2, Some(at(7))));
        assert_eq!(in_flight.clear(|_, _, _| {}).in_flight, 2);
        assert!(in_flight.is_idle() && in_flight.oldest().is_none());
    }

    #[test]
    fn due_requests_are_queued_in_the_order_in_which_they_were_handed_over() {
        let at = Time::from_ns;
        let mut in_flight = InFlight::default();
        for due in [1, 2, 3] {
            in_flight.send_due(at(due), at(5));
        }
        in_flight.set_queued(2, at(5));
        for due in [4, 5] {
            in_flight.send_due(at(due), at(6));
        }
        in_flight.set_queued(4, at(6));
        let mut left = Vec::new();
        let cleared = in_flight.clear(|state, due, n| left.push((state, due, n)));
        assert_eq!((cleared.in_flight, cleared.queued_due), (1, 4));
        let of_queued = |due| (Left::NeverSent, at(due), 1);
        let queued = [2, 3, 4, 5].map(of_queued);
        assert_eq!(left, [&[(Left::InFlight, at(1), 1)][..], &queued].concat());
    }

    #[test]
    fn what_waits_for_room_is_stamped_when_it_is_sent() {
        let at = Time::from_ns;
        let mut in_flight = InFlight::default();
        in_flight.send(2, at(5));
        in_flight.send(4, at(7));
        in_flight.set_queued(5, at(7));
        assert_eq!((in_flight.requests(), in_flight.queued()), (1, 5));
        in_flight.set_queued(2, at(9));
        let mut pairs = Vec::new();
        in_flight.answer(4, |sent_at, n| pairs.push((sent_at, n)));
        assert_eq!(pairs, [(at(5), 1), (at(9), 3)]);
        assert!(!in_flight.is_idle(), "two still wait");
        let cleared = in_flight.clear(|_, _, _| {});
        assert_eq!((cleared.in_flight, cleared.queued), (0, 2));
        assert!(in_flight.is_idle());
    }
}
