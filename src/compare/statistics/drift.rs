//! The mean of log ratios, corrected for a linear drift of the machine.
//!
//! Suppose the machine becomes slower by the same factor from each run to the next. Then the log
//! ratio of a contestant that runs d places after the reference is too low by d times the log of
//! that factor. In a pair of mirrored rounds the two errors cancel in the mean, but they would
//! still widen its interval. So the drift is estimated together with the mean (analysis of
//! covariance: log ratio = mean + drift · d), which costs one degree of freedom.

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

/// Weighted sums over rounds, from which the mean and its error follow.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriftFit {
    rounds: usize,
    /// The first log ratio; the sums are of differences from it, so that little cancels.
    origin: f64,
    weight: f64,
    slots: f64,
    logs: f64,
    slots_squared: f64,
    slots_times_logs: f64,
    logs_squared: f64,
}

impl DriftFit {
    /// The sums over `rounds`.
    pub fn of_rounds(rounds: &[LogRatio]) -> DriftFit {
        let mut fit = DriftFit::default();
        rounds.iter().for_each(|round| fit.add(round));
        fit
    }

    /// Adds a round.
    pub fn add(&mut self, round: &LogRatio) {
        if self.rounds == 0 {
            self.origin = round.log_ratio;
        }
        let (slots, log) = (f64::from(round.slots_apart), round.log_ratio - self.origin);
        self.rounds += 1;
        self.weight += round.weight;
        self.slots += round.weight * slots;
        self.logs += round.weight * log;
        self.slots_squared += round.weight * slots * slots;
        self.slots_times_logs += round.weight * slots * log;
        self.logs_squared += round.weight * log * log;
    }

    /// The mean log ratio by weighted least squares, for two runs at the same time (0 slots
    /// apart); `None` with fewer than two rounds.
    pub fn estimate(&self) -> Option<Estimate> {
        if self.rounds < 2 {
            return None;
        }
        let (mean_slots, mean_log) = (self.slots / self.weight, self.logs / self.weight);
        let slots_squared = self.slots_squared - mean_slots * self.slots;
        let slots_times_logs = self.slots_times_logs - mean_slots * self.logs;
        let logs_squared = self.logs_squared - mean_log * self.logs;
        let estimates_drift = self.rounds >= ROUNDS_MIN && slots_squared > 0.0;
        let (drift, leverage) = match estimates_drift {
            true => (
                slots_times_logs / slots_squared,
                mean_slots.powi(2) / slots_squared,
            ),
            false => (0.0, 0.0),
        };
        let residual = (logs_squared - drift * slots_times_logs).max(0.0);
        let degrees = (self.rounds - 1 - usize::from(estimates_drift)) as f64;
        let variance = residual / degrees;
        Some(Estimate {
            mean: self.origin + mean_log - drift * mean_slots,
            standard_error: (variance * (1.0 / self.weight + leverage)).sqrt(),
            degrees,
        })
    }
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

    fn estimate(values: &[(f64, i32)]) -> Estimate {
        DriftFit::of_rounds(&rounds(values)).estimate().unwrap()
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
            estimate(&values)
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
        let estimate = estimate(&values);
        assert!((estimate.mean - 0.1).abs() < 1e-12, "{estimate:?}");
    }

    #[test]
    fn without_places_it_is_the_plain_mean() {
        let values = [0.1, 0.2, 0.4, 0.1, 0.5, 0.6];
        let plain = Estimate::of_mean(&values).unwrap();
        let fitted = estimate(&values.map(|value| (value, 0)));
        assert!((plain.mean - fitted.mean).abs() < 1e-12);
        assert!((plain.standard_error - fitted.standard_error).abs() < 1e-12);
        assert_eq!(plain.degrees, fitted.degrees);
        // Too few rounds to estimate a drift.
        let few = estimate(&[(0.1, 1), (0.2, -1), (0.1, 1)]);
        assert_eq!(few.degrees, 2.0);
        assert_eq!(DriftFit::of_rounds(&rounds(&[(0.1, 1)])).estimate(), None);
    }

    #[test]
    fn a_round_of_double_weight_counts_like_two() {
        let mut weighted = rounds(&[(0.0, 0), (0.3, 0)]);
        weighted[1].weight = 2.0;
        let mean = DriftFit::of_rounds(&weighted).estimate().unwrap().mean;
        assert!((mean - 0.2).abs() < 1e-12);
    }
}
