//! The end of the warm-up, found by MSER (marginal standard error rule; White, 1997).
//!
//! MSER cuts the run where the mean of the rest has the smallest standard error, and never beyond
//! half of the run. It is applied to means of five intervals (MSER-5), of the rate and of the
//! logarithm of the median latency; the later cut counts. Three rules are added:
//!
//! - An error of one per cent is not worth a cut.
//! - Of cuts that are about as good, the earliest is taken.
//! - The part that is cut must be slower than the rest. A faster start is no warm-up: a server that
//!   slows down or hangs later is found by the other self-tests, which need the whole run.

use super::interval_log::Interval;

/// Intervals in a batch.
const BATCH: usize = 5;
/// With fewer batches nothing is cut.
const BATCHES_MIN: usize = 8;
/// Relative errors below this are not worth a cut.
const TOLERANCE: f64 = 0.01;
/// A cut is about as good as the best if its squared error is at most this many times the least.
const GOOD_RATIO: f64 = 1.1;
/// The part that is cut is slower than the rest by at least this many standard errors.
const SIGMAS_MIN: f64 = 5.0;

/// The warm-up of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warmup {
    /// Intervals to leave out at the start.
    pub intervals: usize,
    /// Nothing shows that the warm-up was over: the cut is at half of the run.
    pub unfinished: bool,
}

/// Finds the warm-up at the start of a run.
pub fn find_warmup(intervals: &[Interval]) -> Warmup {
    let batches: Vec<&[Interval]> = intervals.chunks_exact(BATCH).collect();
    let mut cut = 0;
    if batches.len() >= BATCHES_MIN {
        let rates: Vec<f64> = batches
            .iter()
            .map(|batch| mean(batch, Interval::rate))
            .collect();
        let typical = rates.iter().sum::<f64>() / rates.len() as f64;
        let relative: Vec<f64> = rates.iter().map(|rate| rate / typical.max(1e-9)).collect();
        let speeds: Vec<f64> = batches
            .iter()
            .map(|batch| -mean(batch, log_median))
            .collect();
        cut = find_cut(&relative).max(find_cut(&speeds));
    }
    Warmup {
        intervals: cut * BATCH,
        unfinished: cut > 0 && cut == batches.len() / 2,
    }
}

fn mean(batch: &[Interval], of: fn(&Interval) -> f64) -> f64 {
    batch.iter().map(of).sum::<f64>() / batch.len() as f64
}

fn log_median(interval: &Interval) -> f64 {
    let median = interval.answered.quantile_ns(0.5);
    (median.unwrap_or(interval.length_ns).max(1) as f64).ln()
}

/// The batches to cut: the earliest of MSER's choices, if what it cuts is slower. Values are speeds.
fn find_cut(values: &[f64]) -> usize {
    let error = |cut: usize| {
        let (_, squares) = moments(&values[cut..]);
        let left = (values.len() - cut) as f64;
        (squares + left * TOLERANCE * TOLERANCE) / (left * left)
    };
    let errors: Vec<f64> = (0..=values.len() / 2).map(error).collect();
    let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
    // If the last is the best, the warm-up is not over, and there is no earlier cut to take.
    let is_good = |error: &f64| match errors.last() == Some(&least) {
        true => *error <= least,
        false => *error <= least * GOOD_RATIO,
    };
    let earliest = errors.iter().position(is_good).unwrap_or(0);
    let (cut, rest) = values.split_at(earliest);
    if cut.is_empty() {
        return 0;
    }
    let (level, squares) = moments(rest);
    let variance = squares / (rest.len() - 1) as f64 + TOLERANCE * TOLERANCE;
    let standard_error = (variance * (1.0 / cut.len() as f64 + 1.0 / rest.len() as f64)).sqrt();
    let is_slower = level - moments(cut).0 > SIGMAS_MIN * standard_error;
    if is_slower { earliest } else { 0 }
}

/// Mean, and sum of squared differences from it.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (
        mean,
        values.iter().map(|value| (value - mean).powi(2)).sum(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::interval_log::IntervalLog;
    use super::super::test_queue::{self, QueuePlan, Random};
    use super::*;
    use crate::event_loop::Time;

    /// A closed loop of ten slots whose server has this speed at each second, with noise.
    fn run(seconds: u64, noise: f64, seed: u64, speed: impl Fn(f64) -> f64) -> Vec<Interval> {
        let mut random = Random::seeded(seed);
        let mut log = IntervalLog::starting(Time::START);
        for tenth in 0..seconds * 10 {
            let rate = 20_000.0 * speed(tenth as f64 / 10.0) * (1.0 + noise * random.normal());
            let now = Time::from_ns(tenth * 100_000_000 + 50_000_000);
            let latency = 10.0 / rate * 1e9;
            log.record(now, (latency * 0.9) as u64, (rate * 0.05) as u64);
            log.record(now, (latency * 1.1) as u64, (rate * 0.05) as u64);
        }
        log.finish(Time::from_ns(seconds * 1_000_000_000));
        log.intervals().to_vec()
    }

    #[test]
    fn an_exponential_start_of_three_seconds_is_cut_between_two_and_five() {
        for noise in [0.002, 0.01, 0.03, 0.05] {
            let cuts: Vec<f64> = (0..400)
                .map(|seed| run(20, noise, seed, |at| 1.0 - 0.5 * (-at).exp()))
                .map(|intervals| find_warmup(&intervals).intervals as f64 / 10.0)
                .collect();
            let right = cuts.iter().filter(|cut| (2.0..=5.0).contains(*cut)).count();
            println!("noise {noise}: {right} of {}", cuts.len());
            assert!(right * 100 >= cuts.len() * 95, "noise {noise}: {cuts:?}");
        }
    }

    /// In an open loop, only the latency shows a warm-up.
    #[test]
    fn a_warmup_of_the_latency_alone_is_cut() {
        let mut random = Random::seeded(1);
        let mut log = IntervalLog::starting(Time::START);
        for ms in 0..20_000u64 {
            let speed = 1.0 - 0.5 * (-(ms as f64) / 1000.0).exp();
            let latency = 1e6 / speed * (1.0 + 0.1 * random.uniform());
            log.record(Time::from_ns(ms * 1_000_000), latency as u64, 2);
        }
        log.finish(Time::from_ns(20_000_000_000));
        let cut = find_warmup(log.intervals()).intervals;
        assert!((20..=50).contains(&cut), "{cut}");
    }

    #[test]
    fn a_steady_server_loses_less_than_a_twentieth() {
        let mut cuts = Vec::new();
        for seed in 0..20 {
            for noise in [0.0, 0.01, 0.05, 0.2] {
                cuts.push(find_warmup(&run(20, noise, seed, |_| 1.0)).intervals);
            }
            for load in [0.5, 0.8] {
                let queue = test_queue::run(&QueuePlan::mm1(load, 1000.0, 20.0), seed);
                cuts.push(find_warmup(&queue).intervals);
            }
        }
        let wrong = cuts.iter().filter(|&&intervals| intervals >= 10).count();
        println!("{wrong} wrong cuts of {}", cuts.len());
        assert!(wrong * 20 <= cuts.len(), "{cuts:?}");
    }

    #[test]
    fn a_warmup_that_does_not_end_is_told() {
        let found = find_warmup(&run(20, 0.01, 1, |at| 0.5 + at / 40.0));
        assert_eq!((found.intervals, found.unfinished), (100, true));
        let short = find_warmup(&run(3, 0.01, 1, |at| 0.5 + at / 6.0));
        assert_eq!((short.intervals, short.unfinished), (0, false));
    }

    #[test]
    fn the_cut_leaves_the_least_error_and_must_be_slower() {
        let with_start = |start: &[f64]| {
            let mut values = vec![1.0; 12];
            values[..start.len()].copy_from_slice(start);
            find_cut(&values)
        };
        assert_eq!(with_start(&[]), 0);
        assert_eq!(with_start(&[0.5]), 1);
        assert_eq!(with_start(&[0.5, 0.5, 0.6]), 3);
        // Five standard errors of one value beside eleven: 0.05 sqrt(1 + 1 / 11) = 0.0522.
        assert_eq!(with_start(&[0.9475]), 1);
        assert_eq!(with_start(&[0.9481]), 0);
        assert_eq!(with_start(&[1.5]), 0);
        // Of what differs later, only the first half is cut.
        assert_eq!(find_cut(&[0.1, 0.1, 0.1, 0.1, 0.9, 1.0, 1.0, 1.0]), 4);
    }

    #[test]
    fn a_server_that_slows_down_or_hangs_was_not_warming_up() {
        for rest in [0.0, 0.5] {
            let speed = |at: f64| if at < 3.0 { 1.0 } else { rest };
            let found = find_warmup(&run(10, 0.01, 1, speed));
            assert_eq!((found.intervals, found.unfinished), (0, false), "{rest}");
        }
    }

    /// Eight batches of five tenths of a second with this many replies in each tenth.
    #[test]
    fn four_seconds_are_enough_and_a_cut_at_half_of_them_is_not_the_end() {
        let found = |batches: &[u64]| {
            let mut log = IntervalLog::starting(Time::START);
            let tenths = batches.iter().flat_map(|&replies| [replies; 5]);
            for (tenth, replies) in tenths.enumerate() {
                let now = Time::from_ns(tenth as u64 * 100_000_000);
                log.record(now, 1_000_000, replies);
            }
            log.finish(Time::from_ns(batches.len() as u64 * 500_000_000));
            let Warmup {
                intervals,
                unfinished,
            } = find_warmup(log.intervals());
            (intervals, unfinished)
        };
        assert_eq!(found(&[5, 10, 10, 10, 10, 10, 10]), (0, false));
        assert_eq!(found(&[5, 10, 10, 10, 10, 10, 10, 10]), (5, false));
        assert_eq!(found(&[10; 8]), (0, false));
        assert_eq!(found(&[10, 10, 10, 10, 70, 70, 70, 70]), (20, true));
        assert_eq!(found(&[]), (0, false));
    }
}
