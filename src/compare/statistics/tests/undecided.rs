//! The number of rounds that an undecided comparison is told to run.

use super::*;

fn first_answer(bench: &MockBench<'_>, seed: u32) -> Answer {
    judge(&bench.compare(seed), margin())[0].answer
}

fn bench(difference: f64, noise: f64, rounds: usize) -> (Vec<f64>, f64, usize) {
    (vec![0.0, f64::ln_1p(difference)], noise, rounds)
}

fn answer_of((log_speeds, noise, rounds): &(Vec<f64>, f64, usize), seed: u32) -> Answer {
    let bench = MockBench {
        log_speeds,
        noise: *noise,
        drift: 0.0,
        alternation: 0.0,
        rounds: *rounds,
    };
    first_answer(&bench, seed)
}

/// Continued for as many rounds as named (a comparison of the same seed begins with the same
/// rounds), most comparisons are decided; after half as many, far fewer.
#[test]
fn the_rounds_named_decide_most_comparisons() {
    for (difference, noise) in [(0.0, 0.03), (0.01, 0.02), (0.03, 0.03)] {
        let (mut undecided, mut decided, mut decided_by_half) = (0, 0, 0);
        for seed in 0..400 {
            let first = answer_of(&bench(difference, noise, 12), seed);
            let Answer::Undecided {
                more_rounds: Some(more),
            } = first
            else {
                continue;
            };
            undecided += 1;
            let is_decided = |more: usize| {
                let later = bench(difference, noise, 12 + more);
                !matches!(answer_of(&later, seed), Answer::Undecided { .. })
            };
            decided += usize::from(is_decided(more.get()));
            decided_by_half += usize::from(is_decided(more.get() / 4 * 2));
            assert_eq!((12 + more.get()) % 2, 0);
        }
        println!("{difference} {noise}: {decided_by_half} {decided} of {undecided}");
        assert!(decided * 100 >= undecided * 70, "{decided} of {undecided}");
        assert!(
            decided_by_half < decided,
            "{decided_by_half} of {undecided}"
        );
    }
}

#[test]
fn a_single_round_cannot_say_how_many() {
    let answer = answer_of(&bench(1.0, 0.01, 1), 1);
    assert_eq!(answer, Answer::Undecided { more_rounds: None });
}

/// However clear they look.
#[test]
fn fewer_than_six_rounds_are_undecided_and_name_at_least_the_missing_ones() {
    for rounds in 2..6 {
        for difference in [0.0, 10.0] {
            match answer_of(&bench(difference, 0.01, rounds), 1) {
                Answer::Undecided {
                    more_rounds: Some(more),
                } => {
                    assert!(more.get() + rounds >= 6, "{more} more than {rounds}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Totals computed from the definition by another program.
#[test]
fn the_rounds_named_are_the_fewest_that_decide_with_80_percent() {
    for (mean, standard_error, rounds, more) in [
        (0.02, 0.011, 12, 16),
        (0.0, 0.012, 12, 28),
        (0.01, 0.02, 8, 56),
    ] {
        let ratio = PairedRatio {
            summary: Summary::of(&[1.0]).unwrap(),
            rounds: vec![1.0; rounds],
            log_mean: Some(Estimate {
                mean,
                standard_error,
                degrees: rounds as f64 - 2.0,
            }),
        };
        let more_rounds = std::num::NonZeroUsize::new(more);
        let answer = judge(&[ratio], margin())[0].answer;
        assert_eq!(answer, Answer::Undecided { more_rounds });
    }
}
