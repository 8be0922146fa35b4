//! Latency distributions in log-linear buckets: one dense to record into and to add up, one packed
//! to keep.

use super::buckets::{BUCKETS, highest, index_of};

/// Samples that a percentile needs on its thinner side to be reported.
const SAMPLES_BEYOND_MIN: u64 = 10;
/// Quantiles are exact to this fraction.
const QUANTILE_STEPS: u64 = 10_000_000;

/// Counts of latencies in nanoseconds, all buckets at hand: 440 KiB, of which only the pages in use
/// are touched. Figures from the moments are exact; the buckets round to three digits.
#[derive(Clone, Debug)]
pub struct Distribution {
    counts: Vec<u64>,
    moments: Moments,
}

impl Default for Distribution {
    fn default() -> Distribution {
        Distribution {
            counts: vec![0; BUCKETS],
            moments: Moments::default(),
        }
    }
}

/// Exact figures of recorded latencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moments {
    total: u64,
    sum_ns: u128,
    /// Saturates; beyond that, the spread is of no interest.
    sum_of_squares: u128,
    min_ns: u64,
    max_ns: u64,
}

impl Default for Moments {
    fn default() -> Moments {
        Moments {
            total: 0,
            sum_ns: 0,
            sum_of_squares: 0,
            min_ns: u64::MAX,
            max_ns: 0,
        }
    }
}

impl Moments {
    #[inline]
    fn record(&mut self, ns: u64, times: u64) {
        let sum = u128::from(ns) * u128::from(times);
        self.add(&Moments {
            total: times,
            sum_ns: sum,
            sum_of_squares: sum.saturating_mul(u128::from(ns)),
            min_ns: ns,
            max_ns: ns,
        });
    }

    #[inline]
    fn add(&mut self, other: &Moments) {
        self.total += other.total;
        self.sum_ns += other.sum_ns;
        self.sum_of_squares = self.sum_of_squares.saturating_add(other.sum_of_squares);
        self.min_ns = self.min_ns.min(other.min_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    fn mean_ns(&self) -> f64 {
        self.sum_ns as f64 / self.total.max(1) as f64
    }

    /// sqrt(n * sum(x^2) - sum(x)^2) / n.
    fn stdev_ns(&self) -> f64 {
        let n = self.total.max(1);
        let product = u128::from(n).checked_mul(self.sum_of_squares);
        match product.zip(self.sum_ns.checked_mul(self.sum_ns)) {
            // Without rounding, as long as it fits: the two terms may be nearly equal.
            Some((left, right)) => (left.saturating_sub(right) as f64).sqrt() / n as f64,
            None => {
                let mean_of_squares = self.sum_of_squares as f64 / n as f64;
                (mean_of_squares - self.mean_ns().powi(2)).max(0.0).sqrt()
            }
        }
    }
}

impl Distribution {
    /// Counts `times` latencies of `ns`.
    #[inline]
    pub fn record(&mut self, ns: u64, times: u64) {
        if times == 0 {
            return;
        }
        self.counts[index_of(ns)] += times;
        self.moments.record(ns, times);
    }

    /// Adds a packed distribution, bucket by bucket.
    pub fn add(&mut self, packed: &Packed) {
        for (index, count) in packed.buckets() {
            self.counts[index] += count;
        }
        self.moments.add(&packed.moments);
    }

    /// Recorded latencies.
    pub fn total(&self) -> u64 {
        self.moments.total
    }

    /// Exact sum of all latencies.
    pub fn sum_ns(&self) -> u128 {
        self.moments.sum_ns
    }

    /// Exact mean in nanoseconds; 0 without samples.
    pub fn mean_ns(&self) -> f64 {
        self.moments.mean_ns()
    }

    /// Exact standard deviation of the population in nanoseconds; 0 without samples.
    pub fn stdev_ns(&self) -> f64 {
        self.moments.stdev_ns()
    }

    /// Exact; 0 without samples.
    pub fn min_ns(&self) -> u64 {
        match self.moments.total {
            0 => 0,
            _ => self.moments.min_ns,
        }
    }

    /// Exact; 0 without samples.
    pub fn max_ns(&self) -> u64 {
        self.moments.max_ns
    }

    /// Buckets that are not empty, in rising order: index and count.
    pub fn buckets(&self) -> impl Iterator<Item = (usize, u64)> {
        let used = match self.moments.total {
            0 => 0..0,
            _ => index_of(self.moments.min_ns)..index_of(self.moments.max_ns) + 1,
        };
        let counts = self.counts[used.clone()].iter().copied();
        used.zip(counts).filter(|&(_, count)| count > 0)
    }

    /// The least latency with at least `quantile` of all at or below it, to three digits. `None`
    /// without samples.
    pub fn quantile_ns(&self, quantile: f64) -> Option<u64> {
        quantile_of(self.buckets(), &self.moments, quantile)
    }

    /// The same, if it has enough samples: see [`samples_needed`].
    pub fn told_quantile_ns(&self, quantile: f64) -> Option<u64> {
        let enough = self.total() >= samples_needed(quantile);
        self.quantile_ns(quantile).filter(|_| enough)
    }

    /// Packs all that was recorded and leaves nothing.
    pub fn take_packed(&mut self) -> Packed {
        let mut bytes = Vec::new();
        let mut previous = 0;
        for (index, count) in self.buckets() {
            write_varint(&mut bytes, (index - previous) as u64);
            write_varint(&mut bytes, count);
            previous = index;
        }
        let packed = Packed {
            bytes: bytes.into_boxed_slice(),
            moments: std::mem::take(&mut self.moments),
        };
        for (index, _) in packed.buckets() {
            self.counts[index] = 0;
        }
        packed
    }
}

/// A distribution that takes two to four bytes for each bucket in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// For each bucket in use: its distance from the one before and its count, as varints.
    bytes: Box<[u8]>,
    moments: Moments,
}

impl Packed {
    /// Recorded latencies.
    pub fn total(&self) -> u64 {
        self.moments.total
    }

    /// Exact; 0 without samples.
    pub fn max_ns(&self) -> u64 {
        self.moments.max_ns
    }

    /// Buckets that are not empty, in rising order: index and count.
    pub fn buckets(&self) -> impl Iterator<Item = (usize, u64)> {
        let mut rest = &self.bytes[..];
        let mut index = 0;
        std::iter::from_fn(move || {
            index += read_varint(&mut rest)? as usize;
            Some((index, read_varint(&mut rest)?))
        })
    }

    /// Latencies in buckets above that of `ns`.
    pub fn count_above(&self, ns: u64) -> u64 {
        let limit = index_of(ns);
        let above = self.buckets().filter(|&(index, _)| index > limit);
        above.map(|(_, count)| count).sum()
    }

    /// As [`Distribution::quantile_ns`].
    pub fn quantile_ns(&self, quantile: f64) -> Option<u64> {
        quantile_of(self.buckets(), &self.moments, quantile)
    }
}

fn quantile_of(
    buckets: impl Iterator<Item = (usize, u64)>,
    moments: &Moments,
    quantile: f64,
) -> Option<u64> {
    let rank = rank(quantile, moments.total);
    let mut below = 0;
    for (index, count) in buckets {
        below += count;
        if below >= rank {
            return Some(highest(index).clamp(moments.min_ns, moments.max_ns));
        }
    }
    None
}

/// The rank of a quantile among `count` samples, from 1: ceil(quantile * count), exactly.
fn rank(quantile: f64, count: u64) -> u64 {
    let rank = u128::from(steps(quantile)) * u128::from(count);
    let rank = rank.div_ceil(u128::from(QUANTILE_STEPS));
    u64::try_from(rank).map_or(count, |rank| rank.clamp(1, count.max(1)))
}

/// Samples from which on a percentile is reported: ten on its thinner side, since fewer say
/// nothing; one for the median.
pub fn samples_needed(quantile: f64) -> u64 {
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

/// Little endian, seven bits a byte, the eighth says that more follow.
fn write_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packing_loses_nothing(values in prop::collection::vec((any::<u64>(), 1u64..1 << 40), 0..200)) {
            let mut dense = Distribution::default();
            for &(ns, times) in &values {
                dense.record(ns, times);
            }
            let before: Vec<_> = dense.buckets().collect();
            let (total, mean, max) = (dense.total(), dense.mean_ns(), dense.max_ns());
            let packed = dense.take_packed();
            prop_assert_eq!(dense.total(), 0);
            prop_assert!(dense.counts.iter().all(|&count| count == 0));
            dense.add(&packed);
            prop_assert_eq!(before, dense.buckets().collect::<Vec<_>>());
            prop_assert_eq!((total, mean, max), (dense.total(), dense.mean_ns(), dense.max_ns()));
        }

        #[test]
        fn any_split_adds_up_to_the_whole(values in prop::collection::vec(0u64..10_000_000_000, 1..300), cut in 0usize..300) {
            let cut = cut.min(values.len());
            let pack = |part: &[u64]| {
                let mut dense = Distribution::default();
                part.iter().for_each(|&ns| dense.record(ns, 1));
                dense.take_packed()
            };
            let mut sum = Distribution::default();
            sum.add(&pack(&values[..cut]));
            sum.add(&pack(&values[cut..]));
            prop_assert_eq!(sum.take_packed(), pack(&values));
        }
    }

    #[test]
    fn a_quantile_is_a_rank_and_never_beyond_the_exact_ends() {
        let mut dense = Distribution::default();
        (1..=1000).for_each(|ns| dense.record(ns, 1));
        for (quantile, ns) in [(0.0, 1), (0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1000)] {
            assert_eq!(dense.quantile_ns(quantile), Some(ns), "{quantile}");
        }
        assert_eq!(dense.take_packed().quantile_ns(0.99), Some(990));
        assert_eq!(dense.quantile_ns(0.5), None);
        dense.record(1_234_567, 3);
        assert_eq!(dense.quantile_ns(0.5), Some(1_234_567));
    }

    fn latencies(values: &[(u64, u64)]) -> Distribution {
        let mut latencies = Distribution::default();
        for &(ns, times) in values {
            latencies.record(ns, times);
        }
        latencies
    }

    #[test]
    fn count_mean_and_spread_are_exact() {
        let found = latencies(&[(2, 1), (4, 3), (5, 2), (7, 1), (9, 1)]);
        assert_eq!(found.total(), 8);
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
        let found = Distribution::default();
        assert_eq!((found.min_ns(), found.max_ns()), (0, 0));
        assert_eq!((found.mean_ns(), found.stdev_ns()), (0.0, 0.0));
        assert_eq!(found.told_quantile_ns(0.5), None);
    }

    #[test]
    fn every_percentile_of_every_count_is_its_rank_among_the_sorted_samples() {
        // Below 2,048 each value has a bucket of its own.
        let percents = [
            2.5, 10.0, 25.0, 50.0, 75.0, 90.0, 97.5, 99.0, 99.9, 99.99, 0.1, 1.0,
        ];
        let mut found = Distribution::default();
        let mut pairs = 0;
        for count in 1..=2000_u64 {
            found.record(count, 1);
            for percent in percents {
                let Some(ns) = found.told_quantile_ns(percent / 100.0) else {
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
        let mut found = latencies(&[(1, 999_990_000), (2, 10_000)]);
        assert_eq!(found.told_quantile_ns(0.999_99), Some(1));
        found.record(2, 1);
        assert_eq!(found.told_quantile_ns(0.999_99), Some(2));
    }

    #[test]
    fn a_tail_with_fewer_than_ten_samples_is_not_told() {
        assert_eq!(latencies(&[(5, 999)]).told_quantile_ns(0.99), None);
        assert_eq!(latencies(&[(5, 1000)]).told_quantile_ns(0.99), Some(5));
        assert_eq!(latencies(&[(5, 399)]).told_quantile_ns(0.025), None);
        assert_eq!(latencies(&[(5, 400)]).told_quantile_ns(0.025), Some(5));
        assert_eq!(latencies(&[(5, 1)]).told_quantile_ns(0.5), Some(5));
    }

    #[test]
    fn the_count_above_a_value_leaves_its_own_bucket_out() {
        let mut dense = Distribution::default();
        (0..100).for_each(|us| dense.record(us * 1000, 2));
        assert_eq!(dense.take_packed().count_above(89_000), 20);
    }

    /// Its squares times its count are more than 128 bits.
    #[test]
    fn the_spread_of_very_many_very_long_latencies_is_told_too() {
        let mut distribution = Distribution::default();
        distribution.record(1 << 40, 1 << 44);
        distribution.record(3 << 40, 1 << 44);
        let error = distribution.stdev_ns() / (1u64 << 40) as f64 - 1.0;
        assert!(error.abs() < 1e-9, "{error}");
        let packed = distribution.take_packed();
        assert_eq!((packed.total(), packed.max_ns()), (1 << 45, 3 << 40));
        distribution.record(7, 1);
        assert_eq!(
            (distribution.mean_ns(), distribution.stdev_ns()),
            (7.0, 0.0)
        );
        // No percentile has ten samples beyond it at the very end.
        assert_eq!(
            (samples_needed(0.0), samples_needed(1.0)),
            (u64::MAX, u64::MAX)
        );
    }
}
