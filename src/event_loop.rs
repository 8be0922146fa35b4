//! One single-threaded event loop around one `mio::Poll`, its connections in a slab.

mod clock;
pub mod protocol;
mod stop_signal;
pub mod write_queue;

pub use clock::{Clock, Time};
pub use protocol::{Closed, Flow, Next, Protocol, Stamp, Then, Trouble};
pub use stop_signal::StopSignal;
pub use write_queue::{Block, WriteQueue};

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Deadlines are looked at no more often than this.
pub const TICK: Duration = Duration::from_millis(100);

/// Whom to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The path of a unix domain socket.
    #[cfg(unix)]
    Unix(PathBuf),
}

/// What a loop allows its connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections beyond this wait in the kernel's backlog.
    pub connections_max: usize,
    /// A dialled connection that is not open by then is [`Closed::NotConnected`].
    pub connect_timeout: Duration,
    /// A peer that takes nothing of what is queued for so long is [`Closed::Stalled`].
    pub send_timeout: Duration,
    /// How long a finished connection is drained, so that the peer reads our last reply.
    pub linger: Duration,
    /// How long a stop waits for replies that are owed. Zero: not at all.
    pub grace: Duration,
}

/// One thread, one `mio::Poll`, the connections of one protocol.
#[derive(Debug)]
pub struct EventLoop<P> {
    protocol: P,
}

impl<P: Protocol> EventLoop<P> {
    /// A loop with nothing to do yet. `signal` stops it.
    pub fn new(protocol: P, _limits: Limits, _signal: &StopSignal) -> io::Result<EventLoop<P>> {
        Ok(EventLoop { protocol })
    }

    /// Accepts connections on `address`; returns the address it really got (port 0 takes a free one).
    pub fn listen(&mut self, _address: SocketAddr) -> io::Result<SocketAddr> {
        todo!()
    }

    /// Dials `peer` so many times, and again whenever the protocol says [`Then::Redial`].
    pub fn dial(&mut self, _peer: Peer, _connections: usize) {
        todo!()
    }

    /// Runs until the protocol or the signal says stop; gives the protocol back.
    pub fn run(self) -> io::Result<P> {
        Ok(self.protocol)
    }
}
