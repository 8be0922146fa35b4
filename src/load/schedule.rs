//! Due times of an open loop.
//!
//! Requests are numbered by their *position*: the expected number of requests of the whole run
//! before them. Evenly spaced arrivals have the positions 0, 1, 2 ...; Poisson arrivals have
//! positions with exponential gaps. The due time is where the cumulative rate reaches the position,
//! so one formula serves a constant rate and a ramp. With several workers, the evenly spaced
//! requests are dealt out in turn (worker k of N has the positions k, k + N ...), and each worker
//! has a Poisson stream of its own with gaps N times as long; the sum of both is the schedule of
//! one.
//!
//! Deliberately absent: a list of due requests. The schedule generates them again when they are
//! counted, so its memory does not depend on the backlog.
//!
//! The same seed gives the same schedule on every platform: the generator is ChaCha8, the
//! logarithm is that of the `libm` crate, and everything else is addition, multiplication, division
//! and square root of IEEE 754.

use std::time::Duration;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::event_loop::Time;

const NS_PER_SECOND: f64 = 1e9;
/// Poisson positions are summed as integers with this many binary places.
const POSITION_BITS: u32 = 32;

/// Requests per second of the whole run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// Always this rate; above 0.
    Constant(f64),
    /// From one rate to the other, linear in time; neither below 0, not both 0.
    Ramp {
        /// Rate at the start.
        from: f64,
        /// Rate at the end.
        to: f64,
        /// Length of the ramp; above 0. No request is due after it.
        over: Duration,
    },
}

impl Rate {
    /// The rate of one of this many workers.
    pub fn divided(self, workers: u32) -> Rate {
        let workers = f64::from(workers);
        match self {
            Rate::Constant(rate) => Rate::Constant(rate / workers),
            Rate::Ramp { from, to, over } => Rate::Ramp {
                from: from / workers,
                to: to / workers,
                over,
            },
        }
    }

    /// Expected number of requests in the first `ns` nanoseconds.
    pub fn cumulative(self, ns: u64) -> f64 {
        let seconds = ns as f64 / NS_PER_SECOND;
        match self {
            Rate::Constant(rate) => rate * seconds,
            Rate::Ramp { from, to, over } => {
                let slope = (to - from) / over.as_secs_f64();
                seconds * (from + slope * seconds / 2.0)
            }
        }
    }

    /// The time at which the cumulative rate reaches `position`; `None` if it never does.
    fn due_ns(self, position: f64) -> Option<u64> {
        let seconds = match self {
            Rate::Constant(rate) => position / rate,
            Rate::Ramp { .. } if position <= 0.0 => 0.0,
            Rate::Ramp { from, to, over } => {
                // The root of from t + slope t^2 / 2 = position that does not cancel.
                let slope = (to - from) / over.as_secs_f64();
                let root = (from * from + 2.0 * slope * position).sqrt();
                let seconds = 2.0 * position / (from + root);
                if seconds.is_nan() || seconds > over.as_secs_f64() {
                    return None;
                }
                seconds
            }
        };
        Some((seconds * NS_PER_SECOND).round() as u64)
    }
}

/// The arrival process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Evenly spaced.
    Constant,
    /// Exponential gaps, as from many independent users.
    Poisson,
}

impl Arrivals {
    /// The word for it in flags and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Arrivals::Constant => "constant",
            Arrivals::Poisson => "poisson",
        }
    }
}

/// Parameters of a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SchedulePlan {
    /// Rate of all workers together.
    pub rate: Rate,
    /// Arrival process.
    pub arrivals: Arrivals,
    /// Seed of the Poisson streams.
    pub seed: u64,
    /// Number of this worker, from 0.
    pub worker: u32,
    /// Workers in all; above `worker`.
    pub workers: u32,
    /// Start of the run.
    pub start: Time,
    /// Requests are due before this moment only; [`Time::NEVER`] for a run without an end.
    pub end: Time,
}

/// The due times of one worker, in order. Two cursors run over them: the next request to be taken,
/// and the first that is not yet due.
#[derive(Clone, Debug)]
pub struct Schedule {
    next: Cursor,
    not_due: Cursor,
}

impl Schedule {
    /// The schedule of one worker of a plan.
    pub fn new(plan: &SchedulePlan) -> Schedule {
        let cursor = Cursor::new(*plan);
        Schedule {
            not_due: cursor.clone(),
            next: cursor,
        }
    }

    /// Due time of the oldest request that was not taken; `None` after the last.
    pub fn next_due(&self) -> Option<Time> {
        self.next.due
    }

    /// Takes the oldest request if it is due at `now`, and says when it was due.
    pub fn take(&mut self, now: Time) -> Option<Time> {
        let due = self.next.due.filter(|&due| due <= now)?;
        self.next.advance();
        Some(due)
    }

    /// Requests taken so far.
    pub fn taken(&self) -> u64 {
        self.next.index
    }

    /// Requests due by `now`, taken or not. `now` must not go back between calls.
    pub fn due_by(&mut self, now: Time) -> u64 {
        if self.not_due.index < self.next.index {
            self.not_due = self.next.clone();
        }
        self.not_due.skip_due(now);
        self.not_due.index
    }

    /// Requests due by `now` that were not taken.
    pub fn backlog(&mut self, now: Time) -> u64 {
        self.due_by(now) - self.taken()
    }

    /// Due times of the requests that are due by `now` and were not taken, oldest first.
    pub fn untaken(&self, now: Time) -> impl Iterator<Item = Time> + use<> {
        let mut cursor = self.next.clone();
        std::iter::from_fn(move || {
            let due = cursor.due.filter(|&due| due <= now)?;
            cursor.advance();
            Some(due)
        })
    }
}

/// A place in the schedule.
#[derive(Clone, Debug)]
struct Cursor {
    plan: SchedulePlan,
    /// Requests before this one.
    index: u64,
    /// For Poisson arrivals only.
    poisson: Option<PoissonPositions>,
    due: Option<Time>,
}

impl Cursor {
    fn new(plan: SchedulePlan) -> Cursor {
        let poisson = match plan.arrivals {
            Arrivals::Constant => None,
            Arrivals::Poisson => Some(PoissonPositions::new(plan.seed, plan.worker)),
        };
        let mut cursor = Cursor {
            plan,
            index: 0,
            poisson,
            due: None,
        };
        cursor.find_due();
        cursor
    }

    fn advance(&mut self) {
        self.index += 1;
        self.find_due();
    }

    fn find_due(&mut self) {
        let position = match &mut self.poisson {
            None => self.even_position(self.index),
            Some(positions) => positions.next() * f64::from(self.plan.workers),
        };
        self.due = self.due_of(position);
    }

    fn even_position(&self, index: u64) -> f64 {
        (u64::from(self.plan.worker) + index * u64::from(self.plan.workers)) as f64
    }

    fn due_of(&self, position: f64) -> Option<Time> {
        let due = self.plan.start + Duration::from_nanos(self.plan.rate.due_ns(position)?);
        (due < self.plan.end).then_some(due)
    }

    /// Goes on to the first request that is not due at `now`.
    fn skip_due(&mut self, now: Time) {
        if self.poisson.is_none() {
            self.jump(now);
        }
        while self.due.is_some_and(|due| due <= now) {
            self.advance();
        }
    }

    /// Goes on to just before the place that the closed form of evenly spaced arrivals gives.
    fn jump(&mut self, now: Time) {
        let by = now.min(self.plan.end);
        let position = self.plan.rate.cumulative(by.ns_since(self.plan.start));
        let index = (position - f64::from(self.plan.worker)) / f64::from(self.plan.workers);
        // One less, since the closed form rounds.
        let index = (index as u64).saturating_sub(1);
        if index > self.index && self.due_of(self.even_position(index)).is_some() {
            self.index = index;
            self.find_due();
        }
    }
}

/// Sums of exponential gaps of mean 1.
#[derive(Debug)]
struct PoissonPositions {
    generator: ChaCha8Rng,
    sum: u128,
}

impl Clone for PoissonPositions {
    fn clone(&self) -> PoissonPositions {
        let mut generator = ChaCha8Rng::from_seed(self.generator.get_seed());
        generator.set_stream(self.generator.get_stream());
        generator.set_word_pos(self.generator.get_word_pos());
        PoissonPositions {
            generator,
            sum: self.sum,
        }
    }
}

impl PoissonPositions {
    fn new(seed: u64, worker: u32) -> PoissonPositions {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(u64::from(worker));
        PoissonPositions { generator, sum: 0 }
    }

    fn next(&mut self) -> f64 {
        const UNIT: f64 = (1u64 << POSITION_BITS) as f64;
        // In (0, 1], with 53 random bits.
        let uniform = ((self.generator.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64;
        self.sum += (-libm::log(uniform) * UNIT).round() as u128;
        self.sum as f64 / UNIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn plan(rate: Rate, arrivals: Arrivals) -> SchedulePlan {
        SchedulePlan {
            rate,
            arrivals,
            seed: 7,
            worker: 0,
            workers: 1,
            start: Time::from_ns(5),
            end: Time::from_ns(5 + 10 * SECOND),
        }
    }

    const RAMP: Rate = Rate::Ramp {
        from: 100.0,
        to: 10_000.0,
        over: Duration::from_secs(10),
    };

    fn dues_ns(plan: &SchedulePlan) -> Vec<u64> {
        let dues = Schedule::new(plan).untaken(Time::NEVER);
        dues.map(|due| due.ns_since(plan.start)).collect()
    }

    #[test]
    fn a_constant_rate_is_due_at_its_multiples() {
        let dues = dues_ns(&plan(Rate::Constant(3.0), Arrivals::Constant));
        assert_eq!(dues.len(), 30);
        assert_eq!(dues[..4], [0, 333_333_333, 666_666_667, SECOND]);
        let day = SchedulePlan {
            end: Time::NEVER,
            ..plan(Rate::Constant(1e6), Arrivals::Constant)
        };
        let mut schedule = Schedule::new(&day);
        // The moment of request 86,400,000,000, found without counting up to it.
        let late = day.start + Duration::from_secs(86_400);
        assert_eq!(schedule.due_by(late), 86_400_000_001);
    }

    #[test]
    fn a_ramp_grows_linearly() {
        let dues = dues_ns(&plan(RAMP, Arrivals::Constant));
        assert_eq!(dues.len(), 50_500);
        let by = |second: u64| dues.partition_point(|&due| due < second * SECOND);
        // 100 t + 990 t^2 / 2
        assert_eq!([by(1), by(2), by(5)], [595, 2180, 12_875]);
        assert!(dues.is_sorted());
    }

    #[test]
    fn a_ramp_from_nothing_is_due_at_its_roots() {
        let over = Duration::from_secs(10);
        let rate = Rate::Ramp {
            from: 0.0,
            to: 10.0,
            over,
        };
        // t^2 / 2
        let dues = dues_ns(&plan(rate, Arrivals::Constant));
        assert_eq!(dues[..3], [0, 1_414_213_562, 2 * SECOND]);
    }

    #[test]
    fn nothing_is_due_after_a_ramp_although_the_run_goes_on() {
        let over = Duration::from_secs(10);
        for (from, to) in [(0.0, 100.0), (100.0, 0.0)] {
            let endless = SchedulePlan {
                end: Time::NEVER,
                ..plan(Rate::Ramp { from, to, over }, Arrivals::Constant)
            };
            let mut schedule = Schedule::new(&endless);
            let dues = std::iter::from_fn(|| schedule.take(Time::NEVER)).take(1000);
            // The last one is due at the end of the ramp.
            assert_eq!(dues.count(), 501);
        }
    }

    #[test]
    fn workers_divide_a_rate() {
        let over = Duration::from_secs(10);
        let ramp = |from, to| Rate::Ramp { from, to, over };
        assert_eq!(Rate::Constant(100.0).divided(4), Rate::Constant(25.0));
        assert_eq!(ramp(8.0, 100.0).divided(4), ramp(2.0, 25.0));
    }

    #[test]
    fn a_ramp_may_start_or_end_at_nothing() {
        for (from, to) in [(0.0, 1000.0), (1000.0, 0.0)] {
            let over = Duration::from_secs(10);
            let dues = dues_ns(&plan(Rate::Ramp { from, to, over }, Arrivals::Constant));
            assert!((4999..=5000).contains(&dues.len()), "{}", dues.len());
            assert!(dues.is_sorted() && dues[0] == 0);
        }
    }

    #[test]
    fn workers_together_have_the_schedule_of_one() {
        for rate in [Rate::Constant(1234.5), RAMP] {
            let alone = plan(rate, Arrivals::Constant);
            let mut together: Vec<u64> = (0..3)
                .flat_map(|worker| {
                    dues_ns(&SchedulePlan {
                        worker,
                        workers: 3,
                        ..alone
                    })
                })
                .collect();
            together.sort_unstable();
            assert_eq!(together, dues_ns(&alone));
        }
    }

    #[test]
    fn counting_agrees_with_taking() {
        for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
            for (rate, worker) in [(Rate::Constant(997.0), 1), (RAMP, 0)] {
                let plan = SchedulePlan {
                    worker,
                    workers: 2,
                    ..plan(rate, arrivals)
                };
                let (mut counted, mut taken) = (Schedule::new(&plan), Schedule::new(&plan));
                for step in 0..1100 {
                    let now = Time::from_ns(step * 9_999_999);
                    let all = std::iter::from_fn(|| taken.take(now)).count() as u64;
                    assert_eq!(counted.backlog(now), taken.taken());
                    assert_eq!(taken.backlog(now), 0, "took {all}");
                    assert!(taken.next_due().is_none_or(|due| due > now));
                }
                assert_eq!(taken.next_due(), None);
                assert_eq!(counted.untaken(Time::NEVER).count() as u64, taken.taken());
            }
        }
    }

    #[test]
    fn poisson_gaps_have_mean_and_deviation_of_their_law() {
        let plan = SchedulePlan {
            end: Time::from_ns(100 * SECOND),
            ..plan(Rate::Constant(2000.0), Arrivals::Poisson)
        };
        let dues = dues_ns(&plan);
        let gaps: Vec<f64> = dues
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) as f64)
            .collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let square = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // Five standard errors for 200,000 gaps.
        assert!((mean / 500_000.0 - 1.0).abs() < 0.011, "{mean}");
        assert!((square.sqrt() / mean - 1.0).abs() < 0.011);
    }

    #[test]
    fn seeds_and_workers_have_independent_streams() {
        let plan = plan(Rate::Constant(1000.0), Arrivals::Poisson);
        let first = dues_ns(&plan);
        assert_eq!(first, dues_ns(&plan));
        for other in [
            SchedulePlan { seed: 8, ..plan },
            SchedulePlan {
                worker: 1,
                workers: 1,
                ..plan
            },
        ] {
            let other = dues_ns(&other);
            let n = first.len().min(other.len());
            let gaps = |dues: &[u64]| {
                dues[..n]
                    .windows(2)
                    .map(|p| (p[1] - p[0]) as f64 / 1e6 - 1.0)
                    .collect::<Vec<_>>()
            };
            let products = gaps(&first)
                .iter()
                .zip(gaps(&other))
                .map(|(a, b)| a * b)
                .sum::<f64>();
            assert!((products / n as f64).abs() < 5.0 / (n as f64).sqrt());
        }
    }

    #[test]
    fn a_seed_means_the_same_schedule_everywhere() {
        let dues = dues_ns(&plan(Rate::Constant(1000.0), Arrivals::Poisson));
        // From an independent ChaCha8 in Python.
        assert_eq!(dues.len(), 9842);
        assert_eq!(dues[..3], [269_045, 1_032_748, 6_204_519]);
        assert_eq!(dues.iter().sum::<u64>(), 49_259_818_212_545);
    }
}
