//! Deadlines: coarse, and looked at together when the earliest is due. An idle loop sleeps.

use std::io;

use super::{Closed, Entry, EventLoop, Protocol, TICK, Time};

impl<P: Protocol> EventLoop<P> {
    /// Makes the next sweep early enough for `deadline`.
    pub(super) fn sweep_by(&mut self, deadline: Time) {
        self.sweep_at = self.sweep_at.min(deadline.max(self.swept_at + TICK));
    }

    /// Looks after everything that is overdue, when the earliest deadline has passed.
    pub(super) fn sweep(&mut self) {
        let now = self.shared.now;
        if now < self.sweep_at {
            return;
        }
        let mut overdue = std::mem::take(&mut self.overdue);
        let mut earliest = Time::NEVER;
        for (key, entry) in &self.entries {
            let deadline = match entry {
                Entry::Dialling { until, .. } => *until,
                Entry::Open { connection, .. } => connection.deadline(&self.shared),
            };
            if deadline <= now {
                overdue.push(key);
            } else {
                earliest = earliest.min(deadline);
            }
        }
        self.swept_at = now;
        self.sweep_at = earliest.max(now + TICK);
        for key in overdue.drain(..) {
            match self.entries.get_mut(key) {
                Some(Entry::Open { connection, .. }) => {
                    let pumped = connection.overdue(&mut self.shared);
                    self.after(key, pumped);
                }
                Some(Entry::Dialling { .. }) => {
                    let error = io::ErrorKind::TimedOut.into();
                    self.close(key, Closed::NotConnected(error));
                }
                None => {}
            }
        }
        self.overdue = overdue;
    }
}
