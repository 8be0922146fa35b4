//! The three answers of a comparison: different, the same within a margin, or undecided.
//!
//! *Different*: the 95 % interval of the ratio excludes 1. *The same within m*: two one-sided
//! tests at 5 % reject a difference of m or more, that is, the 90 % interval lies inside
//! [1/(1+m), 1+m] (TOST, Schuirmann 1987). Both may be true at once. If no difference was found,
//! that alone is no evidence that there is none.
//!
//! With several contestants against one reference, 5 % is the probability that *any* claim of a
//! kind is wrong: p values are judged by Holm's step-down rule (1979). The intervals shown are
//! Bonferroni's, at 1 - 5 %/k, which hold simultaneously. Holm's rule rejects a little more than
//! these intervals do. In such a case the interval is cut at 1, because Holm's rule says no more
//! about the size of that difference. So an interval excludes 1, or ends there, if and only if the
//! answer is 'different'.

use std::num::NonZeroUsize;

use super::margin::Margin;
use super::{Estimate, Interval, PairedRatio, Uncertainty, rounds_needed};

/// Probability of a wrong claim of each kind, over all contestants.
pub(super) const ALPHA: f64 = 0.05;

/// The side on which a contestant lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It has more than the reference.
    More,
    /// It has less than the reference.
    Less,
}

/// Finding of the rounds about a contestant and the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Different; by less than the margin or by more.
    Different(Direction),
    /// Different, but by less than the margin.
    DifferentWithinMargin(Direction),
    /// The same within the margin.
    Same,
    /// Neither can be said, or too few rounds ran for any statement of confidence.
    Undecided {
        /// About this many more rounds would decide; `None` if a single round ran, which knows
        /// nothing of its own spread.
        more_rounds: Option<NonZeroUsize>,
    },
}

/// An answer with the bounds that belong to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// The answer.
    pub answer: Answer,
    /// Of the ratio. An interval holds simultaneously with those of the other contestants.
    pub uncertainty: Uncertainty,
}

/// Judges each of several contestants against their common reference, after a number of rounds
/// that was fixed beforehand.
pub fn judge(ratios: &[PairedRatio], margin: Margin) -> Vec<Judgement> {
    judge_at(ratios, margin, ALPHA)
}

/// The same with `alpha` as the probability of a wrong claim of each kind. Rounds that were ended
/// by what they said have to be judged at [`super::stopping::ALPHA_WORKING`].
pub fn judge_at(ratios: &[PairedRatio], margin: Margin, alpha: f64) -> Vec<Judgement> {
    let alpha_each = alpha / ratios.len().max(1) as f64;
    let means: Vec<_> = ratios.iter().map(PairedRatio::interval_estimate).collect();
    std::iter::zip(ratios, claims_at(&means, margin, alpha))
        .map(|(ratio, claims)| {
            let uncertainty = ratio.uncertainty(1.0 - alpha_each);
            Judgement {
                answer: match (claims.different, claims.same) {
                    (Some(direction), false) => Answer::Different(direction),
                    (Some(direction), true) => Answer::DifferentWithinMargin(direction),
                    (None, true) => Answer::Same,
                    (None, false) => Answer::Undecided {
                        more_rounds: rounds_needed(ratio, margin, alpha_each),
                    },
                },
                uncertainty: match claims.different {
                    Some(direction) => cut_at_one(uncertainty, direction),
                    None => uncertainty,
                },
            }
        })
        .collect()
}

/// The two things that can be claimed about a contestant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// It differs from the reference, to this side.
    pub different: Option<Direction>,
    /// It is the same within the margin.
    pub same: bool,
}

#[cfg(test)]
pub(super) fn claims(ratios: &[PairedRatio], margin: Margin) -> Vec<Claims> {
    let means: Vec<_> = ratios.iter().map(PairedRatio::interval_estimate).collect();
    claims_of_means(&means, margin)
}

/// The claims about mean log ratios; nothing is claimed where there is none.
pub(super) fn claims_of_means(means: &[Option<Estimate>], margin: Margin) -> Vec<Claims> {
    claims_at(means, margin, ALPHA)
}

fn claims_at(means: &[Option<Estimate>], margin: Margin, alpha: f64) -> Vec<Claims> {
    let p_values = |p: &dyn Fn(&Estimate) -> f64| -> Vec<f64> {
        let p_value = |mean: &Option<Estimate>| mean.as_ref().map_or(1.0, p);
        means.iter().map(p_value).collect()
    };
    let different = holm(&p_values(&|mean| mean.p_zero()), alpha);
    let same = holm(&p_values(&|mean| mean.p_beyond(margin.log())), alpha);
    let rejected = std::iter::zip(different, same);
    std::iter::zip(means, rejected)
        .map(|(mean, (different, same))| Claims {
            different: mean.filter(|_| different).map(|mean| direction(mean.mean)),
            same,
        })
        .collect()
}

/// The hypotheses that Holm's step-down rule rejects, in the order of their `p_values`.
fn holm(p_values: &[f64], alpha: f64) -> Vec<bool> {
    let mut by_p: Vec<usize> = (0..p_values.len()).collect();
    by_p.sort_by(|&one, &other| p_values[one].total_cmp(&p_values[other]));
    let mut rejected = vec![false; p_values.len()];
    for (rank, &index) in by_p.iter().enumerate() {
        if p_values[index] > alpha / (p_values.len() - rank) as f64 {
            break;
        }
        rejected[index] = true;
    }
    rejected
}

fn direction(mean: f64) -> Direction {
    match mean > 0.0 {
        true => Direction::More,
        false => Direction::Less,
    }
}

fn cut_at_one(uncertainty: Uncertainty, direction: Direction) -> Uncertainty {
    let Uncertainty::Confidence(Interval { low, high }) = uncertainty else {
        return uncertainty;
    };
    Uncertainty::Confidence(match direction {
        Direction::More => Interval {
            low: low.max(1.0),
            high,
        },
        Direction::Less => Interval {
            low,
            high: high.min(1.0),
        },
    })
}
