//! Merges of simulated runs: what they must give is known.

use std::time::{Duration, SystemTime};

use chacha20::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::*;
use crate::event_loop::Time;
use crate::load::statistics::hlog::write_hlog;
use crate::load::statistics::interval_log::IntervalLog;
use crate::load::statistics::interval_log::{all_censored, all_lost};

const EPOCH_MS: u64 = 1_700_000_000_000;

/// The report of a run, as far as a merge reads it.
fn report(share: Option<&str>) -> Value {
    json!({
        "url": "http://localhost:8080", "connections": 10, "workers": 1, "pipelining": 1,
        "requestsInTurn": 1,
        "until": "10s", "refill": "rolling", "share": share, "interrupted": false,
        "openLoop": {"rate": {"from": 1000.0, "to": 1000.0}, "arrivals": "constant", "seed": 7},
        "accounting": {"due": 10, "sent": 9, "neverSent": 1, "completed": 6, "timedOut": 1,
            "lost": 1, "inFlight": 1},
        "errors": 2, "statusCodeStats": {"200": {"count": 6}},
        "verdict": {"valid": true, "reasons": []}, "version": "0.2.0",
    })
}

fn log_text(log: &[Interval], start_ms: u64, report: &Value) -> String {
    let mut file = Vec::new();
    let start = SystemTime::UNIX_EPOCH + Duration::from_millis(start_ms);
    let mut report = report.clone();
    report["start"] = humantime::format_rfc3339_millis(start).to_string().into();
    write_hlog(&mut file, log, Time::START, start, &report.to_string()).expect("a Vec");
    String::from_utf8(file).expect("text")
}

/// Replies that take 2 ms each, `rate` in a second, for `seconds`.
fn steady(rate: u64, seconds: u64) -> Vec<Interval> {
    steady_run(rate, seconds, 0)
}

/// The same, of run `number`, whose replies took another time than those of others.
fn steady_run(rate: u64, seconds: u64, number: u64) -> Vec<Interval> {
    let mut log = IntervalLog::starting(Time::START);
    for reply in 0..rate * seconds {
        let now = Time::from_ns(reply * 1_000_000_000 / rate);
        log.record(now, 2_000_000 + number * 100_000, 1);
    }
    log.finish(Time::START + Duration::from_secs(seconds));
    log.into_intervals()
}

fn source(file: &str, log: &[Interval], start_ms: u64, report: &Value) -> Source {
    let text = log_text(log, start_ms, report);
    Source::read(file.to_owned(), &text).expect("our own log")
}

fn reasons(report: &MergedReport) -> Vec<String> {
    let reasons = report.verdict.reasons.iter();
    reasons.map(MergeWarning::to_string).collect()
}

type Buckets = Vec<(usize, u64)>;

fn buckets(intervals: &[Interval]) -> [Buckets; 3] {
    [all_answered, all_censored, all_lost].map(|of| of(intervals).buckets().collect())
}

/// Any division of one recording gives the recording back, its unanswered requests too.
#[test]
fn any_division_of_a_recording_is_merged_bucket_for_bucket() {
    for seed in 0..20 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let parts = random.random_range(1..6);
        let start = || IntervalLog::starting(Time::START);
        let (mut whole, mut logs) = (start(), vec![start(); parts]);
        let mut now = Time::START;
        for _ in 0..3000 {
            now = now + Duration::from_nanos(random.random_range(0..2_000_000));
            let ns = (1e4 * (random.random::<f64>() * 14.0).exp()) as u64;
            let count = random.random_range(1..4);
            let part = random.random_range(0..parts);
            let record = match random.random_range(0..50) {
                0 => IntervalLog::record_censored,
                1 => IntervalLog::record_lost,
                _ => IntervalLog::record,
            };
            record(&mut whole, now, ns, count);
            record(&mut logs[part], now, ns, count);
        }
        whole.finish(now);
        let sources = logs.into_iter().map(|mut log| {
            log.finish(now);
            source("a", &log.into_intervals(), EPOCH_MS, &report(None))
        });
        let sources: Vec<Source> = sources.collect();
        let whole = whole.into_intervals();
        assert_eq!(buckets(&joined(&sources)), buckets(&whole), "seed {seed}");
        let merged = merge(&sources);
        let once = merge(&[source("a", &whole, EPOCH_MS, &report(None))]);
        let percentiles = |report: &MergedReport| {
            let latency = &report.latency;
            (
                latency.p50,
                latency.p99,
                latency.total_count,
                latency.censored,
            )
        };
        assert_eq!(percentiles(&merged), percentiles(&once), "seed {seed}");
    }
}

/// Exponential latencies: 0.75 exp(-t / 0.217 ms) + 0.25 exp(-t / 2.17 ms) is 0.01 at 6.99 ms.
/// The mean of the four percentiles is 3.25 ms.
#[test]
fn the_tail_is_that_of_the_union_and_no_mean_of_tails() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut of = |p99_ms: f64| {
        let mut log = IntervalLog::starting(Time::START);
        for reply in 0..100_000u64 {
            let now = Time::from_ns(reply * 100_000);
            let uniform: f64 = 1.0 - random.random::<f64>();
            let ms = -uniform.ln() * p99_ms / 100f64.ln();
            log.record(now, (ms * 1e6) as u64, 1);
        }
        log.finish(Time::START + Duration::from_secs(10));
        source("a", &log.into_intervals(), EPOCH_MS, &report(None))
    };
    let sources: Vec<Source> = [1.0, 1.0, 1.0, 10.0].map(&mut of).into();
    let merged = merge(&sources);
    let p99 = merged.latency.p99.expect("enough replies");
    assert!((p99 - 6.99).abs() < 0.15, "{p99}");
    let interval = merged.latency.intervals.p99.expect("long enough");
    assert!(interval.low < p99 && interval.high.is_some_and(|high| high > p99));
    for (source, p99) in merged.sources.iter().zip([1.0, 1.0, 1.0, 10.0]) {
        let found = source.latency.p99.expect("enough replies");
        assert!((found / p99 - 1.0).abs() < 0.05, "{found}");
    }
}

#[test]
fn two_halves_that_start_together_are_one_run_without_doubt() {
    let sources = [("0/2", 0), ("1/2", 1)].map(|(share, number)| {
        let log = steady_run(500, 10, number);
        source(share, &log, EPOCH_MS, &report(Some(share)))
    });
    let merged = merge(&sources);
    assert_eq!(reasons(&merged), [""; 0]);
    assert_eq!(merged.requests.average, Some(1000.0));
    let window = merged.window.expect("a common window");
    assert_eq!(
        (window.seconds, window.start.as_str()),
        (10.0, "2023-11-14T22:13:20.000Z")
    );
    let accounting = merged.accounting.expect("both tell");
    assert!(accounting.is_balanced());
    assert_eq!((accounting.due, merged.errors), (20, 4));
    assert_eq!(merged.status_code_stats[&200].count, 12);
}

/// The second runs from 5 s to 15 s: both run from 5 s to 10 s only.
#[test]
fn a_half_overlap_is_named_and_the_rate_is_of_the_common_time() {
    let log = steady(500, 10);
    let sources = [0, 5000].map(|late| source("a", &log, EPOCH_MS + late, &report(None)));
    let merged = merge(&sources);
    assert_eq!(
        merged.window.as_ref().map(|window| window.seconds),
        Some(5.0)
    );
    assert_eq!(merged.requests.average, Some(1000.0));
    assert_eq!(merged.latency.total_count, 10_000);
    let apart = MergeWarning::StartsApart {
        seconds: 5.0,
        first: "a".to_owned(),
        last: "a".to_owned(),
    };
    let partial = MergeWarning::PartialOverlap {
        common_s: 5.0,
        longest_s: 10.0,
    };
    assert_eq!(merged.verdict.reasons, [apart, partial]);
}

#[test]
fn clocks_an_hour_apart_leave_no_common_time() {
    let log = steady(500, 10);
    let sources = [0, 3_600_000].map(|late| source("a", &log, EPOCH_MS + late, &report(None)));
    let merged = merge(&sources);
    assert_eq!(
        (merged.window.clone(), merged.requests.average),
        (None, None)
    );
    assert!(merged.verdict.reasons.contains(&MergeWarning::NoOverlap));
    assert_eq!(merged.latency.total_count, 10_000);
}

#[test]
fn a_process_that_died_is_named_with_what_its_log_holds() {
    let log = steady(500, 10);
    let whole = source("0.hlog", &log, EPOCH_MS, &report(Some("0/3")));
    let empty = Source::read("1.hlog".to_owned(), "").expect("an empty file");
    let text = log_text(&log, EPOCH_MS, &report(Some("2/3")));
    let middle = text.lines().nth(54).expect("a hundred intervals");
    let cut = text.find(middle).expect("a line of it") + 20;
    let cut = Source::read("2.hlog".to_owned(), &text[..cut]).expect("a part of a log");
    let merged = merge(&[whole, empty, cut]);
    let reasons = &merged.verdict.reasons;
    let died = |file: &str, seconds| MergeWarning::Died {
        file: file.to_owned(),
        seconds,
    };
    let Some(MergeWarning::Died { seconds, .. }) = reasons.get(1) else {
        panic!("{reasons:?}");
    };
    assert_eq!(
        reasons[..2],
        [died("1.hlog", 0.0), died("2.hlog", *seconds)]
    );
    assert!((4.5..5.5).contains(seconds), "{seconds}");
    let shares = vec![1, 2];
    assert_eq!(reasons[2], MergeWarning::AbsentShares { shares, of: 3 });
    let window = merged.window.expect("a common window");
    assert_eq!((window.seconds, window.rate), (*seconds, 1000.0));
}

#[test]
fn what_differs_between_the_runs_is_named() {
    let rate = json!({"from": 1000.0, "to": 2000.0});
    let ramp = json!({"rate": rate, "arrivals": "constant", "seed": 7});
    let of = |number: u64, change: Value| {
        let log = steady_run(500, 10, number);
        let mut report = report(None);
        let (Some(report), Value::Object(change)) = (report.as_object_mut(), change) else {
            unreachable!("both are objects");
        };
        report.extend(change);
        source("a", &log, EPOCH_MS, &Value::Object(report.clone()))
    };
    for (change, name) in [
        (json!({"url": "http://other"}), "URL"),
        (json!({"pipelining": 9}), "pipelining"),
        (json!({"requestsInTurn": 9}), "requests in turn"),
        (json!({"until": "9s"}), "length"),
        (json!({"refill": "batch"}), "refill"),
        (json!({"workers": 2}), "workers"),
        (json!({"connections": 12}), "connections"),
        (json!({"openLoop": null}), "rate"),
        (json!({"openLoop": ramp}), "rate"),
        (json!({"version": "0.3.0"}), "version"),
        (json!({"share": "0/1"}), "number of shares"),
    ] {
        let merged = merge(&[of(0, json!({})), of(1, change)]);
        let reasons = reasons(&merged);
        assert!(
            reasons[0].starts_with(&format!("{name} differs: ")),
            "{reasons:?}"
        );
    }
    // The connections of two shares differ by one at most.
    let merged = merge(&[of(0, json!({})), of(1, json!({"connections": 11}))]);
    assert_eq!(reasons(&merged), [""; 0]);
}

/// 9 connections of 6 workers, and 1,001 requests of 3 processes, as they are divided.
#[test]
fn shares_that_are_as_they_should_be_are_no_doubt() {
    let parts = [("0/3", 4, 334), ("1/3", 3, 334), ("2/3", 2, 333)];
    let of = |workers: u32| {
        parts.map(|(share, connections, requests)| {
            let log = steady_run(500, 10, connections);
            let mut report = report(Some(share));
            report["workers"] = workers.into();
            report["connections"] = connections.into();
            report["until"] = format!("{requests} requests").into();
            source(share, &log, EPOCH_MS, &report)
        })
    };
    assert_eq!(reasons(&merge(&of(2))), [""; 0]);
    let differs = "connections differs: 2 in 1 file, 3 in 1 file and 4 in 1 file";
    assert_eq!(reasons(&merge(&of(1))), [differs]);
}

/// Each run leaves out the warm-up that it found for itself.
#[test]
fn runs_that_start_together_may_have_warm_ups_of_their_own() {
    let log = steady(500, 100);
    let sources = [20, 0].map(|cut| source("a", &log[cut..], EPOCH_MS, &report(None)));
    assert_eq!(sources[0].span().map(|span| span.began), {
        let at_ms = EPOCH_MS + 2_000;
        Some(Time::from_ns(at_ms * 1_000_000))
    });
    assert_eq!(reasons(&merge(&sources)), [""; 0]);
}

#[test]
fn interrupted_runs_doubts_and_repeated_requests_are_named() {
    let log = steady(500, 10);
    let mut doubtful = report(Some("0/1"));
    doubtful["interrupted"] = true.into();
    doubtful["verdict"]["reasons"] = json!(["the client was busy"]);
    let doubtful = source("a", &log, EPOCH_MS, &doubtful);
    let merged = merge(&[
        doubtful,
        source("b", &steady_run(500, 10, 1), EPOCH_MS, &report(Some("0/1"))),
    ]);
    let of_a = |reason: &str| MergeWarning::OfSource {
        file: "a".to_owned(),
        reason: reason.to_owned(),
    };
    let interrupted = MergeWarning::Interrupted {
        file: "a".to_owned(),
        seconds: 10.0,
    };
    let files = vec!["a".to_owned(), "b".to_owned()];
    let same = MergeWarning::SameRequests { files };
    let expected = [interrupted, same, of_a("the client was busy")];
    assert_eq!(merged.verdict.reasons, expected);
}

#[test]
fn a_run_that_is_there_twice_is_named() {
    let of = |file, number| {
        let log = steady_run(500, 10, number);
        source(file, &log, EPOCH_MS, &report(None))
    };
    let merged = merge(&[of("a", 0), of("b", 1), of("c", 0)]);
    let files = vec!["a".to_owned(), "c".to_owned()];
    assert_eq!(merged.verdict.reasons, [MergeWarning::SameRun { files }]);
}

/// The log of another program tells replies only.
#[test]
fn where_unanswered_requests_are_unknown_the_report_says_so() {
    let text = log_text(&steady(500, 10), EPOCH_MS, &report(None));
    let lines = text.lines().filter(|line| !line.starts_with("#bareloop"));
    let foreign: String = lines.map(|line| line.to_owned() + "\n").collect();
    let merged = merge(&[Source::read("b".to_owned(), &foreign).expect("a log")]);
    let files = vec!["b".to_owned()];
    assert_eq!(
        merged.verdict.reasons,
        [MergeWarning::UnansweredUnknown { files }]
    );
    assert_eq!(
        (merged.latency.total_count, merged.accounting),
        (5000, None)
    );
}

#[test]
fn what_is_no_log_is_refused() {
    let refusal = |text| Source::read("a".to_owned(), text).expect_err("no log");
    assert_eq!(refusal("{\"url\":\"http://localhost\"}\n"), BadSource::Json);
    assert!(refusal("hello\n").to_string().contains("line 1"));
    let future = refusal("#bareloop 9.0.0\n#bareloop-report {}\n");
    assert!(matches!(future, BadSource::Report(_)), "{future}");
}

/// Tenths of two processes, the second of which started 160 ms later, and one of 60 ms.
#[test]
fn intervals_are_joined_where_their_middle_lies() {
    let log = |start_ms: u64, tenths: u64, rest_ms: u64| {
        let start = Time::from_ns(start_ms * 1_000_000);
        let mut log = IntervalLog::starting(start);
        for tenth in 0..tenths {
            log.record(start + Duration::from_millis(tenth * 100), 1_000_000, 1);
        }
        log.finish(start + Duration::from_millis(tenths * 100 + rest_ms));
        log.into_intervals()
    };
    let report = report(None);
    let mut sources = [
        source("a", &log(0, 3, 0), 0, &report),
        source("b", &log(0, 2, 0), 0, &report),
    ];
    sources[0].intervals = log(1_000, 3, 0);
    sources[1].intervals = log(1_160, 2, 60);
    let joined = joined(&sources);
    let found = joined.iter().map(|interval| {
        let began_ms = interval.began.as_ns() / 1_000_000;
        (
            began_ms,
            interval.length_ns / 1_000_000,
            interval.answered.total(),
        )
    });
    let found: Vec<_> = found.collect();
    assert_eq!(
        found,
        [
            (1_000, 100, 1),
            (1_100, 100, 1),
            (1_200, 100, 2),
            (1_300, 100, 1)
        ]
    );
}
