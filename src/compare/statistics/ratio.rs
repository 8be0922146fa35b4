//! The ratio of two contestants' figures, and what the rounds say about it.

use serde::Serialize;

use super::{Estimate, Interval, Summary};

/// Fewer rounds give no interval: their spread is a range.
pub const INTERVAL_ROUNDS_MIN: usize = 6;

/// The uncertainty of a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Uncertainty {
    /// A single round: nothing is known of the spread.
    Unknown,
    /// The smallest and the largest ratio of a round: too few rounds for a statement of
    /// confidence.
    Range(Interval),
    /// The true ratio lies within, with 95 % confidence.
    Confidence(Interval),
}

/// A contestant's figure divided by the reference's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The geometric mean of the rounds' ratios: the geometric mean of the contestant's figures
    /// divided by that of the reference's.
    pub mean: f64,
    /// The median of the rounds' ratios.
    pub median: f64,
    /// How much the rounds agree.
    pub uncertainty: Uncertainty,
}

/// What the rounds say about a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Finding {
    /// The 95 % interval excludes 1.
    Different,
    /// The 95 % interval includes 1.
    Undecided,
    /// Fewer than [`INTERVAL_ROUNDS_MIN`] rounds.
    TooFewRounds,
}

impl Ratio {
    /// The ratio of `(contestant, reference)` figures, each pair from one round, all positive.
    ///
    /// Both of a pair ran within the same minute, so that slow drift of the machine cancels. The
    /// interval is Student's, of the mean of ln(contestant / reference):
    /// exp(mean ± t(0.975, n - 1) · s / √n), with s the sample standard deviation.
    ///
    /// `None` without pairs, or if a figure is not positive.
    pub fn of_pairs(pairs: &[(f64, f64)]) -> Option<Ratio> {
        if pairs
            .iter()
            .any(|&(ours, theirs)| ours <= 0.0 || theirs <= 0.0)
        {
            return None;
        }
        let ratios: Vec<f64> = pairs.iter().map(|(ours, theirs)| ours / theirs).collect();
        let summary = Summary::of(&ratios)?;
        let logs: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
        let uncertainty = match ratios.len() {
            1 => Uncertainty::Unknown,
            2..INTERVAL_ROUNDS_MIN => Uncertainty::Range(Interval {
                low: summary.min,
                high: summary.max,
            }),
            _ => {
                let estimate = Estimate::of_mean(&logs)?;
                Uncertainty::Confidence(estimate.interval(0.95).exp())
            }
        };
        Some(Ratio {
            mean: summary.mean,
            median: summary.median,
            uncertainty,
        })
    }

    /// What the rounds say.
    pub fn finding(&self) -> Finding {
        match self.uncertainty {
            Uncertainty::Unknown | Uncertainty::Range(_) => Finding::TooFewRounds,
            Uncertainty::Confidence(interval) => match interval.contains(1.0) {
                true => Finding::Undecided,
                false => Finding::Different,
            },
        }
    }

    /// The interval or the range, whichever it has.
    pub fn interval(&self) -> Option<Interval> {
        match self.uncertainty {
            Uncertainty::Unknown => None,
            Uncertainty::Range(interval) | Uncertainty::Confidence(interval) => Some(interval),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-5, "{left} is not {right}");
    }

    #[test]
    fn nothing_has_no_ratio() {
        assert_eq!(Ratio::of_pairs(&[]), None);
        assert_eq!(Ratio::of_pairs(&[(0.0, 1.0)]), None);
        assert_eq!(Ratio::of_pairs(&[(1.0, 0.0)]), None);
    }

    #[test]
    fn one_round_gives_a_ratio_and_no_claim() {
        let ratio = Ratio::of_pairs(&[(30.0, 10.0)]).unwrap();
        close(ratio.mean, 3.0);
        assert_eq!(ratio.uncertainty, Uncertainty::Unknown);
        assert_eq!(ratio.finding(), Finding::TooFewRounds);
    }

    #[test]
    fn few_rounds_give_a_range_and_no_claim_of_confidence() {
        let pairs = [(4.0, 2.0), (12.0, 4.0), (5.0, 1.0), (4.0, 1.0), (4.0, 1.0)];
        let ratio = Ratio::of_pairs(&pairs).unwrap();
        let range = Interval {
            low: 2.0,
            high: 5.0,
        };
        assert_eq!(ratio.uncertainty, Uncertainty::Range(range));
        assert_eq!(ratio.finding(), Finding::TooFewRounds);
    }

    #[test]
    fn the_interval_is_students_over_log_ratios() {
        // ln r = -1, -1, 0, 0, 1, 1 times ln 2: mean 0, s = ln 2 · √0.8.
        let pairs = [0.5, 0.5, 1.0, 1.0, 2.0, 2.0].map(|ratio| (ratio * 10.0, 10.0));
        let ratio = Ratio::of_pairs(&pairs).unwrap();
        let half = 2.570_582 * (0.8_f64 / 6.0).sqrt();
        let interval = ratio.interval().unwrap();
        close(ratio.mean, 1.0);
        close(interval.low, 2f64.powf(-half));
        close(interval.high, 2f64.powf(half));
        assert_eq!(ratio.finding(), Finding::Undecided);
    }

    #[test]
    fn ratios_are_paired_by_round_so_that_drift_cancels() {
        // The machine halves its speed each round; the contestant is always twice as fast.
        let pairs: Vec<(f64, f64)> = (0..6)
            .map(|round| 2f64.powi(-round))
            .map(|speed| (80.0 * speed, 40.0 * speed))
            .collect();
        let ratio = Ratio::of_pairs(&pairs).unwrap();
        close(ratio.mean, 2.0);
        close(ratio.interval().unwrap().low, 2.0);
        close(ratio.interval().unwrap().high, 2.0);
        assert_eq!(ratio.finding(), Finding::Different);
        let inverse: Vec<_> = pairs.iter().map(|&(a, b)| (b, a)).collect();
        let inverse = Ratio::of_pairs(&inverse).unwrap();
        close(inverse.mean, 0.5);
        assert_eq!(inverse.finding(), Finding::Different);
    }

    #[test]
    fn the_ratio_of_the_means_is_the_mean_of_the_ratios() {
        let pairs = [(4606.0, 710_639.0), (6123.0, 892_610.0), (5000.0, 1e6)];
        let column = |of: fn(&(f64, f64)) -> f64| {
            let values: Vec<f64> = pairs.iter().map(of).collect();
            Summary::of(&values).unwrap().mean
        };
        let ratio = Ratio::of_pairs(&pairs).unwrap();
        close(ratio.mean, column(|pair| pair.0) / column(|pair| pair.1));
    }
}
