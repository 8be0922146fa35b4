//! Servers with scripted behaviour, in threads of this process.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::PATIENCE;

/// A server whose behaviour is a function, called in a new thread for each connection. It stops
/// listening when it is dropped.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    seen: Arc<Seen>,
    acceptor: Option<JoinHandle<()>>,
}

/// The bytes that a [`Peer`] has received so far.
#[derive(Debug, Default)]
pub struct Seen {
    requests: AtomicUsize,
    stopping: AtomicBool,
    last: Mutex<Vec<u8>>,
}

/// A stream of bytes, TCP or unix.
pub trait Wire: Read + Write + Send {}
impl<W: Read + Write + Send> Wire for W {}

/// One connection of a [`Peer`].
pub struct Visit {
    wire: Box<dyn Wire>,
    received: Vec<u8>,
    seen: Arc<Seen>,
    /// Requests received before, on all connections.
    pub before: usize,
}

impl Peer {
    /// Serves every connection by `serve`.
    pub fn serving(serve: impl Fn(&mut Visit) + Clone + Send + 'static) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Peer::on(listener, serve)
    }

    /// The same, on a listener.
    pub fn on(listener: TcpListener, serve: impl Fn(&mut Visit) + Clone + Send + 'static) -> Peer {
        Peer::wrapping(listener, |stream| stream, serve)
    }

    /// The same, with each connection wrapped, in a thread of its own.
    pub fn wrapping<W: Wire + 'static>(
        listener: TcpListener,
        wrap: impl Fn(TcpStream) -> W + Clone + Send + 'static,
        serve: impl Fn(&mut Visit) + Clone + Send + 'static,
    ) -> Peer {
        let address = listener.local_addr().expect("it is bound");
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.expect("a connection");
                stream.set_nodelay(true).expect("TCP_NODELAY can be set");
                for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
                    set(&stream, Some(PATIENCE)).expect("a timeout can be set");
                }
                let (wrap, serve) = (wrap.clone(), serve.clone());
                let seen = Arc::clone(&shared);
                thread::spawn(move || {
                    let mut visit = Visit::new(Box::new(wrap(stream)), &seen);
                    serve(&mut visit);
                });
            }
        });
        Peer {
            address,
            seen,
            acceptor: Some(acceptor),
        }
    }

    /// Answers each request with `reply`.
    pub fn answering(reply: impl Into<Vec<u8>>) -> Peer {
        let reply = reply.into();
        Peer::serving(
            move |visit| {
                while visit.request().is_some() && visit.answer(&reply) {}
            },
        )
    }

    /// The URL that it listens on.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whole requests so far.
    pub fn requests(&self) -> u64 {
        self.seen.requests.load(Ordering::SeqCst) as u64
    }

    /// The last whole request.
    pub fn last_request(&self) -> Vec<u8> {
        self.seen.last.lock().expect("no thread panicked").clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.seen.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then stops.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Visit {
    /// A visit over `wire`, counted in `seen`.
    pub fn new(wire: Box<dyn Wire>, seen: &Arc<Seen>) -> Visit {
        Visit {
            wire,
            received: Vec::new(),
            seen: Arc::clone(seen),
            before: 0,
        }
    }

    /// The next whole request, or `None` if the client has closed.
    pub fn request(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = request_end(&self.received) {
                let rest = self.received.split_off(end);
                let request = std::mem::replace(&mut self.received, rest);
                self.before = self.seen.requests.fetch_add(1, Ordering::SeqCst);
                *self.seen.last.lock().ok()? = request.clone();
                return Some(request);
            }
            if !self.read_some() {
                return None;
            }
        }
    }

    /// Reads once. False if the client has closed.
    pub fn read_some(&mut self) -> bool {
        let mut piece = [0; 64 * 1024];
        self.read_into(&mut piece)
    }

    /// Reads one byte; all others stay unread. False if the client has closed.
    pub fn read_one_byte(&mut self) -> bool {
        self.read_into(&mut [0])
    }

    fn read_into(&mut self, piece: &mut [u8]) -> bool {
        match self.wire.read(piece) {
            Ok(bytes @ 1..) => {
                self.received.extend_from_slice(&piece[..bytes]);
                true
            }
            Ok(0) => false,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => true,
            Err(_) => false,
        }
    }

    /// Sends `bytes`. False if the client does not take them.
    pub fn answer(&mut self, bytes: &[u8]) -> bool {
        self.wire.write_all(bytes).is_ok()
    }

    /// Reads until the client closes.
    pub fn read_to_end(&mut self) {
        while self.read_some() {}
    }
}

/// The end of the first request in `bytes`, if it is whole.
fn request_end(bytes: &[u8]) -> Option<usize> {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(head) = request.parse(bytes).expect("a request") else {
        return None;
    };
    let body: usize = request
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |field| {
            let text = std::str::from_utf8(field.value).expect("digits");
            text.parse().expect("a length")
        });
    (bytes.len() >= head + body).then_some(head + body)
}
