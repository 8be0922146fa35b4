//! A connection to the server, with a blocking socket and time limits.

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use super::runner::Result;
use crate::support::PATIENCE;
use crate::support::replies::{Body, Received};

pub const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: strain\r\n\r\n";

/// The bodies that the servers here send are made of copies of this.
pub const BODY: &[u8] = b"Hello World!";

/// Room for a reply or a few.
const ROOM_BYTES: usize = 512;

pub struct Client {
    stream: TcpStream,
    received: Received,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Result<Client> {
        Client::with_room(address, ROOM_BYTES)
    }

    /// A client that reads up to `bytes` at once.
    pub fn with_room(address: SocketAddr, bytes: usize) -> Result<Client> {
        Client::over(TcpStream::connect(address)?, bytes)
    }

    /// A client with the smallest buffers in the kernel: when it does not read, the server soon
    /// cannot send.
    pub fn narrow(address: SocketAddr) -> Result<Client> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_recv_buffer_size(4096)?;
        socket.set_send_buffer_size(4096)?;
        socket.connect(&address.into())?;
        Client::over(socket.into(), ROOM_BYTES)
    }

    /// Connected clients, each of which has had a reply.
    pub fn crowd(address: SocketAddr, clients: usize) -> Result<Vec<Client>> {
        let connect = |_| {
            let mut client = Client::connect(address)?;
            client.get()?;
            Ok(client)
        };
        (0..clients).map(connect).collect()
    }

    fn over(stream: TcpStream, room_bytes: usize) -> Result<Client> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Client {
            stream,
            received: Received::with_room(room_bytes),
        })
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// A second handle, for a thread that sends while this one reads.
    pub fn writer(&self) -> Result<TcpStream> {
        Ok(self.stream.try_clone()?)
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// The status of the next reply.
    pub fn reply(&mut self) -> Result<u16> {
        match self.reply_or_end()? {
            Some(status) => Ok(status),
            None => Err("closed before it answered".into()),
        }
    }

    /// The status of the next reply, or `None` at the end. An end within a reply is an error.
    pub fn reply_or_end(&mut self) -> Result<Option<u16>> {
        loop {
            if let Some(reply) = self.received.next(Body::Sent)? {
                if reply.status == 200 && !reply.is_repeat {
                    check(self.received.at(&reply.body))?;
                }
                return Ok(Some(reply.status));
            }
            if self.received.read(&mut self.stream)? == 0 {
                return match self.received.untaken().is_empty() {
                    true => Ok(None),
                    false => Err("closed within a reply".into()),
                };
            }
        }
    }

    /// The status of the next reply on a stream that does not block; `None` if it is not whole yet.
    pub fn reply_so_far(&mut self) -> Result<Option<u16>> {
        match self.reply() {
            Ok(status) => Ok(Some(status)),
            Err(error) if is_kind(error.as_ref(), ErrorKind::WouldBlock) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a request and takes its reply, a 200.
    pub fn get(&mut self) -> Result<()> {
        self.send(GET)?;
        self.ok()
    }

    /// The next reply, which must be a 200.
    pub fn ok(&mut self) -> Result<()> {
        match self.reply()? {
            200 => Ok(()),
            other => Err(format!("{other} for a good request").into()),
        }
    }

    /// Counts the replies up to the end; each must be a 200.
    pub fn replies_to_end(&mut self) -> Result<u64> {
        let mut count = 0;
        while let Some(status) = self.reply_or_end()? {
            if status != 200 {
                return Err(format!("{status} for a good request").into());
            }
            count += 1;
        }
        Ok(count)
    }

    /// Ends its side; reading goes on.
    pub fn shut_write(&self) -> Result<()> {
        Ok(self.stream.shutdown(Shutdown::Write)?)
    }

    /// Closes with a reset.
    pub fn reset(self) -> Result<()> {
        // SO_LINGER with no time makes the close a reset.
        Ok(SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?)
    }

    /// Sends `requests` over and over until the server has not read for 200 ms, or until `bytes_max`
    /// bytes are sent. The number of bytes sent.
    pub fn send_until_stuck(&mut self, requests: &[u8], bytes_max: usize) -> Result<usize> {
        self.stream
            .set_write_timeout(Some(Duration::from_millis(200)))?;
        let mut sent_bytes = 0;
        while sent_bytes < bytes_max {
            let rest = &requests[sent_bytes % requests.len()..];
            let rest = &rest[..rest.len().min(bytes_max - sent_bytes)];
            match self.stream.write(rest) {
                Ok(bytes) => sent_bytes += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.stream.set_write_timeout(Some(PATIENCE))?;
        Ok(sent_bytes)
    }
}

/// Checks the body of a 200.
fn check(body: &[u8]) -> Result<()> {
    match !body.is_empty() && body.chunks(BODY.len()).all(|part| part == BODY) {
        true => Ok(()),
        false => Err(format!("a wrong body: {}", body.escape_ascii()).into()),
    }
}

/// Tells an error of this kind from the system apart from a failed check.
pub fn is_kind(error: &(dyn Error + 'static), kind: ErrorKind) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == kind)
}
