//! What a comparison means, in sentences: which server is faster, by how much, at what cost, and
//! how sure that is.

use super::report::{
    Bound, ComparisonReport, ContestantResult, ContestantStatus, RatioToReference,
};
use super::statistics::{Finding, INTERVAL_ROUNDS_MIN};
use crate::format::three_digits;

/// From this factor on, a ratio is written as a factor, below as a percentage.
const FACTOR_MIN: f64 = 1.5;

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
        .filter_map(|result| sentence(result, reference))
        .collect()
}

fn sentence(result: &ContestantResult, reference: &ContestantResult) -> Option<String> {
    let ratio = result.ratio?;
    let rounds = result.requests_per_second.as_ref()?.rounds.len();
    let (name, other) = (&result.name, &reference.name);
    let speed = match ratio.bound {
        Bound::None => measured(&ratio, rounds, name, other),
        Bound::AtLeast => {
            let bound = ratio.low.unwrap_or(ratio.mean);
            let word = if bound >= 1.0 { "at least" } else { "at most" };
            format!(
                "{name} is {word} {} than {other} (the client was at its limit)",
                pace(bound)
            )
        }
        Bound::AtMost => {
            let bound = ratio.high.unwrap_or(ratio.mean);
            let word = if bound <= 1.0 { "at least" } else { "at most" };
            format!(
                "{name} is {word} {} than {other} (the client was at its limit with {other})",
                pace(bound)
            )
        }
        Bound::Unknown => format!(
            "{name} was {} than {other} under this client, which was at its limit with both; the \
             servers' own limits are not known",
            pace(ratio.mean)
        ),
    };
    Some(format!("{speed}.{}", cost(result, reference)))
}

/// The speed of a contestant where the client was not the limit.
fn measured(ratio: &RatioToReference, rounds: usize, name: &str, other: &str) -> String {
    let pace = pace(ratio.mean);
    let Some((low, high)) = ratio.low.zip(ratio.high) else {
        return format!(
            "{name} was {pace} than {other} in one round; more rounds show how sure \
                        that is"
        );
    };
    let range = pace_range(low, high);
    match ratio.finding {
        Finding::Different => {
            format!("{name} is {pace} than {other} ({rounds} rounds; {range} with 95 % confidence)")
        }
        Finding::Undecided => format!(
            "{name} and {other}: no difference shown ({rounds} rounds; {range} with 95 % \
             confidence)"
        ),
        Finding::TooFewRounds if low > 1.0 || high < 1.0 => format!(
            "{name} was {pace} than {other} in each of {rounds} rounds ({range}); \
             {INTERVAL_ROUNDS_MIN} rounds or more show how sure that is"
        ),
        Finding::TooFewRounds => format!(
            "{name} and {other}: {rounds} rounds are too few for an answer ({range}); run \
             {INTERVAL_ROUNDS_MIN} or more"
        ),
    }
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
            (100.0, 100.1, "100 times faster"),
        ] {
            assert_eq!(pace_range(low, high), text);
        }
    }
}
