//! Coverage of a duet's interval, its width beside that of whole rounds, and its schedule.

use std::time::Duration;

use super::*;
use crate::compare::statistics::duet::DuetRatio;

const TRIES: u32 = 1000;

/// A machine whose speed wanders by 3 % with a memory of 5 s, sampled every 125 ms, on which each
/// slice of that length has a noise of 2 % of its own. Two servers of the same true speed.
struct Machine {
    random: Random,
    wander: f64,
    /// Standard deviation of the log ratio from start to start.
    restart_deviation: f64,
}

const STEP_SECONDS: f64 = 0.125;

impl Machine {
    fn new(restart_deviation: f64, seed: u32) -> Machine {
        let mut random = Random::new(seed, Purpose::Mock, 0);
        let wander = 0.03 * random.normal();
        Machine {
            random,
            wander,
            restart_deviation,
        }
    }

    /// ln(speed) of the next 125 ms.
    fn step(&mut self) -> f64 {
        let memory = f64::exp(-STEP_SECONDS / 5.0);
        let innovation = 0.03 * (1.0 - memory * memory).sqrt();
        self.wander = memory * self.wander + innovation * self.random.normal();
        self.wander + 0.02 * self.random.normal()
    }

    fn wait(&mut self, seconds: f64) {
        for _ in 0..(seconds / STEP_SECONDS) as usize {
            self.step();
        }
    }

    /// 60 s: 10 starts of 1 s, each followed by 20 pairs of slices.
    fn duet(&mut self) -> Vec<Vec<f64>> {
        let restart = |_| {
            self.wait(1.0);
            let luck = self.restart_deviation * self.random.normal();
            let pair = |_| luck + self.step() - self.step();
            (0..20).map(pair).collect()
        };
        (0..10).map(restart).collect()
    }

    /// 60 s: 10 rounds of two runs of 2 s, each after a start of 1 s.
    fn whole_rounds(&mut self) -> Vec<f64> {
        let mut run = || {
            self.wait(1.0);
            (0..16).map(|_| self.step()).sum::<f64>() / 16.0
        };
        let mut ratios: Vec<f64> = (0..10).map(|_| run() - run()).collect();
        for ratio in &mut ratios {
            *ratio += self.restart_deviation * self.random.normal();
        }
        ratios
    }
}

/// The restarts of a duet as rounds, as they are judged.
fn ratios_of_restarts(restart_deviation: f64, seed: u32) -> Vec<DuetRatio> {
    let restarts = Machine::new(restart_deviation, seed).duet();
    let ratio = |pairs: &Vec<f64>| DuetRatio::of_pairs(pairs).unwrap();
    restarts.iter().map(ratio).collect()
}

fn estimate(restart_deviation: f64, seed: u32) -> Estimate {
    let restarts = ratios_of_restarts(restart_deviation, seed);
    let rounds: Vec<_> = restarts.iter().map(DuetRatio::round).collect();
    let ratio = PairedRatio::of_rounds(&rounds).unwrap();
    ratio.log_mean.unwrap()
}

#[test]
fn identical_servers_are_within_the_interval_in_93_to_97_percent() {
    for restart_deviation in [0.0, 0.02] {
        let coverage = share(TRIES, |seed| {
            estimate(restart_deviation, seed)
                .interval(0.95)
                .contains(0.0)
        });
        println!("restarts {restart_deviation}: coverage {coverage}");
        assert!(
            (0.93..=0.97).contains(&coverage),
            "{restart_deviation}: {coverage}"
        );
    }
}

/// The reason for restarts as units: slices alone do not know of the luck of a start.
#[test]
fn an_interval_from_all_slices_ignores_the_starts() {
    let coverage = share(TRIES, |seed| {
        let slices = Machine::new(0.02, seed).duet().concat();
        Estimate::of_mean(&slices)
            .unwrap()
            .interval(0.95)
            .contains(0.0)
    });
    println!("all slices as one sample: coverage {coverage}");
    assert!(coverage < 0.75, "{coverage}");
}

#[test]
fn a_duet_is_3_times_as_narrow_as_whole_rounds_in_the_same_time() {
    let mean_half = |of: &dyn Fn(u32) -> Estimate| {
        let half = |seed| of(seed).interval(0.95).half_width();
        (0..200).map(half).sum::<f64>() / 200.0
    };
    for (restart_deviation, times) in [(0.0, 3.0), (0.02, 1.2)] {
        let duet = mean_half(&|seed| estimate(restart_deviation, seed));
        let rounds = mean_half(&|seed| {
            let rounds = Machine::new(restart_deviation, seed).whole_rounds();
            Estimate::of_mean(&rounds).unwrap()
        });
        println!("restarts {restart_deviation}: duet ±{duet}, whole rounds ±{rounds}");
        assert!(duet * times <= rounds, "{duet} {rounds}");
    }
}

/// As `compare` reports them.
fn variances(restart_deviation: f64, seed: u32) -> Variances {
    let second = Duration::from_secs(1);
    let mut rule = StoppingRule::new(
        1,
        AutoRounds {
            precision: Margin::SMALLEST,
            rounds_max: 100,
            run_length: second,
            run_length_max: second,
            overhead: second,
        },
    );
    for ratio in ratios_of_restarts(restart_deviation, seed) {
        rule.record(&[Some(ratio.evidence())]);
    }
    rule.variances(0).unwrap()
}

#[test]
fn the_two_variances_of_a_duet_are_told_apart() {
    let mean_shares = |restart_deviation: f64| {
        let shares = |seed| variances(restart_deviation, seed);
        let sum = (0..200).map(shares).fold((0.0, 0.0), |sum, variances| {
            (
                sum.0 + variances.between_restarts,
                sum.1 + variances.within_runs,
            )
        });
        ((sum.0 / 200.0).sqrt(), (sum.1 / 200.0).sqrt())
    };
    let (between, within) = mean_shares(0.02);
    println!("between {between}, within {within}");
    assert!((0.018..0.022).contains(&between), "{between}");
    // 20 pairs of noise 2 % · √2, and a little wander.
    assert!((0.005..0.0085).contains(&within), "{within}");
    assert!(mean_shares(0.0).0 < 0.005);
}

#[test]
fn slices_come_in_mirrored_pairs_of_equal_length() {
    let slices: Vec<Slice> = SliceSchedule::new(3, 1).take(400).collect();
    let mut first_sides = 0;
    for four in slices.chunks_exact(4) {
        assert_ne!(four[0].side, four[1].side);
        assert_eq!((four[0].side, four[1].side), (four[3].side, four[2].side));
        assert_eq!(four[0].length, four[1].length);
        assert_eq!(four[2].length, four[3].length);
        first_sides += usize::from(four[0].side == Side::Contestant);
    }
    assert!((30..70).contains(&first_sides), "{first_sides} of 100");
    let bounds = Duration::from_millis(50)..=Duration::from_millis(200);
    assert!(slices.iter().all(|slice| bounds.contains(&slice.length)));
    let lengths: std::collections::BTreeSet<_> = slices.iter().map(|s| s.length).collect();
    assert!(lengths.len() > 50, "{}", lengths.len());
    assert!(
        SliceSchedule::new(3, 1)
            .take(400)
            .eq(slices.iter().copied())
    );
    assert!(
        SliceSchedule::new(3, 2)
            .take(400)
            .ne(slices.iter().copied())
    );
}

#[test]
fn pairs_are_the_same_way_round_whichever_came_first() {
    let slice = |side, replies| SliceResult {
        side,
        replies,
        length: Duration::from_millis(100),
    };
    let (ours, theirs) = (Side::Contestant, Side::Reference);
    let slices = [
        slice(ours, 2000),
        slice(theirs, 1000),
        slice(theirs, 1000),
        slice(ours, 2000),
        slice(ours, 5),
        slice(ours, 5),
        slice(ours, 2000),
    ];
    let ratio = DuetRatio::of_slices(&slices).unwrap();
    assert_eq!((ratio.pairs, ratio.variance), (2, None), "too few pairs");
    assert!((ratio.log_ratio - 2f64.ln()).abs() < 1e-3);
    let silent = [slice(ours, 0), slice(theirs, 1000)];
    let silent = DuetRatio::of_slices(&silent).unwrap().log_ratio;
    assert!(silent < -7.0 && silent.is_finite());
    assert_eq!(DuetRatio::of_slices(&[slice(ours, 1)]), None);
}
