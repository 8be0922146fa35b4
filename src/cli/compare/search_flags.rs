//! The flags of a search for highest rates.

use std::time::Duration;

use super::given::given_as;
use crate::cli::values::duration;
use crate::compare::search::SearchPlan;
use crate::load::find_rate::RateObjective;

/// A search with each server, after the comparison.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "After the comparison")]
pub struct SearchArgs {
    /// After the comparison, find the highest rate at which each server meets an objective such as
    /// 'p99<5ms' (a percentile, mean or max), with up to 25 open-loop runs. The first is at the
    /// rate of -R [default: half of the server's speed in the comparison]
    #[arg(long, value_name = "OBJECTIVE")]
    find_rate: Option<RateObjective>,
    /// Length of each of these runs: seconds, or with a unit. It is up to ten times as long where
    /// the rate is too low to measure the percentile in that time [default: 1]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    trial_duration: Option<Duration>,
}

impl SearchArgs {
    /// The search of these flags, or of the suite where there is none.
    ///
    /// # Errors
    /// One line that names the flag or the key, and the remedy.
    pub(super) fn plan(
        &self,
        objective: Option<RateObjective>,
        trial_duration: Option<Duration>,
    ) -> Result<Option<SearchPlan>, String> {
        let name = given_as(
            "--trial-duration",
            "trial-duration",
            self.trial_duration.is_some(),
            trial_duration.is_some(),
        );
        let trial_duration = self.trial_duration.or(trial_duration);
        match (self.find_rate.or(objective), trial_duration) {
            (Some(objective), trial_duration) => Ok(Some(SearchPlan {
                objective,
                trial_duration: trial_duration.unwrap_or(Duration::from_secs(1)),
            })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(format!("{name}: needs a search; add --find-rate 'p99<5ms'")),
        }
    }
}
