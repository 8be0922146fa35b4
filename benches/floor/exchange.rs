//! What both ends of the floor agree on: one request, one reply, and a send that must be whole.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Bytes asked of one receive. A receive that brings fewer has drained the socket (epoll(7)).
pub const RECEIVE_BYTES: usize = 64 * 1024;

/// What ends a request head.
pub const TERMINATOR: &[u8; 4] = b"\r\n\r\n";

/// A server that does not answer for so long is given up.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The request that autocannon sends, so that both floors move the bytes the project is about.
pub fn request(address: SocketAddr) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: keep-alive\r\n\r\n").into_bytes()
}

/// Asks once, and returns the whole reply: its head, and the body that Content-Length announces.
pub fn first_reply(address: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&request(address))?;
    let mut reply = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk)? {
            0 => return Err(io::Error::other("closed before its first reply was whole")),
            n => reply.extend_from_slice(&chunk[..n]),
        }
        if whole_reply_bytes(&reply).is_some_and(|whole| reply.len() >= whole) {
            return Ok(reply);
        }
    }
}

/// Length of the reply that `bytes` begin with, once its head is whole and names it.
fn whole_reply_bytes(bytes: &[u8]) -> Option<usize> {
    let head_bytes = memchr::memmem::find(bytes, TERMINATOR)? + TERMINATOR.len();
    let head = std::str::from_utf8(&bytes[..head_bytes]).ok()?;
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let (_, length) = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    Some(head_bytes + length.trim().parse::<usize>().ok()?)
}

/// Sends all of `bytes` with one call. The floor has no write queue, so a peer that does not take
/// them is an error (`WriteZero`), and never a slower way to go on.
pub fn send_whole(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    match stream.write(bytes) {
        Ok(sent) if sent == bytes.len() => Ok(()),
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        Ok(_) | Err(_) => Err(ErrorKind::WriteZero.into()),
    }
}
