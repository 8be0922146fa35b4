//! Self-tests of the connections: all open in time, all served, and in use all the time.

use super::{Connections, Evidence, Outcome};
use crate::format::{count, percent};
use crate::load::Warning;
use crate::load::plan::{Refill, Until};

/// Mean latency x rate / slots may differ from 1 by this much (Little's law).
const LITTLE_TOLERANCE: f64 = 0.05;
/// The law is about averages: each slot must have been used this often.
const LITTLE_REPLIES_PER_SLOT_MIN: u64 = 20;
/// ... in a run beside which the time of connecting is short.
const LITTLE_DURATION_MIN_S: f64 = 1.0;
/// The last connection may open this late, as a share of the run ...
const CONNECTING_SHARE_MAX: f64 = 0.05;
/// ... and in any case within this time.
const CONNECTING_S_MIN: f64 = 0.1;

/// All connections are open soon. A run for an amount may be over before every connection is open;
/// one whose connections end may never have all of them open at once, or late, and shows nothing.
pub(super) fn connections(evidence: &Evidence) -> Outcome {
    let Connections {
        asked,
        opened,
        reconnects,
        last_after_s,
        ..
    } = evidence.connections;
    let duration_s = evidence.duration_s;
    let too_late_s = (duration_s * CONNECTING_SHARE_MAX).max(CONNECTING_S_MIN);
    let too_few = opened < asked
        && match evidence.until {
            Until::Duration(_) => true,
            Until::Amount(_) => duration_s > CONNECTING_S_MIN,
        };
    let found = reconnects == 0 && (too_few || last_after_s > too_late_s);
    let warning = found.then_some(Warning::Connections {
        opened,
        asked,
        last_after_s,
    });
    Outcome::of(warning, || format!("{} open", count(opened as u64)))
}

/// No connection waits for its first reply for half of the run.
pub(super) fn served(evidence: &Evidence) -> Outcome {
    let Connections {
        unserved, opened, ..
    } = evidence.connections;
    let warning = (unserved > 0).then_some(Warning::Unserved { unserved, opened });
    Outcome::of(warning, || "each connection got replies".to_owned())
}

/// The share of the time of all slots that requests and connects account for: 1 in a closed loop
/// whose slots are all in use (J. D. C. Little, 1961). In a batch the early replies leave their
/// slots empty, so there it holds for one slot a connection only.
pub(in crate::load) fn little_ratio(evidence: &Evidence) -> Option<f64> {
    let completed = evidence.accounting.completed;
    let slots = evidence.connections.asked as u64 * evidence.pipelining as u64;
    let enough = completed >= slots.saturating_mul(LITTLE_REPLIES_PER_SLOT_MIN);
    let applies = evidence.refill == Refill::Rolling || evidence.pipelining == 1;
    (enough
        && applies
        && evidence.schedule.is_none()
        && evidence.duration_s >= LITTLE_DURATION_MIN_S)
        .then(|| {
            // A connection that is not open keeps all of its slots empty.
            let connecting_s = evidence.connecting_s * evidence.pipelining as f64;
            let busy_s = evidence.answered_s + evidence.unanswered_s + connecting_s;
            busy_s / (slots as f64 * evidence.duration_s)
        })
}

/// Requests and connects account for the time of all slots.
pub(super) fn littles_law(evidence: &Evidence) -> Outcome {
    let Some(busy_share) = little_ratio(evidence) else {
        return Outcome::NotApplicable("for a closed loop whose slots are used often");
    };
    let warning = match busy_share - 1.0 {
        excess if excess > LITTLE_TOLERANCE => Some(Warning::ExcessLatency { busy_share }),
        excess if excess < -LITTLE_TOLERANCE => Some(Warning::IdleConnections { busy_share }),
        _ => None,
    };
    Outcome::of(warning, || {
        format!("connections were busy {} of the time", percent(busy_share))
    })
}
