//! The whole judgement on a scripted bench: no process, no socket, no clock.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;

use super::bench::SearchStart;
use super::follow_up::FollowUp;
use super::process::cores::CoreDivision;
use super::process::resource_usage::{Usage, UsageDetail};
use super::statistics::{Margin, Side, SliceSchedule};
use super::*;
use crate::event_loop::tls::Trust;
use crate::load::find_rate::search::Purpose;
use crate::load::find_rate::{FindRateReport, Outcome, RateObjective, TrialProgress, TrialReport};

mod deaths;
mod open_loop;
mod page;
mod results;
mod search;
mod since_baseline;
mod sweep;

fn count(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// Two or three contestants run in their own order in the first round.
const SEED: u32 = 519;

pub(super) fn settings(rounds: usize) -> Settings {
    Settings {
        connections: count(100),
        pipelining: count(10),
        rate: None,
        duration: Duration::from_secs(5),
        warmup: Duration::from_secs(1),
        timeout: Duration::from_secs(10),
        trust: Trust::default(),
        start_timeout: Duration::from_secs(10),
        request: RequestSettings::default(),
        rounds: count(rounds),
        precision: None,
        duet: false,
        same_within: Margin::new(0.02).unwrap(),
        seed: SEED,
    }
}

fn plan_of(
    only: &[&str],
    reference: Option<&str>,
    rounds: usize,
) -> Result<ComparisonPlan, PlanError> {
    let mut contestants = Contestant::defaults(Path::new("bareloop"));
    contestants.push("node=node server.js {port}".parse().unwrap());
    let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
    let reference = reference.map(str::to_owned);
    ComparisonPlan::new(contestants, &only, reference, settings(rounds))
}

fn plan(only: &[&str], rounds: usize) -> ComparisonPlan {
    plan_of(only, None, rounds).unwrap()
}

fn machine() -> Machine {
    Machine {
        os: "Linux (Debian 12)".to_owned(),
        cpu: "Example CPU".to_owned(),
        cores: 2,
        memory_bytes: 8 << 30,
        governor: None,
        cpu_limit_cores: None,
        load_average: None,
        pinned: None,
    }
}

fn used(cpu: Duration, memory_bytes: u64) -> Usage {
    Usage {
        cpu,
        memory_bytes,
        ..Usage::default()
    }
}

/// A run of 5 s at this rate.
fn measured(requests_per_second: u64) -> RunFigures {
    RunFigures {
        window: Duration::from_secs(5),
        completed: requests_per_second * 5,
        errors: 0,
        closing: Closing::KeepsAlive,
        non2xx: 0,
        p50_ms: Some(0.5),
        p99_ms: Some(2.0),
        lower_bounds_from: None,
        max_ms: 30.0,
        server: Some(used(Duration::from_secs(4), 10 << 20)),
        client: None,
        machine: None,
        reply: None,
        duet: None,
        rate_variance: None,
        client_cpu_share: 0.2,
        warnings: Vec::new(),
        course: RunCourse::default(),
    }
}

/// Does as told for each contestant and round, and keeps a log.
#[derive(Default)]
struct Script {
    results: HashMap<(&'static str, usize), Result<RunFigures, Stopped>>,
    rounds_so_far: HashMap<String, usize>,
    log: Vec<String>,
    conditions: Vec<RunConditions>,
    /// Whose search is interrupted.
    interrupted_search: Option<String>,
}

impl Script {
    fn with(mut self, name: &'static str, results: Vec<Result<RunFigures, Stopped>>) -> Script {
        let keys = (0..results.len()).map(|round| (name, round));
        self.results.extend(std::iter::zip(keys, results));
        self
    }

    fn rates(self, name: &'static str, rates: &[u64]) -> Script {
        self.with(name, rates.iter().map(|&rate| Ok(measured(rate))).collect())
    }
}

impl Bench for Script {
    fn run_once(
        &mut self,
        contestant: &Contestant,
        conditions: RunConditions,
        _settings: &Settings,
        signal: &StopSignal,
        _on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<RunFigures, Stopped> {
        let name = contestant.name();
        let round = self.rounds_so_far.entry(name.to_owned()).or_insert(0);
        self.log.push(format!("{name} {round}"));
        self.conditions.push(conditions);
        let result = self
            .results
            .iter()
            .find_map(|((n, r), result)| (*n == name && r == round).then_some(result));
        *round += 1;
        match result {
            Some(Ok(run)) => Ok(run.clone()),
            Some(Err(Stopped::Failed(failure))) => Err(failure.clone().into()),
            Some(Err(Stopped::Interrupted)) => {
                signal.raise();
                Err(Stopped::Interrupted)
            }
            None => Ok(measured(1000)),
        }
    }

    fn run_duet(
        &mut self,
        contestants: [&Contestant; 2],
        conditions: [RunConditions; 2],
        _slices: SliceSchedule,
        settings: &Settings,
        signal: &StopSignal,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<[RunFigures; 2], (Side, Stopped)> {
        on_progress(load::Progress {
            phase: load::RunPhase::Run,
            elapsed: Duration::from_secs(1),
            completed: 1,
            errors: 0,
            unexpected_statuses: 0,
        });
        let mut run = |side: Side| {
            let index = side as usize;
            self.run_once(
                contestants[index],
                conditions[index],
                settings,
                signal,
                &mut |_| {},
            )
            .map_err(|stopped| (side, stopped))
        };
        let [mut ours, theirs] = [run(Side::Contestant)?, run(Side::Reference)?];
        ours.duet = Some(DuetRatio {
            log_ratio: (ours.requests_per_second() / theirs.requests_per_second()).ln() + 0.01,
            variance: Some(1e-6),
            pairs: 20,
        });
        Ok([ours, theirs])
    }

    fn run_walk(
        &mut self,
        contestant: &Contestant,
        _conditions: RunConditions,
        loads: &[Settings],
        _signal: &StopSignal,
        _on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<Vec<RunFigures>, Stopped> {
        let connections: Vec<_> = loads.iter().map(|it| it.connections.get()).collect();
        self.log
            .push(format!("{} {connections:?}", contestant.name()));
        let changed = |change: &dyn Fn(usize, RunFigures) -> RunFigures| {
            let runs = Script::walk_of(loads, 30);
            let runs = std::iter::zip(loads, runs);
            runs.map(|(load, run)| change(load.connections.get(), run))
                .collect()
        };
        match contestant.name() {
            "node" => Err(not_found()),
            // A client that is busy from 20 connections on.
            "python-tcp" => Ok(changed(&|connections, run| RunFigures {
                client_cpu_share: if connections >= 20 { 0.99 } else { 0.2 },
                ..run
            })),
            // A server that answers with errors from 80 connections on.
            "python-http" => Ok(changed(&|connections, run| match connections {
                80.. => with_errors(1000, 20).unwrap(),
                _ => run,
            })),
            // Lower bounds and errors from 40 connections on, and no reply at all at 160.
            "bareloop-tcp" => Ok(changed(&|connections, run| match connections {
                160 => RunFigures {
                    errors: 9,
                    p50_ms: None,
                    p99_ms: None,
                    ..measured(0)
                },
                40.. => RunFigures {
                    errors: 1234,
                    p99_ms: Some(1000.0),
                    lower_bounds_from: Some(90.0),
                    ..run
                },
                _ => run,
            })),
            name => Ok(Script::walk_of(
                loads,
                if name == "bareloop-http" { 30 } else { 3 },
            )),
        }
    }

    fn run_search(
        &mut self,
        contestant: &Contestant,
        conditions: RunConditions,
        search: SearchStart,
        _settings: &Settings,
        signal: &StopSignal,
        on_trial: &mut dyn FnMut(TrialProgress),
    ) -> Result<FindRateReport, Stopped> {
        let (name, rate) = (contestant.name(), search.first_rate);
        self.log.push(format!("{name} from {rate:.0}"));
        self.conditions.push(conditions);
        on_trial(TrialProgress {
            number: 1,
            rate,
            purpose: Purpose::Bracket,
            duration: conditions.window,
            progress: load::Progress {
                phase: load::RunPhase::Run,
                elapsed: Duration::ZERO,
                completed: 0,
                errors: 0,
                unexpected_statuses: 0,
            },
        });
        if self.interrupted_search == Some(name.to_owned()) {
            signal.raise();
            return Err(Stopped::Interrupted);
        }
        match name {
            "node" => Err(died()),
            name => Ok(Script::found(name, search.objective)),
        }
    }
}

impl Script {
    /// Rates of 10,000/s with 20 trials; at least that for `bareloop-http`.
    fn found(name: &str, objective: RateObjective) -> FindRateReport {
        FindRateReport {
            objective: objective.to_string(),
            seed: 7,
            rate: Some(10_000.0),
            bound_ms: Some(4.5),
            bound_confidence: 0.8,
            bracket: [Some(11_000.0), Some(12_000.0)],
            any_beyond: true,
            outcome: match name {
                "bareloop-http" => Outcome::AtLeast {
                    limit: load::find_rate::Limit::Client,
                },
                _ => Outcome::Found,
            },
            trials: vec![
                TrialReport {
                    rate: 10_000.0,
                    value_ms: Some(4.0),
                    purpose: Purpose::Verify,
                    client_late: false,
                };
                20
            ],
        }
    }

    /// 1000 replies a second for each connection, up to the knee.
    fn walk_of(loads: &[Settings], knee: usize) -> Vec<RunFigures> {
        let run =
            |settings: &Settings| measured(1000 * settings.connections.get().min(knee) as u64);
        loads.iter().map(run).collect()
    }
}

/// Keeps the result lines.
struct Lines<'a>(&'a ComparisonPlan, Vec<String>);

impl Observer for Lines<'_> {
    fn started(&mut self, _contestant: &Contestant, _round: usize) {}
    fn progress(&mut self, _progress: load::Progress) {}
    fn ended(
        &mut self,
        contestant: &Contestant,
        round: usize,
        result: &Result<RunFigures, Failure>,
    ) {
        self.1
            .push(table::result_line(self.0, contestant.name(), round, result));
    }
}

fn held(
    plan: &ComparisonPlan,
    script: &mut Script,
) -> (ComparisonOutcome, ComparisonReport, Vec<String>) {
    let mut lines = Lines(plan, Vec::new());
    let outcome = run(plan, script, &StopSignal::new(), &mut lines);
    let report = ComparisonReport::new(plan, &outcome, machine());
    (outcome, report, lines.1)
}

fn runs_of(script: &Script, name: &str) -> usize {
    let runs = script.log.iter();
    runs.filter(|line| line.split(' ').next() == Some(name))
        .count()
}

fn not_found() -> Stopped {
    Failure::NotFound {
        program: "node".to_owned(),
    }
    .into()
}

fn died() -> Stopped {
    Failure::Died {
        status: "signal: 9 (SIGKILL)".to_owned(),
        error_excerpt: "out of memory".to_owned(),
    }
    .into()
}

#[test]
fn a_plan_takes_known_names_once() {
    assert_eq!(plan(&[], 3).contestants().len(), 5);
    let picked = plan(&["node", "python-tcp"], 3);
    let names: Vec<_> = picked.contestants().iter().map(Contestant::name).collect();
    assert_eq!(names, ["node", "python-tcp"]);
    assert_eq!(picked.duration(), Duration::from_secs(2 * 3 * 6));

    let unknown = plan_of(&["nginx"], None, 3).unwrap_err().to_string();
    assert!(unknown.contains("'nginx'"), "{unknown}");
    assert!(unknown.contains("python-http, python-tcp, bareloop-http, bareloop-tcp, node"));
    let refused = |only: &[&str], reference| plan_of(only, reference, 3).unwrap_err();
    assert_eq!(
        refused(&["node", "node"], None),
        PlanError::ChosenTwice("node".to_owned())
    );
    assert_eq!(refused(&["node", "", ""], None), PlanError::ChosenEmpty);
    assert_eq!(
        refused(&["node"], Some("python-http")),
        PlanError::ReferenceNotChosen("python-http".to_owned())
    );
    assert!(matches!(
        refused(&["node"], Some("nginx")),
        PlanError::ReferenceUnknown { .. }
    ));
    let two = vec!["a=b {port}".parse().unwrap(), "a=c {port}".parse().unwrap()];
    let twice = ComparisonPlan::new(two, &[], None, settings(1)).unwrap_err();
    assert_eq!(twice, PlanError::Twice("a".to_owned()));
    let empty = ComparisonPlan::new(Vec::new(), &[], None, settings(1)).unwrap_err();
    assert_eq!(empty, PlanError::Empty);
}

#[test]
fn rounds_are_interleaved_in_the_schedules_order() {
    let plan = plan(
        &["python-http", "python-tcp", "bareloop-http", "bareloop-tcp"],
        2,
    );
    let mut script = Script::default();
    let (outcome, _, _) = held(&plan, &mut script);
    let expected = [
        "python-http 0",
        "python-tcp 0",
        "bareloop-tcp 0",
        "bareloop-http 0",
        "bareloop-http 1",
        "bareloop-tcp 1",
        "python-tcp 1",
        "python-http 1",
    ];
    assert_eq!(script.log, expected);
    assert!(!outcome.is_interrupted() && !outcome.has_failures());
}

#[test]
fn a_contestant_that_fails_is_out_and_the_others_go_on() {
    let plan = plan(&["python-http", "node"], 3);
    let mut script = Script::default().with("node", vec![Err(not_found())]);
    let (outcome, report, lines) = held(&plan, &mut script);
    assert!(outcome.has_failures());
    assert_eq!(
        script.log.iter().filter(|l| l.starts_with("node")).count(),
        1
    );
    assert_eq!(script.log.len(), 4);
    assert_eq!(
        lines[1],
        "round 1/3  node         'node' was not found; is it installed?"
    );
    let node = &report.contestants[1];
    assert_eq!(node.status, report::ContestantStatus::Failed);
    assert_eq!(
        node.reason.as_deref(),
        Some("'node' was not found; is it installed?")
    );
    assert_eq!(node.requests_per_second, None);
    assert_eq!(node.ratio, None);
    assert_eq!(report.contestants[0].status, report::ContestantStatus::Ran);
}

#[test]
fn a_contestant_that_dies_in_a_later_round_keeps_the_rounds_it_had() {
    let plan = plan(&["python-http", "node"], 3);
    let mut script = Script::default().with("node", vec![Ok(measured(3000)), Err(died())]);
    let (outcome, report, _) = held(&plan, &mut script);
    assert!(outcome.has_failures());
    let node = &report.contestants[1];
    assert_eq!(node.requests_per_second.as_ref().unwrap().rounds, [3000.0]);
    assert!((node.ratio.as_ref().unwrap().mean - 3.0).abs() < 1e-9);
    let reason = "in round 2: ended under load (signal: 9 (SIGKILL)): out of memory";
    assert_eq!(node.reason.as_deref(), Some(reason));
    assert!(
        verdict::sentences(&report).is_empty(),
        "no verdict on a server that did not finish"
    );
}

#[test]
fn ratios_pair_the_rounds_in_which_both_ran() {
    let plan = plan(&["python-http", "node"], 3);
    let mut script = Script::default()
        .with(
            "python-http",
            vec![Ok(measured(100)), Ok(measured(50)), Err(died())],
        )
        .rates("node", &[400, 200, 9000]);
    let (_, report, _) = held(&plan, &mut script);
    let ratio = report.contestants[1].ratio.as_ref().unwrap();
    assert_eq!(ratio.median, 4.0);
    assert!((ratio.low.unwrap() - 4.0).abs() < 1e-9);
    assert!((ratio.high.unwrap() - 4.0).abs() < 1e-9);
}

#[test]
fn the_reference_is_the_chosen_one_or_who_ran() {
    let reference = |chosen: Option<&str>, script: Script| {
        let plan = plan_of(&["python-tcp", "python-http", "node"], chosen, 1).unwrap();
        let mut script = script;
        held(&plan, &mut script).1.reference
    };
    let failing = |name| Script::default().with(name, vec![Err(not_found())]);
    assert_eq!(reference(None, Script::default()).unwrap(), "python-http");
    assert_eq!(reference(Some("node"), Script::default()).unwrap(), "node");
    assert_eq!(
        reference(None, failing("python-http")).unwrap(),
        "python-tcp"
    );
    assert_eq!(
        reference(Some("node"), failing("node")).unwrap(),
        "python-tcp"
    );
}

#[test]
fn nobody_ran_is_a_report_too() {
    let plan = plan(&["node"], 2);
    let mut script = Script::default().with("node", vec![Err(not_found())]);
    let (outcome, report, _) = held(&plan, &mut script);
    assert!(outcome.has_failures());
    assert_eq!(report.reference, None);
    assert!(table::render(&report, 100).contains("node: 'node' was not found"));
}

#[test]
fn an_interrupted_comparison_reports_the_runs_that_had_ended() {
    let plan = plan(&["python-http", "node"], 3);
    let mut script = Script::default().with(
        "python-http",
        vec![Ok(measured(500)), Err(Stopped::Interrupted)],
    );
    let (outcome, report, lines) = held(&plan, &mut script);
    assert!(outcome.is_interrupted() && !outcome.has_failures());
    assert_eq!(
        script.log,
        ["python-http 0", "node 0", "node 1", "python-http 1"]
    );
    assert_eq!(lines.len(), 3);
    assert!(report.interrupted);
    assert_eq!(
        report.contestants[0]
            .requests_per_second
            .as_ref()
            .unwrap()
            .rounds,
        [500.0]
    );
    assert!(table::render(&report, 100).contains("Interrupted"));
}

#[test]
fn a_signal_that_was_raised_before_starts_nothing() {
    let plan = plan(&["python-http"], 3);
    let mut script = Script::default();
    let signal = StopSignal::new();
    signal.raise();
    let outcome = run(&plan, &mut script, &signal, &mut Lines(&plan, Vec::new()));
    assert!(outcome.is_interrupted());
    assert!(script.log.is_empty());
    let report = ComparisonReport::new(&plan, &outcome, machine());
    assert_eq!(
        report.contestants[0].status,
        report::ContestantStatus::NotRun
    );
    assert!(table::render(&report, 100).contains("not run"));
}

#[test]
fn figures_are_medians_of_rounds_and_errors_are_summed() {
    let plan = plan(&["python-http"], 3);
    let run = |rate, p99_ms, max_ms, errors, peak| {
        Ok(RunFigures {
            p99_ms: Some(p99_ms),
            max_ms,
            errors,
            server: Some(used(Duration::from_secs(4), peak)),
            ..measured(rate)
        })
    };
    let rounds = vec![
        run(300, 7.0, 9.0, 1, 30),
        run(100, 5.0, 99.0, 2, 50),
        run(200, 6.0, 8.0, 4, 40),
    ];
    let mut script = Script::default().with("python-http", rounds);
    let (_, report, _) = held(&plan, &mut script);
    let standing = &report.contestants[0];
    let speed = standing.requests_per_second.as_ref().unwrap();
    assert_eq!((speed.median, speed.min, speed.max), (200.0, 100.0, 300.0));
    assert_eq!(speed.rounds, [300.0, 100.0, 200.0]);
    let latency = standing.latency_ms.unwrap();
    assert_eq!(
        (latency.p50, latency.p99, latency.max),
        (Some(0.5), Some(6.0), 99.0)
    );
    assert_eq!((standing.errors, standing.peak_memory_bytes), (7, Some(50)));
    // 4 s of CPU for 1500, 500 and 1000 replies.
    assert_eq!(
        standing.cpu_micros_per_request.as_ref().unwrap().median,
        4000.0
    );
}

#[test]
fn a_percentile_that_most_rounds_only_bound_is_marked() {
    let run = |lower_bounds_from| {
        Ok(RunFigures {
            lower_bounds_from,
            ..measured(100)
        })
    };
    let table = |rounds: Vec<_>| {
        let plan = plan(&["python-http"], rounds.len());
        let mut script = Script::default().with("python-http", rounds);
        table::render(&held(&plan, &mut script).1, 100)
    };
    let one = table(vec![run(Some(50.0)), run(None), run(None)]);
    assert!(!one.contains(">="), "{one}");
    let tail = table(vec![run(Some(90.0)), run(Some(99.0)), run(None)]);
    assert!(
        tail.contains(">= 2.00 ms") && !tail.contains(">= 0.500"),
        "{tail}"
    );
    let both = table(vec![run(Some(10.0)), run(Some(50.0)), run(None)]);
    assert!(
        both.contains(">= 2.00 ms") && both.contains(">= 0.500 ms"),
        "{both}"
    );
}

#[test]
fn sentences_say_which_is_faster_by_how_much_at_what_cost_and_how_sure() {
    let plan = plan(&["python-http", "bareloop-http", "python-tcp", "node"], 6);
    let mut script = Script::default()
        .rates("python-http", &[1000; 6])
        .rates("bareloop-http", &[100_000; 6])
        .rates("python-tcp", &[900, 1000, 1100, 900, 1000, 1100])
        .rates("node", &[200, 210, 190, 200, 210, 190]);
    let (_, report, _) = held(&plan, &mut script);
    assert_eq!(
        verdict::sentences(&report),
        [
            "bareloop-http is 100 times faster than python-http (6 rounds; 100 times faster with \
             95 % confidence). Server CPU per request: 8.00 µs against 800 µs.",
            "python-tcp and python-http: undecided: about 204 more rounds would decide (measured \
             0.3 % slower; 6 rounds; 14.9 % slower to 16.7 % faster with 95 % confidence). Server \
             CPU per request: 800 µs against 800 µs.",
            "node is 5.00 times slower than python-http (6 rounds; 4.65 to 5.39 times slower \
             with 95 % confidence). Server CPU per request: 4,000 µs against 800 µs.",
        ]
    );
}

#[test]
fn the_same_within_the_margin_is_an_answer_and_so_is_different_by_less() {
    let plan = plan(&["python-http", "bareloop-http", "node"], 6);
    let mut script = Script::default()
        .rates("python-http", &[100_000; 6])
        .rates(
            "bareloop-http",
            &[100_100, 99_900, 100_100, 99_900, 100_000, 100_000],
        )
        .rates(
            "node",
            &[100_600, 100_500, 100_600, 100_500, 100_600, 100_500],
        );
    let (_, report, _) = held(&plan, &mut script);
    let ratio = |index: usize| report.contestants[index].ratio.as_ref().unwrap();
    assert_eq!(
        (ratio(1).finding, ratio(1).within_margin),
        (report::Finding::Same, true)
    );
    assert_eq!(
        (ratio(2).finding, ratio(2).within_margin),
        (report::Finding::Different, true)
    );
    let sentences = verdict::sentences(&report);
    for (sentence, expected) in std::iter::zip(
        sentences,
        [
            "bareloop-http and python-http are the same within 2 % (6 rounds; measured 0.0 %",
            "node is 0.5 % faster than python-http, which is within 2 % (6 rounds; 0.5 % to 0.6 %",
        ],
    ) {
        assert!(sentence.starts_with(expected), "{sentence}");
    }
}

#[test]
fn a_client_at_its_limit_leaves_one_side_of_the_answer() {
    use report::Finding::{Different, Undecided};
    // The clients of contestant and reference, the contestant's rate, and what is left.
    for (ours, theirs, rate, finding) in [
        (0.99, 0.2, 2000, Different),
        (0.99, 0.2, 500, Undecided),
        (0.2, 0.99, 500, Different),
        (0.2, 0.99, 2000, Undecided),
        (0.99, 0.99, 2000, Undecided),
        (0.99, 0.2, 1000, Undecided),
    ] {
        let plan = plan(&["python-http", "node"], 6);
        let runs = |rate, client| (0..6).map(|_| busy(rate, client, 0.5)).collect();
        let mut script = Script::default()
            .with("python-http", runs(1000, theirs))
            .with("node", runs(rate, ours));
        let (_, report, _) = held(&plan, &mut script);
        let ratio = report.contestants[1].ratio.as_ref().unwrap();
        assert_eq!(ratio.finding, finding, "{ours} {theirs} {rate}");
        assert_eq!(ratio.rounds_needed, None, "rounds do not help a client");
        assert!(!ratio.within_margin);
    }
}

#[test]
fn a_single_round_claims_nothing() {
    let plan = plan(&["python-http", "bareloop-http"], 1);
    let mut script = Script::default().rates("bareloop-http", &[2000]);
    let (_, report, _) = held(&plan, &mut script);
    let ratio = report.contestants[1].ratio.as_ref().unwrap();
    assert_eq!((ratio.low, ratio.high), (None, None));
    assert_eq!(ratio.finding, report::Finding::Undecided);
    assert_eq!(
        (ratio.bounds, ratio.rounds_needed),
        (report::Bounds::Unknown, None)
    );
    let sentence = &verdict::sentences(&report)[0];
    let expected = "bareloop-http was 2.00 times faster than python-http in one round, which is \
                    too few to decide; run 6";
    assert!(sentence.starts_with(expected), "{sentence}");
}

#[test]
fn too_few_rounds_are_an_answer_of_their_own() {
    let plan = plan(&["python-http", "bareloop-http", "node"], 2);
    let mut script = Script::default()
        .rates("python-http", &[1_310, 3_890])
        .rates("bareloop-http", &[1_144_020, 1_143_460])
        .rates("node", &[2_000, 2_000]);
    let (_, report, _) = held(&plan, &mut script);
    let sentences = verdict::sentences(&report);
    assert!(
        sentences[0].starts_with(
            "bareloop-http and python-http: undecided: about 4 more rounds would decide (measured \
             507 times faster; 2 rounds; range 294 to 873 times faster)"
        ),
        "{sentences:?}"
    );
    assert!(
        sentences[1].starts_with("node and python-http: undecided: about"),
        "{sentences:?}"
    );
}

#[test]
fn too_few_rounds_with_a_client_at_its_limit_decide_nothing() {
    let plan = plan(&["python-http", "bareloop-http"], 2);
    let runs = |rate, client| (0..2).map(|_| busy(rate, client, 0.5)).collect();
    let mut script = Script::default()
        .with("python-http", runs(1000, 0.2))
        .with("bareloop-http", runs(2000, 0.99));
    let (_, report, _) = held(&plan, &mut script);
    let sentence = &verdict::sentences(&report)[0];
    let expected = "bareloop-http was at least 2.00 times faster than python-http in 2 rounds (the \
                    client was at its limit), which is too few to decide; run 6 or more";
    assert!(sentence.starts_with(expected), "{sentence}");
}

/// A run in which the client and the server used these shares of a core.
fn busy(requests_per_second: u64, client: f64, server: f64) -> Result<RunFigures, Stopped> {
    Ok(RunFigures {
        client_cpu_share: client,
        server: Some(used(Duration::from_secs(5).mul_f64(server), 10 << 20)),
        ..measured(requests_per_second)
    })
}

#[test]
fn a_client_at_its_limit_makes_the_sentence_a_bound() {
    // The clients of contestant and reference, and what can be said of 300 to 1.
    for (ours, theirs, expected) in [
        (
            0.99,
            0.2,
            "bareloop-http is at least 300 times faster than python-http (the client was at its limit)",
        ),
        (
            0.2,
            0.99,
            "bareloop-http is at most 300 times faster than python-http (the client was at its limit with python-http)",
        ),
        (
            0.99,
            0.99,
            "bareloop-http was 300 times faster than python-http under this client, which was at its limit with both",
        ),
        (
            0.2,
            0.2,
            "bareloop-http is 300 times faster than python-http (6 rounds",
        ),
    ] {
        let plan = plan(&["python-http", "bareloop-http"], 6);
        let mut script = Script::default()
            .with(
                "python-http",
                (0..6).map(|_| busy(100, theirs, 0.5)).collect(),
            )
            .with(
                "bareloop-http",
                (0..6).map(|_| busy(30_000, ours, 0.5)).collect(),
            );
        let (_, report, _) = held(&plan, &mut script);
        let sentence = &verdict::sentences(&report)[0];
        assert!(sentence.starts_with(expected), "{sentence}");
        let claims_confidence = sentence.contains("confidence");
        assert_eq!(
            claims_confidence,
            (ours, theirs) == (0.2, 0.2),
            "{sentence}"
        );
    }
}

#[test]
fn a_slower_contestant_is_at_least_so_much_slower_if_the_reference_was_not_at_its_limit() {
    let plan = plan_of(&["node", "bareloop-http"], Some("bareloop-http"), 6).unwrap();
    let mut script = Script::default()
        .with(
            "bareloop-http",
            (0..6).map(|_| busy(30_000, 0.99, 0.5)).collect(),
        )
        .with("node", (0..6).map(|_| busy(3_000, 0.2, 0.99)).collect());
    let (_, report, _) = held(&plan, &mut script);
    let sentence = &verdict::sentences(&report)[0];
    let expected = "node is at least 10.0 times slower than bareloop-http (the client was at its limit with bareloop-http)";
    assert!(sentence.starts_with(expected), "{sentence}");
    assert_eq!(
        report.contestants[0].ratio.as_ref().unwrap().limit,
        report::LoadLimit::AtMost
    );
}

#[test]
fn a_reference_that_was_busy_itself_was_measured_at_its_own_limit() {
    let plan = plan(&["python-http", "bareloop-http"], 6);
    let mut script = Script::default()
        .with(
            "python-http",
            (0..6).map(|_| busy(100, 0.92, 0.97)).collect(),
        )
        .with(
            "bareloop-http",
            (0..6).map(|_| busy(30_000, 0.95, 0.93)).collect(),
        );
    let (_, report, _) = held(&plan, &mut script);
    let sentence = &verdict::sentences(&report)[0];
    let expected = "bareloop-http is at least 300 times faster than python-http";
    assert!(sentence.starts_with(expected), "{sentence}");
}

/// The warnings about a contestant that ran like this.
fn warnings_of(runs: Vec<Result<RunFigures, Stopped>>) -> Vec<String> {
    let plan = plan(&["node"], runs.len());
    let mut script = Script::default().with("node", runs);
    let (_, report, _) = held(&plan, &mut script);
    let warnings = report.contestants[0].warnings.iter();
    warnings.map(ToString::to_string).collect()
}

#[test]
fn warnings_are_gathered_over_rounds_each_fact_once() {
    let run = |client_cpu_share, warnings| {
        Ok(RunFigures {
            client_cpu_share,
            warnings,
            ..measured(1000)
        })
    };
    let errors = |errors| load::Warning::Errors {
        errors,
        first_error: None,
    };
    let client_busy = load::Warning::ClientBusy {
        cpu_share: 0.97,
        workers: 1,
    };
    let warnings = warnings_of(vec![
        run(0.97, vec![client_busy, errors(1_019)]),
        run(0.5, vec![errors(94)]),
    ]);
    assert_eq!(
        warnings,
        [
            "in 1 of 2 rounds: the client was the limit (97 % of a core; the server used 80 %); \
             the server may be faster than this",
            "in 2 of 2 rounds, first: 1,019 errors",
        ]
    );
}

#[test]
fn a_server_without_keep_alive_is_one_sentence_with_its_remedy() {
    let closing = |closing, errors| {
        let warnings = vec![
            load::Warning::Errors {
                errors,
                first_error: None,
            },
            load::Warning::IdleConnections { busy_share: 0.01 },
        ];
        vec![Ok(RunFigures {
            closing,
            errors,
            warnings,
            ..measured(1000)
        })]
    };
    let lost = Closing::AfterEachReply {
        lost: 45_000,
        sent: 50_000,
    };
    assert_eq!(
        warnings_of(closing(lost, 5000)),
        [
            "closes the connection after each reply: 45,000 of 50,000 requests were lost with it; \
             measure it with -p 1"
        ]
    );
    let nothing_lost = Closing::AfterEachReply {
        lost: 0,
        sent: 5_000,
    };
    assert_eq!(
        warnings_of(closing(nothing_lost, 0)),
        ["closes the connection after each reply: the rate includes a connect for each request"]
    );
    assert_eq!(warnings_of(closing(Closing::KeepsAlive, 5000)).len(), 2);
}

#[test]
fn a_client_and_a_server_that_are_both_busy_are_both_named() {
    assert_eq!(
        warnings_of(vec![busy(1000, 0.97, 0.98)]),
        [
            "client and server were both at their limit (97 % and 98 % of a core); the server may \
             be faster with a faster client"
        ]
    );
    assert!(warnings_of(vec![busy(1000, 0.5, 0.98)]).is_empty());
}

/// A run in which this number of replies were errors.
fn with_errors(requests_per_second: u64, replies: u64) -> Result<RunFigures, Stopped> {
    let run = measured(requests_per_second);
    let warning = load::Warning::UnexpectedStatus {
        replies,
        of: run.completed,
        statuses: vec![(500, replies)],
        seen: vec![500],
        expected: None,
    };
    Ok(RunFigures {
        non2xx: replies,
        warnings: vec![warning],
        ..run
    })
}

#[test]
fn a_contestant_that_answers_with_errors_has_no_ratio() {
    for (runs, reason) in [
        (
            vec![with_errors(9000, 45_000), with_errors(9000, 45_000)],
            "all 45,000 replies had an error status (500)",
        ),
        (
            vec![Ok(measured(9000)), with_errors(9000, 20)],
            "in round 2: 20 of 45,000 replies had an error status (500)",
        ),
    ] {
        let plan = plan(&["python-http", "node"], 2);
        let mut script = Script::default().with("node", runs);
        let (outcome, report, _) = held(&plan, &mut script);
        assert!(outcome.has_failures());
        let node = &report.contestants[1];
        assert_eq!(node.status, report::ContestantStatus::Failed);
        let said = node.reason.as_deref().unwrap_or_default();
        assert!(said.starts_with(reason), "{said}");
        assert!(node.non2xx > 0 && node.ratio.is_none(), "{node:?}");
        assert_eq!(node.warnings.len(), 1);
        assert_eq!(node.requests_per_second.as_ref().unwrap().rounds.len(), 2);
        let text = table::render(&report, 100);
        assert_eq!(text.matches("error status").count(), 1, "{text}");
        assert!(text.contains("non-2xx"), "{text}");
        assert!(verdict::sentences(&report).is_empty());
    }
}

#[test]
fn a_contestant_that_answers_with_errors_is_no_reference() {
    let plan = plan_of(&["node", "python-http"], Some("node"), 2).unwrap();
    let errors = vec![with_errors(9000, 45_000), with_errors(9000, 45_000)];
    let mut script = Script::default().with("node", errors);
    let (_, report, _) = held(&plan, &mut script);
    assert_eq!(report.reference.as_deref(), Some("python-http"));
}

#[test]
fn json_has_the_keys_that_scripts_rely_on() {
    let plan = plan(&["python-http", "bareloop-http", "node"], 2);
    let mut script = Script::default()
        .rates("bareloop-http", &[4000, 4000])
        .with("node", vec![Err(not_found())]);
    let (_, report, _) = held(&plan, &mut script);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["machine"]["memoryBytes"], 8_589_934_592_u64);
    assert_eq!(json["settings"]["durationSeconds"], 5.0);
    assert_eq!(json["settings"]["rounds"], 2);
    assert_eq!(json["reference"], "python-http");
    assert_eq!(json["interrupted"], false);
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["published"][1]["requestsPerSecond"], 6999.6);
    assert_eq!(json["published"][1]["errors"], 36_000);
    let ours = &json["contestants"][1];
    assert_eq!(ours["name"], "bareloop-http");
    assert_eq!(
        ours["command"],
        "bareloop serve http --bind 127.0.0.1:{port}"
    );
    assert_eq!(ours["status"], "ran");
    assert_eq!(ours["reason"], serde_json::Value::Null);
    assert_eq!(ours["requestsPerSecond"]["median"], 4000.0);
    assert_eq!(
        ours["requestsPerSecond"]["rounds"],
        serde_json::json!([4000.0, 4000.0])
    );
    assert_eq!(
        ours["latencyMs"],
        serde_json::json!({
            "p50": 0.5,
            "p50Interval": {"low": 0.5, "high": 0.5},
            "p99": 2.0,
            "p99Interval": {"low": 2.0, "high": 2.0},
            "max": 30.0,
            "lowerBoundsFrom": null,
        })
    );
    assert_eq!(ours["cpuMicrosPerRequest"]["median"], 200.0);
    assert_eq!(ours["peakMemoryBytes"], 10 << 20);
    assert_eq!(ours["errors"], 0);
    assert_eq!(ours["non2xx"], 0);
    assert_eq!(ours["ratio"]["median"], 4.0);
    assert_eq!(ours["ratio"]["finding"], "undecided");
    assert_eq!(ours["ratio"]["bounds"], "range");
    assert_eq!(ours["ratio"]["margin"], 0.02);
    assert_eq!(ours["ratio"]["roundsNeeded"], 4);
    assert_eq!(ours["ratio"]["rounds"], serde_json::json!([4.0, 4.0]));
    assert_eq!(ours["ratio"]["limit"], "none");
    assert_eq!(ours["warnings"], serde_json::json!([]));
    let node = &json["contestants"][2];
    assert_eq!(node["status"], "failed");
    assert_eq!(node["requestsPerSecond"], serde_json::Value::Null);
    assert_eq!(json["contestants"][0]["ratio"], serde_json::Value::Null);
}

/// A run of 5 s at this rate, in which others took a part of the machine.
fn disturbed(others_share: f64, steal_share: f64) -> Result<RunFigures, Stopped> {
    Ok(RunFigures {
        machine: Some(MachineUse {
            idle_share: 0.0,
            others_share: Some(others_share),
            steal_share,
        }),
        ..measured(1000)
    })
}

#[test]
fn a_machine_that_others_use_is_a_reason_for_doubt_and_a_limit() {
    use Limit::{Client, Machine, Server};
    let said = "other processes used 20 % and other guests of the host 3 % of all cores; stop \
                other processes, or repeat when the host is quieter";
    assert_eq!(warnings_of(vec![disturbed(0.2, 0.03)]), [said]);
    assert!(warnings_of(vec![disturbed(0.04, 0.04)]).is_empty());
    // The others may be the server itself.
    let of_unknown = |steal_share| {
        let machine = MachineUse {
            idle_share: 0.0,
            others_share: None,
            steal_share,
        };
        let run = disturbed(0.0, 0.0).unwrap();
        warnings_of(vec![Ok(RunFigures {
            machine: Some(machine),
            ..run
        })])
    };
    assert!(of_unknown(0.0).is_empty());
    let said = "other guests of the host used 30 % of all cores; repeat when the host is quieter";
    assert_eq!(of_unknown(0.3), [said]);
    let limits = |run: Result<RunFigures, Stopped>| run.unwrap().limits();
    assert_eq!(limits(disturbed(0.2, 0.03)), [Machine]);
    assert_eq!(limits(disturbed(0.01, 0.01)), []);
    assert_eq!(limits(busy(1000, 0.97, 0.98)), [Client, Server]);
    assert_eq!(limits(busy(1000, 0.2, 0.5)), []);
}

#[test]
fn a_server_that_does_not_answer_pipelined_requests_is_named() {
    let with_reply = |keeps_alive, pipelines| {
        let reply = ReplyFacts {
            status: 200,
            bytes: 90,
            keeps_alive,
            pipelines,
        };
        warnings_of(vec![Ok(RunFigures {
            reply: Some(reply),
            ..measured(1000)
        })])
    };
    let said =
        "does not answer three requests sent at once on one connection; measure it with -p 1";
    assert_eq!(with_reply(true, false), [said]);
    assert!(with_reply(true, true).is_empty());
    assert!(
        with_reply(false, false).is_empty(),
        "it closes, which is said elsewhere"
    );
}

/// A plan that runs rounds until each ratio is known to 2 %.
fn auto_plan(only: &[&str], rounds_max: usize) -> ComparisonPlan {
    let contestants = plan(only, 1).contestants().to_vec();
    let settings = Settings {
        precision: Margin::new(0.02),
        ..settings(rounds_max)
    };
    ComparisonPlan::new(contestants, &[], None, settings).unwrap()
}

#[test]
fn rounds_go_on_until_each_ratio_is_known_to_the_precision() {
    let plan = auto_plan(&["python-http", "node"], 20);
    let noisy = [1100, 900, 1080, 920, 1000, 1000, 1050, 950];
    let steady = [1000; 12];
    let mut script = Script::default().rates("node", &[&noisy[..], &steady[..]].concat());
    let (outcome, report, lines) = held(&plan, &mut script);
    assert_eq!(outcome.end, Some(RoundsEnd::RoundsMax));
    assert_eq!(script.log.len(), 40);
    assert!(lines[0].starts_with("round 1  "), "{}", lines[0]);
    let text = table::render(&report, 100);
    let said = "Stopped at 20 rounds, the limit, before each ratio was known to 2 %.";
    assert!(text.contains(said), "{text}");

    let mut script = Script::default().rates("node", &[1010, 1012, 1009, 1011, 1010, 1008, 1010]);
    let (outcome, report, _) = held(&plan, &mut script);
    assert_eq!(outcome.end, Some(RoundsEnd::Precise));
    assert_eq!(script.log.len(), 12);
    let ratio = report.contestants[1].ratio.as_ref().unwrap();
    assert_eq!(ratio.rounds.len(), 6);
    assert!(ratio.high.unwrap() / ratio.low.unwrap() <= 1.02 * 1.02);
    assert!(table::render(&report, 100).contains("Each ratio is known to 2 %."));
}

#[test]
fn runs_get_longer_where_the_noise_is_of_seconds() {
    let plan = auto_plan(&["python-http", "node"], 12);
    let rates = [
        1100, 1080, 920, 900, 1050, 1070, 940, 930, 1090, 1060, 910, 930,
    ];
    let noisy_seconds = |rate| {
        Ok(RunFigures {
            rate_variance: Some(0.008),
            ..measured(rate)
        })
    };
    let mut script = Script::default()
        .with("python-http", [1000; 12].map(noisy_seconds).into())
        .with("node", rates.map(noisy_seconds).into());
    let (_, report, _) = held(&plan, &mut script);
    let windows: Vec<u64> = script
        .conditions
        .iter()
        .map(|c| c.window.as_secs())
        .collect();
    assert_eq!(windows[..12], [5; 12]);
    assert_eq!(windows[12..], [20; 12]);
    let noise = report.contestants[1].ratio.as_ref().unwrap().noise.unwrap();
    assert!(noise.within_runs > noise.between_restarts, "{noise:?}");
    let text = table::render(&report, 100);
    assert!(
        text.contains("longer runs (-d) help as much as more rounds"),
        "{text}"
    );
}

fn duet_plan(only: &[&str], rounds: usize) -> ComparisonPlan {
    let contestants = plan(only, 1).contestants().to_vec();
    let settings = Settings {
        duet: true,
        ..settings(rounds)
    };
    ComparisonPlan::new(contestants, &[], None, settings).unwrap()
}

#[test]
fn in_a_duet_each_contestant_runs_beside_the_reference_and_its_slices_decide() {
    let plan = duet_plan(&["node", "python-http", "python-tcp"], 6);
    assert_eq!(plan.duration(), Duration::from_secs(4 * 6 * 6));
    let mut script = Script::default().rates("node", &[1020; 6]);
    let (outcome, report, lines) = held(&plan, &mut script);
    assert_eq!(outcome.end, Some(RoundsEnd::Planned));
    assert_eq!(script.log.len(), 4 * 6, "two duets a round");
    assert_eq!(lines.len(), 3 * 6, "each contestant has a line a round");
    assert_eq!(report.reference.as_deref(), Some("python-http"));
    let ratio = report.contestants[0].ratio.as_ref().unwrap();
    // The slices' ratio, and not that of the rates.
    assert!(
        (ratio.mean - 1.02 * 0.01f64.exp()).abs() < 1e-9,
        "{ratio:?}"
    );
    assert_eq!(ratio.finding, report::Finding::Different);
    assert!(report.contestants[1].ratio.is_none());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["settings"]["duet"], true);
    assert_eq!(json["contestants"][0]["runs"][0]["duet"]["pairs"], 20);
    let heading = table::heading(&plan, &FollowUp::default());
    assert!(heading.contains("in turn with the reference"), "{heading}");
    assert!(
        heading.lines().all(|line| line.chars().count() <= 100),
        "{heading}"
    );
}

/// Counts reports of progress.
struct ProgressCount(usize);

impl Observer for ProgressCount {
    fn started(&mut self, _: &Contestant, _: usize) {}
    fn progress(&mut self, _: load::Progress) {
        self.0 += 1;
    }
    fn ended(&mut self, _: &Contestant, _: usize, _: &Result<RunFigures, Failure>) {}
}

#[test]
fn an_interrupted_duet_leaves_those_before_it() {
    let plan = duet_plan(&["node", "python-http", "python-tcp"], 1);
    let results = vec![Ok(measured(500)), Err(Stopped::Interrupted)];
    let mut script = Script::default().with("python-http", results);
    let (outcome, report, lines) = held(&plan, &mut script);
    assert!(outcome.is_interrupted());
    assert_eq!(lines.len(), 2, "a contestant and the reference");
    assert_eq!(report.reference.as_deref(), Some("python-http"));
    let ratios = report.contestants.iter().filter(|row| row.ratio.is_some());
    assert_eq!(ratios.count(), 1);
}

#[test]
fn a_duet_reports_its_progress() {
    let plan = duet_plan(&["node", "python-http", "python-tcp"], 1);
    let mut count = ProgressCount(0);
    run(
        &plan,
        &mut Script::default(),
        &StopSignal::new(),
        &mut count,
    );
    assert_eq!(count.0, 2, "once in each duet");
}

#[test]
fn a_duet_has_ratios_to_no_other_than_its_reference() {
    // It answers with errors, or never runs.
    let errors = (0..4).map(|_| with_errors(1000, 5000)).collect();
    for runs in [errors, vec![Err(died())]] {
        let plan = duet_plan(&["node", "python-http", "python-tcp"], 2);
        let mut script = Script::default().with("python-http", runs);
        let (outcome, report, _) = held(&plan, &mut script);
        assert!(outcome.has_failures());
        assert_eq!(report.reference, None);
        let mut results = report.contestants.iter();
        assert!(results.all(|result| result.ratio.is_none()), "{report:?}");
    }
}

#[test]
fn nobody_to_compare_with_ends_even_without_a_number_of_rounds() {
    let plan = auto_plan(&["node"], 8);
    let mut script = Script::default().with("node", vec![Err(not_found())]);
    let (outcome, _, _) = held(&plan, &mut script);
    assert_eq!(outcome.end, Some(RoundsEnd::NothingToJudge));
    assert_eq!(script.log.len(), 1);
}

#[test]
fn rounds_end_without_a_claim_of_precision_where_no_ratio_can_be_known() {
    let runs = |rates: &[u64], last| {
        let runs = rates.iter().map(|&rate| Ok(measured(rate)));
        runs.chain([last]).collect::<Vec<_>>()
    };
    // Too noisy for the precision.
    let noisy = [900, 1100, 950, 1050, 900, 1100, 950, 1050];
    let errors = || with_errors(1000, 5000);
    let (two, three) = (
        &["python-http", "node"][..],
        &["python-http", "node", "python-tcp"][..],
    );
    for (names, failing, runs, rounds_held) in [
        (&["node"][..], "python-http", Vec::new(), 1),
        (two, "node", runs(&noisy[..7], Err(died())), 8),
        (two, "node", runs(&noisy[..3], errors()), 4),
        (three, "python-http", runs(&[1000; 7], Err(died())), 8),
        (three, "python-http", runs(&[1000; 3], errors()), 4),
    ] {
        let plan = auto_plan(names, 20);
        let script = Script::default().rates("node", &noisy);
        let mut script = script.with(failing, runs);
        let (outcome, report, _) = held(&plan, &mut script);
        assert_eq!(outcome.end, Some(RoundsEnd::NothingToJudge), "{names:?}");
        assert_eq!(outcome.rounds_done, rounds_held, "{names:?} {failing}");
        let text = table::render(&report, 100);
        assert!(
            text.contains("no two servers are left to compare."),
            "{text}"
        );
        assert!(!text.contains("is known to"), "{text}");
    }
}

#[test]
fn the_rounds_before_the_references_failure_keep_their_weight() {
    let plan = auto_plan(&["python-http", "node"], 20);
    let runs = (0..7).map(|_| Ok(measured(1000))).chain([Err(died())]);
    let noisy = [900, 1100, 950, 1050, 900, 1100, 950, 1050];
    let mut script = Script::default()
        .with("python-http", runs.collect())
        .rates("node", &noisy);
    let (_, report, _) = held(&plan, &mut script);
    let ratio = report.contestants[1].ratio.as_ref().unwrap();
    assert_eq!(ratio.rounds.len(), 7);
    assert_eq!(ratio.bounds, report::Bounds::Interval);
    let said = verdict::sentences(&report).join("\n");
    assert!(!said.contains("in one round"), "{said}");
}

#[test]
fn a_contestant_that_fails_late_keeps_the_bounds_of_its_rounds() {
    let plan = auto_plan(&["python-http", "node", "python-tcp"], 8);
    let noisy = [900, 1100, 950, 1050, 900, 1100, 950, 1050];
    let runs = noisy[..7].iter().map(|&rate| Ok(measured(rate)));
    let mut script = Script::default()
        .with("node", runs.chain([Err(died())]).collect())
        .rates("python-tcp", &noisy);
    let (_, report, _) = held(&plan, &mut script);
    let ratio = report.contestants[1].ratio.as_ref().unwrap();
    assert_eq!(ratio.rounds.len(), 7);
    assert_eq!(ratio.bounds, report::Bounds::Interval);
}

#[test]
fn each_start_has_an_environment_of_its_own() {
    let plan = plan(&["python-http", "node"], 4);
    let mut script = Script::default();
    held(&plan, &mut script);
    let mut sizes: Vec<_> = script.conditions.iter().map(|c| c.padding_bytes).collect();
    sizes.sort_unstable();
    sizes.dedup();
    assert_eq!(sizes.len(), 8);
}

#[test]
fn cost_has_modes_switches_and_the_client_beside_it() {
    let plan = plan(&["python-http", "node"], 2);
    let detail = |user, system, waited, forced| {
        Some(UsageDetail {
            user: Duration::from_millis(user),
            system: Duration::from_millis(system),
            voluntary_switches: waited,
            involuntary_switches: forced,
        })
    };
    let run = || {
        Ok(RunFigures {
            server: Some(Usage {
                resident_bytes: 9_000_000,
                detail: detail(1000, 3000, 500, 50),
                ..used(Duration::from_secs(4), 10_000_000)
            }),
            client: Some(Usage {
                detail: detail(300, 700, 5, 5),
                ..used(Duration::from_secs(1), 3_000_000)
            }),
            ..busy(1000, 0.2, 0.8).unwrap()
        })
    };
    let busy_client = |share| {
        Ok(RunFigures {
            client_cpu_share: share,
            ..run().unwrap()
        })
    };
    let mut script = Script::default()
        .with("python-http", vec![run(), run()])
        .with("node", vec![busy_client(0.95), run()]);
    let (_, report, _) = held(&plan, &mut script);
    let json = serde_json::to_value(&report).unwrap();
    let server = &json["contestants"][0]["cost"]["server"];
    assert_eq!(server["userMicrosPerRequest"]["median"], 200.0);
    assert_eq!(server["systemMicrosPerRequest"]["median"], 600.0);
    assert_eq!(server["voluntarySwitchesPerRequest"]["median"], 0.1);
    assert_eq!(server["involuntarySwitchesPerRequest"]["median"], 0.01);
    assert_eq!(server["peakMemoryBytes"], 10_000_000);
    assert_eq!(server["steadyMemoryBytes"], 9_000_000);
    let client = &json["contestants"][0]["cost"]["client"];
    assert_eq!(client["cpuMicrosPerRequest"]["median"], 200.0);
    assert_eq!(
        json["contestants"][1]["runs"][0]["limits"],
        serde_json::json!(["client"])
    );
    let text = table::render(&report, 100);
    assert!(text.contains("200 + 600"), "{text}");
    assert!(text.contains("0.100 + 0.010"), "{text}");
    assert!(text.contains("client (1 of 2)"), "{text}");
    let narrow = table::render(&report, 60);
    assert!(
        narrow.contains("  CPU, user + kernel  200 + 600 µs\n"),
        "{narrow}"
    );
    assert!(
        narrow.lines().all(|line| line.chars().count() <= 60),
        "{narrow}"
    );
}

#[test]
fn a_machine_that_moves_its_own_speed_is_named() {
    let plan = plan(&["node"], 1);
    let (outcome, _, _) = held(&plan, &mut Script::default());
    let machine = Machine {
        governor: Some("powersave".to_owned()),
        cpu_limit_cores: Some(1.5),
        load_average: Some(0.6),
        pinned: Some(CoreDivision {
            servers: vec![0],
            client: vec![1],
        }),
        ..machine()
    };
    let text = table::render(&ComparisonReport::new(&plan, &outcome, machine), 200);
    for said in [
        "servers on core 0, load generator on core 1.",
        "The CPU frequency governor is 'powersave'",
        "The container may use 1.5 of 2 cores",
        "The load average was 0.60 in the minute before the start",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let quiet = table::render(
        &ComparisonReport::new(&plan, &outcome, self::machine()),
        200,
    );
    for not_said in ["governor", "container", "load average"] {
        assert!(!quiet.contains(not_said), "{quiet}");
    }
}

#[test]
fn the_table_becomes_a_list_where_it_does_not_fit() {
    let plan = plan(&["python-http", "bareloop-http"], 2);
    let mut script = Script::default().rates("bareloop-http", &[900_000, 1_500_000]);
    let (_, report, _) = held(&plan, &mut script);
    for columns in [40, 60, 96, 97, 150] {
        let text = table::render(&report, columns);
        let too_wide = text.lines().find(|line| line.chars().count() > columns);
        assert_eq!(too_wide, None, "{columns}:\n{text}");
        assert_eq!(text.contains('│'), columns >= 97, "{columns}:\n{text}");
    }
    let list = table::render(&report, 60);
    assert!(
        list.contains("  speed        1,162 times faster, range 900 - 1,500,\n"),
        "{list}"
    );
}

#[test]
fn the_widest_figures_of_the_default_comparison_fit_100_columns() {
    let plan = plan(&["python-http", "bareloop-http"], 6);
    let client_limited = |rate| {
        Ok(RunFigures {
            errors: 165_700,
            ..busy(rate, 0.99, 0.9).unwrap()
        })
    };
    let closes_after_replies = |rate| {
        Ok(RunFigures {
            errors: 165_700,
            lower_bounds_from: Some(50.0),
            ..busy(rate, 0.5, 0.9).unwrap()
        })
    };
    let rates = [14_823, 18_697, 12_909, 14_492, 15_893, 15_000];
    let script = Script::default().with("python-http", rates.map(closes_after_replies).into());
    let rates = [
        1_660_454, 2_121_038, 21_900_000, 999_358, 10_000_000, 9_999_999,
    ];
    let mut script = script.with("bareloop-http", rates.map(client_limited).into());
    let (_, report, _) = held(&plan, &mut script);
    let text = table::render(&report, 100);
    assert!(text.contains(">= 0.500 ms"), "{text}");
    assert!(text.contains("│ Server "), "{text}");
}

#[test]
fn the_table_looks_like_this() {
    let plan = plan(&["python-http", "bareloop-http", "node"], 2);
    let mut script = Script::default()
        .rates("python-http", &[1000, 1100])
        .rates("bareloop-http", &[100_000, 110_000])
        .with("node", vec![Err(not_found())]);
    let (_, report, lines) = held(&plan, &mut script);
    assert_eq!(
        format!("{}\n\n{}", lines.join("\n"), table::render(&report, 100)),
        include_str!("tests/table.txt")
    );
}
