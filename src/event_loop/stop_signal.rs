//! A request to stop loops from outside: by a signal of the system or by another thread.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::{Registry, Token, Waker};

use super::kernel::STOP_TOKEN;
#[cfg(unix)]
use unix::{SystemSignals, Watched};
#[cfg(windows)]
use windows::{SystemSignals, Watched};

/// A request to stop, shared by its sender and the loops that obey it.
///
/// Raised once, a loop stops in good order; raised again, it stops at once. A signal that was
/// raised before a loop started is obeyed at the loop's first turn.
#[derive(Clone, Debug, Default)]
pub struct StopSignal {
    state: Arc<SignalState>,
}

#[derive(Debug, Default)]
struct SignalState {
    raised: AtomicU32,
    system: SystemSignals,
    /// Wake the running loops.
    wakers: Mutex<Vec<Arc<Waker>>>,
}

/// A running loop's connection to the signal. Dropped when the loop is over.
#[derive(Debug)]
pub(super) struct Attached {
    signal: StopSignal,
    waker: Arc<Waker>,
    _watched: Watched,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.signal
            .wakers()
            .retain(|waker| !Arc::ptr_eq(waker, &self.waker));
    }
}

/// Signals of the system that stop a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignals {
    /// Ctrl-C and SIGTERM.
    Interrupts,
    /// These and the terminal's hang-up, for a job that must clean up. Not for a server: it would
    /// defeat `nohup`.
    InterruptsAndHangUp,
}

impl StopSignal {
    /// A signal that was not raised yet.
    pub fn new() -> StopSignal {
        StopSignal::default()
    }

    /// Catches the system's signals from now on; each raises this one.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn obey_system(&self, obeyed: StopSignals) -> io::Result<()> {
        self.state.system.catch(obeyed, self)
    }

    /// Asks the loops to stop. Safe from any thread.
    pub fn raise(&self) {
        self.add(1);
    }

    /// Number of times it was raised. May cost a system call.
    pub fn times_raised(&self) -> u32 {
        match self.state.system.take_caught() {
            0 => self.state.raised.load(Ordering::SeqCst),
            caught => self.add(caught),
        }
    }

    /// Counts, and then wakes all loops: one of them takes what the system reports to all.
    fn add(&self, times: u32) -> u32 {
        let before = self.state.raised.fetch_add(times, Ordering::SeqCst);
        for waker in self.wakers().iter() {
            // A loop that cannot be woken sees the count when it next looks; nothing else to do.
            let _ = waker.wake();
        }
        before + times
    }

    /// From now on a raise is an event in the poll of `registry`.
    ///
    /// # Errors
    /// The system has no more descriptors.
    pub(super) fn attach(&self, registry: &Registry) -> io::Result<Attached> {
        let waker = Arc::new(Waker::new(registry, Token(STOP_TOKEN))?);
        // It may have been raised before.
        waker.wake()?;
        let attached = Attached {
            signal: self.clone(),
            waker: Arc::clone(&waker),
            _watched: self.state.system.watch(registry)?,
        };
        self.wakers().push(waker);
        Ok(attached)
    }

    fn wakers(&self) -> MutexGuard<'_, Vec<Arc<Waker>>> {
        let wakers = self.state.wakers.lock();
        wakers.unwrap_or_else(PoisonError::into_inner)
    }
}
