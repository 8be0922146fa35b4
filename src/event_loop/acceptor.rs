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

/// Connections that may wait in the kernel. A burst beyond the backlog costs each client a second.
/// Windows takes the number as it is only if it is negative (`SOMAXCONN_HINT`), and otherwise
/// allows 200.
const BACKLOG: i32 = if cfg!(windows) { -4096 } else { 4096 };

/// The system can divide the connections of one address among several listeners
/// (`SO_REUSEPORT` on Linux, `SO_REUSEPORT_LB` on FreeBSD).
pub const DIVIDES_CONNECTIONS: bool = cfg!(any(target_os = "linux", target_os = "freebsd"));

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
    /// The file that was made; another server may have replaced it since.
    file: Option<FileId>,
}

/// Device and number of a file.
#[cfg(unix)]
type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;

    let file = std::fs::symlink_metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

#[cfg(unix)]
impl Drop for UnixAcceptor {
    /// Removes the file. A server that was killed leaves it; the next one takes it over.
    fn drop(&mut self) {
        if self.file.is_some() && file_id(&self.path) == self.file {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Acceptor {
    /// Listens on `address`.
    ///
    /// # Errors
    /// The address is taken, or this machine does not have it.
    pub fn bind(address: &Address) -> io::Result<Acceptor> {
        match address {
            Address::Tcp(address) => {
                let listener = listen(bind_tcp(*address, Sharing::Alone)?)?;
                Ok(Acceptor::Tcp(listener))
            }
            #[cfg(unix)]
            Address::Unix(path) => bind_unix(path).map(Acceptor::Unix),
        }
    }

    /// Listens on `address` with as many sockets as there are `copies` of a loop; the kernel
    /// divides the connections among them.
    ///
    /// # Errors
    /// The address is taken, or this machine does not have it. `Unsupported` for several copies
    /// where the system does not divide connections, or on a unix domain socket.
    pub fn bind_copies(address: &Address, copies: usize) -> io::Result<Vec<Acceptor>> {
        match address {
            _ if copies == 1 => Ok(vec![Acceptor::bind(address)?]),
            Address::Tcp(address) if DIVIDES_CONNECTIONS => {
                // Sockets that share a port would also share it with another server of this user.
                drop(bind_tcp(*address, Sharing::Alone)?);
                let first = listen(bind_tcp(*address, Sharing::Divided)?)?;
                let actual = first.local_addr()?;
                let mut acceptors = vec![Acceptor::Tcp(first)];
                for _ in 1..copies {
                    let listener = listen(bind_tcp(actual, Sharing::Divided)?)?;
                    acceptors.push(Acceptor::Tcp(listener));
                }
                Ok(acceptors)
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// The system does not report it.
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

/// Sockets on one address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    /// One.
    Alone,
    /// Several, among which the kernel divides the connections.
    Divided,
}

/// A bound socket. A server that was stopped a moment ago does not hold its port.
fn bind_tcp(address: SocketAddr, sharing: Sharing) -> io::Result<Socket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    // On Windows the same option would let two servers share a port.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    if sharing == Sharing::Divided {
        divide_connections(&socket)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(target_os = "linux")]
fn divide_connections(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(target_os = "freebsd")]
fn divide_connections(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port_lb(true)
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn divide_connections(_socket: &Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn listen(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

#[cfg(unix)]
fn bind_unix(path: &Path) -> io::Result<UnixAcceptor> {
    let address = socket2::SockAddr::unix(path)?;
    remove_stale(path, &address)?;
    let socket = unix_socket()?;
    socket.bind(&address)?;
    socket.listen(BACKLOG)?;
    let listener = std::os::fd::OwnedFd::from(socket);
    Ok(UnixAcceptor {
        listener: UnixListener::from_std(listener.into()),
        file: file_id(path),
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
        // Nothing is there, or `bind` reports why it cannot be.
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
