//! Comparisons at a given rate.

use super::super::markdown;
use super::super::page::of_comparison;
use super::super::report::{Finding, LoadLimit};
use super::*;
use crate::load::report::Timeline;
use crate::load::statistics::interval_log::IntervalLog;

/// Requests due per second.
const GIVEN: u64 = 1000;
const TENTHS: u64 = 50;

/// A run of 5 s in whose tenths this many of the 100 requests due are answered.
pub(super) fn answering(per_tenth: impl Fn(u64) -> u64) -> RunFigures {
    let at = |tenth: u64| Time::from_ns(tenth * 100_000_000);
    let mut log = IntervalLog::starting(at(0));
    for tenth in 0..TENTHS {
        log.record(at(tenth), 1_000_000, per_tenth(tenth));
    }
    log.finish(at(TENTHS));
    let timeline = Timeline {
        intervals: log.into_intervals(),
        due: vec![GIVEN / 10; TENTHS as usize],
        ..Timeline::default()
    };
    let answered: u64 = (0..TENTHS).map(per_tenth).sum();
    RunFigures {
        // An open loop polls without sleeping.
        client_cpu_share: 0.99,
        server: Some(Usage {
            detail: Some(UsageDetail {
                user: Duration::from_secs(1),
                system: Duration::from_secs(3),
                voluntary_switches: 0,
                involuntary_switches: 0,
            }),
            ..used(Duration::from_secs(4), 10 << 20)
        }),
        course: RunCourse {
            timeline,
            ..RunCourse::default()
        },
        ..measured(answered / 5)
    }
}

/// Six rounds of each contestant at a given rate; the first one is the reference.
pub(super) fn report_of(
    runs: &[(&'static str, RunFigures)],
) -> (ComparisonOutcome, ComparisonReport) {
    let names: Vec<&str> = runs.iter().map(|(name, _)| *name).collect();
    let contestants = plan(&names, 6).contestants().to_vec();
    let settings = Settings {
        rate: Some(GIVEN as f64),
        ..settings(6)
    };
    let reference = Some(names[0].to_owned());
    let plan = ComparisonPlan::new(contestants, &[], reference, settings).unwrap();
    let mut script = Script::default();
    for (name, run) in runs {
        script = script.with(name, (0..6).map(|_| Ok(run.clone())).collect());
    }
    let (outcome, report, _) = held(&plan, &mut script);
    (outcome, report)
}

#[test]
fn a_server_keeps_up_if_it_answers_in_the_end_as_much_as_is_due() {
    let kept_up = |per_tenth: &dyn Fn(u64) -> u64| answering(per_tenth).has_kept_up();
    assert_eq!(kept_up(&|_| 100), Some(true));
    // A latency of a second: the first replies come late, and then as many as are due.
    assert_eq!(
        kept_up(&|tenth| if tenth < 10 { 0 } else { 100 }),
        Some(true)
    );
    assert_eq!(kept_up(&|_| 97), Some(false));
    assert_eq!(measured(1000).has_kept_up(), None, "a closed loop");
}

#[test]
fn servers_that_keep_up_are_told_apart_by_latency_and_cost() {
    let other = RunFigures {
        p99_ms: Some(3.5),
        lower_bounds_from: Some(99.0),
        ..answering(|_| 100)
    };
    let (outcome, report) = report_of(&[
        ("python-http", other),
        ("node", answering(|_| 100)),
        ("bareloop-http", answering(|_| 100)),
    ]);
    let ratio = report.contestants[1].ratio.as_ref().unwrap();
    assert_eq!(
        (ratio.limit, ratio.finding),
        (LoadLimit::Rate, Finding::Undecided)
    );
    let text = table::render(&report, 100);
    let sentence = &verdict::sentences(&report)[0];
    assert_eq!(
        sentence,
        "node and python-http kept up with the given rate of 1,000 requests/s; only latency and \
         CPU time can differ. p99: 2.00 ms against >= 3.50 ms. Server CPU per request: 800 µs \
         against 800 µs."
    );
    assert!(text.contains("┆       kept up ┆"), "{text}");
    assert!(text.contains("given rate │"), "{text}");
    for text in [&text, &markdown::render(&report)] {
        assert!(!text.contains("same within"), "{text}");
        assert!(!text.contains("client was"), "{text}");
    }
    let said = "1,000 requests/s due on 100 connections, at most 10 requests in flight on each";
    assert!(markdown::render(&report).contains(said));
    let page = of_comparison(&report, &outcome, "bareloop compare").unwrap();
    let verdict = page.verdict.words();
    assert!(
        verdict.starts_with("All 3 kept up with the given rate"),
        "{verdict}"
    );
    assert!(page.subtitle.words().contains(said));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["settings"]["rate"], 1000.0);
    assert_eq!(json["contestants"][1]["ratio"]["limit"], "rate");
    assert_eq!(
        json["contestants"][1]["runs"][0]["limits"],
        serde_json::json!(["rate"])
    );
}

#[test]
fn a_given_rate_bounds_the_ratio_to_a_server_that_falls_behind() {
    use LoadLimit::{AtLeast, AtMost, None, Rate};
    let late = RunFigures {
        warnings: vec![load::Warning::LateClient {
            percentile: 99.0,
            ms: 3.0,
        }],
        ..answering(|_| 50)
    };
    let once = RunFigures {
        warnings: Vec::new(),
        ..late.clone()
    };
    let full = || answering(|_| 100);
    for (ours, theirs, limit, said) in [
        (
            full(),
            once.clone(),
            AtLeast,
            "node is at least 2.00 times faster than python-http (node kept up with the given rate)",
        ),
        (
            once.clone(),
            full(),
            AtMost,
            "node is at least 2.00 times slower than python-http (python-http kept up with the \
             given rate)",
        ),
        (
            once.clone(),
            answering(|_| 25),
            None,
            "node is 2.00 times faster than python-http (6 rounds",
        ),
        (
            late,
            answering(|_| 25),
            AtLeast,
            "node is at least 2.00 times faster than python-http (the client was at its limit)",
        ),
        (full(), full(), Rate, "node and python-http kept up with"),
    ] {
        let (_, report) = report_of(&[("python-http", theirs), ("node", ours)]);
        let found = report.contestants[1].ratio.as_ref().unwrap().limit;
        let sentence = &verdict::sentences(&report)[0];
        assert_eq!(found, limit, "{sentence}");
        assert!(sentence.starts_with(said), "{sentence}");
        assert!(sentence.contains(" p99: 2.00 ms against 2.00 ms."));
        let busy = |warning: &Warning| matches!(warning.reason, Reason::ClientLimited { .. });
        assert!(!report.contestants[1].warnings.iter().any(busy));
    }
}

#[test]
fn a_round_behind_the_rate_is_told_and_makes_no_speed_of_the_others() {
    let contestants = plan(&["python-http", "node"], 6).contestants().to_vec();
    let settings = Settings {
        rate: Some(GIVEN as f64),
        ..settings(6)
    };
    let plan = ComparisonPlan::new(contestants, &[], None, settings).unwrap();
    let runs = || (0..6).map(|_| Ok(answering(|_| 100)));
    let mut script = Script::default().with("python-http", runs().collect());
    let mut runs: Vec<_> = runs().collect();
    runs[2] = Ok(answering(|_| 90));
    script = script.with("node", runs);
    let (_, report, _) = held(&plan, &mut script);
    let sentence = &verdict::sentences(&report)[0];
    let said = "kept up with the given rate of 1,000 requests/s in 5 of 6 and 6 of 6 rounds;";
    assert!(sentence.contains(said), "{sentence}");
    let text = table::render(&report, 100);
    assert!(text.contains("given rate (5 of 6)"), "{text}");
}
