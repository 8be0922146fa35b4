//! The duet: both servers run, and the load alternates between them in short random slices.
//!
//! Both slices of a pair then find the machine in nearly the same state, so its slow noise cancels
//! in their ratio. The differences from one start of a process to the next do not cancel. Therefore
//! the processes are restarted, and the interval is Student's for the means of the restarts, not of
//! the slices. It is right whatever the variance between and within restarts. An interval from all
//! slices together would ignore the starts (`tests::duet` counts how often it is wrong).
//!
//! Pure: this module chooses the next slice and evaluates the slices; it sends no load.

use std::time::Duration;

use serde::Serialize;

use super::{PairedRound, RoundEvidence, squared_error_of_mean};
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

/// Ratio of a contestant to the reference by the slices of one restart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DuetRatio {
    /// Mean of ln(contestant / reference) over the pairs of slices.
    pub log_ratio: f64,
    /// The square of its standard error; `None` with too few pairs.
    pub variance: Option<f64>,
    /// Pairs of slices.
    pub pairs: usize,
}

impl DuetRatio {
    /// From slices in the order of time; `None` without a pair.
    pub fn of_slices(slices: &[SliceResult]) -> Option<DuetRatio> {
        DuetRatio::of_pairs(&paired_log_ratios(slices))
    }

    pub(super) fn of_pairs(log_ratios: &[f64]) -> Option<DuetRatio> {
        (!log_ratios.is_empty()).then(|| DuetRatio {
            log_ratio: log_ratios.iter().sum::<f64>() / log_ratios.len() as f64,
            variance: squared_error_of_mean(log_ratios),
            pairs: log_ratios.len(),
        })
    }

    /// As the evidence of a round. Both had the same place in it.
    pub fn round(&self) -> PairedRound {
        PairedRound {
            contestant: self.log_ratio.exp(),
            reference: 1.0,
            slots_apart: 0,
        }
    }

    /// The same, with the variance within the restart.
    pub fn evidence(&self) -> RoundEvidence {
        RoundEvidence {
            log_ratio: self.log_ratio,
            slots_apart: 0,
            within_variance: self.variance,
        }
    }
}

/// The log ratios, contestant to reference, of each two neighbouring slices of a pair. A slice
/// without its partner at the end is left out, and so is a pair of one side only.
fn paired_log_ratios(slices: &[SliceResult]) -> Vec<f64> {
    let ratio = |pair: &[SliceResult]| match (pair[0].side, pair[1].side) {
        (Side::Contestant, Side::Reference) => Some(pair[0].log_rate() - pair[1].log_rate()),
        (Side::Reference, Side::Contestant) => Some(pair[1].log_rate() - pair[0].log_rate()),
        _ => None,
    };
    slices.chunks_exact(2).filter_map(ratio).collect()
}
