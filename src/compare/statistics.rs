//! Conclusions from several rounds. Pure arithmetic: no clock, no process, no words.
//!
//! The unit of evidence is a round, one number per contestant: requests within a round are not
//! independent of each other, rounds nearly are. All comparisons are of logarithms, so that
//! 'twice as fast' and 'half as fast' are equally far from 'the same'.

mod estimate;
mod ratio;
mod summary;

pub use estimate::{Estimate, Interval};
pub use ratio::{Finding, INTERVAL_ROUNDS_MIN, Ratio, Uncertainty};
pub use summary::Summary;
