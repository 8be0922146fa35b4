//! The page of a comparison: a [`Page`] filled from its report and its runs.
//!
//! Figures are read from the report's JSON, so that each has its place there. The JSON in the page
//! is that of the report, with what only the page says beside it: `summary` and `command`.

mod charts;
mod checks;
mod facts;
mod summary;

use serde::Serialize;
use serde_json::{Error, Value};

use super::report::ContestantResult;
use super::{ComparisonOutcome, ComparisonReport, table};
use crate::load::page::self_tests;
use crate::page::{At, Cost, Estimate, Page, Round, Text, Warning};
use checks::Check;

/// Texts of the page alone, kept here so that they have a place in the JSON.
#[derive(Serialize)]
struct Summary {
    verdict: String,
    findings: Vec<String>,
    /// Warnings that concern all contestants.
    warnings: Vec<String>,
    /// The answer about each contestant, in a few words.
    answers: Vec<String>,
    checks: Vec<Check>,
}

/// The page of `report`, which was made of `outcome` and measured by `command`.
///
/// # Errors
/// A value that JSON cannot hold.
pub fn of_comparison(
    report: &ComparisonReport,
    outcome: &ComparisonOutcome,
    command: &str,
) -> Result<Page, Error> {
    let (verdict, findings) = summary::of(report);
    let mut json = serde_json::to_value(report)?;
    json["summary"] = serde_json::to_value(Summary {
        verdict,
        findings,
        warnings: general_warnings(report),
        answers: report.contestants.iter().map(summary::answer).collect(),
        checks: checks::of(report),
    })?;
    json["command"] = command.into();
    Ok(page(report, outcome, json))
}

fn page(report: &ComparisonReport, outcome: &ComparisonOutcome, json: Value) -> Page {
    let root = At::root(&json);
    let summary = root.key("summary");
    let contestants: Vec<At> = root.key("contestants").elements().collect();
    let names: Vec<&str> = report.contestants.iter().map(|c| &*c.name).collect();
    Page {
        title: format!("Comparison of {}", names.join(", ")),
        subtitle: subtitle(report).into(),
        verdict: words(&summary.key("verdict")),
        findings: texts(&summary.key("findings")),
        warnings: warnings(&summary, &contestants),
        forest: charts::forest(report, &root),
        percentiles: charts::percentiles(report, outcome, &contestants),
        timelines: charts::timelines(outcome, &contestants),
        sweeps: charts::sweeps(report, &root),
        searches: charts::searches(&contestants),
        costs: costs(&contestants),
        self_tests: self_tests(&summary.key("checks")),
        rounds: rounds(&contestants),
        facts: facts::of(&root, &contestants),
        command: root.key("command").text(),
        report: json.clone(),
        ..Page::default()
    }
}

fn subtitle(report: &ComparisonReport) -> String {
    let settings = &report.settings;
    format!(
        "bareloop compare: {}, {} of {} rounds of {} s",
        table::load(settings),
        report.rounds_done,
        settings.rounds,
        settings.duration_seconds
    )
}

/// The words that stand here, or none.
fn words(at: &At) -> Text {
    at.text().unwrap_or_default()
}

fn texts(list: &At) -> Vec<Text> {
    list.elements().filter_map(|at| at.text()).collect()
}

/// Reasons of the comparison as a whole: its early end, what of the machine bounds or moves its
/// speed, and a load generator that was the limit of a sweep.
fn general_warnings(report: &ComparisonReport) -> Vec<String> {
    // The first line names the machine.
    let machine = table::machine(report).into_iter().skip(1);
    let sweeps = report.sweeps.iter().filter_map(|sweep| {
        let line = sweep.client_limit_line()?;
        Some(format!("sweep of {}: {line}", sweep.name))
    });
    table::interruption(report)
        .into_iter()
        .chain(machine)
        .chain(sweeps)
        .collect()
}

fn warnings(summary: &At, contestants: &[At]) -> Vec<Warning> {
    let warning = |about: Option<Text>, reason: Text| Warning {
        about,
        reason,
        advice: None,
    };
    let general = texts(&summary.key("warnings")).into_iter();
    let of_contestant = |at: &At| {
        let name = at.key("name").text();
        let failure = at.key("reason").text().into_iter();
        let reasons = failure.chain(texts(&at.key("warnings")));
        reasons
            .map(|reason| warning(name.clone(), reason))
            .collect::<Vec<_>>()
    };
    general
        .map(|reason| warning(None, reason))
        .chain(contestants.iter().flat_map(of_contestant))
        .collect()
}

fn costs(contestants: &[At]) -> Vec<Cost> {
    let cost = |(contestant, at): (usize, &At)| {
        let (server, client) = (at.key("cost").key("server"), at.key("cost").key("client"));
        let cpu = server.key("cpuMicrosPerRequest");
        Some(Cost {
            name: at.key("name").text()?,
            contestant,
            cpu_micros: Some(Estimate {
                value: cpu.key("median").figure()?,
                low: cpu.key("min").figure(),
                high: cpu.key("max").figure(),
            }),
            user_micros: server.key("userMicrosPerRequest").key("median").figure(),
            system_micros: server.key("systemMicrosPerRequest").key("median").figure(),
            round_micros: cpu.key("rounds").figures(),
            client_micros: client.key("cpuMicrosPerRequest").key("median").figure(),
            peak_memory_bytes: server.key("peakMemoryBytes").figure(),
        })
    };
    contestants.iter().enumerate().filter_map(cost).collect()
}

/// Every run, round by round.
fn rounds(contestants: &[At]) -> Vec<Round> {
    let of_contestant = |(contestant, at): (usize, &At)| {
        let name = words(&at.key("name"));
        let round = |run: At| Round {
            round: run
                .key("round")
                .figure()
                .map_or(0, |round| round.value() as usize),
            name: name.clone(),
            contestant,
            requests_per_second: run.key("requestsPerSecond").figure(),
            p50_ms: run.key("p50Ms").figure(),
            p99_ms: run.key("p99Ms").figure(),
            max_ms: run.key("maxMs").figure(),
            cpu_micros: run.key("cpuMicrosPerRequest").figure(),
            peak_memory_bytes: run.key("peakMemoryBytes").figure(),
            errors: run.key("errors").figure(),
            limited_by: limits(&run.key("limits")),
        };
        at.key("runs").elements().map(round).collect::<Vec<_>>()
    };
    let mut rounds: Vec<Round> = contestants
        .iter()
        .enumerate()
        .flat_map(of_contestant)
        .collect();
    rounds.sort_by_key(|round| round.round);
    rounds
}

fn limits(list: &At) -> Option<Text> {
    let limits = texts(list);
    let words: Vec<&str> = limits.iter().map(Text::words).collect();
    (!words.is_empty()).then(|| words.join(", ").into())
}

/// True for the contestant that the ratios refer to.
fn is_reference(report: &ComparisonReport, result: &ContestantResult) -> bool {
    report.reference.as_ref() == Some(&result.name)
}
