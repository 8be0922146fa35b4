//! Self-tests of the replies: their number, status and body, and the errors in their place.

use super::{Evidence, Outcome};
use crate::format::{count, plural};
use crate::load::Warning;
use crate::load::status;

/// Fewer replies say little about a distribution.
const SAMPLES_MIN: u64 = 100;

/// Enough replies for a distribution.
pub(super) fn samples(evidence: &Evidence) -> Outcome {
    let replies = evidence.accounting.completed;
    let warning = match replies {
        0 => Some(Warning::NoReply {
            first_error: evidence.first_error.clone(),
        }),
        _ if evidence.bailed_out => Some(Warning::BailedOut {
            errors: evidence.errors + evidence.wrong_bodies,
            in_warm_up: evidence.in_warm_up,
        }),
        _ if evidence.gave_up => Some(Warning::GaveUp { replies }),
        _ if replies < SAMPLES_MIN => Some(Warning::FewReplies { replies }),
        _ => None,
    };
    Outcome::of(warning, || plural(replies, "reply"))
}

/// Every reply has an expected status.
pub(super) fn statuses(evidence: &Evidence) -> Outcome {
    let expected = evidence.expected_statuses.as_ref();
    let statuses = evidence.statuses.iter();
    let statuses: Vec<(u16, u64)> = statuses
        .filter(|(status, _)| !status::is_expected(expected, *status))
        .copied()
        .collect();
    let warning = (!statuses.is_empty()).then(|| Warning::UnexpectedStatus {
        replies: statuses.iter().map(|(_, replies)| replies).sum(),
        of: evidence.accounting.completed,
        statuses,
        seen: evidence
            .statuses
            .iter()
            .map(|(status, _)| *status)
            .collect(),
        expected: expected.map(ToString::to_string),
    });
    Outcome::of(warning, || "every status was expected".to_owned())
}

/// A server that ends each connection after one reply wastes what is pipelined behind it.
pub(super) fn keep_alive(evidence: &Evidence) -> Outcome {
    let warning = (evidence.lost_behind_last_reply > 0).then_some(Warning::NoKeepAlive {
        lost: evidence.accounting.lost,
        sent: evidence.accounting.sent,
        last_replies: evidence.last_replies,
        replies: evidence.accounting.completed,
    });
    Outcome::of(warning, || {
        "no request was lost behind a last reply".to_owned()
    })
}

/// No connection failed, and no request timed out.
pub(super) fn errors(evidence: &Evidence) -> Outcome {
    let errors = evidence.errors - evidence.lost_behind_last_reply;
    let warning = (errors > 0).then(|| Warning::Errors {
        errors,
        first_error: evidence.first_error.clone(),
    });
    Outcome::of(warning, || "none".to_owned())
}

/// Every body is the expected one.
pub(super) fn bodies(evidence: &Evidence) -> Outcome {
    let replies = evidence.wrong_bodies;
    let warning = (replies > 0).then_some(Warning::WrongBodies { replies });
    Outcome::of(warning, || {
        format!("none of {} was wrong", count(evidence.accounting.completed))
    })
}
