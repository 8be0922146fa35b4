//! What a comparison means, in sentences: who is faster, by how much, at what cost, how sure.

use std::collections::BTreeMap;

use super::Run;
use super::figures::{percent, three_digits};
use super::report::{ContestantResult, Report, Status};
use super::statistics::{Finding, Ratio};

/// From this share of a core on, a process counts as busy all the time.
const BUSY: f64 = 0.9;

/// Why a contestant's figures should be doubted: what the load generator found, and what only
/// shows with the server's cost beside it. Reasons that differ in their numbers only are one.
pub fn doubts<'a>(runs: impl Iterator<Item = &'a Run>) -> Vec<String> {
    let mut found: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut order = Vec::new();
    let mut count = 0;
    for run in runs {
        count += 1;
        for doubt in bottleneck(run)
            .into_iter()
            .chain(run.doubts.iter().cloned())
        {
            let key: String = doubt.chars().filter(|&c| !is_of_a_number(c)).collect();
            let (times, _) = found.entry(key.clone()).or_insert_with(|| {
                order.push(key);
                (0, doubt)
            });
            *times += 1;
        }
    }
    order
        .iter()
        .filter_map(|key| found.get(key))
        .map(|(times, doubt)| match (times, count) {
            (1, 1) => doubt.clone(),
            (1, count) => format!("in 1 of {count} rounds: {doubt}"),
            (times, count) => format!("in {times} of {count} rounds, such as: {doubt}"),
        })
        .collect()
}

fn is_of_a_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, ',' | '.')
}

/// Says so if the load generator had no time left while the server had.
fn bottleneck(run: &Run) -> Option<String> {
    let (client, server) = (run.client_cpu_share, run.server_cpu_share()?);
    (client >= BUSY && server < BUSY).then(|| {
        format!(
            "the client is the bottleneck: it used {} of a core, the server {}; \
             the server could do more",
            percent(client),
            percent(server)
        )
    })
}

/// One sentence for each contestant but the reference, in the report's order.
pub fn sentences(report: &Report) -> Vec<String> {
    let reference = report.reference.as_deref();
    let Some(reference) = report
        .contestants
        .iter()
        .find(|c| Some(&*c.name) == reference)
    else {
        return Vec::new();
    };
    report
        .contestants
        .iter()
        .filter(|standing| standing.status == Status::Ran && standing.name != reference.name)
        .filter_map(|standing| sentence(standing, reference))
        .collect()
}

fn sentence(standing: &ContestantResult, reference: &ContestantResult) -> Option<String> {
    let ratio = Ratio::from(standing.ratio?);
    let rounds = standing.requests_per_second.as_ref()?.rounds.len();
    let speed = match ratio.finding() {
        Finding::Undetectable => format!(
            "no difference in requests/s detectable between {} and {}",
            standing.name, reference.name
        ),
        Finding::More | Finding::Less | Finding::Unknown => format!(
            "{} makes {} times the requests/s of {}",
            standing.name,
            three_digits(ratio.median),
            reference.name
        ),
    };
    Some(format!(
        "{speed} {}{}.",
        certainty(&ratio, rounds),
        cost(standing, reference)
    ))
}

fn certainty(ratio: &Ratio, rounds: usize) -> String {
    match ratio.interval {
        None => "(one round: how sure that is, only more rounds can say)".to_owned(),
        Some(interval) => format!(
            "({rounds} rounds, ratio {} to {} with 95 % confidence)",
            three_digits(interval.low),
            three_digits(interval.high)
        ),
    }
}

fn cost(standing: &ContestantResult, reference: &ContestantResult) -> String {
    let micros = |of: &ContestantResult| {
        of.cpu_micros_per_request
            .as_ref()
            .map(|figure| figure.median)
    };
    match (micros(standing), micros(reference)) {
        (Some(ours), Some(theirs)) if ours > 0.0 && theirs > 0.0 => format!(
            ", at {} its server CPU per request ({} µs against {} µs)",
            share(ours / theirs),
            three_digits(ours),
            three_digits(theirs)
        ),
        _ => String::new(),
    }
}

/// `1.2 % of` or `1.43 times`, whichever reads better.
fn share(ratio: f64) -> String {
    match ratio {
        small if small < 0.9 => format!("{} % of", three_digits(small * 100.0)),
        large => format!("{} times", three_digits(large)),
    }
}
