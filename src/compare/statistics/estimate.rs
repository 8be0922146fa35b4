//! A mean with its standard error, and its intervals and tests by Student's t distribution.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A range in which the true value lies with a stated confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Interval {
    /// Returns true if `value` lies in it, bounds included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Half of the distance between the bounds.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// The interval of e^x for an interval of x.
    pub fn exp(&self) -> Interval {
        Interval {
            low: self.low.exp(),
            high: self.high.exp(),
        }
    }
}

/// An estimated mean and its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate itself.
    pub mean: f64,
    /// Standard deviation of the estimate.
    pub standard_error: f64,
    /// Degrees of freedom behind the standard error; positive, not always a whole number.
    pub degrees: f64,
}

impl Estimate {
    /// The mean of independent values; `None` with fewer than two.
    pub fn of_mean(values: &[f64]) -> Option<Estimate> {
        if values.len() < 2 {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Estimate {
            mean,
            standard_error: (squares / (count - 1.0) / count).sqrt(),
            degrees: count - 1.0,
        })
    }

    /// The difference of two independent estimates (Welch 1947, degrees by Satterthwaite).
    pub fn minus(&self, other: &Estimate) -> Estimate {
        let (ours, theirs) = (self.standard_error.powi(2), other.standard_error.powi(2));
        let sum = ours + theirs;
        let degrees = match sum > 0.0 {
            true => sum.powi(2) / (ours.powi(2) / self.degrees + theirs.powi(2) / other.degrees),
            false => self.degrees + other.degrees,
        };
        Estimate {
            mean: self.mean - other.mean,
            standard_error: sum.sqrt(),
            degrees,
        }
    }

    /// Student's two-sided interval. `confidence` lies between 0 and 1.
    pub fn interval(&self, confidence: f64) -> Interval {
        let half = t_quantile(f64::midpoint(1.0, confidence), self.degrees) * self.standard_error;
        Interval {
            low: self.mean - half,
            high: self.mean + half,
        }
    }

    /// Two-sided p value of 'the true mean is 0'.
    pub fn p_zero(&self) -> f64 {
        2.0 * self.upper_tail(self.mean.abs())
    }

    /// p value of 'the true mean is `limit` or more away from 0': the larger of two one-sided
    /// tests (TOST, Schuirmann 1987).
    pub fn p_beyond(&self, limit: f64) -> f64 {
        self.upper_tail(limit - self.mean.abs())
    }

    /// Probability of a deviation of at least `distance` to one side by chance.
    fn upper_tail(&self, distance: f64) -> f64 {
        if self.standard_error > 0.0 {
            return t_upper_tail(distance / self.standard_error, self.degrees);
        }
        // Without any spread every distance is certain.
        match distance.partial_cmp(&0.0) {
            Some(std::cmp::Ordering::Greater) => 0.0,
            Some(std::cmp::Ordering::Equal) => 0.5,
            _ => 1.0,
        }
    }
}

/// The `probability` quantile of Student's t distribution with `degrees` degrees of freedom.
pub(super) fn t_quantile(probability: f64, degrees: f64) -> f64 {
    student(degrees).inverse_cdf(probability)
}

/// The probability that Student's t is at least `t`.
pub(super) fn t_upper_tail(t: f64, degrees: f64) -> f64 {
    student(degrees).sf(t)
}

fn student(degrees: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, degrees).expect("positive degrees of freedom")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-5, "{left} is not {right}");
    }

    /// Quantiles from printed tables.
    #[test]
    fn t_quantiles_are_those_of_the_tables() {
        for (degrees, quantile) in [
            (1.0, 12.706_205),
            (2.0, 4.302_653),
            (5.0, 2.570_582),
            (30.0, 2.042_272),
            (120.0, 1.979_930),
        ] {
            close(t_quantile(0.975, degrees), quantile);
            close(t_upper_tail(quantile, degrees), 0.025);
        }
        close(t_quantile(0.95, 10.0), 1.812_461);
    }

    #[test]
    fn an_estimate_is_mean_and_standard_error() {
        assert_eq!(Estimate::of_mean(&[1.0]), None);
        let estimate = Estimate::of_mean(&[1.0, 2.0, 3.0, 6.0]).unwrap();
        close(estimate.mean, 3.0);
        close(estimate.standard_error, (14.0f64 / 3.0 / 4.0).sqrt());
        close(estimate.degrees, 3.0);
        close(estimate.interval(0.95).half_width(), 3.182_446 * 1.080_123);
    }

    #[test]
    fn p_values_and_intervals_agree() {
        let estimate = Estimate {
            mean: -1.0,
            standard_error: 0.4,
            degrees: 7.0,
        };
        let p = estimate.p_zero();
        close(estimate.interval(1.0 - p).high, 0.0);
        // TOST at 5 % is the 90 % interval within the limits.
        let p = estimate.p_beyond(1.7);
        close(estimate.interval(1.0 - 2.0 * p).low, -1.7);
        assert!(estimate.p_beyond(0.5) > 0.5);
    }

    #[test]
    fn values_without_spread_are_certain() {
        let zero = Estimate::of_mean(&[0.0, 0.0]).unwrap();
        assert_eq!((zero.p_zero(), zero.p_beyond(0.1)), (1.0, 0.0));
        let one = Estimate::of_mean(&[1.0, 1.0]).unwrap();
        assert_eq!((one.p_zero(), one.p_beyond(0.1)), (0.0, 1.0));
    }

    #[test]
    fn a_difference_has_the_degrees_of_welch_and_satterthwaite() {
        let estimate = |mean, standard_error, degrees| Estimate {
            mean,
            standard_error,
            degrees,
        };
        let difference = estimate(5.0, 0.3, 4.0).minus(&estimate(3.0, 0.4, 9.0));
        close(difference.mean, 2.0);
        close(difference.standard_error, 0.5);
        close(difference.degrees, 0.0625 / (0.0081 / 4.0 + 0.0256 / 9.0));
    }
}
