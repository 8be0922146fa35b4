//! The median and the range of a figure over rounds.

/// A figure over the rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
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
        Some(Summary { median, min, max })
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
    fn a_summary_is_exact_for_odd_and_even_numbers_in_any_order() {
        let odd = Summary::of(&[3.0, 1.0, 2.0]);
        assert_eq!(
            odd,
            Some(Summary {
                median: 2.0,
                min: 1.0,
                max: 3.0
            })
        );
        let even = Summary::of(&[8.0, 1.0, 4.0, 2.0]);
        assert_eq!(
            even,
            Some(Summary {
                median: 3.0,
                min: 1.0,
                max: 8.0
            })
        );
    }
}
