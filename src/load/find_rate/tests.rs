//! `--find-rate`: its plan, its loop over trials, and the rates that it signs on a queue.

use super::*;
use crate::event_loop::Time;
use crate::load::schedule::Arrivals;
use crate::load::statistics::interval_log::IntervalLog;
use crate::load::statistics::test_queue::{self, QueuePlan};
use crate::load::warning::Backlog;
use crate::load::{self, RunPhase};

fn objective(text: &str) -> RateObjective {
    text.parse().expect("an objective")
}

#[test]
fn an_objective_is_an_upper_limit_of_a_latency() {
    assert_eq!(objective("p99 < 5ms").to_string(), "p99<5ms");
    assert_eq!(objective("mean<=1s").0.limit, 1e9);
    for text in ["p99>5ms", "rate<1000", "errors<1%", "suspect", "p99<0ms"] {
        let error = text.parse::<RateObjective>().expect_err(text);
        assert!(error.to_string().contains("'p99<5ms'"), "{error}");
    }
    let error = "p99<5".parse::<RateObjective>().expect_err("no unit");
    assert!(error.to_string().contains("5ms"), "{error}");
}

#[test]
fn a_trial_at_a_low_rate_is_as_long_as_its_percentile_needs() {
    let second = Duration::from_secs(1);
    let of = |text: &str, rate| objective(text).trial_duration(rate, second);
    assert_eq!(of("p99<5ms", 100_000.0), second);
    assert_eq!(of("p99<5ms", 5_000.0), 2 * second);
    assert_eq!(of("p99<5ms", 1.0), 10 * second);
    assert_eq!(of("mean<5ms", 1.0), second);
    let longest = objective("p99<5ms").trial_duration(1.0, Duration::MAX);
    assert_eq!(longest, Duration::MAX);
}

/// The rate that a search signs for `p99<20ms` on a queue that serves 1,000 requests a second.
fn signed_on_a_queue(seed: u64) -> Option<f64> {
    let objective = objective("p99<20ms");
    let mut search = RateSearch::new(objective.0.limit, 200.0);
    let mut trials = 0;
    while let Some((rate, _)) = search.next() {
        trials += 1;
        let duration = objective.trial_duration(rate, Duration::from_secs(1));
        let load = rate / 1000.0;
        // A fuller queue has no such percentile in that time.
        search.take(match load < 0.95 {
            true => {
                let queue = QueuePlan::mm1(load, rate, duration.as_secs_f64());
                value::percentile_ns(0.99, &test_queue::run(&queue, seed * 100 + trials))
            }
            false => f64::INFINITY,
        });
    }
    search.found().signed.map(|signed| signed.rate)
}

#[test]
fn a_rate_signed_on_a_queue_keeps_within_the_objective() {
    // M/M/1: the 99th percentile is ln(100) / (capacity - rate).
    let knee = 1000.0 - 100f64.ln() / 0.020;
    let signed: Vec<f64> = (0..100).filter_map(signed_on_a_queue).collect();
    let over = signed.iter().filter(|&&rate| rate > knee).count();
    let mean = signed.iter().sum::<f64>() / signed.len() as f64 / knee;
    println!(
        "{} of 100 signed, {over} beyond the knee, {mean:.3} of it in the mean",
        signed.len()
    );
    assert!(over * 20 <= signed.len(), "{over} of {}", signed.len());
    assert!(mean >= 0.9, "{mean}");
}

fn plan() -> FindRatePlan {
    FindRatePlan {
        trial: load::tests::plan("http://localhost"),
        open_loop: OpenLoopPlan {
            rate: Rate::Constant(1.0),
            arrivals: Arrivals::Poisson,
            seed: 40,
            deadline: None,
        },
        first_rate: 500.0,
        trial_duration: Duration::from_secs(1),
        objective: objective("max<5ms"),
    }
}

#[test]
fn each_trial_has_its_own_seed_and_a_warm_up() {
    let mut plan = plan();
    let second = plan.trial(800.0, 2);
    assert_eq!(second.until, Until::Duration(Duration::from_secs(1)));
    assert_eq!(second.warm_up, WarmUp::For(Duration::from_millis(100)));
    let open_loop = second.open_loop.expect("an open loop");
    assert_eq!(open_loop.rate, Rate::Constant(800.0));
    assert_eq!(
        (open_loop.seed, open_loop.arrivals),
        (42, Arrivals::Poisson)
    );
    let given = WarmUp::For(Duration::from_secs(3));
    plan.trial.warm_up = given;
    assert_eq!(plan.trial(800.0, 2).warm_up, given);
}

fn rate_of(trial: &LoadPlan) -> f64 {
    match trial.open_loop.map(|open_loop| open_loop.rate) {
        Some(Rate::Constant(rate)) => rate,
        other => panic!("{other:?}"),
    }
}

fn refused() -> Error {
    Error::Connect(ConnectError::NoAnswer {
        url: "http://localhost".to_owned(),
        causes: "refused".to_owned(),
    })
}

/// A server whose greatest latency is 1 ms for each 1,000 requests per second.
fn report_at(trial: &LoadPlan) -> LoadReport {
    let mut report = LoadReport::default();
    report.accounting.completed = 1000;
    report.latency.max = rate_of(trial) / 1000.0;
    report
}

#[test]
fn the_trials_are_those_that_the_search_asks_for() {
    let mut told = Vec::new();
    let run = |trial: &LoadPlan, on_progress: OnProgress<'_>| {
        on_progress(Progress {
            phase: RunPhase::Run,
            elapsed: Duration::ZERO,
            completed: 0,
            errors: 0,
            unexpected_statuses: 0,
        });
        Ok(report_at(trial))
    };
    let report = search_by(run, &plan(), &mut |trial| {
        told.push((trial.number, trial.rate, trial.purpose, trial.duration));
    });
    let report = report.expect("a report");
    let found = report.find_rate.as_ref().expect("a search");
    assert_eq!(found.outcome, Outcome::Found);
    let signed = found.rate.expect("a rate");
    assert!((4_000.0..=5_000.0).contains(&signed), "{signed}");
    assert_eq!((found.seed, found.objective.as_str()), (40, "max<5ms"));
    // The report itself is that of the last trial, which verified the rate.
    assert_eq!(report.latency.max, signed / 1000.0);
    let second = Duration::from_secs(1);
    let trials = (1..).zip(&found.trials);
    let asked: Vec<_> = trials
        .map(|(n, t)| (n, t.rate, t.purpose, second))
        .collect();
    assert_eq!(told, asked);
    for trial in &found.trials {
        let value_ms = trial.value_ms.expect("a latency");
        assert!((value_ms - trial.rate / 1000.0).abs() < 1e-9, "{trial:?}");
        assert!(!trial.client_late);
    }
    assert_eq!(told[0], (1, 500.0, Purpose::Bracket, second));
}

#[test]
fn an_objective_that_every_rate_meets_has_a_rate_at_least() {
    let run = |trial: &LoadPlan, _: OnProgress<'_>| {
        let mut report = report_at(trial);
        report.latency.max = 1.0;
        Ok(report)
    };
    let report = search_by(run, &plan(), &mut |_| {}).expect("a report");
    let found = report.find_rate.expect("a search");
    let limit = Limit::Trials;
    assert_eq!(found.outcome, Outcome::AtLeast { limit });
    assert_eq!(found.rate, Some(500.0 * 128.0));
}

#[test]
fn a_rate_that_the_client_could_not_keep_is_a_lower_bound() {
    let run = |trial: &LoadPlan, _: OnProgress<'_>| {
        let mut report = report_at(trial);
        if rate_of(trial) > 5000.0 {
            report.verdict.reasons = vec![Warning::LateClient {
                percentile: 99.0,
                ms: 9.0,
            }];
        }
        Ok(report)
    };
    let report = search_by(run, &plan(), &mut |_| {}).expect("a report");
    let found = report.find_rate.expect("a search");
    let limit = Limit::Client;
    assert_eq!(found.outcome, Outcome::AtLeast { limit });
    let late = |trial: &TrialReport| trial.client_late == (trial.rate > 5000.0);
    assert!(found.trials.iter().all(late), "{:?}", found.trials);
}

/// The search whose third trial ends in this way.
fn search_that_ends(third: fn(LoadReport) -> Result<LoadReport, Error>) -> FindRateReport {
    let mut trials = 0;
    let run = |trial: &LoadPlan, _: OnProgress<'_>| {
        trials += 1;
        match trials {
            3 => third(report_at(trial)),
            _ => Ok(report_at(trial)),
        }
    };
    let report = search_by(run, &plan(), &mut |_| {}).expect("a report");
    assert_eq!(trials, 3);
    // That of the last whole trial.
    assert_eq!((report.latency.max, report.interrupted), (1.0, false));
    let found = report.find_rate.expect("a search");
    assert_eq!(found.trials.len(), 2);
    found
}

#[test]
fn a_search_ends_with_its_server_or_with_a_stop_signal() {
    let gone = search_that_ends(|_| Err(refused()));
    let Outcome::ServerGone { cause } = gone.outcome else {
        panic!("{gone:?}");
    };
    assert_eq!(cause, refused().to_string());
    let interrupted = search_that_ends(|report| {
        Ok(LoadReport {
            interrupted: true,
            ..report
        })
    });
    assert_eq!(interrupted.outcome, Outcome::Interrupted);
    let before = search_that_ends(|_| Err(Error::InterruptedBeforeStart));
    assert_eq!(before.outcome, Outcome::Interrupted);
}

#[test]
fn without_a_trial_there_is_no_report() {
    let run = |_: &LoadPlan, _: OnProgress<'_>| Err(refused());
    let error = search_by(run, &plan(), &mut |_| {}).expect_err("no trial");
    assert_eq!(error.to_string(), refused().to_string());
}

#[test]
fn a_trial_with_wrong_replies_is_beyond_any_limit() {
    let mut report = LoadReport::default();
    report.latency.max = 1.0;
    assert_eq!(objective("max<5ms").value_ns(&report), f64::INFINITY);
    report.accounting.completed = 1000;
    assert_eq!(objective("max<5ms").value_ns(&report), 1e6);
    report.verdict.reasons = vec![Warning::WrongBodies { replies: 1 }];
    assert_eq!(objective("max<5ms").value_ns(&report), f64::INFINITY);
}

#[test]
fn a_trial_with_requests_that_have_no_latency_has_no_mean_and_no_maximum() {
    let mut lost = IntervalLog::starting(Time::START);
    lost.record(Time::START, 1000, 999);
    lost.record_lost(Time::START, 1, 1);
    lost.finish(Time::from_ns(100_000_000));
    let mut report = LoadReport::default();
    report.accounting.completed = 999;
    report.latency.max = 1.0;
    let of =
        |report: &LoadReport| ["mean<5ms", "max<5ms"].map(|text| objective(text).value_ns(report));
    assert!(of(&report).iter().all(|value| value.is_finite()));
    report.latency.max_age_ms = 2.0;
    assert_eq!(of(&report)[1], 2e6);
    report.accounting.timed_out = 1;
    assert_eq!(of(&report), [f64::INFINITY; 2]);
    report.accounting.timed_out = 0;
    let shed = Warning::NeverSent {
        unsent: 900,
        due: 1000,
        cause: Backlog::ServerBeyondDeadline,
    };
    report.verdict.reasons = vec![shed];
    assert_eq!(of(&report), [f64::INFINITY; 2]);
    report.verdict.reasons.clear();
    report.timeline.intervals = lost.into_intervals();
    assert_eq!(of(&report), [f64::INFINITY; 2]);
}
