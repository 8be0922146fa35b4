//! The two sources of noise: differences between restarts, and noise within a run.
//!
//! Each start of a server draws new addresses, cores and hash seeds. A longer run does not average
//! that out, while noise within a run shrinks with its length. The larger source decides between
//! more restarts and longer runs (Kalibera and Jones 2013).

/// Fewer windows say nothing about their own correlation.
const WINDOWS_MIN: usize = 8;

/// The squared standard error of the mean of a stationary series, autocorrelation respected;
/// `None` with fewer than 8 values.
///
/// The sum of autocovariances is cut by Geyer's initial monotone sequence (1992): sums of
/// neighbouring pairs, as long as they are positive, and never above the one before.
pub fn squared_error_of_mean(series: &[f64]) -> Option<f64> {
    let count = series.len();
    if count < WINDOWS_MIN {
        return None;
    }
    let mean = series.iter().sum::<f64>() / count as f64;
    let covariance = |lag: usize| {
        let pairs = std::iter::zip(series, &series[lag..]);
        let sum: f64 = pairs
            .map(|(one, other)| (one - mean) * (other - mean))
            .sum();
        sum / count as f64
    };
    let variance = covariance(0);
    if variance <= 0.0 {
        return Some(0.0);
    }
    let (mut sum, mut last) = (-variance, f64::INFINITY);
    for lag in (0..count / 2).step_by(2) {
        let pair = (covariance(lag) + covariance(lag + 1)).min(last);
        if pair <= 0.0 {
            break;
        }
        sum += 2.0 * pair;
        last = pair;
    }
    // Deviations from the series' own mean are too small by the share that the mean's error has.
    let share = (sum / variance / count as f64).clamp(0.0, 0.5);
    Some(sum.max(0.0) / count as f64 / (1.0 - share))
}

/// The same for a series of rates, relative to their mean: the variance of the logarithm of a
/// run's rate. `None` also if the mean is not positive.
pub fn squared_relative_error(windows: &[f64]) -> Option<f64> {
    let mean = windows.iter().sum::<f64>() / windows.len() as f64;
    let squared = squared_error_of_mean(windows)?;
    (mean > 0.0).then(|| squared / mean.powi(2))
}

/// The variance of one round's log ratio, by source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variances {
    /// From start to start of the processes.
    pub between_restarts: f64,
    /// From the seconds of the runs.
    pub within_runs: f64,
}

impl Variances {
    /// Splits the variance seen between rounds; `within_runs` is what windows within the runs
    /// account for.
    pub fn split(of_rounds: f64, within_runs: f64) -> Variances {
        Variances {
            between_restarts: (of_rounds - within_runs).max(0.0),
            within_runs,
        }
    }

    /// 'Between restarts a, within runs b', as standard deviations: 0.01 is 1 %.
    pub fn shares(&self) -> (f64, f64) {
        (self.between_restarts.sqrt(), self.within_runs.sqrt())
    }

    /// The variance of a round with runs `times` as long.
    pub fn with_runs(&self, times: f64) -> f64 {
        self.between_restarts + self.within_runs / times
    }

    /// The factor of the run's length that makes the most of a given total time, if each run
    /// costs `overhead` lengths on top: sqrt(overhead · within / between). Infinite without
    /// variance between restarts.
    pub fn best_length_factor(&self, overhead: f64) -> f64 {
        match self.between_restarts > 0.0 {
            true => (overhead * self.within_runs / self.between_restarts).sqrt(),
            false => f64::INFINITY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::random::{Purpose, Random};

    /// x(t) = phi x(t-1) + e: the variance of a mean of n is 1 / (1 - phi)² / n.
    fn autoregressive(phi: f64, count: usize, index: u32) -> Vec<f64> {
        let mut random = Random::new(1, Purpose::Mock, index);
        let mut value = random.normal() / (1.0 - phi * phi).sqrt();
        let next = || {
            value = phi * value + random.normal();
            value
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    fn mean_estimate(phi: f64, count: usize) -> f64 {
        let estimate = |index| squared_error_of_mean(&autoregressive(phi, count, index)).unwrap();
        let truth = 1.0 / (1.0 - phi).powi(2) / count as f64;
        (0..400).map(estimate).sum::<f64>() / 400.0 / truth
    }

    #[test]
    fn the_error_of_a_mean_respects_autocorrelation() {
        for (phi, count) in [(0.0, 20), (0.0, 100), (0.5, 40), (0.5, 200), (0.8, 200)] {
            let ratio = mean_estimate(phi, count);
            println!("phi {phi}, {count} windows: {ratio} of the truth");
            assert!((0.75..1.3).contains(&ratio), "{phi} {count}: {ratio}");
        }
    }

    #[test]
    fn few_or_constant_windows() {
        assert_eq!(squared_error_of_mean(&[1.0; 7]), None);
        assert_eq!(squared_error_of_mean(&[1.0; 8]), Some(0.0));
        assert_eq!(squared_relative_error(&[0.0; 8]), None);
    }

    #[test]
    fn a_relative_error_does_not_depend_on_the_unit() {
        let windows = autoregressive(0.0, 50, 1);
        let rate = |scale: f64| -> Vec<f64> {
            let rates = windows.iter().map(|noise| scale * (100.0 + noise));
            rates.collect()
        };
        let (one, thousand) = (rate(1.0), rate(1000.0));
        let (one, thousand) = (
            squared_relative_error(&one).unwrap(),
            squared_relative_error(&thousand).unwrap(),
        );
        assert!((one / thousand - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_split_decides_the_length_of_runs() {
        let restarts = Variances::split(5e-4, 1e-4);
        let (between, within) = restarts.shares();
        assert!((between - 0.02).abs() < 1e-12 && (within - 0.01).abs() < 1e-12);
        assert!((restarts.best_length_factor(1.0) - 0.5).abs() < 1e-12);
        assert!((restarts.with_runs(2.0) - 4.5e-4).abs() < 1e-12);
        let seconds = Variances::split(0.9e-4, 1e-4);
        assert_eq!(seconds.between_restarts, 0.0);
        assert_eq!(seconds.best_length_factor(1.0), f64::INFINITY);
    }
}
