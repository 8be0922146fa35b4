//! In which order the contestants of a round run.
//!
//! A machine drifts: it warms up, its clock falls, another job starts. Whoever always ran first,
//! or always after the same neighbour, would be favoured. So the order follows a Williams design
//! (E. J. Williams, 1949): for an even number of contestants every n rounds put each contestant
//! once in each place, and once right after each other contestant; for an odd number every 2n
//! rounds do so twice. Fewer rounds are a prefix of that: nobody is in the same place twice.

/// The contestants `0..contestants` in the order in which they run in `round`, counted from 0.
pub fn order(contestants: usize, round: usize) -> Vec<usize> {
    let shift = round % contestants.max(1);
    let mut order: Vec<usize> = zigzag(contestants)
        .map(|place| (place + shift) % contestants)
        .collect();
    let second_half = (round / contestants.max(1)) % 2 == 1;
    if contestants % 2 == 1 && second_half {
        order.reverse();
    }
    order
}

/// 0, 1, n-1, 2, n-2, ...: every difference between neighbours, modulo n, comes once.
fn zigzag(count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |step| match step {
        0 => 0,
        odd if odd % 2 == 1 => odd.div_ceil(2),
        even => count - even / 2,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn counts<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
        let mut counts = BTreeMap::new();
        for key in keys {
            *counts.entry(key).or_insert(0) += 1;
        }
        counts
    }

    #[test]
    fn every_round_holds_every_contestant_once() {
        for contestants in 0..9 {
            for round in 0..20 {
                let mut order = order(contestants, round);
                order.sort_unstable();
                assert_eq!(order, (0..contestants).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_first_rounds_of_four_are_these() {
        let rounds: Vec<_> = (0..4).map(|round| order(4, round)).collect();
        let expected = [[0, 1, 3, 2], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]];
        assert_eq!(rounds, expected);
    }

    #[test]
    fn places_and_neighbours_are_balanced() {
        for contestants in 2..9 {
            let (rounds, times) = match contestants % 2 {
                0 => (contestants, 1),
                _ => (2 * contestants, 2),
            };
            let orders: Vec<_> = (0..rounds).map(|r| order(contestants, r)).collect();
            let places = counts(orders.iter().flat_map(|o| o.iter().copied().enumerate()));
            assert_eq!(places.len(), contestants * contestants);
            assert!(places.values().all(|&count| count == times));
            let neighbours = counts(
                orders
                    .iter()
                    .flat_map(|o| o.windows(2).map(|pair| (pair[0], pair[1]))),
            );
            assert_eq!(neighbours.len(), contestants * (contestants - 1));
            assert!(neighbours.values().all(|&count| count == times));
        }
    }
}
