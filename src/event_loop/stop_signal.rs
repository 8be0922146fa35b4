//! A request to stop a loop from outside: by a signal of the system or by another thread.

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
use unix::SystemSignals;
#[cfg(windows)]
use windows::SystemSignals;

/// A request to stop, state between whoever makes it and the loop that obeys.
///
/// Raised once, a loop stops in good order; raised again, it stops at once. A signal that was
/// raised before its loop started is obeyed at the loop's first turn.
#[derive(Clone, Debug, Default)]
pub struct StopSignal {
    state: Arc<SignalState>,
}

#[derive(Debug, Default)]
struct SignalState {
    raised: AtomicU32,
    system: SystemSignals,
    /// Wakes the running loop, if there is one.
    waker: Mutex<Option<Waker>>,
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

    /// Asks the loop to stop. Safe from any thread.
    pub fn raise(&self) {
        self.state.raised.fetch_add(1, Ordering::SeqCst);
        if let Some(waker) = self.lock_waker().as_ref() {
            // A loop that cannot be woken sees the count when it next looks; nothing else to do.
            let _ = waker.wake();
        }
    }

    /// Number of times it was raised. May cost a system call.
    pub fn times_raised(&self) -> u32 {
        let caught = self.state.system.take_caught();
        self.state.raised.fetch_add(caught, Ordering::SeqCst) + caught
    }

    /// From now on a raise is an event in the poll of `registry`.
    ///
    /// # Errors
    /// The system has no more descriptors.
    pub(super) fn attach(&self, registry: &Registry) -> io::Result<()> {
        let waker = Waker::new(registry, Token(STOP_TOKEN))?;
        // It may have been raised before.
        waker.wake()?;
        *self.lock_waker() = Some(waker);
        self.state.system.attach(registry)
    }

    /// The loop is over; there is nothing to wake.
    pub(super) fn detach(&self) {
        *self.lock_waker() = None;
        self.state.system.detach();
    }

    fn lock_waker(&self) -> MutexGuard<'_, Option<Waker>> {
        let waker = self.state.waker.lock();
        waker.unwrap_or_else(PoisonError::into_inner)
    }
}
