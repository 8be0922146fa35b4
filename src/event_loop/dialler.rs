//! When to dial: how many connections are wanted, which are due, and how many may be under way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::{Peer, Time};

/// Connects under way at once; more would only overflow the peer's backlog, and wait a second
/// for the retry. macOS and FreeBSD let 128 clients wait unless told otherwise, Windows 200.
const DIALLING_MAX: usize = if cfg!(target_os = "linux") { 256 } else { 100 };

/// Pause after a dial that found the peer's backlog full. A unix socket on Linux says so at once
/// (EAGAIN), where TCP would retry by itself.
const FULL_BACKLOG_PAUSE: Duration = Duration::from_millis(5);

/// Dials of one peer that are still to be made.
#[derive(Debug)]
pub struct Dialler {
    peer: Peer,
    due: BinaryHeap<Reverse<Dial>>,
    under_way: usize,
    /// The peer's backlog was full: no dial before this.
    paused_until: Time,
}

/// A dial to be made, ordered by its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dial {
    at: Time,
    /// When its connect timeout ends, if it was tried before.
    give_up_at: Time,
}

impl Dial {
    fn first(at: Time) -> Dial {
        Dial {
            at,
            give_up_at: Time::NEVER,
        }
    }
}

impl Dialler {
    /// So many connections to `peer`, all due at once.
    pub fn new(peer: Peer, connections: usize) -> Dialler {
        Dialler {
            peer,
            due: std::iter::repeat_n(Reverse(Dial::first(Time::START)), connections).collect(),
            under_way: 0,
            paused_until: Time::START,
        }
    }

    /// Whom to dial.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// One more connection, due at `at`.
    pub fn dial_at(&mut self, at: Time) {
        self.due.push(Reverse(Dial::first(at)));
    }

    /// When to dial next, as far as the bound on connects under way allows.
    pub fn next_at(&self) -> Time {
        match self.due.peek() {
            Some(Reverse(dial)) if self.under_way < DIALLING_MAX => dial.at.max(self.paused_until),
            _ => Time::NEVER,
        }
    }

    /// Takes a dial that is due, if any; it is under way until [`Dialler::arrived`] or
    /// [`Dialler::backlog_full`]. Returns when it is to be given up.
    pub fn take_due(&mut self, now: Time, timeout: Duration) -> Option<Time> {
        if self.next_at() > now {
            return None;
        }
        let Reverse(dial) = self.due.pop()?;
        self.under_way += 1;
        Some(dial.give_up_at.min(now + timeout))
    }

    /// A dial under way found the peer's backlog full: it is tried again after a pause, and the
    /// others wait too.
    pub fn backlog_full(&mut self, now: Time, give_up_at: Time) {
        self.under_way -= 1;
        self.paused_until = now + FULL_BACKLOG_PAUSE;
        self.due.push(Reverse(Dial {
            at: self.paused_until,
            give_up_at,
        }));
    }

    /// A dial under way has succeeded or failed.
    pub fn arrived(&mut self) {
        self.under_way -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(1);

    fn dialler(connections: usize) -> Dialler {
        Dialler::new(Peer::Tcp(([127, 0, 0, 1], 80).into()), connections)
    }

    #[test]
    fn no_more_are_under_way_at_once_than_a_backlog_holds() {
        let mut dialler = dialler(DIALLING_MAX + 1);
        for _ in 0..DIALLING_MAX {
            assert!(dialler.take_due(Time::START, TIMEOUT).is_some());
        }
        assert_eq!(dialler.next_at(), Time::NEVER);
        assert_eq!(dialler.take_due(Time::START, TIMEOUT), None);
        dialler.arrived();
        assert!(dialler.take_due(Time::START, TIMEOUT).is_some());
    }

    #[test]
    fn the_earliest_is_dialled_first_and_none_before_its_time() {
        let at = |seconds| Time::START + Duration::from_secs(seconds);
        let mut dialler = dialler(0);
        for seconds in [7, 3, 5] {
            dialler.dial_at(at(seconds));
        }
        assert_eq!(dialler.take_due(at(2), TIMEOUT), None);
        for seconds in [3, 5, 7] {
            assert_eq!(dialler.next_at(), at(seconds));
            assert!(dialler.take_due(at(seconds), TIMEOUT).is_some());
            assert_eq!(dialler.take_due(at(seconds), TIMEOUT), None);
        }
    }

    #[test]
    fn a_full_backlog_pauses_all_dials_and_does_not_extend_the_timeout() {
        let mut dialler = dialler(2);
        let give_up_at = dialler.take_due(Time::START, TIMEOUT).expect("it is due");
        assert_eq!(give_up_at, Time::START + TIMEOUT);
        dialler.backlog_full(Time::START, give_up_at);
        let retry_at = Time::START + FULL_BACKLOG_PAUSE;
        assert_eq!(dialler.next_at(), retry_at);
        assert_eq!(dialler.take_due(Time::START, TIMEOUT), None);
        // The one that was not tried yet comes first.
        assert_eq!(
            dialler.take_due(retry_at, TIMEOUT),
            Some(retry_at + TIMEOUT)
        );
        assert_eq!(dialler.take_due(retry_at, TIMEOUT), Some(give_up_at));
    }
}
