//! The real kernel, through mio: epoll, kqueue or Windows' completion ports.

use std::io;
use std::thread;
use std::time::Duration;

use mio::event::Source;
use mio::{Events, Poll, Token};

use super::acceptor::Acceptor;
use super::kernel::{Dialled, Event, Interest, Kernel, ShortRead};
use super::stop_signal::Attached;
use super::stream::Stream;
use super::tls::TlsClient;
use super::{Address, StopSignal};

/// Events fetched at once. Windows clears a slot for each of them at each turn.
const EVENTS_PER_TURN_MAX: usize = if cfg!(windows) { 256 } else { 1024 };

/// A `mio::Poll`, and the stop signal that wakes it.
#[derive(Debug)]
pub struct MioKernel {
    poll: Poll,
    _signal: Attached,
    /// TLS of dialled connections; `None` without.
    tls: Option<TlsClient>,
    /// Dialled connections have receive stamps.
    stamps: bool,
    /// A wait that is to return at once first lets other threads run.
    yields: bool,
}

impl MioKernel {
    /// A kernel whose waits end when `signal` is raised.
    ///
    /// # Errors
    /// The system gives no poll instance or no waker.
    pub fn new(signal: &StopSignal) -> io::Result<MioKernel> {
        let poll = Poll::new()?;
        let signal = signal.attach(poll.registry())?;
        Ok(MioKernel {
            poll,
            _signal: signal,
            tls: None,
            stamps: false,
            yields: false,
        })
    }

    /// Dials with TLS from now on, or without.
    pub fn set_tls(&mut self, tls: Option<TlsClient>) {
        self.tls = tls;
    }

    /// Dials with receive stamps from now on, or without.
    pub(super) fn set_stamps(&mut self, stamps: bool) {
        self.stamps = stamps;
    }

    /// Lets other threads run before each wait that is to return at once, or not. A loop that polls
    /// would take their core from them for a scheduler's whole time slice.
    pub fn set_yielding(&mut self, yields: bool) {
        self.yields = yields;
    }

    /// Accepts connections from `acceptor`.
    ///
    /// # Errors
    /// No memory is left.
    pub(super) fn watch(&self, acceptor: &mut Acceptor, token: usize) -> io::Result<()> {
        acceptor.register(self.poll.registry(), Token(token), mio::Interest::READABLE)
    }
}

impl Kernel for MioKernel {
    type Stream = Stream;
    type Listener = Acceptor;
    type Events = Events;

    #[inline]
    fn short_read(&self) -> ShortRead {
        match cfg!(windows) {
            true => ShortRead::NotArmed,
            false => ShortRead::Drained,
        }
    }

    fn new_events(&self) -> Events {
        Events::with_capacity(EVENTS_PER_TURN_MAX)
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        if self.yields && timeout == Some(Duration::ZERO) {
            thread::yield_now();
        }
        match self.poll.poll(events, timeout) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(()),
            result => result,
        }
    }

    #[inline]
    fn events(events: &Events) -> impl Iterator<Item = Event> {
        events.iter().map(|event| Event {
            token: event.token().0,
            read_closed: event.is_read_closed() || event.is_error(),
            write_closed: event.is_write_closed() || event.is_error(),
        })
    }

    fn listen(&mut self, address: &Address, token: usize) -> io::Result<(Acceptor, Address)> {
        let mut acceptor = Acceptor::bind(address)?;
        self.watch(&mut acceptor, token)?;
        let address = acceptor.local_address()?;
        Ok((acceptor, address))
    }

    fn close_listener(&mut self, mut acceptor: Acceptor) {
        // The descriptor is closed next, which ends the registration even if this fails.
        let _ = acceptor.deregister(self.poll.registry());
    }

    fn accept(&mut self, acceptor: &mut Acceptor) -> io::Result<Stream> {
        acceptor.accept()
    }

    fn dial(&mut self, peer: &Address, token: usize) -> io::Result<Stream> {
        let mut stream = Stream::dial(peer)?;
        if self.stamps {
            stream = stream.stamped()?;
        }
        if let Some(tls) = &self.tls {
            stream = Stream::Tls(Box::new(tls.wrap(stream)?));
        }
        self.register(&mut stream, token, Interest::Writable)?;
        Ok(stream)
    }

    fn dialled(&mut self, stream: &mut Stream) -> io::Result<Dialled> {
        stream.dialled()
    }

    fn register(
        &mut self,
        stream: &mut Stream,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        stream.register(self.poll.registry(), Token(token), interests(interest))
    }

    fn reregister(
        &mut self,
        stream: &mut Stream,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        stream.reregister(self.poll.registry(), Token(token), interests(interest))
    }

    fn deregister(&mut self, stream: &mut Stream) {
        // The descriptor is closed next, which ends the registration even if this fails.
        let _ = stream.deregister(self.poll.registry());
    }
}

fn interests(interest: Interest) -> mio::Interest {
    match interest {
        Interest::Readable => mio::Interest::READABLE,
        Interest::Writable => mio::Interest::WRITABLE,
        Interest::Both => mio::Interest::READABLE.add(mio::Interest::WRITABLE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nagles_algorithm_is_off_on_accepted_and_on_dialled_connections() {
        assert_no_delay(false);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn nagles_algorithm_is_off_on_stamped_connections() {
        assert_no_delay(true);
    }

    fn assert_no_delay(stamps: bool) {
        let mut kernel = MioKernel::new(&StopSignal::new()).expect("a poll");
        let (mut listener, address) = kernel
            .listen(&Address::Tcp(([127, 0, 0, 1], 0).into()), 7)
            .expect("a free port");
        kernel.set_stamps(stamps);
        let mut dialled = kernel.dial(&address, 0).expect("a socket");
        while !matches!(kernel.dialled(&mut dialled), Ok(Dialled::Connected)) {}
        let accepted = kernel.accept(&mut listener).expect("it is connected");
        for stream in [dialled, accepted] {
            let is_off = match &stream {
                Stream::Tcp(stream) => stream.nodelay(),
                #[cfg(unix)]
                Stream::Unix(_) => panic!("{stream:?}"),
                #[cfg(target_os = "linux")]
                Stream::Stamped(stream) => stream.socket().nodelay(),
                Stream::Tls(_) => panic!("{stream:?}"),
            };
            assert!(is_off.expect("an option"));
        }
    }
}
