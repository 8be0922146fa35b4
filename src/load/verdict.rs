//! The verdict of a run on itself: a list of self-tests, each passed, failed or not applicable. The
//! reasons for doubt are the failed ones. Each fact is reported once: a test whose failure would
//! follow from that of another test is then not applicable.

mod client;
mod connections;
mod replies;
mod steadiness;

pub(super) use connections::little_ratio;
pub(super) use steadiness::Steadiness;

use super::Warning;
use super::accounting::Accounting;
use super::plan::{Refill, Until};
use super::report::{Check, CheckResult, Verdict};
use super::statistics::arrivals_check::LawBroken;
use super::status::ExpectedStatuses;
use crate::event_loop::Time;

/// The figures that a verdict rests on.
#[derive(Clone, Debug)]
pub(in crate::load) struct Evidence {
    pub(in crate::load) accounting: Accounting,
    /// Errors of connections, and timeouts.
    pub(in crate::load) errors: u64,
    /// The part of them whose requests were lost behind a reply that ended the connection.
    pub(in crate::load) lost_behind_last_reply: u64,
    /// Replies that ended their connection.
    pub(in crate::load) last_replies: u64,
    pub(in crate::load) wrong_bodies: u64,
    pub(in crate::load) gave_up: bool,
    pub(in crate::load) bailed_out: bool,
    /// It ended before the warm-up was over.
    pub(in crate::load) in_warm_up: bool,
    pub(in crate::load) first_error: Option<String>,
    /// Of a core, that of the busiest worker.
    pub(in crate::load) cpu_share: f64,
    pub(in crate::load) workers: u32,
    /// Time that all slots spent on requests with a reply, until it was read.
    pub(in crate::load) answered_s: f64,
    pub(in crate::load) started: Time,
    pub(in crate::load) duration_s: f64,
    pub(in crate::load) connections: Connections,
    /// `None` in a closed loop.
    pub(in crate::load) schedule: Option<Schedule>,
    pub(in crate::load) pipelining: usize,
    pub(in crate::load) refill: Refill,
    pub(in crate::load) until: Until,
    /// Time that all slots spent on requests without a reply.
    pub(in crate::load) unanswered_s: f64,
    /// Time that all connections were not open.
    pub(in crate::load) connecting_s: f64,
    /// Length of a warm-up whose end was not found.
    pub(in crate::load) unfinished_warm_up_s: Option<f64>,
    pub(in crate::load) steadiness: Steadiness,
    /// Status codes with their counts.
    pub(in crate::load) statuses: Vec<(u16, u64)>,
    pub(in crate::load) expected_statuses: Option<ExpectedStatuses>,
    /// The longest time without a reply; `None` if several workers have none in common.
    pub(in crate::load) pause: Option<Pause>,
    /// `None` without pauses of the client.
    pub(in crate::load) client_pauses: Option<ClientPauses>,
    /// The highest percentile with enough samples, and its latency in ms.
    pub(in crate::load) top_percentile: Option<(f64, f64)>,
}

/// Connections of a run.
#[derive(Clone, Copy, Debug)]
pub(in crate::load) struct Connections {
    pub(in crate::load) asked: usize,
    /// The most that were open at once.
    pub(in crate::load) opened: usize,
    /// Those that got no reply for half of the run or more.
    pub(in crate::load) unserved: usize,
    pub(in crate::load) reconnects: u64,
    pub(in crate::load) last_after_s: f64,
}

/// Evidence that an open loop adds.
#[derive(Clone, Debug)]
pub(in crate::load) struct Schedule {
    /// The highest percentile with enough requests of the time by which they were sent
    /// late though a slot was free, and that time in ms.
    pub(in crate::load) client_lag: Option<(f64, f64)>,
    /// A request that is too late is not sent.
    pub(in crate::load) has_deadline: bool,
    /// Properties of the planned arrivals that the requests lack; `None` if too few were due.
    pub(in crate::load) laws_broken: Option<Vec<LawBroken>>,
}

/// A time without any reply.
#[derive(Clone, Copy, Debug)]
pub(in crate::load) struct Pause {
    pub(in crate::load) ms: f64,
    /// The part of it in which the client itself paused.
    pub(in crate::load) client_ms: f64,
    pub(in crate::load) began_s: f64,
}

/// Times in which the client did not read what had arrived.
#[derive(Clone, Copy, Debug)]
pub(in crate::load) struct ClientPauses {
    pub(in crate::load) count: u64,
    pub(in crate::load) total_ms: f64,
    /// Of the time of all workers.
    pub(in crate::load) share: f64,
    pub(in crate::load) longest_ms: f64,
    pub(in crate::load) longest_at_s: f64,
    /// Latencies include the pauses: not with the kernel's stamps.
    pub(in crate::load) in_latencies: bool,
}

/// The outcome of one self-test.
enum Outcome {
    /// With the figure that passed.
    Passed(String),
    Failed(Warning),
    /// With the reason why it says nothing about this run.
    NotApplicable(&'static str),
}

impl Outcome {
    /// Failed with this warning, or passed.
    fn of(warning: Option<Warning>, passed: impl FnOnce() -> String) -> Outcome {
        match warning {
            Some(warning) => Outcome::Failed(warning),
            None => Outcome::Passed(passed()),
        }
    }

    fn has_failed(&self) -> bool {
        matches!(self, Outcome::Failed(_))
    }

    /// The same, if nothing else explains it.
    fn unless(self, explained: bool, by: &'static str) -> Outcome {
        match explained {
            true => Outcome::NotApplicable(by),
            false => self,
        }
    }
}

/// Runs every self-test; the verdict is their sum.
pub(super) fn judge(evidence: &Evidence) -> (Vec<Check>, Verdict) {
    let outcomes = outcomes(evidence);
    let reasons = outcomes.iter().filter_map(|(_, outcome)| match outcome {
        Outcome::Failed(warning) => Some(warning.clone()),
        _ => None,
    });
    let reasons: Vec<Warning> = reasons.collect();
    let verdict = Verdict {
        valid: reasons.is_empty(),
        reasons,
    };
    let checks = outcomes
        .into_iter()
        .map(|(name, outcome)| check(name, outcome));
    (checks.collect(), verdict)
}

fn check(name: &'static str, outcome: Outcome) -> Check {
    let (result, detail, advice) = match outcome {
        Outcome::Passed(detail) => (CheckResult::Passed, detail, None),
        Outcome::NotApplicable(why) => (CheckResult::NotApplicable, why.to_owned(), None),
        Outcome::Failed(warning) => (CheckResult::Failed, warning.finding(), warning.advice()),
    };
    Check {
        name,
        result,
        detail,
        advice,
    }
}

/// All self-tests, in the order in which reasons are reported.
fn outcomes(evidence: &Evidence) -> Vec<(&'static str, Outcome)> {
    let samples = ("samples", replies::samples(evidence));
    if evidence.accounting.completed == 0 {
        return vec![samples];
    }
    let keep_alive = replies::keep_alive(evidence);
    let connections = connections::connections(evidence);
    let served = connections::served(evidence);
    let backlog = client::backlog(evidence);
    let silence = steadiness::silence(evidence);
    // Each of them leaves slots empty or without a latency.
    let slots_are_empty =
        keep_alive.has_failed() || connections.has_failed() || served.has_failed();
    let (queue_grows, is_silent) = (backlog.has_failed(), silence.has_failed());
    let littles_law =
        connections::littles_law(evidence).unless(slots_are_empty, "explained by the connections");
    let warm_up =
        steadiness::warm_up(evidence).unless(queue_grows, "the queue of due requests grows");
    let stationarity = steadiness::stationarity(evidence)
        .unless(queue_grows, "the queue of due requests grows")
        .unless(is_silent, "explained by the longest silence");
    let arrivals = client::arrivals(evidence).unless(queue_grows, "not every due request was sent");
    vec![
        samples,
        ("statuses", replies::statuses(evidence)),
        ("keepAlive", keep_alive),
        ("errors", replies::errors(evidence)),
        ("bodies", replies::bodies(evidence)),
        ("connections", connections),
        ("served", served),
        ("clientCpu", client::cpu(evidence)),
        ("clientStalls", client::stalls(evidence)),
        ("backlog", backlog),
        ("lateness", client::lateness(evidence)),
        ("arrivals", arrivals),
        ("littlesLaw", littles_law),
        ("silence", silence),
        ("warmUp", warm_up),
        ("stationarity", stationarity),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::statistics::stationarity::{Change, Series, Shape};

    const SLOWER: Change = Change {
        series: Series::Rate,
        shape: Shape::Shift,
        before: 10_000.0,
        after: 8_900.0,
        at: Time::from_ns(8_500_000_000),
    };

    fn silent_for(ms: f64) -> Option<Pause> {
        Some(Pause {
            ms,
            client_ms: 0.0,
            began_s: 2.0,
        })
    }

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
            in_warm_up: false,
            first_error: None,
            cpu_share: 0.5,
            workers: 1,
            answered_s: 0.1 * 100_000.0,
            started: Time::from_ns(1_000_000_000),
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
            unanswered_s: 0.0,
            connecting_s: 0.0,
            unfinished_warm_up_s: None,
            steadiness: Steadiness {
                warm_up_s: None,
                change: Ok(None),
                is_ramp: false,
            },
            statuses: vec![(200, 100_000)],
            expected_statuses: None,
            pause: silent_for(99.0),
            client_pauses: None,
            top_percentile: Some((99.0, 8.0)),
        }
    }

    fn reasons(change: impl FnOnce(&mut Evidence)) -> Vec<String> {
        let mut evidence = sound();
        change(&mut evidence);
        let (checks, verdict) = judge(&evidence);
        let failed = checks
            .iter()
            .filter(|check| check.result == CheckResult::Failed);
        let failed: Vec<String> = failed.map(Check::to_string).collect();
        let reasons: Vec<String> = verdict.reasons.iter().map(Warning::to_string).collect();
        assert_eq!(failed, reasons);
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
        one(|e| e.cpu_share = 0.9, "the client was busy 90 %");
        let two_workers = |e: &mut Evidence| (e.cpu_share, e.workers) = (0.9, 2);
        one(
            two_workers,
            "the busiest of the client's 2 workers was busy 90 %",
        );
        one(
            |e| e.answered_s = 9_000.0,
            "in flight only 90 % of the time: this client refilled them late",
        );
        one(
            |e| e.answered_s = 10_600.0,
            "106 % of the connections' time",
        );
        one(|e| e.errors = 1, "1 error");
        one(|e| e.wrong_bodies = 2, "2 replies had a body other");
        one(|e| e.bailed_out = true, "ended early, after 0 errors");
        let in_warm_up = |e: &mut Evidence| (e.bailed_out, e.in_warm_up) = (true, true);
        one(in_warm_up, "ended in its warm-up, after 0 errors");
        one(|e| e.gave_up = true, "gave up after 100,000 replies");
        one(|e| e.accounting.completed = 99, "only 99 replies");
        one(|e| e.accounting.completed = 0, "no reply");
        one(
            |e| e.steadiness.change = Ok(Some(SLOWER)),
            "from 10,000 to 8,900 replies a second at 7.5 s",
        );
        let warm_up = |e: &mut Evidence| {
            e.steadiness.warm_up_s = Some(2.5);
        };
        one(warm_up, "the first 2.5 s");
    }

    #[test]
    fn what_was_never_sent_is_put_down_to_its_cause() {
        let open = |has_deadline, lag_ms| {
            reasons(move |e| {
                e.accounting.never_sent = 2_000;
                e.schedule = Some(Schedule {
                    client_lag: Some((99.0, lag_ms)),
                    has_deadline,
                    laws_broken: None,
                });
            })
        };
        let never = "2,000 of 100,900 requests that were due were never sent: ";
        let server = "all connections were waiting for the server; lower -R, or raise -c";
        assert_eq!(open(false, 0.1), [format!("{never}{server}")]);
        assert!(open(true, 0.1)[0].contains("or past --deadline"));
        for has_deadline in [false, true] {
            let late = open(has_deadline, 900.0);
            let client =
                "this client could not send them in time; use more workers (-w), or lower -R";
            assert_eq!(late[0], format!("{never}{client}"));
            assert_eq!(late.len(), 2, "{late:?}");
        }
    }

    #[test]
    fn small_deviations_are_no_reason() {
        assert_eq!(reasons(|e| e.cpu_share = 0.899), [""; 0]);
        assert_eq!(reasons(|e| e.answered_s = 9_600.0), [""; 0]);
        assert_eq!(reasons(|e| e.duration_s = 0.9), [""; 0]);
    }

    #[test]
    fn empty_slots_of_a_batch_are_not_held_against_it() {
        let batch = |e: &mut Evidence| {
            e.refill = Refill::Batch;
            e.answered_s = 5_000.0;
        };
        assert_eq!(reasons(batch), [""; 0]);
        let one_a_connection = |e: &mut Evidence| {
            batch(e);
            e.pipelining = 1;
            e.answered_s = 500.0;
        };
        assert_eq!(reasons(one_a_connection).len(), 1);
    }

    #[test]
    fn replies_with_an_error_status_are_a_reason_unless_they_are_expected() {
        let some = |e: &mut Evidence| e.statuses = vec![(200, 98_800), (404, 1_199), (500, 1)];
        assert_eq!(
            reasons(some),
            [
                "1,200 of 100,000 replies had an error status (404: 1,199, 500: 1); if that is \
              expected, add --expect-status 200,404,500"
            ]
        );
        assert_eq!(
            reasons(|e| e.statuses = vec![(500, 100_000)]),
            [
                "all 100,000 replies had an error status (500); if that is expected, add \
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
            e.answered_s = 2_000.0;
            e.connections.reconnects = 99_900;
        };
        assert_eq!(
            reasons(closes),
            [
                "the server does not keep connections open: it closed them after 100,000 replies, \
                 and 899,900 of 1,000,000 requests that had been sent behind these replies were \
                 lost; measure it with -p 1"
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
                "the server closed 100 connections, and 300 of 100,900 requests that were in \
                 flight on them were lost; raise its limit of requests on a connection, or measure \
                 it with -p 1"
            ]
        );
        let with_another = |e: &mut Evidence| {
            closes(e);
            e.errors += 1;
        };
        assert_eq!(reasons(with_another)[1], "1 error");
    }

    #[test]
    fn connecting_counts_in_littles_law() {
        let one_at_a_time = |e: &mut Evidence| {
            e.pipelining = 1;
            e.last_replies = 100_000;
            e.answered_s = 530.0;
            e.connections.reconnects = 99_900;
        };
        let idle = "connections had a request in flight only 53 % of the time: this client refilled them \
             late; give it a core of its own, or use more workers (-w)";
        assert_eq!(reasons(one_at_a_time), [idle]);
        let connecting = |e: &mut Evidence| {
            one_at_a_time(e);
            e.connecting_s = 470.0;
        };
        assert_eq!(reasons(connecting), [""; 0]);
    }

    #[test]
    fn connections_that_are_missing_or_late_are_a_reason() {
        let missing = |e: &mut Evidence| {
            e.connections.opened = 60;
            e.answered_s = 6_000.0;
        };
        assert_eq!(
            reasons(missing),
            [
                "connected 60 of 100, the last after 0.0 s; lower -c, or raise the server's limit on \
              connections"
            ]
        );
        let late = |e: &mut Evidence| e.connections.last_after_s = 1.04;
        let closing = |e: &mut Evidence| {
            late(e);
            e.connections.reconnects = 100_000;
        };
        assert_eq!(reasons(closing), [""; 0]);
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
            e.answered_s = 6_000.0;
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
    fn pauses_of_the_client_are_a_reason_where_they_reach_a_percentile() {
        let stalls = |total_ms, duration_s| {
            reasons(move |e| {
                e.client_pauses = Some(ClientPauses {
                    in_latencies: true,
                    count: 10,
                    total_ms,
                    share: total_ms / 1e3 / duration_s,
                    longest_ms: 50.4,
                    longest_at_s: 3.25,
                });
                e.duration_s = duration_s;
                e.answered_s = 1_000.0 * duration_s;
            })
        };
        assert_eq!(
            stalls(502.0, 10.0),
            [
                "this client paused 10 times, 502 ms in total (longest 50.4 ms, at 3.2 s), and the \
              latencies include it; give it a core of its own, and stop what else runs on this machine"
            ]
        );
        assert_eq!(stalls(9.9, 10.0), [""; 0]);
        assert_eq!(stalls(90.0, 0.9), [""; 0], "too short");
    }

    #[test]
    fn a_pause_of_the_client_is_not_told_as_one_of_the_server() {
        let silence = |client_ms| {
            reasons(move |e| {
                e.pause = silent_for(950.0).map(|pause| Pause { client_ms, ..pause });
            })
        };
        assert_eq!(silence(849.0).len(), 1);
        assert_eq!(silence(851.0), [""; 0]);
    }

    #[test]
    fn a_pause_much_longer_than_the_percentiles_is_a_reason() {
        let pause = |ms, top_percentile| {
            reasons(move |e| {
                e.pause = silent_for(ms);
                e.top_percentile = top_percentile;
                // The rate is lower in the half with the pause.
                e.steadiness.change = Ok(Some(SLOWER));
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
                "no reply came for 950 ms at 2.0 s, where 99 % of requests took at most 8.00 ms; \
              measure with -R: a closed loop sends little in such a silence, so its percentiles hide it"
            ]
        );
        // Shorter than a hundredth of the run; no longer than some requests; unknown.
        assert!(!pauses(99.0, Some((99.0, 8.0))));
        assert!(pauses(101.0, Some((99.0, 8.0))));
        let long_run = reasons(|e| {
            e.pause = silent_for(950.0);
            e.duration_s = 100.0;
            e.answered_s = 100_000.0;
        });
        assert_eq!(long_run, [""; 0]);
        assert!(!pauses(950.0, Some((99.0, 100.0))));
        assert!(!pauses(950.0, None));
    }

    #[test]
    fn an_open_loop_is_judged_by_its_schedule() {
        let open_loop = |change: &dyn Fn(&mut Evidence)| {
            reasons(|e| {
                e.schedule = Some(Schedule {
                    client_lag: Some((99.0, 0.9)),
                    has_deadline: false,
                    laws_broken: Some(Vec::new()),
                });
                e.cpu_share = 1.0;
                change(e);
            })
        };
        let never_sent = |e: &mut Evidence, requests| {
            e.accounting.never_sent += requests;
            e.accounting.due += requests;
        };
        assert_eq!(open_loop(&|_| {}), [""; 0]);
        assert_eq!(open_loop(&|e| never_sent(e, 1000)), [""; 0]);
        let schedule = |e: &mut Evidence, lag_ms, laws_broken| {
            e.schedule = Some(Schedule {
                client_lag: Some((99.0, lag_ms)),
                has_deadline: false,
                laws_broken,
            });
        };
        assert_eq!(open_loop(&|e| schedule(e, 1.1, None)).len(), 1);
        let law = LawBroken::Count {
            sent: 900,
            asked: 1000.0,
        };
        let broken = |e: &mut Evidence| schedule(e, 0.9, Some(vec![law]));
        assert_eq!(open_loop(&broken).len(), 1);
        assert_eq!(open_loop(&|e| never_sent(e, 2000)).len(), 1);
    }

    /// 100 connections of ten slots have 10,000 s of slots.
    #[test]
    fn littles_law_adds_requests_with_and_without_a_reply_and_empty_connections() {
        let mut evidence = sound();
        evidence.answered_s = 5_000.0;
        evidence.unanswered_s = 1_000.0;
        evidence.connecting_s = 200.0;
        assert_eq!(little_ratio(&evidence), Some(0.8));
    }
}
