//! Check of send times against the planned arrivals.
//!
//! All figures are collected while requests are sent, in constant memory. Times are converted into
//! *positions* (the expected number of requests before them), so that a ramp is checked in the same
//! way as a constant rate.
//!
//! - Count: requests sent, compared with requests due.
//! - Dispersion: variance of the counts of windows of 10 ms (longer at a low rate) over their
//!   expectation: 1 for Poisson arrivals, next to 0 for evenly spaced ones.
//! - Gaps: for Poisson arrivals, the Kolmogorov-Smirnov distance from the exponential distribution,
//!   where each gap may be wrong by 20 µs without being counted; for evenly spaced ones, the share
//!   of time that lies in gaps that are clearly too long.

use super::buckets::highest;
use super::distribution::Distribution;
use crate::event_loop::Time;
use crate::load::schedule::{Arrivals, Rate};

/// Window of the dispersion ...
const WINDOW_NS: u64 = 10_000_000;
/// ... which is longer where fewer requests are expected in it.
const REQUESTS_PER_WINDOW_MIN: f64 = 10.0;
/// Gaps are counted in units of 2^-20 expected gaps.
const GAP_UNITS: f64 = (1u64 << 20) as f64;
/// With fewer requests nothing can be said.
const REQUESTS_MIN: u64 = 100;
/// Error of a send time that is tolerated.
const TIMING_ERROR_NS: f64 = 20_000.0;
/// An evenly spaced request is late if the gap before it is so much too long ...
const LONG_GAP: f64 = 1.25;
/// ... and so much more.
const LONG_GAP_NS: f64 = 50_000.0;
/// Share of time in such gaps.
const LONG_GAPS_MAX: f64 = 0.2;
/// Relative error of the count that is tolerated.
const COUNT_ERROR_MAX: f64 = 0.01;
/// Tolerated distance of gaps from the exponential distribution, beside that of chance.
const DISTANCE_ERROR_MAX: f64 = 0.02;
/// 1.63 / sqrt(n) is exceeded by chance in 1 % of runs (Kolmogorov and Smirnov).
const KOLMOGOROV_1_PERCENT: f64 = 1.63;
/// Tolerated dispersion beside that of chance and of whole numbers.
const DISPERSION_ERROR_MAX: f64 = 0.1;
/// Differences within this many standard errors are chance.
const SIGMAS_MAX: f64 = 4.0;

/// Gathers send times of one run.
#[derive(Clone, Debug)]
pub struct ArrivalsCheck {
    rate: Rate,
    arrivals: Arrivals,
    start: Time,
    window_ns: u64,
    sent: u64,
    last: Time,
    last_position: f64,
    gaps: Distribution,
    long_gaps_ns: f64,
    windows: Windows,
}

/// Counts of the windows that are full.
#[derive(Clone, Debug, Default)]
struct Windows {
    end_ns: u64,
    /// The position of the open window's start.
    begin: f64,
    count: u64,
    full: u64,
    /// Sum of (count - expected)^2 / expected.
    chi_square: f64,
    /// The least expected count.
    expected_min: f64,
}

/// A property of the planned arrivals that send times do not have, and by how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LawBroken {
    /// Fewer or more requests than asked.
    Count {
        /// Requests sent.
        sent: u64,
        /// Requests expected.
        asked: f64,
    },
    /// Counts of short windows vary too much or too little.
    Dispersion {
        /// Variance over expectation.
        found: f64,
        /// The value of the planned arrivals.
        law: f64,
    },
    /// Gaps are not those of the planned arrivals.
    Gaps {
        /// Distance from the distribution (Poisson), or share of time in gaps that are too long; 0
        /// to
        /// 1.
        distance: f64,
        /// The greatest distance that would have passed.
        distance_max: f64,
    },
}

impl ArrivalsCheck {
    /// A check of requests that are sent from `start` at `rate` (of this sender alone).
    pub fn new(rate: Rate, arrivals: Arrivals, start: Time) -> ArrivalsCheck {
        let mean_rate = match rate {
            Rate::Constant(rate) => rate,
            Rate::Ramp { from, to, .. } => (from + to) / 2.0,
        };
        let window_ns = (REQUESTS_PER_WINDOW_MIN / mean_rate * 1e9) as u64;
        let window_ns = window_ns.max(WINDOW_NS);
        ArrivalsCheck {
            rate,
            arrivals,
            start,
            window_ns,
            sent: 0,
            last: start,
            last_position: 0.0,
            gaps: Distribution::default(),
            long_gaps_ns: 0.0,
            windows: Windows {
                end_ns: window_ns,
                expected_min: f64::INFINITY,
                ..Windows::default()
            },
        }
    }

    /// Notes that a request was sent at `now`; never before the last.
    pub fn sent(&mut self, now: Time) {
        let since_start = now.ns_since(self.start);
        let position = self.rate.cumulative(since_start);
        self.close_windows(since_start);
        self.windows.count += 1;
        if self.sent > 0 {
            let gap = position - self.last_position;
            self.gaps.record((gap * GAP_UNITS) as u64, 1);
            let ns = now.ns_since(self.last) as f64;
            // LONG_GAP_NS as a gap, at the rate of this moment.
            if gap * ns > LONG_GAP * ns + LONG_GAP_NS * gap {
                self.long_gaps_ns += ns;
            }
        }
        self.sent += 1;
        (self.last, self.last_position) = (now, position);
    }

    fn close_windows(&mut self, since_start: u64) {
        while since_start >= self.windows.end_ns {
            let end = self.rate.cumulative(self.windows.end_ns);
            let windows = &mut self.windows;
            let expected = end - windows.begin;
            windows.chi_square += (windows.count as f64 - expected).powi(2) / expected;
            windows.expected_min = windows.expected_min.min(expected);
            windows.full += 1;
            windows.count = 0;
            windows.begin = end;
            windows.end_ns += self.window_ns;
        }
    }

    /// Every property that is missing; the sending ended at `end`. `None` if too little was sent.
    pub fn finish(mut self, end: Time) -> Option<Vec<LawBroken>> {
        let since_start = end.ns_since(self.start);
        let asked = self.rate.cumulative(since_start);
        if asked < REQUESTS_MIN as f64 {
            return None;
        }
        self.close_windows(since_start);
        let broken = [self.count(asked), self.dispersion(), self.gaps(since_start)];
        Some(broken.into_iter().flatten().collect())
    }

    fn count(&self, asked: f64) -> Option<LawBroken> {
        let chance = match self.arrivals {
            Arrivals::Constant => 1.0,
            Arrivals::Poisson => SIGMAS_MAX * asked.sqrt(),
        };
        let sent = self.sent;
        let error = (sent as f64 - asked).abs();
        (error > chance + COUNT_ERROR_MAX * asked).then_some(LawBroken::Count { sent, asked })
    }

    fn dispersion(&self) -> Option<LawBroken> {
        let windows = &self.windows;
        let found = windows.chi_square / windows.full as f64;
        let (law, error_max) = match self.arrivals {
            // A count is a whole number: off by at most one, most often by less than a half.
            Arrivals::Constant => (0.0, 0.5 / windows.expected_min),
            Arrivals::Poisson => (1.0, SIGMAS_MAX * (2.0 / windows.full as f64).sqrt()),
        };
        let broken = (found - law).abs() > DISPERSION_ERROR_MAX + error_max;
        (windows.full > 0 && broken).then_some(LawBroken::Dispersion { found, law })
    }

    fn gaps(&self, since_start: u64) -> Option<LawBroken> {
        let (distance, distance_max) = match self.arrivals {
            Arrivals::Constant => (self.long_gaps_ns / since_start.max(1) as f64, LONG_GAPS_MAX),
            Arrivals::Poisson => {
                let chance = KOLMOGOROV_1_PERCENT / (self.gaps.total().max(1) as f64).sqrt();
                let error = TIMING_ERROR_NS * self.sent as f64 / since_start.max(1) as f64;
                (
                    self.exponential_distance(error),
                    chance + DISTANCE_ERROR_MAX,
                )
            }
        };
        (distance > distance_max).then_some(LawBroken::Gaps {
            distance,
            distance_max,
        })
    }

    /// The greatest difference between the shares of gaps up to a length, found and exponential,
    /// where a gap may be wrong by `error` gaps either way.
    fn exponential_distance(&self, error: f64) -> f64 {
        let exponential = |gap: f64| 1.0 - (-gap.max(0.0)).exp();
        let total = self.gaps.total().max(1) as f64;
        let (mut below, mut distance) = (0, 0.0f64);
        for (bucket, count) in self.gaps.buckets() {
            let gap = highest(bucket) as f64 / GAP_UNITS;
            // Just below this bucket, and at its end.
            let before = highest(bucket.saturating_sub(1)) as f64 / GAP_UNITS;
            let missing = exponential(before - error) - below as f64 / total;
            below += count;
            let too_many = below as f64 / total - exponential(gap + error);
            distance = distance.max(missing).max(too_many);
        }
        distance
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::test_queue::Random;
    use super::*;
    use crate::load::schedule::{Schedule, SchedulePlan};

    const END: Time = Time::from_ns(2_000_000_000);
    const RAMP: Rate = Rate::Ramp {
        from: 100.0,
        to: 4000.0,
        over: Duration::from_secs(2),
    };

    fn dues(rate: Rate, arrivals: Arrivals, seed: u64, worker: u32, workers: u32) -> Vec<u64> {
        let plan = SchedulePlan {
            rate,
            arrivals,
            seed,
            worker,
            workers,
            start: Time::START,
            end: END,
        };
        Schedule::new(&plan).untaken(END).map(Time::as_ns).collect()
    }

    fn is_broken(rate: Rate, arrivals: Arrivals, times: &[u64]) -> bool {
        let mut check = ArrivalsCheck::new(rate, arrivals, Time::START);
        times.iter().for_each(|&ns| check.sent(Time::from_ns(ns)));
        !check.finish(END).unwrap().is_empty()
    }

    /// Returns the number of 100 runs that are rejected if `change` is applied to their send times.
    fn rejected(
        rate: Rate,
        arrivals: Arrivals,
        change: impl Fn(u64, Vec<u64>) -> Vec<u64>,
    ) -> usize {
        let run = |seed: &u64| {
            let mut times = change(*seed, dues(rate, arrivals, *seed, 0, 1));
            times.sort_unstable();
            is_broken(rate, arrivals, &times)
        };
        (0..100).filter(run).count()
    }

    const LAWS: [Arrivals; 2] = [Arrivals::Constant, Arrivals::Poisson];

    #[test]
    fn right_runs_are_accepted() {
        for arrivals in LAWS {
            for rate in [
                Rate::Constant(60.0),
                Rate::Constant(1000.0),
                Rate::Constant(1500.0),
                Rate::Constant(20_000.0),
                RAMP,
            ] {
                let rejected = rejected(rate, arrivals, |_, times| times);
                println!("{arrivals:?} {rate:?}: {rejected} of 100 rejected");
                assert!(rejected <= 5, "{arrivals:?} {rate:?}: {rejected} of 100");
            }
        }
    }

    #[test]
    fn sends_that_are_late_by_some_microseconds_are_accepted() {
        for arrivals in LAWS {
            let late = |seed, times: Vec<u64>| {
                let mut random = Random::seeded(seed);
                let late = times
                    .iter()
                    .map(|ns| ns + (random.exponential() * 15_000.0) as u64);
                late.collect()
            };
            let rejected = rejected(Rate::Constant(20_000.0), arrivals, late);
            assert!(rejected <= 5, "{arrivals:?}: {rejected} of 100");
        }
    }

    #[test]
    fn sends_that_wait_for_a_loop_turn_of_some_microseconds_are_accepted() {
        let turn = |_, times: Vec<u64>| {
            let sent = times.iter().map(|ns| ns.next_multiple_of(15_000));
            sent.collect()
        };
        for arrivals in LAWS {
            let rejected = rejected(Rate::Constant(20_000.0), arrivals, turn);
            assert!(rejected <= 5, "{arrivals:?}: {rejected} of 100");
        }
    }

    #[test]
    fn gaps_rounded_to_milliseconds_are_rejected() {
        let round = |_, times: Vec<u64>| {
            times
                .iter()
                .map(|ns| ns.next_multiple_of(1_000_000))
                .collect()
        };
        for rate in [1500.0, 20_000.0] {
            for arrivals in LAWS {
                assert_eq!(
                    rejected(Rate::Constant(rate), arrivals, round),
                    100,
                    "{rate} {arrivals:?}"
                );
            }
        }
        assert_eq!(
            rejected(Rate::Constant(1000.0), Arrivals::Poisson, round),
            100
        );
    }

    #[test]
    fn a_burst_each_second_is_rejected() {
        let burst = |_, times: Vec<u64>| {
            times
                .iter()
                .map(|ns| ns / 1_000_000_000 * 1_000_000_000)
                .collect()
        };
        for arrivals in LAWS {
            for rate in [1000.0, 5000.0] {
                assert_eq!(
                    rejected(Rate::Constant(rate), arrivals, burst),
                    100,
                    "{rate} {arrivals:?}"
                );
            }
        }
    }

    #[test]
    fn workers_that_share_their_seed_are_rejected_together() {
        for rate in [1000.0, 5000.0] {
            let rate = Rate::Constant(rate);
            let share = |seed, _| {
                let times = dues(rate, Arrivals::Poisson, seed, 0, 2);
                [times.clone(), times].concat()
            };
            assert_eq!(rejected(rate, Arrivals::Poisson, share), 100);
            let independent = |seed, _| {
                let times = [0, 1].map(|worker| dues(rate, Arrivals::Poisson, seed, worker, 2));
                times.concat()
            };
            assert!(rejected(rate, Arrivals::Poisson, independent) <= 5);
        }
        // Evenly spaced: both workers send at the same moments.
        let share = |_, times: Vec<u64>| {
            let half: Vec<u64> = times.into_iter().step_by(2).collect();
            [half.clone(), half].concat()
        };
        assert_eq!(
            rejected(Rate::Constant(1000.0), Arrivals::Constant, share),
            100
        );
    }

    /// The gaps are those of the planned arrivals, but long and short ones stand together.
    #[test]
    fn gaps_in_the_wrong_order_are_rejected() {
        let sort = |_, times: Vec<u64>| {
            let mut gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            gaps.chunks_mut(100).for_each(<[u64]>::sort_unstable);
            let add = |ns: &mut u64, gap: &u64| {
                *ns += gap;
                Some(*ns)
            };
            gaps.iter().scan(0, add).collect()
        };
        assert_eq!(
            rejected(Rate::Constant(5000.0), Arrivals::Poisson, sort),
            100
        );
    }

    #[test]
    fn one_law_does_not_pass_for_the_other() {
        for (asked, sent) in [(LAWS[0], LAWS[1]), (LAWS[1], LAWS[0])] {
            let rate = Rate::Constant(1000.0);
            let other = |seed, _| dues(rate, sent, seed, 0, 1);
            assert_eq!(rejected(rate, asked, other), 100);
        }
    }

    #[test]
    fn a_client_that_sends_too_little_is_rejected() {
        let thin = |_, times: Vec<u64>| {
            times
                .into_iter()
                .enumerate()
                .filter(|(i, _)| i % 10 > 0)
                .map(|(_, ns)| ns)
                .collect()
        };
        for arrivals in LAWS {
            assert_eq!(rejected(Rate::Constant(20_000.0), arrivals, thin), 100);
        }
    }

    /// A check at 1,000 a second, with a request at each of these microseconds.
    fn sent_at(arrivals: Arrivals, times_us: &[u64]) -> ArrivalsCheck {
        let mut check = ArrivalsCheck::new(Rate::Constant(1000.0), arrivals, Time::START);
        for us in times_us {
            check.sent(Time::from_ns(us * 1000));
        }
        check
    }

    #[test]
    fn a_window_holds_ten_requests_at_least() {
        let window_ms = |rate| {
            let check = ArrivalsCheck::new(rate, Arrivals::Poisson, Time::START);
            check.window_ns / 1_000_000
        };
        assert_eq!(window_ms(Rate::Constant(20_000.0)), 10);
        assert_eq!(window_ms(Rate::Constant(1000.0)), 10);
        assert_eq!(window_ms(Rate::Constant(100.0)), 100);
        let ramp = Rate::Ramp {
            from: 100.0,
            to: 300.0,
            over: Duration::from_secs(2),
        };
        assert_eq!(window_ms(ramp), 50);
    }

    #[test]
    fn each_full_window_adds_the_square_of_its_error() {
        // 12 in the first window, 8 in the second, the next of which begins it.
        let times: Vec<u64> = (0..12).chain((0..8).map(|n| 10_000 + n)).collect();
        let mut check = sent_at(Arrivals::Constant, &times);
        assert_eq!((check.windows.full, check.windows.count), (1, 8));
        check.close_windows(20_000_000);
        let windows = &check.windows;
        assert_eq!((windows.full, windows.count), (2, 0));
        assert!((windows.chi_square - 0.8).abs() < 1e-9, "{windows:?}");
        assert!((windows.expected_min - 10.0).abs() < 1e-9, "{windows:?}");
        // Nothing was sent in the last ten of twenty windows.
        let times: Vec<u64> = (0..100).map(|n| n * 1000).collect();
        let check = sent_at(Arrivals::Constant, &times);
        let broken = check.finish(Time::from_ns(200_000_000)).expect("enough");
        let is_half = |law: &LawBroken| matches!(law, LawBroken::Dispersion { found, .. } if (found - 5.0).abs() < 1e-6);
        assert!(broken.iter().any(is_half), "{broken:?}");
    }

    #[test]
    fn the_least_expectation_of_a_ramp_is_that_of_its_first_window() {
        let ramp = Rate::Ramp {
            from: 0.0,
            to: 2000.0,
            over: Duration::from_secs(1),
        };
        let mut check = ArrivalsCheck::new(ramp, Arrivals::Constant, Time::START);
        check.close_windows(1_000_000_000);
        // 2000/s^2 x (10 ms)^2 / 2.
        assert!((check.windows.expected_min - 0.1).abs() < 1e-9);
    }

    #[test]
    fn a_dispersion_is_broken_just_beyond_its_tolerance() {
        let broken = |arrivals, chi_square, full| {
            let mut check = sent_at(arrivals, &[]);
            check.windows = Windows {
                chi_square,
                full,
                expected_min: 10.0,
                ..Windows::default()
            };
            check.dispersion()
        };
        // 0.1 + 0.5 / 10.
        assert_eq!(broken(Arrivals::Constant, 0.149 * 800.0, 800), None);
        assert!(broken(Arrivals::Constant, 0.151 * 800.0, 800).is_some());
        // 1 and 0.1 + 4 sqrt(2 / 800).
        for inside in [0.701, 1.299] {
            assert_eq!(broken(Arrivals::Poisson, inside * 800.0, 800), None);
        }
        for outside in [0.699, 1.301] {
            assert!(broken(Arrivals::Poisson, outside * 800.0, 800).is_some());
        }
        assert!(broken(Arrivals::Constant, 1.0, 1).is_some());
        assert_eq!(broken(Arrivals::Constant, 0.0, 0), None);
    }

    #[test]
    fn a_count_is_broken_just_beyond_its_tolerance() {
        let broken = |arrivals, sent| {
            let mut check = sent_at(arrivals, &[]);
            check.sent = sent;
            check.count(10_000.0).is_some()
        };
        // 1 + 1 %.
        let found = [9_898, 9_899, 10_101, 10_102].map(|sent| broken(Arrivals::Constant, sent));
        assert_eq!(found, [true, false, false, true]);
        // 4 x 100 + 1 %.
        let found = [9_499, 9_500, 10_500, 10_501].map(|sent| broken(Arrivals::Poisson, sent));
        assert_eq!(found, [true, false, false, true]);
    }

    #[test]
    fn a_long_gap_is_a_quarter_and_fifty_microseconds_too_long() {
        // 1.3 ms at 1,000 a second. The time before the first is no gap.
        let check = sent_at(Arrivals::Constant, &[5_000, 6_000, 7_290, 8_600]);
        assert_eq!(check.long_gaps_ns, 1_310_000.0);
        assert_eq!(check.gaps.total(), 3);
    }

    #[test]
    fn the_distance_is_the_greatest_on_either_side() {
        let distance = |times_us: &[u64], error| {
            sent_at(Arrivals::Poisson, times_us).exponential_distance(error)
        };
        let below = |gap: f64| 1.0 - (-gap).exp();
        let assert_near = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 0.002, "{found} {expected}");
        };
        // Gaps of 0.3, 2.5 and 3: too few up to 2.5.
        let long = [0, 300, 2_800, 5_800];
        assert_near(distance(&long, 0.0), below(2.5) - 1.0 / 3.0);
        assert_near(distance(&long, 0.1), below(2.4) - 1.0 / 3.0);
        // Three of 0.1 and one of 2: too many up to 0.1.
        let short = [0, 100, 200, 300, 2_300];
        assert_near(distance(&short, 0.0), 0.75 - below(0.1));
        assert_near(distance(&short, 0.05), 0.75 - below(0.15));
    }
}
