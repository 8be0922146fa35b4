//! Time as the loop passes it to protocols: a plain number, so that tests can make one.

use std::cell::Cell;
use std::ops::{Add, Sub};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

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

/// The clocks of a loop: monotonic time, and the time of day.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clocks; monotonic time counts from `origin`.
    System {
        /// The moment that is [`Time::START`].
        origin: Instant,
    },
    /// Clocks that are set by hand, for simulations.
    Manual(Rc<ManualClock>),
}

/// Clocks that stand still until they are set.
#[derive(Debug)]
pub struct ManualClock {
    /// Monotonic time; must not be set back.
    pub now: Cell<Time>,
    /// The time of day.
    pub wall: Cell<SystemTime>,
}

impl Clock {
    /// The system's clocks; monotonic time is [`Time::START`] now.
    pub fn start() -> Clock {
        Clock::System {
            origin: Instant::now(),
        }
    }

    /// Clocks at [`Time::START`] and at the beginning of 1970, and a handle to set them.
    pub fn manual() -> (Clock, Rc<ManualClock>) {
        let manual = Rc::new(ManualClock {
            now: Cell::new(Time::START),
            wall: Cell::new(SystemTime::UNIX_EPOCH),
        });
        (Clock::Manual(Rc::clone(&manual)), manual)
    }

    /// Monotonic time. Never steps back.
    #[inline]
    pub fn now(&self) -> Time {
        match self {
            Clock::System { origin } => Time::START + origin.elapsed(),
            Clock::Manual(manual) => manual.now.get(),
        }
    }

    /// The monotonic time of a `stamp` of the time of day in the near past; now, if it is in the
    /// future. Wrong if the time of day was set in between.
    pub(super) fn time_of(&self, stamp: SystemTime) -> Time {
        // In this order: a delay between the two reads makes the result later, never earlier.
        let age = self.wall().duration_since(stamp).unwrap_or_default();
        Time(self.now().0.saturating_sub(duration_ns(age)))
    }

    /// The time of day. May step either way.
    pub fn wall(&self) -> SystemTime {
        match self {
            Clock::System { .. } => SystemTime::now(),
            Clock::Manual(manual) => manual.wall.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_of_the_time_of_day_is_as_old_in_monotonic_time() {
        let (clock, hands) = Clock::manual();
        let at = |ms| SystemTime::UNIX_EPOCH + Duration::from_millis(ms);
        hands.now.set(Time::from_ns(70_000_000));
        hands.wall.set(at(1_000));
        assert_eq!(clock.time_of(at(1_000)), Time::from_ns(70_000_000));
        assert_eq!(clock.time_of(at(950)), Time::from_ns(20_000_000));
        assert_eq!(clock.time_of(at(2_000)), Time::from_ns(70_000_000));
        assert_eq!(clock.time_of(at(0)), Time::START);
    }
}
