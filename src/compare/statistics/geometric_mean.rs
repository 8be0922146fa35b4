//! The geometric mean of a figure over rounds, with its uncertainty.

use super::{Estimate, INTERVAL_ROUNDS_MIN, Interval, Uncertainty};

/// The geometric mean of a positive figure, one value of each round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeometricMean {
    /// The mean itself.
    pub mean: f64,
    /// Interval with 95 % confidence from six rounds on, range below.
    pub uncertainty: Uncertainty,
}

impl GeometricMean {
    /// `None` without values, or if one is not positive.
    pub fn of(values: &[f64]) -> Option<GeometricMean> {
        let log = |value: &f64| (*value > 0.0 && value.is_finite()).then(|| value.ln());
        let logs: Vec<f64> = values.iter().map(log).collect::<Option<_>>()?;
        let range = Interval {
            low: logs.iter().copied().reduce(f64::min)?,
            high: logs.iter().copied().reduce(f64::max)?,
        };
        Some(GeometricMean {
            mean: (logs.iter().sum::<f64>() / logs.len() as f64).exp(),
            uncertainty: match logs.len() {
                1 => Uncertainty::Unknown,
                2..INTERVAL_ROUNDS_MIN => Uncertainty::Range(range.exp()),
                _ => Uncertainty::Confidence(Estimate::of_mean(&logs)?.interval(0.95).exp()),
            },
        })
    }

    /// The interval or the range; `None` with a single round.
    pub fn bounds(&self) -> Option<Interval> {
        match self.uncertainty {
            Uncertainty::Unknown => None,
            Uncertainty::Range(bounds) | Uncertainty::Confidence(bounds) => Some(bounds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_a_range_below_six_rounds_and_an_interval_from_six_on() {
        let of = |values: &[f64]| GeometricMean::of(values).unwrap();
        assert_eq!(of(&[7.0]).bounds(), None);
        let two = of(&[2.0, 8.0]);
        assert!((two.mean - 4.0).abs() < 1e-9);
        assert!(matches!(two.uncertainty, Uncertainty::Range(range) if range.contains(2.1)));
        let six = of(&[2.0, 8.0, 2.0, 8.0, 2.0, 8.0]);
        let Uncertainty::Confidence(interval) = six.uncertainty else {
            panic!("{six:?}");
        };
        // ln 4 ± t(0.975, 5) · s / √6, s = ln 2 · √1.2.
        let half = 2.570_582 * 2f64.ln() * (1.2_f64 / 6.0).sqrt();
        assert!((interval.high.ln() - (4f64.ln() + half)).abs() < 1e-5);
        assert_eq!(GeometricMean::of(&[]), None);
        assert_eq!(GeometricMean::of(&[1.0, 0.0]), None);
    }
}
