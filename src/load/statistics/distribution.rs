//! Latency distributions in log-linear buckets: one dense to record into and to add up, one packed
//! to keep.

use super::buckets::{BUCKETS, highest, index_of};

/// Counts of latencies in nanoseconds, all buckets at hand: 440 KiB, of which only the pages in use
/// are touched. Count, sum, least and greatest value are exact.
#[derive(Clone, Debug)]
pub struct Distribution {
    counts: Vec<u64>,
    total: u64,
    sum_ns: u128,
    min_ns: u64,
    max_ns: u64,
}

impl Default for Distribution {
    fn default() -> Distribution {
        Distribution {
            counts: vec![0; BUCKETS],
            total: 0,
            sum_ns: 0,
            min_ns: u64::MAX,
            max_ns: 0,
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
        self.total += times;
        self.sum_ns += u128::from(ns) * u128::from(times);
        self.min_ns = self.min_ns.min(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    /// Adds a packed distribution, bucket by bucket.
    pub fn add(&mut self, packed: &Packed) {
        for (index, count) in packed.buckets() {
            self.counts[index] += count;
        }
        self.total += packed.total;
        self.sum_ns += packed.sum_ns;
        self.min_ns = self.min_ns.min(packed.min_ns);
        self.max_ns = self.max_ns.max(packed.max_ns);
    }

    /// Recorded latencies.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Exact mean in nanoseconds; 0 without samples.
    pub fn mean_ns(&self) -> f64 {
        self.sum_ns as f64 / self.total.max(1) as f64
    }

    /// Exact; 0 without samples.
    pub fn max_ns(&self) -> u64 {
        self.max_ns
    }

    /// Buckets that are not empty, in rising order: index and count.
    pub fn buckets(&self) -> impl Iterator<Item = (usize, u64)> {
        let used = match self.total {
            0 => 0..0,
            _ => index_of(self.min_ns)..index_of(self.max_ns) + 1,
        };
        let counts = self.counts[used.clone()].iter().copied();
        used.zip(counts).filter(|&(_, count)| count > 0)
    }

    /// The least latency with at least `quantile` of all at or below it, to three digits. `None`
    /// without samples.
    pub fn quantile_ns(&self, quantile: f64) -> Option<u64> {
        quantile_of(self.buckets(), self.total, quantile)
            .map(|ns| ns.clamp(self.min_ns, self.max_ns))
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
            total: self.total,
            sum_ns: self.sum_ns,
            min_ns: self.min_ns,
            max_ns: self.max_ns,
        };
        for (index, _) in packed.buckets() {
            self.counts[index] = 0;
        }
        (self.total, self.sum_ns) = (0, 0);
        (self.min_ns, self.max_ns) = (u64::MAX, 0);
        packed
    }
}

/// A distribution that takes two to four bytes for each bucket in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// For each bucket in use: its distance from the one before and its count, as varints.
    bytes: Box<[u8]>,
    total: u64,
    sum_ns: u128,
    min_ns: u64,
    max_ns: u64,
}

impl Packed {
    /// Recorded latencies.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Exact mean in nanoseconds; 0 without samples.
    pub fn mean_ns(&self) -> f64 {
        self.sum_ns as f64 / self.total.max(1) as f64
    }

    /// Exact; 0 without samples.
    pub fn max_ns(&self) -> u64 {
        self.max_ns
    }

    /// Bytes of memory that the buckets take.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
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
        quantile_of(self.buckets(), self.total, quantile)
            .map(|ns| ns.clamp(self.min_ns, self.max_ns))
    }
}

fn quantile_of(
    buckets: impl Iterator<Item = (usize, u64)>,
    total: u64,
    quantile: f64,
) -> Option<u64> {
    // 0.99 x 1,000 must be 990, whatever the last bit of 0.99 is.
    let rank = ((quantile * total as f64 - 1e-6).ceil() as u64).clamp(1, total.max(1));
    let mut below = 0;
    for (index, count) in buckets {
        below += count;
        if below >= rank {
            return Some(highest(index));
        }
    }
    None
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

    #[test]
    fn the_count_above_a_value_leaves_its_own_bucket_out() {
        let mut dense = Distribution::default();
        (0..100).for_each(|us| dense.record(us * 1000, 2));
        assert_eq!(dense.take_packed().count_above(89_000), 20);
    }
}
