//! The ratio of two contestants' figures with its 95 % interval, as the report shows it.

use super::{Estimate, Interval, Summary};

/// How many times the reference's figure a contestant has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The median of the rounds' ratios.
    pub median: f64,
    /// `None` with a single round, which knows nothing of its own spread.
    pub interval: Option<Interval>,
}

/// What a ratio says about who has more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// More than the reference.
    More,
    /// Less than the reference.
    Less,
    /// The interval holds 1.
    Undetectable,
    /// A single round: there is no interval.
    Unknown,
}

impl Ratio {
    /// The ratio of `(contestant, reference)` figures, each pair from one round, all positive.
    ///
    /// Both of a pair ran within the same minute, so that slow drift of the machine cancels. The
    /// interval is Student's, of the mean of ln(contestant / reference):
    /// exp(mean ± t(0.975, n - 1) · s / √n), with s the sample standard deviation. If the median
    /// lies outside (few and skewed rounds), the interval is widened to include it.
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
        let median = Summary::of(&ratios)?.median;
        let logs: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
        let interval = Estimate::of_mean(&logs).map(|estimate| {
            let logs = estimate.interval(0.95);
            Interval {
                low: logs.low.exp().min(median),
                high: logs.high.exp().max(median),
            }
        });
        Some(Ratio { median, interval })
    }

    /// Who has more, as far as the rounds can tell.
    pub fn finding(&self) -> Finding {
        match self.interval {
            None => Finding::Unknown,
            Some(interval) if interval.low > 1.0 => Finding::More,
            Some(interval) if interval.high < 1.0 => Finding::Less,
            Some(_) => Finding::Undetectable,
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
        assert_eq!(ratio.median, 3.0);
        assert_eq!(ratio.interval, None);
        assert_eq!(ratio.finding(), Finding::Unknown);
    }

    #[test]
    fn the_interval_is_students_over_log_ratios() {
        // ln r = 0, ln 2, 2 ln 2: mean ln 2, s = ln 2, so exp(ln 2 · (1 ± 4.302653 / √3)).
        let ratio = Ratio::of_pairs(&[(1.0, 1.0), (4.0, 2.0), (20.0, 5.0)]).unwrap();
        let interval = ratio.interval.unwrap();
        close(ratio.median, 2.0);
        close(interval.low, 2f64.powf(1.0 - 4.302_653 / 3f64.sqrt()));
        close(interval.high, 2f64.powf(1.0 + 4.302_653 / 3f64.sqrt()));
        assert_eq!(ratio.finding(), Finding::Undetectable);
    }

    #[test]
    fn ratios_are_paired_by_round_so_that_drift_cancels() {
        // The machine halves its speed each round; the contestant is always twice as fast.
        let ratio = Ratio::of_pairs(&[(80.0, 40.0), (40.0, 20.0), (20.0, 10.0)]).unwrap();
        assert_eq!(ratio.median, 2.0);
        close(ratio.interval.unwrap().low, 2.0);
        close(ratio.interval.unwrap().high, 2.0);
        assert_eq!(ratio.finding(), Finding::More);
        let inverse = Ratio::of_pairs(&[(40.0, 80.0), (20.0, 40.0)]).unwrap();
        assert_eq!(inverse.finding(), Finding::Less);
    }

    #[test]
    fn the_interval_always_holds_the_median() {
        // 39 rounds at 1, and 21 at 1000: the median is 1, the interval of the mean is above it.
        let mut pairs = vec![(1.0, 1.0); 39];
        pairs.extend(vec![(1000.0, 1.0); 21]);
        let ratio = Ratio::of_pairs(&pairs).unwrap();
        assert_eq!(ratio.median, 1.0);
        assert_eq!(ratio.interval.unwrap().low, 1.0);
        assert!(ratio.interval.unwrap().high > 1.0);
    }
}
