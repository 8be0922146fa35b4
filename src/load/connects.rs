//! Connections of a run: how many were asked for, how many were open at once, and how long each
//! took to open.

use std::time::Duration;

use super::statistics::distribution::Distribution;
use crate::event_loop::Time;

/// Counts of connections as they open and close.
#[derive(Clone, Debug)]
pub(crate) struct Connects {
    /// Connections that the run is to keep open.
    pub(crate) asked: usize,
    /// Connections that opened, reconnects included.
    pub(crate) opened: u64,
    /// From the dial to the open connection.
    pub(crate) latencies: Distribution,
    open: usize,
    /// The most that were open at once.
    pub(crate) peak: usize,
    /// When that many were open for the first time.
    pub(crate) peak_at: Time,
}

impl Connects {
    /// None is open yet.
    pub(crate) fn asked(asked: usize) -> Connects {
        Connects {
            asked,
            opened: 0,
            latencies: Distribution::default(),
            open: 0,
            peak: 0,
            peak_at: Time::START,
        }
    }

    /// A dial took this long until its connection opened.
    pub(crate) fn dialled(&mut self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.latencies.record(ns, 1);
    }

    /// One more is open.
    pub(crate) fn opened(&mut self, now: Time) {
        self.opened += 1;
        self.open += 1;
        if self.open > self.peak {
            self.peak = self.open;
            self.peak_at = now;
        }
        self.invariants();
    }

    /// One that was open is gone.
    pub(crate) fn closed(&mut self) {
        self.open -= 1;
        self.invariants();
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Connections beyond the first on each slot.
    pub(crate) fn reconnects(&self) -> u64 {
        self.opened - self.peak as u64
    }

    fn invariants(&self) {
        let Connects {
            asked,
            opened,
            open,
            peak,
            ..
        } = *self;
        debug_assert!(open <= peak && peak <= asked, "{open} {peak} {asked}");
        debug_assert!(peak as u64 <= opened, "{peak} {opened}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_that_of_connections_open_at_once() {
        let mut connects = Connects::asked(3);
        let at = Time::from_ns;
        connects.opened(at(1));
        connects.closed();
        connects.opened(at(2));
        assert_eq!((connects.peak, connects.peak_at), (1, at(1)));
        connects.opened(at(5));
        connects.closed();
        connects.opened(at(9));
        assert_eq!((connects.peak, connects.peak_at), (2, at(5)));
        assert_eq!((connects.opened, connects.reconnects()), (4, 2));
    }
}
