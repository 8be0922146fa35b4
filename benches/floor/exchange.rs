//! Parts that both floors share: a request, a first reply, and a send that must be whole.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};

use crate::support::PATIENCE;
use crate::support::replies::{Body, Received};

/// Size of one receive. A receive that returns less has drained the socket (epoll(7)).
pub const RECEIVE_BYTES: usize = 64 * 1024;

/// End of a request head.
pub const TERMINATOR: &[u8; 4] = b"\r\n\r\n";

/// The request that autocannon sends.
pub fn request(address: SocketAddr) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: keep-alive\r\n\r\n").into_bytes()
}

/// Sends a request and returns the whole reply, head and body.
pub fn first_reply(address: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&request(address))?;
    let mut received = Received::with_room(4096);
    loop {
        if let Some(reply) = received.next(Body::Sent).map_err(io::Error::other)? {
            return Ok(received.at(&(reply.head.start..reply.body.end)).to_vec());
        }
        if received.read(&mut stream)? == 0 {
            return Err(io::Error::other("closed before its first reply was whole"));
        }
    }
}

/// Sends all of `bytes` with one call. The floors have no write queue, so a peer that does not take
/// all of them is an error (`WriteZero`).
pub fn send_whole(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    match stream.write(bytes) {
        Ok(sent) if sent == bytes.len() => Ok(()),
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        Ok(_) | Err(_) => Err(ErrorKind::WriteZero.into()),
    }
}
