//! When a listener accepts: on the kernel's edge, within bounds, and again after a want of
//! descriptors, for which no new edge will come.

use std::io;
use std::time::Duration;

use super::Time;

/// Connections accepted in one turn; the rest come after the others' events.
const ACCEPTS_PER_TURN_MAX: usize = 64;
/// After a want of descriptors, accepting is tried again at the latest after this.
const RETRY: Duration = Duration::from_millis(100);

/// Why a listener does or does not accept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AcceptState {
    /// It waits for an edge from the kernel.
    #[default]
    AwaitEdge,
    /// Clients may be waiting for whom no new edge will come: tried each turn.
    Ready,
    /// Out of descriptors or memory: tried again at this time, or when a connection closes.
    Starved {
        /// When to try again.
        retry_at: Time,
    },
}

impl AcceptState {
    /// The kernel says that clients wait.
    pub fn edge(&mut self) {
        *self = AcceptState::Ready;
    }

    /// A connection was closed: if descriptors were wanting, one is free.
    pub fn descriptor_freed(&mut self) {
        if let AcceptState::Starved { .. } = self {
            *self = AcceptState::Ready;
        }
    }

    /// When accepting is to be tried although no event came.
    pub fn retry_at(&self) -> Time {
        match *self {
            AcceptState::AwaitEdge => Time::NEVER,
            AcceptState::Ready => Time::START,
            AcceptState::Starved { retry_at } => retry_at,
        }
    }

    /// Calls `accept` until nobody waits, a bound is reached or there is no more `room`, and
    /// hands what it gives to `take`.
    ///
    /// # Errors
    /// The want of descriptors or memory that made it stop. Errors that belong to one connection
    /// are passed over.
    pub fn accept<T>(
        &mut self,
        now: Time,
        room: usize,
        mut accept: impl FnMut() -> io::Result<T>,
        mut take: impl FnMut(T),
    ) -> io::Result<()> {
        if self.retry_at() > now {
            return Ok(());
        }
        for _ in 0..ACCEPTS_PER_TURN_MAX.min(room) {
            match accept() {
                Ok(stream) => take(stream),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    *self = AcceptState::AwaitEdge;
                    return Ok(());
                }
                Err(e) if is_of_one_connection(&e) => {}
                Err(e) => {
                    *self = AcceptState::Starved {
                        retry_at: now + RETRY,
                    };
                    return Err(e);
                }
            }
        }
        *self = AcceptState::Ready;
        Ok(())
    }
}

/// Errors of a connection that ended while it waited to be accepted (Linux passes pending network
/// errors on, Windows may not know any more whose it was); the next one may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::Interrupted
            | Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::NotConnected
            | Kind::TimedOut
            | Kind::NetworkDown
            | Kind::NetworkUnreachable
            | Kind::HostUnreachable
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kernel with so many clients waiting and so many descriptors left.
    struct Backlog {
        waiting: usize,
        descriptors: usize,
    }

    impl Backlog {
        fn accept(&mut self) -> io::Result<()> {
            if self.waiting == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            if self.descriptors == 0 {
                return Err(io::Error::other("EMFILE"));
            }
            self.waiting -= 1;
            self.descriptors -= 1;
            Ok(())
        }
    }

    fn accept(
        gate: &mut AcceptState,
        at_ms: u64,
        room: usize,
        backlog: &mut Backlog,
    ) -> (usize, bool) {
        let now = Time::START + Duration::from_millis(at_ms);
        let mut taken = 0;
        let result = gate.accept(now, room, || backlog.accept(), |()| taken += 1);
        (taken, result.is_ok())
    }

    #[test]
    fn without_an_edge_nothing_is_tried() {
        let mut backlog = Backlog {
            waiting: 1,
            descriptors: 9,
        };
        let mut gate = AcceptState::default();
        assert_eq!(accept(&mut gate, 0, 9, &mut backlog), (0, true));
        assert_eq!(gate.retry_at(), Time::NEVER);
    }

    #[test]
    fn one_edge_is_enough_for_all_who_wait_but_not_in_one_turn() {
        let mut backlog = Backlog {
            waiting: ACCEPTS_PER_TURN_MAX + 1,
            descriptors: 999,
        };
        let mut gate = AcceptState::default();
        gate.edge();
        assert_eq!(
            accept(&mut gate, 0, 999, &mut backlog),
            (ACCEPTS_PER_TURN_MAX, true)
        );
        assert_eq!(gate.retry_at(), Time::START, "the rest is due at once");
        assert_eq!(accept(&mut gate, 0, 999, &mut backlog), (1, true));
        assert_eq!(gate, AcceptState::AwaitEdge);
    }

    #[test]
    fn a_want_of_descriptors_is_retried_by_the_clock_without_an_edge() {
        let mut backlog = Backlog {
            waiting: 2,
            descriptors: 1,
        };
        let mut gate = AcceptState::default();
        gate.edge();
        assert_eq!(accept(&mut gate, 0, 9, &mut backlog), (1, false));
        backlog.descriptors = 1;
        assert_eq!(accept(&mut gate, 99, 9, &mut backlog), (0, true), "no spin");
        assert_eq!(accept(&mut gate, 100, 9, &mut backlog), (1, true));
    }

    #[test]
    fn a_want_of_descriptors_ends_with_the_next_close() {
        let mut backlog = Backlog {
            waiting: 1,
            descriptors: 0,
        };
        let mut gate = AcceptState::default();
        gate.edge();
        assert_eq!(accept(&mut gate, 0, 9, &mut backlog), (0, false));
        backlog.descriptors = 1;
        gate.descriptor_freed();
        assert_eq!(accept(&mut gate, 1, 9, &mut backlog), (1, true));
    }

    #[test]
    fn a_full_house_keeps_the_rest_waiting_and_forgets_nobody() {
        let mut backlog = Backlog {
            waiting: 3,
            descriptors: 9,
        };
        let mut gate = AcceptState::default();
        gate.edge();
        assert_eq!(accept(&mut gate, 0, 2, &mut backlog), (2, true));
        assert_eq!(accept(&mut gate, 1, 0, &mut backlog), (0, true));
        assert_eq!(accept(&mut gate, 2, 1, &mut backlog), (1, true));
    }

    #[test]
    fn a_client_that_left_the_line_does_not_stop_it() {
        let mut results = vec![
            Ok(()),
            Err(io::ErrorKind::ConnectionAborted.into()),
            Err(io::ErrorKind::NotConnected.into()),
            Ok(()),
        ];
        let mut gate = AcceptState::default();
        gate.edge();
        let mut taken = 0;
        let accept = || {
            results
                .pop()
                .unwrap_or(Err(io::ErrorKind::WouldBlock.into()))
        };
        gate.accept(Time::START, 9, accept, |()| taken += 1)
            .unwrap();
        assert_eq!((taken, gate), (2, AcceptState::AwaitEdge));
    }
}
