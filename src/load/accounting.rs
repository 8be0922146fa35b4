//! The accounting of a run: what became of each request.
//!
//! [`Ledger`] is the only owner of these counts and the only code that changes what is in flight
//! on a connection, so each request is in one place at any time:
//!
//! ```text
//! due = sent + never sent
//! sent = completed + timed out + lost + in flight
//! ```
//!
//! A request is sent when its first byte is handed to the kernel; one that waits for room in the
//! kernel's buffer is queued, and has no stamp yet. In a closed loop a request is due when it is
//! sent; in an open loop by its schedule, and it is never sent again. Where the number of replies counts
//! ([`super::Until::Amount`]), a request that got no reply returns to the budget and is sent again.

mod in_flight;

pub(crate) use in_flight::{InFlight, Left};

use serde::{Deserialize, Serialize};

use super::Until;
use crate::event_loop::Time;

/// due = sent + neverSent, and sent = completed + timedOut + lost + inFlight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accounting {
    /// Requests that were to be sent up to the stop.
    pub due: u64,
    /// Requests handed to the kernel.
    pub sent: u64,
    /// Requests that were due and not sent before the stop; 0 in a closed loop.
    pub never_sent: u64,
    /// Requests with a complete reply.
    pub completed: u64,
    /// Requests in flight on a connection whose oldest one had no complete reply within the timeout.
    pub timed_out: u64,
    /// Requests in flight on a connection that ended.
    pub lost: u64,
    /// Requests in flight when the run stopped; before that, those in flight now.
    pub in_flight: u64,
}

impl Accounting {
    /// Adds the requests of another worker.
    pub(crate) fn add(&mut self, other: Accounting) {
        let Accounting {
            due,
            sent,
            never_sent,
            completed,
            timed_out,
            lost,
            in_flight,
        } = other;
        self.due += due;
        self.sent += sent;
        self.never_sent += never_sent;
        self.completed += completed;
        self.timed_out += timed_out;
        self.lost += lost;
        self.in_flight += in_flight;
    }

    /// Returns true if each request is counted once.
    pub fn is_balanced(&self) -> bool {
        self.due == self.sent + self.never_sent
            && self.sent == self.completed + self.timed_out + self.lost + self.in_flight
    }
}

/// The counts of a run under way. Each method is one transition of requests.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// All but `due`, which follows from the others.
    counts: Accounting,
    /// Replies that the run is for; `None` for a run that ends by its duration.
    amount: Option<u64>,
    /// Requests that may still be sent; without an amount, more than any run can send.
    budget: u64,
    /// Requests that wait for room in the kernel's buffer.
    queued: u64,
    /// The part of `in_flight` whose connections were closed by the stop.
    stopped: u64,
}

impl Ledger {
    /// Nothing sent yet.
    pub(crate) fn new(until: Until) -> Ledger {
        let amount = match until {
            Until::Duration(_) => None,
            Until::Amount(amount) => Some(amount),
        };
        Ledger {
            counts: Accounting::default(),
            amount,
            budget: amount.unwrap_or(u64::MAX),
            queued: 0,
            stopped: 0,
        }
    }

    /// The counts as they are now.
    pub(crate) fn counts(&self) -> Accounting {
        Accounting {
            due: self.counts.sent + self.counts.never_sent,
            ..self.counts
        }
    }

    /// Requests that are in flight on open connections or queued.
    pub(crate) fn slots_taken(&self) -> u64 {
        self.counts.in_flight - self.stopped + self.queued
    }

    /// Requests that may be sent now, up to `wanted`.
    pub(crate) fn allowed(&self, wanted: usize) -> usize {
        usize::try_from(self.budget).map_or(wanted, |budget| budget.min(wanted))
    }

    /// Returns true if nothing is left to send, unless a request gets no reply.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.budget == 0
    }

    /// `requests` of the allowed ones are handed over on a connection at `now`.
    pub(crate) fn send(&mut self, line: &mut InFlight, requests: usize, now: Time) {
        line.send(requests, now);
        let requests = requests as u64;
        self.counts.sent += requests;
        self.counts.in_flight += requests;
        if self.amount.is_some() {
            self.budget -= requests;
        }
        self.invariants();
    }

    /// A request that was due at `due` is handed over on a connection at `now`.
    pub(crate) fn send_due(&mut self, line: &mut InFlight, due: Time, now: Time) {
        line.send_due(due, now);
        self.counts.sent += 1;
        self.counts.in_flight += 1;
        self.invariants();
    }

    /// Counts requests that were due and are not sent.
    pub(crate) fn never_send(&mut self, requests: u64) {
        self.counts.never_sent += requests;
        self.invariants();
    }

    /// The kernel has not taken a byte of the last `queued` requests of a connection. Those that
    /// left this queue since the last call were sent at `now`.
    pub(crate) fn queue(&mut self, line: &mut InFlight, queued: usize, now: Time) {
        let before = line.queued();
        line.set_queued(queued, now);
        let (sent, unsent) = (before.saturating_sub(queued), queued.saturating_sub(before));
        for count in [&mut self.counts.sent, &mut self.counts.in_flight] {
            *count = *count + sent as u64 - unsent as u64;
        }
        self.queued = self.queued + unsent as u64 - sent as u64;
        self.invariants();
    }

    /// The oldest `replies` requests of a connection are answered, no more than are in flight.
    /// Calls `on_run` with the stamp and the number of each run of equal stamps.
    pub(crate) fn complete(
        &mut self,
        line: &mut InFlight,
        replies: usize,
        on_run: impl FnMut(Time, usize),
    ) {
        line.answer(replies, on_run);
        self.counts.completed += replies as u64;
        self.counts.in_flight -= replies as u64;
        self.invariants();
    }

    /// All requests of a connection have waited too long. Returns how many. Calls `on_run` with the
    /// start and the number of each run of requests that get no reply.
    pub(crate) fn time_out(
        &mut self,
        line: &mut InFlight,
        mut on_run: impl FnMut(Time, usize),
    ) -> u64 {
        let requests = self.take_back(line, |_, began, requests| on_run(began, requests));
        self.counts.timed_out += requests;
        self.invariants();
        requests
    }

    /// The connection of these requests is gone. Returns how many they were.
    pub(crate) fn lose(
        &mut self,
        line: &mut InFlight,
        on_run: impl FnMut(Left, Time, usize),
    ) -> u64 {
        let requests = self.take_back(line, on_run);
        self.counts.lost += requests;
        self.invariants();
        requests
    }

    /// The run stopped while these requests were in flight; they stay so.
    pub(crate) fn stop(&mut self, line: &mut InFlight, mut on_run: impl FnMut(Time, usize)) {
        let cleared = line.clear(|_, began, requests| on_run(began, requests));
        self.counts.never_sent += cleared.queued_due as u64;
        self.stopped += cleared.in_flight as u64;
        self.queued -= cleared.queued as u64;
        if self.amount.is_some() {
            self.budget += cleared.queued as u64;
        }
        self.invariants();
    }

    /// Counts anew: what is in flight was sent, and nothing else. Only without an amount.
    pub(crate) fn restart(&mut self) {
        debug_assert!(self.amount.is_none(), "an amount is not warmed up for");
        let in_flight = self.counts.in_flight;
        self.counts = Accounting {
            sent: in_flight,
            in_flight,
            ..Accounting::default()
        };
        self.invariants();
    }

    /// The final counts; every connection is closed.
    pub(crate) fn finish(self) -> Accounting {
        self.invariants();
        debug_assert_eq!(
            self.counts.in_flight, self.stopped,
            "a connection was dropped and its requests were not settled"
        );
        self.counts()
    }

    /// Requests that got no reply; where the number of replies counts, they are sent again.
    fn take_back(&mut self, line: &mut InFlight, on_run: impl FnMut(Left, Time, usize)) -> u64 {
        let cleared = line.clear(on_run);
        self.counts.never_sent += cleared.queued_due as u64;
        let (in_flight, queued) = (cleared.in_flight as u64, cleared.queued as u64);
        self.counts.in_flight -= in_flight;
        self.queued -= queued;
        if self.amount.is_some() {
            self.budget += in_flight + queued;
        }
        in_flight
    }

    #[inline]
    fn invariants(&self) {
        debug_assert!(self.counts().is_balanced(), "{self:?}");
        debug_assert!(self.stopped <= self.counts.in_flight, "{self:?}");
        if let Some(amount) = self.amount {
            debug_assert_eq!(
                self.counts.completed + self.counts.in_flight + self.queued + self.budget,
                amount,
                "{self:?}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const AT: Time = Time::START;

    #[test]
    fn each_request_is_counted_in_one_place() {
        let mut ledger = Ledger::new(Until::Duration(Duration::from_secs(1)));
        let mut lines = [(); 4].map(|()| InFlight::default());
        for line in &mut lines {
            assert_eq!(ledger.allowed(10), 10);
            ledger.send(line, 10, AT);
        }
        let [answered, overdue, gone, open] = &mut lines;
        ledger.complete(answered, 10, |_, _| {});
        assert_eq!(ledger.time_out(overdue, |_, _| {}), 10);
        ledger.complete(gone, 4, |_, _| {});
        assert_eq!(ledger.lose(gone, |_, _, _| {}), 6);
        ledger.stop(open, |_, _| {});
        let counts = ledger.finish();
        assert_eq!(
            counts,
            Accounting {
                due: 40,
                sent: 40,
                never_sent: 0,
                completed: 14,
                timed_out: 10,
                lost: 6,
                in_flight: 10,
            }
        );
        assert!(counts.is_balanced());
    }

    #[test]
    fn queued_requests_are_not_sent_until_the_kernel_takes_them() {
        let at = Time::from_ns;
        let mut ledger = Ledger::new(Until::Amount(12));
        let mut line = InFlight::default();
        ledger.send(&mut line, 10, at(1));
        ledger.queue(&mut line, 7, at(1));
        assert_eq!((ledger.counts().sent, ledger.counts().in_flight), (3, 3));
        assert_eq!(
            (line.requests(), line.queued(), ledger.allowed(10)),
            (3, 7, 2)
        );
        ledger.queue(&mut line, 2, at(5));
        let mut stamps = Vec::new();
        ledger.complete(&mut line, 8, |stamp, n| stamps.push((stamp, n)));
        assert_eq!(stamps, [(at(1), 3), (at(5), 5)]);
        // The last two were never sent, and are not lost.
        assert_eq!(ledger.lose(&mut line, |_, _, _| {}), 0);
        assert_eq!(ledger.allowed(10), 4);
        ledger.send(&mut line, 4, at(6));
        ledger.queue(&mut line, 1, at(6));
        ledger.stop(&mut line, |_, _| {});
        let counts = ledger.finish();
        assert_eq!(
            (counts.sent, counts.completed, counts.in_flight),
            (11, 8, 3)
        );
    }

    #[test]
    fn a_due_request_that_the_kernel_never_took_is_never_sent() {
        let at = Time::from_ns;
        let queued = || {
            let mut ledger = Ledger::new(Until::Duration(Duration::from_secs(1)));
            let mut line = InFlight::default();
            for due in 1..=4 {
                ledger.send_due(&mut line, at(due), at(5));
            }
            ledger.queue(&mut line, 3, at(5));
            assert_eq!((ledger.counts().sent, ledger.slots_taken()), (1, 4));
            // Two of the three go after all.
            ledger.queue(&mut line, 1, at(7));
            (ledger, line)
        };
        let (mut ledger, mut line) = queued();
        let mut runs = Vec::new();
        ledger.complete(&mut line, 2, |began, n| runs.push((began, n)));
        assert_eq!(line.oldest(), Some(at(7)));
        let lost = ledger.lose(&mut line, |left, began, n| {
            let state = if began == at(4) {
                Left::NeverSent
            } else {
                Left::InFlight
            };
            assert_eq!(left, state);
            runs.push((began, n));
        });
        assert_eq!(lost, 1);
        assert_eq!(runs, [1, 2, 3, 4].map(|due| (at(due), 1)));
        let counts = ledger.finish();
        assert_eq!((counts.due, counts.sent, counts.never_sent), (4, 3, 1));
        let (mut ledger, mut line) = queued();
        ledger.stop(&mut line, |_, _| {});
        assert_eq!(ledger.slots_taken(), 0);
        let counts = ledger.finish();
        assert_eq!((counts.due, counts.in_flight, counts.never_sent), (4, 3, 1));
    }

    #[test]
    fn requests_without_a_reply_return_to_the_budget_of_an_amount() {
        let mut ledger = Ledger::new(Until::Amount(12));
        let mut line = InFlight::default();
        ledger.send(&mut line, 10, AT);
        assert_eq!(ledger.allowed(10), 2);
        ledger.complete(&mut line, 3, |_, _| {});
        assert_eq!(ledger.allowed(10), 2, "a reply frees a slot, and no budget");
        ledger.lose(&mut line, |_, _, _| {});
        assert_eq!(ledger.allowed(10), 9);
        ledger.send(&mut line, 9, AT);
        assert!(ledger.is_exhausted());
        ledger.time_out(&mut line, |_, _| {});
        assert_eq!(ledger.allowed(10), 9);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "were not settled")]
    fn a_connection_dropped_with_requests_in_flight_is_noticed() {
        let mut ledger = Ledger::new(Until::Amount(12));
        let mut line = InFlight::default();
        ledger.send(&mut line, 10, AT);
        ledger.finish();
    }

    #[test]
    fn a_count_that_is_off_by_one_is_not_balanced() {
        let balanced = Accounting {
            due: 7,
            sent: 6,
            never_sent: 1,
            completed: 3,
            timed_out: 1,
            lost: 1,
            in_flight: 1,
        };
        assert!(balanced.is_balanced());
        type Field = fn(&mut Accounting) -> &mut u64;
        let fields: [Field; 7] = [
            |a| &mut a.due,
            |a| &mut a.sent,
            |a| &mut a.never_sent,
            |a| &mut a.completed,
            |a| &mut a.timed_out,
            |a| &mut a.lost,
            |a| &mut a.in_flight,
        ];
        for field in fields {
            let mut counts = balanced;
            *field(&mut counts) += 1;
            assert!(!counts.is_balanced(), "{counts:?}");
        }
    }
}
