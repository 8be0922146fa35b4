//! A search for the highest rate, on the page.

use super::{COLOUR, words};
use crate::load::find_rate::{FindRateReport, TrialReport};
use crate::page::{At, Search, SearchTrial};

/// The search `found` and its trials, whose JSON stands under `root`.
pub(super) fn of(found: &FindRateReport, root: &At) -> Search {
    let at = root.key("findRate");
    let trials = at.key("trials");
    let trials = std::iter::zip(&found.trials, trials.elements());
    Search {
        name: words(&root.key("url")),
        contestant: COLOUR,
        objective: at.key("objective").text(),
        rate: at.key("rate").figure(),
        bound_ms: at.key("boundMs").figure(),
        within: at.key("bracket").index(0).figure(),
        beyond: at.key("bracket").index(1).figure(),
        limit: at.key("limit").text(),
        reason: found.failure().map(Into::into),
        trials: trials.filter_map(|(found, at)| trial(found, &at)).collect(),
    }
}

fn trial(found: &TrialReport, at: &At) -> Option<SearchTrial> {
    Some(SearchTrial {
        rate: at.key("rate").figure()?,
        value_ms: at.key("valueMs").figure(),
        purpose: at.key("purpose").text()?,
        client_late: found.client_late,
    })
}
