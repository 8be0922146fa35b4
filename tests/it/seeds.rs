//! The random numbers of the tests.

use crate::harness::Random;

/// A seed that was noted with one version has to give the same run with the next one.
#[test]
fn a_seed_gives_the_same_numbers_in_every_version() {
    let mut random = Random::seeded(1);
    let bits = [(); 3].map(|()| random.bits());
    let numbers = [2, 10, 1_000_000].map(|end| random.below(end));
    let lengths: Vec<usize> = random.cut(&[0; 10], 4).iter().map(|p| p.len()).collect();
    let mut order = [1, 2, 3, 4, 5];
    random.shuffle(&mut order);
    let picked = random.pick(&order).copied();
    assert_eq!(
        bits,
        [
            14_971_601_782_005_023_387,
            13_781_649_495_232_077_965,
            1_847_458_086_238_483_744
        ]
    );
    assert_eq!(numbers, [1, 1, 590_478]);
    assert_eq!(lengths, [4, 3, 1, 1, 1]);
    assert_eq!((order, picked), ([5, 2, 1, 4, 3], Some(5)));
}
