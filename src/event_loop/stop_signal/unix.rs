//! Unix signals, as bytes in a socket pair that a poll can watch.
//!
//! There is no thread that waits for signals: a process with a second thread pays for locking in
//! every system call that takes a descriptor.

use std::io::{self, Read};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use super::{StopSignal, StopSignals};
use crate::event_loop::kernel::STOP_TOKEN;

/// The system's signals that are caught, if any are.
#[derive(Debug, Default)]
pub struct SystemSignals {
    /// A byte arrives here for each signal.
    caught: Mutex<Option<StdUnixStream>>,
}

/// The socket of [`SystemSignals`] as the poll of a running loop knows it.
pub type Watched = Option<UnixStream>;

impl SystemSignals {
    /// Catches signals from now on.
    pub fn catch(&self, obeyed: StopSignals, _signal: &StopSignal) -> io::Result<()> {
        let (caught, sender) = StdUnixStream::pair()?;
        caught.set_nonblocking(true)?;
        let signals: &[i32] = match obeyed {
            StopSignals::Interrupts => &[SIGINT, SIGTERM],
            StopSignals::InterruptsAndHangUp => &[SIGINT, SIGTERM, SIGHUP],
        };
        for &signal in signals {
            pipe::register(signal, sender.try_clone()?)?;
        }
        *self.lock() = Some(caught);
        Ok(())
    }

    /// Returns the number of signals caught since the last call.
    pub fn take_caught(&self) -> u32 {
        let caught = self.lock();
        let Some(mut socket) = caught.as_ref() else {
            return 0;
        };
        let mut bytes = [0; 64];
        match socket.read(&mut bytes) {
            Ok(count) => u32::try_from(count).unwrap_or(u32::MAX),
            Err(_) => 0,
        }
    }

    /// From now on a signal is an event in the poll of `registry`, until the result is dropped.
    pub fn watch(&self, registry: &Registry) -> io::Result<Watched> {
        let Some(caught) = &*self.lock() else {
            return Ok(None);
        };
        let mut watched = UnixStream::from_std(caught.try_clone()?);
        registry.register(&mut watched, Token(STOP_TOKEN), Interest::READABLE)?;
        Ok(Some(watched))
    }

    fn lock(&self) -> MutexGuard<'_, Option<StdUnixStream>> {
        self.caught.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
