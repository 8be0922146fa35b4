//! The geometric mean of a figure over rounds, with its uncertainty.

use super::{Estimate, INTERVAL_ROUNDS_MIN, Interval, Summary, Uncertainty};

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
        let is_positive = |value: &f64| *value > 0.0 && value.is_finite();
        if !values.iter().all(is_positive) {
            return None;
        }
        let Summary { mean, min, max, .. } = Summary::of(values)?;
        let log = |value: &f64| (value / mean).ln();
        Some(GeometricMean {
            mean,
            uncertainty: match values.len() {
                1 => Uncertainty::Unknown,
                2..INTERVAL_ROUNDS_MIN => Uncertainty::Range(Interval {
                    low: min,
                    high: max,
                }),
                _ => {
                    let logs: Vec<f64> = values.iter().map(log).collect();
                    let of_mean = Estimate::of_mean(&logs)?.interval(0.95).exp();
                    Uncertainty::Confidence(Interval {
                        low: mean * of_mean.low,
                        high: mean * of_mean.high,
                    })
                }
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
        assert_eq!(GeometricMean::of(&[1.0, f64::NAN]), None);
        assert_eq!(GeometricMean::of(&[1.0, 0.0]), None);
    }

    #[test]
    fn the_mean_of_equal_values_is_that_value_to_the_last_bit() {
        for value in [1000.0, 0.1, 3.0e9, 1.0 / 3.0] {
            let of_equals = GeometricMean::of(&[value; 6]).unwrap();
            let bounds = of_equals.bounds().unwrap();
            assert_eq!(
                (bounds.low, of_equals.mean, bounds.high),
                (value, value, value)
            );
        }
    }
}
