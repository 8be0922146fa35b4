//! One single-threaded event loop, its connections in a slab.
//!
//! The loop alone reads, writes and closes sockets, and it owns the read buffer. A [`Protocol`]
//! decides what connections are for, and sees bytes and times only. Accepted and dialled
//! connections are the same from the moment they are open. The operating system is a [`Kernel`]:
//! mio's, or a simulated one.
//!
//! Deliberately absent: threads, timers per connection (deadlines are coarse and looked at
//! together), and callbacks that run inside other callbacks.
//!
//! # An echo server
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use bareloop::event_loop::{
//!     Address, Block, ConnectionLimits, EventLoop, Flow, Protocol, StopSignal, Time, WriteQueue,
//! };
//!
//! struct Echo;
//!
//! impl Protocol for Echo {
//!     type Conn = ();
//!
//!     fn opened(&mut self, _now: Time, _out: &mut WriteQueue) {}
//!
//!     fn received(&mut self, _: &mut (), bytes: &[u8], _: Time, out: &mut WriteQueue) -> Flow {
//!         out.push(&Block::once(bytes), 1);
//!         Flow::Keep
//!     }
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! let signal = StopSignal::new();
//! let mut event_loop = EventLoop::new(Echo, ConnectionLimits::default(), &signal)?;
//! let address = event_loop.listen(&Address::Tcp(([127, 0, 0, 1], 0).into()))?;
//! let client = std::thread::spawn(move || {
//!     let Address::Tcp(address) = address else { unreachable!("a TCP address") };
//!     let mut stream = TcpStream::connect(address)?;
//!     stream.write_all(b"hello")?;
//!     let mut echoed = [0; 5];
//!     stream.read_exact(&mut echoed)?;
//!     signal.raise();
//!     std::io::Result::Ok(echoed)
//! });
//! event_loop.run()?;
//! assert_eq!(&client.join().unwrap()?, b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! # An echo client
//!
//! ```
//! use bareloop::event_loop::{
//!     Address, AfterClose, Block, Closed, ConnectionLimits, EventLoop, Flow, Protocol,
//!     StopSignal, Time, WriteQueue,
//! };
//!
//! #[derive(Default)]
//! struct Client(Vec<u8>);
//!
//! impl Protocol for Client {
//!     type Conn = ();
//!
//!     fn opened(&mut self, _now: Time, out: &mut WriteQueue) {
//!         out.push(&Block::once(b"hello"), 1);
//!     }
//!
//!     fn received(&mut self, _: &mut (), bytes: &[u8], _: Time, _: &mut WriteQueue) -> Flow {
//!         self.0.extend(bytes);
//!         if self.0.len() < 5 { Flow::Keep } else { Flow::Finish }
//!     }
//!
//!     fn closed(&mut self, _: Option<()>, _why: Closed, _now: Time) -> AfterClose {
//!         AfterClose::Stop
//!     }
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let peer = Address::Tcp(listener.local_addr()?);
//! let server = std::thread::spawn(move || {
//!     let (stream, _) = listener.accept()?;
//!     std::io::copy(&mut &stream, &mut &stream)
//! });
//! let limits = ConnectionLimits::default();
//! let mut event_loop = EventLoop::new(Client::default(), limits, &StopSignal::new())?;
//! event_loop.dial(peer, 1, std::time::Duration::from_secs(10));
//! assert_eq!(event_loop.run()?.0, b"hello");
//! assert_eq!(server.join().unwrap()?, 5);
//! # Ok(())
//! # }
//! ```

mod acceptor;
mod address;
mod clock;
mod connecting;
pub mod connection;
mod deadlines;
pub mod kernel;
mod limits;
mod listener;
mod mio_kernel;
mod pacing;
pub mod protocol;
mod rlimit;
mod shared;
#[cfg(target_os = "linux")]
mod stamped;
mod stop_signal;
mod stream;
pub mod tls;
pub mod write_queue;

pub use acceptor::{Acceptor, DIVIDES_CONNECTIONS};
pub use address::Address;
pub use clock::{Clock, ManualClock, Time};
pub use deadlines::TICK;
pub use kernel::{Kernel, ShortRead, Transport};
pub use limits::ConnectionLimits;
pub use mio_kernel::MioKernel;
pub use protocol::{
    AfterClose, ClockRead, Closed, Flow, Protocol, ServerWarning, TurnResult, Wait,
};
pub use rlimit::{descriptor_limit, raise_descriptor_limit, set_descriptor_limit};
pub use shared::{READ_BUFFER_BYTES, Shared};
pub use stop_signal::{StopSignal, StopSignals};
pub use stream::HAS_KERNEL_STAMPS;
pub use write_queue::{Block, WriteQueue};

use std::io;
use std::time::{Duration, SystemTime};

use slab::Slab;

use connecting::Dialler;
use connection::{Connection, Hint, Pumped};
use deadlines::Deadlines;
use kernel::{Event, Interest, STOP_TOKEN};
use listener::Listener;
use tls::TlsClient;

/// The time of day is read again after this; a Date may be late by as much.
const WALL_CLOCK_AGE_MAX: Duration = Duration::from_millis(10);

/// One thread, one kernel, the connections of one protocol.
pub struct EventLoop<P: Protocol, K: Kernel = MioKernel> {
    kernel: K,
    shared: Shared<P>,
    entries: Slab<Entry<K::Stream, P>>,
    listeners: Vec<Listener<K::Listener>>,
    dialler: Option<Dialler>,
    signal: StopSignal,
    phase: LoopPhase,
    deadlines: Deadlines,
    /// Key of the connection that may send what is due next.
    next_to_send: usize,
    wake_at: Time,
    wall: SystemTime,
    wall_read_at: Time,
}

/// Phase of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopPhase {
    /// Connections are accepted and dialled.
    Running,
    /// Only outstanding replies are sent.
    Stopping {
        /// End of the grace.
        until: Time,
    },
    /// No turn is left to take.
    Over,
}

/// Meaning of a key of the slab.
enum Entry<S, P: Protocol> {
    Dialling {
        /// `None` only while it becomes a connection.
        stream: Option<S>,
        give_up_at: Time,
        /// The events that the kernel was asked to report.
        interest: Interest,
    },
    Open {
        connection: Connection<S, P>,
        /// The events that the kernel was asked to report.
        interest: Interest,
    },
}

impl<P: Protocol> EventLoop<P> {
    /// A loop on the system's kernel, with nothing to do yet. `signal` stops it.
    ///
    /// # Errors
    /// The system gives no poll instance or no waker.
    pub fn new(
        protocol: P,
        limits: ConnectionLimits,
        signal: &StopSignal,
    ) -> io::Result<EventLoop<P>> {
        let (kernel, clock) = (MioKernel::new(signal)?, Clock::start());
        Ok(EventLoop::on(kernel, clock, protocol, limits, signal))
    }

    /// The same loop, which dials with TLS.
    pub fn over_tls(mut self, tls: Option<TlsClient>) -> EventLoop<P> {
        self.kernel.set_tls(tls);
        self
    }

    /// The same loop, which dials TCP with the kernel's stamps, where [`HAS_KERNEL_STAMPS`].
    pub fn stamping(mut self, stamps: bool) -> EventLoop<P> {
        self.kernel.set_stamps(stamps);
        self
    }
}

impl<P: Protocol, K: Kernel> EventLoop<P, K> {
    /// A loop on `kernel` and `clock`, with nothing to do yet. The kernel reports an event for
    /// [`STOP_TOKEN`] when `signal` is raised.
    pub fn on(
        kernel: K,
        clock: Clock,
        protocol: P,
        limits: ConnectionLimits,
        signal: &StopSignal,
    ) -> EventLoop<P, K> {
        let short_read = kernel.short_read();
        EventLoop {
            kernel,
            wall: clock.wall(),
            wall_read_at: clock.now(),
            shared: Shared::new(protocol, limits, clock, short_read),
            entries: Slab::new(),
            listeners: Vec::new(),
            dialler: None,
            signal: signal.clone(),
            phase: LoopPhase::Running,
            deadlines: Deadlines::new(),
            next_to_send: 0,
            wake_at: Time::START,
        }
    }

    /// Runs until the protocol or the signal stops the loop; returns the protocol.
    ///
    /// # Errors
    /// The kernel's wait fails. No connection's error ends the loop.
    pub fn run(mut self) -> io::Result<P> {
        let mut events = self.kernel.new_events();
        while self.turn(&mut events)? != LoopPhase::Over {}
        Ok(self.finish())
    }

    /// Takes one turn: waits for events, or until something is due, and handles all of them.
    ///
    /// # Errors
    /// The kernel's wait fails.
    pub fn turn(&mut self, events: &mut K::Events) -> io::Result<LoopPhase> {
        self.wait(events)?;
        self.begin_turn();
        if self.phase == LoopPhase::Over {
            return Ok(self.phase);
        }
        for event in K::events(events) {
            self.dispatch(event);
        }
        self.handle_overdue();
        self.send_due();
        // New sockets come last, so that no event of this turn is taken for theirs.
        if self.phase == LoopPhase::Running {
            self.accept();
            self.dial_due();
        }
        // A loop that is stopping is over when its last connection is closed.
        if matches!(self.phase, LoopPhase::Stopping { .. }) && self.entries.is_empty() {
            self.phase = LoopPhase::Over;
        }
        Ok(self.phase)
    }

    /// Closes what is left as [`Closed::Stopped`]; returns the protocol.
    pub fn finish(mut self) -> P {
        let keys: Vec<usize> = self.entries.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.close(key, Closed::Stopped);
        }
        self.shared.protocol
    }

    /// The protocol.
    pub fn protocol(&self) -> &P {
        &self.shared.protocol
    }

    /// The protocol, to be changed between two turns.
    pub fn protocol_mut(&mut self) -> &mut P {
        &mut self.shared.protocol
    }

    /// The clock that the protocol's times are of.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Number of sockets that are open or being dialled.
    pub fn sockets(&self) -> usize {
        self.entries.len()
    }

    /// Time of the next turn, even without an event.
    pub fn due_at(&self) -> Time {
        let due = self.wake_at.min(self.deadlines.next_at());
        match (self.phase, &self.dialler) {
            (LoopPhase::Running, Some(dialler)) => due.min(self.accept_at()).min(dialler.next_at()),
            (LoopPhase::Running, None) => due.min(self.accept_at()),
            (LoopPhase::Stopping { until }, _) => due.min(until),
            (LoopPhase::Over, _) => due,
        }
    }

    /// Passes the time to the protocol.
    fn begin_turn(&mut self) {
        let now = self.shared.now;
        if now - self.wall_read_at >= WALL_CLOCK_AGE_MAX {
            self.wall = self.shared.clock.wall();
            self.wall_read_at = now;
        }
        match self.shared.protocol.turn(now, self.wall) {
            TurnResult::Run { wake } => self.wake_at = wake,
            TurnResult::Stop => self.phase = LoopPhase::Over,
        }
        if matches!(self.phase, LoopPhase::Stopping { until } if now >= until) {
            self.phase = LoopPhase::Over;
        }
    }

    /// Handles one event. One with a token that is no longer in use does nothing.
    #[inline]
    fn dispatch(&mut self, event: Event) {
        let key = event.token;
        match self.entries.get_mut(key) {
            Some(Entry::Open { connection, .. }) => {
                let hint = match event.read_closed {
                    true => Hint::ReadClosed,
                    false => Hint::Ready,
                };
                let pumped = connection.pump(&mut self.shared, hint);
                self.after(key, pumped);
            }
            Some(Entry::Dialling { .. }) => self.dial_event(event),
            None if key == STOP_TOKEN => self.obey_signal(),
            None => self.listener_event(key),
        }
    }

    /// Registers or closes a connection as its pump asks.
    // The compiler does not inline it by itself, because deadlines and stops use it too.
    #[inline(always)]
    fn after(&mut self, key: usize, pumped: Pumped) {
        let again = match pumped {
            Pumped::Wait => false,
            Pumped::Again => true,
            Pumped::Closed(why) => return self.close(key, why),
        };
        let Some(Entry::Open {
            connection,
            interest,
        }) = self.entries.get_mut(key)
        else {
            return;
        };
        let wanted = match connection.is_blocked() {
            false => Interest::Readable,
            true if P::READS_WHILE_BLOCKED => Interest::Both,
            true => Interest::Writable,
        };
        // Registering looks at the socket's present state on every system, so it also puts a
        // connection that has more to read behind the others.
        if *interest != wanted || again {
            *interest = wanted;
            let stream = connection.stream_mut();
            if let Err(e) = self.kernel.reregister(stream, key, wanted) {
                return self.close(key, Closed::Failed(e));
            }
        }
        self.deadlines.note(connection.deadline(&self.shared));
    }

    /// Handles every connection and dial whose deadline has passed.
    fn handle_overdue(&mut self) {
        let deadlines = self.entries.iter().map(|(key, entry)| match entry {
            Entry::Dialling { give_up_at, .. } => (key, *give_up_at),
            Entry::Open { connection, .. } => (key, connection.deadline(&self.shared)),
        });
        for key in self.deadlines.overdue(self.shared.now, deadlines) {
            match self.entries.get_mut(key) {
                Some(Entry::Open { connection, .. }) => {
                    let pumped = connection.overdue(&mut self.shared);
                    self.after(key, pumped);
                }
                Some(Entry::Dialling { .. }) => {
                    let error = io::ErrorKind::TimedOut.into();
                    self.close(key, Closed::NotConnected(error));
                }
                None => {}
            }
        }
    }

    /// Stops in good order when the signal was raised once, and at once when it was raised again.
    fn obey_signal(&mut self) {
        match (self.phase, self.signal.times_raised()) {
            // Both may be seen in one turn.
            (_, 2..) => self.phase = LoopPhase::Over,
            (LoopPhase::Running, 1) => self.begin_stop(),
            _ => {}
        }
    }

    /// Stops in good order: no new connections, and every request that has arrived is answered.
    fn begin_stop(&mut self) {
        let grace = self.shared.limits.grace;
        if grace.is_zero() {
            self.phase = LoopPhase::Over;
            return;
        }
        self.stop_listening();
        self.phase = LoopPhase::Stopping {
            until: self.shared.now + grace,
        };
        let keys: Vec<usize> = self.entries.iter().map(|(key, _)| key).collect();
        for key in keys {
            if let Some(Entry::Open { connection, .. }) = self.entries.get_mut(key) {
                let pumped = connection.stop(&mut self.shared);
                self.after(key, pumped);
            }
        }
    }

    /// Drops a connection, or a dial under way, and informs the protocol.
    fn close(&mut self, key: usize, why: Closed) {
        let (stream, conn) = match self.entries.remove(key) {
            Entry::Dialling { stream, .. } => (stream, None),
            Entry::Open { connection, .. } => {
                let (stream, conn) = connection.into_parts();
                (Some(stream), Some(conn))
            }
        };
        if let Some(mut stream) = stream {
            self.kernel.deregister(&mut stream);
        }
        self.closed(conn, why);
        self.invariants();
    }

    /// Informs everything that depends on it that a connection or a dial has ended and its
    /// descriptor is free.
    fn closed(&mut self, conn: Option<P::Conn>, why: Closed) {
        self.descriptor_freed();
        let never_opened = conn.is_none();
        let then = self.shared.protocol.closed(conn, why, self.shared.now);
        if let Some(dialler) = &mut self.dialler {
            if never_opened {
                dialler.ended();
            }
            if let AfterClose::Redial(at) = then {
                dialler.dial_at(at);
            }
        }
        if then == AfterClose::Stop {
            self.phase = LoopPhase::Over;
        }
    }

    /// The slab and the dialler count the same dials under way.
    #[inline]
    fn invariants(&self) {
        let is_dialling = |(_, entry): &(usize, &Entry<_, _>)| match entry {
            Entry::Dialling { .. } => true,
            Entry::Open { .. } => false,
        };
        let under_way = self.dialler.as_ref().map_or(0, Dialler::under_way);
        debug_assert_eq!(self.entries.iter().filter(is_dialling).count(), under_way);
    }
}

#[cfg(test)]
mod tests;
