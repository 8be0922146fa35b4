//! Latencies, rates and silences of a run, recorded at line rate in bounded memory.
//!
//! The histogram rounds to three digits; what can be exact (count, least, greatest, mean, spread)
//! is kept exactly beside it. Nothing is dropped: a latency above the histogram's range is counted
//! as such and still enters the exact figures.

use hdrhistogram::Histogram;

use super::statistics::distribution::Distribution;
use super::windows::Windows;
use crate::event_loop::Time;

/// The histogram's range ends here: one hour.
const LATENCY_NS_MAX: u64 = 3_600_000_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;
/// Status codes have three digits.
const STATUSES: usize = 1000;
/// A percentile needs at least this many samples on either side.
const SAMPLES_BEYOND_MIN: u64 = 10;
/// Quantiles are exact to this fraction; the finest that a report has is 99.999 %.
const QUANTILE_STEPS: u64 = 100_000;

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
    /// None recorded.
    pub(super) fn new() -> Latencies {
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

    /// Records `times` latencies of `ns`.
    pub(super) fn record(&mut self, ns: u64, times: u64) {
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
        (self.count >= samples_needed(quantile)).then(|| self.at_rank(rank(quantile, self.count)))
    }

    /// The same latencies, in the same buckets.
    pub(crate) fn distribution(&self) -> Distribution {
        let mut distribution = Distribution::default();
        for step in self.histogram.iter_recorded() {
            let ns = step.value_iterated_to().min(self.max_ns);
            distribution.record(ns, step.count_since_last_iteration());
        }
        distribution.record(self.max_ns, self.beyond_range);
        distribution
    }

    /// The sample with this rank, 1 for the least.
    fn at_rank(&self, rank: u64) -> u64 {
        let in_histogram = self.count - self.beyond_range;
        if rank > in_histogram {
            return self.max_ns;
        }
        // The histogram takes a quantile and rounds up to a rank. Half a rank below it, no
        // rounding error of the division can reach another rank.
        let quantile = (rank as f64 - 0.5) / in_histogram as f64;
        let ns = self.histogram.value_at_quantile(quantile);
        ns.clamp(self.min_ns, self.max_ns)
    }
}

/// The rank of a quantile among `count` samples, from 1: ceil(quantile * count), exactly.
fn rank(quantile: f64, count: u64) -> u64 {
    let steps = u128::from(steps(quantile)) * u128::from(count);
    let rank = steps.div_ceil(u128::from(QUANTILE_STEPS));
    u64::try_from(rank).map_or(count, |rank| rank.clamp(1, count))
}

/// Samples from which on a quantile is told: ten on its thinner side, one for the median.
pub(crate) fn samples_needed(quantile: f64) -> u64 {
    let steps = steps(quantile);
    match steps.min(QUANTILE_STEPS - steps) {
        _ if steps * 2 == QUANTILE_STEPS => 1,
        0 => u64::MAX,
        thinner_side => (SAMPLES_BEYOND_MIN * QUANTILE_STEPS).div_ceil(thinner_side),
    }
}

fn steps(quantile: f64) -> u64 {
    (quantile * QUANTILE_STEPS as f64).round() as u64
}

/// The longest time without a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) began: Time,
    pub(crate) ns: u64,
}

/// Everything measured of the replies of a run.
#[derive(Clone, Debug)]
pub struct Recorder {
    pub(crate) latencies: Latencies,
    /// Ages of requests that got no reply.
    pub(crate) censored: Distribution,
    pub(crate) windows: Windows,
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
            censored: Distribution::default(),
            windows: Windows::starting(now),
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
        self.statuses[usize::from(status)] += replies as u64;
        self.note_silence(now);
        self.last_reply_at = now;
    }

    /// So many of them took from `began` until `now`.
    pub(crate) fn took(&mut self, began: Time, now: Time, replies: usize) {
        self.latencies.record(now.ns_since(began), replies as u64);
    }

    /// So many requests that began at `began` are given up at `now` without a reply.
    pub(crate) fn gave_up(&mut self, began: Time, now: Time, requests: usize) {
        self.censored.record(now.ns_since(began), requests as u64);
    }

    /// A turn of the loop at `now`, with `completed` replies so far: closes a window that is full.
    pub(crate) fn turn(&mut self, now: Time, completed: u64) {
        self.windows.turn(now, completed, self.bytes);
    }

    /// The run is over, with `completed` replies.
    pub(crate) fn finish(&mut self, now: Time, completed: u64) {
        self.note_silence(now);
        self.windows.finish(now, completed, self.bytes);
    }

    fn note_silence(&mut self, now: Time) {
        let ns = now.ns_since(self.last_reply_at);
        if ns > self.silence.ns {
            let began = self.last_reply_at;
            self.silence = Silence { began, ns };
        }
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
    fn every_percentile_of_every_count_is_its_rank_among_the_sorted_samples() {
        // Below 2,048 the histogram keeps each value apart.
        let percents = [
            2.5, 10.0, 25.0, 50.0, 75.0, 90.0, 97.5, 99.0, 99.9, 99.99, 0.1, 1.0,
        ];
        let mut found = Latencies::new();
        let mut pairs = 0;
        for count in 1..=2000_u64 {
            found.record(count, 1);
            for percent in percents {
                let Some(ns) = found.quantile_ns(percent / 100.0) else {
                    continue;
                };
                // Thousandths of a percent are whole numbers.
                let thousandths = (percent * 1000.0_f64).round() as u64;
                let rank = (count * thousandths).div_ceil(100_000);
                assert_eq!(ns, rank, "{percent} % of {count}");
                pairs += 1;
            }
        }
        assert!(pairs > 11_200, "{pairs} pairs");
    }

    #[test]
    fn a_percentile_of_billions_is_exact_too() {
        let mut found = Latencies::new();
        found.record(1, 999_990_000);
        found.record(2, 10_000);
        assert_eq!(found.quantile_ns(0.999_99), Some(1));
        found.record(2, 1);
        assert_eq!(found.quantile_ns(0.999_99), Some(2));
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
        recorder.finish(at(60), 4);
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
