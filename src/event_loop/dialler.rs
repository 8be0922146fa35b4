//! When to dial: how many connections are wanted, which are due, and how many may be under way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Peer, Time};

/// Connects under way at once; more would only overflow the peer's backlog, and wait a second
/// for the retry. macOS and FreeBSD let 128 clients wait unless told otherwise, Windows 200.
const DIALLING_MAX: usize = if cfg!(target_os = "linux") { 256 } else { 100 };

/// Dials of one peer that are still to be made.
#[derive(Debug)]
pub struct Dialler {
    peer: Peer,
    due: BinaryHeap<Reverse<Time>>,
    under_way: usize,
}

impl Dialler {
    /// So many connections to `peer`, all due at once.
    pub fn new(peer: Peer, connections: usize) -> Dialler {
        Dialler {
            peer,
            due: std::iter::repeat_n(Reverse(Time::START), connections).collect(),
            under_way: 0,
        }
    }

    /// Whom to dial.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// One more connection, due at `at`.
    pub fn dial_at(&mut self, at: Time) {
        self.due.push(Reverse(at));
    }

    /// When to dial next, as far as the bound on connects under way allows.
    pub fn next_at(&self) -> Time {
        match self.due.peek() {
            Some(&Reverse(at)) if self.under_way < DIALLING_MAX => at,
            _ => Time::NEVER,
        }
    }

    /// Takes a dial that is due, if any; it is under way until [`Dialler::arrived`].
    pub fn take_due(&mut self, now: Time) -> Option<()> {
        if self.next_at() > now {
            return None;
        }
        self.due.pop();
        self.under_way += 1;
        Some(())
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

    fn dialler(connections: usize) -> Dialler {
        Dialler::new(Peer::Tcp(([127, 0, 0, 1], 80).into()), connections)
    }

    #[test]
    fn no_more_are_under_way_at_once_than_a_backlog_holds() {
        let mut dialler = dialler(DIALLING_MAX + 1);
        for _ in 0..DIALLING_MAX {
            assert_eq!(dialler.take_due(Time::START), Some(()));
        }
        assert_eq!(dialler.next_at(), Time::NEVER);
        assert_eq!(dialler.take_due(Time::START), None);
        dialler.arrived();
        assert_eq!(dialler.take_due(Time::START), Some(()));
    }

    #[test]
    fn the_earliest_is_dialled_first_and_none_before_its_time() {
        let at = |seconds| Time::START + Duration::from_secs(seconds);
        let mut dialler = dialler(0);
        for seconds in [7, 3, 5] {
            dialler.dial_at(at(seconds));
        }
        assert_eq!(dialler.take_due(at(2)), None);
        for seconds in [3, 5, 7] {
            assert_eq!(dialler.next_at(), at(seconds));
            assert_eq!(dialler.take_due(at(seconds)), Some(()));
            assert_eq!(dialler.take_due(at(seconds)), None);
        }
    }
}
