//! A listening socket that accepts within bounds and survives a want of descriptors.

use std::io;
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::Time;
use super::gate::AcceptState;

/// Clients that may wait in the kernel. A burst beyond the backlog costs each client a second.
/// Windows takes a number for what it says only if it is negative (`SOMAXCONN_HINT`), and else
/// lets no more than 200 wait.
const BACKLOG: i32 = if cfg!(windows) { -4096 } else { 4096 };

/// A listening socket and its gate.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    token: Token,
    gate: AcceptState,
}

impl Listener {
    /// Listens on `address`. A server that was stopped a moment ago does not hold its port.
    ///
    /// # Errors
    /// The address is taken, or not ours.
    pub fn bind(address: SocketAddr, token: Token, registry: &Registry) -> io::Result<Listener> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
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
            gate: AcceptState::default(),
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

    /// When it may accept.
    pub fn gate(&self) -> &AcceptState {
        &self.gate
    }

    /// When it may accept, to tell it of an event.
    pub fn gate_mut(&mut self) -> &mut AcceptState {
        &mut self.gate
    }

    /// Accepts what waits, up to a bound and while there is `room`, and hands it to `take`.
    ///
    /// # Errors
    /// The want of descriptors or memory that made it stop; it is tried again.
    pub fn accept(
        &mut self,
        now: Time,
        room: usize,
        take: impl FnMut(TcpStream),
    ) -> io::Result<()> {
        let accept = || self.socket.accept().map(|(stream, _)| stream);
        self.gate.accept(now, room, accept, take)
    }

    /// Stops listening.
    pub fn close(mut self, registry: &Registry) {
        // The descriptor is closed next, which ends the registration even if this fails.
        let _ = registry.deregister(&mut self.socket);
    }
}
