//! Accepting: when the kernel reports new connections, and within bounds. If no descriptor was
//! left, the listener tries again by itself, because the kernel does not report these connections
//! again.

use std::io;
use std::time::Duration;

use super::acceptor::Acceptor;
use super::connection::Connection;
use super::kernel::{Interest, Kernel, STOP_TOKEN};
use super::{Address, Closed, Entry, EventLoop, Protocol, ServerWarning, Time};

/// Connections accepted in one turn; the rest come after the others' events.
const ACCEPTS_PER_TURN_MAX: usize = 64;
/// Longest time until accepting is tried again after no descriptor was left.
const RETRY: Duration = Duration::from_millis(100);

/// Rounds of accepting at a stop; enough for a full backlog.
const ACCEPT_ROUNDS_AT_STOP_MAX: usize = 64;

/// A listening socket.
pub(super) struct Listener<L> {
    socket: L,
    token: usize,
    accept_state: AcceptState,
}

impl<P: Protocol> EventLoop<P> {
    /// Accepts connections from `acceptor`.
    ///
    /// # Errors
    /// No memory is left.
    pub fn listen_on(&mut self, mut acceptor: Acceptor) -> io::Result<()> {
        let token = self.next_listener_token();
        self.kernel.watch(&mut acceptor, token)?;
        self.add_listener(acceptor, token);
        Ok(())
    }
}

impl<P: Protocol, K: Kernel> EventLoop<P, K> {
    /// Accepts connections on `address`; returns the actual address (port 0 takes a free port).
    ///
    /// # Errors
    /// The address is taken, or this machine does not have it.
    pub fn listen(&mut self, address: &Address) -> io::Result<Address> {
        let token = self.next_listener_token();
        let (socket, address) = self.kernel.listen(address, token)?;
        self.add_listener(socket, token);
        Ok(address)
    }

    fn next_listener_token(&self) -> usize {
        STOP_TOKEN - 1 - self.listeners.len()
    }

    fn add_listener(&mut self, socket: K::Listener, token: usize) {
        self.listeners.push(Listener {
            socket,
            token,
            accept_state: AcceptState::default(),
        });
    }

    /// An event for a token that is no connection's; perhaps a listener's.
    pub(super) fn listener_event(&mut self, token: usize) {
        if let Some(listener) = self.listeners.iter_mut().find(|l| l.token == token) {
            listener.accept_state.edge();
        }
    }

    /// Every listener that was short of descriptors may accept again.
    pub(super) fn descriptor_freed(&mut self) {
        for listener in &mut self.listeners {
            listener.accept_state.descriptor_freed();
        }
    }

    /// Time at which to accept even without an event.
    pub(super) fn accept_at(&self) -> Time {
        match self.entries.len() < self.shared.limits.connections_max {
            true => {
                let times = self.listeners.iter().map(|l| l.accept_state.retry_at());
                times.min().unwrap_or(Time::NEVER)
            }
            false => Time::NEVER,
        }
    }

    /// Accepts waiting connections, as far as there is room.
    pub(super) fn accept(&mut self) {
        for index in 0..self.listeners.len() {
            let room = self.shared.limits.connections_max;
            let room = room.saturating_sub(self.entries.len());
            let now = self.shared.now;
            let (listener, kernel) = (&mut self.listeners[index], &mut self.kernel);
            let accept = || kernel.accept(&mut listener.socket);
            let mut accepted = Vec::new();
            let take = |stream| accepted.push(stream);
            let result = listener.accept_state.accept(now, room, accept, take);
            for stream in accepted {
                self.open_accepted(stream);
            }
            if let Err(e) = result {
                let warning = ServerWarning::CannotAccept(e);
                self.shared.protocol.warn(warning, now);
            }
        }
    }

    /// Accepts what waits, and closes the listeners. A connection left in the backlog would be
    /// reset, together with the requests that it has sent.
    pub(super) fn stop_listening(&mut self) {
        for listener in &mut self.listeners {
            listener.accept_state.edge();
        }
        for _ in 0..ACCEPT_ROUNDS_AT_STOP_MAX {
            self.accept();
            if self.accept_at() > self.shared.now {
                break;
            }
        }
        for listener in self.listeners.drain(..) {
            self.kernel.close_listener(listener.socket);
        }
    }

    fn open_accepted(&mut self, stream: K::Stream) {
        let (mut connection, pumped) = Connection::open(stream, &mut self.shared);
        let interest = Interest::Readable;
        let entry = self.entries.vacant_entry();
        let key = entry.key();
        let stream = connection.stream_mut();
        let registered = self.kernel.register(stream, key, interest);
        entry.insert(Entry::Open {
            connection,
            interest,
        });
        match registered {
            Ok(()) => self.after(key, pumped),
            Err(e) => self.close(key, Closed::Failed(e)),
        }
        self.invariants();
    }
}

/// Occasion on which a listener accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum AcceptState {
    /// The kernel reports an edge.
    #[default]
    AwaitEdge,
    /// In each turn: connections may be waiting for which no new edge comes.
    Ready,
    /// At this time, or when a connection closes: no descriptor or memory is left.
    Starved {
        /// Time of the next attempt.
        retry_at: Time,
    },
}

impl AcceptState {
    /// The kernel reports that connections wait.
    fn edge(&mut self) {
        *self = AcceptState::Ready;
    }

    /// A connection was closed, so a descriptor is free.
    fn descriptor_freed(&mut self) {
        if let AcceptState::Starved { .. } = self {
            *self = AcceptState::Ready;
        }
    }

    /// Time at which to accept even without an event.
    fn retry_at(&self) -> Time {
        match *self {
            AcceptState::AwaitEdge => Time::NEVER,
            AcceptState::Ready => Time::START,
            AcceptState::Starved { retry_at } => retry_at,
        }
    }

    /// Calls `accept` until no connection waits, a bound is reached or there is no more `room`,
    /// and passes each connection to `take`.
    ///
    /// # Errors
    /// No descriptor or memory is left. Errors of a single connection are skipped.
    fn accept<T>(
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

/// Returns true for an error of a connection that ended while it waited to be accepted; the next
/// one is not affected. Linux passes on pending network errors.
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

    /// A kernel with this many connections waiting and descriptors left.
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
        state: &mut AcceptState,
        at_ms: u64,
        room: usize,
        backlog: &mut Backlog,
    ) -> (usize, bool) {
        let now = Time::START + Duration::from_millis(at_ms);
        let mut taken = 0;
        let result = state.accept(now, room, || backlog.accept(), |()| taken += 1);
        (taken, result.is_ok())
    }

    #[test]
    fn without_an_edge_nothing_is_tried() {
        let mut backlog = Backlog {
            waiting: 1,
            descriptors: 9,
        };
        let mut state = AcceptState::default();
        assert_eq!(accept(&mut state, 0, 9, &mut backlog), (0, true));
        assert_eq!(state.retry_at(), Time::NEVER);
    }

    #[test]
    fn one_edge_is_enough_for_all_that_wait_but_not_in_one_turn() {
        let mut backlog = Backlog {
            waiting: ACCEPTS_PER_TURN_MAX + 1,
            descriptors: 999,
        };
        let mut state = AcceptState::default();
        state.edge();
        assert_eq!(
            accept(&mut state, 0, 999, &mut backlog),
            (ACCEPTS_PER_TURN_MAX, true)
        );
        assert_eq!(state.retry_at(), Time::START, "the rest is due at once");
        assert_eq!(accept(&mut state, 0, 999, &mut backlog), (1, true));
        assert_eq!(state, AcceptState::AwaitEdge);
    }

    #[test]
    fn a_lack_of_descriptors_is_retried_by_the_clock_without_an_edge() {
        let mut backlog = Backlog {
            waiting: 2,
            descriptors: 1,
        };
        let mut state = AcceptState::default();
        state.edge();
        assert_eq!(accept(&mut state, 0, 9, &mut backlog), (1, false));
        backlog.descriptors = 1;
        assert_eq!(
            accept(&mut state, 99, 9, &mut backlog),
            (0, true),
            "no spin"
        );
        assert_eq!(accept(&mut state, 100, 9, &mut backlog), (1, true));
    }

    #[test]
    fn a_lack_of_descriptors_ends_with_the_next_close() {
        let mut backlog = Backlog {
            waiting: 1,
            descriptors: 0,
        };
        let mut state = AcceptState::default();
        state.edge();
        assert_eq!(accept(&mut state, 0, 9, &mut backlog), (0, false));
        backlog.descriptors = 1;
        state.descriptor_freed();
        assert_eq!(accept(&mut state, 1, 9, &mut backlog), (1, true));
    }

    #[test]
    fn without_room_the_rest_waits_and_is_not_forgotten() {
        let mut backlog = Backlog {
            waiting: 3,
            descriptors: 9,
        };
        let mut state = AcceptState::default();
        state.edge();
        assert_eq!(accept(&mut state, 0, 2, &mut backlog), (2, true));
        assert_eq!(accept(&mut state, 1, 0, &mut backlog), (0, true));
        assert_eq!(accept(&mut state, 2, 1, &mut backlog), (1, true));
    }

    #[test]
    fn an_error_of_one_connection_does_not_stop_the_rest() {
        let mut results = vec![
            Ok(()),
            Err(io::ErrorKind::ConnectionAborted.into()),
            Err(io::ErrorKind::NotConnected.into()),
            Ok(()),
        ];
        let mut state = AcceptState::default();
        state.edge();
        let mut taken = 0;
        let accept = || {
            results
                .pop()
                .unwrap_or(Err(io::ErrorKind::WouldBlock.into()))
        };
        state
            .accept(Time::START, 9, accept, |()| taken += 1)
            .unwrap();
        assert_eq!((taken, state), (2, AcceptState::AwaitEdge));
    }
}
