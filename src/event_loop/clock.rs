//! Monotonic time as the loop hands it to protocols: a plain number, so that tests can make one.

use std::ops::{Add, Sub};
use std::time::{Duration, Instant};

/// A point of monotonic time: nanoseconds since the loop's clock was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(u64);

impl Time {
    /// The moment the clock was started.
    pub const START: Time = Time(0);
    /// Later than any moment a loop can live to see (584 years).
    pub const NEVER: Time = Time(u64::MAX);

    /// The time `ns` nanoseconds after the start.
    pub const fn from_ns(ns: u64) -> Time {
        Time(ns)
    }

    /// Nanoseconds since the start.
    pub const fn as_ns(self) -> u64 {
        self.0
    }

    /// Nanoseconds from `earlier` to `self`; 0 if `earlier` is in fact later.
    pub const fn ns_since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    /// Saturates at [`Time::NEVER`].
    fn add(self, rhs: Duration) -> Time {
        Time(self.0.saturating_add(duration_ns(rhs)))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// Zero if `rhs` is later.
    fn sub(self, rhs: Time) -> Duration {
        Duration::from_nanos(self.ns_since(rhs))
    }
}

fn duration_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Where a loop reads the time: its clock, or a test's.
pub trait TimeSource {
    /// The present time; never before an earlier answer.
    fn now(&self) -> Time;
}

/// The loop's own clock. Never steps back and knows no calendar.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that reads [`Time::START`] now.
    pub fn start() -> Clock {
        Clock {
            origin: Instant::now(),
        }
    }
}

impl TimeSource for Clock {
    fn now(&self) -> Time {
        Time::START + self.origin.elapsed()
    }
}
