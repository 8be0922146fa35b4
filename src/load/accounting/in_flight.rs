//! The requests in flight on one connection, as runs of equal start stamps.

use std::collections::VecDeque;

use crate::event_loop::Time;

/// Runs for which room is reserved when a connection opens: enough that a steady state, whose
/// replies come in a few pieces a round, allocates nothing.
const RUNS_RESERVED: usize = 16;

/// Requests that were handed over at the same time.
#[derive(Clone, Copy, Debug)]
struct StampedRun {
    sent_at: Time,
    requests: usize,
}

/// The requests in flight on one connection, oldest first. Only the ledger changes it.
#[derive(Debug)]
pub(crate) struct InFlight {
    runs: VecDeque<StampedRun>,
    requests: usize,
}

impl InFlight {
    /// Nothing in flight, and room for the runs that `pipelining` can bring.
    pub(crate) fn with_room_for(pipelining: usize) -> InFlight {
        InFlight {
            runs: VecDeque::with_capacity(pipelining.min(RUNS_RESERVED)),
            requests: 0,
        }
    }

    /// Number of requests in flight.
    pub(crate) fn len(&self) -> usize {
        self.requests
    }

    /// Whether nothing is in flight.
    pub(crate) fn is_empty(&self) -> bool {
        self.requests == 0
    }

    /// When the oldest of them was sent.
    pub(crate) fn oldest(&self) -> Option<Time> {
        self.runs.front().map(|run| run.sent_at)
    }

    /// Adds `requests` that are sent at `now`.
    pub(super) fn push(&mut self, requests: usize, now: Time) {
        if requests == 0 {
            return;
        }
        self.requests += requests;
        match self.runs.back_mut() {
            Some(last) if last.sent_at == now => last.requests += requests,
            _ => self.runs.push_back(StampedRun {
                sent_at: now,
                requests,
            }),
        }
    }

    /// Removes the oldest `replies` requests (no more than are in flight). Calls `on_run` with the
    /// stamp and the number of each run of them.
    pub(super) fn pop(&mut self, mut replies: usize, mut on_run: impl FnMut(Time, usize)) {
        self.requests -= replies;
        while replies > 0 {
            let Some(front) = self.runs.front_mut() else {
                return;
            };
            let here = front.requests.min(replies);
            on_run(front.sent_at, here);
            replies -= here;
            front.requests -= here;
            if front.requests == 0 {
                self.runs.pop_front();
            }
        }
    }

    /// Removes all of them; returns how many they were.
    pub(super) fn clear(&mut self) -> usize {
        self.runs.clear();
        std::mem::take(&mut self.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reply_is_paired_with_its_own_stamp() {
        let at = Time::from_ns;
        let mut in_flight = InFlight::with_room_for(10);
        in_flight.push(3, at(5));
        in_flight.push(2, at(5));
        in_flight.push(0, at(6));
        in_flight.push(4, at(7));
        assert_eq!((in_flight.len(), in_flight.oldest()), (9, Some(at(5))));
        let mut pairs = Vec::new();
        in_flight.pop(2, |sent_at, n| pairs.push((sent_at, n)));
        in_flight.pop(5, |sent_at, n| pairs.push((sent_at, n)));
        assert_eq!(pairs, [(at(5), 2), (at(5), 3), (at(7), 2)]);
        assert_eq!((in_flight.len(), in_flight.oldest()), (2, Some(at(7))));
        assert_eq!(in_flight.clear(), 2);
        assert!(in_flight.is_empty() && in_flight.oldest().is_none());
    }
}
