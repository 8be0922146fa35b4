//! The outcome of a search in words.

use super::outcome::{FindRateReport, Limit, Outcome};
use super::search::Purpose;
use crate::format::{four_digits, milliseconds, percent};

impl FindRateReport {
    /// The outcome, one sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let lines = [self.bracket_line(), self.rate_line(), self.limit_line()];
        lines.into_iter().flatten().collect()
    }

    /// The highest rate; `None` if there is none.
    pub fn rate_line(&self) -> Option<String> {
        let at_least = match self.outcome {
            Outcome::AtLeast { .. } => "at least ",
            _ => "",
        };
        let rate = four_digits(self.rate?);
        let bound = milliseconds(self.bound_ms.unwrap_or_default());
        Some(format!(
            "Highest rate with {}: {at_least}{rate} requests/s (at most {bound} there with {} \
             confidence, on fresh trials).",
            self.objective,
            percent(self.bound_confidence)
        ))
    }

    /// The rates between which single trials began to fail; `None` if a higher one was signed.
    fn bracket_line(&self) -> Option<String> {
        let objective = &self.objective;
        let is_above = |high| self.rate.is_some_and(|rate| rate >= high);
        if self.bracket[1].is_some_and(is_above) {
            return None;
        }
        Some(match self.bracket.map(|rate| rate.map(four_digits)) {
            [Some(low), Some(high)] => format!(
                "Single trials were within {objective} up to {low} requests/s, and beyond it from \
                 {high} on."
            ),
            [Some(low), None] if self.any_beyond => {
                format!("Single trials were within {objective} up to {low} requests/s.")
            }
            [Some(low), None] => {
                format!("All trials were within {objective}, up to {low} requests/s.")
            }
            [None, Some(high)] if self.outcome == Outcome::NotMet => {
                format!("All trials were beyond {objective}, down to {high} requests/s.")
            }
            [None, Some(high)] => {
                format!("Single trials were beyond {objective} from {high} requests/s on.")
            }
            [None, None] => "No trial was completed.".to_owned(),
        })
    }

    /// The obstacle that kept the search from a higher rate, if not the server.
    fn limit_line(&self) -> Option<String> {
        let line = match self.outcome {
            Outcome::AtLeast {
                limit: Limit::Client,
            } => {
                "The client was late in the trials that failed, so it may be the limit; give it \
                 more workers (-w) or a core of its own."
            }
            Outcome::AtLeast {
                limit: Limit::Trials,
            } if self.any_beyond => "The highest rate that was tried passed; start higher with -R.",
            Outcome::AtLeast {
                limit: Limit::Trials,
            } => "No trial failed; start higher with -R.",
            Outcome::Interrupted => "Interrupted: the trials so far.",
            _ => return None,
        };
        Some(line.to_owned())
    }
}

impl Purpose {
    /// A word for it.
    pub fn word(self) -> &'static str {
        match self {
            Purpose::Bracket => "bracket",
            Purpose::Narrow => "narrow",
            Purpose::Verify => "verify",
        }
    }
}
