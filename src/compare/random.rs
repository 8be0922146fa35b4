//! Random choices from a seed: the same on every platform, so that a printed seed repeats them.
//!
//! ChaCha has independent streams under one seed. Each purpose takes its own, so that one more
//! draw in one place changes nothing in another.

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// The use that random numbers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The order of the contestants in a pair of rounds.
    Order = 1,
    /// The slices of a duet.
    Slices = 2,
    /// Simulated noise.
    #[cfg(test)]
    Mock = 3,
    /// The size of the environment of a process.
    Environment = 4,
}

/// One stream of random numbers.
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream of `seed` for the `index`th case of `purpose`.
    pub fn new(seed: u32, purpose: Purpose, index: u32) -> Random {
        let mut generator = ChaCha8Rng::seed_from_u64(seed.into());
        generator.set_stream((purpose as u64) << 32 | u64::from(index));
        Random(generator)
    }

    /// A whole number below `bound`, which is not zero. The bias is under bound / 2^64.
    pub fn below(&mut self, bound: usize) -> usize {
        debug_assert!(bound > 0);
        let product = u128::from(self.0.next_u64()) * bound as u128;
        (product >> 64) as usize
    }

    /// A number in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Brings `items` into random order, each equally likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// A normally distributed number with mean 0 and standard deviation 1 (Box and Muller).
    #[cfg(test)]
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A printed seed must repeat a comparison years later and elsewhere.
    #[test]
    fn the_stream_of_a_seed_never_changes() {
        let mut random = Random::new(7, Purpose::Order, 0);
        let drawn: Vec<usize> = (0..6).map(|_| random.below(1000)).collect();
        assert_eq!(drawn, [367, 366, 425, 333, 648, 459]);
    }

    #[test]
    fn seeds_purposes_and_indices_have_streams_of_their_own() {
        let first = |seed, purpose, index| Random::new(seed, purpose, index).below(1 << 60);
        let one = first(1, Purpose::Order, 0);
        assert_eq!(one, first(1, Purpose::Order, 0));
        assert_ne!(one, first(2, Purpose::Order, 0));
        assert_ne!(one, first(1, Purpose::Slices, 0));
        assert_ne!(one, first(1, Purpose::Order, 1));
    }

    #[test]
    fn draws_are_even() {
        let mut random = Random::new(1, Purpose::Order, 0);
        let mut orders = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let mut items = [0, 1, 2];
            random.shuffle(&mut items);
            *orders.entry(items).or_insert(0) += 1;
        }
        assert_eq!(orders.len(), 6);
        assert!(
            orders.values().all(|count| (880..1120).contains(count)),
            "{orders:?}"
        );
        let normals: Vec<f64> = (0..10_000).map(|_| random.normal()).collect();
        let mean = normals.iter().sum::<f64>() / 1e4;
        let square = normals.iter().map(|x| x * x).sum::<f64>() / 1e4;
        assert!(
            mean.abs() < 0.03 && (square - 1.0).abs() < 0.05,
            "{mean} {square}"
        );
    }
}
