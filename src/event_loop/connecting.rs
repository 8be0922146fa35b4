//! How connections come in: accepted or dialled, alike from the moment they are open.

use std::io;

use mio::event::{Event, Source};
use mio::{Interest, Registry, Token};

use super::connection::Connection;
use super::listener::Listener;
use super::stream::{Dialled, Stream};
use super::{Closed, Entry, EventLoop, Peer, Phase, Protocol, ServerWarning, Watched};

/// Dials begun in one turn.
const DIALS_PER_TURN_MAX: usize = 256;
/// How often a loop that is stopping looks for more clients in the backlog; enough for a full one.
const ACCEPTS_AT_STOP_MAX: usize = 64;

impl<P: Protocol> EventLoop<P> {
    /// Takes new clients in, as far as there is room.
    pub(super) fn accept(&mut self) {
        for index in 0..self.listeners.len() {
            let room = self.shared.limits.connections_max;
            let room = room.saturating_sub(self.entries.len());
            let now = self.shared.now;
            let mut accepted = Vec::new();
            let result = self.listeners[index].accept(now, room, |stream| accepted.push(stream));
            for stream in accepted {
                self.open(Stream::Tcp(stream));
            }
            if let Err(e) = result {
                let trouble = ServerWarning::CannotAccept(e);
                self.shared.protocol.trouble(trouble, now);
            }
        }
    }

    /// Takes in whoever waits in a backlog that is about to be closed: the kernel has let these
    /// clients in, and would reset them now, the requests that they have sent and all.
    pub(super) fn accept_waiting(&mut self) {
        for listener in &mut self.listeners {
            listener.gate_mut().edge();
        }
        for _ in 0..ACCEPTS_AT_STOP_MAX {
            self.accept();
            let is_ready = |listener: &Listener| listener.gate().retry_at() <= self.shared.now;
            if !self.has_room() || !self.listeners.iter().any(is_ready) {
                return;
            }
        }
    }

    /// Makes an accepted stream a connection.
    fn open(&mut self, stream: Stream) {
        // A peer that is gone already shows itself at the first read.
        let _ = stream.set_nodelay();
        let (mut connection, pumped) = Connection::open(stream, &mut self.shared);
        let entry = self.entries.vacant_entry();
        let key = entry.key();
        let watched = Watched::Readable;
        let registered =
            connection
                .stream_mut()
                .register(self.poll.registry(), Token(key), watched.interest());
        entry.insert(Entry::Open {
            connection,
            watched,
        });
        match registered {
            Ok(()) => self.after(key, pumped),
            Err(e) => self.close(key, Closed::Failed(e)),
        }
    }

    /// Begins the dials that are due.
    pub(super) fn dial_due(&mut self) {
        let now = self.shared.now;
        for _ in 0..DIALS_PER_TURN_MAX {
            let Some(dialler) = &mut self.dialler else {
                return;
            };
            if self.phase != Phase::Running {
                return;
            }
            let timeout = self.shared.limits.connect_timeout;
            let Some(until) = dialler.take_due(now, timeout) else {
                return;
            };
            let entry = self.entries.vacant_entry();
            let key = entry.key();
            let registry = self.poll.registry();
            match dial(dialler.peer(), registry, Token(key)) {
                Ok(stream) => {
                    entry.insert(Entry::Dialling {
                        stream: Some(stream),
                        until,
                    });
                    self.sweep_by(until);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    if now < until {
                        dialler.backlog_full(now, until);
                    } else {
                        let timed_out = io::ErrorKind::TimedOut.into();
                        self.gone(None, Closed::NotConnected(timed_out));
                    }
                }
                Err(e) => self.gone(None, Closed::NotConnected(e)),
            }
        }
    }

    /// Something happened to a stream that is being dialled.
    pub(super) fn dialled(&mut self, key: usize, event: &Event) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let Entry::Dialling {
            stream: Some(stream),
            ..
        } = entry
        else {
            return;
        };
        match stream.dialled() {
            Ok(Dialled::Connected) => {}
            // Its end came before it was open, and the system no longer says why.
            Ok(Dialled::Pending) if event.is_error() || event.is_write_closed() => {
                let e = io::ErrorKind::NotConnected.into();
                return self.close(key, Closed::NotConnected(e));
            }
            Ok(Dialled::Pending) => {
                // Nothing was read or written, so Windows has not armed the next event.
                let (registry, wanted) = (self.poll.registry(), Interest::WRITABLE);
                if let Err(e) = stream.reregister(registry, Token(key), wanted) {
                    self.close(key, Closed::NotConnected(e));
                }
                return;
            }
            Err(e) => return self.close(key, Closed::NotConnected(e)),
        }
        // A peer that is gone already (macOS calls it an invalid argument) shows itself at the
        // first read.
        let _ = stream.set_nodelay();
        if let Some(dialler) = &mut self.dialler {
            dialler.arrived();
        }
        let Entry::Dialling { stream, until } = entry else {
            return;
        };
        let Some(stream) = stream.take() else {
            return;
        };
        let time_left = *until - self.shared.received_at();
        let took = self.shared.limits.connect_timeout.saturating_sub(time_left);
        self.shared.protocol.dialled(took);
        let (connection, pumped) = Connection::open(stream, &mut self.shared);
        // In the same place, since the kernel knows the stream by this key.
        *entry = Entry::Open {
            connection,
            watched: Watched::Writable,
        };
        self.after(key, pumped);
    }
}

/// A stream on its way to `peer`, registered.
fn dial(peer: &Peer, registry: &Registry, token: Token) -> io::Result<Stream> {
    let mut stream = Stream::dial(peer)?;
    registry.register(&mut stream, token, Interest::WRITABLE)?;
    Ok(stream)
}
