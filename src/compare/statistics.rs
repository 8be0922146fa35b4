//! Conclusions from several rounds. Pure arithmetic: no clock, no process, no words.
//!
//! The unit of evidence is a round, one number per contestant: requests within a round are not
//! independent of each other, rounds nearly are. All comparisons are of logarithms, so that
//! 'twice as fast' and 'half as fast' are equally far from 'the same'.

mod answer;
mod change;
mod drift;
mod duet;
mod estimate;
mod geometric_mean;
mod knee;
mod margin;
mod paired_ratio;
mod percentile;
mod rounds_needed;
mod stopping;
mod summary;
mod variance;

pub use answer::{Answer, Claims, Direction, Judgement, judge, judge_at};
pub use change::{
    BaselineChange, BoundedRounds, Comparable, Compared, ContestantChange, Difference,
    DifferenceOf, Facts, OpenSides, SavedResult, SavedRounds, change,
};
pub use duet::{DuetRatio, Side, Slice, SliceResult, SliceSchedule};
pub use estimate::{Estimate, Interval};
pub use geometric_mean::GeometricMean;
pub use knee::{Knee, Shape, Walk, knees_of_walks};
pub use margin::Margin;
pub use paired_ratio::{INTERVAL_ROUNDS_MIN, PairedRatio, PairedRound, Uncertainty};
pub use percentile::{OpenInterval, PercentileOverRounds, PercentileUncertainty, RoundLatency};
pub use stopping::{ALPHA_WORKING, AutoRounds, NextStep, RoundEvidence, StoppingRule};
pub use summary::Summary;
pub use variance::{Variances, squared_relative_error};

use variance::squared_error_of_mean;

use rounds_needed::rounds_needed;

#[cfg(test)]
mod tests;
