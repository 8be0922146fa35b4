//! `--rounds auto`: rounds are run until every ratio is known to a precision, or until a limit.
//!
//! The rule itself is [`StoppingRule`]; this module gives it the rounds. For the report it gives
//! the rule the same rounds again, so that the reported interval is the one that ended the rounds.

use std::time::Duration;

use super::outcome::{ContestantRuns, RoundsEnd, reference, slots_apart};
use super::statistics::{AutoRounds, Margin, NextStep, RoundEvidence, StoppingRule};
use super::{ComparisonPlan, Settings};

/// No further pair of rounds is begun after this time.
pub const TIME_MAX: Duration = Duration::from_secs(600);
/// No run is longer than this many times the length asked for.
const LENGTHENING_MAX: u32 = 10;
/// Time that starting, settling and stopping a server take, about.
const RESTART: Duration = Duration::from_millis(500);

/// The rule over the rounds of a comparison under way.
pub struct RoundsUnderWay {
    /// The contestant that the others are compared with, once one has run.
    rule: Option<(usize, StoppingRule)>,
    /// Length of the runs of the next round.
    pub window: Duration,
}

impl RoundsUnderWay {
    /// Before the first round.
    pub fn new(settings: &Settings) -> RoundsUnderWay {
        RoundsUnderWay {
            rule: None,
            window: settings.duration,
        }
    }

    /// Takes the rounds so far, the last of which is `round`; returns the end, if this is it.
    pub fn held(
        &mut self,
        records: &[ContestantRuns],
        round: usize,
        plan: &ComparisonPlan,
        elapsed: Duration,
    ) -> Option<RoundsEnd> {
        let settings = plan.settings();
        let held = round + 1;
        if settings.precision.is_none() {
            let is_over = held >= settings.rounds.get();
            // A duet needs its reference.
            let is_idle = settings.duet && !is_anything_left(records, plan.reference_expected());
            let end = is_idle.then_some(RoundsEnd::NothingToJudge);
            return is_over.then_some(RoundsEnd::Planned).or(end);
        }
        if self.rule.is_none() {
            let Some(reference) = reference(records, plan) else {
                return Some(RoundsEnd::NothingToJudge);
            };
            self.rule = Some((reference, rule(records.len(), settings)));
        }
        let (reference, rule) = self.rule.as_mut()?;
        if !is_anything_left(records, *reference) {
            return Some(RoundsEnd::NothingToJudge);
        }
        match rule.record(&evidence(records, round, *reference, settings.seed)) {
            NextStep::Precise => return Some(RoundsEnd::Precise),
            NextStep::RoundsMax => return Some(RoundsEnd::RoundsMax),
            NextStep::LongerRuns(window) => self.window = window,
            NextStep::AnotherRound => {}
        }
        let is_balanced = held.is_multiple_of(2);
        (is_balanced && elapsed >= TIME_MAX).then_some(RoundsEnd::TimeMax)
    }
}

/// True if the reference and one of the others can run, and are judged.
fn is_anything_left(records: &[ContestantRuns], reference: usize) -> bool {
    let others = records.iter().enumerate();
    let mut others = others.filter(|&(index, _)| index != reference);
    records[reference].is_judged() && others.any(|(_, record)| record.is_judged())
}

/// The rule after all rounds of `records` in which the reference ran.
pub fn replayed(records: &[ContestantRuns], reference: usize, settings: &Settings) -> StoppingRule {
    let mut rule = rule(records.len(), settings);
    let held = records.first().map_or(0, |record| record.runs.len());
    let has_run = |round: &usize| records[reference].runs[*round].is_some();
    for round in (0..held).filter(has_run) {
        rule.record(&evidence(records, round, reference, settings.seed));
    }
    rule
}

fn rule(contestants: usize, settings: &Settings) -> StoppingRule {
    let longest = match settings.precision {
        Some(_) => settings.duration * LENGTHENING_MAX,
        None => settings.duration,
    };
    let limits = AutoRounds {
        precision: settings.precision.unwrap_or(Margin::SMALLEST),
        rounds_max: settings.rounds.get(),
        run_length: settings.duration,
        run_length_max: longest,
        overhead: settings.warmup + RESTART,
    };
    StoppingRule::new(contestants, limits)
}

/// Returns the ratio of each contestant by one round; none for the reference itself.
fn evidence(
    records: &[ContestantRuns],
    round: usize,
    reference: usize,
    seed: u32,
) -> Vec<Option<RoundEvidence>> {
    let of = |index: usize| {
        let ours = records[index].runs[round].as_ref()?;
        let theirs = records[reference].runs[round].as_ref()?;
        let has_ratio = index != reference && records[index].is_judged();
        has_ratio.then(|| match ours.duet {
            Some(duet) => duet.evidence(),
            None => RoundEvidence {
                log_ratio: (ours.requests_per_second() / theirs.requests_per_second()).ln(),
                slots_apart: slots_apart(records, round, index, reference, seed),
                within_variance: ours
                    .rate_variance
                    .zip(theirs.rate_variance)
                    .map(|(ours, theirs)| ours + theirs),
            },
        })
    };
    (0..records.len()).map(of).collect()
}
