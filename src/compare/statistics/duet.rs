//! The duet: both servers run, and the load alternates between them in short random slices.
//!
//! The machine's state is then the same for both of a pair of slices, and its slow noise cancels.
//! What a duet cannot cancel is the luck of a process's start; so the processes are restarted, and
//! the restarts, not the slices, are the units of evidence: the interval is Student's, of the
//! means of the restarts, which holds whatever the variance between and within them. An interval
//! from all slices together would ignore the starts (`tests::duet` counts how often it is wrong).
//!
//! Pure: which slice comes next, and what the slices say. Sending load is for others.

use std::time::Duration;

use super::{Estimate, Interval, Variances, squared_error_of_mean};
use crate::compare::random::{Purpose, Random};

/// Shortest slice: some hundreds of replies, and many times the disturbance of a switch.
const SLICE_MS_MIN: usize = 50;
/// Longest slice: shorter than most of what disturbs a machine.
const SLICE_MS_MAX: usize = 200;

/// One of the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The contestant.
    Contestant,
    /// The reference.
    Reference,
}

/// A time in which one of the servers has the whole load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The server under load.
    pub side: Side,
    /// The time that is measured, after the part that is dropped.
    pub length: Duration,
}

/// The slices between one start of the processes and the next; endless.
///
/// Each pair of slices has both sides and one random length (so that no periodic disturbance
/// keeps step with it). Two pairs mirror each other, ABBA or BAAB by chance: a linear drift over
/// the four cancels.
pub struct SliceSchedule {
    random: Random,
    /// The rest of the four, last one first.
    upcoming: Vec<Slice>,
}

impl SliceSchedule {
    /// The schedule of `seed` after the `restart`th start of the processes.
    pub fn new(seed: u32, restart: u32) -> SliceSchedule {
        SliceSchedule {
            random: Random::new(seed, Purpose::Slices, restart),
            upcoming: Vec::new(),
        }
    }

    fn draw_four(&mut self) {
        let mut sides = [Side::Contestant, Side::Reference];
        self.random.shuffle(&mut sides);
        let lengths = [self.draw_length(), self.draw_length()];
        let slice = |side, length| Slice { side, length };
        self.upcoming = vec![
            slice(sides[0], lengths[1]),
            slice(sides[1], lengths[1]),
            slice(sides[1], lengths[0]),
            slice(sides[0], lengths[0]),
        ];
    }

    fn draw_length(&mut self) -> Duration {
        let milliseconds = SLICE_MS_MIN + self.random.below(SLICE_MS_MAX - SLICE_MS_MIN + 1);
        Duration::from_millis(milliseconds as u64)
    }
}

impl Iterator for SliceSchedule {
    type Item = Slice;

    fn next(&mut self) -> Option<Slice> {
        if self.upcoming.is_empty() {
            self.draw_four();
        }
        self.upcoming.pop()
    }
}

/// The replies of one slice, without the part that is dropped after a switch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SliceResult {
    /// The server under load.
    pub side: Side,
    /// Replies in the measured part.
    pub replies: u64,
    /// The real length of the measured part; positive.
    pub length: Duration,
}

impl SliceResult {
    /// ln(replies per second). Half a reply more keeps a silent slice finite: it counts, as a very
    /// slow one.
    fn log_rate(&self) -> f64 {
        ((self.replies as f64 + 0.5) / self.length.as_secs_f64()).ln()
    }
}

/// The log ratios, contestant to reference, of each two neighbouring slices of a pair. A slice
/// without its partner at the end is left out, and so is a pair of one side only.
pub fn paired_log_ratios(slices: &[SliceResult]) -> Vec<f64> {
    let ratio = |pair: &[SliceResult]| match (pair[0].side, pair[1].side) {
        (Side::Contestant, Side::Reference) => Some(pair[0].log_rate() - pair[1].log_rate()),
        (Side::Reference, Side::Contestant) => Some(pair[1].log_rate() - pair[0].log_rate()),
        _ => None,
    };
    slices.chunks_exact(2).filter_map(ratio).collect()
}

/// What a duet says about the ratio of its two servers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DuetResult {
    /// Mean log ratio, contestant to reference; its error holds for new starts of the processes.
    pub log_mean: Estimate,
    /// Variance of a restart's log ratio, by source.
    pub variances: Variances,
    /// Starts of the processes with enough slices.
    pub restarts: usize,
    /// Pairs of slices.
    pub pairs: usize,
}

impl DuetResult {
    /// From the log ratios of the pairs of each restart, in the order of time. Restarts with
    /// fewer than 8 pairs are left out; `None` with fewer than two that have them.
    pub fn of_restarts(restarts: &[Vec<f64>]) -> Option<DuetResult> {
        let restart = |pairs: &Vec<f64>| {
            let mean = pairs.iter().sum::<f64>() / pairs.len() as f64;
            Some((mean, squared_error_of_mean(pairs)?, pairs.len()))
        };
        let restarts: Vec<_> = restarts.iter().filter_map(restart).collect();
        let means: Vec<f64> = restarts.iter().map(|(mean, _, _)| *mean).collect();
        let log_mean = Estimate::of_mean(&means)?;
        let count = means.len() as f64;
        let within = restarts.iter().map(|(_, squared, _)| squared).sum::<f64>() / count;
        Some(DuetResult {
            log_mean,
            variances: Variances::split(log_mean.standard_error.powi(2) * count, within),
            restarts: means.len(),
            pairs: restarts.iter().map(|(_, _, pairs)| pairs).sum(),
        })
    }

    /// The 95 % interval of the ratio.
    pub fn interval(&self) -> Interval {
        self.log_mean.interval(0.95).exp()
    }
}

/// The number of bins after a switch of the load that should be dropped.
///
/// `switches` holds, for each switch, the replies per second in bins of equal length from the
/// switch on; all of the same number of bins, at least four. A bin has settled if it and the next
/// one do not differ from the second half of their own slices, with 99 % confidence over all
/// switches. At most half of the bins are dropped; `None` if not even the last of those has
/// settled, or with fewer than two switches: then the slices have to be longer.
pub fn settling_bins(switches: &[Vec<f64>]) -> Option<usize> {
    let bins = switches.iter().map(Vec::len).min()?;
    let half = bins / 2;
    let settled: Vec<bool> = (0..=half)
        .map(|bin| {
            let deviation = |rates: &Vec<f64>| {
                // The bin itself is no part of what it is compared with.
                let late = &rates[half + 1..bins];
                let mean = late.iter().sum::<f64>() / late.len().max(1) as f64;
                (mean > 0.0).then(|| rates[bin] / mean - 1.0)
            };
            let deviations: Vec<f64> = switches.iter().filter_map(deviation).collect();
            let estimate = Estimate::of_mean(&deviations);
            estimate.is_some_and(|estimate| estimate.interval(0.99).contains(0.0))
        })
        .collect();
    settled.windows(2).position(|pair| pair[0] && pair[1])
}
