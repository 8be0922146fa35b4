//! A client's connection. Of a reply it knows only the length.

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};

pub struct Connection {
    pub stream: TcpStream,
    /// Received bytes of a reply that is not whole yet.
    partial_bytes: usize,
}

/// Opens connections, one after the other.
pub fn connect_all(address: SocketAddr, connections: usize) -> io::Result<Vec<Connection>> {
    let connect = |_| {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Connection {
            stream,
            partial_bytes: 0,
        })
    };
    (0..connections).map(connect).collect()
}

impl Connection {
    /// Receives, and counts whole replies. One receive, unless it fills the buffer.
    pub fn receive(&mut self, buffer: &mut [u8], reply_bytes: usize) -> io::Result<usize> {
        let mut received_bytes = self.partial_bytes;
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(received) => {
                    received_bytes += received;
                    if received < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.partial_bytes = received_bytes % reply_bytes;
        Ok(received_bytes / reply_bytes)
    }
}
