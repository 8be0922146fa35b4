//! Searches for highest rates, on scripted servers.

use super::super::markdown;
use super::super::page::of_comparison;
use super::super::search::{self, SearchObserver, SearchPlan, SearchResult};
use super::*;

/// What the observer of the searches is told.
#[derive(Default)]
struct Searches {
    trials: Vec<(String, f64)>,
    ended: Vec<SearchResult>,
}

impl SearchObserver for Searches {
    fn trial(&mut self, contestant: &Contestant, trial: TrialProgress) {
        let name = contestant.name().to_owned();
        self.trials.push((name, trial.rate));
    }

    fn ended(&mut self, result: SearchResult) {
        self.ended.push(result);
    }
}

/// Searches after two rounds.
fn searched(
    plan: &ComparisonPlan,
    script: &mut Script,
) -> (ComparisonOutcome, ComparisonReport, Searches) {
    let (outcome, mut report, _) = held(plan, script);
    script.log.clear();
    script.conditions.clear();
    let search = SearchPlan {
        objective: "p99<5ms".parse().unwrap(),
        trial_duration: Duration::from_secs(3),
    };
    let mut seen = Searches::default();
    let signal = StopSignal::new();
    search::run(&search, plan, &outcome, script, &signal, &mut seen);
    for contestant in &mut report.contestants {
        let mut ended = seen.ended.iter();
        contestant.find_rate = ended.find(|it| it.name == contestant.name).cloned();
    }
    (outcome, report, seen)
}

#[test]
fn each_contestant_that_ran_is_searched_once_from_half_of_its_speed() {
    let plan = plan(
        &["python-http", "python-tcp", "bareloop-http", "bareloop-tcp"],
        2,
    );
    let mut script = Script::default()
        .rates("bareloop-http", &[4000, 4000])
        .with("python-tcp", vec![Err(not_found())]);
    let (_, _, seen) = searched(&plan, &mut script);
    let first_of_the_next_pair = schedule::order(4, 2, SEED);
    let names = ["python-http", "python-tcp", "bareloop-http", "bareloop-tcp"];
    let order = first_of_the_next_pair.iter().map(|&index| names[index]);
    let expected: Vec<String> = order
        .filter(|name| *name != "python-tcp")
        .map(|name| {
            let half = if name == "bareloop-http" { 2000 } else { 500 };
            format!("{name} from {half}")
        })
        .collect();
    assert_eq!(script.log, expected);
    assert_eq!(seen.trials.len(), 3);
    assert!(seen.trials.contains(&("bareloop-http".to_owned(), 2000.0)));
    let windows = script.conditions.iter().map(|it| it.window.as_secs());
    assert_eq!(windows.collect::<Vec<_>>(), [3; 3]);
}

#[test]
fn a_given_rate_is_that_of_the_first_trial() {
    let contestants = plan(&["python-http"], 1).contestants().to_vec();
    let settings = Settings {
        rate: Some(700.0),
        ..settings(1)
    };
    let plan = ComparisonPlan::new(contestants, &[], None, settings).unwrap();
    let mut script = Script::default();
    searched(&plan, &mut script);
    assert_eq!(script.log, ["python-http from 700"]);
}

#[test]
fn rates_are_told_with_their_bounds_their_limits_and_their_failures() {
    let plan = plan(&["python-http", "bareloop-http", "node"], 2);
    let (outcome, report, _) = searched(&plan, &mut Script::default());
    assert!(report.has_failed_part());
    let text = table::render(&report, 1000);
    let markdown = markdown::render(&report).replace('\\', "");
    assert!(text.contains("\nHighest rate with p99<5ms:\n"), "{text}");
    for said in [
        "python-http: 10,000 requests/s, at most 4.50 ms there with 80 % confidence; single trials \
         were within up to 11,000 and beyond from 12,000; 20 trials\n",
        "bareloop-http: at least 10,000 requests/s, at most 4.50 ms there with 80 % confidence; \
         single trials were within up to 11,000 and beyond from 12,000; 20 trials; the client was \
         late beyond it\n",
        "node: none found: ended under load (signal: 9 (SIGKILL)): out of memory\n",
    ] {
        assert!(text.contains(said), "{said} {text}");
        assert!(markdown.contains(&format!("- {said}")), "{markdown}");
    }
    let json = serde_json::to_value(&report).unwrap();
    let found = &json["contestants"][1]["findRate"];
    assert_eq!(found["rate"], 10_000.0);
    assert_eq!(found["bracket"], serde_json::json!([11_000.0, 12_000.0]));
    assert_eq!(found["objective"], "p99<5ms");
    assert_eq!(
        (&found["outcome"], &found["limit"]),
        (&"atLeast".into(), &"client".into())
    );
    assert_eq!(found["trials"].as_array().map(Vec::len), Some(20));
    assert_eq!(found["reason"], serde_json::Value::Null);
    assert!(json["contestants"][2]["findRate"]["reason"].is_string());

    let page = of_comparison(&report, &outcome, "bareloop compare").unwrap();
    let rows: Vec<_> = page
        .searches
        .iter()
        .map(|row| (row.contestant, row.limit.is_some()))
        .collect();
    assert_eq!(rows, [(0, false), (1, true), (2, false)]);
    let html = page.to_html();
    for said in [
        "Highest rate within an objective",
        "at least ",
        "out of memory",
    ] {
        assert!(html.contains(said), "{said}");
    }
}

#[test]
fn without_a_search_nothing_is_said_of_it() {
    let plan = plan(&["python-http"], 1);
    let (outcome, report, _) = held(&plan, &mut Script::default());
    assert!(!report.has_failed_part());
    assert!(!table::render(&report, 100).contains("Highest rate"));
    assert!(!markdown::render(&report).contains("Highest rate"));
    let page = of_comparison(&report, &outcome, "bareloop compare").unwrap();
    assert!(!page.to_html().contains("Highest rate"));
}

#[test]
fn an_interrupted_search_leaves_those_before_it() {
    let plan = plan(&["python-http", "bareloop-http", "bareloop-tcp"], 2);
    let second = schedule::order(3, 2, SEED)[1];
    let name = plan.contestants()[second].name().to_owned();
    let mut script = Script {
        interrupted_search: Some(name),
        ..Script::default()
    };
    let (_, report, seen) = searched(&plan, &mut script);
    assert_eq!(script.log.len(), 2);
    assert_eq!(seen.ended.len(), 1);
    assert!(!report.has_failed_part());
}
