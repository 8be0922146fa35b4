//! The ratio of one contestant to the reference, paired by round.
//!
//! Both runs of a pair are close in time, so that slow drift of the machine cancels.

use super::drift::{DriftFit, LogRatio};
use super::{Estimate, Interval, Summary};

/// Fewer rounds give no interval: their spread is a range.
pub const INTERVAL_ROUNDS_MIN: usize = 6;

/// The bounds of a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Uncertainty {
    /// A single round: nothing is known of the spread.
    Unknown,
    /// The smallest and the largest ratio of a round: too few rounds for a statement of
    /// confidence.
    Range(Interval),
    /// The true ratio lies within, with a stated confidence.
    Confidence(Interval),
}

/// The figures of one round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedRound {
    /// The contestant's figure.
    pub contestant: f64,
    /// The reference's figure.
    pub reference: f64,
    /// Runs from the reference's place in the round to the contestant's; negative if the
    /// contestant ran first, 0 if unknown.
    pub slots_apart: i32,
}

/// The ratio of a contestant's figure to the reference's, over the rounds in which both ran.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedRatio {
    /// Median, smallest and largest of the rounds' ratios.
    pub summary: Summary,
    /// The ratio of each round in which both ran; at least one.
    pub rounds: Vec<f64>,
    /// Mean of ln(contestant / reference), free from linear drift; `None` with a single round.
    pub log_mean: Option<Estimate>,
}

impl PairedRatio {
    /// `None` without rounds, or if a figure is not a positive number.
    pub fn of_rounds(rounds: &[PairedRound]) -> Option<PairedRatio> {
        let is_positive = |figure: f64| figure > 0.0 && figure.is_finite();
        let usable = |r: &PairedRound| is_positive(r.contestant) && is_positive(r.reference);
        if !rounds.iter().all(usable) {
            return None;
        }
        let ratios: Vec<f64> = rounds.iter().map(|r| r.contestant / r.reference).collect();
        let evidence = |(round, ratio): (&PairedRound, &f64)| LogRatio {
            log_ratio: ratio.ln(),
            slots_apart: round.slots_apart,
            weight: 1.0,
        };
        let evidence: Vec<_> = std::iter::zip(rounds, &ratios).map(evidence).collect();
        Some(PairedRatio {
            summary: Summary::of(&ratios)?,
            rounds: ratios,
            log_mean: DriftFit::of_rounds(&evidence).estimate(),
        })
    }

    /// The geometric mean of the rounds' ratios, free from linear drift.
    pub fn mean(&self) -> f64 {
        match self.log_mean {
            Some(estimate) => estimate.mean.exp(),
            None => self.summary.median,
        }
    }

    /// The bounds to show beside the mean; the interval is at `confidence`.
    pub fn uncertainty(&self, confidence: f64) -> Uncertainty {
        match (self.log_mean, self.interval_estimate()) {
            (None, _) => Uncertainty::Unknown,
            (Some(_), None) => Uncertainty::Range(Interval {
                low: self.summary.min,
                high: self.summary.max,
            }),
            (Some(_), Some(estimate)) => {
                Uncertainty::Confidence(estimate.interval(confidence).exp())
            }
        }
    }

    /// The evidence, if it is of enough rounds for a statement of confidence.
    pub(super) fn interval_estimate(&self) -> Option<Estimate> {
        self.log_mean
            .filter(|_| self.rounds.len() >= INTERVAL_ROUNDS_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(f64, f64)]) -> Option<PairedRatio> {
        let round = |&(contestant, reference)| PairedRound {
            contestant,
            reference,
            slots_apart: 0,
        };
        PairedRatio::of_rounds(&pairs.iter().map(round).collect::<Vec<_>>())
    }

    #[test]
    fn figures_that_are_not_positive_have_no_ratio() {
        for pairs in [&[][..], &[(0.0, 1.0)], &[(1.0, 0.0)], &[(1.0, f64::NAN)]] {
            assert_eq!(of(pairs), None);
        }
    }

    #[test]
    fn the_spread_of_fewer_than_six_rounds_is_a_range() {
        let one = of(&[(3.0, 1.0)]).unwrap();
        assert_eq!(one.uncertainty(0.95), Uncertainty::Unknown);
        let mut pairs = vec![(3.0, 1.0), (4.0, 1.0), (2.0, 1.0), (3.0, 1.0), (3.0, 1.0)];
        let (low, high) = (2.0, 4.0);
        let five = of(&pairs).unwrap().uncertainty(0.95);
        assert_eq!(five, Uncertainty::Range(Interval { low, high }));
        pairs.push((3.0, 1.0));
        let six = of(&pairs).unwrap().uncertainty(0.95);
        assert!(matches!(six, Uncertainty::Confidence(_)), "{six:?}");
    }

    #[test]
    fn rounds_are_paired_so_that_the_speed_of_the_machine_cancels() {
        let pairs: Vec<_> = (0..6).map(|round| 0.5f64.powi(round)).collect();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|speed| (80.0 * speed, 40.0 * speed))
            .collect();
        let ratio = of(&pairs).unwrap();
        assert_eq!(ratio.summary.median, 2.0);
        let Uncertainty::Confidence(interval) = ratio.uncertainty(0.95) else {
            panic!("six rounds");
        };
        assert!((interval.low - 2.0).abs() < 1e-9 && (interval.high - 2.0).abs() < 1e-9);
    }
}
