//! The comparison in one sentence, and a sentence for each of the others.

use super::is_reference;
use crate::compare::report::{
    ComparisonReport, ContestantResult, ContestantStatus, Finding, LoadLimit, RatioToReference,
};
use crate::compare::verdict;

/// The verdict, and the findings behind it.
pub(super) fn of(report: &ComparisonReport) -> (String, Vec<String>) {
    let sentences = verdict::sentences(report);
    let (verdict, findings) = match sentences.as_slice() {
        [] => (nothing_to_compare(report), Vec::new()),
        [only] => (only.clone(), Vec::new()),
        _ => of_several(report, sentences),
    };
    (format!("{}{verdict}", how_far(report)), findings)
}

fn how_far(report: &ComparisonReport) -> String {
    let rounds = format!(
        "{} of {} rounds",
        report.rounds_done, report.settings.rounds
    );
    match (report.finished, report.interrupted) {
        (true, _) => String::new(),
        (false, true) => format!("Interrupted after {rounds}: "),
        (false, false) => format!("Under way, {rounds}: "),
    }
}

fn nothing_to_compare(report: &ComparisonReport) -> String {
    match &report.reference {
        Some(name) => format!("{name} ran, and there is no other server to compare it with."),
        None => "No server ran, so there is nothing to compare.".to_owned(),
    }
}

/// The one with the highest rate of several, and the sentences about the others.
fn of_several(report: &ComparisonReport, mut others: Vec<String>) -> (String, Vec<String>) {
    let reference = report.reference.as_deref().unwrap_or_default();
    let ran = report.contestants.iter();
    let judged: Vec<(&ContestantResult, &RatioToReference)> = ran
        .filter(|result| result.status == ContestantStatus::Ran)
        .filter_map(|result| Some((result, result.ratio.as_ref()?)))
        .collect();
    let is_different = |ratio: &RatioToReference| ratio.finding == Finding::Different;
    let fastest = judged
        .iter()
        .filter(|(_, ratio)| is_different(ratio) && ratio.mean > 1.0)
        .max_by(|a, b| a.1.mean.total_cmp(&b.1.mean));
    let rates_only = judged
        .iter()
        .all(|(_, ratio)| ratio.limit == LoadLimit::Rate);
    let verdict = match fastest {
        _ if rates_only => format!(
            "All {} kept up with the given rate; only latency and CPU time can differ.",
            judged.len() + 1
        ),
        Some((result, _)) => {
            let sentence = sentence_about(report, result).unwrap_or_default();
            others.retain(|other| *other != sentence);
            let number = judged.len() + 1;
            match is_highest(result, &judged) {
                true => format!("Highest rate of {number}: {sentence}"),
                false => format!(
                    "Highest measured rate of {number}, not shown to be the fastest: {sentence}"
                ),
            }
        }
        None if judged.iter().all(|(_, ratio)| is_different(ratio)) => {
            format!(
                "{reference} is faster than each of the other {}.",
                judged.len()
            )
        }
        None => {
            let others = judged.len();
            format!("None of the other {others} is shown to be faster than {reference}.")
        }
    };
    (verdict, others)
}

/// True if the interval of this one lies above all others. Where the client was the limit, an
/// interval is open above.
fn is_highest(fastest: &ContestantResult, all: &[(&ContestantResult, &RatioToReference)]) -> bool {
    let low = fastest.ratio.as_ref().and_then(|ratio| ratio.low);
    let mut others = all.iter().filter(|(result, _)| result.name != fastest.name);
    others.all(|(_, ratio)| {
        let is_open = matches!(
            ratio.limit,
            LoadLimit::AtLeast | LoadLimit::Unknown | LoadLimit::Rate
        );
        let high = ratio.high.filter(|_| !is_open);
        low.zip(high).is_some_and(|(low, high)| low > high)
    })
}

fn sentence_about(report: &ComparisonReport, result: &ContestantResult) -> Option<String> {
    let mut contestants = report.contestants.iter();
    let reference = contestants.find(|other| is_reference(report, other))?;
    verdict::sentence(report, result, reference)
}

/// The answer about a contestant in a few words.
pub(super) fn answer(result: &ContestantResult) -> String {
    match (&result.ratio, result.status) {
        (_, ContestantStatus::Failed) => "failed".to_owned(),
        (_, ContestantStatus::NotRun) => "did not run".to_owned(),
        (Some(ratio), _) => verdict::answer(ratio),
        (None, _) => String::new(),
    }
}
