//! The kinds of listening sockets, as one type.

use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::unix::fs::FileTypeExt;
#[cfg(unix)]
use std::path::{Path, PathBuf};

use mio::event::Source;
use mio::net::TcpListener;
#[cfg(unix)]
use mio::net::UnixListener;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::Address;
use super::stream::Stream;

/// A non-blocking listening socket.
#[derive(Debug)]
pub enum Acceptor {
    /// TCP over IPv4 or IPv6.
    Tcp(TcpListener),
    /// A unix domain socket.
    #[cfg(unix)]
    Unix(UnixAcceptor),
}

/// A listening unix domain socket, and the file that names it.
#[cfg(unix)]
#[derive(Debug)]
pub struct UnixAcceptor {
    listener: UnixListener,
    path: PathBuf,
}

#[cfg(unix)]
impl Drop for UnixAcceptor {
    /// Removes the file. A server that was killed leaves it; the next one takes it over.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Acceptor {
    /// Listens on `address`.
    ///
    /// # Errors
    /// The address is taken, or this machine does not have it.
    pub fn bind(address: &Address, backlog: i32) -> io::Result<Acceptor> {
        match address {
            Address::Tcp(address) => bind_tcp(*address, backlog).map(Acceptor::Tcp),
            #[cfg(unix)]
            Address::Unix(path) => bind_unix(path, backlog).map(Acceptor::Unix),
        }
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn local_address(&self) -> io::Result<Address> {
        match self {
            Acceptor::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            Acceptor::Unix(acceptor) => Ok(Address::Unix(acceptor.path.clone())),
        }
    }

    /// Accepts one connection.
    ///
    /// # Errors
    /// `WouldBlock` if none waits; an error of that connection; or no descriptor is left.
    pub fn accept(&self) -> io::Result<Stream> {
        match self {
            Acceptor::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                // Fails for a connection that is gone; the first read reports that.
                let _ = stream.set_nodelay(true);
                Ok(Stream::Tcp(stream))
            }
            #[cfg(unix)]
            Acceptor::Unix(acceptor) => {
                let (stream, _) = acceptor.listener.accept()?;
                Ok(Stream::Unix(stream))
            }
        }
    }

    /// Registers it.
    ///
    /// # Errors
    /// No memory is left.
    pub fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        self.source().register(registry, token, interest)
    }

    /// Ends its registration.
    ///
    /// # Errors
    /// It is not registered.
    pub fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().deregister(registry)
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Acceptor::Tcp(listener) => listener,
            #[cfg(unix)]
            Acceptor::Unix(acceptor) => &mut acceptor.listener,
        }
    }
}

/// A server that was stopped a moment ago does not hold its port.
fn bind_tcp(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
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
    socket.listen(backlog)?;
    Ok(TcpListener::from_std(socket.into()))
}

#[cfg(unix)]
fn bind_unix(path: &Path, backlog: i32) -> io::Result<UnixAcceptor> {
    let address = socket2::SockAddr::unix(path)?;
    remove_stale(path, &address)?;
    let socket = unix_socket()?;
    socket.bind(&address)?;
    socket.listen(backlog)?;
    let listener = std::os::fd::OwnedFd::from(socket);
    Ok(UnixAcceptor {
        listener: UnixListener::from_std(listener.into()),
        path: path.to_owned(),
    })
}

/// Removes the file of a socket on which no process listens any more.
///
/// # Errors
/// A process listens there (`AddrInUse`), or the file is no socket.
#[cfg(unix)]
fn remove_stale(path: &Path, address: &socket2::SockAddr) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(file) if file.file_type().is_socket() => {}
        Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        // Nothing is there, or `bind` tells why it cannot be.
        Err(_) => return Ok(()),
    }
    match unix_socket()?.connect(address) {
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        // Accepted, or the backlog is full.
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}

#[cfg(unix)]
fn unix_socket() -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
