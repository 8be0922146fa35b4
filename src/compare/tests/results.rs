//! Gates, baselines and Markdown on scripted rounds.

use super::super::baseline::Baseline;
use super::super::gate::{self, Gate, GateError, GateOutcome};
use super::super::markdown;
use super::super::report::{self as reports, Finding};
use super::super::report::{BaselineComparable, BaselineReport};
use super::super::statistics::Margin;
use super::*;

/// Six rounds in which `bareloop-http` has these rates and `python-http` has 1000.
pub(super) fn report(rates: [u64; 6]) -> ComparisonReport {
    let plan = plan(&["python-http", "bareloop-http"], 6);
    let mut script = Script::default().rates("bareloop-http", &rates);
    held(&plan, &mut script).1
}

pub(super) fn gate(text: &str) -> Gate {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn a_gate_trips_on_the_bound_and_is_open_while_the_limit_lies_within() {
    // Rates that alternate could be told from drift only by the order of the rounds.
    let noisy = report([3960, 3960, 4040, 4040, 3960, 4040]);
    let interval = noisy.contestants[1].ratio.as_ref().unwrap();
    let (low, high) = (interval.low.unwrap(), interval.high.unwrap());
    assert!(3.8 < low && low < 3.99 && 4.01 < high && high < 4.2);
    for (text, result) in [
        ("bareloop-http.ratio<3.8", GateOutcome::Passed),
        ("bareloop-http.ratio<4", GateOutcome::Undecided),
        ("bareloop-http.ratio<4.2", GateOutcome::Tripped),
        ("bareloop-http.ratio < 420%", GateOutcome::Tripped),
        ("bareloop-http.ratio>4.2", GateOutcome::Passed),
        ("bareloop-http.ratio>4", GateOutcome::Undecided),
        ("bareloop-http.ratio>3.8", GateOutcome::Tripped),
        ("bareloop-http.rate<3.8k", GateOutcome::Passed),
        ("bareloop-http.rate<4k", GateOutcome::Undecided),
        ("bareloop-http.rate<4.2k", GateOutcome::Tripped),
        ("python-http.rate>=1000", GateOutcome::Tripped),
        ("python-http.p50>0.5ms", GateOutcome::Passed),
        ("python-http.p50>=500us", GateOutcome::Tripped),
        ("python-http.p99<=2ms", GateOutcome::Tripped),
        ("python-http.cpu>799us", GateOutcome::Tripped),
        ("python-http.cpu>801us", GateOutcome::Passed),
        ("python-http.memory>10MB", GateOutcome::Tripped),
        ("python-http.memory>10MiB", GateOutcome::Passed),
        ("python-http.errors>0", GateOutcome::Passed),
        ("python-http.errors<=0", GateOutcome::Tripped),
        // The reference has no ratio: nothing shows that the limit was kept.
        ("python-http.ratio<1", GateOutcome::NoFigure),
    ] {
        let judged = gate(text).judge(&noisy);
        assert_eq!(judged.result, result, "{judged}");
    }
    let shown = gate("bareloop-http.ratio<4.2").judge(&noisy).to_string();
    assert!(
        shown.starts_with("bareloop-http.ratio<4.2: tripped (4.00; 3.9"),
        "{shown}"
    );
}

/// A comparison of `python-http` alone with one round of 2 s for each of these 99th percentiles.
fn with_p99(rounds: &[f64], lower_bounds_from: Option<f64>) -> ComparisonReport {
    let plan = plan(&["python-http"], rounds.len());
    let run = |&p99_ms: &f64| RunFigures {
        p99_ms: Some(p99_ms),
        lower_bounds_from,
        ..measured(1000)
    };
    let runs = rounds.iter().map(|ms| Ok(run(ms))).collect();
    let mut script = Script::default().with("python-http", runs);
    held(&plan, &mut script).1
}

#[test]
fn a_gate_on_a_percentile_trips_with_the_interval_of_its_rounds() {
    let rounds = [4.9, 5.1, 4.8, 5.2, 5.1, 5.3];
    let six = with_p99(&rounds, None);
    for (text, result) in [
        ("python-http.p99>4.7ms", GateOutcome::Tripped),
        ("python-http.p99>5ms", GateOutcome::Undecided),
        ("python-http.p99<5.2ms", GateOutcome::Undecided),
        ("python-http.p99<5.4ms", GateOutcome::Tripped),
        ("python-http.p50>=500us", GateOutcome::Tripped),
    ] {
        let judged = gate(text).judge(&six);
        assert_eq!(judged.result, result, "{judged}");
    }
    // One round, which has no interval, counts as it is.
    let one = with_p99(&[5.1], None);
    assert_eq!(
        gate("python-http.p99>5ms").judge(&one).result,
        GateOutcome::Tripped
    );
    // Requests without a reply: the p99 may be any longer, the p50 is known.
    for bounded in [with_p99(&rounds, Some(99.0)), with_p99(&[5.1], Some(99.0))] {
        for (text, result) in [
            ("python-http.p99>4.7ms", GateOutcome::Tripped),
            ("python-http.p99>5.5ms", GateOutcome::Undecided),
            ("python-http.p99<5.5ms", GateOutcome::Undecided),
            ("python-http.p50<0.6ms", GateOutcome::Tripped),
        ] {
            let judged = gate(text).judge(&bounded);
            assert_eq!(judged.result, result, "{judged}");
        }
    }
}

#[test]
fn a_side_that_the_client_limited_is_open() {
    let plan = plan(&["python-http", "bareloop-http"], 6);
    let busy = RunFigures {
        client_cpu_share: 0.99,
        ..measured(4000)
    };
    let runs = (0..6).map(|_| Ok(busy.clone())).collect();
    let mut script = Script::default().with("bareloop-http", runs);
    let (_, report, _) = held(&plan, &mut script);
    for (text, result) in [
        ("bareloop-http.ratio<5", GateOutcome::Undecided),
        ("bareloop-http.ratio<3", GateOutcome::Passed),
        ("bareloop-http.ratio>3", GateOutcome::Tripped),
    ] {
        assert_eq!(gate(text).judge(&report).result, result, "{text}");
    }
}

#[test]
fn what_is_no_gate_says_what_there_is() {
    let error = |text: &str| text.parse::<Gate>().unwrap_err().to_string();
    for (text, remedy) in [
        ("bareloop-http.ratio", "app.ratio<0.95"),
        ("ratio<1", "app.ratio<0.95"),
        (".ratio<1", "app.ratio<0.95"),
        (
            "a.speed<1",
            "ratio, change, rate, p50, p99, cpu, memory, errors",
        ),
        ("a.ratio<fast", "0.95"),
        ("a.p99<5", "5ms"),
        ("a.cpu<5", "us, ns, ms"),
        ("a.memory<5", "50MB"),
        ("a.errors<0.5", "such as 0"),
    ] {
        let error = error(text);
        assert!(error.contains(remedy), "{text}: {error}");
    }
    let check = |text: &str, has_baseline| gate::check(&[gate(text)], &["a", "b.c"], has_baseline);
    assert_eq!(check("b.c.ratio<1", false), Ok(()), "a name may hold dots");
    let unknown = check("c.ratio<1", false).unwrap_err().to_string();
    assert!(
        unknown.contains("'c'") && unknown.ends_with("there are: a, b.c"),
        "{unknown}"
    );
    assert_eq!(check("a.change<1", true), Ok(()));
    let error = check("a.change<1", false).unwrap_err();
    assert_eq!(error, GateError::NoBaseline("a.change<1".to_owned()));
}

pub(super) const STEADY: [u64; 6] = [3990, 4010, 3990, 4010, 3990, 4010];
pub(super) const SLOWER: [u64; 6] = [1990, 2010, 1990, 2010, 1990, 2010];

pub(super) fn change(before: &ComparisonReport, now: &ComparisonReport) -> BaselineReport {
    let json = serde_json::to_string(before).unwrap();
    let baseline = Baseline::from_json(&json).unwrap();
    let margin = Margin::new(0.02).unwrap();
    baseline.change(now, margin).unwrap()
}

#[test]
fn a_baseline_says_what_has_changed() {
    let same = change(&report(STEADY), &report(STEADY));
    assert_eq!(same.comparable, BaselineComparable::RatiosAndFigures);
    assert_eq!(same.differences, []);
    let names: Vec<_> = same.changes.iter().map(|change| &*change.name).collect();
    assert_eq!(names, ["bareloop-http", "python-http"]);
    assert!(
        same.changes
            .iter()
            .all(|change| change.finding == Finding::Same)
    );
    assert_eq!(
        (same.changes[0].compared, same.changes[1].compared),
        ("ratio", "rate")
    );

    let mut now = report(SLOWER);
    let slower = change(&report(STEADY), &now);
    let ours = &slower.changes[0];
    assert_eq!(ours.finding, Finding::Different);
    assert!((ours.change - 0.5).abs() < 0.01, "{ours:?}");
    assert!(ours.low < Some(0.5) && ours.high > Some(0.5), "{ours:?}");
    let sentence = &slower.sentences()[0];
    assert!(
        sentence.starts_with("bareloop-http: ratio to the reference 0.500 times the baseline"),
        "{sentence}"
    );
    now.baseline = Some(slower);
    let trips = |text: &str| gate(text).judge(&now).result;
    assert_eq!(trips("bareloop-http.change<0.9"), GateOutcome::Tripped);
    assert_eq!(trips("bareloop-http.change<0.4"), GateOutcome::Passed);
}

#[test]
fn a_baseline_says_what_cannot_be_compared() {
    let before = report(STEADY);
    let mut elsewhere = report(STEADY);
    elsewhere.machine.cpu = "Another CPU".to_owned();
    let found = change(&before, &elsewhere);
    assert_eq!(found.comparable, BaselineComparable::Ratios);
    assert_eq!(found.changes.len(), 1, "the reference has no ratio");
    let line = &found.sentences()[1];
    assert!(
        line.contains("cpu Example CPU before, Another CPU now; only ratios"),
        "{line}"
    );

    let mut other_load = report(STEADY);
    other_load.settings.pipelining = 1;
    let found = change(&before, &other_load);
    assert_eq!(found.comparable, BaselineComparable::Nothing);
    assert_eq!(found.changes, []);
    assert!(found.sentences()[0].contains("pipelining 10 before, 1 now; nothing"));

    let mut on_all_cores = report(STEADY);
    on_all_cores.machine.pinned = Some(CoreDivision {
        servers: vec![0],
        client: vec![1],
    });
    let found = change(&before, &on_all_cores);
    assert_eq!(found.comparable, BaselineComparable::Ratios);
    assert!(found.sentences()[1].contains("pinned none before"));

    for (set, name) in [
        (
            (|it| it.duet = true) as fn(&mut reports::SettingsUsed),
            "duet",
        ),
        (|it| it.timeout_seconds = 1.0, "timeoutSeconds"),
    ] {
        let mut other_load = report(STEADY);
        set(&mut other_load.settings);
        let found = change(&before, &other_load);
        assert_eq!(found.comparable, BaselineComparable::Nothing, "{name}");
        assert!(found.sentences()[0].contains(name), "{name}");
    }
    // A result from before there were duets.
    let mut json = serde_json::to_value(&before).unwrap();
    json["settings"].as_object_mut().unwrap().remove("duet");
    let older = Baseline::from_json(&json.to_string()).unwrap();
    let found = older.change(&before, Margin::new(0.02).unwrap()).unwrap();
    assert_eq!(found.differences, []);

    let mut more_rounds = report(STEADY);
    (more_rounds.settings.rounds, more_rounds.settings.seed) = (12, 7);
    assert_eq!(change(&before, &more_rounds).differences, []);

    let mut other_request = report(STEADY);
    other_request.contestants[1].request = Some(other_request.settings.request.clone());
    let found = change(&before, &other_request);
    assert_eq!(found.other_request, ["bareloop-http"]);
    assert_eq!(found.changes.len(), 1);

    let mut renamed = report(STEADY);
    renamed.contestants[1].name = "new".to_owned();
    let found = change(&before, &renamed);
    assert_eq!(
        (found.gone, found.new),
        (vec!["bareloop-http".to_owned()], vec!["new".to_owned()])
    );

    let mut interrupted = report(STEADY);
    interrupted.finished = false;
    let sentences = change(&interrupted, &before).sentences();
    assert!(
        sentences.last().unwrap().contains("interrupted"),
        "{sentences:?}"
    );

    for text in ["", "[]", "{\"latency\": {}}"] {
        let error = Baseline::from_json(text).unwrap_err().to_string();
        assert!(error.contains("--export-json"), "{text}: {error}");
    }
    let mut nobody = report(STEADY);
    for contestant in &mut nobody.contestants {
        contestant.requests_per_second = None;
    }
    let error = Baseline::from_json(&serde_json::to_string(&nobody).unwrap()).unwrap_err();
    assert!(error.to_string().contains("no server in it"), "{error}");
}

#[test]
fn markdown_is_one_table_and_lists_without_stray_marks() {
    let mut report = report(STEADY);
    report.baseline = Some(change(&report, &report));
    report.gates = vec![gate("bareloop-http.ratio<5").judge(&report)];
    let text = markdown::render(&report);
    let lines: Vec<&str> = text.lines().collect();
    let columns = |line: &str| line.matches('|').count() - line.matches("\\|").count();
    assert!(lines[..4].iter().all(|line| columns(line) == 9), "{text}");
    assert!(
        lines[3].starts_with("| bareloop-http | 4,000 (3,990 - 4,010) | 4.00 times faster"),
        "{text}"
    );
    for part in [
        "- bareloop-http is 4.00 times faster than python-http",
        "**Since the baseline**",
        "**Gates**",
        "- bareloop-http.ratio\\<5: tripped",
        "- 100 connections, 10 requests in flight on each, 6 of 6 rounds of 5 s",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Keeps what was known after each round.
#[derive(Default)]
struct Rounds(Vec<ComparisonOutcome>);

impl Observer for Rounds {
    fn started(&mut self, _contestant: &Contestant, _round: usize) {}
    fn progress(&mut self, _progress: load::Progress) {}
    fn ended(&mut self, _: &Contestant, _: usize, _: &Result<RunFigures, Failure>) {}
    fn round_ended(&mut self, so_far: &ComparisonOutcome) {
        self.0.push(so_far.clone());
    }
}

#[test]
fn results_land_round_by_round_and_say_that_they_are_partial() {
    let plan = plan(&["python-http", "node"], 3);
    let interrupted = vec![Ok(measured(1)), Ok(measured(1)), Err(Stopped::Interrupted)];
    let mut script = Script::default().with("node", interrupted);
    let mut rounds = Rounds::default();
    let outcome = run(&plan, &mut script, &StopSignal::new(), &mut rounds);
    assert_eq!((outcome.rounds_done, outcome.is_finished()), (2, false));
    let done: Vec<_> = rounds.0.iter().map(|so_far| so_far.rounds_done).collect();
    assert_eq!(done, [1, 2]);
    for so_far in &rounds.0 {
        let report = ComparisonReport::new(&plan, so_far, machine());
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["finished"], false);
        assert_eq!(json["interrupted"], false);
        assert_eq!(json["roundsDone"], so_far.rounds_done);
        assert_eq!(json["settings"]["rounds"], 3);
    }
    let (outcome, report, _) = held(&plan, &mut Script::default());
    assert_eq!((outcome.rounds_done, report.finished), (3, true));
}
