//! The simulated network: pairs of socket ends, bytes in flight between them, one listener.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;

use bareloop::event_loop::kernel::Interest;
use bareloop::event_loop::{ManualClock, Time, Transport};

use crate::invariants::Audit;
use crate::kernel::Temperament;
use crate::random::Random;

/// Owner of a socket end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Server,
    Client,
    /// A scripted peer of either.
    Script,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Dialled, not answered yet.
    Connecting,
    /// In the listener's backlog.
    Waiting,
    Open,
    Closed,
}

/// One end of a connection.
#[derive(Debug)]
pub struct End {
    pub owner: Owner,
    pub peer: usize,
    pub state: State,
    pub dialled_at: Time,
    pub connect_error: Option<io::ErrorKind>,
    /// Sent by the peer, on its way.
    pub in_flight: VecDeque<u8>,
    fin_in_flight: bool,
    /// Arrived, not read.
    pub inbound: VecDeque<u8>,
    pub fin: bool,
    pub reset: bool,
    pub write_shut: bool,
    /// Bytes that may be on their way to the peer or unread there.
    pub capacity: usize,
    /// System calls that are interrupted before one is not.
    pub interrupts: usize,
    /// Bytes read after our own end: a lingering close.
    pub drained: usize,
    pub sent_bytes: usize,
    pub registration: Option<(usize, Interest)>,
    /// Edges that the loop has not been told of (epoll, kqueue), or what is armed (Windows).
    pub read_pending: bool,
    pub write_pending: bool,
    /// A write found no room (epoll reports room only then).
    no_space: bool,
    pub audit: Audit,
}

impl End {
    fn new(owner: Owner, peer: usize, state: State, capacity: usize, now: Time) -> End {
        End {
            owner,
            peer,
            state,
            dialled_at: now,
            connect_error: None,
            in_flight: VecDeque::new(),
            fin_in_flight: false,
            inbound: VecDeque::new(),
            fin: false,
            reset: false,
            write_shut: false,
            capacity,
            interrupts: 0,
            drained: 0,
            sent_bytes: 0,
            registration: None,
            read_pending: false,
            write_pending: false,
            no_space: false,
            audit: Audit::default(),
        }
    }

    pub fn is_readable(&self) -> bool {
        self.state == State::Open && (!self.inbound.is_empty() || self.fin || self.reset)
    }
}

#[derive(Debug, Default)]
pub struct Listener {
    pub token: Option<usize>,
    pub pending: bool,
    pub backlog: VecDeque<usize>,
}

pub struct Network {
    pub random: Random,
    pub temperament: Temperament,
    pub clock: Rc<ManualClock>,
    pub ends: Vec<End>,
    pub listener: Listener,
    /// Descriptors that the server may still use.
    pub descriptors: usize,
    /// The last accept failed for lack of one, and the server has closed none since.
    pub is_starved: bool,
    pub connections_max: usize,
    /// Resets, refusals, full backlogs, scripted servers.
    pub faults: bool,
    /// The stop signals of server and client were raised and are not reported yet.
    pub signalled: [bool; 2],
    pub reference: crate::invariants::Reference,
}

impl Network {
    pub fn has_room(&self, id: usize) -> bool {
        self.room(id) > 0
    }

    fn room(&self, id: usize) -> usize {
        let peer = &self.ends[self.ends[id].peer];
        let used = peer.in_flight.len() + peer.inbound.len();
        self.ends[id].capacity.saturating_sub(used)
    }

    pub fn is_writable(&self, id: usize) -> bool {
        let end = &self.ends[id];
        match end.state {
            State::Open => end.reset || self.has_room(id),
            State::Connecting => end.connect_error.is_some(),
            State::Waiting | State::Closed => false,
        }
    }

    /// A new pair; the first end dials.
    pub fn pair(&mut self, dials: Owner, answers: Owner) -> usize {
        let now = self.clock.now.get();
        let first = self.ends.len();
        for (owner, peer, state) in [
            (dials, first + 1, State::Connecting),
            (answers, first, State::Waiting),
        ] {
            let capacity = match self.random.below(3) {
                0 => 20 + self.random.below(300),
                1 => 1 + self.random.below(5_000),
                _ => 100_000,
            };
            self.ends.push(End::new(owner, peer, state, capacity, now));
        }
        first
    }

    /// The answer to a dial arrives.
    pub fn connect(&mut self, id: usize) {
        let answer = self.ends[id].peer;
        if self.ends[answer].owner == Owner::Server {
            if self.listener.token.is_none() || (self.faults && self.random.one_in(20)) {
                self.ends[answer].state = State::Closed;
                self.ends[id].connect_error = Some(io::ErrorKind::ConnectionRefused);
                return self.write_edge(id);
            }
            self.listener.backlog.push_back(answer);
            self.listener.pending = true;
        } else {
            self.ends[answer].state = State::Open;
        }
        self.ends[id].state = State::Open;
        self.write_edge(id);
    }

    /// Up to `bytes` of what is in flight to an end arrive, then perhaps the peer's FIN.
    pub fn deliver(&mut self, id: usize, bytes: usize) {
        let end = &mut self.ends[id];
        let count = bytes.min(end.in_flight.len());
        if end.state == State::Closed {
            // A packet for a closed socket is answered with a reset.
            if count > 0 {
                end.in_flight.clear();
                let peer = end.peer;
                self.reset(peer);
            }
            return;
        }
        let arrived: Vec<u8> = end.in_flight.drain(..count).collect();
        end.inbound.extend(&arrived);
        let fin = end.fin_in_flight && end.in_flight.is_empty();
        let news = count > 0 || (fin && !end.fin);
        end.fin |= fin;
        if news {
            self.read_edge(id);
        }
    }

    /// A reset arrives.
    pub fn reset(&mut self, id: usize) {
        let end = &mut self.ends[id];
        if end.state == State::Closed || end.state == State::Connecting {
            return;
        }
        end.reset = true;
        end.audit.reset = true;
        end.in_flight.clear();
        self.read_edge(id);
        self.write_edge(id);
    }

    pub fn shut_write(&mut self, id: usize) {
        let peer = self.ends[id].peer;
        self.ends[id].write_shut = true;
        self.ends[peer].fin_in_flight = true;
    }

    /// The owner closes its end. Unread bytes make it a reset.
    pub fn close(&mut self, id: usize) {
        let peer = self.ends[id].peer;
        if self.ends[id].state == State::Closed {
            return;
        }
        if self.ends[id].state == State::Connecting {
            self.ends[peer].state = State::Closed;
        }
        self.ends[id].state = State::Closed;
        self.ends[id].registration = None;
        if self.ends[id].inbound.is_empty() {
            self.shut_write(id);
        } else {
            self.reset(peer);
        }
    }

    pub fn read(&mut self, id: usize, buffer: &mut [u8]) -> io::Result<usize> {
        let end = &mut self.ends[id];
        if end.interrupts > 0 {
            end.interrupts -= 1;
            return Err(io::ErrorKind::Interrupted.into());
        }
        if end.inbound.is_empty() {
            return match (end.reset, end.fin) {
                (true, _) => Err(io::ErrorKind::ConnectionReset.into()),
                (false, true) => Ok(0),
                (false, false) => Err(self.would_block(id)),
            };
        }
        let mut size = buffer.len();
        // Elsewhere a short read says that the socket is empty.
        if self.temperament == Temperament::Windows && self.random.one_in(4) {
            size = size.min(1 + self.random.below(100));
        }
        let bytes = end.inbound.read(&mut buffer[..size])?;
        if end.write_shut {
            end.drained += bytes;
        } else if end.owner == Owner::Server {
            end.audit.received(&mut self.reference, &buffer[..bytes]);
        }
        let peer = end.peer;
        self.acknowledged(peer);
        Ok(bytes)
    }

    pub fn write(&mut self, id: usize, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room(id);
        let end = &mut self.ends[id];
        if end.interrupts > 0 {
            end.interrupts -= 1;
            return Err(io::ErrorKind::Interrupted.into());
        }
        assert!(!end.write_shut, "a write after our own end");
        if end.reset {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if room == 0 {
            end.no_space = true;
            end.audit.is_blocked = true;
            return Err(self.would_block(id));
        }
        let taken = bytes.len().min(room);
        end.sent_bytes += taken;
        if end.owner == Owner::Server {
            end.audit.sent(&bytes[..taken]);
        }
        let peer = end.peer;
        self.ends[peer].in_flight.extend(&bytes[..taken]);
        Ok(taken)
    }

    /// The peer has read from what `id` sent.
    fn acknowledged(&mut self, id: usize) {
        let had_no_space = std::mem::take(&mut self.ends[id].no_space);
        if had_no_space || self.temperament == Temperament::Kqueue {
            self.write_edge(id);
        }
    }

    /// mio on Windows arms all events of a socket again.
    fn would_block(&mut self, id: usize) -> io::Error {
        if self.temperament == Temperament::Windows {
            self.arm(id);
        }
        io::ErrorKind::WouldBlock.into()
    }
}

pub type Shared = Rc<RefCell<Network>>;

/// An end that a loop owns.
pub struct Socket {
    pub network: Shared,
    pub id: usize,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A second panic while a failure unwinds would abort the run and hide its seed.
        if std::thread::panicking() {
            return;
        }
        let mut network = self.network.borrow_mut();
        if network.ends[self.id].owner == Owner::Server {
            network.descriptors += 1;
            network.is_starved = false;
            network.ends[self.id].audit.closed();
        }
        network.close(self.id);
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.network.borrow_mut().read(self.id, buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.network.borrow_mut().write(self.id, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Socket {
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.network.borrow_mut().shut_write(self.id);
        Ok(())
    }
}
