//! Random numbers from a seed. A seed gives the same numbers on every system and in every version:
//! `rand` promises that for its named generators and for ranges, and a test holds it to that.

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt, SeedableRng};

#[derive(Clone, Debug)]
pub struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The numbers of this seed.
    pub fn seeded(seed: u64) -> Random {
        Random(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// True once in `chance` times.
    pub fn one_in(&mut self, chance: usize) -> bool {
        self.below(chance) == 0
    }

    /// One of `items`; `None` if there are none.
    pub fn pick<'i, I>(&mut self, items: &'i [I]) -> Option<&'i I> {
        items.choose(&mut self.0)
    }

    /// Puts `items` into a random order.
    pub fn shuffle<I>(&mut self, items: &mut [I]) {
        items.shuffle(&mut self.0);
    }

    /// `bytes` in pieces of 1 to `max` bytes.
    pub fn cut<'b>(&mut self, mut bytes: &'b [u8], max: usize) -> Vec<&'b [u8]> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at((1 + self.below(max)).min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }
}

/// The seed of this run: `BARELOOP_TEST_SEED`, or a new one. A test that fails prints it.
pub fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    match std::env::var("BARELOOP_TEST_SEED") {
        Ok(text) => text.parse().expect("BARELOOP_TEST_SEED is a number"),
        Err(_) => RandomState::new().hash_one(0u8),
    }
}
