//! Runs of `load`, their reports with all sums checked, and servers with scripted behaviour.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use crate::harness::{Finished, PATIENCE, bareloop, run};

/// A report of `load --json` whose sums have been checked.
#[derive(Clone, Debug)]
pub struct Report {
    json: Value,
}

impl Report {
    /// The report that `finished` printed.
    pub fn of(finished: &Finished) -> Report {
        assert_eq!(finished.stdout.lines().count(), 1, "{finished:?}");
        let json = serde_json::from_str(&finished.stdout)
            .unwrap_or_else(|e| panic!("no JSON: {e}: {finished:?}"));
        let report = Report { json };
        report.check_sums();
        report
    }

    /// The value at this JSON pointer (RFC 6901).
    pub fn at(&self, pointer: &str) -> &Value {
        self.json
            .pointer(pointer)
            .unwrap_or_else(|| panic!("no {pointer} in {:#}", self.json))
    }

    /// The count at this JSON pointer.
    pub fn count(&self, pointer: &str) -> u64 {
        let value = self.at(pointer);
        value
            .as_u64()
            .unwrap_or_else(|| panic!("{pointer} is {value}"))
    }

    /// The number at this JSON pointer.
    pub fn number(&self, pointer: &str) -> f64 {
        let value = self.at(pointer);
        value
            .as_f64()
            .unwrap_or_else(|| panic!("{pointer} is {value}"))
    }

    pub fn sent(&self) -> u64 {
        self.count("/accounting/sent")
    }

    pub fn completed(&self) -> u64 {
        self.count("/accounting/completed")
    }

    pub fn timed_out(&self) -> u64 {
        self.count("/accounting/timedOut")
    }

    pub fn lost(&self) -> u64 {
        self.count("/accounting/lost")
    }

    pub fn in_flight(&self) -> u64 {
        self.count("/accounting/inFlight")
    }

    /// Errors of this kind.
    pub fn errors(&self, kind: &str) -> u64 {
        self.count(&format!("/errorKinds/{kind}"))
    }

    pub fn errors_of_any_kind(&self) -> u64 {
        self.count("/errors")
    }

    /// The warnings of the verdict.
    pub fn doubts(&self) -> String {
        self.at("/verdict/reasons").to_string()
    }

    /// Asserts that each request was answered without an error.
    pub fn assert_flawless(&self) {
        let troubles = [
            self.errors_of_any_kind(),
            self.timed_out(),
            self.lost(),
            self.count("/resets"),
            self.count("/mismatches"),
            self.count("/variedBodies"),
            self.count("/non2xx"),
        ];
        assert_eq!(troubles, [0; 7], "{:#}", self.json);
        assert!(self.completed() > 0, "{:#}", self.json);
    }

    /// Checks the sums that hold in every report, whatever the server did.
    fn check_sums(&self) {
        let kinds: u64 = [
            "refused",
            "unreachable",
            "reset",
            "closedEarly",
            "timeout",
            "badReply",
            "noLocalPort",
            "noDescriptor",
            "other",
        ]
        .iter()
        .map(|kind| self.errors(kind))
        .sum();
        let classes =
            ["/2xx", "/3xx", "/4xx", "/5xx", "/otherStatus"].map(|class| self.count(class));
        let codes = self.at("/statusCodeStats").as_object().expect("an object");
        let by_code: u64 = codes
            .keys()
            .map(|code| self.count(&format!("/statusCodeStats/{code}/count")))
            .sum();
        for (what, left, right) in [
            (
                "every request",
                self.sent(),
                self.completed() + self.timed_out() + self.lost() + self.in_flight(),
            ),
            ("requests.sent", self.count("/requests/sent"), self.sent()),
            (
                "requests.total",
                self.count("/requests/total"),
                self.completed(),
            ),
            (
                "latencies",
                self.count("/latency/totalCount"),
                self.completed(),
            ),
            ("errors", self.errors_of_any_kind(), kinds),
            ("timeouts", self.count("/timeouts"), self.timed_out()),
            ("timeout", self.errors("timeout"), self.timed_out()),
            (
                "mismatches",
                self.count("/mismatches"),
                self.errors("wrongBody"),
            ),
            ("classes", classes.iter().sum(), self.completed()),
            ("status codes", by_code, self.completed()),
            (
                "non2xx",
                self.count("/non2xx"),
                self.completed() - classes[0],
            ),
        ] {
            assert_eq!(left, right, "{what}: {:#}", self.json);
        }
        let slots = self.count("/connections") * self.count("/pipelining");
        assert!(self.in_flight() <= slots, "{:#}", self.json);
    }
}

/// `load --json` with these flags; the URL is one of them.
pub fn load_command(flags: &[&str]) -> Command {
    let mut command = bareloop();
    command.args(["load", "--json"]).args(flags);
    command
}

/// Runs `load` to its end.
pub fn load(flags: &[&str]) -> (Finished, Report) {
    let finished = run(&mut load_command(flags));
    let report = Report::of(&finished);
    (finished, report)
}

/// Runs `load`, which has to succeed without output on stderr.
pub fn load_well(flags: &[&str]) -> Report {
    let (finished, report) = load(flags);
    assert_eq!(finished.code, Some(0), "{flags:?}: {finished:?}");
    assert_eq!(finished.stderr, "", "{flags:?}");
    report
}

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
