//! Everything that happened in a comparison: the runs of each contestant, and the end.

use serde::Serialize;

use super::contestant::{Contestant, DEFAULT_REFERENCE};
use super::failure::Failure;
use super::plan::ComparisonPlan;
use super::run_figures::RunFigures;
use super::schedule;
use crate::load;

/// Everything that happened.
#[derive(Clone, Debug)]
pub struct ComparisonOutcome {
    /// In the plan's order.
    pub records: Vec<ContestantRuns>,
    /// Rounds that came to their end.
    pub rounds_done: usize,
    /// Reason for the end of the rounds; `None` while it is under way.
    pub end: Option<RoundsEnd>,
}

impl ComparisonOutcome {
    /// Returns true if a stop was asked for before the last round's end.
    pub fn is_interrupted(&self) -> bool {
        self.end == Some(RoundsEnd::Interrupted)
    }

    /// Returns true if all rounds came to their end.
    pub fn is_finished(&self) -> bool {
        self.end.is_some() && !self.is_interrupted()
    }

    /// True if a contestant could not run, or not to the end, or answered wrongly.
    pub fn has_failures(&self) -> bool {
        let mut records = self.records.iter();
        records.any(|record| record.failure.is_some() || record.wrong_replies().is_some())
    }
}

/// Everything that one contestant did.
#[derive(Clone, Debug)]
pub struct ContestantRuns {
    /// The contestant.
    pub contestant: Contestant,
    /// Its run in each round; `None` where it has none.
    pub runs: Vec<Option<RunFigures>>,
    /// The round (from 0) in which it failed, and why. It takes no part in later ones.
    pub failure: Option<(usize, Failure)>,
}

impl ContestantRuns {
    /// The runs of the rounds in which it has one.
    pub(super) fn runs(&self) -> impl Iterator<Item = &RunFigures> {
        self.runs.iter().flatten()
    }

    /// The first round whose replies had other statuses or bodies than the expected ones.
    pub(super) fn wrong_replies(&self) -> Option<(usize, &load::Warning)> {
        let rounds = self.runs.iter().enumerate();
        rounds
            .filter_map(|(round, run)| Some((round, run.as_ref()?.wrong_replies()?)))
            .next()
    }

    /// True if it has not failed, and answered as expected.
    pub(super) fn is_judged(&self) -> bool {
        self.failure.is_none() && self.wrong_replies().is_none()
    }

    /// The reason for which it is out, with the round unless that is the first.
    pub(super) fn reason(&self) -> Option<String> {
        let wrong = self.wrong_replies();
        let (round, reason) = match (&self.failure, wrong) {
            (Some((round, failure)), _) => (*round, failure.to_string()),
            (None, Some((round, warning))) => (round, warning.to_string()),
            (None, None) => return None,
        };
        Some(match round {
            0 => reason,
            round => format!("in round {}: {reason}", round + 1),
        })
    }
}

/// The reason for which rounds ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RoundsEnd {
    /// As many as were asked for were held.
    Planned,
    /// Every ratio is known to the precision asked for.
    Precise,
    /// The largest number of rounds was reached before.
    RoundsMax,
    /// The time was over before.
    TimeMax,
    /// No contestant is left that could have a ratio.
    NothingToJudge,
    /// It was stopped from outside.
    Interrupted,
}

/// The place of the chosen reference if it ran and answered as expected, else of the first that
/// did. A duet has no other than the one in it.
pub(super) fn reference(records: &[ContestantRuns], plan: &ComparisonPlan) -> Option<usize> {
    let is_usable = |&index: &usize| {
        let record = &records[index];
        record.runs().next().is_some() && record.wrong_replies().is_none()
    };
    if plan.settings().duet {
        return Some(plan.reference_expected()).filter(is_usable);
    }
    let chosen = plan.reference().unwrap_or(DEFAULT_REFERENCE);
    let mut usable = (0..records.len()).filter(is_usable);
    usable
        .clone()
        .find(|&index| records[index].contestant.name() == chosen)
        .or_else(|| usable.next())
}

/// Runs from the reference's to the contestant's, in a round in which both ran.
pub(super) fn slots_apart(
    records: &[ContestantRuns],
    round: usize,
    contestant: usize,
    reference: usize,
    seed: u32,
) -> i32 {
    let mut order = schedule::order(records.len(), round, seed);
    order.retain(|&index| records[index].runs[round].is_some());
    schedule::slots_apart(&order, contestant, reference).unwrap_or(0)
}
