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
    /// Sum of the times at which connections opened, less those at which the wait for them began
    /// (the start, or the end of the one before). Both may be noted out of order within a turn.
    opened_less_awaited_ns: i128,
    /// The most that were open at once.
    pub(crate) peak: usize,
    /// Time at which that many were open for the first time.
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
            opened_less_awaited_ns: 0,
            peak: 0,
            peak_at: Time::START,
        }
    }

    /// A dial took this long until its connection opened.
    pub(crate) fn dialled(&mut self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.latencies.record(ns, 1);
    }

    /// The run starts; connections may be open from its warm-up.
    pub(crate) fn started(&mut self, now: Time) {
        *self = Connects {
            opened: self.open as u64,
            open: self.open,
            peak: self.open,
            peak_at: now,
            latencies: std::mem::take(&mut self.latencies),
            opened_less_awaited_ns: -sum_ns(self.asked - self.open, now),
            ..Connects::asked(self.asked)
        };
    }

    /// One more is open.
    pub(crate) fn opened(&mut self, now: Time) {
        self.opened_less_awaited_ns += sum_ns(1, now);
        self.opened += 1;
        self.open += 1;
        if self.open > self.peak {
            self.peak = self.open;
            self.peak_at = now;
        }
        self.invariants();
    }

    /// One that was open is gone.
    pub(crate) fn closed(&mut self, now: Time) {
        self.opened_less_awaited_ns -= sum_ns(1, now);
        self.open -= 1;
        self.invariants();
    }

    /// The time up to `end` that connections were not open, all of them together.
    pub(crate) fn unopened(&self, end: Time) -> Duration {
        let ns = self.opened_less_awaited_ns + sum_ns(self.asked - self.open, end);
        Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Connections beyond the first on each slot.
    pub(crate) fn reconnects(&self) -> u64 {
        self.opened - self.peak as u64
    }

    /// Adds the connections of another worker. The peak is the sum of both, which differs from the
    /// true one only where connections ended before others opened.
    pub(crate) fn add(&mut self, mut other: Connects) {
        self.opened_less_awaited_ns += other.opened_less_awaited_ns;
        self.asked += other.asked;
        self.opened += other.opened;
        self.latencies.add(&other.latencies.take_packed());
        self.open += other.open;
        self.peak += other.peak;
        self.peak_at = self.peak_at.max(other.peak_at);
        self.invariants();
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

/// Records this many times at `at`.
fn sum_ns(times: usize, at: Time) -> i128 {
    times as i128 * i128::from(at.as_ns())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_that_of_connections_open_at_once() {
        let mut connects = Connects::asked(3);
        let at = Time::from_ns;
        connects.opened(at(1));
        connects.closed(at(1));
        connects.opened(at(2));
        assert_eq!((connects.peak, connects.peak_at), (1, at(1)));
        connects.opened(at(5));
        connects.closed(at(6));
        connects.opened(at(9));
        assert_eq!((connects.peak, connects.peak_at), (2, at(5)));
        assert_eq!((connects.opened, connects.reconnects()), (4, 2));
    }

    #[test]
    fn the_time_before_between_and_after_connections_is_counted() {
        let mut connects = Connects::asked(2);
        let at = Time::from_ns;
        connects.started(at(100));
        connects.opened(at(110));
        connects.opened(at(130));
        // A turn may note the later end first.
        connects.closed(at(160));
        connects.closed(at(150));
        connects.opened(at(155));
        // 2 x 10 and 20 at the start, 5 between, 10 at the end.
        assert_eq!(connects.unopened(at(170)), Duration::from_nanos(55));
    }

    #[test]
    fn the_waits_of_workers_are_added() {
        let at = Time::from_ns;
        let waited = |opened_ns| {
            let mut connects = Connects::asked(2);
            connects.started(at(100));
            connects.opened(at(opened_ns));
            connects.dialled(Duration::from_nanos(opened_ns));
            connects
        };
        let mut all = waited(110);
        all.add(waited(130));
        // 10 and 30 until the first of each opened, 2 x 100 for the others.
        assert_eq!(all.unopened(at(200)), Duration::from_nanos(240));
        assert_eq!((all.asked, all.open(), all.peak_at), (4, 2, at(130)));
        assert_eq!(all.latencies.total(), 2);
    }
}
