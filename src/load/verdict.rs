//! Whether a run's figures can be trusted, and why not.

use super::report::Verdict;
use super::windows::Summary;
use super::{Refill, figures};

/// A client this busy is as much the bottleneck as the server.
const CPU_SHARE_MAX: f64 = 0.90;
/// Mean latency x rate / slots may stray so far from 1 (Little's law).
const LITTLE_TOLERANCE: f64 = 0.05;
/// The law is about averages: it wants each slot used so often.
const LITTLE_REPLIES_PER_SLOT_MIN: u64 = 20;
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
    let reasons: Vec<String> = [
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

fn no_reply(evidence: &Evidence) -> Option<String> {
    let why = match &evidence.first_error {
        Some(error) => format!("first error: {error}"),
        None => "the server sent none before the end".to_owned(),
    };
    (evidence.completed == 0).then(|| format!("no reply was completed; {why}"))
}

fn gave_up(evidence: &Evidence) -> Option<String> {
    evidence
        .gave_up
        .then(|| "gave up: errors and no reply for three timeouts".to_owned())
}

fn errors(evidence: &Evidence) -> Option<String> {
    (evidence.errors > 0).then(|| match &evidence.first_error {
        Some(first) => format!(
            "{}; the first: {first}",
            figures::plural(evidence.errors, "error")
        ),
        None => figures::plural(evidence.errors, "error"),
    })
}

fn wrong_bodies(evidence: &Evidence) -> Option<String> {
    let wrong = evidence.wrong_bodies;
    (wrong > 0).then(|| format!("{} had a wrong body", figures::plural(wrong, "reply")))
}

fn busy_client(evidence: &Evidence) -> Option<String> {
    (evidence.cpu_share >= CPU_SHARE_MAX).then(|| {
        format!(
            "the client was busy {:.0} % of the time: the server may be faster than this",
            evidence.cpu_share * 100.0
        )
    })
}

fn too_few(evidence: &Evidence) -> Option<String> {
    (1..SAMPLES_MIN).contains(&evidence.completed).then(|| {
        format!(
            "only {}; run longer",
            figures::plural(evidence.completed, "reply")
        )
    })
}

/// Mean latency x rate / slots: 1 in a closed loop whose slots are all in use (J. D. C. Little,
/// 1961). In a batch the early replies leave their slots empty, so there it holds for one slot a
/// connection only.
pub(super) fn little_ratio(evidence: &Evidence) -> Option<f64> {
    let enough = evidence.completed >= evidence.slots.saturating_mul(LITTLE_REPLIES_PER_SLOT_MIN);
    let applies = evidence.refill == Refill::Rolling || evidence.pipelining == 1;
    (enough && applies && evidence.duration_s > 0.0).then(|| {
        let rate = evidence.completed as f64 / evidence.duration_s;
        evidence.mean_latency_s * rate / evidence.slots as f64
    })
}

fn little(evidence: &Evidence) -> Option<String> {
    let ratio = little_ratio(evidence)?;
    ((ratio - 1.0).abs() > LITTLE_TOLERANCE).then(|| {
        format!(
            "mean latency x rate / slots is {ratio:.2}, not 1: slots were empty (reconnects, \
             errors), or latency is not what it seems"
        )
    })
}

/// Compares the first half of the windows with the second, the middle one left out.
fn drift(rates: &[f64]) -> Option<String> {
    let half = rates.len() / 2;
    if half < WINDOWS_PER_HALF_MIN {
        return None;
    }
    let first = Summary::of(rates[..half].to_vec()).mean;
    let second = Summary::of(rates[rates.len() - half..].to_vec()).mean;
    let chance = CHANCE_SIGMAS * ((first + second) / half as f64).sqrt();
    let change = second - first;
    (change.abs() > (first * DRIFT_MAX).max(chance)).then(|| {
        format!(
            "the rate drifted from {} to {} replies a second between the halves",
            figures::thousands(first.round()),
            figures::thousands(second.round())
        )
    })
}

fn beyond_range(evidence: &Evidence) -> Option<String> {
    let beyond = evidence.beyond_range;
    (beyond > 0).then(|| format!("{} took over an hour", figures::plural(beyond, "reply")))
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
        verdict.reasons
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
