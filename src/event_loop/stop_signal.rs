//! How a loop is told to stop from outside: by a signal handler, by Ctrl-C, by a test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mio::Waker;

/// A request to stop, shared between whoever makes it and the loop that obeys.
///
/// Raised once, a loop stops in good order; raised again, it stops at once. A signal that was
/// raised before its loop started is obeyed at the loop's first turn.
#[derive(Clone, Debug, Default)]
pub struct StopSignal {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    raised: AtomicU32,
    waker: Mutex<Option<Waker>>,
}

impl StopSignal {
    /// A signal that nobody has raised.
    pub fn new() -> StopSignal {
        StopSignal::default()
    }

    /// Asks the loop to stop. Safe from any thread.
    pub fn raise(&self) {
        self.shared.raised.fetch_add(1, Ordering::SeqCst);
        let waker = self.lock_waker();
        if let Some(waker) = waker.as_ref() {
            // A loop that cannot be woken sees the count at its next turn; nothing else to do.
            let _ = waker.wake();
        }
    }

    /// How often it was raised.
    pub fn times_raised(&self) -> u32 {
        self.shared.raised.load(Ordering::SeqCst)
    }

    /// From now on `waker` wakes the loop that obeys this signal.
    pub(super) fn attach(&self, waker: Waker) {
        *self.lock_waker() = Some(waker);
    }

    /// The loop is over; there is nothing to wake.
    pub(super) fn detach(&self) {
        *self.lock_waker() = None;
    }

    fn lock_waker(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.shared
            .waker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
