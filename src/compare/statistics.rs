//! What several rounds say together. Pure arithmetic on one number per round: requests within a
//! round are not independent of each other, rounds nearly are.

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

/// A range in which the true value lies, with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

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
        let interval = mean_interval(&logs).map(|logs| Interval {
            low: logs.low.exp().min(median),
            high: logs.high.exp().max(median),
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

/// Student's 95 % interval of the mean; `None` with fewer than two values.
fn mean_interval(values: &[f64]) -> Option<Interval> {
    if values.len() < 2 {
        return None;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (count - 1.0)).sqrt();
    let half = t_975(values.len() - 1) * deviation / count.sqrt();
    Some(Interval {
        low: mean - half,
        high: mean + half,
    })
}

/// The 97.5 % quantile of Student's t distribution for 1 to 30 degrees of freedom.
const T_975: [f64; 30] = [
    12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004,
    2.262_157, 2.228_139, 2.200_985, 2.178_813, 2.160_369, 2.144_787, 2.131_450, 2.119_905,
    2.109_816, 2.100_922, 2.093_024, 2.085_963, 2.079_614, 2.073_873, 2.068_658, 2.063_899,
    2.059_539, 2.055_529, 2.051_831, 2.048_407, 2.045_230, 2.042_272,
];
/// The same quantile of the normal distribution.
const Z_975: f64 = 1.959_964;

/// From the table; beyond it by the first two terms of the Cornish-Fisher expansion around the
/// normal quantile (Abramowitz and Stegun 26.7.5), good to 0.0001 there.
fn t_975(degrees: usize) -> f64 {
    debug_assert!(degrees > 0);
    if let Some(&t) = T_975.get(degrees.saturating_sub(1)) {
        return t;
    }
    let (z, v) = (Z_975, degrees as f64);
    z + (z.powi(3) + z) / (4.0 * v)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * v.powi(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-5, "{left} is not {right}");
    }

    #[test]
    fn nothing_has_no_summary_and_no_ratio() {
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Ratio::of_pairs(&[]), None);
        assert_eq!(Ratio::of_pairs(&[(0.0, 1.0)]), None);
        assert_eq!(Ratio::of_pairs(&[(1.0, 0.0)]), None);
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

    #[test]
    fn quantiles_fall_to_the_normal_one_without_a_step() {
        close(t_975(1), 12.706_205);
        close(t_975(2), 4.302_653);
        for degrees in 1..200 {
            assert!(t_975(degrees) > t_975(degrees + 1), "{degrees}");
        }
        assert!((t_975(31) - 2.039_513).abs() < 1e-4);
        assert!((t_975(120) - 1.979_930).abs() < 1e-4);
    }
}
