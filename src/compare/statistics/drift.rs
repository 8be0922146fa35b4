//! The mean of log ratios, free from a linear drift of the machine.
//!
//! If each run finds the machine slower by the same factor than the run before, a contestant that
//! runs d places after the reference loses d times the log of that factor. In a pair of mirrored
//! rounds the two errors cancel in the mean, but they would still widen its interval. So the
//! drift is estimated beside the mean (analysis of covariance: log ratio = mean + drift · d), at
//! the price of one degree of freedom.

use super::Estimate;

/// Fewer rounds than this cannot afford the degree of freedom.
const ROUNDS_MIN: usize = 6;

/// The evidence of one round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogRatio {
    /// ln(contestant / reference).
    pub log_ratio: f64,
    /// Runs from the reference's place in the round to the contestant's; 0 if unknown.
    pub slots_apart: i32,
    /// In inverse proportion to the variance; 1 if all rounds are alike. Positive.
    pub weight: f64,
}

/// The mean by weighted least squares; `None` with fewer than two rounds.
pub fn mean_without_drift(rounds: &[LogRatio]) -> Option<Estimate> {
    let count = rounds.len();
    if count < 2 {
        return None;
    }
    let sum = |of: &dyn Fn(&LogRatio) -> f64| rounds.iter().map(|r| r.weight * of(r)).sum::<f64>();
    let slots = |round: &LogRatio| f64::from(round.slots_apart);
    let weight = sum(&|_| 1.0);
    let (mean_slots, mean_log) = (sum(&slots) / weight, sum(&|r| r.log_ratio) / weight);
    let squares = sum(&|r| (slots(r) - mean_slots).powi(2));
    let estimates_drift = count >= ROUNDS_MIN && squares > 0.0;
    let drift = match estimates_drift {
        true => sum(&|r| (slots(r) - mean_slots) * r.log_ratio) / squares,
        false => 0.0,
    };
    let residual = |r: &LogRatio| r.log_ratio - mean_log - drift * (slots(r) - mean_slots);
    let degrees = (count - 1 - usize::from(estimates_drift)) as f64;
    let variance = sum(&|r| residual(r).powi(2)) / degrees;
    // The mean is wanted where the two run at the same time: at 0 slots apart.
    let leverage = match estimates_drift {
        true => mean_slots.powi(2) / squares,
        false => 0.0,
    };
    Some(Estimate {
        mean: mean_log - drift * mean_slots,
        standard_error: (variance * (1.0 / weight + leverage)).sqrt(),
        degrees,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(values: &[(f64, i32)]) -> Vec<LogRatio> {
        let round = |&(log_ratio, slots_apart)| LogRatio {
            log_ratio,
            slots_apart,
            weight: 1.0,
        };
        values.iter().map(round).collect()
    }

    #[test]
    fn a_linear_drift_neither_shifts_nor_widens() {
        let noise = [0.01, -0.01, 0.01, -0.01, -0.01, 0.01, -0.01, 0.01];
        let slots = [1, -1, -1, 1, 1, -1, 1, -1];
        let with_drift = |drift: f64| {
            let values = std::iter::zip(noise, slots);
            let values: Vec<_> = values
                .map(|(noise, slots)| (0.3 + noise + drift * f64::from(slots), slots))
                .collect();
            mean_without_drift(&rounds(&values)).unwrap()
        };
        let (still, drifting) = (with_drift(0.0), with_drift(0.05));
        assert!((still.mean - 0.3).abs() < 1e-12);
        assert!((drifting.mean - 0.3).abs() < 1e-12);
        assert!((still.standard_error - drifting.standard_error).abs() < 1e-12);
        assert_eq!(drifting.degrees, 6.0);
    }

    /// A round is missing: the mean slots are not 0 any more, the mean is still right.
    #[test]
    fn an_unbalanced_schedule_is_not_biased() {
        let values: Vec<_> = [2, 1, -1, 1, -1, 1, -1]
            .map(|slots| (0.1 + 0.02 * f64::from(slots), slots))
            .to_vec();
        let estimate = mean_without_drift(&rounds(&values)).unwrap();
        assert!((estimate.mean - 0.1).abs() < 1e-12, "{estimate:?}");
    }

    #[test]
    fn without_places_it_is_the_plain_mean() {
        let values = [0.1, 0.2, 0.4, 0.1, 0.5, 0.6];
        let plain = Estimate::of_mean(&values).unwrap();
        let fitted = mean_without_drift(&rounds(&values.map(|value| (value, 0)))).unwrap();
        assert!((plain.mean - fitted.mean).abs() < 1e-12);
        assert!((plain.standard_error - fitted.standard_error).abs() < 1e-12);
        assert_eq!(plain.degrees, fitted.degrees);
        // Too few rounds to estimate a drift.
        let few = mean_without_drift(&rounds(&[(0.1, 1), (0.2, -1), (0.1, 1)])).unwrap();
        assert_eq!(few.degrees, 2.0);
        assert_eq!(mean_without_drift(&rounds(&[(0.1, 1)])), None);
    }

    #[test]
    fn a_round_of_double_weight_counts_like_two() {
        let mut weighted = rounds(&[(0.0, 0), (0.3, 0)]);
        weighted[1].weight = 2.0;
        let mean = mean_without_drift(&weighted).unwrap().mean;
        assert!((mean - 0.2).abs() < 1e-12);
    }
}
