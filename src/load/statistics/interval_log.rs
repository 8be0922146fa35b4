//! The course of a run: a packed distribution for each tenth of a second. Percentiles
//! with intervals, self-tests, heat map and `.hlog` are all made from it.
//!
//! Memory is bounded: when there are [`INTERVALS_MAX`] intervals, neighbours are joined and an
//! interval becomes twice as long. A reply belongs to the interval in which it was read.

use std::time::Duration;

use super::distribution::{Distribution, Packed};
use crate::event_loop::Time;

/// Length of an interval at first.
pub const INTERVAL: Duration = Duration::from_millis(100);
/// More intervals are never kept: 6.8 minutes at full resolution.
pub const INTERVALS_MAX: usize = 4096;

/// One interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Its start.
    pub began: Time,
    /// Its length in nanoseconds; the last one of a run may be half to one and a half times as long
    /// as the others.
    pub length_ns: u64,
    /// Requests queued for sending, nearly always sent at once.
    pub sent: u64,
    /// Latencies of replies.
    pub answered: Packed,
    /// Ages of requests that were watched no longer while they waited.
    pub censored: Packed,
    /// Ages of requests that were lost with their connection and never have a reply.
    pub lost: Packed,
}

impl Interval {
    /// Replies per second.
    pub fn rate(&self) -> f64 {
        self.answered.total() as f64 * 1e9 / self.length_ns.max(1) as f64
    }
}

/// The intervals of a run, the one under way among them.
#[derive(Clone, Debug)]
pub struct IntervalLog {
    closed: Vec<Interval>,
    began: Time,
    /// End of the open interval.
    due: Time,
    length: Duration,
    sent: u64,
    answered: Distribution,
    censored: Distribution,
    lost: Distribution,
}

impl IntervalLog {
    /// A log without any record; the first interval begins at `now`.
    pub fn starting(now: Time) -> IntervalLog {
        IntervalLog {
            closed: Vec::new(),
            began: now,
            due: now + INTERVAL,
            length: INTERVAL,
            sent: 0,
            answered: Distribution::default(),
            censored: Distribution::default(),
            lost: Distribution::default(),
        }
    }

    /// Records that at `now` this many replies were read that took `ns` each.
    #[inline]
    pub fn record(&mut self, now: Time, ns: u64, replies: u64) {
        if now >= self.due {
            self.turn(now);
        }
        self.answered.record(ns, replies);
    }

    /// Records that this many requests are queued for sending.
    #[inline]
    pub fn record_sent(&mut self, requests: u64) {
        self.sent += requests;
    }

    /// Records that at `now` this many requests of age `age_ns` were waiting and are watched no
    /// longer.
    pub fn record_censored(&mut self, now: Time, age_ns: u64, requests: u64) {
        self.turn(now);
        self.censored.record(age_ns, requests);
    }

    /// Records that at `now` this many requests of age `age_ns` were lost with their connection.
    pub fn record_lost(&mut self, now: Time, age_ns: u64, requests: u64) {
        self.turn(now);
        self.lost.record(age_ns, requests);
    }

    /// Closes every interval that is full at `now`.
    pub fn turn(&mut self, now: Time) {
        while now >= self.due {
            self.close(self.due);
        }
    }

    /// Closes the open interval as it is. One that is shorter than half of the others becomes a part
    /// of the one before it: a rate in it would be noise.
    pub fn finish(&mut self, now: Time) {
        self.turn(now);
        let rest_ns = now.ns_since(self.began);
        let is_short = u128::from(rest_ns) * 2 < self.length.as_nanos();
        match self.closed.last_mut() {
            Some(last) if is_short => {
                self.answered.add(&last.answered);
                self.censored.add(&last.censored);
                self.lost.add(&last.lost);
                last.length_ns += rest_ns;
                last.sent += std::mem::take(&mut self.sent);
                last.answered = self.answered.take_packed();
                last.censored = self.censored.take_packed();
                last.lost = self.lost.take_packed();
            }
            _ if rest_ns > 0 => self.close(now),
            _ => {}
        }
    }

    /// Closed intervals, in order, without gaps.
    pub fn intervals(&self) -> &[Interval] {
        &self.closed
    }

    /// The same, when the log is needed no longer.
    pub fn into_intervals(self) -> Vec<Interval> {
        self.closed
    }

    /// Adds the intervals of another log that started at the same time; both are finished.
    pub fn add(&mut self, mut other: IntervalLog) {
        while self.length < other.length {
            self.halve();
        }
        while other.length < self.length {
            other.halve();
        }
        let others = std::mem::take(&mut other.closed);
        let mut others = others.into_iter();
        for (interval, other) in self.closed.iter_mut().zip(&mut others) {
            interval.length_ns = interval.length_ns.max(other.length_ns);
            interval.sent += other.sent;
            join(&mut interval.answered, &other.answered, &mut self.answered);
            join(&mut interval.censored, &other.censored, &mut self.censored);
            join(&mut interval.lost, &other.lost, &mut self.lost);
        }
        self.closed.extend(others);
        // The last interval of the shorter log may be longer than the others.
        for index in 1..self.closed.len() {
            let next = self.closed[index].began;
            let interval = &mut self.closed[index - 1];
            interval.length_ns = next.ns_since(interval.began);
        }
    }

    // Called at most ten times a second: kept out of the path of each reply.
    #[cold]
    fn close(&mut self, end: Time) {
        self.closed.push(Interval {
            began: self.began,
            length_ns: end.ns_since(self.began),
            sent: std::mem::take(&mut self.sent),
            answered: self.answered.take_packed(),
            censored: self.censored.take_packed(),
            lost: self.lost.take_packed(),
        });
        self.began = end;
        if self.closed.len() >= INTERVALS_MAX {
            self.halve();
        }
        self.due = end + self.length;
    }

    /// Joins neighbours. Called between intervals, when the dense distributions are empty.
    fn halve(&mut self) {
        let join = |pair: &[Interval], of: fn(&Interval) -> &Packed, dense: &mut Distribution| {
            pair.iter().for_each(|interval| dense.add(of(interval)));
            dense.take_packed()
        };
        let joined = self.closed.chunks(2).map(|pair| Interval {
            began: pair[0].began,
            length_ns: pair.iter().map(|interval| interval.length_ns).sum(),
            sent: pair.iter().map(|interval| interval.sent).sum(),
            answered: join(pair, |interval| &interval.answered, &mut self.answered),
            censored: join(pair, |interval| &interval.censored, &mut self.censored),
            lost: join(pair, |interval| &interval.lost, &mut self.lost),
        });
        self.closed = joined.collect();
        self.length *= 2;
    }
}

/// Adds `other` to `packed`, in an empty distribution that is left empty.
fn join(packed: &mut Packed, other: &Packed, empty: &mut Distribution) {
    empty.add(packed);
    empty.add(other);
    *packed = empty.take_packed();
}

/// The distribution of all replies of these intervals.
pub fn all_answered(intervals: &[Interval]) -> Distribution {
    sum(intervals, |interval| &interval.answered)
}

/// The distribution of the ages of all requests that these intervals lost.
pub fn all_lost(intervals: &[Interval]) -> Distribution {
    sum(intervals, |interval| &interval.lost)
}

/// The distribution of the ages of all requests that these intervals left waiting.
pub fn all_censored(intervals: &[Interval]) -> Distribution {
    sum(intervals, |interval| &interval.censored)
}

fn sum(intervals: &[Interval], of: fn(&Interval) -> &Packed) -> Distribution {
    let mut all = Distribution::default();
    intervals.iter().for_each(|interval| all.add(of(interval)));
    all
}

/// Cuts the intervals into `slices` runs of neighbours of nearly equal length (fewer if there are
/// fewer intervals).
pub fn slices(intervals: &[Interval], slices: usize) -> impl Iterator<Item = &[Interval]> {
    let slices = slices.min(intervals.len());
    let border = move |slice: usize| slice * intervals.len() / slices.max(1);
    (0..slices).map(move |slice| &intervals[border(slice)..border(slice + 1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: u64) -> Time {
        Time::from_ns(ms * 1_000_000)
    }

    fn totals(log: &IntervalLog) -> Vec<u64> {
        let intervals = log.intervals().iter();
        intervals
            .map(|interval| interval.answered.total())
            .collect()
    }

    #[test]
    fn a_reply_belongs_to_the_interval_in_which_it_was_read() {
        let mut log = IntervalLog::starting(at_ms(50));
        log.record(at_ms(50), 1, 1);
        log.record(at_ms(149), 1, 2);
        log.record(at_ms(150), 1, 4);
        log.record(at_ms(420), 1, 8);
        log.finish(at_ms(425));
        assert_eq!(totals(&log), [3, 4, 0, 8]);
        let lengths: Vec<_> = log
            .intervals()
            .iter()
            .map(|i| i.length_ns / 1_000_000)
            .collect();
        assert_eq!(lengths, [100, 100, 100, 75]);
        assert_eq!(log.intervals()[0].rate(), 30.0);
    }

    #[test]
    fn what_came_at_the_very_end_is_not_lost() {
        let mut log = IntervalLog::starting(at_ms(0));
        log.record_sent(4);
        log.record(at_ms(10), 7, 1);
        log.record(at_ms(100), 9, 1);
        log.record_sent(1);
        log.record_censored(at_ms(100), 5, 3);
        log.finish(at_ms(100));
        assert_eq!(totals(&log), [2]);
        assert_eq!(log.intervals()[0].sent, 5);
        assert_eq!(all_answered(log.intervals()).max_ns(), 9);
        assert_eq!(all_censored(log.intervals()).total(), 3);
    }

    #[test]
    fn a_very_short_last_interval_is_a_part_of_the_one_before() {
        let lengths = |end_us: u64| {
            let mut log = IntervalLog::starting(at_ms(0));
            log.record(at_ms(10), 1, 1);
            let end = Time::from_ns(end_us * 1_000);
            log.record_sent(2);
            log.record(end, 1, 1);
            log.record_lost(end, 1, 1);
            log.record_censored(end, 1, 1);
            log.finish(end);
            let intervals = log.intervals();
            let unanswered = all_lost(intervals).total() + all_censored(intervals).total();
            let sent: u64 = intervals.iter().map(|interval| interval.sent).sum();
            assert_eq!(
                (all_answered(intervals).total(), unanswered, sent),
                (2, 2, 2)
            );
            let lengths = intervals.iter().map(|interval| interval.length_ns / 1_000);
            lengths.collect::<Vec<_>>()
        };
        assert_eq!(lengths(200_020), [100_000, 100_020]);
        assert_eq!(lengths(249_999), [100_000, 149_999]);
        assert_eq!(lengths(250_000), [100_000, 100_000, 50_000]);
        assert_eq!(lengths(20_000), [20_000]);
    }

    #[test]
    fn a_long_run_keeps_every_reply_in_bounded_memory() {
        let mut log = IntervalLog::starting(at_ms(0));
        let intervals = 10 * INTERVALS_MAX as u64;
        for number in 0..intervals {
            log.record(at_ms(number * 100 + 50), number * 1000, 1);
            log.record_sent(2);
            log.record_censored(at_ms(number * 100 + 60), 1, 1);
        }
        log.finish(at_ms(intervals * 100));
        assert!(log.intervals().len() < INTERVALS_MAX);
        let mut all = all_answered(log.intervals());
        let mut direct = Distribution::default();
        (0..intervals).for_each(|number| direct.record(number * 1000, 1));
        assert_eq!(all.take_packed(), direct.take_packed());
        assert_eq!(all_censored(log.intervals()).total(), intervals);
        let sent: u64 = log.intervals().iter().map(|interval| interval.sent).sum();
        assert_eq!(sent, 2 * intervals);
        let mut end = at_ms(0);
        for interval in log.intervals() {
            assert_eq!(interval.began, end);
            // 40,960 tenths of a second fit after four doublings.
            assert!(interval.length_ns <= 1_600_000_000);
            end = end + Duration::from_nanos(interval.length_ns);
        }
        assert_eq!(end, at_ms(intervals * 100));
    }

    #[test]
    fn logs_of_workers_add_up_to_the_log_of_all() {
        for ends in [
            (2_300, 2_300),
            (2_300, 1_050),
            (1_050, 2_300),
            (2_300, 1_020),
            (1_020, 2_300),
            (1_020, 1_080),
            (700_000, 1_000),
        ] {
            let mut logs = [(); 3].map(|()| IntervalLog::starting(at_ms(0)));
            let [one, other, all] = &mut logs;
            for number in 0..10_000 {
                let (ns, now) = (number * 977, at_ms(number / 10));
                let log = if number % 3 == 0 {
                    &mut *other
                } else {
                    &mut *one
                };
                log.record(now, ns, 1);
                log.record_sent(3);
                log.record_lost(now, ns + 1, 2);
                all.record(now, ns, 1);
                all.record_sent(3);
                all.record_lost(now, ns + 1, 2);
            }
            one.finish(at_ms(ends.0));
            other.finish(at_ms(ends.1));
            all.finish(at_ms(ends.0.max(ends.1)));
            let [mut one, other, all] = logs;
            one.add(other);
            assert_eq!(one.intervals(), all.intervals(), "{ends:?}");
        }
    }

    #[test]
    fn slices_are_all_the_intervals_in_order() {
        let mut log = IntervalLog::starting(at_ms(0));
        log.finish(at_ms(2300));
        let lengths = |number| {
            slices(log.intervals(), number)
                .map(<[_]>::len)
                .collect::<Vec<_>>()
        };
        assert_eq!(lengths(5), [4, 5, 4, 5, 5]);
        assert_eq!(lengths(100), [1; 23]);
        assert_eq!(slices(&[], 10).count(), 0);
    }

    /// The first log is so long that its intervals were joined, the second is not.
    #[test]
    fn logs_of_different_resolutions_are_added_with_all_that_is_in_them() {
        let half_ms = 50 * INTERVALS_MAX as u64;
        let mut long = IntervalLog::starting(at_ms(0));
        long.record(at_ms(0), 1, 1);
        long.record(at_ms(3 * half_ms), 1, 1);
        long.finish(at_ms(3 * half_ms + 100));
        assert_eq!(long.intervals()[0].length_ns, 200_000_000);
        for is_first in [true, false] {
            let mut short = IntervalLog::starting(at_ms(0));
            short.record(at_ms(150), 1, 2);
            short.record_censored(at_ms(150), 1, 3);
            short.record_lost(at_ms(350), 1, 4);
            short.finish(at_ms(400));
            let (mut all, other) = match is_first {
                true => (short, long.clone()),
                false => (long.clone(), short),
            };
            all.add(other);
            let counts = |interval: &Interval| {
                let Interval {
                    answered,
                    censored,
                    lost,
                    ..
                } = interval;
                [answered.total(), censored.total(), lost.total()]
            };
            assert_eq!(counts(&all.intervals()[0]), [3, 3, 0]);
            assert_eq!(counts(&all.intervals()[1]), [0, 0, 4]);
            assert_eq!(all.intervals()[1].began, at_ms(200));
        }
    }

    #[test]
    fn a_lost_request_belongs_to_the_interval_in_which_it_was_lost() {
        let mut log = IntervalLog::starting(at_ms(0));
        log.record_lost(at_ms(150), 1, 4);
        log.finish(at_ms(200));
        let lost = log.intervals().iter().map(|interval| interval.lost.total());
        assert!(lost.eq([0, 4]));
        assert_eq!(all_lost(log.intervals()).total(), 4);
    }
}
