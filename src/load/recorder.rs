//! Latencies, rates and silences of a run, recorded at line rate in bounded memory.
//!
//! The histogram rounds to three digits; what can be exact (count, least, greatest, mean, spread)
//! is kept exactly beside it. Nothing is dropped: a latency above the histogram's range is counted
//! as such and still enters the exact figures.

use hdrhistogram::Histogram;

use super::windows::Windows;
use crate::event_loop::Time;

/// The histogram's range ends here: one hour.
const LATENCY_NS_MAX: u64 = 3_600_000_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;
/// Status codes have three digits.
const STATUSES: usize = 1000;
/// A percentile is said only if at least so many samples lie on either side of it.
const SAMPLES_BEYOND_MIN: f64 = 10.0;

/// Latencies in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    histogram: Histogram<u64>,
    /// Latencies above [`LATENCY_NS_MAX`], which the histogram does not hold.
    beyond_range: u64,
    count: u64,
    min_ns: u64,
    max_ns: u64,
    sum_ns: u128,
    sum_of_squares: u128,
}

impl Latencies {
    fn new() -> Latencies {
        Latencies {
            histogram: Histogram::new_with_bounds(1, LATENCY_NS_MAX, SIGNIFICANT_DIGITS)
                .expect("the bounds are constants, and valid"),
            beyond_range: 0,
            count: 0,
            min_ns: u64::MAX,
            max_ns: 0,
            sum_ns: 0,
            sum_of_squares: 0,
        }
    }

    fn record(&mut self, ns: u64, times: u64) {
        if self.histogram.record_n(ns, times).is_err() {
            self.beyond_range += times;
        }
        self.count += times;
        self.min_ns = self.min_ns.min(ns);
        self.max_ns = self.max_ns.max(ns);
        let sum = u128::from(ns) * u128::from(times);
        self.sum_ns += sum;
        self.sum_of_squares = self
            .sum_of_squares
            .saturating_add(sum.saturating_mul(u128::from(ns)));
    }

    /// How many latencies were recorded.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// How many of them are beyond the histogram's range of one hour.
    pub(crate) fn beyond_range(&self) -> u64 {
        self.beyond_range
    }

    /// Exact; 0 without samples.
    pub(crate) fn min_ns(&self) -> u64 {
        if self.count == 0 { 0 } else { self.min_ns }
    }

    /// Exact; 0 without samples.
    pub(crate) fn max_ns(&self) -> u64 {
        self.max_ns
    }

    /// Exact up to the final division; 0 without samples.
    pub(crate) fn mean_ns(&self) -> f64 {
        self.sum_ns as f64 / self.count.max(1) as f64
    }

    /// Standard deviation of the population: sqrt(n * sum(x^2) - sum(x)^2) / n.
    pub(crate) fn stdev_ns(&self) -> f64 {
        let n = self.count.max(1);
        let mean_of_squares = self.sum_of_squares as f64 / n as f64;
        let product = u128::from(n).checked_mul(self.sum_of_squares);
        match product.zip(self.sum_ns.checked_mul(self.sum_ns)) {
            // Without rounding, as long as it fits: the two terms may be nearly equal.
            Some((left, right)) => (left.saturating_sub(right) as f64).sqrt() / n as f64,
            None => (mean_of_squares - self.mean_ns().powi(2)).max(0.0).sqrt(),
        }
    }

    /// The least value with at least `quantile` of all samples at or below it, to three digits.
    /// `None` if fewer than ten samples lie on its thinner side, since it then says nothing; the
    /// median needs one sample only.
    pub(crate) fn quantile_ns(&self, quantile: f64) -> Option<u64> {
        let thinner_side = quantile.min(1.0 - quantile) * self.count as f64;
        let enough = if quantile == 0.5 {
            self.count > 0
        } else {
            // 1.0 - 0.99 is a little less than 0.01; ten samples are meant to be ten.
            thinner_side >= SAMPLES_BEYOND_MIN - 1e-6
        };
        enough.then(|| self.quantile_of_all(quantile))
    }

    fn quantile_of_all(&self, quantile: f64) -> u64 {
        let rank = (quantile * self.count as f64 - 1e-6).ceil() as u64;
        if rank > self.count - self.beyond_range {
            return self.max_ns;
        }
        let in_histogram = (self.count - self.beyond_range) as f64;
        self.histogram
            .value_at_quantile(rank as f64 / in_histogram)
            .clamp(self.min_ns, self.max_ns)
    }
}

/// The longest time without a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) began: Time,
    pub(crate) ns: u64,
}

/// Everything measured of the replies of a run.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    pub(crate) latencies: Latencies,
    pub(crate) windows: Windows,
    completed: u64,
    bytes: u64,
    statuses: Vec<u64>,
    last_reply_at: Time,
    silence: Silence,
}

impl Recorder {
    /// Nothing recorded; the run begins at `now`.
    pub(crate) fn starting(now: Time) -> Recorder {
        Recorder {
            latencies: Latencies::new(),
            windows: Windows::starting(now),
            completed: 0,
            bytes: 0,
            statuses: vec![0; STATUSES],
            last_reply_at: now,
            silence: Silence::default(),
        }
    }

    /// Bytes came in, of whatever they are a part.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// So many replies with this status are complete.
    pub(crate) fn replied(&mut self, status: u16, replies: usize, now: Time) {
        self.completed += replies as u64;
        self.statuses[usize::from(status)] += replies as u64;
        self.note_silence(now);
        self.last_reply_at = now;
    }

    /// So many of them took from `sent_at` until `now`.
    pub(crate) fn took(&mut self, sent_at: Time, now: Time, replies: usize) {
        self.latencies.record(now.ns_since(sent_at), replies as u64);
    }

    /// A turn of the loop at `now`: closes the window that is full.
    pub(crate) fn turn(&mut self, now: Time) {
        self.windows.turn(now, self.completed, self.bytes);
    }

    /// The run is over.
    pub(crate) fn finish(&mut self, now: Time) {
        self.note_silence(now);
        self.windows.finish(now, self.completed, self.bytes);
    }

    fn note_silence(&mut self, now: Time) {
        let ns = now.ns_since(self.last_reply_at);
        if ns > self.silence.ns {
            let began = self.last_reply_at;
            self.silence = Silence { began, ns };
        }
    }

    /// Complete replies.
    pub(crate) fn completed(&self) -> u64 {
        self.completed
    }

    /// Bytes received, whether or not they came to be a reply.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When the last reply was complete, or the run began.
    pub(crate) fn last_reply_at(&self) -> Time {
        self.last_reply_at
    }

    /// The longest time without a reply on any connection.
    pub(crate) fn longest_silence(&self) -> Silence {
        self.silence
    }

    /// Status codes that came, with their counts.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = (u16, u64)> {
        (0..)
            .zip(self.statuses.iter().copied())
            .filter(|&(_, count)| count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(values: &[(u64, u64)]) -> Latencies {
        let mut latencies = Latencies::new();
        for &(ns, times) in values {
            latencies.record(ns, times);
        }
        latencies
    }

    #[test]
    fn count_mean_and_spread_are_exact() {
        let found = latencies(&[(2, 1), (4, 3), (5, 2), (7, 1), (9, 1)]);
        assert_eq!(found.count(), 8);
        assert_eq!((found.min_ns(), found.max_ns()), (2, 9));
        assert_eq!((found.mean_ns(), found.stdev_ns()), (5.0, 2.0));
    }

    #[test]
    fn a_spread_tiny_beside_the_mean_is_not_lost_to_rounding() {
        let hour = 3_000_000_000_000;
        let found = latencies(&[(hour, 1), (hour + 2, 1)]);
        assert_eq!(found.stdev_ns(), 1.0);
    }

    #[test]
    fn nothing_recorded_is_all_zeros_and_no_percentile() {
        let found = Latencies::new();
        assert_eq!((found.min_ns(), found.max_ns()), (0, 0));
        assert_eq!((found.mean_ns(), found.stdev_ns()), (0.0, 0.0));
        assert_eq!(found.quantile_ns(0.5), None);
    }

    #[test]
    fn a_percentile_is_a_rank_of_the_sorted_samples() {
        let values: Vec<_> = (1..=1000).map(|ns| (ns, 1)).collect();
        let found = latencies(&values);
        for (quantile, ns) in [(0.5, 500), (0.9, 900), (0.975, 975), (0.99, 990)] {
            assert_eq!(found.quantile_ns(quantile), Some(ns), "{quantile}");
        }
    }

    #[test]
    fn a_tail_with_fewer_than_ten_samples_is_not_said() {
        assert_eq!(latencies(&[(5, 999)]).quantile_ns(0.99), None);
        assert_eq!(latencies(&[(5, 1000)]).quantile_ns(0.99), Some(5));
        assert_eq!(latencies(&[(5, 399)]).quantile_ns(0.025), None);
        assert_eq!(latencies(&[(5, 400)]).quantile_ns(0.025), Some(5));
        assert_eq!(latencies(&[(5, 1)]).quantile_ns(0.5), Some(5));
    }

    #[test]
    fn a_percentile_is_never_rounded_beyond_the_exact_ends() {
        let found = latencies(&[(1_234_567, 20)]);
        assert_eq!(found.quantile_ns(0.5), Some(1_234_567));
    }

    #[test]
    fn a_latency_beyond_the_range_is_counted_and_not_dropped() {
        let day = 24 * LATENCY_NS_MAX;
        let found = latencies(&[(1000, 60), (day, 40)]);
        assert_eq!((found.count(), found.beyond_range()), (100, 40));
        assert_eq!(found.max_ns(), day);
        assert_eq!(found.quantile_ns(0.5), Some(1000));
        assert_eq!(found.quantile_ns(0.9), Some(day));
    }

    #[test]
    fn the_longest_silence_may_be_the_first_the_last_or_between() {
        let at = Time::from_ns;
        let mut recorder = Recorder::starting(at(0));
        recorder.replied(200, 1, at(10));
        assert_eq!(
            recorder.longest_silence(),
            Silence {
                began: at(0),
                ns: 10
            }
        );
        recorder.replied(200, 2, at(30));
        recorder.replied(404, 1, at(35));
        assert_eq!(
            recorder.longest_silence(),
            Silence {
                began: at(10),
                ns: 20
            }
        );
        recorder.finish(at(60));
        assert_eq!(
            recorder.longest_silence(),
            Silence {
                began: at(35),
                ns: 25
            }
        );
        let statuses: Vec<_> = recorder.statuses().collect();
        assert_eq!(statuses, [(200, 3), (404, 1)]);
    }
}
