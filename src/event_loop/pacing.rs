//! The wait in each turn of the loop, which ends in time for requests that are due.
//!
//! epoll waits for whole milliseconds, rounded up, and the kernel wakes a sleeping thread about
//! 50 µs late. So the loop sleeps until shortly before the due time and then polls without waiting.
//! Above about 200 requests per second this takes a whole core. It happens in an open loop only. If
//! the server has to run on the same core, the loop yields between polls
//! ([`MioKernel::set_yielding`]).
//!
//! [`MioKernel::set_yielding`]: super::MioKernel::set_yielding

use std::io;
use std::time::Duration;

use super::{Entry, EventLoop, Kernel, Protocol, Time, Wait};

/// The loop does not sleep through this long before a request is due: one millisecond of rounding,
/// and a wake that waits for the time slice of another thread on the core, 3 ms on Linux.
pub(super) const POLLED: Duration = Duration::from_millis(5);

impl<P: Protocol, K: Kernel> EventLoop<P, K> {
    /// Waits for events, or until something is due, and reads the clock.
    pub(super) fn wait(&mut self, events: &mut K::Events) -> io::Result<()> {
        let timeout = self.wait_timeout();
        let began = P::TIMES_WAITS.then(|| self.shared.clock.now());
        self.kernel.wait(events, timeout)?;
        let ended = self.shared.clock.now();
        self.shared.now = ended;
        if let Some(began) = began {
            let due = timeout.map_or(Time::NEVER, |timeout| began + timeout);
            self.shared.protocol.waited(Wait { began, due, ended });
        }
        Ok(())
    }

    /// Time limit for the wait of a turn; `None` if only events matter.
    pub(super) fn wait_timeout(&self) -> Option<Duration> {
        let due = self.due_at();
        let timeout = (due != Time::NEVER).then(|| due - self.shared.now);
        match self.shared.protocol.send_at() {
            Time::NEVER => timeout,
            send_at => {
                let sleep = (send_at - self.shared.clock.now()).saturating_sub(POLLED);
                Some(timeout.map_or(sleep, |timeout| timeout.min(sleep)))
            }
        }
    }

    /// Lets open connections send what is due, each once and in turn.
    #[inline]
    pub(super) fn send_due(&mut self) {
        if self.shared.protocol.send_at() != Time::NEVER {
            self.send_in_turn();
        }
    }

    fn send_in_turn(&mut self) {
        let now = self.shared.clock.now();
        for _ in 0..self.shared.limits.connections_max {
            if self.shared.protocol.send_at() > now {
                return;
            }
            let key = self.next_to_send;
            self.next_to_send = (key + 1) % self.shared.limits.connections_max;
            if let Some(Entry::Open { connection, .. }) = self.entries.get_mut(key) {
                let pumped = connection.send_due(&mut self.shared);
                self.after(key, pumped);
            }
        }
    }
}
