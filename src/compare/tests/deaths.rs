//! Servers that end in mid-run, where rounds are run until ratios are known, and in duets.

use super::super::report::{Bounds, ContestantStatus};
use super::*;

const DEATH: &str = "ended under load (signal: 9 (SIGKILL)): out of memory";

#[test]
fn a_death_leaves_the_other_ratios_to_be_found() {
    let plan = auto_plan(&["python-http", "node", "bareloop-http"], 20);
    let mut script = Script::default()
        .with(
            "node",
            vec![Ok(measured(900)), Ok(measured(910)), Err(died())],
        )
        .rates("bareloop-http", &[1010, 1012, 1009, 1011, 1010, 1008]);
    let (outcome, report, lines) = held(&plan, &mut script);
    assert_eq!(outcome.end, Some(RoundsEnd::Precise));
    assert!(outcome.has_failures());
    assert_eq!(runs_of(&script, "node"), 3);
    assert_eq!(runs_of(&script, "bareloop-http"), 6);
    let node = &report.contestants[1];
    assert_eq!(node.status, ContestantStatus::Failed);
    assert_eq!(node.reason, Some(format!("in round 3: {DEATH}")));
    assert!(
        lines.contains(&format!("round 3  node           {DEATH}")),
        "{lines:#?}"
    );
    let ratio = report.contestants[2].ratio.as_ref().unwrap();
    assert_eq!((ratio.rounds.len(), ratio.bounds), (6, Bounds::Interval));
}

#[test]
fn a_death_in_a_duet_leaves_the_other_duets() {
    let plan = duet_plan(&["node", "python-http", "python-tcp"], 6);
    let mut script = Script::default().with("node", vec![Ok(measured(900)), Err(died())]);
    let (outcome, report, _) = held(&plan, &mut script);
    assert_eq!(outcome.end, Some(RoundsEnd::Planned));
    assert!(outcome.has_failures());
    assert_eq!(runs_of(&script, "node"), 2);
    assert_eq!(runs_of(&script, "python-tcp"), 6);
    assert_eq!(
        report.contestants[0].reason,
        Some(format!("in round 2: {DEATH}"))
    );
    assert_eq!(
        report.contestants[2].ratio.as_ref().unwrap().rounds.len(),
        6
    );
}

#[test]
fn errors_and_wrong_replies_of_any_duet_count_against_the_reference() {
    let plan = duet_plan(&["node", "python-http", "python-tcp"], 1);
    let wrong = RunFigures {
        errors: 2,
        non2xx: 3,
        warnings: vec![load::Warning::WrongBodies { replies: 7 }],
        ..measured(500)
    };
    let clean = RunFigures {
        errors: 1,
        ..measured(1000)
    };
    let wrong_too = RunFigures {
        warnings: vec![load::Warning::WrongBodies { replies: 9 }],
        ..clean.clone()
    };
    for last in [clean, wrong_too] {
        let duets = vec![Ok(wrong.clone()), Ok(last)];
        let mut script = Script::default().with("python-http", duets);
        let (outcome, report, _) = held(&plan, &mut script);
        assert!(outcome.has_failures());
        let reference = &report.contestants[1];
        assert_eq!(reference.status, ContestantStatus::Failed);
        assert_eq!((reference.errors, reference.non2xx), (3, 3));
        let warnings: Vec<String> = reference.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with('7'), "{warnings:?}");
        // The others are those of its last duet.
        let rates: Vec<f64> = reference
            .runs
            .iter()
            .map(|run| run.requests_per_second)
            .collect();
        assert_eq!(rates, [1000.0]);
    }
}

#[test]
fn the_duets_before_the_death_of_the_reference_count_and_none_follows() {
    for only in [
        // It ends in its duet of the second round, ...
        &["node", "python-http"][..],
        // ... or in the second duet of the first round.
        &["node", "python-http", "python-tcp"],
    ] {
        let plan = duet_plan(only, 6);
        let first = vec![Ok(measured(1000)), Err(died())];
        let mut script = Script::default().with("python-http", first);
        let (outcome, report, _) = held(&plan, &mut script);
        assert_eq!(outcome.end, Some(RoundsEnd::NothingToJudge));
        assert!(outcome.has_failures());
        assert_eq!(script.log.len(), 4, "two duets");
        assert_eq!(report.reference.as_deref(), Some("python-http"));
        let reference = &report.contestants[1];
        assert_eq!(reference.status, ContestantStatus::Failed);
        assert!(reference.reason.as_ref().unwrap().ends_with(DEATH));
        assert_eq!(reference.runs.len(), 1);
        let ratios = report.contestants.iter().filter_map(|it| it.ratio.as_ref());
        let rounds: Vec<usize> = ratios.map(|ratio| ratio.rounds.len()).collect();
        assert_eq!(rounds, [1], "{only:?}");
        let text = table::render(&report, 100);
        assert!(
            text.contains("no two servers are left to compare."),
            "{text}"
        );
        assert!(text.contains(&format!(
            "python-http: {}",
            reference.reason.as_ref().unwrap()
        )));
    }
}
