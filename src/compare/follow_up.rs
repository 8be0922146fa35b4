//! The parts after the rounds, which are sweeps and then searches, and the time that they take.

use std::time::Duration;

use super::plan::{ComparisonPlan, times};
use super::search::SearchPlan;
use super::sweep::SweepPlan;
use crate::load::find_rate::search::TRIALS_MAX;

/// The parts after the rounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FollowUp {
    /// In this order.
    pub sweeps: Vec<SweepPlan>,
    /// After the sweeps.
    pub search: Option<SearchPlan>,
}

impl FollowUp {
    /// Sweeps, and the search.
    pub fn parts(&self) -> usize {
        self.sweeps.len() + usize::from(self.search.is_some())
    }

    /// Walks of all sweeps with this number of rounds.
    pub fn walks(&self, plan: &ComparisonPlan, rounds: usize) -> usize {
        let each = self.sweeps.len().saturating_mul(rounds);
        each.saturating_mul(plan.contestants().len())
    }

    /// The least time that these walks take: warm-ups and windows.
    pub fn sweep_time(&self, plan: &ComparisonPlan, rounds: usize) -> Duration {
        let loads: usize = self.sweeps.iter().map(SweepPlan::loads).sum();
        let each = loads.saturating_mul(rounds);
        times(
            plan.run_time(),
            each.saturating_mul(plan.contestants().len()),
        )
    }

    /// The time of all trials of all searches, if none is longer than the plan says: at most so
    /// many are made.
    pub fn search_time_max(&self, plan: &ComparisonPlan) -> Duration {
        let Some(search) = &self.search else {
            return Duration::ZERO;
        };
        let each = times(search.trial_time(), TRIALS_MAX);
        let with_warm_up = each.saturating_add(plan.settings().warmup);
        times(with_warm_up, plan.contestants().len())
    }
}
