//! Whether a run's figures can be trusted, and why not. Each fact is told once: a reason that
//! follows from another one is left out.

use super::Warning;
use super::accounting::Accounting;
use super::plan::{Refill, Until};
use super::report::Verdict;
use super::status::{self, ExpectedStatuses};
use super::windows::Summary;

/// A client this busy is as much the bottleneck as the server.
const CPU_SHARE_MAX: f64 = 0.90;
/// Mean latency x rate / slots may differ from 1 by this much (Little's law).
const LITTLE_TOLERANCE: f64 = 0.05;
/// The law is about averages: each slot must have been used this often.
const LITTLE_REPLIES_PER_SLOT_MIN: u64 = 20;
/// ... in a run beside which the time of connecting is short.
const LITTLE_DURATION_MIN_S: f64 = 1.0;
/// Fewer replies say little about a distribution.
const SAMPLES_MIN: u64 = 100;
/// The halves of a run may differ by this much ...
const DRIFT_MAX: f64 = 0.10;
/// ... and are compared if each has this many windows.
const WINDOWS_PER_HALF_MIN: usize = 2;
/// Differences within this many standard errors of a count are chance.
const CHANCE_SIGMAS: f64 = 4.0;
/// The last connection may open this late, as a share of the run ...
const CONNECTING_SHARE_MAX: f64 = 0.05;
/// ... and in any case within this time.
const CONNECTING_S_MIN: f64 = 0.1;
/// Share of due requests that may be unsent: the last of a run are due as it stops.
const NEVER_SENT_SHARE_MAX: f64 = 0.01;
/// A client that sends later than this is slower than a schedule needs.
const CLIENT_LAG_MS_MAX: f64 = 1.0;
/// A pause is one if it is longer than the highest percentile by this factor ...
const PAUSE_FACTOR: f64 = 10.0;
/// ... and lasts for this share of the run: that many requests of a steady stream would have met
/// it, so their 99th percentile would show it ...
const PAUSE_SHARE_MIN: f64 = 0.01;
/// ... and is longer than what a busy machine does to any process.
const PAUSE_MS_MIN: f64 = 100.0;

/// The figures that a verdict rests on.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub(super) accounting: Accounting,
    /// Errors of connections, and timeouts.
    pub(super) errors: u64,
    /// The part of them whose requests were lost behind a reply that ended the connection.
    pub(super) lost_behind_last_reply: u64,
    /// Replies that ended their connection.
    pub(super) last_replies: u64,
    pub(super) wrong_bodies: u64,
    pub(super) gave_up: bool,
    pub(super) bailed_out: bool,
    pub(super) first_error: Option<String>,
    pub(super) cpu_share: f64,
    pub(super) mean_latency_s: f64,
    pub(super) duration_s: f64,
    pub(super) connections: Connections,
    /// `None` in a closed loop.
    pub(super) schedule: Option<Schedule>,
    pub(super) pipelining: usize,
    pub(super) refill: Refill,
    pub(super) until: Until,
    /// Replies per second, window by window.
    pub(super) rates: Vec<f64>,
    /// Status codes with their counts.
    pub(super) statuses: Vec<(u16, u64)>,
    pub(super) expected_statuses: Option<ExpectedStatuses>,
    /// The longest time without a reply.
    pub(super) pause: Pause,
    /// The highest percentile that enough samples stand behind, and its latency in ms.
    pub(super) top_percentile: Option<(f64, f64)>,
}

/// Connections of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connections {
    pub(super) asked: usize,
    /// The most that were open at once.
    pub(super) opened: usize,
    /// Those that got no reply for half of the run or more.
    pub(super) unserved: usize,
    pub(super) reconnects: u64,
    pub(super) last_after_s: f64,
}

/// What an open loop adds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// The rate changes by itself.
    pub(super) is_ramp: bool,
    /// 99 % of requests were sent at most this late though a slot was free.
    pub(super) client_lag_ms: f64,
}

/// A time without any reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    pub(super) ms: f64,
    pub(super) began_s: f64,
}

/// Collects the reasons for doubt.
pub(super) fn judge(evidence: &Evidence) -> Verdict {
    let reasons = match evidence.accounting.completed {
        0 => vec![Warning::NoReply {
            first_error: evidence.first_error.clone(),
        }],
        _ => reasons(evidence),
    };
    Verdict {
        valid: reasons.is_empty(),
        reasons,
    }
}

/// The reasons to doubt a run that had replies.
fn reasons(evidence: &Evidence) -> Vec<Warning> {
    let no_keep_alive = no_keep_alive(evidence);
    let connections = connections(evidence);
    let unserved = unserved(evidence);
    // Each of them leaves slots empty or without a latency.
    let idle = match (&no_keep_alive, &connections, &unserved) {
        (None, None, None) => idle(evidence),
        _ => None,
    };
    let pause = pause(evidence);
    // A pause makes the rate of one half lower.
    let is_ramp = evidence.schedule.is_some_and(|schedule| schedule.is_ramp);
    let drift = match pause {
        None if !is_ramp => drift(&evidence.rates),
        _ => None,
    };
    [
        bailed_out(evidence),
        gave_up(evidence),
        unexpected_status(evidence),
        no_keep_alive,
        errors(evidence),
        wrong_bodies(evidence),
        connections,
        unserved,
        busy_client(evidence),
        never_sent(evidence),
        late_client(evidence),
        too_few(evidence),
        idle,
        pause,
        drift,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn bailed_out(evidence: &Evidence) -> Option<Warning> {
    let errors = evidence.errors + evidence.wrong_bodies;
    evidence.bailed_out.then_some(Warning::BailedOut { errors })
}

fn gave_up(evidence: &Evidence) -> Option<Warning> {
    let replies = evidence.accounting.completed;
    evidence.gave_up.then_some(Warning::GaveUp { replies })
}

fn unexpected_status(evidence: &Evidence) -> Option<Warning> {
    let expected = evidence.expected_statuses.as_ref();
    let statuses = evidence.statuses.iter();
    let statuses: Vec<(u16, u64)> = statuses
        .filter(|(status, _)| !status::is_expected(expected, *status))
        .copied()
        .collect();
    (!statuses.is_empty()).then(|| Warning::UnexpectedStatus {
        replies: statuses.iter().map(|(_, replies)| replies).sum(),
        of: evidence.accounting.completed,
        statuses,
        expected: expected.map(ToString::to_string),
    })
}

/// A server that ends each connection after one reply wastes what is pipelined behind it.
fn no_keep_alive(evidence: &Evidence) -> Option<Warning> {
    (evidence.lost_behind_last_reply > 0).then_some(Warning::NoKeepAlive {
        lost: evidence.accounting.lost,
        sent: evidence.accounting.sent,
        last_replies: evidence.last_replies,
        replies: evidence.accounting.completed,
    })
}

fn errors(evidence: &Evidence) -> Option<Warning> {
    let errors = evidence.errors - evidence.lost_behind_last_reply;
    (errors > 0).then(|| Warning::Errors {
        errors,
        first_error: evidence.first_error.clone(),
    })
}

fn wrong_bodies(evidence: &Evidence) -> Option<Warning> {
    let replies = evidence.wrong_bodies;
    (replies > 0).then_some(Warning::WrongBodies { replies })
}

/// A run for an amount may be over before every connection is open, and one whose connections end
/// may never have all of them open at once.
fn connections(evidence: &Evidence) -> Option<Warning> {
    let Connections {
        asked,
        opened,
        reconnects,
        last_after_s,
        ..
    } = evidence.connections;
    let duration_s = evidence.duration_s;
    let too_late = (duration_s * CONNECTING_SHARE_MAX).max(CONNECTING_S_MIN);
    let too_few = opened < asked
        && reconnects == 0
        && match evidence.until {
            Until::Duration(_) => true,
            Until::Amount(_) => duration_s > CONNECTING_S_MIN,
        };
    (too_few || last_after_s > too_late).then_some(Warning::Connections {
        opened,
        asked,
        last_after_s,
    })
}

fn unserved(evidence: &Evidence) -> Option<Warning> {
    let Connections {
        unserved, opened, ..
    } = evidence.connections;
    (unserved > 0).then_some(Warning::Unserved { unserved, opened })
}

/// An open loop polls without sleeping; there, lateness shows a client that is too slow.
fn busy_client(evidence: &Evidence) -> Option<Warning> {
    let cpu_share = evidence.cpu_share;
    (evidence.schedule.is_none() && cpu_share >= CPU_SHARE_MAX)
        .then_some(Warning::ClientBusy { cpu_share })
}

fn never_sent(evidence: &Evidence) -> Option<Warning> {
    let Accounting {
        never_sent, due, ..
    } = evidence.accounting;
    (never_sent as f64 > due as f64 * NEVER_SENT_SHARE_MAX)
        .then_some(Warning::NeverSent { never_sent, due })
}

fn late_client(evidence: &Evidence) -> Option<Warning> {
    let ms = evidence.schedule?.client_lag_ms;
    (ms > CLIENT_LAG_MS_MAX).then_some(Warning::LateClient { ms })
}

fn too_few(evidence: &Evidence) -> Option<Warning> {
    let replies = evidence.accounting.completed;
    (replies < SAMPLES_MIN).then_some(Warning::FewReplies { replies })
}

/// Mean latency x rate / slots: 1 in a closed loop whose slots are all in use (J. D. C. Little,
/// 1961). In a batch the early replies leave their slots empty, so there it holds for one slot a
/// connection only.
pub(super) fn little_ratio(evidence: &Evidence) -> Option<f64> {
    let completed = evidence.accounting.completed;
    let slots = evidence.connections.asked as u64 * evidence.pipelining as u64;
    let enough = completed >= slots.saturating_mul(LITTLE_REPLIES_PER_SLOT_MIN);
    let applies = evidence.refill == Refill::Rolling || evidence.pipelining == 1;
    (enough
        && applies
        && evidence.schedule.is_none()
        && evidence.duration_s >= LITTLE_DURATION_MIN_S)
        .then(|| {
            let rate = completed as f64 / evidence.duration_s;
            evidence.mean_latency_s * rate / slots as f64
        })
}

fn idle(evidence: &Evidence) -> Option<Warning> {
    let busy_share = little_ratio(evidence)?;
    match busy_share - 1.0 {
        excess if excess > LITTLE_TOLERANCE => Some(Warning::ExcessLatency { busy_share }),
        excess if excess < -LITTLE_TOLERANCE => Some(Warning::IdleConnections {
            busy_share,
            reconnects: evidence.connections.reconnects,
        }),
        _ => None,
    }
}

/// A closed loop sends nothing while the server pauses, so that few latencies show it.
fn pause(evidence: &Evidence) -> Option<Warning> {
    let Pause { ms, began_s } = evidence.pause;
    let (percentile, percentile_ms) = evidence.top_percentile?;
    let is_long = evidence.schedule.is_none()
        && ms >= PAUSE_MS_MIN
        && ms >= evidence.duration_s * 1e3 * PAUSE_SHARE_MIN
        && ms > percentile_ms * PAUSE_FACTOR;
    is_long.then_some(Warning::Pause {
        ms,
        began_s,
        percentile,
        percentile_ms,
    })
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sound() -> Evidence {
        Evidence {
            accounting: Accounting {
                due: 100_900,
                sent: 100_900,
                completed: 100_000,
                in_flight: 900,
                ..Accounting::default()
            },
            errors: 0,
            lost_behind_last_reply: 0,
            last_replies: 0,
            wrong_bodies: 0,
            gave_up: false,
            bailed_out: false,
            first_error: None,
            cpu_share: 0.5,
            mean_latency_s: 0.1,
            duration_s: 10.0,
            connections: Connections {
                asked: 100,
                opened: 100,
                unserved: 0,
                reconnects: 0,
                last_after_s: 0.01,
            },
            schedule: None,
            pipelining: 10,
            refill: Refill::Rolling,
            until: Until::Duration(Duration::from_secs(10)),
            rates: vec![10_000.0; 10],
            statuses: vec![(200, 100_000)],
            expected_statuses: None,
            pause: Pause {
                ms: 99.0,
                began_s: 2.0,
            },
            top_percentile: Some((99.0, 8.0)),
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
        one(
            |e| e.mean_latency_s = 0.09,
            "busy 90 % of the time; the rest went before they were open",
        );
        one(|e| e.mean_latency_s = 0.106, "106 % of the time");
        one(|e| e.errors = 1, "1 error");
        one(|e| e.wrong_bodies = 2, "2 replies had another body");
        one(|e| e.bailed_out = true, "ended early, after 0 errors");
        one(|e| e.gave_up = true, "gave up after 100,000 replies");
        one(|e| e.accounting.completed = 99, "only 99 replies");
        one(|e| e.accounting.completed = 0, "no reply");
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
        let one_a_connection = |e: &mut Evidence| {
            batch(e);
            e.pipelining = 1;
            e.mean_latency_s = 0.005;
        };
        assert_eq!(reasons(one_a_connection).len(), 1);
    }

    #[test]
    fn replies_with_an_error_status_are_a_reason_unless_they_are_wanted() {
        let some = |e: &mut Evidence| e.statuses = vec![(200, 98_800), (404, 1_199), (500, 1)];
        assert_eq!(
            reasons(some),
            [
                "1,200 of 100,000 replies had an error status (404: 1,199, 500: 1); if that is \
              wanted, add --expect-status 404,500"
            ]
        );
        assert_eq!(
            reasons(|e| e.statuses = vec![(500, 100_000)]),
            [
                "all 100,000 replies had an error status (500); if that is wanted, add \
              --expect-status 500"
            ]
        );
        let wanted = |e: &mut Evidence| {
            some(e);
            e.expected_statuses = "200,404,5xx".parse().ok();
        };
        assert_eq!(reasons(wanted), [""; 0]);
        let other = |e: &mut Evidence| {
            some(e);
            e.expected_statuses = "404".parse().ok();
        };
        assert_eq!(
            reasons(other),
            ["98,801 of 100,000 replies had a status other than 404 (200: 98,800, 500: 1)"]
        );
        let redirects = |e: &mut Evidence| e.statuses = vec![(302, 100_000)];
        assert_eq!(reasons(redirects), [""; 0]);
    }

    #[test]
    fn a_server_without_keep_alive_is_one_reason_with_its_remedy() {
        let closes = |e: &mut Evidence| {
            e.errors = 100_000;
            e.lost_behind_last_reply = 100_000;
            e.last_replies = 100_000;
            e.accounting.lost = 899_900;
            e.accounting.sent = 1_000_000;
            e.mean_latency_s = 0.02;
            e.connections.reconnects = 99_900;
        };
        assert_eq!(
            reasons(closes),
            [
                "the server does not keep connections open, so 899,900 of 1,000,000 requests were \
                 lost behind its 100,000 replies; measure it with -p 1"
            ]
        );
        let limits = |e: &mut Evidence| {
            e.errors = 90;
            e.lost_behind_last_reply = 90;
            e.last_replies = 100;
            e.accounting.lost = 300;
        };
        assert_eq!(
            reasons(limits),
            [
                "the server ended 100 connections, and 300 of 100,900 requests were lost behind \
                 them; raise its limit of requests on a connection, or measure it with -p 1"
            ]
        );
        let with_another = |e: &mut Evidence| {
            closes(e);
            e.errors += 1;
        };
        assert_eq!(reasons(with_another)[1], "1 error");
        let one_at_a_time = |e: &mut Evidence| {
            e.pipelining = 1;
            e.last_replies = 100_000;
            e.mean_latency_s = 0.0053;
            e.connections.reconnects = 99_900;
        };
        assert_eq!(
            reasons(one_at_a_time),
            [
                "connections were busy 53 % of the time; the rest went into 99,900 connects, which \
              the rate includes and the latency does not"
            ]
        );
    }

    #[test]
    fn connections_that_are_missing_or_late_are_a_reason() {
        let missing = |e: &mut Evidence| {
            e.connections.opened = 60;
            e.mean_latency_s = 0.06;
        };
        assert_eq!(
            reasons(missing),
            [
                "connected 60 of 100, the last after 0.0 s; lower -c, or raise the server's limit on \
              connections"
            ]
        );
        let late = |e: &mut Evidence| e.connections.last_after_s = 1.04;
        assert_eq!(
            reasons(late),
            [
                "connected 100 of 100, the last after 1.0 s; lower -c, raise the server's backlog, \
              or run longer"
            ]
        );
        assert_eq!(reasons(|e| e.connections.last_after_s = 0.4), [""; 0]);
        let unserved = |e: &mut Evidence| {
            e.connections.unserved = 1;
            e.mean_latency_s = 0.06;
        };
        assert_eq!(
            reasons(unserved),
            [
                "1 of 100 connections got no reply for half of the run or longer; lower -c, or raise \
              the server's limit on connections"
            ]
        );
        // A short amount is done before all are open; a server that closes leaves gaps.
        let short_amount = |e: &mut Evidence| {
            e.connections.opened = 60;
            e.until = Until::Amount(100_000);
            e.duration_s = 0.05;
        };
        assert_eq!(reasons(short_amount), [""; 0]);
        let reconnecting = |e: &mut Evidence| {
            e.connections.opened = 90;
            e.connections.reconnects = 100_000;
        };
        assert_eq!(reasons(reconnecting), [""; 0]);
    }

    #[test]
    fn a_pause_much_longer_than_the_percentiles_is_a_reason() {
        let pause = |ms, top_percentile| {
            reasons(move |e| {
                e.pause.ms = ms;
                e.top_percentile = top_percentile;
                // The pause is in the first half.
                e.rates[..3].copy_from_slice(&[10_000.0, 500.0, 10_000.0]);
            })
        };
        let pauses = |ms, top| {
            pause(ms, top)
                .iter()
                .any(|r| r.starts_with("no reply came"))
        };
        assert_eq!(
            pause(950.0, Some((99.0, 8.0))),
            [
                "no reply came for 950 ms at 2.0 s, where 99 % of requests took at most 8.00 ms; a \
              closed loop sends little in such a pause, so its percentiles hide it"
            ]
        );
        // Shorter than a hundredth of the run; no longer than some requests; unknown.
        assert!(!pauses(99.0, Some((99.0, 8.0))));
        assert!(pauses(101.0, Some((99.0, 8.0))));
        let long_run = reasons(|e| {
            e.pause.ms = 950.0;
            e.duration_s = 100.0;
            e.mean_latency_s = 1.0;
        });
        assert_eq!(long_run, [""; 0]);
        assert!(!pauses(950.0, Some((99.0, 100.0))));
        assert!(!pauses(950.0, None));
    }
}
