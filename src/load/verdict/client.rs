//! Self-tests of the client: not too busy, and on schedule.

use super::{Evidence, Outcome};
use crate::format::{count, milliseconds, percent, plural};
use crate::load::Warning;
use crate::load::accounting::Accounting;
use crate::load::warning::Backlog;

/// A client this busy is as much the bottleneck as the server.
const CPU_SHARE_MAX: f64 = 0.90;
/// Share of due requests that may be unsent: the last of a run are due as it stops.
const NEVER_SENT_SHARE_MAX: f64 = 0.01;
/// A client that sends later than this is slower than a schedule needs.
const CLIENT_LAG_MS_MAX: f64 = 1.0;
/// Share of the run that the client may pause: that many requests of a steady stream meet a pause,
/// so a longer one is in their 99.9th percentile.
const STALLED_SHARE_MAX: f64 = 0.001;
/// A shorter run has no such percentile, and on a busy machine one pause is a part of it.
const STALLS_DURATION_S_MIN: f64 = 1.0;
const CLOSED_LOOP: &str = "for an open loop only";

/// The client has CPU time left. An open loop polls without sleeping; there, lateness shows a
/// client that is too slow.
pub(super) fn cpu(evidence: &Evidence) -> Outcome {
    if evidence.schedule.is_some() {
        return Outcome::NotApplicable("an open loop polls between requests");
    }
    let Evidence {
        cpu_share, workers, ..
    } = *evidence;
    let warning =
        (cpu_share >= CPU_SHARE_MAX).then_some(Warning::ClientBusy { cpu_share, workers });
    Outcome::of(warning, || match workers {
        1 => format!("{} of a core", percent(cpu_share)),
        _ => format!(
            "busiest of {workers} workers: {} of a core",
            percent(cpu_share)
        ),
    })
}

/// The client read what had arrived, without pauses that a percentile shows.
pub(super) fn stalls(evidence: &Evidence) -> Outcome {
    if evidence.duration_s < STALLS_DURATION_S_MIN {
        return Outcome::NotApplicable("the run is too short to tell");
    }
    let Some(pauses) = evidence.client_pauses else {
        return Outcome::Passed("no pause of 20 ms or longer".to_owned());
    };
    let warning = (pauses.share >= STALLED_SHARE_MAX).then_some(Warning::ClientStalls {
        pauses: pauses.count,
        total_ms: pauses.total_ms,
        longest_ms: pauses.longest_ms,
        longest_at_s: pauses.longest_at_s,
        in_latencies: pauses.in_latencies,
    });
    let total = milliseconds(pauses.total_ms);
    Outcome::of(warning, || {
        format!("{}, {total} in all", plural(pauses.count, "pause"))
    })
}

/// Nearly every due request was sent.
pub(super) fn backlog(evidence: &Evidence) -> Outcome {
    let Accounting {
        never_sent, due, ..
    } = evidence.accounting;
    let Some(schedule) = &evidence.schedule else {
        return Outcome::NotApplicable(CLOSED_LOOP);
    };
    let cause = match schedule.has_deadline {
        _ if lateness(evidence).has_failed() => Backlog::Client,
        true => Backlog::ServerBeyondDeadline,
        false => Backlog::Server,
    };
    let is_large = never_sent as f64 > due as f64 * NEVER_SENT_SHARE_MAX;
    let warning = is_large.then_some(Warning::NeverSent {
        unsent: never_sent,
        due,
        cause,
    });
    Outcome::of(warning, || {
        format!(
            "{} of {} due requests were never sent",
            count(never_sent),
            count(due)
        )
    })
}

/// The client sends when a request is due and a slot is free.
pub(super) fn lateness(evidence: &Evidence) -> Outcome {
    let Some(schedule) = &evidence.schedule else {
        return Outcome::NotApplicable(CLOSED_LOOP);
    };
    let Some((percentile, ms)) = schedule.client_lag else {
        return Outcome::NotApplicable("too few requests were sent to tell");
    };
    let warning = (ms > CLIENT_LAG_MS_MAX).then_some(Warning::LateClient { percentile, ms });
    Outcome::of(warning, || {
        let ms = milliseconds(ms);
        format!("{percentile} % were sent within {ms} of a free slot")
    })
}

/// The client's send times follow the planned arrivals.
pub(super) fn arrivals(evidence: &Evidence) -> Outcome {
    let Some(schedule) = &evidence.schedule else {
        return Outcome::NotApplicable(CLOSED_LOOP);
    };
    let Some(broken) = &schedule.laws_broken else {
        return Outcome::NotApplicable("too few requests were due to tell");
    };
    let warning = broken.first().map(|&law| Warning::Arrivals { law });
    Outcome::of(warning, || {
        "count, dispersion and gaps are those of the planned arrivals".to_owned()
    })
}
