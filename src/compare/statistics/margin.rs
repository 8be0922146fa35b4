//! The margin of `--same-within` and `--precision`.

/// A relative difference: of ratios that count as the same, or to either side of a ratio that
/// counts as precise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margin(f64);

impl Margin {
    /// The narrowest margin.
    pub const SMALLEST: Margin = Margin(f64::MIN_POSITIVE);

    /// `share` is 0.02 for 2 %. `None` unless it is positive and finite.
    pub fn new(share: f64) -> Option<Margin> {
        (share > 0.0 && share.is_finite()).then_some(Margin(share))
    }

    /// As given: 0.02 for 2 %.
    pub fn share(self) -> f64 {
        self.0
    }

    /// ln(1 + m): the same distance in both directions.
    pub fn log(self) -> f64 {
        self.0.ln_1p()
    }
}
