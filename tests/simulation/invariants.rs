//! The rules that hold after each step, seen from outside the loops.

use std::time::{Duration, UNIX_EPOCH};

use bareloop::event_loop::{Flow, Kernel, LoopPhase, Protocol, TICK, Time, WriteQueue};
use bareloop::http::request;
use bareloop::serve::Warnings;
use bareloop::serve::http::{HttpConn, HttpServer, HttpSettings, Timeouts};

use crate::kernel::SimulatedKernel;
use crate::socket::{Owner, State};
use crate::{CONNECT_TIMEOUT, CONNECTIONS, PIPELINING, World};

/// Bytes that a lingering close reads; the rest is left unread.
const DRAINED_BYTES_MAX: usize = 256 * 1024;
/// Time after which a lack of descriptors is looked at again.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// A server that sees one byte at a time, and has no network.
pub struct Reference(HttpServer);

impl Reference {
    pub fn new() -> Reference {
        let mut server = HttpServer::new(settings(), Warnings::discarded());
        server.turn(Time::START, UNIX_EPOCH);
        Reference(server)
    }
}

pub fn settings() -> HttpSettings {
    HttpSettings {
        body: b"Hello World!".to_vec(),
        fields: Vec::new(),
        limits: request::Limits::default(),
        timeouts: Timeouts {
            header: Duration::from_secs(10),
            body_gap: Duration::from_secs(10),
            body_total: Duration::from_secs(60),
            idle: Duration::from_secs(60),
        },
    }
}

/// The bytes that a connection of the server should have sent, and those that it has sent.
#[derive(Debug, Default)]
pub struct Audit {
    conn: Option<HttpConn>,
    is_finished: bool,
    /// Replies to all that was read; a 0 stands for any byte of a Date.
    expected: Vec<u8>,
    sent_bytes: usize,
    /// Bytes beyond the expected ones: a 408.
    timeout_reply: Vec<u8>,
    pub reset: bool,
    /// The last write found no room.
    pub is_blocked: bool,
}

impl Audit {
    /// The server read `bytes`.
    pub fn received(&mut self, Reference(server): &mut Reference, bytes: &[u8]) {
        let mut out = WriteQueue::new();
        let conn = self
            .conn
            .get_or_insert_with(|| server.opened(Time::START, &mut out));
        let first = self.expected.len();
        for byte in bytes.chunks(1) {
            if self.is_finished {
                break;
            }
            let flow = server.received(conn, byte, Time::START, &mut out);
            self.is_finished = flow != Flow::Keep;
        }
        out.flush(&mut self.expected)
            .expect("a Vec takes everything");
        let mut at = first;
        while let Some(date) = find(&self.expected[at..], b"\r\nDate: ") {
            at += date + 8;
            self.expected[at..at + 29].fill(0);
        }
    }

    /// The server sent `bytes`.
    pub fn sent(&mut self, bytes: &[u8]) {
        self.is_blocked = false;
        for &byte in bytes {
            match self.expected.get(self.sent_bytes) {
                Some(&expected) => {
                    let at = self.sent_bytes;
                    assert!(
                        expected == byte || expected == 0,
                        "wrong byte {at}: {self:?}"
                    );
                    self.sent_bytes += 1;
                }
                None => self.timeout_reply.push(byte),
            }
        }
        let status = b"HTTP/1.1 408 ";
        let known = status.len().min(self.timeout_reply.len());
        assert_eq!(
            self.timeout_reply[..known],
            status[..known],
            "a reply too many: {self:?}"
        );
    }

    fn is_answered(&self) -> bool {
        self.sent_bytes == self.expected.len()
    }

    /// The server closed the connection.
    pub fn closed(&self) {
        assert!(
            self.is_answered() || self.reset || self.is_blocked,
            "closed with replies owed: {self:?}"
        );
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|w| w == pattern)
}

impl World<'_> {
    pub fn check(&self) {
        let network = self.network.borrow();
        for (id, end) in network.ends.iter().enumerate() {
            let lingers = end.drained >= DRAINED_BYTES_MAX;
            assert!(
                lingers || !network.is_forgotten(id),
                "end {id} is ready, and no event will say so: {end:?}"
            );
        }
        drop(network);
        if let Some(server) = &self.server {
            self.check_sockets(Owner::Server, server.sockets());
            assert!(server.sockets() <= self.network.borrow().connections_max);
        }
        if let Some(client) = &self.client {
            self.check_sockets(Owner::Client, client.sockets());
            assert!(client.sockets() <= CONNECTIONS, "too many connections");
            let accounting = client.protocol().accounting();
            assert!(accounting.is_balanced(), "{accounting:?}");
            let in_flight_max = (CONNECTIONS * PIPELINING) as u64;
            assert!(accounting.in_flight <= in_flight_max, "{accounting:?}");
        }
    }

    /// A loop knows as many sockets as it has open.
    fn check_sockets(&self, owner: Owner, known: usize) {
        let network = self.network.borrow();
        let open = network.ends.iter().filter(|end| {
            let accepted = owner == Owner::Client || end.state != State::Waiting;
            end.owner == owner && accepted && end.state != State::Closed
        });
        assert_eq!(open.count(), known, "sockets of {owner:?}");
    }

    /// After a turn of the server: all that was read is answered, unless the peer takes nothing,
    /// and no connection waits that could be accepted.
    pub fn check_server_turn(&self, phase: LoopPhase) {
        let Some(server) = &self.server else { return };
        let network = self.network.borrow();
        for (id, end) in network.ends.iter().enumerate() {
            let open = end.owner == Owner::Server && end.state == State::Open && !end.reset;
            assert!(
                !open || end.audit.is_answered() || end.audit.is_blocked,
                "end {id} is not answered: {end:?}"
            );
        }
        let waits = network.listener.token.is_some() && !network.listener.backlog.is_empty();
        let runs = phase == LoopPhase::Running;
        if runs && waits && !network.listener.pending && server.sockets() < network.connections_max
        {
            let now = network.clock.now.get();
            let retry_at = match network.is_starved {
                true => now + ACCEPT_RETRY,
                false => now,
            };
            assert!(server.due_at() <= retry_at, "nobody looks at the backlog");
        }
        if !network.signalled[Owner::Server as usize] {
            match self.signals[Owner::Server as usize].times_raised() {
                0 => assert_eq!(phase, LoopPhase::Running, "a stop without a signal"),
                1 => assert_ne!(phase, LoopPhase::Running, "a signal is not obeyed"),
                2.. => assert_eq!(phase, LoopPhase::Over, "a second signal is not obeyed"),
            }
        }
    }

    /// After a turn of the client: no dial has lasted longer than its timeout.
    pub fn check_client_turn(&self, phase: LoopPhase) {
        let network = self.network.borrow();
        let now = network.clock.now.get();
        for end in &network.ends {
            let dials = end.owner == Owner::Client && end.state == State::Connecting;
            assert!(
                !dials
                    || phase == LoopPhase::Over
                    || now - end.dialled_at <= CONNECT_TIMEOUT + TICK,
                "a dial has no end: {end:?}"
            );
        }
    }
}

/// The loops of the simulation.
pub type Loop<P> = bareloop::event_loop::EventLoop<P, SimulatedKernel>;
const _: () = {
    const fn is_kernel<K: Kernel>() {}
    is_kernel::<SimulatedKernel>();
};
