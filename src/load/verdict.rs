//! Whether a run's figures can be trusted, and why not.

use super::report::Verdict;
use super::windows::Summary;
use super::{Refill, Warning};

/// A client this busy is as much the bottleneck as the server.
const CPU_SHARE_MAX: f64 = 0.90;
/// Mean latency x rate / slots may stray so far from 1 (Little's law).
const LITTLE_TOLERANCE: f64 = 0.05;
/// The law is about averages: it wants each slot used so often.
const LITTLE_REPLIES_PER_SLOT_MIN: u64 = 20;
/// ... and a run beside which the time of connecting is short.
const LITTLE_DURATION_MIN_S: f64 = 1.0;
/// Fewer replies say little about a distribution.
const SAMPLES_MIN: u64 = 100;
/// The halves of a run may differ by so much ...
const DRIFT_MAX: f64 = 0.10;
/// ... and are compared if each has so many windows.
const WINDOWS_PER_HALF_MIN: usize = 2;
/// Differences within so many standard errors of a count are chance.
const CHANCE_SIGMAS: f64 = 4.0;

/// What a verdict rests on.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub(super) completed: u64,
    pub(super) errors: u64,
    pub(super) wrong_bodies: u64,
    pub(super) gave_up: bool,
    pub(super) first_error: Option<String>,
    pub(super) beyond_range: u64,
    pub(super) cpu_share: f64,
    pub(super) mean_latency_s: f64,
    pub(super) duration_s: f64,
    /// Connections x pipelining.
    pub(super) slots: u64,
    pub(super) pipelining: usize,
    pub(super) refill: Refill,
    /// Replies per second, window by window.
    pub(super) rates: Vec<f64>,
}

/// Collects every reason for doubt.
pub(super) fn judge(evidence: &Evidence) -> Verdict {
    let reasons: Vec<Warning> = [
        no_reply(evidence),
        gave_up(evidence),
        errors(evidence),
        wrong_bodies(evidence),
        busy_client(evidence),
        too_few(evidence),
        little(evidence),
        drift(&evidence.rates),
        beyond_range(evidence),
    ]
    .into_iter()
    .flatten()
    .collect();
    Verdict {
        valid: reasons.is_empty(),
        reasons,
    }
}

fn no_reply(evidence: &Evidence) -> Option<Warning> {
    (evidence.completed == 0).then(|| Warning::NoReply {
        first_error: evidence.first_error.clone(),
    })
}

fn gave_up(evidence: &Evidence) -> Option<Warning> {
    evidence.gave_up.then_some(Warning::GaveUp)
}

fn errors(evidence: &Evidence) -> Option<Warning> {
    (evidence.errors > 0).then(|| Warning::Errors {
        errors: evidence.errors,
        first_error: evidence.first_error.clone(),
    })
}

fn wrong_bodies(evidence: &Evidence) -> Option<Warning> {
    let replies = evidence.wrong_bodies;
    (replies > 0).then_some(Warning::WrongBodies { replies })
}

fn busy_client(evidence: &Evidence) -> Option<Warning> {
    let cpu_share = evidence.cpu_share;
    (cpu_share >= CPU_SHARE_MAX).then_some(Warning::ClientBusy { cpu_share })
}

fn too_few(evidence: &Evidence) -> Option<Warning> {
    let replies = evidence.completed;
    (1..SAMPLES_MIN)
        .contains(&replies)
        .then_some(Warning::FewReplies { replies })
}

/// Mean latency x rate / slots: 1 in a closed loop whose slots are all in use (J. D. C. Little,
/// 1961). In a batch the early replies leave their slots empty, so there it holds for one slot a
/// connection only.
pub(super) fn little_ratio(evidence: &Evidence) -> Option<f64> {
    let enough = evidence.completed >= evidence.slots.saturating_mul(LITTLE_REPLIES_PER_SLOT_MIN);
    let applies = evidence.refill == Refill::Rolling || evidence.pipelining == 1;
    (enough && applies && evidence.duration_s >= LITTLE_DURATION_MIN_S).then(|| {
        let rate = evidence.completed as f64 / evidence.duration_s;
        evidence.mean_latency_s * rate / evidence.slots as f64
    })
}

fn little(evidence: &Evidence) -> Option<Warning> {
    let little_ratio = little_ratio(evidence)?;
    let strays = (little_ratio - 1.0).abs() > LITTLE_TOLERANCE;
    strays.then_some(Warning::IdleSlots { little_ratio })
}

/// Compares the first half of the windows with the second, the middle one left out.
fn drift(rates: &[f64]) -> Option<Warning> {
    let half = rates.len() / 2;
    if half < WINDOWS_PER_HALF_MIN {
        return None;
    }
    let first_half = Summary::of(rates[..half].to_vec()).mean;
    let second_half = Summary::of(rates[rates.len() - half..].to_vec()).mean;
    let chance = CHANCE_SIGMAS * ((first_half + second_half) / half as f64).sqrt();
    let change = (second_half - first_half).abs();
    (change > (first_half * DRIFT_MAX).max(chance)).then_some(Warning::Drift {
        first_half,
        second_half,
    })
}

fn beyond_range(evidence: &Evidence) -> Option<Warning> {
    let replies = evidence.beyond_range;
    (replies > 0).then_some(Warning::BeyondRange { replies })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Evidence {
        Evidence {
            completed: 100_000,
            errors: 0,
            wrong_bodies: 0,
            gave_up: false,
            first_error: None,
            beyond_range: 0,
            cpu_share: 0.5,
            mean_latency_s: 0.1,
            duration_s: 10.0,
            slots: 1000,
            pipelining: 10,
            refill: Refill::Rolling,
            rates: vec![10_000.0; 10],
        }
    }

    fn reasons(change: impl FnOnce(&mut Evidence)) -> Vec<String> {
        let mut evidence = sound();
        change(&mut evidence);
        let verdict = judge(&evidence);
        assert_eq!(verdict.valid, verdict.reasons.is_empty());
        verdict.reasons.iter().map(Warning::to_string).collect()
    }

    #[test]
    fn a_sound_run_is_valid() {
        assert_eq!(reasons(|_| {}), [""; 0]);
    }

    #[test]
    fn each_doubt_is_one_reason_with_its_figure() {
        let one = |change: fn(&mut Evidence), part: &str| {
            let reasons = reasons(change);
            assert_eq!(reasons.len(), 1, "{part}: {reasons:?}");
            assert!(reasons[0].contains(part), "{part}: {reasons:?}");
        };
        one(|e| e.cpu_share = 0.9, "busy 90 %");
        one(|e| e.mean_latency_s = 0.09, "is 0.90, not 1");
        one(|e| e.mean_latency_s = 0.106, "is 1.06, not 1");
        one(|e| e.errors = 1, "1 error");
        one(|e| e.wrong_bodies = 2, "2 replies had a wrong body");
        one(|e| e.gave_up = true, "gave up");
        one(|e| e.completed = 99, "only 99 replies");
        one(|e| e.completed = 0, "no reply");
        one(|e| e.beyond_range = 1, "over an hour");
        one(
            |e| e.rates = vec![10_000.0, 10_000.0, 1.0, 8_900.0, 8_900.0],
            "from 10,000 to 8,900",
        );
    }

    #[test]
    fn small_deviations_are_no_reason() {
        assert_eq!(reasons(|e| e.cpu_share = 0.899), [""; 0]);
        assert_eq!(reasons(|e| e.mean_latency_s = 0.096), [""; 0]);
        assert_eq!(reasons(|e| e.duration_s = 0.9), [""; 0]);
        assert_eq!(
            reasons(|e| e.rates = vec![100.0, 100.0, 91.0, 91.0]),
            [""; 0]
        );
        // Of two replies a second, three are no trend.
        assert_eq!(reasons(|e| e.rates = vec![2.0, 2.0, 3.0, 3.0]), [""; 0]);
    }

    #[test]
    fn empty_slots_of_a_batch_are_not_held_against_it() {
        let batch = |e: &mut Evidence| {
            e.refill = Refill::Batch;
            e.mean_latency_s = 0.05;
        };
        assert_eq!(reasons(batch), [""; 0]);
        assert_eq!(reasons(|e| (batch(e), e.pipelining = 1).0).len(), 1);
    }
}
