//! Sweeps over servers whose knee is known.

use super::super::search::SearchPlan;
use super::super::sweep::{self, SweepPlan, SweepResult, SweepVariable, WalkObserver};
use super::super::{markdown, page};
use super::*;

/// What the observer of a sweep is told.
#[derive(Default)]
struct Walks {
    started: Vec<(String, usize)>,
    ended: Vec<Vec<SweepResult>>,
}

impl WalkObserver for Walks {
    fn started(&mut self, contestant: &Contestant, round: usize) {
        self.started.push((contestant.name().to_owned(), round));
    }

    fn progress(&mut self, _progress: load::Progress) {}

    fn ended(&mut self, so_far: Vec<SweepResult>) {
        self.ended.push(so_far);
    }
}

#[test]
fn the_heading_counts_what_follows_the_rounds() {
    // 6 rounds of 5 s after 1 s, and walks over 2 and 3 loads with each of 2 servers.
    let follow_up = FollowUp {
        sweeps: vec![
            SweepPlan::Connections([1, 10].map(count).to_vec()),
            SweepPlan::Rate(vec![1.0, 2.0, 3.0]),
        ],
        search: Some(SearchPlan {
            objective: "p99<5ms".parse().unwrap(),
            trial_duration: Duration::from_secs(2),
        }),
    };
    let plan = plan(&["bareloop-http", "node"], 6);
    let heading = table::heading(&plan, &follow_up);
    let lines: Vec<&str> = heading.lines().skip(3).collect();
    assert_eq!(
        lines,
        [
            "then sweeps over connections, requests due/s: about 360 s",
            "then searches for p99<5ms, at most 25 runs of 2 s each: at most about 112 s, more at \
             low rates",
        ]
    );
    let until_known = auto_plan(&["bareloop-http", "node"], 20);
    let heading = table::heading(&until_known, &follow_up);
    assert!(heading.contains("due/s: at least about"), "{heading}");
}

#[test]
fn walks_go_up_and_down_in_turn_and_find_the_knee() {
    let plan = plan(&["bareloop-http", "node"], 4);
    let sweep = SweepPlan::Connections([1, 10, 20, 40, 80, 160].map(count).to_vec());
    let mut script = Script::default();
    let mut seen = Walks::default();
    let results = sweep::run(&sweep, &plan, 4, &mut script, &StopSignal::new(), &mut seen);
    let ours = script
        .log
        .iter()
        .filter(|line| line.starts_with("bareloop"));
    let rises = |line: &String| line.contains("[1, 10, 20");
    let directions: Vec<bool> = ours.map(rises).collect();
    assert_eq!(directions, [true, false, true, false]);
    assert!(seen.started.contains(&("bareloop-http".to_owned(), 3)));
    // Four of ours, and the one in which node failed.
    let counts: Vec<usize> = seen.ended.iter().map(|so_far| so_far[0].walks).collect();
    assert_eq!(counts.len(), 5);
    assert!(counts.is_sorted(), "{counts:?}");
    assert_eq!(seen.ended.last(), Some(&results));

    let [ours, node] = &results[..] else {
        panic!("{results:?}");
    };
    assert_eq!((ours.variable, ours.walks), (SweepVariable::Connections, 4));
    let at = |walk, load: f64| {
        let mut points = ours.points.iter();
        let point = points.find(|point| point.walk == walk && point.load == load);
        point.and_then(|point| point.requests_per_second).unwrap()
    };
    for walk in ["up", "down"] {
        assert!((at(walk, 1.0).mean - 1000.0).abs() < 1e-6, "{ours:?}");
        assert!((at(walk, 160.0).mean - 30_000.0).abs() < 1e-6, "{ours:?}");
    }
    let knee = ours.throughput_knee.unwrap();
    assert!((knee.load / 30.0 - 1.0).abs() < 0.1, "{knee:?}");
    assert!(knee.low <= Some(knee.load) && knee.high >= Some(knee.load));
    assert_eq!(ours.latency_knee, None, "latency is flat");
    assert!(
        node.reason.as_deref().unwrap().contains("not found"),
        "{node:?}"
    );
    assert_eq!(node.points, []);
    let lines = ours.lines().join("\n");
    assert!(lines.contains("throughput rises up to"), "{lines}");

    let mut report = held(&plan, &mut script).1;
    report.sweeps = results;
    let text = markdown::render(&report);
    assert!(
        text.contains("| bareloop-http | 160 connections | up | 30,000"),
        "{text}"
    );
    assert!(
        text.contains("- bareloop-http: throughput rises up to"),
        "{text}"
    );
    assert!(text.contains("- node: failed: "), "{text}");
}

#[test]
fn a_sweep_has_as_many_walks_as_rounds_were_run_however_many_were_allowed() {
    let plan = auto_plan(&["python-http", "bareloop-http"], 60);
    let sweep = SweepPlan::Connections([1, 10].map(count).to_vec());
    let (mut script, mut seen) = (Script::default(), Walks::default());
    let results = sweep::run(&sweep, &plan, 6, &mut script, &StopSignal::new(), &mut seen);
    assert!(
        results.iter().all(|result| result.walks == 6),
        "{results:?}"
    );
}

/// The result of `name` after a walk up and one down.
fn swept(name: &str) -> SweepResult {
    let plan = plan(&[name], 2);
    let sweep = SweepPlan::Connections([1, 10, 20, 40, 80, 160].map(count).to_vec());
    let (mut script, mut seen) = (Script::default(), Walks::default());
    sweep::run(&sweep, &plan, 2, &mut script, &StopSignal::new(), &mut seen).remove(0)
}

#[test]
fn a_sweep_fits_a_narrow_terminal() {
    let plan = plan(&["bareloop-http"], 2);
    let mut report = held(&plan, &mut Script::default()).1;
    report.sweeps = vec![swept("python-tcp")];
    // With their columns, and with what limited them.
    let wide = table::render(&report, 100);
    let points = wide.lines().filter(|line| line.starts_with("    up  "));
    let points: Vec<&str> = points.collect();
    assert_eq!(points.len(), 6, "{wide}");
    assert!(points[5].ends_with("  client at its limit"), "{wide}");
    let narrow = table::render(&report, 50);
    assert!(narrow.contains("\nup 1 1,000"), "{narrow}");
    let longest = narrow.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(50), "{narrow}");
}

#[test]
fn the_knee_of_the_load_generator_is_not_the_servers() {
    let result = swept("python-tcp");
    assert_eq!(result.throughput_knee, None);
    for point in &result.points {
        let limits: &[Limit] = match point.load >= 20.0 {
            true => &[Limit::Client],
            false => &[],
        };
        assert_eq!(point.limits, limits, "{point:?}");
    }
    let lines = result.lines();
    let marked = lines
        .iter()
        .filter(|line| line.ends_with("  client at its limit"));
    assert_eq!(marked.count(), 8, "{lines:?}");
    let said = "no knee: the load generator was at its limit from 20 connections on";
    assert_eq!(lines.last().unwrap().trim(), said);

    let plan = plan(&["python-tcp"], 1);
    let (outcome, mut report, _) = held(&plan, &mut Script::default());
    report.sweeps = vec![result];
    let text = markdown::render(&report);
    assert!(text.contains(&format!("- python-tcp: {said}")), "{text}");
    let page = page::of_comparison(&report, &outcome, "").unwrap();
    let mut warnings = page.warnings.iter().map(|warning| warning.reason.words());
    assert!(warnings.any(|reason| reason == format!("sweep of python-tcp: {said}")));

    // The client was busy at some load, but not from the knee on.
    let mut below = swept("bareloop-http");
    below.points[0].limits = vec![Limit::Client];
    let below = below.with_own_knees_only();
    assert!(below.throughput_knee.is_some());
    assert!(
        below
            .lines()
            .join("\n")
            .contains("  the load generator was at its limit from 1 ")
    );
}

#[test]
fn a_server_that_answers_wrongly_in_a_walk_has_failed_and_has_no_knee() {
    let result = swept("python-http");
    let reason = result.reason.as_deref().unwrap_or_default();
    assert!(
        reason.starts_with("20 of 5,000 replies had an error status"),
        "{reason}"
    );
    assert_eq!((result.walks, result.throughput_knee), (2, None));
    assert_eq!(result.points.len(), 12);
}

#[test]
fn lower_bounds_and_errors_of_a_point_are_told_and_are_no_knee() {
    let plan = plan(&["bareloop-tcp"], 2);
    let loads = [1, 5, 10, 20, 40, 80].map(count).to_vec();
    let (mut script, mut seen) = (Script::default(), Walks::default());
    let sweep = SweepPlan::Connections(loads);
    let results = sweep::run(&sweep, &plan, 2, &mut script, &StopSignal::new(), &mut seen);
    let result = &results[0];
    let bounds: Vec<_> = result
        .points
        .iter()
        .map(|it| it.lower_bounds_from)
        .collect();
    let way = [None, None, None, None, Some("p99"), Some("p99")];
    assert_eq!(bounds, [way, way].concat());
    assert_eq!(result.latency_knee, None);
    let p99 = result.points[5].p99_ms.unwrap();
    assert!((p99.mean - 1000.0).abs() < 1e-6 && p99.high.is_none());
    let lines = result.lines();
    let ending = lines
        .iter()
        .filter(|line| line.ends_with("p99 >= 1,000 ms  1,234 errors"));
    assert_eq!(ending.count(), 4, "{lines:?}");

    let (outcome, mut report, _) = held(&plan, &mut script);
    report.sweeps = results;
    let text = markdown::render(&report);
    assert!(
        text.contains("| 0.500 ms | \\>= 1,000 ms | 1,234 |"),
        "{text}"
    );
    let html = page::of_comparison(&report, &outcome, "")
        .unwrap()
        .to_html();
    assert_eq!(html.matches("<td>≥ <span").count(), 4, "{html}");
    assert_eq!(html.matches(">1,234<").count(), 4, "{html}");
}

#[test]
fn a_server_without_a_reply_at_a_load_has_failed_there() {
    let result = swept("bareloop-tcp");
    let reason = "completed no reply at 160 connections (9 errors)";
    assert_eq!(result.reason.as_deref(), Some(reason));
    // The walk stays, so that the loads below it show; there is no other.
    assert_eq!((result.walks, result.throughput_knee), (1, None));
    let rates: Vec<bool> = result
        .points
        .iter()
        .map(|it| it.requests_per_second.is_some())
        .collect();
    assert_eq!(rates, [true, true, true, true, true, false]);
}

#[test]
fn the_page_names_the_bars_of_a_sweep_by_the_number_of_walks() {
    for (walks, bars, knee) in [
        (2, "none, with one walk each way", "range of the walks"),
        (6, "ranges of the walks", "95 % interval"),
        (
            11,
            "95 % intervals upwards, ranges of the walks downwards",
            "95 % interval",
        ),
        (12, "95 % intervals", "95 % interval"),
    ] {
        let plan = plan(&["bareloop-http"], 2);
        let sweep = SweepPlan::Connections([1, 10, 20, 40, 80, 160].map(count).to_vec());
        let (mut script, mut seen) = (Script::default(), Walks::default());
        let signal = StopSignal::new();
        let results = sweep::run(&sweep, &plan, walks, &mut script, &signal, &mut seen);
        let (outcome, mut report, _) = held(&plan, &mut script);
        report.sweeps = results;
        let html = page::of_comparison(&report, &outcome, "")
            .unwrap()
            .to_html();
        assert!(html.contains(&format!("Bars: {bars}.")), "{walks}: {html}");
        assert!(html.contains(&format!(" ({knee} <span")), "{walks}: {html}");
    }
}
