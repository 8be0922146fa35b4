//! The operating system as the loop sees it: sockets, and readiness events about them.
//!
//! [`MioKernel`](super::MioKernel) is the real one. The loop is generic over it, so that all of
//! its decisions also run on a simulated kernel with the semantics of other systems.

use std::io::{self, Read, Write};
use std::time::{Duration, SystemTime};

use super::Address;

/// Token of the event that a stop signal was raised. Listeners have the tokens below it, and
/// connections small numbers, their keys in the loop's slab.
pub const STOP_TOKEN: usize = usize::MAX;

/// Sockets and readiness events.
///
/// Events are edge-triggered: one is due when a socket becomes ready, and when it is registered
/// while it is ready. Spurious events, and events for tokens that are no longer in use, are
/// harmless. Every socket is non-blocking.
pub trait Kernel {
    /// A connected socket, or one that is being connected.
    type Stream: Transport;
    /// A listening socket.
    type Listener;
    /// Storage for the events of one turn.
    type Events;

    /// Meaning of a short read on this system.
    fn short_read(&self) -> ShortRead;

    /// Storage without events.
    fn new_events(&self) -> Self::Events;

    /// Waits for events for up to `timeout`, or without a limit, and stores them in `events` in
    /// place of earlier ones. May return early and without events.
    ///
    /// # Errors
    /// The loop cannot go on.
    fn wait(&mut self, events: &mut Self::Events, timeout: Option<Duration>) -> io::Result<()>;

    /// The events of the last wait.
    fn events(events: &Self::Events) -> impl Iterator<Item = Event>;

    /// Listens on `address` and registers the listener. Returns the actual address as well.
    ///
    /// # Errors
    /// The address is taken, or this machine does not have it.
    fn listen(&mut self, address: &Address, token: usize) -> io::Result<(Self::Listener, Address)>;

    /// Stops listening.
    fn close_listener(&mut self, listener: Self::Listener);

    /// Accepts one connection; it is not registered yet.
    ///
    /// # Errors
    /// `WouldBlock` if none waits; an error of that connection; or no descriptor is left.
    fn accept(&mut self, listener: &mut Self::Listener) -> io::Result<Self::Stream>;

    /// Begins to connect to `peer` and registers the socket as [`Interest::Writable`].
    ///
    /// # Errors
    /// Failures that the system knows at once: no descriptor or local port left, no route, no such unix
    /// socket. `WouldBlock` if the backlog of a unix socket is full.
    fn dial(&mut self, peer: &Address, token: usize) -> io::Result<Self::Stream>;

    /// State of a dialled stream.
    ///
    /// # Errors
    /// Reason why it could not be connected.
    fn dialled(&mut self, stream: &mut Self::Stream) -> io::Result<Dialled>;

    /// Registers an accepted stream.
    ///
    /// # Errors
    /// No memory is left.
    fn register(
        &mut self,
        stream: &mut Self::Stream,
        token: usize,
        interest: Interest,
    ) -> io::Result<()>;

    /// Changes what a registered stream waits for. If it is ready for that now, an event is due.
    ///
    /// # Errors
    /// No memory is left.
    fn reregister(
        &mut self,
        stream: &mut Self::Stream,
        token: usize,
        interest: Interest,
    ) -> io::Result<()>;

    /// Ends a registration, before the stream is closed.
    fn deregister(&mut self, stream: &mut Self::Stream);
}

/// A byte stream whose write side can be closed alone.
pub trait Transport: Read + Write {
    /// Sends FIN after what was written.
    ///
    /// # Errors
    /// `NotConnected` if the peer is gone, as macOS reports it.
    fn shutdown_write(&mut self) -> io::Result<()>;

    /// Reads what an earlier read took from the kernel and had no room for, or returns the failure
    /// that it found behind it: no event comes for either. `None` if there is neither.
    #[inline]
    fn read_held(&mut self, _buffer: &mut [u8]) -> Option<io::Result<usize>> {
        None
    }

    /// The time of day at which the kernel received the last byte of the last read, where it was
    /// asked to tell.
    #[inline]
    fn receive_stamp(&self) -> Option<SystemTime> {
        None
    }
}

/// A readiness event. Apart from its token it is only a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The token of the registration.
    pub token: usize,
    /// The peer may have closed its write side, or the connection may have failed.
    pub read_closed: bool,
    /// The connection may have failed, or its write side may be closed.
    pub write_closed: bool,
}

/// Readiness that a stream waits for.
///
/// Both only while a protocol that reads while it is blocked has unsent bytes: on some systems
/// an idle connection would get an event for each acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Bytes to read, or the peer's end.
    Readable,
    /// Room to write.
    Writable,
    /// Either.
    Both,
}

/// State of a dialled stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialled {
    /// It is open.
    Connected,
    /// The peer has not answered yet: look again when there is room to write.
    Pending,
    /// A handshake is under way: look again when there is something to read.
    AwaitsPeer,
}

/// Meaning of a read that did not fill the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShortRead {
    /// The socket is drained, and what arrives later is a new event (epoll(7), kqueue). An end
    /// that had already arrived is not.
    Drained,
    /// Nothing: the next event comes only after `WouldBlock` or a new registration (mio on
    /// Windows).
    NotArmed,
}
