//! A listening socket: accepting within bounds, and surviving a want of descriptors.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::Time;

/// Clients that may wait in the kernel. A burst beyond the backlog costs each client a second.
const BACKLOG: i32 = 4096;
/// Connections accepted in one turn; the rest come after the others' events.
const ACCEPTS_PER_TURN_MAX: usize = 64;
/// After a want of descriptors, accepting is tried again at the latest after this.
const RETRY: Duration = Duration::from_millis(100);

/// A listening socket and what it waits for.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    token: Token,
    state: Accepting,
}

/// Why a listener does or does not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepting {
    /// Waits for an edge from the kernel.
    AwaitEdge,
    /// Clients may be waiting in the backlog, for which no new edge will come: tried each turn.
    Ready,
    /// Out of descriptors or memory: tried again at this time, or when a connection closes.
    Starved { retry_at: Time },
}

impl Listener {
    /// Listens on `address`. A server that was stopped a moment ago does not hold its port.
    ///
    /// # Errors
    /// The address is taken, or not ours.
    pub fn bind(address: SocketAddr, token: Token, registry: &Registry) -> io::Result<Listener> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        // On Windows the same option would let two servers share a port.
        #[cfg(not(windows))]
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let mut socket = TcpListener::from_std(socket.into());
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Listener {
            socket,
            token,
            state: Accepting::AwaitEdge,
        })
    }

    /// The address it really has.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Whether `token` is this listener's.
    pub fn is(&self, token: Token) -> bool {
        self.token == token
    }

    /// The kernel says that clients wait.
    pub fn edge(&mut self) {
        self.state = Accepting::Ready;
    }

    /// A connection was closed: if descriptors were wanting, one is free.
    pub fn descriptor_freed(&mut self) {
        if let Accepting::Starved { .. } = self.state {
            self.state = Accepting::Ready;
        }
    }

    /// When accepting is to be tried although no event came.
    pub fn retry_at(&self) -> Time {
        match self.state {
            Accepting::AwaitEdge => Time::NEVER,
            Accepting::Ready => Time::START,
            Accepting::Starved { retry_at } => retry_at,
        }
    }

    /// Accepts what waits, up to a bound and while there is `room`, and hands it to `take`.
    ///
    /// # Errors
    /// The want of descriptors or memory that made it stop; it is tried again.
    pub fn accept(
        &mut self,
        now: Time,
        room: usize,
        mut take: impl FnMut(TcpStream),
    ) -> io::Result<()> {
        if self.retry_at() > now {
            return Ok(());
        }
        for _ in 0..ACCEPTS_PER_TURN_MAX.min(room) {
            match self.socket.accept() {
                Ok((stream, _)) => take(stream),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    self.state = Accepting::AwaitEdge;
                    return Ok(());
                }
                Err(e) if is_of_one_connection(&e) => {}
                Err(e) => {
                    self.state = Accepting::Starved {
                        retry_at: now + RETRY,
                    };
                    return Err(e);
                }
            }
        }
        self.state = Accepting::Ready;
        Ok(())
    }

    /// Stops listening.
    pub fn close(mut self, registry: &Registry) {
        // The descriptor is closed next, which ends the registration even if this fails.
        let _ = registry.deregister(&mut self.socket);
    }
}

/// Errors of a connection that ended while it waited to be accepted (Linux passes pending network
/// errors on); the next one may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::Interrupted
            | Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::TimedOut
            | Kind::NetworkDown
            | Kind::NetworkUnreachable
            | Kind::HostUnreachable
    )
}
