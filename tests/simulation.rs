//! A seeded simulation: `Connection::pump` and `AcceptState` under `HttpServer`, over a scripted kernel
//! that is as unkind as an edge-triggered one may be.
//!
//! Bytes come in any pieces, the send buffer has any room, events are merged, spurious or late,
//! peers end and reset, descriptors run out, the clock jumps. After each step nothing ready may
//! be forgotten; at the end every request that arrived has one reply, whole and in order.
//!
//! A failure prints its seed. `BARELOOP_SEED=N` runs that one, `BARELOOP_SEEDS=N` runs more.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use bareloop::event_loop::connection::{Connection, Hint, Pumped};
use bareloop::event_loop::gate::AcceptState;
use bareloop::event_loop::{
    Flow, Limits, Protocol, Shared, Time, TimeSource, Transport, WriteQueue,
};
use bareloop::http::request;
use bareloop::serve::Warn;
use bareloop::serve::http::{HttpConn, HttpServer, HttpSettings, Timeouts};

const SEEDS: u64 = 256;
const STEPS: usize = 3_000;
/// Bytes a peer may send before it sees the end of what it asked for.
const STREAM_BYTES_MAX: usize = 20_000;

/// A small generator (xorshift64*), so that a seed means the same run for ever.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn one_in(&mut self, chance: usize) -> bool {
        self.below(chance) == 0
    }
}

/// Both sides of a socket as the kernel sees it.
#[derive(Default)]
struct Wire {
    /// Received, not read.
    inbound: VecDeque<u8>,
    ended: bool,
    reset: bool,
    /// Room in the send buffer.
    room: usize,
    /// Sent, and taken by the peer.
    outbound: Vec<u8>,
    shut: bool,
    interrupts: usize,
    /// An event the loop has not been told of yet.
    edge: bool,
}

impl Wire {
    fn is_readable(&self) -> bool {
        !self.inbound.is_empty() || self.ended || self.reset
    }
}

#[derive(Clone)]
struct Socket(Rc<RefCell<Wire>>);

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut wire = self.0.borrow_mut();
        if wire.interrupts > 0 {
            wire.interrupts -= 1;
            return Err(io::ErrorKind::Interrupted.into());
        }
        if wire.inbound.is_empty() {
            return match (wire.reset, wire.ended) {
                (true, _) => Err(io::ErrorKind::ConnectionReset.into()),
                (false, true) => Ok(0),
                (false, false) => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        wire.inbound.read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut wire = self.0.borrow_mut();
        if wire.interrupts > 0 {
            wire.interrupts -= 1;
            return Err(io::ErrorKind::Interrupted.into());
        }
        assert!(!wire.shut, "wrote after the end");
        if wire.reset {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if wire.room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = bytes.len().min(wire.room);
        wire.room -= taken;
        wire.outbound.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Socket {
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.0.borrow_mut().shut = true;
        Ok(())
    }
}

#[derive(Clone, Default)]
struct FakeClock(Rc<RefCell<Time>>);

impl TimeSource for FakeClock {
    fn now(&self) -> Time {
        *self.0.borrow()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Watched {
    Readable,
    Writable,
}

/// A peer with its script, and the server's end of its connection.
struct Peer {
    wire: Rc<RefCell<Wire>>,
    connection: Option<Connection<Socket, HttpConn>>,
    watched: Watched,
    /// What it has sent so far.
    said: Vec<u8>,
    /// Whether a timeout may have cut it off.
    overdue: bool,
}

struct World<'a> {
    dice: Dice,
    shared: Shared<HttpServer<'a>, FakeClock>,
    clock: FakeClock,
    peers: Vec<Peer>,
    gate: AcceptState,
    /// Clients waiting to be accepted, as their peers' indices.
    backlog: VecDeque<usize>,
    descriptors: usize,
}

fn settings() -> HttpSettings {
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

const LIMITS: Limits = Limits {
    connections_max: 1000,
    connect_timeout: Duration::from_secs(1),
    send_timeout: Duration::from_secs(30),
    linger: Duration::from_secs(1),
    grace: Duration::from_secs(4),
};

const MESSAGES: [&str; 12] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /other HTTP/1.1\r\nHost: b\r\nAccept: */*\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: t\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
];

impl World<'_> {
    fn step(&mut self) {
        match self.dice.below(20) {
            0 => self.arrive(),
            1..=7 => self.speak(),
            8..=11 => self.listen(),
            12..=16 => self.deliver(),
            17 => self.spurious(),
            18 => self.let_time_pass(),
            _ => self.misbehave(),
        }
        self.accept();
        self.check();
    }

    /// A client connects.
    fn arrive(&mut self) {
        self.peers.push(Peer {
            wire: Rc::new(RefCell::new(Wire::default())),
            connection: None,
            watched: Watched::Readable,
            said: Vec::new(),
            overdue: false,
        });
        self.backlog.push_back(self.peers.len() - 1);
        self.gate.edge();
    }

    fn accept(&mut self) {
        let now = self.shared.now;
        let (backlog, descriptors) = (&mut self.backlog, &mut self.descriptors);
        let accept = || match backlog.pop_front() {
            None => Err(io::ErrorKind::WouldBlock.into()),
            Some(index) if *descriptors == 0 => {
                backlog.push_front(index);
                Err(io::Error::other("out of descriptors"))
            }
            Some(index) => {
                *descriptors -= 1;
                Ok(index)
            }
        };
        let mut accepted = Vec::new();
        // A want of descriptors is for the gate to remember.
        let _ = self
            .gate
            .accept(now, 100, accept, |index| accepted.push(index));
        for index in accepted {
            let socket = Socket(Rc::clone(&self.peers[index].wire));
            let (connection, pumped) = Connection::open(socket, &mut self.shared);
            let peer = &mut self.peers[index];
            peer.connection = Some(connection);
            let mut wire = peer.wire.borrow_mut();
            wire.edge = wire.is_readable();
            drop(wire);
            self.after(index, pumped);
        }
    }

    fn any_peer(&mut self) -> Option<usize> {
        let count = self.peers.len();
        (count > 0).then(|| self.dice.below(count))
    }

    /// A client sends a piece of its stream.
    fn speak(&mut self) {
        let Some(index) = self.any_peer() else { return };
        let mut text = Vec::new();
        for _ in 0..=self.dice.below(4) {
            let message = MESSAGES[self.dice.below(MESSAGES.len())];
            // Closing requests are rare, or no stream would be long.
            if !message.contains("close") || self.dice.one_in(8) {
                text.extend_from_slice(message.as_bytes());
            }
        }
        if self.dice.one_in(400) {
            // More than one read takes.
            text = MESSAGES[0].repeat(3_000).into_bytes();
        }
        if self.dice.one_in(60) {
            text.extend_from_slice(b"NONSENSE\r\n");
        }
        let peer = &mut self.peers[index];
        let mut wire = peer.wire.borrow_mut();
        if wire.ended || wire.reset || peer.said.len() > STREAM_BYTES_MAX {
            return;
        }
        // A cut anywhere: the rest of the piece comes only as part of later ones, never lost.
        let cut = self.dice.below(text.len() + 1);
        for part in [&text[..cut], &text[cut..]] {
            peer.said.extend_from_slice(part);
            wire.inbound.extend(part);
            wire.edge = true;
            wire.interrupts += usize::from(self.dice.one_in(10));
        }
    }

    /// A client reads, which makes room.
    fn listen(&mut self) {
        let Some(index) = self.any_peer() else { return };
        let room = 1 + self.dice.below(3_000);
        let mut wire = self.peers[index].wire.borrow_mut();
        wire.room = wire.room.max(room);
        wire.edge = true;
    }

    /// The kernel tells the loop what it has to tell.
    fn deliver(&mut self) {
        for index in 0..self.peers.len() {
            let told = self.peers[index].wire.borrow().edge && self.dice.one_in(2);
            if told {
                self.pump(index);
            }
        }
    }

    fn spurious(&mut self) {
        if let Some(index) = self.any_peer() {
            self.pump(index);
        }
    }

    fn let_time_pass(&mut self) {
        let jump = match self.dice.below(4) {
            0 => Duration::from_secs(self.dice.below(100) as u64),
            _ => Duration::from_millis(self.dice.below(500) as u64),
        };
        let now = self.shared.now + jump;
        *self.clock.0.borrow_mut() = now;
        self.shared.now = now;
        for index in 0..self.peers.len() {
            let peer = &mut self.peers[index];
            let Some(connection) = &mut peer.connection else {
                continue;
            };
            if connection.deadline(&self.shared) <= now {
                peer.overdue = true;
                let pumped = connection.overdue(&mut self.shared);
                self.after(index, pumped);
            }
        }
    }

    fn misbehave(&mut self) {
        let Some(index) = self.any_peer() else { return };
        let mut wire = self.peers[index].wire.borrow_mut();
        match self.dice.below(12) {
            0 => wire.reset = true,
            1..=3 => wire.ended = true,
            _ => return,
        }
        wire.edge = true;
    }

    fn pump(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        let Some(connection) = &mut peer.connection else {
            return;
        };
        let hint = {
            let mut wire = peer.wire.borrow_mut();
            wire.edge = false;
            match wire.ended || wire.reset {
                true => Hint::ReadClosed,
                false => Hint::Ready,
            }
        };
        let pumped = connection.pump(&mut self.shared, hint);
        self.after(index, pumped);
    }

    /// What the loop does: registers, and registering looks at the present state.
    fn after(&mut self, index: usize, pumped: Pumped) {
        let (wanted, again) = match pumped {
            Pumped::AwaitReadable => (Watched::Readable, false),
            Pumped::AwaitWritable => (Watched::Writable, false),
            Pumped::Again => (Watched::Readable, true),
            Pumped::Closed(_) => {
                self.peers[index].connection = None;
                self.descriptors += 1;
                self.gate.descriptor_freed();
                return;
            }
        };
        let peer = &mut self.peers[index];
        if peer.watched != wanted || again {
            peer.watched = wanted;
            let mut wire = peer.wire.borrow_mut();
            wire.edge = match wanted {
                Watched::Readable => wire.is_readable(),
                Watched::Writable => wire.room > 0 || wire.reset,
            };
        }
    }

    /// Nothing ready is forgotten, and nobody waits at an open door.
    fn check(&self) {
        for (index, peer) in self.peers.iter().enumerate() {
            let wire = peer.wire.borrow();
            if peer.connection.is_none() || wire.edge {
                continue;
            }
            match peer.watched {
                Watched::Readable => assert!(!wire.is_readable(), "peer {index} forgotten"),
                Watched::Writable => assert!(wire.room == 0, "peer {index} forgotten in writing"),
            }
        }
        let may_accept = !self.backlog.is_empty() && self.descriptors > 0;
        assert!(
            !may_accept || self.gate != AcceptState::AwaitEdge,
            "somebody waits in the backlog and no edge will come"
        );
    }

    /// Lets everybody read all there is and end, and compares what they got with what they asked.
    fn settle(&mut self) {
        self.descriptors += self.peers.len();
        self.gate.descriptor_freed();
        while !self.backlog.is_empty() {
            self.accept();
        }
        for index in 0..self.peers.len() {
            {
                let mut wire = self.peers[index].wire.borrow_mut();
                wire.room = usize::MAX / 2;
                wire.ended = true;
                wire.edge = true;
            }
            while self.peers[index].connection.is_some() && self.peers[index].wire.borrow().edge {
                self.pump(index);
            }
            let peer = &self.peers[index];
            assert!(peer.connection.is_none(), "peer {index} never closed");
            let expected = replies_to(&peer.said);
            let wire = peer.wire.borrow();
            let got = String::from_utf8_lossy(&wire.outbound).into_owned();
            if wire.reset || peer.overdue {
                let got = got.split("HTTP/1.1 408 ").next().unwrap_or_default();
                assert!(
                    expected.starts_with(got),
                    "peer {index} got\n{got}\nnot\n{expected}"
                );
            } else {
                assert_eq!(got, expected, "peer {index}");
            }
        }
    }
}

/// What a server that sees one byte at a time, and has no network, replies.
fn replies_to(stream: &[u8]) -> String {
    let mut ignore = |_: &str| {};
    let mut server = HttpServer::new(settings(), Warn::new(&mut ignore));
    let mut out = WriteQueue::new();
    let mut sent = Vec::new();
    server.turn(Time::START, UNIX_EPOCH);
    let mut conn = server.opened(Time::START, &mut out);
    for byte in stream.chunks(1) {
        let flow = server.received(&mut conn, byte, Time::START, &mut out);
        out.flush(&mut sent).expect("a Vec takes everything");
        if flow != Flow::Keep {
            break;
        }
    }
    String::from_utf8(sent).expect("replies are ASCII")
}

fn simulate(seed: u64) {
    let mut ignore = |_: &str| {};
    let mut server = HttpServer::new(settings(), Warn::new(&mut ignore));
    server.turn(Time::START, UNIX_EPOCH);
    let clock = FakeClock::default();
    let mut world = World {
        dice: Dice::new(seed),
        shared: Shared::new(server, clock.clone(), LIMITS),
        clock,
        peers: Vec::new(),
        gate: AcceptState::default(),
        backlog: VecDeque::new(),
        descriptors: 20,
    };
    for _ in 0..STEPS {
        world.step();
    }
    world.settle();
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn no_seed_finds_a_lost_wakeup_or_a_wrong_reply() {
    let seeds = match number_from("BARELOOP_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number_from("BARELOOP_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| simulate(seed));
        assert!(
            outcome.is_ok(),
            "failed; run again with BARELOOP_SEED={seed}"
        );
    }
}
