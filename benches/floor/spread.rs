//! The spread of a figure over the rounds.

use std::fmt::{self, Display, Formatter};

pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

impl Spread {
    /// There is at least one figure, because there is at least one round.
    pub fn of(figures: impl Iterator<Item = f64>) -> Spread {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len() - 1;
        let median = (sorted[last / 2] + sorted[sorted.len() / 2]) / 2.0;
        Spread {
            min: sorted[0],
            median,
            max: sorted[last],
        }
    }
}

/// The median, and the range: 25 columns, three decimals.
impl Display for Spread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let range = format!("{:.3} .. {:.3}", self.min, self.max);
        write!(f, "{:>8.3} {range:>16}", self.median)
    }
}
