//! Conclusions from several rounds. Pure arithmetic: no clock, no process, no words.
//!
//! The unit of evidence is a round, one number per contestant: requests within a round are not
//! independent of each other, rounds nearly are. All comparisons are of logarithms, so that
//! 'twice as fast' and 'half as fast' are equally far from 'the same'.

mod answer;
mod drift;
mod estimate;
mod paired_ratio;
mod ratio;
mod rounds_needed;
mod summary;

pub use answer::{Answer, Direction, Judgement, Margin, judge};
pub use estimate::{Estimate, Interval};
pub use paired_ratio::{PairedRatio, PairedRound};
pub use ratio::{Finding, INTERVAL_ROUNDS_MIN, Ratio, Uncertainty};
pub use summary::Summary;

use rounds_needed::rounds_needed;

#[cfg(test)]
mod tests;
