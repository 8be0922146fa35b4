//! The order in which the contestants of a round run.
//!
//! A machine drifts: it warms up, its clock frequency falls, another job starts. A contestant that
//! always ran first, or always after the same other one, would be favoured. So the order is random,
//! from a seed, in the first round of each pair of rounds, and the second round mirrors the first:
//! a linear drift then cancels exactly over every pair. An odd number of rounds leaves the last one
//! unbalanced.

use super::random::{Purpose, Random};

/// Length of a page: a larger environment moves nothing else.
const PADDING_BYTES_MAX: usize = 4096;

/// The contestants `0..contestants` in the order in which they run in `round`, counted from 0.
pub fn order(contestants: usize, round: usize, seed: u32) -> Vec<usize> {
    let pair = u32::try_from(round / 2).unwrap_or(u32::MAX);
    let mut order: Vec<usize> = (0..contestants).collect();
    Random::new(seed, Purpose::Order, pair).shuffle(&mut order);
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

/// Length of the dummy environment variable of a contestant's process in `round`: 0 to 4 KiB.
pub fn padding_bytes(contestant: usize, round: usize, seed: u32) -> usize {
    let mut random = Random::new(
        seed,
        Purpose::Environment,
        u32::try_from(round).unwrap_or(0),
    );
    let mut draws = std::iter::repeat_with(|| random.below(PADDING_BYTES_MAX + 1));
    draws.nth(contestant).unwrap_or(0)
}

/// Runs from the reference's place in `order` to the contestant's; negative if the contestant
/// runs first. `None` if one of them is not in it.
pub fn slots_apart(order: &[usize], contestant: usize, reference: usize) -> Option<i32> {
    let place = |of: usize| order.iter().position(|&index| index == of);
    let (ours, theirs) = (place(contestant)?, place(reference)?);
    i32::try_from(ours as i64 - theirs as i64).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_round_holds_every_contestant_once() {
        for contestants in 0..9 {
            for round in 0..20 {
                let mut order = order(contestants, round, 1);
                order.sort_unstable();
                assert_eq!(order, (0..contestants).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_second_round_of_a_pair_mirrors_the_first() {
        for pair in 0..20 {
            let mut second = order(5, 2 * pair + 1, 3);
            second.reverse();
            assert_eq!(order(5, 2 * pair, 3), second);
        }
    }

    #[test]
    fn a_linear_drift_favours_nobody_over_a_pair() {
        for contestant in 1..4 {
            let both = [order(4, 0, 9), order(4, 1, 9)];
            let apart = both.map(|order| slots_apart(&order, contestant, 0).unwrap());
            assert_eq!(apart[0], -apart[1]);
            assert_ne!(apart[0], 0);
        }
        assert_eq!(slots_apart(&[0, 1], 2, 0), None);
    }

    #[test]
    fn environments_differ_from_start_to_start_and_repeat_with_the_seed() {
        let of = |contestant, round, seed| padding_bytes(contestant, round, seed);
        assert_eq!(of(1, 3, 7), of(1, 3, 7));
        let sizes: std::collections::BTreeSet<usize> = (0..4)
            .flat_map(|contestant| (0..50).map(move |round| of(contestant, round, 7)))
            .collect();
        assert!(sizes.len() > 180 && sizes.iter().all(|&size| size <= PADDING_BYTES_MAX));
        assert_ne!(of(0, 0, 7), of(0, 0, 8));
    }

    #[test]
    fn the_seed_decides_and_all_orders_come_up() {
        assert_eq!(order(6, 4, 11), order(6, 4, 11));
        let mut orders = BTreeMap::new();
        for seed in 0..600 {
            *orders.entry(order(3, 0, seed)).or_insert(0) += 1;
        }
        assert_eq!(orders.len(), 6);
        assert!(orders.values().all(|&count| count > 60), "{orders:?}");
        let pairs: Vec<_> = (0..20).map(|pair| order(4, 2 * pair, 1)).collect();
        assert!(pairs.iter().any(|order| *order != pairs[0]));
    }
}
