//! The cases in which a baseline allows no claim, or a weaker one.

use super::super::baseline::Baseline;
use super::super::gate::GateOutcome;
use super::super::report::{
    BaselineComparable, BaselineReport, Bounds, Finding, LoadLimit, RequestUsed, SpeedChange,
};
use super::super::statistics::Margin;
use super::open_loop::{answering, report_of};
use super::results::{change, gate};
use super::*;

fn named<'a>(found: &'a BaselineReport, name: &str) -> &'a SpeedChange {
    let mut changes = found.changes.iter();
    changes.find(|change| change.name == name).unwrap()
}

/// Six rounds of `bareloop-http` at this rate, in which the client was at its limit or not, and of
/// `python-http` at 1000 replies per second.
fn under_client(requests_per_second: u64, is_limited: bool) -> ComparisonReport {
    let plan = plan(&["python-http", "bareloop-http"], 6);
    let client = if is_limited { 0.99 } else { 0.2 };
    let runs = (0..6).map(|_| busy(requests_per_second, client, 0.5));
    let mut script = Script::default().with("bareloop-http", runs.collect());
    held(&plan, &mut script).1
}

#[test]
fn a_change_is_open_to_the_side_on_which_the_load_was_the_limit() {
    use GateOutcome::{Passed, Tripped, Undecided};
    // Of 4000 replies per second before; true for a client at its limit, before and now.
    for (limited, now, limit, finding, below, above) in [
        (
            [false, false],
            4000,
            LoadLimit::None,
            Finding::Same,
            Passed,
            Passed,
        ),
        (
            [false, true],
            4000,
            LoadLimit::AtLeast,
            Finding::Undecided,
            Passed,
            Undecided,
        ),
        (
            [false, true],
            8000,
            LoadLimit::AtLeast,
            Finding::Different,
            Passed,
            Tripped,
        ),
        (
            [false, true],
            2000,
            LoadLimit::AtLeast,
            Finding::Undecided,
            Undecided,
            Undecided,
        ),
        (
            [true, false],
            4000,
            LoadLimit::AtMost,
            Finding::Undecided,
            Undecided,
            Passed,
        ),
        (
            [true, false],
            2000,
            LoadLimit::AtMost,
            Finding::Different,
            Tripped,
            Passed,
        ),
        (
            [true, true],
            2000,
            LoadLimit::Unknown,
            Finding::Undecided,
            Undecided,
            Undecided,
        ),
    ] {
        let mut report = under_client(now, limited[1]);
        let found = change(&under_client(4000, limited[0]), &report);
        let ours = named(&found, "bareloop-http");
        assert_eq!(
            (ours.compared, ours.limit, ours.finding),
            ("ratio", limit, finding)
        );
        let sentence = found.sentences()[0].clone();
        let is_limit = sentence.contains("; the load was the limit, the server's own factor ");
        assert_eq!(is_limit, limit != LoadLimit::None, "{sentence}");
        report.baseline = Some(found);
        for (text, outcome) in [
            ("bareloop-http.change<0.95", below),
            ("bareloop-http.change>1.05", above),
        ] {
            let judged = gate(text).judge(&report);
            assert_eq!(judged.result, outcome, "{sentence}: {judged}");
        }
    }
}

#[test]
fn at_a_rate_that_was_kept_up_with_no_change_of_rates_is_known() {
    let kept_up = || answering(|_| 100);
    let behind = || answering(|_| 50);
    for (before, now, limit) in [
        (kept_up(), kept_up(), LoadLimit::Unknown),
        (behind(), kept_up(), LoadLimit::AtLeast),
        (kept_up(), behind(), LoadLimit::AtMost),
        (behind(), behind(), LoadLimit::None),
    ] {
        let (_, before) = report_of(&[("python-http", before)]);
        let (_, mut report) = report_of(&[("python-http", now)]);
        let found = change(&before, &report);
        let only = named(&found, "python-http");
        assert_eq!((only.compared, only.limit), ("rate", limit));
        let is_closed = limit == LoadLimit::None;
        assert_eq!(only.finding == Finding::Same, is_closed, "{only:?}");
        let is_unknown = limit == LoadLimit::Unknown;
        report.baseline = Some(found);
        let judged = gate("python-http.change<0.95").judge(&report);
        assert_eq!(
            judged.result == GateOutcome::Undecided,
            is_unknown,
            "{judged}"
        );
    }
}

/// Rounds of `bareloop-http` at these rates beside a `python-http` at 1000.
fn at_rates(rates: &[u64]) -> ComparisonReport {
    let plan = plan(&["python-http", "bareloop-http"], rates.len());
    let mut script = Script::default().rates("bareloop-http", rates);
    held(&plan, &mut script).1
}

#[test]
fn below_six_rounds_a_gate_on_a_change_is_held_against_the_range_of_the_rounds() {
    use GateOutcome::{Passed, Tripped, Undecided};
    let noisy = [4000, 3000, 5000];
    let slow = [2900, 2000];
    let once = [3000];
    for (before, now, bounds, outcome) in [
        (
            &noisy[..],
            &[3900, 2900, 4800][..],
            Bounds::Range,
            Undecided,
        ),
        (&noisy, &slow, Bounds::Range, Undecided),
        (&[4000, 4000, 4100], &slow, Bounds::Range, Tripped),
        (&slow, &noisy, Bounds::Range, Passed),
        (&noisy, &once, Bounds::Range, Undecided),
        (&[4000], &once, Bounds::Unknown, Tripped),
    ] {
        let mut report = at_rates(now);
        let found = change(&at_rates(before), &report);
        let ours = named(&found, "bareloop-http");
        assert_eq!((ours.bounds, ours.finding), (bounds, Finding::Undecided));
        let sentence = found.sentences()[0].clone();
        assert!(sentence.contains("too few rounds for an interval): no change shown"));
        report.baseline = Some(found);
        let judged = gate("bareloop-http.change<0.95").judge(&report);
        assert_eq!(judged.result, outcome, "{sentence}: {judged}");
    }
}

/// Six rounds of `node` beside `python-http`, in the last of which errors stand for answers.
fn with_node(last: Result<RunFigures, Stopped>) -> ComparisonReport {
    let plan = plan(&["python-http", "node"], 6);
    let mut runs: Vec<_> = (0..5).map(|_| Ok(measured(4000))).collect();
    runs.push(last);
    let mut script = Script::default().with("node", runs);
    held(&plan, &mut script).1
}

#[test]
fn the_speed_of_wrong_answers_is_not_compared() {
    let right = with_node(Ok(measured(4000)));
    let wrong = with_node(with_errors(9000, 20));
    for (before, now) in [(&right, &wrong), (&wrong, &right), (&wrong, &wrong)] {
        // An earlier version did not say who answered wrongly.
        let mut older = serde_json::to_value(before).unwrap();
        for contestant in older["contestants"].as_array_mut().unwrap() {
            contestant
                .as_object_mut()
                .unwrap()
                .remove("answeredWrongly");
        }
        let older = Baseline::from_json(&older.to_string()).unwrap();
        let older = older.change(now, Margin::new(0.02).unwrap()).unwrap();
        for found in [change(before, now), older] {
            assert_eq!(found.answered_wrongly, ["node"]);
            let names: Vec<_> = found.changes.iter().map(|it| &*it.name).collect();
            assert_eq!(names, ["python-http"]);
            let said = "node: answered wrongly before or now, not compared".to_owned();
            assert!(found.sentences().contains(&said), "{found:?}");
            let mut report = now.clone();
            report.baseline = Some(found);
            let judged = gate("node.change<0.95").judge(&report);
            assert_eq!(judged.result, GateOutcome::NoFigure);
        }
    }
    assert_eq!(change(&right, &right).changes.len(), 2);
}

#[test]
fn ratios_to_a_reference_with_another_request_are_not_compared() {
    let before = with_node(Ok(measured(4000)));
    let mut now = before.clone();
    let big = RequestUsed {
        path: "/big".to_owned(),
        ..now.settings.request.clone()
    };
    now.contestants[0].request = Some(big);
    let found = change(&before, &now);
    assert_eq!(found.comparable, BaselineComparable::Figures);
    assert_eq!(found.other_request, ["python-http"]);
    assert_eq!(named(&found, "node").compared, "rate");
    let sentences = found.sentences();
    let of_reference = sentences
        .iter()
        .find(|it| it.starts_with("other reference: "));
    let sentence = of_reference.unwrap();
    let (start, end) = ("request none before, {", "} now; ratios cannot be compared");
    assert!(
        sentence.contains(start) && sentence.contains("/big"),
        "{sentence}"
    );
    assert!(sentence.ends_with(end), "{sentence}");
}

/// Two rounds with this field, of which `node` has one of its own as well.
fn with_field(name: &str, value: &str) -> (ComparisonPlan, ComparisonReport) {
    let field = |value: String| vec![(name.to_owned(), value)];
    let mut settings = settings(2);
    settings.request.fields = field(value.to_owned());
    let mut own = OwnSettings::default();
    own.request.fields = Some(field(format!("{value} of node")));
    let mut contestants = plan(&["python-http"], 2).contestants().to_vec();
    contestants.push(Contestant::started("node", "node app.js {port}", own).unwrap());
    let plan = ComparisonPlan::new(contestants, &[], None, settings).unwrap();
    let report = held(&plan, &mut Script::default()).1;
    (plan, report)
}

#[test]
fn reports_show_no_credentials_and_requests_keep_them() {
    for name in ["Authorization", "proxy-authorization", "Cookie"] {
        let (plan, report) = with_field(name, "s3cret");
        assert_eq!(plan.settings().request.fields[0].1, "s3cret");
        let json = serde_json::to_string(&report).unwrap();
        assert!(!json.contains("s3cret"), "{json}");
        assert_eq!(
            json.matches(&format!("\"{name}: ...\"")).count(),
            2,
            "{json}"
        );
    }
    let (_, report) = with_field("X-Trace", "1");
    assert_eq!(report.settings.request.fields, ["X-Trace: 1"]);
}

#[test]
fn credentials_in_a_baseline_of_an_earlier_version_are_not_shown() {
    let (_, now) = with_field("Authorization", "new");
    let mut older = serde_json::to_value(&now).unwrap();
    older["settings"]["fields"][0] = "Authorization: Bearer s3cret".into();
    older["contestants"][1]["request"]["fields"][0] = "Authorization: Bearer s3cret".into();
    let margin = Margin::new(0.02).unwrap();
    let found = |json: &serde_json::Value, now| {
        let baseline = Baseline::from_json(&json.to_string()).unwrap();
        baseline.change(now, margin).unwrap()
    };
    let renewed = found(&older, &now);
    assert_eq!((&*renewed.differences, renewed.changes.len()), (&[][..], 2));
    assert_eq!(renewed.other_request, [""; 0]);

    older["contestants"][0]["request"] = older["contestants"][1]["request"].clone();
    let sentences = found(&older, &with_field("X-Trace", "1").1).sentences();
    let text = sentences.join("\n");
    assert!(!text.contains("s3cret"), "{text}");
    assert_eq!(text.matches("Authorization: ...").count(), 2, "{text}");
}
