//! Dialling: when to dial, how many connects may be under way, and what becomes of each.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::time::Duration;

use super::connection::Connection;
use super::kernel::{Dialled, Event, Interest, Kernel};
use super::{Address, Closed, Entry, EventLoop, Protocol, Time};

/// Dials begun in one turn.
const DIALS_PER_TURN_MAX: usize = 256;

/// Connects under way at once. More would overflow the peer's backlog and wait a second for the
/// retry. The default backlog is 128 on macOS and FreeBSD, and 200 on Windows.
const DIALLING_MAX: usize = if cfg!(target_os = "linux") { 256 } else { 100 };

/// Pause after a dial that found the peer's backlog full. Linux reports this at once for a unix
/// socket (EAGAIN), where TCP would try again by itself.
const FULL_BACKLOG_PAUSE: Duration = Duration::from_millis(5);

/// Dials of one peer that are still to be made.
#[derive(Debug)]
pub(super) struct Dialler {
    peer: Address,
    /// Time limit for a dial ([`Closed::NotConnected`]).
    timeout: Duration,
    due: BinaryHeap<Reverse<Dial>>,
    under_way: usize,
    /// The peer's backlog was full: no dial before this.
    paused_until: Time,
}

/// A dial to be made, ordered by its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dial {
    at: Time,
    /// End of its connect timeout, if it was tried before.
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
    /// Dials for `connections` to `peer`, all due at once.
    fn new(peer: Address, connections: usize, timeout: Duration) -> Dialler {
        Dialler {
            peer,
            timeout,
            due: std::iter::repeat_n(Reverse(Dial::first(Time::START)), connections).collect(),
            under_way: 0,
            paused_until: Time::START,
        }
    }

    /// One more connection, due at `at`.
    pub(super) fn dial_at(&mut self, at: Time) {
        self.due.push(Reverse(Dial::first(at)));
    }

    /// Time of the next dial, as far as the bound on connects under way allows.
    pub(super) fn next_at(&self) -> Time {
        match self.due.peek() {
            Some(Reverse(dial)) if self.under_way < DIALLING_MAX => dial.at.max(self.paused_until),
            _ => Time::NEVER,
        }
    }

    /// Takes a dial that is due, if any; it is under way until [`Dialler::ended`] or
    /// [`Dialler::backlog_full`]. Returns when it is to be given up.
    fn take_due(&mut self, now: Time) -> Option<Time> {
        if self.next_at() > now {
            return None;
        }
        let Reverse(dial) = self.due.pop()?;
        self.under_way += 1;
        Some(dial.give_up_at.min(now + self.timeout))
    }

    /// A dial under way found the peer's backlog full: it is tried again after a pause, and the
    /// others wait too.
    fn backlog_full(&mut self, now: Time, give_up_at: Time) {
        self.under_way -= 1;
        self.paused_until = now + FULL_BACKLOG_PAUSE;
        self.due.push(Reverse(Dial {
            at: self.paused_until,
            give_up_at,
        }));
    }

    /// Connects under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// A dial under way has succeeded or failed.
    pub(super) fn ended(&mut self) {
        self.under_way -= 1;
    }
}

impl<P: Protocol, K: Kernel> EventLoop<P, K> {
    /// Dials `peer` for each of `connections`, and again whenever the protocol returns
    /// [`AfterClose::Redial`](super::AfterClose::Redial). A dial fails after `timeout`.
    pub fn dial(&mut self, peer: Address, connections: usize, timeout: Duration) {
        self.entries.reserve(connections);
        self.dialler = Some(Dialler::new(peer, connections, timeout));
    }

    /// Begins the dials that are due.
    pub(super) fn dial_due(&mut self) {
        let now = self.shared.now;
        for _ in 0..DIALS_PER_TURN_MAX {
            let Some(dialler) = &mut self.dialler else {
                return;
            };
            let Some(give_up_at) = dialler.take_due(now) else {
                return;
            };
            let entry = self.entries.vacant_entry();
            match self.kernel.dial(&dialler.peer, entry.key()) {
                Ok(stream) => {
                    entry.insert(Entry::Dialling {
                        stream: Some(stream),
                        give_up_at,
                        interest: Interest::Writable,
                    });
                    self.deadlines.note(give_up_at);
                }
                Err(e) if e.kind() != io::ErrorKind::WouldBlock => {
                    self.closed(None, Closed::NotConnected(e));
                }
                Err(_) if now < give_up_at => dialler.backlog_full(now, give_up_at),
                Err(_) => {
                    let timed_out = io::ErrorKind::TimedOut.into();
                    self.closed(None, Closed::NotConnected(timed_out));
                }
            }
            self.invariants();
        }
    }

    /// An event for a stream that is being dialled.
    pub(super) fn dial_event(&mut self, event: Event) {
        let key = event.token;
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let Entry::Dialling {
            stream: slot,
            give_up_at,
            interest,
        } = entry
        else {
            return;
        };
        let Some(mut stream) = slot.take() else {
            return;
        };
        let result = match self.kernel.dialled(&mut stream) {
            Ok(Dialled::Connected) => {
                let time_left = *give_up_at - self.shared.received_at();
                if let Some(dialler) = &mut self.dialler {
                    let took = dialler.timeout.saturating_sub(time_left);
                    self.shared.protocol.dialled(took);
                    dialler.ended();
                }
                let interest = *interest;
                let (connection, pumped) = Connection::open(stream, &mut self.shared);
                // In the same place, because the kernel knows the stream by this key.
                *entry = Entry::Open {
                    connection,
                    interest,
                };
                self.after(key, pumped);
                return self.invariants();
            }
            // Its end came before it was open, and the system no longer knows why.
            Ok(Dialled::Pending) if event.write_closed => Err(io::ErrorKind::NotConnected.into()),
            // Nothing was read or written, so Windows has not armed the next event.
            Ok(Dialled::Pending) => {
                *interest = Interest::Writable;
                self.kernel.reregister(&mut stream, key, Interest::Writable)
            }
            Ok(Dialled::AwaitsPeer) => {
                *interest = Interest::Readable;
                self.kernel.reregister(&mut stream, key, Interest::Readable)
            }
            Err(e) => Err(e),
        };
        *slot = Some(stream);
        if let Err(e) = result {
            self.close(key, Closed::NotConnected(e));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(1);

    fn dialler(connections: usize) -> Dialler {
        Dialler::new(
            Address::Tcp(([127, 0, 0, 1], 80).into()),
            connections,
            TIMEOUT,
        )
    }

    #[test]
    fn no_more_are_under_way_at_once_than_a_backlog_holds() {
        let mut dialler = dialler(DIALLING_MAX + 1);
        for _ in 0..DIALLING_MAX {
            assert!(dialler.take_due(Time::START).is_some());
        }
        assert_eq!(dialler.next_at(), Time::NEVER);
        assert_eq!(dialler.take_due(Time::START), None);
        dialler.ended();
        assert!(dialler.take_due(Time::START).is_some());
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
            assert!(dialler.take_due(at(seconds)).is_some());
            assert_eq!(dialler.take_due(at(seconds)), None);
        }
    }

    #[test]
    fn a_full_backlog_pauses_all_dials_and_does_not_extend_the_timeout() {
        let mut dialler = dialler(2);
        let give_up_at = dialler.take_due(Time::START).expect("it is due");
        assert_eq!(give_up_at, Time::START + TIMEOUT);
        dialler.backlog_full(Time::START, give_up_at);
        let retry_at = Time::START + FULL_BACKLOG_PAUSE;
        assert_eq!(dialler.next_at(), retry_at);
        assert_eq!(dialler.take_due(Time::START), None);
        // The one that was not tried yet comes first.
        assert_eq!(dialler.take_due(retry_at), Some(retry_at + TIMEOUT));
        assert_eq!(dialler.take_due(retry_at), Some(give_up_at));
    }
}
