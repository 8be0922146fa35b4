//! The page of a run: a [`Page`] filled from its report.
//!
//! Figures are read from the report's JSON, so that each has its place there. The JSON in the page
//! is that of the report, with what only the page says beside it: `summary`, `machine`, `command`.

mod course;
mod facts;
mod percentiles;
mod search;

pub use course::{pauses, round_over_time};
pub use facts::of_machine;
pub use percentiles::curve_shares;

use serde::Serialize;
use serde_json::Error;

use super::LoadReport;
use super::report::Latency;
use crate::format::{milliseconds, plural, rate};
use crate::page::{
    At, FactValue, Figure, Page, Percentiles, Quantity, SelfTest, SelfTestResult, Text, Timeline,
    Warning,
};

/// A single run has the second colour: the first is that of text.
const COLOUR: usize = 1;

/// The page of `report`, measured on `machine` by `command`.
///
/// # Errors
/// A value that JSON cannot hold.
pub fn of_run(report: &LoadReport, machine: &impl Serialize, command: &str) -> Result<Page, Error> {
    let mut json = serde_json::to_value(report)?;
    json["summary"] = summary(report).into();
    json["machine"] = serde_json::to_value(machine)?;
    json["command"] = command.into();
    let root = At::root(&json);
    let self_tests = self_tests(&root.key("checks"));
    let found = report.find_rate.as_ref();
    let search = found.map(|found| search::of(found, &root));
    let timeline = Timeline {
        name: None,
        contestant: COLOUR,
        rounds: vec![round_over_time(
            &report.timeline,
            course::pauses(&root, report.latency.p50),
        )],
    };
    Ok(Page {
        title: title(report),
        subtitle: subtitle(report).into(),
        verdict: words(&root.key("summary")),
        quantities: quantities(&report.latency, &root),
        warnings: warnings(&self_tests),
        percentiles: percentiles(report, &root),
        timelines: vec![timeline],
        searches: search.into_iter().collect(),
        self_tests,
        facts: facts::of_run(&root),
        command: root.key("command").text(),
        report: json.clone(),
        ..Page::default()
    })
}

fn title(report: &LoadReport) -> String {
    let url = &report.url;
    let default = || match &report.find_rate {
        Some(found) => format!("Highest rate of {url} within {}", found.objective),
        None => format!("Load on {url}"),
    };
    report.title.clone().unwrap_or_else(default)
}

/// The run, or the search, in one sentence.
fn summary(report: &LoadReport) -> String {
    if let Some(found) = &report.find_rate {
        let failure = || {
            format!(
                "No rate was found: {}.",
                found.failure().unwrap_or_default()
            )
        };
        return found.rate_line().unwrap_or_else(failure);
    }
    let latency = &report.latency;
    let valid = if report.verdict.valid {
        "VALID"
    } else {
        "SUSPECT"
    };
    if report.accounting.completed == 0 {
        return format!("{valid}: no reply was completed.");
    }
    let due = report
        .open_loop
        .as_ref()
        .map_or(String::new(), |open_loop| {
            let mean = f64::midpoint(open_loop.rate.from, open_loop.rate.to);
            format!(" of {} due", rate(mean))
        });
    let of = |percent: f64, percentile: Option<f64>| {
        let bound = if latency.is_bounded(percent) {
            "≥ "
        } else {
            ""
        };
        percentile.map_or(String::new(), |ms| {
            format!(", p{percent} {bound}{}", milliseconds(ms))
        })
    };
    let warnings = match report.verdict.reasons.len() {
        0 => String::new(),
        number => format!("; {} to doubt it", plural(number as u64, "reason")),
    };
    format!(
        "{valid}: {} requests per second{due}{}{}{warnings}.",
        rate(report.requests.mean),
        of(50.0, latency.p50),
        of(99.0, latency.p99),
    )
}

fn subtitle(report: &LoadReport) -> String {
    let law = match &report.open_loop {
        None => "closed loop".to_owned(),
        Some(open_loop) => format!("open loop, {} arrivals", open_loop.arrivals),
    };
    let interruption = match report.interrupted {
        true => ", interrupted",
        false => "",
    };
    let of_search = match report.find_rate {
        Some(_) => "; charts and tests are of the last trial at that rate",
        None => "",
    };
    format!(
        "{}, {law}, {}, {} in flight on each{interruption}{of_search}",
        report.start,
        plural(report.connections as u64, "connection"),
        plural(report.pipelining as u64, "request"),
    )
}

/// The words that stand here, or none.
fn words(at: &At) -> Text {
    at.text().unwrap_or_default()
}

/// The self-tests that failed.
fn warnings(self_tests: &[SelfTest]) -> Vec<Warning> {
    let failed = |test: &&SelfTest| test.result == SelfTestResult::Failed;
    let warning = |test: &SelfTest| Warning {
        about: None,
        reason: test.detail.clone(),
        advice: test.advice.clone(),
    };
    self_tests.iter().filter(failed).map(warning).collect()
}

/// The checks of a run, or of a contestant.
pub fn self_tests(checks: &At) -> Vec<SelfTest> {
    let self_test = |check: At| {
        let result = match check.key("result").text()?.words() {
            "passed" => SelfTestResult::Passed,
            "failed" => SelfTestResult::Failed,
            _ => SelfTestResult::NotApplicable,
        };
        Some(SelfTest {
            name: check.key("name").text()?,
            result,
            detail: words(&check.key("detail")),
            advice: check.key("advice").text(),
        })
    };
    checks.elements().filter_map(self_test).collect()
}

fn quantities(bounds: &Latency, root: &At) -> Vec<Quantity> {
    let latency = root.key("latency");
    let figure = |label: &str, at: At, value: fn(Figure) -> FactValue| {
        Some(Quantity {
            label: label.to_owned(),
            value: value(at.figure()?),
            is_lower_bound: false,
            note: None,
        })
    };
    let latency_of = |label: &str, key: &str, percent: f64| {
        let is_lower_bound = bounds.is_bounded(percent);
        Some(Quantity {
            is_lower_bound,
            note: is_lower_bound.then(|| "a lower bound: requests had no reply".into()),
            ..figure(label, latency.key(key), FactValue::Milliseconds)?
        })
    };
    [
        figure(
            "requests per second",
            root.key("requests").key("mean"),
            FactValue::PerSecond,
        ),
        latency_of("median latency", "p50", 50.0),
        latency_of("99th percentile", "p99", 99.0),
        latency_of("longest latency", bounds.longest_key(), 100.0),
        figure("errors", root.key("errors"), FactValue::Count),
        figure(
            "client's share of a core",
            root.key("client").key("cpuShare"),
            FactValue::Share,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn percentiles(report: &LoadReport, root: &At) -> Option<Percentiles> {
    let curve = percentiles::curve(&report.timeline, "this run", COLOUR);
    let curves = Some(curve).filter(|curve| !curve.points.is_empty());
    Some(Percentiles {
        curves: vec![curves?],
        band: "95 % interval".to_owned(),
        columns: percentiles::columns(),
        rows: vec![percentiles::row(root, &report.latency, COLOUR)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_loop::Time;
    use crate::load::report::{Accounting, Timeline};
    use crate::load::statistics::interval_log::{Interval, IntervalLog};

    /// Ten seconds of a server that hangs for good at half of them, in an open loop.
    fn hung() -> Vec<Interval> {
        let mut log = IntervalLog::starting(Time::START);
        for ms in 0..5_000u64 {
            log.record(Time::from_ns(ms * 1_000_000), 210_000, 1);
        }
        for ms in 5_000..10_000u64 {
            let age_ns = (10_000 - ms) * 1_000_000;
            log.record_censored(Time::from_ns(10_000_000_000), age_ns, 1);
        }
        log.finish(Time::from_ns(10_000_000_000));
        log.into_intervals()
    }

    fn page_of(intervals: Vec<Interval>) -> String {
        let report = LoadReport {
            latency: Latency::of(&intervals),
            accounting: Accounting {
                completed: 5_000,
                ..Accounting::default()
            },
            timeline: Timeline {
                intervals,
                ..Timeline::default()
            },
            ..LoadReport::default()
        };
        let page = of_run(&report, &(), "bareloop load").expect("a page");
        page.to_html()
    }

    #[test]
    fn a_latency_that_is_only_bounded_is_shown_as_a_bound() {
        let page = page_of(hung());
        assert!(page.contains("p99 ≥ 4,9"), "the summary");
        for key in ["latency.p99", "latency.maxAgeMs"] {
            let bound = format!("≥ <span data-path=\"{key}\">");
            // Once among the quantities, once in the table.
            assert_eq!(page.matches(&bound).count(), 2, "{key}");
        }
        assert!(!page.contains("data-path=\"latency.max\""));
    }

    #[test]
    fn a_latency_that_is_known_is_shown_without_a_bound() {
        let mut intervals = hung();
        let none = intervals[0].lost.clone();
        intervals
            .iter_mut()
            .for_each(|interval| interval.censored = none.clone());
        let page = page_of(intervals);
        assert!(page.contains("data-path=\"latency.max\""));
        assert!(!page.contains("≥ "));
    }
}
