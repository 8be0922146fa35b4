//! The knees that are a server's own, and not those of the load generator or of wrong replies.

use super::{ContestantWalks, SweepKnee, SweepPoint, SweepResult};
use crate::compare::statistics::{Interval, Knee, Uncertainty};
use crate::compare::{Failure, Limit, RunFigures};
use crate::format::shortest;

impl From<Knee> for SweepKnee {
    fn from(knee: Knee) -> SweepKnee {
        let bounds: Option<Interval> = match knee.uncertainty {
            Uncertainty::Unknown => None,
            Uncertainty::Range(bounds) | Uncertainty::Confidence(bounds) => Some(bounds),
        };
        SweepKnee {
            load: knee.load,
            low: bounds.map(|bounds| bounds.low),
            high: bounds.map(|bounds| bounds.high),
            walks: knee.walks,
            hysteresis: knee.up_to_down.map(|interval| !interval.contains(1.0)),
        }
    }
}

impl ContestantWalks {
    /// The reason for which it is out: it could not run, or answered wrongly.
    pub(super) fn reason(&self) -> Option<String> {
        let failure = self.failure.as_ref().map(Failure::to_string);
        let mut runs = self.walks.iter().flat_map(|(_, runs)| runs);
        failure.or_else(|| {
            runs.find_map(RunFigures::wrong_replies)
                .map(ToString::to_string)
        })
    }
}

impl SweepResult {
    /// The same without a knee at or below a load at which the load generator was at its limit, and
    /// without any if the server failed: errors are often cheaper than answers.
    pub(in crate::compare) fn with_own_knees_only(mut self) -> SweepResult {
        let highest = self.client_limited().fold(0.0, f64::max);
        let has_failed = self.reason.is_some();
        let is_own = |knee: &SweepKnee| knee.load > highest && !has_failed;
        self.throughput_knee = self.throughput_knee.filter(is_own);
        self.latency_knee = self.latency_knee.filter(is_own);
        self
    }

    /// The lowest load at which the load generator was at its limit, in a line.
    pub(in crate::compare) fn client_limit_line(&self) -> Option<String> {
        let lowest = self.client_limited().reduce(f64::min)?;
        let no_knee = match self.throughput_knee {
            Some(_) => "",
            None => "no knee: ",
        };
        Some(format!(
            "{no_knee}the load generator was at its limit from {} {} on",
            shortest(lowest),
            self.variable.words()
        ))
    }

    /// The loads at which the load generator was at its limit.
    fn client_limited(&self) -> impl Iterator<Item = f64> {
        let points = self.points.iter();
        let limited = points.filter(|point| point.is_client_limited());
        limited.map(|point| point.load)
    }
}

impl SweepPoint {
    /// The load generator was at its limit in one of the walks.
    fn is_client_limited(&self) -> bool {
        self.limits.contains(&Limit::Client)
    }

    /// That in words, at the end of a line.
    pub(super) fn limit_words(&self) -> &'static str {
        match self.is_client_limited() {
            true => "  client at its limit",
            false => "",
        }
    }
}

/// Everything that was at its limit in one of `runs`.
pub(super) fn limits_of(runs: &[&RunFigures]) -> Vec<Limit> {
    let mut limits = Vec::new();
    for limit in runs.iter().flat_map(|run| run.limits()) {
        if !limits.contains(&limit) {
            limits.push(limit);
        }
    }
    limits
}
