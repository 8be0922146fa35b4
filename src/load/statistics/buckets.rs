//! Log-linear buckets, as HdrHistogram lays them out for three significant digits and a least
//! value of 1: exact below 2,048, then 1,024 buckets for each doubling. They cover all of `u64`,
//! so that no value is out of range.

/// Values below this have a bucket of their own.
const EXACT_BELOW: u64 = 2048;
const BUCKETS_PER_DOUBLING: usize = 1024;
/// Buckets in all.
pub const BUCKETS: usize = 53 * BUCKETS_PER_DOUBLING + EXACT_BELOW as usize;

/// The bucket of a value.
pub const fn index_of(value: u64) -> usize {
    if value < EXACT_BELOW {
        return value as usize;
    }
    // Leaves the eleven highest bits.
    let shift = 53 - value.leading_zeros();
    shift as usize * BUCKETS_PER_DOUBLING + (value >> shift) as usize
}

/// The least value of a bucket.
pub const fn lowest(index: usize) -> u64 {
    if index < EXACT_BELOW as usize {
        return index as u64;
    }
    let shift = index / BUCKETS_PER_DOUBLING - 1;
    ((index - shift * BUCKETS_PER_DOUBLING) as u64) << shift
}

/// The greatest value of a bucket.
pub const fn highest(index: usize) -> u64 {
    if index + 1 >= BUCKETS {
        return u64::MAX;
    }
    lowest(index + 1) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_holds_its_ends_and_follows_the_one_before() {
        for index in 0..BUCKETS {
            assert_eq!(index_of(lowest(index)), index);
            assert_eq!(index_of(highest(index)), index);
        }
        assert_eq!(highest(BUCKETS - 1), u64::MAX);
    }

    #[test]
    fn a_bucket_is_narrower_than_a_thousandth_of_its_values() {
        for index in 2048..BUCKETS {
            let width = highest(index) - lowest(index);
            assert!(width <= lowest(index) / 1000, "bucket {index}");
        }
    }

    #[test]
    fn the_buckets_are_those_of_hdrhistogram() {
        let theirs = hdrhistogram::Histogram::<u64>::new_with_bounds(1, u64::MAX / 2, 3);
        let theirs = theirs.expect("valid bounds");
        for value in [
            1,
            2047,
            2048,
            2049,
            4097,
            999_999,
            1 << 40,
            (1 << 41) + 12_345,
        ] {
            let index = index_of(value);
            assert_eq!(lowest(index), theirs.lowest_equivalent(value));
            assert_eq!(highest(index), theirs.highest_equivalent(value));
        }
    }
}
