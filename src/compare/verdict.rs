//! What a comparison means, in sentences: who is faster, by how much, at what cost, how sure.

use super::report::{ContestantResult, Report, Status};
use super::statistics::{Finding, Ratio};
use crate::format::three_digits;

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
        .filter(|result| result.status == Status::Ran && result.name != reference.name)
        .filter_map(|result| sentence(result, reference))
        .collect()
}

fn sentence(result: &ContestantResult, reference: &ContestantResult) -> Option<String> {
    let ratio = Ratio::from(result.ratio?);
    let rounds = result.requests_per_second.as_ref()?.rounds.len();
    let speed = match ratio.finding() {
        Finding::Undetectable => format!(
            "no difference in requests/s detectable between {} and {}",
            result.name, reference.name
        ),
        Finding::More | Finding::Less | Finding::Unknown => format!(
            "{} makes {} times the requests/s of {}",
            result.name,
            three_digits(ratio.median),
            reference.name
        ),
    };
    Some(format!(
        "{speed} {}{}.",
        certainty(&ratio, rounds),
        cost(result, reference)
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

fn cost(result: &ContestantResult, reference: &ContestantResult) -> String {
    let micros = |of: &ContestantResult| {
        of.cpu_micros_per_request
            .as_ref()
            .map(|figure| figure.median)
    };
    match (micros(result), micros(reference)) {
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
