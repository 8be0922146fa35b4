//! Coverage and cost of `--rounds auto`.

use std::time::Duration;

use super::*;
use crate::compare::statistics::estimate::t_quantile;

const COMPARISONS: u32 = 1000;

fn limits() -> AutoRounds {
    AutoRounds {
        precision: margin(),
        rounds_max: 2000,
        run_length: Duration::from_secs(2),
        run_length_max: Duration::from_secs(20),
        overhead: Duration::from_millis(1500),
    }
}

/// A contestant whose log ratio to the reference is 0.
#[derive(Clone, Copy)]
struct Noise {
    /// Standard deviation of ln(speed) of each run from start to start.
    between: f64,
    /// Standard deviation of ln(speed) over a run of 2 s from its seconds.
    within: f64,
}

struct Stopped {
    rule: StoppingRule,
    rounds: usize,
    run_lengths: Vec<Duration>,
    step: NextStep,
}

fn run_until_done(noise: Noise, windows: bool, seed: u32) -> Stopped {
    let mut rule = StoppingRule::new(1, limits());
    let mut random = Random::new(seed, Purpose::Mock, 0);
    let mut run_lengths = vec![limits().run_length];
    for round in 0.. {
        let length = run_lengths[run_lengths.len() - 1].as_secs_f64();
        let within = 2.0 * noise.within.powi(2) / (length / 2.0);
        // Estimated from 20 windows of each run.
        let chi_squared: f64 = match windows {
            true => (0..38).map(|_| random.normal().powi(2)).sum(),
            false => 38.0,
        };
        let deviation = (2.0 * noise.between.powi(2) + within).sqrt();
        let slots_apart = if round % 2 == 0 { 1 } else { -1 };
        let step = rule.record(&[Some(RoundEvidence {
            log_ratio: deviation * random.normal() + 0.01 * f64::from(slots_apart),
            slots_apart,
            within_variance: windows.then_some(within * chi_squared / 38.0),
        })]);
        match step {
            NextStep::AnotherRound => {}
            NextStep::LongerRuns(length) => run_lengths.push(length),
            NextStep::Precise | NextStep::RoundsMax => {
                return Stopped {
                    rule,
                    rounds: round + 1,
                    run_lengths,
                    step,
                };
            }
        }
    }
    unreachable!()
}

/// The rounds of an oracle that knows the spread beforehand, and needs Student's interval of it
/// to be as narrow as asked for.
fn oracle_rounds(noise: f64) -> usize {
    let deviation = noise * f64::sqrt(2.0);
    let half = |n: usize| t_quantile(0.975, (n - 2) as f64) * deviation / (n as f64).sqrt();
    let mut even = (6..).step_by(2);
    even.find(|&n| half(n) <= margin().log()).unwrap()
}

#[test]
fn intervals_hold_after_stopping_within_1_3_times_the_rounds_of_an_oracle() {
    for between in [0.02, 0.05, 0.10] {
        let noise = Noise {
            between,
            within: 0.0,
        };
        let (mut held, mut rounds) = (0, 0);
        for seed in 0..COMPARISONS {
            let stopped = run_until_done(noise, false, seed);
            assert_eq!(stopped.step, NextStep::Precise);
            assert!(stopped.rounds >= 6 && stopped.rounds.is_multiple_of(2));
            let interval = stopped.rule.interval(0).unwrap();
            assert!(interval.high / interval.low <= 1.02f64.powi(2) + 1e-9);
            held += u32::from(interval.contains(1.0));
            rounds += stopped.rounds;
        }
        let coverage = f64::from(held) / f64::from(COMPARISONS);
        let mean_rounds = rounds as f64 / f64::from(COMPARISONS);
        let oracle = oracle_rounds(between);
        println!("noise {between}: {coverage} in {mean_rounds} rounds, oracle {oracle}");
        assert!(coverage >= 0.94, "noise {between}: {coverage}");
        assert!(mean_rounds <= 1.3 * oracle as f64, "{mean_rounds} {oracle}");
    }
}

#[test]
fn noise_of_starts_leads_to_more_restarts_and_noise_of_seconds_to_longer_runs() {
    for (noise, share_longer) in [
        (
            Noise {
                between: 0.04,
                within: 0.01,
            },
            0.0..=0.1,
        ),
        (
            Noise {
                between: 0.002,
                within: 0.05,
            },
            0.9..=1.0,
        ),
    ] {
        let (mut held, mut longer) = (0, 0);
        let (mut between, mut within) = (0.0, 0.0);
        for seed in 0..400 {
            let stopped = run_until_done(noise, true, seed);
            held += u32::from(stopped.rule.interval(0).unwrap().contains(1.0));
            longer += u32::from(stopped.run_lengths.len() > 1);
            let lengths = &stopped.run_lengths;
            assert!(
                lengths
                    .iter()
                    .all(|length| *length <= limits().run_length_max)
            );
            let shares = stopped.rule.variances(0).unwrap().shares();
            (between, within) = (between + shares.0 / 400.0, within + shares.1 / 400.0);
        }
        let (coverage, longer) = (f64::from(held) / 400.0, f64::from(longer) / 400.0);
        println!("longer runs in {longer}, coverage {coverage}, between {between} within {within}");
        assert!(coverage >= 0.94, "{coverage}");
        assert!(share_longer.contains(&longer), "{longer}");
    }
}

#[test]
fn it_gives_up_at_the_largest_number_of_rounds() {
    let limits = AutoRounds {
        rounds_max: 8,
        ..limits()
    };
    let mut rule = StoppingRule::new(1, limits);
    let steps: Vec<_> = (0..8)
        .map(|round| {
            rule.record(&[Some(RoundEvidence {
                log_ratio: if round % 2 == 0 { 1.0 } else { -1.0 },
                slots_apart: 0,
                within_variance: None,
            })])
        })
        .collect();
    assert!(
        steps[..7]
            .iter()
            .all(|step| *step == NextStep::AnotherRound)
    );
    assert_eq!(steps[7], NextStep::RoundsMax);
}

#[test]
fn no_ratio_at_all_is_not_a_precise_one() {
    let mut rule = StoppingRule::new(2, limits());
    for _ in 0..12 {
        assert_eq!(rule.record(&[None, None]), NextStep::AnotherRound);
    }
}

#[test]
fn the_least_precise_contestant_decides_and_a_failed_one_does_not() {
    let evidence = |log_ratio| {
        Some(RoundEvidence {
            log_ratio,
            slots_apart: 0,
            within_variance: None,
        })
    };
    let mut rule = StoppingRule::new(2, limits());
    for round in 0..8 {
        let noisy = if round % 2 == 0 { 0.1 } else { -0.1 };
        let step = rule.record(&[evidence(0.0), evidence(noisy)]);
        assert_eq!(step, NextStep::AnotherRound);
    }
    assert_eq!(rule.record(&[evidence(0.0), None]), NextStep::AnotherRound);
    assert_eq!(rule.record(&[evidence(0.0), None]), NextStep::Precise);
}
