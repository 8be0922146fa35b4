//! The time at which the deadlines of the connections are checked next. Deadlines are coarse, and
//! all are checked together when the earliest is due. There is no timer per connection, and an idle
//! loop sleeps.

use std::time::Duration;

use super::Time;

/// Deadlines are looked at no more often than this.
pub const TICK: Duration = Duration::from_millis(50);

/// The time of the next look at all deadlines, and of the last one.
#[derive(Debug)]
pub struct Deadlines {
    looked_at: Time,
    next_at: Time,
}

impl Deadlines {
    /// No deadline is known yet.
    pub fn new() -> Deadlines {
        Deadlines {
            looked_at: Time::START,
            next_at: Time::NEVER,
        }
    }

    /// Makes the next look early enough for `deadline`. A deadline that has moved back meanwhile
    /// costs a look in vain.
    #[inline]
    pub fn note(&mut self, deadline: Time) {
        self.next_at = self.next_at.min(deadline.max(self.looked_at + TICK));
    }

    /// Time of the next look.
    pub fn next_at(&self) -> Time {
        self.next_at
    }

    /// The keys in `deadlines` that are overdue, if it is time to look.
    pub fn overdue(
        &mut self,
        now: Time,
        deadlines: impl Iterator<Item = (usize, Time)>,
    ) -> Vec<usize> {
        let mut overdue = Vec::new();
        if now < self.next_at {
            return overdue;
        }
        let mut earliest = Time::NEVER;
        for (key, deadline) in deadlines {
            if deadline <= now {
                overdue.push(key);
            } else {
                earliest = earliest.min(deadline);
            }
        }
        self.looked_at = now;
        self.next_at = earliest.max(now + TICK);
        overdue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Time {
        Time::START + Duration::from_millis(ms)
    }

    fn look(deadlines: &mut Deadlines, at: u64, all: &[u64]) -> Vec<usize> {
        let all = all.iter().map(|&deadline| ms(deadline)).enumerate();
        deadlines.overdue(ms(at), all)
    }

    #[test]
    fn all_deadlines_that_have_passed_are_found_and_the_earliest_of_the_rest_is_next() {
        let mut deadlines = Deadlines::new();
        assert_eq!(deadlines.next_at(), Time::NEVER);
        for deadline in [900, 300, 700] {
            deadlines.note(ms(deadline));
        }
        assert_eq!(deadlines.next_at(), ms(300));
        assert!(look(&mut deadlines, 299, &[0]).is_empty(), "not yet");
        assert_eq!(look(&mut deadlines, 700, &[900, 300, 700]), [1, 2]);
        assert_eq!(deadlines.next_at(), ms(900));
        assert!(look(&mut deadlines, 900, &[]).is_empty());
        assert_eq!(deadlines.next_at(), Time::NEVER);
    }

    #[test]
    fn two_looks_are_at_least_a_tick_apart() {
        let mut deadlines = Deadlines::new();
        deadlines.note(ms(100));
        look(&mut deadlines, 100, &[101]);
        assert_eq!(deadlines.next_at(), ms(150));
        look(&mut deadlines, 150, &[1000]);
        deadlines.note(ms(151));
        assert_eq!(deadlines.next_at(), ms(200));
    }
}
