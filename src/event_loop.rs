//! One single-threaded event loop around one `mio::Poll`, its connections in a slab.
//!
//! Accepted and dialled sockets differ only until they are open. The loop owns the read buffer,
//! and it alone reads, writes and closes; what connections are for is a [`Protocol`]'s affair.
//! There is no timer wheel: deadlines are coarse and looked at together, when the earliest is due.

mod clock;
mod connecting;
pub mod connection;
mod dialler;
pub mod gate;
mod limits;
mod listener;
pub mod protocol;
mod rlimit;
mod shared;
mod stop_signal;
mod stream;
mod sweep;
pub mod write_queue;

pub use clock::{Clock, Time, TimeSource};
pub use limits::{Limits, Peer};
pub use protocol::{AfterClose, ClockRead, Closed, Flow, Protocol, ServerWarning, TurnResult};
pub use rlimit::raise_descriptor_limit;
pub use shared::{READ_BUFFER_BYTES, Shared};
pub use stop_signal::{StopSignal, StopSignals};
pub use stream::Transport;
pub use write_queue::{Block, WriteQueue};

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use mio::event::{Event, Source};
use mio::{Events, Interest, Poll, Registry, Token};
use slab::Slab;

use connection::{Connection, Hint, Pumped};
use dialler::Dialler;
use listener::Listener;
use stream::Stream;

/// Deadlines are looked at no more often than this.
pub const TICK: Duration = Duration::from_millis(50);

/// Events fetched at once. Windows clears a slot for each of them at each turn.
const EVENTS_PER_TURN_MAX: usize = if cfg!(windows) { 256 } else { 1024 };
/// The wall clock is read again after this; a Date may be late by as much.
const WALL_CLOCK_AGE_MAX: Duration = Duration::from_millis(10);
/// The token by which a [`StopSignal`] wakes the loop; listeners count down from it.
const WAKE: Token = Token(usize::MAX);

/// One thread, one `mio::Poll`, the connections of one protocol.
#[derive(Debug)]
pub struct EventLoop<P: Protocol> {
    poll: Poll,
    shared: Shared<P, Clock>,
    entries: Slab<Entry<P::Conn>>,
    listeners: Vec<Listener>,
    dialler: Option<Dialler>,
    signal: StopSignal,
    phase: Phase,
    swept_at: Time,
    sweep_at: Time,
    /// Keys of connections that a sweep found overdue; kept for its capacity.
    overdue: Vec<usize>,
    wake_at: Time,
    wall: SystemTime,
    wall_read_at: Time,
}

/// Whether the loop runs or is being stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Stopping { until: Time },
    Over,
}

/// What a key of the slab stands for.
#[derive(Debug)]
enum Entry<C> {
    Dialling {
        /// `None` only while it becomes a connection.
        stream: Option<Stream>,
        until: Time,
    },
    Open {
        connection: Connection<Stream, C>,
        watched: Watched,
    },
}

/// What the kernel was asked to tell. Both only while a protocol that reads all the same has a
/// residue: an idle connection would be told of every acknowledgement on some systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watched {
    Readable,
    Writable,
    Both,
}

impl Watched {
    fn interest(self) -> Interest {
        match self {
            Watched::Readable => Interest::READABLE,
            Watched::Writable => Interest::WRITABLE,
            Watched::Both => Interest::READABLE.add(Interest::WRITABLE),
        }
    }
}

impl<P: Protocol> EventLoop<P> {
    /// A loop with nothing to do yet. `signal` stops it.
    ///
    /// # Errors
    /// The system gives no poll instance or no waker.
    pub fn new(protocol: P, limits: Limits, signal: &StopSignal) -> io::Result<EventLoop<P>> {
        let poll = Poll::new()?;
        signal.attach(poll.registry())?;
        Ok(EventLoop {
            poll,
            shared: Shared::new(protocol, Clock::start(), limits),
            entries: Slab::new(),
            listeners: Vec::new(),
            dialler: None,
            signal: signal.clone(),
            phase: Phase::Running,
            swept_at: Time::START,
            sweep_at: Time::NEVER,
            overdue: Vec::new(),
            wake_at: Time::START,
            wall: SystemTime::now(),
            wall_read_at: Time::START,
        })
    }

    /// Accepts connections on `address`; returns the address it really got (port 0 takes a free
    /// one).
    ///
    /// # Errors
    /// The address is taken, or not ours.
    pub fn listen(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let token = Token(WAKE.0 - 1 - self.listeners.len());
        let listener = Listener::bind(address, token, self.poll.registry())?;
        let address = listener.local_addr()?;
        self.listeners.push(listener);
        Ok(address)
    }

    /// Dials `peer` so many times, and again whenever the protocol says [`AfterClose::Redial`].
    pub fn dial(&mut self, peer: Peer, connections: usize) {
        self.entries.reserve(connections);
        self.dialler = Some(Dialler::new(peer, connections));
    }

    /// Runs until the protocol or the signal says stop; gives the protocol back.
    ///
    /// # Errors
    /// The poll itself fails. No connection's error ends the loop.
    pub fn run(mut self) -> io::Result<P> {
        let mut events = Events::with_capacity(EVENTS_PER_TURN_MAX);
        self.obey_signal();
        while self.phase != Phase::Over {
            self.wait(&mut events)?;
            self.begin_turn();
            if self.phase == Phase::Over {
                break;
            }
            for event in &events {
                self.dispatch(event);
            }
            self.sweep();
            // New sockets come last, so that no event of this turn can be taken for theirs.
            self.accept();
            self.dial_due();
            self.end_turn();
        }
        self.close_all();
        self.signal.detach();
        Ok(self.shared.protocol)
    }

    /// Fetches events, or waits until something is due.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let due = self.due_at();
        let timeout = (due != Time::NEVER).then(|| due - self.shared.now);
        match self.poll.poll(events, timeout) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(()),
            result => result,
        }
    }

    /// When the loop has to act though no event came.
    fn due_at(&self) -> Time {
        let mut due = self.wake_at.min(self.sweep_at);
        if self.has_room() {
            for listener in &self.listeners {
                due = due.min(listener.gate().retry_at());
            }
        }
        match (&self.dialler, self.phase) {
            (Some(dialler), Phase::Running) => due.min(dialler.next_at()),
            (_, Phase::Stopping { until }) => due.min(until),
            _ => due,
        }
    }

    /// Reads the clocks and lets the protocol see the time.
    fn begin_turn(&mut self) {
        let now = self.shared.clock.now();
        self.shared.now = now;
        if now - self.wall_read_at >= WALL_CLOCK_AGE_MAX {
            self.wall = SystemTime::now();
            self.wall_read_at = now;
        }
        match self.shared.protocol.turn(now, self.wall) {
            TurnResult::Run { wake } => self.wake_at = wake,
            TurnResult::Stop => self.phase = Phase::Over,
        }
        if matches!(self.phase, Phase::Stopping { until } if now >= until) {
            self.phase = Phase::Over;
        }
    }

    /// Stops as often as the signal was raised: once in good order, then at once.
    fn obey_signal(&mut self) {
        match (self.phase, self.signal.times_raised()) {
            // Both may be seen in one turn.
            (_, 2..) => self.phase = Phase::Over,
            (Phase::Running, 1) => self.begin_stop(),
            _ => {}
        }
    }

    /// A loop that is stopping is over when its last connection is.
    fn end_turn(&mut self) {
        if matches!(self.phase, Phase::Stopping { .. }) && self.entries.is_empty() {
            self.phase = Phase::Over;
        }
    }

    /// Stops in good order: nobody new, and what was asked is answered.
    fn begin_stop(&mut self) {
        let grace = self.shared.limits.grace;
        if grace.is_zero() {
            self.phase = Phase::Over;
            return;
        }
        self.accept_waiting();
        for listener in self.listeners.drain(..) {
            listener.close(self.poll.registry());
        }
        let keys: Vec<usize> = self.entries.iter().map(|(key, _)| key).collect();
        for key in keys {
            let Some(Entry::Open { connection, .. }) = self.entries.get_mut(key) else {
                continue;
            };
            let pumped = connection.stop(&mut self.shared);
            self.after(key, pumped);
        }
        self.phase = Phase::Stopping {
            until: self.shared.now + grace,
        };
    }

    /// One event, for whomever its token names. A token that names nobody is stale.
    fn dispatch(&mut self, event: &Event) {
        let token = event.token();
        match self.entries.get_mut(token.0) {
            Some(Entry::Open {
                connection,
                watched,
            }) => {
                let hint = if event.is_read_closed() || event.is_error() {
                    Hint::ReadClosed
                } else {
                    Hint::Ready
                };
                let pumped = connection.pump(&mut self.shared, hint);
                if matches!(pumped, Pumped::AwaitReadable) && *watched == Watched::Readable {
                    let deadline = connection.deadline(&self.shared);
                    self.sweep_by(deadline);
                } else {
                    self.after(token.0, pumped);
                }
            }
            Some(Entry::Dialling { .. }) => self.dialled(token.0, event),
            None if token == WAKE => self.obey_signal(),
            None => {
                if let Some(listener) = self.listeners.iter_mut().find(|l| l.is(token)) {
                    listener.gate_mut().edge();
                }
            }
        }
    }

    /// Does for a connection what its pump asks.
    fn after(&mut self, key: usize, pumped: Pumped) {
        let again = match pumped {
            Pumped::AwaitReadable | Pumped::AwaitWritable => false,
            Pumped::Again => true,
            Pumped::Closed(why) => return self.close(key, why),
        };
        let Some(Entry::Open {
            connection,
            watched,
        }) = self.entries.get_mut(key)
        else {
            return;
        };
        let wanted = match connection.is_blocked() {
            false => Watched::Readable,
            true if P::READS_WHILE_BLOCKED => Watched::Both,
            true => Watched::Writable,
        };
        // Registering looks at the socket's present state on every system, so it also puts a
        // connection that has more to read at the back of the line.
        if *watched != wanted || again {
            *watched = wanted;
            let stream = connection.stream_mut();
            let registry = self.poll.registry();
            if let Err(e) = stream.reregister(registry, Token(key), wanted.interest()) {
                return self.close(key, Closed::Failed(e));
            }
        }
        let deadline = connection.deadline(&self.shared);
        self.sweep_by(deadline);
    }

    fn has_room(&self) -> bool {
        self.entries.len() < self.shared.limits.connections_max
    }

    /// Drops a connection and tells the protocol.
    fn close(&mut self, key: usize, why: Closed) {
        let registry = self.poll.registry();
        let conn = match self.entries.remove(key) {
            Entry::Dialling { stream, .. } => {
                if let Some(mut stream) = stream {
                    deregister(registry, &mut stream);
                }
                None
            }
            Entry::Open { connection, .. } => {
                let (mut stream, conn) = connection.into_parts();
                deregister(registry, &mut stream);
                Some(conn)
            }
        };
        self.gone(conn, why);
    }

    /// A connection, or the attempt at one, is gone and its descriptor is free.
    fn gone(&mut self, conn: Option<P::Conn>, why: Closed) {
        for listener in &mut self.listeners {
            listener.gate_mut().descriptor_freed();
        }
        let never_opened = conn.is_none();
        let then = self.shared.protocol.closed(conn, why, self.shared.now);
        if let Some(dialler) = &mut self.dialler {
            if never_opened {
                dialler.arrived();
            }
            if let AfterClose::Redial(at) = then {
                dialler.dial_at(at);
            }
        }
    }

    /// Drops whatever is left, as [`Closed::Stopped`].
    fn close_all(&mut self) {
        let keys: Vec<usize> = self.entries.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.close(key, Closed::Stopped);
        }
    }
}

fn deregister(registry: &Registry, stream: &mut Stream) {
    // The descriptor is closed next, which ends the registration even if this fails.
    let _ = stream.deregister(registry);
}

#[cfg(test)]
mod tests;
