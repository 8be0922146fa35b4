//! The floor server: receives, counts CR LF CR LF, and sends as many replies, rendered before.
//!
//! Deliberately absent: a parser, limits, timeouts, the Date, a write queue.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use memchr::memmem;
use socket2::{Domain, Socket, Type};

use super::exchange::{RECEIVE_BYTES, TERMINATOR, send_whole};
use super::options::Workload;
use super::sys::Epoll;
use crate::support::traffic::Messages;

/// Replies rendered one after the other, so that a batch is one send.
const REPLIES_READY: usize = 1024;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;

struct Peer {
    stream: TcpStream,
    terminators: TerminatorCount,
}

/// Prints its address and answers with `reply`, or with replies like it, until the process is ended.
pub fn serve(reply: &str, workload: Workload) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let listener = TcpListener::from(socket);
    println!("listening on http://{}", listener.local_addr()?);
    io::stdout().flush()?;

    let mut replies = match workload {
        Workload::Repeated => Messages::repeated(reply.as_bytes(), REPLIES_READY),
        Workload::Varying => Messages::varying(REPLIES_READY, |number| with_id(reply, number)),
    };
    let terminator = memmem::Finder::new(TERMINATOR);
    let mut buffer = vec![0; RECEIVE_BYTES];
    let mut peers: Vec<Option<Peer>> = Vec::new(); // By descriptor.
    let mut poll = Epoll::new()?;
    poll.add(&listener)?;
    loop {
        let mut connecting = false;
        for event in poll.wait(None)? {
            if event.fd == listener.as_raw_fd() {
                connecting = true;
                continue;
            }
            let slot = &mut peers[event.fd as usize];
            let Some(peer) = slot else { continue };
            let answered = peer.answer(event.hung_up, &terminator, &mut buffer, &mut replies);
            match answered {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WriteZero => return Err(error),
                Err(_) => *slot = None,
            }
        }
        if connecting {
            accept_all(&listener, &poll, &mut peers)?;
        }
    }
}

/// The reply with an X-Request-Id of its own.
fn with_id(reply: &str, number: usize) -> Vec<u8> {
    // A multiplication by an odd number: no two are equal, and each digit varies.
    let id = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let field = format!("\r\nX-Request-Id: {id:016x}\r\n\r\n");
    reply.replacen("\r\n\r\n", &field, 1).into_bytes()
}

fn accept_all(
    listener: &TcpListener,
    poll: &Epoll,
    peers: &mut Vec<Option<Peer>>,
) -> io::Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        poll.add(&stream)?;
        let fd = stream.as_raw_fd() as usize;
        if peers.len() <= fd {
            peers.resize_with(fd + 1, || None);
        }
        peers[fd] = Some(Peer {
            stream,
            terminators: TerminatorCount::default(),
        });
    }
}

impl Peer {
    /// One receive, one search, one send; more only if the receive filled the buffer or the peer has
    /// hung up. An error ends this connection; `WriteZero` ends the server.
    fn answer(
        &mut self,
        hung_up: bool,
        terminator: &memmem::Finder<'_>,
        buffer: &mut [u8],
        replies: &mut Messages,
    ) -> io::Result<()> {
        loop {
            let received = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let mut owed = self.terminators.count(terminator, &buffer[..received]);
            while owed > 0 {
                let count = owed.min(REPLIES_READY);
                send_whole(&mut self.stream, replies.take(count)?)?;
                owed -= count;
            }
            if received < buffer.len() && !hung_up {
                return Ok(());
            }
        }
    }
}

/// Counts terminators in a stream, however it is cut.
#[derive(Default)]
struct TerminatorCount {
    /// Bytes of a terminator at the end of the last receive.
    matched: u8,
}

impl TerminatorCount {
    fn count(&mut self, terminator: &memmem::Finder<'_>, bytes: &[u8]) -> usize {
        let mut found = 0;
        let mut rest = bytes;
        while self.matched > 0 {
            let Some((&byte, after)) = rest.split_first() else {
                return found;
            };
            found += usize::from(self.step(byte));
            rest = after;
        }
        let mut tail_at = 0;
        for at in terminator.find_iter(rest) {
            found += 1;
            tail_at = at + TERMINATOR.len();
        }
        if tail_at < rest.len() {
            let tail_at = tail_at.max(rest.len().saturating_sub(TERMINATOR.len() - 1));
            for &byte in &rest[tail_at..] {
                self.step(byte);
            }
        }
        found
    }

    /// Takes one byte; true if it ends a terminator.
    fn step(&mut self, byte: u8) -> bool {
        self.matched = match (byte, self.matched) {
            (b'\r', 2) => 3,
            (b'\r', _) => 1,
            (b'\n', 1) => 2,
            (b'\n', 3) => {
                self.matched = 0;
                return true;
            }
            _ => 0,
        };
        false
    }
}
