//! The meaning of a comparison, in sentences: which server is faster, by how much, at what cost,
//! and how sure that is.

use super::Limit;
use super::report::{
    Bounds, ComparisonReport, ContestantResult, ContestantStatus, Finding, LoadLimit,
    RatioToReference,
};
use super::statistics::INTERVAL_ROUNDS_MIN;
use crate::format::{plural, rate, three_digits};

/// From this factor on, a ratio is written as a factor, below as a percentage.
const FACTOR_MIN: f64 = 2.0;

/// One sentence for each contestant but the reference, in the report's order.
pub fn sentences(report: &ComparisonReport) -> Vec<String> {
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
        .filter(|result| result.status == ContestantStatus::Ran && result.name != reference.name)
        .filter_map(|result| sentence(report, result, reference))
        .collect()
}

/// Findings about a contestant and the reference.
pub(super) fn sentence(
    report: &ComparisonReport,
    result: &ContestantResult,
    reference: &ContestantResult,
) -> Option<String> {
    let ratio = result.ratio.as_ref()?;
    let (name, other) = (&result.name, &reference.name);
    let speed = match ratio.limit {
        LoadLimit::None => answered(ratio, name, other),
        LoadLimit::AtLeast => bounded(ratio, result, reference, result),
        LoadLimit::AtMost => bounded(ratio, result, reference, reference),
        LoadLimit::Rate => both_kept_up(report, result, reference),
        LoadLimit::Unknown => format!(
            "{name} was {} than {other} under this client, which was at its limit with both; the \
             servers' own limits are not known",
            pace(ratio.mean)
        ),
    };
    let latency = match report.settings.rate {
        Some(_) => p99(result, reference),
        None => String::new(),
    };
    Some(format!("{speed}.{latency}{}", cost(result, reference)))
}

/// No speed: the rate was given, and neither server was at its limit.
fn both_kept_up(
    report: &ComparisonReport,
    result: &ContestantResult,
    reference: &ContestantResult,
) -> String {
    let both = [result, reference];
    let given = rate(report.settings.rate.unwrap_or_default());
    let kept_up = format!(
        "{} and {} kept up with the given rate of {given} requests/s",
        result.name, reference.name
    );
    let [ours, theirs] = both.map(rounds_kept_up);
    let all = both.map(|of| of.runs.len());
    let rounds = match [ours, theirs] == all {
        true => String::new(),
        false => format!(" in {ours} of {} and {theirs} of {} rounds", all[0], all[1]),
    };
    format!("{kept_up}{rounds}; only latency and CPU time can differ")
}

fn rounds_kept_up(result: &ContestantResult) -> usize {
    let runs = result.runs.iter();
    runs.filter(|run| run.limits.contains(&Limit::Rate)).count()
}

/// The speed of a contestant where the load was the limit with `limited`, one of the two.
fn bounded(
    ratio: &RatioToReference,
    result: &ContestantResult,
    reference: &ContestantResult,
    limited: &ContestantResult,
) -> String {
    let (name, other) = (&result.name, &reference.name);
    let (word, pace) = bound(ratio);
    let limit = match (rounds_kept_up(limited), ratio.limit) {
        (1.., _) => format!("{} kept up with the given rate", limited.name),
        (0, LoadLimit::AtMost) => format!("the client was at its limit with {other}"),
        (0, _) => "the client was at its limit".to_owned(),
    };
    match ratio.bounds {
        Bounds::Interval => format!("{name} is {word} {pace} than {other} ({limit})"),
        Bounds::Range | Bounds::Unknown => {
            let rounds = plural(ratio.rounds.len() as u64, "round");
            format!(
                "{name} was {word} {pace} than {other} in {rounds} ({limit}), which is too few to \
                 decide; run {INTERVAL_ROUNDS_MIN} or more"
            )
        }
    }
}

/// The speed of a contestant where the load was not the limit.
fn answered(ratio: &RatioToReference, name: &str, other: &str) -> String {
    let (pace, evidence) = (pace(ratio.mean), evidence(ratio));
    let margin = margin(ratio.margin);
    match (ratio.finding, ratio.bounds) {
        (Finding::Different, _) if ratio.within_margin => {
            format!("{name} is {pace} than {other}, which is within {margin} ({evidence})")
        }
        (Finding::Different, _) => format!("{name} is {pace} than {other} ({evidence})"),
        // The interval that belongs to this answer is not the one that is shown elsewhere.
        (Finding::Same, _) => format!(
            "{name} and {other} are the same within {margin} ({}; measured {pace})",
            plural(ratio.rounds.len() as u64, "round")
        ),
        (Finding::Undecided, Bounds::Unknown) => format!(
            "{name} was {pace} than {other} in one round, which is too few to decide; run \
             {INTERVAL_ROUNDS_MIN} or more"
        ),
        (Finding::Undecided, _) => {
            let needed = ratio.rounds_needed.map_or_else(String::new, |rounds| {
                let rounds = plural(rounds as u64, "more round");
                format!(": about {rounds} would decide")
            });
            format!("{name} and {other}: undecided{needed} (measured {pace}; {evidence})")
        }
    }
}

/// The rounds and their bounds, named by the number of rounds.
fn evidence(ratio: &RatioToReference) -> String {
    let rounds = plural(ratio.rounds.len() as u64, "round");
    match (ratio.low.zip(ratio.high), ratio.bounds) {
        (Some((low, high)), Bounds::Interval) => {
            format!("{rounds}; {} with 95 % confidence", pace_range(low, high))
        }
        (Some((low, high)), _) => format!("{rounds}; range {}", pace_range(low, high)),
        (None, _) => rounds,
    }
}

/// The answer in a few words.
pub(super) fn answer(ratio: &RatioToReference) -> String {
    match ratio.finding {
        _ if ratio.limit == LoadLimit::Rate => "kept up".to_owned(),
        Finding::Different if ratio.within_margin => {
            format!("different, by < {}", margin(ratio.margin))
        }
        Finding::Different => "different".to_owned(),
        Finding::Same => format!("same within {}", margin(ratio.margin)),
        Finding::Undecided => "undecided".to_owned(),
    }
}

/// Words for a ratio whose load was the limit: `at least`, and the pace.
pub(super) fn bound(ratio: &RatioToReference) -> (&'static str, String) {
    let is_lower = ratio.limit == LoadLimit::AtLeast;
    let end = if is_lower { ratio.low } else { ratio.high };
    let bound = end.unwrap_or(ratio.mean);
    // 'At least 5 % slower' bounds the ratio from above.
    let word = match is_lower == (bound >= 1.0) {
        true => "at least",
        false => "at most",
    };
    (word, pace(bound))
}

/// A margin in words: `2 %`.
pub(super) fn margin(share: f64) -> String {
    // Without the digits that a share of 0.1 % cannot have.
    format!("{} %", (share * 1e5).round() / 1e3)
}

/// A ratio of speeds in words: `150 times faster`, `2.5 % slower`.
pub(super) fn pace(ratio: f64) -> String {
    let (word, factor) = direction(ratio);
    match factor {
        FACTOR_MIN.. => format!("{} times {word}", three_digits(factor)),
        _ => format!("{} {word}", per_cent(ratio)),
    }
}

/// A range of ratios in words: `120 to 150 times faster`, `2.5 % slower to 1.0 % faster`.
pub(super) fn pace_range(low: f64, high: f64) -> String {
    let ((low_word, low_factor), (high_word, high_factor)) = (direction(low), direction(high));
    // Ascending, whichever way it goes.
    let (near, far) = match low_factor <= high_factor {
        true => (low, high),
        false => (high, low),
    };
    let (near_factor, far_factor) = (direction(near).1, direction(far).1);
    match low_word == high_word {
        true if pace(near) == pace(far) => pace(near),
        true if near_factor >= FACTOR_MIN => format!(
            "{} to {} times {low_word}",
            three_digits(near_factor),
            three_digits(far_factor)
        ),
        true if far_factor < FACTOR_MIN => {
            format!("{} to {} {low_word}", per_cent(near), per_cent(far))
        }
        true => format!("{} to {}", pace(near), pace(far)),
        false => format!("{} to {}", pace(low), pace(high)),
    }
}

/// Faster or slower, and by which factor; at least 1.
fn direction(ratio: f64) -> (&'static str, f64) {
    match ratio < 1.0 {
        true => ("slower", 1.0 / ratio),
        false => ("faster", ratio),
    }
}

/// The distance of a ratio from 1.
fn per_cent(ratio: f64) -> String {
    format!("{:.1} %", (ratio - 1.0).abs() * 100.0)
}

fn p99(result: &ContestantResult, reference: &ContestantResult) -> String {
    let [ours, theirs] = [result, reference].map(|of| of.percentiles()[1].clone());
    format!(" p99: {ours} against {theirs}.")
}

fn cost(result: &ContestantResult, reference: &ContestantResult) -> String {
    let micros = |of: &ContestantResult| {
        of.cpu_micros_per_request
            .as_ref()
            .map(|figure| three_digits(figure.median))
    };
    match (micros(result), micros(reference)) {
        (Some(ours), Some(theirs)) => {
            format!(" Server CPU per request: {ours} µs against {theirs} µs.")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_below_one_reads_as_slower() {
        for (ratio, text) in [
            (150.0, "150 times faster"),
            (0.31, "3.23 times slower"),
            (1.025, "2.5 % faster"),
            (1.79, "79.0 % faster"),
            (2.0, "2.00 times faster"),
            (0.501, "49.9 % slower"),
            (0.975, "2.5 % slower"),
        ] {
            assert_eq!(pace(ratio), text);
        }
    }

    #[test]
    fn a_range_ascends_and_says_its_direction_once() {
        for (low, high, text) in [
            (105.0, 215.0, "105 to 215 times faster"),
            (0.25, 0.5, "2.00 to 4.00 times slower"),
            (1.01, 1.04, "1.0 % to 4.0 % faster"),
            (0.96, 0.99, "1.0 % to 4.0 % slower"),
            (0.98, 1.05, "2.0 % slower to 5.0 % faster"),
            (0.5, 4.0, "2.00 times slower to 4.00 times faster"),
            (1.2, 4.0, "20.0 % faster to 4.00 times faster"),
            (0.25, 0.8, "20.0 % slower to 4.00 times slower"),
            (1.2, 1.9, "20.0 % to 90.0 % faster"),
            (100.0, 100.1, "100 times faster"),
        ] {
            assert_eq!(pace_range(low, high), text);
        }
    }
}
