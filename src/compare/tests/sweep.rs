//! Sweeps over servers whose knee is known.

use super::super::markdown;
use super::super::sweep::{self, SweepPlan, SweepResult, SweepVariable, WalkObserver};
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

    fn ended(&mut self, so_far: Vec<SweepResult>) {
        self.ended.push(so_far);
    }
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
fn a_sweep_has_as_many_walks_as_rounds_were_held_however_many_were_allowed() {
    let plan = auto_plan(&["python-http", "bareloop-http"], 60);
    let sweep = SweepPlan::Connections([1, 10].map(count).to_vec());
    let (mut script, mut seen) = (Script::default(), Walks::default());
    let results = sweep::run(&sweep, &plan, 6, &mut script, &StopSignal::new(), &mut seen);
    assert!(
        results.iter().all(|result| result.walks == 6),
        "{results:?}"
    );
}

