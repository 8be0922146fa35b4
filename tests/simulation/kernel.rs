//! The simulated kernel, with the semantics of three systems.

use std::io;
use std::time::Duration;

use bareloop::event_loop::kernel::{Dialled, Event, Interest, STOP_TOKEN};
use bareloop::event_loop::{Address, Kernel, ShortRead};

use crate::socket::{Network, Owner, Shared, Socket, State};

/// The system whose readiness events are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temperament {
    /// Edge-triggered; one event with all that is true at the time; room only after a write found
    /// none.
    Epoll,
    /// Separate filters for reading and writing; an event for each acknowledgement; an end is a
    /// flag of either.
    Kqueue,
    /// Reported once, then armed again only by `WouldBlock` or a registration; a short read says
    /// nothing.
    Windows,
}

fn reads(interest: Interest) -> bool {
    interest != Interest::Writable
}

fn writes(interest: Interest) -> bool {
    interest != Interest::Readable
}

impl Network {
    /// Bytes, an end or a reset arrived.
    pub fn read_edge(&mut self, id: usize) {
        let end = &mut self.ends[id];
        let Some((_, interest)) = end.registration else {
            return;
        };
        if self.temperament != Temperament::Windows && (reads(interest) || end.reset) {
            end.read_pending = true;
        }
    }

    /// Room, a connection or a reset arrived.
    pub fn write_edge(&mut self, id: usize) {
        let end = &mut self.ends[id];
        let Some((_, interest)) = end.registration else {
            return;
        };
        if self.temperament != Temperament::Windows && (writes(interest) || end.reset) {
            end.write_pending = true;
        }
    }

    fn register(&mut self, id: usize, token: usize, interest: Interest) {
        self.ends[id].registration = Some((token, interest));
        self.arm(id);
    }

    /// Windows: all that is wanted is armed. Elsewhere: all that is wanted and true is pending.
    pub fn arm(&mut self, id: usize) {
        let Some((_, interest)) = self.ends[id].registration else {
            return;
        };
        let level = self.temperament == Temperament::Windows;
        let writable = self.is_writable(id);
        let end = &mut self.ends[id];
        end.read_pending = reads(interest) && (level || end.is_readable());
        end.write_pending = writes(interest) && (level || writable);
    }

    /// Returns true if something that the loop waits for is true, and no event will say so.
    pub fn is_forgotten(&self, id: usize) -> bool {
        let end = &self.ends[id];
        let Some((_, interest)) = end.registration else {
            return false;
        };
        let any = self.temperament == Temperament::Epoll && (end.read_pending || end.write_pending);
        let read = reads(interest) && end.is_readable() && !end.read_pending && !any;
        let write = writes(interest) && self.is_writable(id) && !end.write_pending && !any;
        read || write
    }

    /// The events of an end that is reported now.
    fn report(&mut self, id: usize, events: &mut Vec<Event>) {
        let writable = self.is_writable(id);
        let end = &mut self.ends[id];
        let Some((token, interest)) = end.registration else {
            return;
        };
        let failed = end.reset || end.connect_error.is_some();
        let hung_up = failed || (end.fin && end.write_shut);
        let read = end.read_pending && end.is_readable();
        let write = end.write_pending && writable;
        let event = |read_closed, write_closed| Event {
            token,
            read_closed,
            write_closed,
        };
        match self.temperament {
            Temperament::Epoll => {
                if !(end.read_pending || end.write_pending) {
                    return;
                }
                let read = reads(interest) && end.is_readable();
                let write = writes(interest) && writable;
                if read || write || hung_up {
                    events.push(event((read && end.fin) || hung_up, hung_up));
                }
            }
            Temperament::Kqueue => {
                if read {
                    events.push(event(end.fin || failed, failed));
                }
                if end.write_pending {
                    events.push(event(failed, hung_up));
                }
            }
            Temperament::Windows => {
                if read || write {
                    events.push(event((read && end.fin) || failed, failed));
                }
                // What was not reported stays armed.
                end.read_pending &= !read;
                end.write_pending &= !write;
                return;
            }
        }
        (end.read_pending, end.write_pending) = (false, false);
    }
}

/// One loop's view of the network.
pub struct SimulatedKernel {
    pub network: Shared,
    pub owner: Owner,
    /// Tokens that were in use; some of them are not any more.
    tokens: Vec<usize>,
}

impl SimulatedKernel {
    pub fn new(network: &Shared, owner: Owner) -> SimulatedKernel {
        SimulatedKernel {
            network: network.clone(),
            owner,
            tokens: Vec::new(),
        }
    }

    fn socket(&self, id: usize) -> Socket {
        Socket {
            network: self.network.clone(),
            id,
        }
    }
}

impl Kernel for SimulatedKernel {
    type Stream = Socket;
    type Listener = ();
    type Events = Vec<Event>;

    fn short_read(&self) -> ShortRead {
        match self.network.borrow().temperament {
            Temperament::Windows => ShortRead::NotArmed,
            Temperament::Epoll | Temperament::Kqueue => ShortRead::Drained,
        }
    }

    fn new_events(&self) -> Vec<Event> {
        Vec::new()
    }

    /// Late, reordered, spurious and stale events; time does not pass.
    fn wait(&mut self, events: &mut Vec<Event>, _timeout: Option<Duration>) -> io::Result<()> {
        let network = &mut *self.network.borrow_mut();
        events.clear();
        for id in 0..network.ends.len() {
            if network.ends[id].owner == self.owner && !network.random.one_in(4) {
                network.report(id, events);
            }
        }
        let plain = |token| Event {
            token,
            read_closed: false,
            write_closed: false,
        };
        if self.owner == Owner::Server && network.listener.pending && !network.random.one_in(4) {
            network.listener.pending = false;
            events.extend(network.listener.token.map(plain));
        }
        if network.random.one_in(6) {
            events.extend(network.random.pick(&self.tokens).map(|&token| plain(token)));
        }
        if std::mem::take(&mut network.signalled[self.owner as usize]) {
            events.push(plain(STOP_TOKEN));
        }
        network.random.shuffle(events);
        Ok(())
    }

    fn events(events: &Vec<Event>) -> impl Iterator<Item = Event> {
        events.iter().copied()
    }

    fn listen(&mut self, address: &Address, token: usize) -> io::Result<((), Address)> {
        self.network.borrow_mut().listener.token = Some(token);
        Ok(((), address.clone()))
    }

    fn close_listener(&mut self, (): ()) {
        let network = &mut *self.network.borrow_mut();
        let accepted = network
            .ends
            .iter()
            .filter(|end| end.owner == Owner::Server && end.state == State::Open);
        let has_room = accepted.count() < network.connections_max && network.descriptors > 0;
        let waiting = std::mem::take(&mut network.listener.backlog);
        assert!(
            waiting.is_empty() || !has_room,
            "connections in the backlog are reset"
        );
        network.listener.token = None;
        for id in waiting {
            let peer = network.ends[id].peer;
            network.ends[id].state = State::Closed;
            network.reset(peer);
        }
    }

    fn accept(&mut self, (): &mut ()) -> io::Result<Socket> {
        let network = &mut *self.network.borrow_mut();
        let Some(&id) = network.listener.backlog.front() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        network.is_starved = network.descriptors == 0;
        if network.is_starved {
            return Err(io::Error::other("no descriptor is left"));
        }
        if network.faults && network.random.one_in(30) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        network.listener.backlog.pop_front();
        network.descriptors -= 1;
        network.ends[id].state = State::Open;
        Ok(self.socket(id))
    }

    fn dial(&mut self, _peer: &Address, token: usize) -> io::Result<Socket> {
        let network = &mut *self.network.borrow_mut();
        if network.faults {
            match network.random.below(30) {
                0 => return Err(io::Error::other("no descriptor is left")),
                1 => return Err(io::ErrorKind::ConnectionRefused.into()),
                2 => return Err(io::ErrorKind::WouldBlock.into()),
                _ => {}
            }
        }
        let answers = match network.faults && network.random.one_in(4) {
            true => Owner::Script,
            false => Owner::Server,
        };
        let id = network.pair(Owner::Client, answers);
        network.register(id, token, Interest::Writable);
        self.tokens.push(token);
        Ok(self.socket(id))
    }

    fn dialled(&mut self, stream: &mut Socket) -> io::Result<Dialled> {
        let network = self.network.borrow();
        let end = &network.ends[stream.id];
        match (end.connect_error, end.state) {
            (Some(kind), _) => Err(kind.into()),
            (None, State::Connecting) => Ok(Dialled::Pending),
            (None, _) => Ok(Dialled::Connected),
        }
    }

    fn register(
        &mut self,
        stream: &mut Socket,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        self.tokens.push(token);
        self.reregister(stream, token, interest)
    }

    fn reregister(
        &mut self,
        stream: &mut Socket,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        self.network
            .borrow_mut()
            .register(stream.id, token, interest);
        Ok(())
    }

    fn deregister(&mut self, stream: &mut Socket) {
        self.network.borrow_mut().ends[stream.id].registration = None;
    }
}
