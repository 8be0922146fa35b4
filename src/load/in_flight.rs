//! What one connection has sent and not yet got an answer to, as runs of equal start stamps.

use std::collections::VecDeque;

use crate::event_loop::Time;

/// Runs for which room is reserved when a connection opens: enough that a steady state, whose
/// replies come in a few pieces a round, allocates nothing.
const RUNS_RESERVED: usize = 16;

/// Requests that were handed over at the same time.
#[derive(Clone, Copy, Debug)]
struct Run {
    sent_at: Time,
    requests: usize,
}

/// The requests in flight on one connection, oldest first.
#[derive(Debug)]
pub(super) struct InFlight {
    runs: VecDeque<Run>,
    requests: usize,
}

impl InFlight {
    /// None yet, and room for what `pipelining` can bring.
    pub(super) fn with_room_for(pipelining: usize) -> InFlight {
        InFlight {
            runs: VecDeque::with_capacity(pipelining.min(RUNS_RESERVED)),
            requests: 0,
        }
    }

    /// How many requests are in flight.
    pub(super) fn requests(&self) -> usize {
        self.requests
    }

    /// When the oldest of them was sent.
    pub(super) fn oldest(&self) -> Option<Time> {
        self.runs.front().map(|run| run.sent_at)
    }

    pub(super) fn sent(&mut self, requests: usize, now: Time) {
        if requests == 0 {
            return;
        }
        self.requests += requests;
        match self.runs.back_mut() {
            Some(last) if last.sent_at == now => last.requests += requests,
            _ => self.runs.push_back(Run {
                sent_at: now,
                requests,
            }),
        }
    }

    /// The oldest `replies` requests are answered (no more than are in flight); tells `on_run` the
    /// stamp of each run of them and its size.
    pub(super) fn answered(&mut self, mut replies: usize, mut on_run: impl FnMut(Time, usize)) {
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

    /// All of them are given up; returns how many they were.
    pub(super) fn abandon_all(&mut self) -> usize {
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
        in_flight.sent(3, at(5));
        in_flight.sent(2, at(5));
        in_flight.sent(0, at(6));
        in_flight.sent(4, at(7));
        assert_eq!((in_flight.requests(), in_flight.oldest()), (9, Some(at(5))));
        let mut pairs = Vec::new();
        in_flight.answered(2, |sent_at, n| pairs.push((sent_at, n)));
        in_flight.answered(5, |sent_at, n| pairs.push((sent_at, n)));
        assert_eq!(pairs, [(at(5), 2), (at(5), 3), (at(7), 2)]);
        assert_eq!((in_flight.requests(), in_flight.oldest()), (2, Some(at(7))));
        assert_eq!(in_flight.abandon_all(), 2);
        assert_eq!((in_flight.requests(), in_flight.oldest()), (0, None));
    }
}
