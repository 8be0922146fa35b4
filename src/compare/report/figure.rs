//! A figure over the rounds.

use serde::Serialize;

use crate::compare::statistics::Summary;
use crate::compare::{ContestantRuns, RunFigures};

/// A figure over the rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// The geometric mean.
    pub mean: f64,
    /// The middle value.
    pub median: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// One for each round that has one, in their order.
    pub rounds: Vec<f64>,
}

impl Figure {
    /// The figure `of` the runs of a contestant; `None` if no run has it.
    pub(super) fn over_rounds(
        record: &ContestantRuns,
        of: impl Fn(&RunFigures) -> Option<f64>,
    ) -> Option<Figure> {
        let rounds: Vec<f64> = record.runs().filter_map(of).collect();
        let spread = Summary::of(&rounds)?;
        Some(Figure {
            mean: spread.mean,
            median: spread.median,
            min: spread.min,
            max: spread.max,
            rounds,
        })
    }
}
