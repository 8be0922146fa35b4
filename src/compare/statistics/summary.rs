//! The means and the range of a figure over rounds.

/// A figure over the rounds, none of them negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The geometric mean: ratios of means are means of ratios.
    pub mean: f64,
    /// The middle value; with an even number, the mean of the middle two.
    pub median: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Summary {
    /// Sums up `values`; `None` if there are none.
    pub fn of(values: &[f64]) -> Option<Summary> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        };
        // Relative to one of them, so that the mean of equal values is exactly that value.
        let logs: f64 = sorted.iter().map(|value| (value / min).ln()).sum();
        let mean = match min > 0.0 {
            true => (min * (logs / sorted.len() as f64).exp()).min(max),
            // The geometric mean with a zero in it.
            false => 0.0,
        };
        Some(Summary {
            mean,
            median,
            min,
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_summary() {
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn a_geometric_mean_with_a_zero_in_it_is_zero() {
        for (values, max) in [
            (&[0.0, 2.0][..], 2.0),
            (&[0.0, 0.0, 0.4], 0.4),
            (&[0.0], 0.0),
        ] {
            let summary = Summary::of(values).unwrap();
            assert_eq!((summary.mean, summary.max), (0.0, max), "{values:?}");
        }
    }

    #[test]
    fn a_summary_is_right_for_odd_and_even_numbers_in_any_order() {
        for (values, mean, median, max) in [
            (&[4.0, 1.0, 2.0][..], 2.0, 2.0, 4.0),
            (&[8.0, 1.0, 4.0, 2.0], 8_f64.sqrt(), 3.0, 8.0),
        ] {
            let summary = Summary::of(values).unwrap();
            assert!((summary.mean - mean).abs() < 1e-9, "{summary:?}");
            assert_eq!((summary.median, summary.min), (median, 1.0));
            assert_eq!(summary.max, max);
        }
    }
}
