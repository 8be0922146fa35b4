//! Error rates of several contestants against one reference.

use super::*;

const COMPARISONS: u32 = 2000;

fn judged(log_speeds: &[f64], noise: f64, seed: u32) -> Vec<Judgement> {
    let bench = MockBench {
        log_speeds,
        noise,
        drift: 0.05,
        alternation: 0.0,
        rounds: 6,
    };
    judge(&bench.compare(seed), margin())
}

fn interval(judgement: &Judgement) -> Interval {
    match judgement.uncertainty {
        Uncertainty::Confidence(interval) => interval,
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_of_four_identical_servers_is_different_in_at_most_5_percent() {
    let alarms = share(COMPARISONS, |seed| {
        let judged = judged(&[0.0; 5], 0.02, seed);
        judged.iter().any(|judged| is_different(judged.answer))
    });
    println!("any of 4 different: {alarms}");
    assert!((0.02..=0.06).contains(&alarms), "{alarms}");
}

/// Two are different beyond doubt, so that Holm's rule gives the other two more of the 5 %.
#[test]
fn differences_found_do_not_add_false_ones() {
    let log_speeds = [0.0, 1.0, -1.0, 0.0, 0.0];
    let alarms = share(COMPARISONS, |seed| {
        let judged = judged(&log_speeds, 0.02, seed);
        assert!(is_different(judged[0].answer) && is_different(judged[1].answer));
        judged[2..].iter().any(|judged| is_different(judged.answer))
    });
    println!("any of 2 beside 2 others: {alarms}");
    assert!((0.03..=0.06).contains(&alarms), "{alarms}");
}

#[test]
fn four_intervals_hold_together_in_95_percent() {
    let log_speeds = [0.0, 0.03, -0.05, 0.0, 0.3];
    let all_hold = share(COMPARISONS, |seed| {
        let judged = judged(&log_speeds, 0.02, seed);
        let truths = log_speeds[1..].iter().map(|log| log.exp());
        std::iter::zip(&judged, truths).all(|(judged, truth)| interval(judged).contains(truth))
    });
    println!("all of 4 intervals hold: {all_hold}");
    assert!((0.94..=0.98).contains(&all_hold), "{all_hold}");
}

#[test]
fn an_interval_excludes_1_or_ends_there_exactly_if_the_answer_is_different() {
    let mut cut = 0;
    for seed in 0..COMPARISONS {
        for judged in judged(&[0.0, 0.04, -0.04, 0.06], 0.02, seed) {
            let interval = interval(&judged);
            let inside = interval.low < 1.0 && interval.high > 1.0;
            assert_eq!(is_different(judged.answer), !inside, "{judged:?}");
            cut += usize::from(interval.low == 1.0 || interval.high == 1.0);
        }
    }
    assert!(cut > 0, "Holm's rule never rejected more than Bonferroni's");
}

/// 1, 2 and 3 % against thresholds of 5/3, 5/2 and 5 %.
#[test]
fn several_p_values_are_tested_one_step_after_another() {
    let ratio = |p_value: f64| {
        let t = super::super::estimate::t_quantile(1.0 - p_value / 2.0, 4.0);
        PairedRatio {
            summary: Summary::of(&[(0.1 * t).exp()]).unwrap(),
            rounds: vec![1.0; 6],
            log_mean: Some(Estimate {
                mean: 0.1 * t,
                standard_error: 0.1,
                degrees: 4.0,
            }),
        }
    };
    let different = |p_values: [f64; 3]| {
        let judged = judge(&p_values.map(ratio), margin());
        [0, 1, 2].map(|index| is_different(judged[index].answer))
    };
    assert_eq!(different([0.03, 0.01, 0.02]), [true, true, true]);
    assert_eq!(different([0.03, 0.01, 0.026]), [false, true, false]);
    assert_eq!(different([0.03, 0.017, 0.02]), [false, false, false]);
}
