//! The outcome of a search, in the shape of its JSON.

use serde::Serialize;

use super::search::{ERROR_CHANCE, Found, Purpose};
use crate::format::rate;

/// The result of a search, and its trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindRateReport {
    /// The objective, such as `p99<5ms`.
    pub objective: String,
    /// Seed of the first trial, less 1: each trial counts on from the one before.
    pub seed: u64,
    /// The signed rate, requests per second; `None` if there is none.
    pub rate: Option<f64>,
    /// One-sided upper bound of the objective's latency at that rate, milliseconds.
    pub bound_ms: Option<f64>,
    /// Confidence of the bound.
    pub bound_confidence: f64,
    /// The highest rate with a trial within the limit below every failed one, and the lowest rate
    /// with a failed one.
    pub bracket: [Option<f64>; 2],
    /// A trial was beyond the limit, if only once.
    #[serde(skip)]
    pub any_beyond: bool,
    /// The end of the search.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Every trial, in order.
    pub trials: Vec<TrialReport>,
}

/// One trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrialReport {
    /// Requests due per second.
    pub rate: f64,
    /// The objective's latency, milliseconds; of a percentile, that of a longer run. `None` if it is
    /// not bounded, or if replies were wrong.
    pub value_ms: Option<f64>,
    /// Reason for making it.
    pub purpose: Purpose,
    /// The client was late though a slot was free.
    pub client_late: bool,
}

/// The end of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Outcome {
    /// A rate was signed, and a higher one fails.
    Found,
    /// A rate was signed, and the server may do more.
    AtLeast {
        /// The obstacle.
        limit: Limit,
    },
    /// No trial met the objective.
    NotMet,
    /// Some trials met it, but no rate passed on fresh trials.
    Unsigned,
    /// The server did not accept a connection in mid-search.
    ServerGone {
        /// The error.
        cause: String,
    },
    /// A stop signal came.
    Interrupted,
}

/// Obstacles, other than the server, that keep a search from higher rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// The client was late in the trials that failed.
    Client,
    /// The last doubling of the rate was still within the objective.
    Trials,
}

impl Outcome {
    pub(super) fn of(found: &Found, trials: &[TrialReport]) -> Outcome {
        match (found.signed, found.bracket) {
            (None, _) if !found.any_within => Outcome::NotMet,
            (None, _) => Outcome::Unsigned,
            (Some(_), (_, None)) => Outcome::AtLeast {
                limit: Limit::Trials,
            },
            (Some(_), (_, Some(high))) => {
                let mut lowest_failed = trials.iter().filter(|trial| trial.rate == high);
                match lowest_failed.any(|trial| trial.client_late) {
                    true => Outcome::AtLeast {
                        limit: Limit::Client,
                    },
                    false => Outcome::Found,
                }
            }
        }
    }
}

impl FindRateReport {
    pub(super) fn new(
        objective: String,
        seed: u64,
        found: &Found,
        outcome: Outcome,
        trials: Vec<TrialReport>,
    ) -> FindRateReport {
        FindRateReport {
            objective,
            seed,
            rate: found.signed.map(|signed| signed.rate),
            bound_ms: found.signed.map(|signed| signed.bound / 1e6),
            bound_confidence: 1.0 - ERROR_CHANCE,
            bracket: [found.bracket.0, found.bracket.1],
            any_beyond: found.any_beyond,
            outcome,
            trials,
        }
    }

    /// The reason why no rate was signed; `None` if one was.
    pub fn failure(&self) -> Option<String> {
        let objective = &self.objective;
        Some(match &self.outcome {
            Outcome::Found | Outcome::AtLeast { .. } => return None,
            Outcome::NotMet => {
                let lowest = self.trials.iter().map(|trial| trial.rate);
                let lowest = rate(lowest.fold(f64::INFINITY, f64::min));
                format!(
                    "no trial was within {objective}, down to {lowest} requests/s; raise the \
                     limit, start lower with -R, or make the trials longer with --trial-duration"
                )
            }
            Outcome::Unsigned => format!(
                "no rate passed {objective} on fresh trials; make them longer with --trial-duration"
            ),
            Outcome::ServerGone { cause } => format!("the server went away: {cause}"),
            Outcome::Interrupted => "interrupted before a rate was found".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::find_rate::search::{Signed, Trial};

    fn found(signed: bool, bracket: (Option<f64>, Option<f64>)) -> Found {
        Found {
            signed: signed.then_some(Signed {
                rate: 900.0,
                bound: 4e6,
            }),
            bracket,
            any_within: bracket.0.is_some(),
            any_beyond: bracket.1.is_some(),
            trials: Vec::<Trial>::new(),
        }
    }

    fn trial(rate: f64, client_late: bool) -> TrialReport {
        TrialReport {
            rate,
            value_ms: Some(6.0),
            purpose: Purpose::Bracket,
            client_late,
        }
    }

    #[test]
    fn an_outcome_says_whether_the_server_was_the_limit() {
        let both = (Some(900.0), Some(1000.0));
        let of = |signed, bracket, late| {
            let trials = [trial(4000.0, true), trial(1000.0, late)];
            Outcome::of(&found(signed, bracket), &trials)
        };
        assert_eq!(of(true, both, false), Outcome::Found);
        let limit = Limit::Client;
        assert_eq!(of(true, both, true), Outcome::AtLeast { limit });
        let limit = Limit::Trials;
        let open = (Some(900.0), None);
        assert_eq!(of(true, open, false), Outcome::AtLeast { limit });
        assert_eq!(of(false, both, false), Outcome::Unsigned);
        assert_eq!(of(false, (None, Some(1.0)), false), Outcome::NotMet);
        // A trial passed, but at a rate above one that failed.
        let crossed = Found {
            any_within: true,
            ..found(false, (None, Some(1.0)))
        };
        assert_eq!(Outcome::of(&crossed, &[]), Outcome::Unsigned);
    }

    #[test]
    fn a_report_tells_its_bound_in_milliseconds_and_how_sure_it_is() {
        let found = found(true, (Some(900.0), Some(1000.0)));
        let report =
            FindRateReport::new("p99<5ms".to_owned(), 7, &found, Outcome::Found, Vec::new());
        assert_eq!((report.rate, report.bound_ms), (Some(900.0), Some(4.0)));
        assert_eq!(report.bound_confidence, 0.8);
        assert_eq!(report.bracket, [Some(900.0), Some(1000.0)]);
        assert_eq!(report.failure(), None);
    }

    #[test]
    fn a_search_without_a_rate_tells_the_reason() {
        let failure = |outcome| {
            let trials = vec![trial(4000.0, false), trial(1000.0, false)];
            let found = found(false, (None, Some(1000.0)));
            let report = FindRateReport::new("p99<5ms".to_owned(), 7, &found, outcome, trials);
            report.failure().expect("it has no rate")
        };
        let not_met = failure(Outcome::NotMet);
        assert!(
            not_met.starts_with("no trial was within p99<5ms, down to 1,000 "),
            "{not_met}"
        );
        assert!(failure(Outcome::Unsigned).starts_with("no rate passed p99<5ms"));
        let cause = "refused".to_owned();
        assert_eq!(
            failure(Outcome::ServerGone { cause }),
            "the server went away: refused"
        );
        assert!(failure(Outcome::Interrupted).starts_with("interrupted"));
    }
}
