//! The kinds of stream sockets, as one type.

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::SystemTime;

use mio::event::Source;
use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};

use super::Address;
use super::kernel::{Dialled, Transport};
#[cfg(target_os = "linux")]
use super::stamped::StampedStream;
use super::tls::{self, TlsStream};

/// The system reports when it received the bytes that are read from a TCP stream.
pub const HAS_KERNEL_STAMPS: bool = cfg!(target_os = "linux");

/// A non-blocking stream socket.
#[derive(Debug)]
pub enum Stream {
    /// TCP over IPv4 or IPv6.
    Tcp(TcpStream),
    /// A unix domain socket.
    #[cfg(unix)]
    Unix(UnixStream),
    /// TCP whose reads have receive stamps.
    #[cfg(target_os = "linux")]
    Stamped(Box<StampedStream>),
    /// TLS over one of them.
    Tls(Box<TlsStream<Stream>>),
}

impl Stream {
    /// Begins to connect to `peer`.
    ///
    /// # Errors
    /// Those of [`Kernel::dial`](super::Kernel::dial).
    pub fn dial(peer: &Address) -> io::Result<Stream> {
        match peer {
            Address::Tcp(address) => TcpStream::connect(*address).map(Stream::Tcp),
            #[cfg(unix)]
            Address::Unix(path) => UnixStream::connect(path).map(Stream::Unix),
        }
    }

    /// The same stream with receive stamps, if it can have them.
    ///
    /// # Errors
    /// The kernel refuses the option.
    pub fn stamped(self) -> io::Result<Stream> {
        match self {
            #[cfg(target_os = "linux")]
            Stream::Tcp(stream) => Ok(Stream::Stamped(Box::new(StampedStream::new(stream)?))),
            stream => Ok(stream),
        }
    }

    /// Asks whether dialling has succeeded, and then turns Nagle's algorithm off. Over TLS it has
    /// when the handshake is complete.
    ///
    /// # Errors
    /// Reason why it failed.
    pub fn dialled(&mut self) -> io::Result<Dialled> {
        if let Some(error) = self.take_error()? {
            return Err(match self {
                Stream::Tls(_) => tls::reset_in_handshake(error),
                _ => error,
            });
        }
        let connected = match self {
            Stream::Tcp(stream) => connected(stream),
            #[cfg(target_os = "linux")]
            Stream::Stamped(stream) => connected(stream.socket()),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.peer_addr().map(drop),
            Stream::Tls(stream) => {
                return match stream.socket_mut().dialled()? {
                    Dialled::Connected => stream.shake_hands(),
                    pending => Ok(pending),
                };
            }
        };
        match connected {
            Ok(()) => {
                self.disable_nagle();
                Ok(Dialled::Connected)
            }
            Err(e) if e.kind() == io::ErrorKind::NotConnected => Ok(Dialled::Pending),
            Err(e) => Err(e),
        }
    }

    /// Sets `TCP_NODELAY`. It fails for a connection that is gone (macOS: an invalid argument); the
    /// first read reports that.
    fn disable_nagle(&self) {
        match self {
            Stream::Tcp(stream) => drop(stream.set_nodelay(true)),
            #[cfg(target_os = "linux")]
            Stream::Stamped(stream) => drop(stream.socket().set_nodelay(true)),
            #[cfg(unix)]
            Stream::Unix(_) => {}
            Stream::Tls(stream) => stream.socket().disable_nagle(),
        }
    }

    fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Stream::Tcp(stream) => stream.take_error(),
            #[cfg(target_os = "linux")]
            Stream::Stamped(stream) => stream.socket().take_error(),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.take_error(),
            Stream::Tls(stream) => stream.socket().take_error(),
        }
    }

    fn read_write(&mut self) -> &mut dyn ReadWrite {
        match self {
            Stream::Tcp(stream) => stream,
            #[cfg(target_os = "linux")]
            Stream::Stamped(stream) => &mut **stream,
            #[cfg(unix)]
            Stream::Unix(stream) => stream,
            Stream::Tls(stream) => &mut **stream,
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Stream::Tcp(stream) => stream,
            #[cfg(target_os = "linux")]
            Stream::Stamped(stream) => stream.socket_mut(),
            #[cfg(unix)]
            Stream::Unix(stream) => stream,
            Stream::Tls(stream) => stream.socket_mut().source(),
        }
    }
}

/// Asks whether a TCP stream is connected.
fn connected(stream: &TcpStream) -> io::Result<()> {
    let peer = stream.peer_addr()?;
    // A port without a listener may be the one that the system picked as the local port, and then
    // TCP connects the socket to itself (RFC 9293 3.5).
    match stream.local_addr()? == peer {
        true => Err(io::ErrorKind::ConnectionRefused.into()),
        false => Ok(()),
    }
}

impl Transport for Stream {
    #[inline]
    fn read_held(&mut self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        match self {
            Stream::Tls(stream) => stream.read_held(buffer),
            _ => None,
        }
    }

    #[inline]
    fn receive_stamp(&self) -> Option<SystemTime> {
        match self {
            #[cfg(target_os = "linux")]
            Stream::Stamped(stream) => stream.stamp(),
            _ => None,
        }
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(target_os = "linux")]
            Stream::Stamped(stream) => stream.socket().shutdown(Shutdown::Write),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
            Stream::Tls(stream) => {
                stream.send_end()?;
                stream.socket_mut().shutdown_write()
            }
        }
    }
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

// Read and write ask for TCP first: it is the usual case, and the compiler makes a jump table of a
// match over all.

impl Read for Stream {
    // The compiler does not inline it by itself, because TLS calls it for the stream below.
    #[inline(always)]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            _ => self.read_write().read(buffer),
        }
    }
}

impl Write for Stream {
    // The compiler does not inline it by itself, because TLS calls it for the stream below.
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            _ => self.read_write().write(bytes),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.read_write().write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Stream {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        self.source().register(registry, token, interests)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        self.source().reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().deregister(registry)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use socket2::{Domain, SockAddr, Socket, Type};

    use super::*;

    #[test]
    fn a_socket_that_is_connected_to_itself_has_no_peer() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let any_port = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(&SockAddr::from(any_port)).expect("a free port");
        let own = socket.local_addr().expect("it is bound");
        socket.connect(&own).expect("TCP allows it");
        let error = connected(&TcpStream::from_std(socket.into())).expect_err("no peer");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
