//! The number of further rounds after which an undecided comparison would probably be decided.
//!
//! Given the mean of the k rounds so far, the mean after n rounds is distributed around it with
//! variance s² (1/k - 1/n), by Student's t because s is estimated too. A number of rounds decides
//! if that later mean is so far from 0 that the servers are 'different', or so near that they are
//! 'the same within the margin'. The result is the smallest even number that decides with a
//! probability of 80 %. Where the noise is many times the margin, the first rounds give little
//! information, and identical servers need more rounds than this number.

use std::num::NonZeroUsize;

use super::estimate::{t_quantile, t_upper_tail};
use super::{Estimate, INTERVAL_ROUNDS_MIN, Margin, PairedRatio};

/// Probability with which the rounds named should decide.
const POWER: f64 = 0.8;
/// No larger total is named.
const ROUNDS_MAX: usize = 10_000;

/// Even in total. `alpha` is the error probability of each claim. `None` with a single round.
pub(super) fn rounds_needed(
    ratio: &PairedRatio,
    margin: Margin,
    alpha: f64,
) -> Option<NonZeroUsize> {
    let estimate = ratio.log_mean?;
    let decides = |pairs: usize| {
        probability_of_decision(&estimate, ratio.rounds.len(), 2 * pairs, margin, alpha) >= POWER
    };
    let fewest = (ratio.rounds.len() / 2 + 1).max(INTERVAL_ROUNDS_MIN.div_ceil(2));
    let (mut low, mut high) = (fewest, fewest.max(ROUNDS_MAX / 2));
    while low < high {
        let middle = low.midpoint(high);
        match decides(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    NonZeroUsize::new(2 * high - ratio.rounds.len())
}

fn probability_of_decision(
    estimate: &Estimate,
    rounds: usize,
    total: usize,
    margin: Margin,
    alpha: f64,
) -> f64 {
    let (now, later) = (rounds as f64, total as f64);
    let deviation = estimate.standard_error * now.sqrt();
    let degrees = estimate.degrees + later - now;
    let half = |probability: f64| t_quantile(probability, degrees) * deviation / later.sqrt();
    let different_from = half(1.0 - alpha / 2.0);
    let same_until = margin.log() - half(1.0 - alpha);
    if same_until >= different_from {
        return 1.0;
    }
    let spread = deviation * (1.0 / now - 1.0 / later).sqrt();
    let above = |limit: f64| t_upper_tail((limit - estimate.mean) / spread, estimate.degrees);
    let outside = above(different_from) + 1.0 - above(-different_from);
    let inside = (above(-same_until) - above(same_until)).max(0.0);
    outside + inside
}
