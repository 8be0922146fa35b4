//! The client under a clock of our own, with replies from a script: exact reports, no sockets.

mod in_turn;
mod queueing;
mod together;

use std::io;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use super::client::{LoadClient, LoadConn, RunEnd, RunRecord};
use super::report::{Accounting, CheckResult, Circumstances, Cost, WarmUpFound};
use super::schedule::{Arrivals, Rate};
use super::withheld::Withheld;
use super::{
    LoadPlan, LoadReport, OpenLoopPlan, Refill, Request, RunPhase, Target, Until, WarmUp, Warning,
};
use crate::event_loop::{AfterClose, Closed, Flow, Protocol, Time, TurnResult, Wait, WriteQueue};

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const LAST_REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";

pub(super) fn plan(url: &str) -> LoadPlan {
    let target = Target::parse(url).expect("a URL");
    LoadPlan {
        requests: Request::get(&target).into(),
        target,
        tls: None,
        connections: 1,
        pipelining: 10,
        warm_up: WarmUp::None,
        until: Until::Duration(Duration::from_secs(5)),
        timeout: Duration::from_secs(10),
        refill: Refill::Rolling,
        open_loop: None,
        expected_body: None,
        expected_statuses: None,
        bailout: None,
        requests_per_connection: None,
        kernel_timestamps: false,
        workers: NonZeroU32::MIN,
        share: None,
        start_at: None,
        title: None,
    }
}

fn amount(requests: u64) -> LoadPlan {
    LoadPlan {
        until: Until::Amount(requests),
        ..plan("http://localhost")
    }
}

fn ms(ms: u64) -> Time {
    Time::from_ns(ms * 1_000_000)
}

/// The loop's side of the contract, one step at a time.
struct Bench<'a> {
    client: LoadClient<'a>,
    request_bytes: usize,
}

/// A connection and what is queued for it.
struct Line {
    conn: LoadConn,
    out: WriteQueue,
}

/// Plays `script` to a client for `plan`; the report must balance.
fn play(plan: LoadPlan, script: impl FnOnce(&mut Bench<'_>)) -> LoadReport {
    let mut ignore = |_| {};
    let mut bench = Bench {
        client: LoadClient::new(&plan, &mut ignore),
        request_bytes: plan.requests[0].render(&plan.target).len(),
    };
    assert!(matches!(bench.turn(0), TurnResult::Run { .. }));
    script(&mut bench);
    let outcome = bench.client.finish();
    let report = LoadReport::new(&plan, &outcome, five_seconds());
    assert!(report.accounting.is_balanced(), "{:?}", report.accounting);
    if plan.warm_up == WarmUp::None {
        assert_timeline_adds_up(&report);
    }
    report
}

/// Five seconds, with 1 % of a core.
fn five_seconds() -> Circumstances {
    Circumstances {
        address: "127.0.0.1:80".into(),
        start: SystemTime::UNIX_EPOCH,
        finish: SystemTime::UNIX_EPOCH + Duration::from_secs(5),
        cost: Cost {
            cpu: Duration::from_millis(50),
            wall: Duration::from_secs(5),
        },
        withheld: Withheld::default(),
    }
}

/// Asserts that the charts show the figures that were counted.
fn assert_timeline_adds_up(report: &LoadReport) {
    let (intervals, counts) = (&report.timeline.intervals, &report.accounting);
    let answered = intervals.iter().map(|interval| interval.answered.total());
    assert_eq!(answered.sum::<u64>(), counts.completed);
    let sent = intervals.iter().map(|interval| interval.sent);
    // The last ones of each connection may have been queued, and not taken by the kernel.
    let untaken = sent.sum::<u64>() - counts.sent;
    assert!(untaken <= report.bundling.connects * report.pipelining as u64);
    if report.open_loop.is_some() {
        let due = report.timeline.due.iter();
        assert_eq!(due.sum::<u64>(), counts.due, "{:?}", report.timeline.due);
    }
}

impl Bench<'_> {
    fn turn(&mut self, at: u64) -> TurnResult {
        self.client.turn(ms(at), SystemTime::UNIX_EPOCH)
    }

    fn open(&mut self, at: u64) -> Line {
        let (line, flow) = self.try_open(at);
        assert_eq!(flow, Flow::Keep);
        line
    }

    /// As the loop does: `caught_up` follows `opened`.
    fn try_open(&mut self, at: u64) -> (Line, Flow) {
        let mut out = WriteQueue::new();
        let mut conn = self.client.opened(ms(at), &mut out);
        let flow = self.client.caught_up(&mut conn, ms(at), &mut out);
        (Line { conn, out }, flow)
    }

    /// Takes what is queued; how many requests it is.
    fn requests(&self, line: &mut Line) -> usize {
        let mut sink = Vec::new();
        line.out.flush(&mut sink).expect("a Vec takes everything");
        assert_eq!(sink.len() % self.request_bytes, 0);
        sink.len() / self.request_bytes
    }

    fn receive(&mut self, line: &mut Line, bytes: &[u8], at: u64) -> Flow {
        let Line { conn, out } = line;
        match self.client.received(conn, bytes, ms(at), out) {
            Flow::Keep => self.client.caught_up(conn, ms(at), out),
            flow => flow,
        }
    }

    /// Bytes that are not the last that have arrived.
    fn receive_a_part(&mut self, line: &mut Line, bytes: &[u8], at: u64) -> Flow {
        let Line { conn, out } = line;
        self.client.received(conn, bytes, ms(at), out)
    }

    fn close(&mut self, line: Line, why: Closed, at: u64) -> AfterClose {
        self.client.closed(Some(line.conn), why, ms(at))
    }

    fn peer_ends(&mut self, mut line: Line, at: u64) -> AfterClose {
        let flow = self.client.ended(&mut line.conn, ms(at), &mut line.out);
        assert_eq!(flow, Flow::Abort);
        self.close(line, Closed::Done, at)
    }
}

/// Ends the run at `at`, with `line` still open.
fn stop(bench: &mut Bench<'_>, line: Line, at: u64) {
    assert_eq!(bench.turn(at), TurnResult::Stop);
    assert_eq!(bench.close(line, Closed::Stopped, at), AfterClose::Forget);
}

#[test]
fn each_reply_has_the_latency_of_its_own_request() {
    let report = play(plan("http://localhost"), |bench| {
        let mut line = bench.open(10);
        assert_eq!(bench.requests(&mut line), 10);
        // Two replies after 20 ms, three more after 50; what they free is sent at those times.
        bench.receive(&mut line, &REPLY.repeat(2), 30);
        assert_eq!(bench.requests(&mut line), 2);
        bench.receive(&mut line, &REPLY.repeat(3), 60);
        assert_eq!(bench.requests(&mut line), 3);
        // Five of the first ten, then the two.
        bench.receive(&mut line, &REPLY.repeat(7), 110);
        assert_eq!(bench.requests(&mut line), 7);
        stop(bench, line, 5000);
    });
    let latency = &report.latency;
    assert_eq!(latency.total_count, 12);
    assert_eq!((latency.min, latency.max), (20.0, 100.0));
    // (2 x 20 + 3 x 50 + 5 x 100 + 2 x 80) / 12
    assert_eq!(latency.mean, 70.833_333);
    assert_eq!(
        report.accounting,
        Accounting {
            due: 22,
            sent: 22,
            completed: 12,
            in_flight: 10,
            ..Accounting::default()
        }
    );
    assert_eq!(report.throughput.total, 12 * REPLY.len() as u64);
    assert_eq!(report.bundling.requests_per_write, 5.5);
    assert_eq!(report.bundling.replies_per_read, 4.0);
    assert_eq!((report.errors, report.resets, report.non2xx), (0, 0, 0));
    assert_eq!(report.longest_silence_ms, Some(4890.0));
    assert_eq!((report.duration, report.samples), (5.0, 1));
    assert!(!report.interrupted);
}

#[test]
fn a_batch_is_refilled_when_all_of_it_is_answered() {
    let batch = LoadPlan {
        refill: Refill::Batch,
        ..plan("http://localhost")
    };
    let report = play(batch, |bench| {
        let mut line = bench.open(0);
        assert_eq!(bench.requests(&mut line), 10);
        bench.receive(&mut line, &REPLY.repeat(9), 10);
        assert_eq!(bench.requests(&mut line), 0);
        bench.receive(&mut line, REPLY, 20);
        assert_eq!(bench.requests(&mut line), 10);
        stop(bench, line, 5000);
    });
    assert_eq!(report.refill, "batch");
    assert_eq!(report.bundling.requests_per_write, 10.0);
}

#[test]
fn a_reply_that_is_cut_anywhere_is_timed_at_its_end() {
    for cut in 1..REPLY.len() {
        let report = play(plan("http://localhost"), |bench| {
            let mut line = bench.open(0);
            bench.receive(&mut line, REPLY, 1);
            bench.receive(&mut line, &REPLY[..cut], 5);
            bench.receive(&mut line, &REPLY[cut..], 7);
            stop(bench, line, 5000);
        });
        assert_eq!(report.latency.max, 7.0, "cut at {cut}");
        assert_eq!(report.accounting.completed, 2, "cut at {cut}");
    }
}

#[test]
fn an_amount_is_never_exceeded_and_ends_with_its_last_reply() {
    let report = play(amount(12), |bench| {
        let mut line = bench.open(0);
        assert_eq!(bench.requests(&mut line), 10);
        bench.receive(&mut line, &REPLY.repeat(9), 100);
        assert_eq!(bench.requests(&mut line), 2);
        bench.receive(&mut line, &REPLY.repeat(3), 200);
        assert_eq!(bench.requests(&mut line), 0);
        assert_eq!(bench.turn(250), TurnResult::Stop);
        bench.close(line, Closed::Stopped, 260);
    });
    assert_eq!((report.accounting.sent, report.duration), (12, 0.2));
    assert!(!report.is_failure());
}

#[test]
fn a_connection_with_nothing_left_to_send_is_closed_at_once() {
    let three = LoadPlan {
        connections: 3,
        ..amount(11)
    };
    let report = play(three, |bench| {
        let mut first = bench.open(0);
        let mut second = bench.open(1);
        assert_eq!(bench.requests(&mut second), 1);
        assert_eq!(bench.receive(&mut second, REPLY, 2), Flow::Abort);
        assert_eq!(bench.close(second, Closed::Done, 2), AfterClose::Forget);
        let (mut late, flow) = bench.try_open(3);
        assert_eq!(flow, Flow::Abort);
        assert_eq!(bench.requests(&mut late), 0);
        assert_eq!(bench.close(late, Closed::Done, 3), AfterClose::Forget);
        assert_eq!(bench.receive(&mut first, &REPLY.repeat(10), 4), Flow::Abort);
        assert_eq!(bench.turn(5), TurnResult::Stop);
        bench.close(first, Closed::Stopped, 5);
    });
    assert_eq!((report.errors, report.resets), (0, 0));
}

#[test]
fn what_an_amount_lost_is_sent_again() {
    let report = play(amount(12), |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, REPLY, 10);
        let reset = Closed::Failed(io::ErrorKind::ConnectionReset.into());
        assert_eq!(bench.close(line, reset, 20), AfterClose::Redial(ms(20)));
        let mut line = bench.open(30);
        assert_eq!(bench.requests(&mut line), 10);
        bench.receive(&mut line, &REPLY.repeat(10), 40);
        assert_eq!(bench.requests(&mut line), 1);
        bench.receive(&mut line, REPLY, 50);
        assert_eq!(bench.turn(60), TurnResult::Stop);
        bench.close(line, Closed::Stopped, 60);
    });
    assert_eq!(
        report.accounting,
        Accounting {
            due: 22,
            sent: 22,
            completed: 12,
            lost: 10,
            ..Accounting::default()
        }
    );
    assert_eq!((report.errors, report.error_kinds.reset), (1, 1));
    // Nobody knows how long they would have taken.
    assert_eq!((report.resets, report.latency.censored), (1, 10));
}

#[test]
fn what_of_an_amount_timed_out_is_sent_again() {
    let report = play(amount(12), |bench| {
        let mut line = bench.open(0);
        let flow = bench
            .client
            .overdue(&mut line.conn, ms(10_000), &mut line.out);
        assert_eq!(flow, Flow::Abort);
        bench.close(line, Closed::Done, 10_000);
        let mut line = bench.open(10_001);
        bench.receive(&mut line, &REPLY.repeat(10), 10_002);
        bench.receive(&mut line, &REPLY.repeat(2), 10_003);
        assert_eq!(bench.turn(10_004), TurnResult::Stop);
        bench.close(line, Closed::Stopped, 10_004);
    });
    assert_eq!(
        report.accounting,
        Accounting {
            due: 22,
            sent: 22,
            completed: 12,
            timed_out: 10,
            ..Accounting::default()
        }
    );
}

#[test]
fn an_amount_out_of_reach_is_given_up_and_failed() {
    let report = play(amount(5), |bench| {
        let refused = || Closed::NotConnected(io::ErrorKind::ConnectionRefused.into());
        bench.client.closed(None, refused(), ms(1));
        assert!(matches!(bench.turn(30_000), TurnResult::Run { .. }));
        assert_eq!(bench.turn(30_001), TurnResult::Stop);
    });
    assert!(report.gave_up && report.is_failure());
    assert_eq!(report.error_kinds.refused, 1);
}

#[test]
fn a_run_ends_early_after_the_errors_that_are_allowed() {
    let three = LoadPlan {
        bailout: Some(3),
        expected_body: Some(b"hello".to_vec()),
        ..plan("http://localhost")
    };
    let report = play(three, |bench| {
        let refused = || Closed::NotConnected(io::ErrorKind::ConnectionRefused.into());
        let mut line = bench.open(1);
        bench.receive(&mut line, REPLY, 2);
        bench.client.closed(None, refused(), ms(3));
        let wrong = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhallo";
        bench.receive(&mut line, wrong, 4);
        assert!(matches!(bench.turn(5), TurnResult::Run { .. }));
        bench.client.closed(None, refused(), ms(6));
        stop(bench, line, 7);
    });
    assert!(report.bailed_out && report.is_failure() && !report.interrupted);
    assert_eq!(report.duration, 0.007);
    let bailed_out = Warning::BailedOut {
        errors: 3,
        in_warm_up: false,
    };
    assert_eq!(report.verdict.reasons.first(), Some(&bailed_out));
}

#[test]
fn a_connection_is_closed_after_its_share_of_requests() {
    let fifteen = LoadPlan {
        requests_per_connection: Some(15),
        ..plan("http://localhost")
    };
    let report = play(fifteen, |bench| {
        let mut line = bench.open(0);
        assert_eq!(bench.requests(&mut line), 10);
        assert_eq!(bench.receive(&mut line, &REPLY.repeat(8), 1), Flow::Keep);
        assert_eq!(bench.requests(&mut line), 5);
        assert_eq!(bench.receive(&mut line, &REPLY.repeat(6), 2), Flow::Keep);
        assert_eq!(bench.requests(&mut line), 0);
        assert_eq!(bench.receive(&mut line, REPLY, 3), Flow::Abort);
        assert_eq!(
            bench.close(line, Closed::Done, 4),
            AfterClose::Redial(ms(4))
        );
        let mut line = bench.open(5);
        assert_eq!(bench.requests(&mut line), 10);
        stop(bench, line, 5000);
    });
    assert_eq!((report.errors, report.resets), (0, 0));
    assert_eq!(report.accounting.completed, 15);
}

#[test]
fn an_overdue_connection_loses_all_its_requests_to_the_timeout() {
    let report = play(plan("http://localhost"), |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, &REPLY.repeat(4), 100);
        // The oldest of the rest counts.
        assert_eq!(bench.client.deadline(&line.conn), ms(10_000));
        let flow = bench
            .client
            .overdue(&mut line.conn, ms(10_000), &mut line.out);
        assert_eq!(flow, Flow::Abort);
        assert_eq!(
            bench.close(line, Closed::Done, 10_000),
            AfterClose::Redial(ms(10_000))
        );
        assert_eq!(bench.turn(10_000), TurnResult::Stop);
    });
    let expected = Accounting {
        due: 14,
        sent: 14,
        completed: 4,
        timed_out: 10,
        ..Accounting::default()
    };
    assert_eq!(report.accounting, expected);
    assert_eq!((report.errors, report.timeouts, report.resets), (10, 10, 1));
    let first_error = report.first_error.as_deref();
    assert_eq!(first_error, Some("no reply within the timeout of 10s"));
}

#[test]
fn a_reply_that_comes_with_the_peers_end_draws_no_request() {
    let report = play(plan("http://localhost"), |bench| {
        let mut line = bench.open(0);
        assert_eq!(bench.requests(&mut line), 10);
        bench.receive_a_part(&mut line, REPLY, 1);
        assert_eq!(bench.requests(&mut line), 0, "more may have arrived");
        bench.peer_ends(line, 1);
        assert_eq!(bench.turn(5000), TurnResult::Stop);
    });
    let accounting = report.accounting;
    assert_eq!((accounting.sent, accounting.lost), (10, 9));
}

#[test]
fn a_server_that_closes_after_each_reply_loses_the_requests_behind_it() {
    let http10 = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    for last in [LAST_REPLY, http10] {
        let report = play(plan("http://localhost"), |bench| {
            for round in 0..3 {
                let mut line = bench.open(round * 10);
                assert_eq!(bench.requests(&mut line), 10);
                bench.receive(&mut line, last, round * 10 + 1);
                assert_eq!(bench.requests(&mut line), 0, "nothing goes to a lost cause");
                let reset = Closed::Failed(io::ErrorKind::ConnectionReset.into());
                bench.close(line, reset, round * 10 + 2);
            }
            assert_eq!(bench.turn(5000), TurnResult::Stop);
        });
        let expected = Accounting {
            due: 30,
            sent: 30,
            completed: 3,
            lost: 27,
            ..Accounting::default()
        };
        assert_eq!(report.accounting, expected);
        assert_eq!((report.errors, report.error_kinds.closed_early), (3, 3));
        assert_eq!(report.resets, 3);
        assert_is_without_keep_alive(&report, 27, 30, 3);
    }
}

fn assert_is_without_keep_alive(report: &LoadReport, lost: u64, sent: u64, last_replies: u64) {
    let expected = Warning::NoKeepAlive {
        lost,
        sent,
        last_replies,
        replies: last_replies,
    };
    let reasons = &report.verdict.reasons;
    assert!(reasons.contains(&expected), "{reasons:?}");
    let is_error = |reason: &Warning| matches!(reason, Warning::Errors { .. });
    assert!(!reasons.iter().any(is_error), "{reasons:?}");
}

#[test]
fn an_end_with_nothing_in_flight_is_no_error() {
    let one = LoadPlan {
        pipelining: 1,
        ..plan("http://localhost")
    };
    let report = play(one, |bench| {
        let mut line = bench.open(0);
        // RFC 9112 9.6: the client closes, whether or not the server does.
        assert_eq!(bench.receive(&mut line, LAST_REPLY, 1), Flow::Abort);
        assert_eq!(
            bench.close(line, Closed::Done, 1),
            AfterClose::Redial(ms(1))
        );
        let line = bench.open(3);
        stop(bench, line, 5000);
    });
    assert_eq!((report.errors, report.resets), (0, 0));
    assert_eq!(report.bundling.connects, 2);
}

#[test]
fn requests_that_wait_for_room_are_stamped_when_the_kernel_takes_them() {
    let report = play(plan("http://localhost"), |bench| {
        let mut line = bench.open(0);
        let request_bytes = bench.request_bytes;
        // The kernel took three requests and a byte of the fourth.
        let left = 7 * request_bytes - 1;
        bench.client.unsent(&mut line.conn, left, ms(0));
        bench.receive(&mut line, &REPLY.repeat(3), 10);
        // The three new requests wait too.
        let left = left + 3 * request_bytes;
        bench.client.unsent(&mut line.conn, left, ms(10));
        bench.client.unsent(&mut line.conn, 0, ms(100));
        bench.receive(&mut line, &REPLY.repeat(4), 110);
        stop(bench, line, 5000);
    });
    // Three took 10 ms, one 110 ms and three 10 ms.
    assert_eq!((report.latency.min, report.latency.max), (10.0, 110.0));
    assert_eq!(report.latency.mean, 24.285_714);
    assert_eq!(
        (report.accounting.sent, report.accounting.in_flight),
        (17, 10)
    );
}

#[test]
fn requests_that_the_kernel_never_took_were_not_sent() {
    let report = play(amount(20), |bench| {
        let mut line = bench.open(0);
        let left = 6 * bench.request_bytes;
        bench.client.unsent(&mut line.conn, left, ms(0));
        bench.close(line, Closed::Stalled, 10_000);
        let mut line = bench.open(10_001);
        assert_eq!(bench.requests(&mut line), 10);
        let left = 9 * bench.request_bytes;
        bench.client.unsent(&mut line.conn, left, ms(10_001));
        assert!(bench.client.deadline(&line.conn) < Time::NEVER);
        bench.close(line, Closed::Stopped, 10_002);
    });
    let counts = report.accounting;
    assert_eq!((counts.sent, counts.timed_out, counts.in_flight), (5, 4, 1));
    assert_eq!(report.resets, 1);
    let first_error = report.first_error.expect("one");
    assert!(
        first_error.starts_with("the server read nothing"),
        "{first_error}"
    );
}

#[test]
fn an_end_in_the_middle_is_closed_early() {
    let report = play(plan("http://localhost"), |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, &REPLY[..20], 1);
        bench.peer_ends(line, 2);
        assert_eq!(bench.turn(5000), TurnResult::Stop);
    });
    assert_eq!(report.accounting.lost, 10);
    assert_eq!(report.error_kinds.closed_early, 1);
    assert!(report.is_failure());
    assert!(
        report.verdict.reasons[0]
            .to_string()
            .starts_with("no reply was completed")
    );
}

#[test]
fn a_body_that_ends_with_its_connection_is_complete_there() {
    let report = play(plan("http://localhost"), |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, b"HTTP/1.1 200 OK\r\n\r\nhello", 1);
        bench.peer_ends(line, 4);
        assert_eq!(bench.turn(5000), TurnResult::Stop);
    });
    assert_eq!(
        (report.accounting.completed, report.accounting.lost),
        (1, 9)
    );
    assert_eq!(report.latency.max, 4.0);
    assert_is_without_keep_alive(&report, 9, 10, 1);
}

#[test]
fn a_body_that_looks_like_the_learned_reply_is_a_body() {
    let length = REPLY.len();
    let head = format!("HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\n\r\n");
    let report = play(plan("http://localhost"), |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, REPLY, 1);
        bench.receive(&mut line, head.as_bytes(), 2);
        bench.receive(&mut line, REPLY, 3);
        stop(bench, line, 5000);
    });
    assert_eq!((report.status_2xx, report.status_4xx), (1, 1));
}

#[test]
fn a_reply_is_timed_by_the_stamp_of_its_own_read() {
    let report = play(plan("http://localhost"), |bench| {
        let mut line = bench.open(0);
        bench.client.arrived(ms(40));
        bench.receive(&mut line, REPLY, 50);
        // The kernel gave no stamp this time.
        bench.receive(&mut line, REPLY, 60);
        // The kernel's clock is a little ahead.
        bench.client.arrived(ms(71));
        bench.receive(&mut line, REPLY, 70);
        stop(bench, line, 5000);
    });
    assert_eq!((report.latency.min, report.latency.max), (40.0, 70.0));
    assert_eq!(report.latency.mean, 56.666_667);
}

#[test]
fn bytes_that_are_no_reply_end_the_connection_with_one_error() {
    let unasked = [&REPLY.repeat(10)[..], b"H"].concat();
    let after_last = [LAST_REPLY, REPLY].concat();
    for bad in [b"SSH-2.0-x\r\n\r\n".as_slice(), &unasked, &after_last] {
        let report = play(plan("http://localhost"), |bench| {
            let mut line = bench.open(0);
            assert_eq!(bench.receive(&mut line, bad, 1), Flow::Abort);
            bench.close(line, Closed::Done, 1);
            assert_eq!(bench.turn(5000), TurnResult::Stop);
        });
        assert_eq!((report.errors, report.error_kinds.bad_reply), (1, 1));
    }
}

#[test]
fn more_replies_than_requests_are_refused_on_the_fast_path_too() {
    let report = play(plan("http://localhost"), |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, REPLY, 1);
        assert_eq!(bench.receive(&mut line, &REPLY.repeat(11), 2), Flow::Abort);
        bench.close(line, Closed::Done, 2);
        assert_eq!(bench.turn(5000), TurnResult::Stop);
    });
    assert_eq!((report.accounting.completed, report.errors), (11, 1));
}

#[test]
fn statuses_and_bodies_are_told_apart() {
    let mixed = [
        REPLY,
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhullo",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        REPLY,
    ]
    .concat();
    for expected_body in [None, Some(b"hello".to_vec())] {
        let given = expected_body.is_some();
        let report = play(
            LoadPlan {
                expected_body,
                ..plan("http://localhost")
            },
            |bench| {
                let mut line = bench.open(0);
                bench.receive(&mut line, &mixed, 1);
                stop(bench, line, 5000);
            },
        );
        let by_class = (report.status_1xx, report.status_2xx, report.status_4xx);
        assert_eq!(by_class, (1, 4, 1));
        assert_eq!((report.accounting.completed, report.non2xx), (5, 1));
        // With a body expected, the 404 and the 204 have the wrong one too.
        let counts = (report.mismatches, report.varied_bodies, report.errors);
        assert_eq!(counts, if given { (3, 0, 0) } else { (0, 2, 0) });
    }
}

#[test]
fn failed_connects_back_off_by_rounds_and_a_success_forgives() {
    let two = LoadPlan {
        connections: 2,
        ..plan("http://localhost")
    };
    let report = play(two, |bench| {
        let mut fail = || {
            let refused = Closed::NotConnected(io::ErrorKind::ConnectionRefused.into());
            match bench.client.closed(None, refused, ms(0)) {
                AfterClose::Redial(at) => at.as_ns() / 1_000_000,
                AfterClose::Forget | AfterClose::Stop => panic!("a run goes on dialling"),
            }
        };
        let pauses: Vec<u64> = (0..6).map(|_| fail()).collect();
        assert_eq!(pauses, [5, 5, 10, 10, 20, 20]);
        assert_eq!((0..100).map(|_| fail()).max(), Some(1000));
        let line = bench.open(1);
        let refused = Closed::NotConnected(io::ErrorKind::AddrNotAvailable.into());
        assert_eq!(
            bench.client.closed(None, refused, ms(0)),
            AfterClose::Redial(ms(5))
        );
        stop(bench, line, 5000);
    });
    assert_eq!(report.error_kinds.refused, 106);
    assert_eq!(report.error_kinds.no_local_port, 1);
}

#[test]
fn an_interrupted_run_reports_what_it_has() {
    let report = play(plan("http://localhost"), |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, &REPLY.repeat(10), 1500);
        assert!(matches!(bench.turn(2000), TurnResult::Run { .. }));
        bench.close(line, Closed::Stopped, 2000);
        // Another connection was being dialled.
        assert_eq!(
            bench.client.closed(None, Closed::Stopped, ms(2000)),
            AfterClose::Forget
        );
    });
    assert!(report.interrupted);
    assert_eq!((report.duration, report.accounting.in_flight), (2.0, 10));
    assert_eq!(report.errors, 0);
}

#[test]
fn a_connection_without_a_reply_for_half_of_the_run_is_unserved() {
    let five = LoadPlan {
        connections: 5,
        ..plan("http://localhost")
    };
    let report = play(five, |bench| {
        let mut served = bench.open(0);
        // One reply, and then none for most of the run; no reply at all, twice; opened late.
        let mut stalled = bench.open(0);
        let unserved = bench.open(0);
        let unserved_later = bench.open(2500);
        let late = bench.open(2501);
        bench.receive(&mut stalled, REPLY, 1);
        for at in (0..5000).step_by(100) {
            bench.receive(&mut served, &REPLY.repeat(10), at);
        }
        assert_eq!(bench.turn(5000), TurnResult::Stop);
        for line in [served, stalled, unserved, unserved_later, late] {
            bench.close(line, Closed::Stopped, 5000);
        }
    });
    let reasons: Vec<String> = report
        .verdict
        .reasons
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        reasons
            .iter()
            .any(|reason| reason.starts_with("2 of 5 connections got no reply")),
        "{reasons:?}"
    );
}

#[test]
fn pauses_of_the_client_are_in_the_report_and_not_those_of_a_warm_up() {
    let warmed = LoadPlan {
        warm_up: WarmUp::For(Duration::from_secs(1)),
        ..plan("http://localhost")
    };
    let wait = |began, due, ended| Wait {
        began: ms(began),
        due: ms(due),
        ended: ms(ended),
    };
    let report = play(warmed, |bench| {
        let mut line = bench.open(0);
        bench.client.waited(wait(0, 10, 500));
        bench.turn(1_000);
        for start in (2_000..3_000).step_by(100) {
            bench.client.waited(wait(start - 44, start, start));
            bench.client.waited(wait(start, start + 4, start + 54));
            bench.turn(start + 54);
            bench.receive(&mut line, &REPLY.repeat(10), start + 54);
            bench
                .client
                .waited(wait(start + 55, start + 65, start + 56));
        }
        stop(bench, line, 6_000);
    });
    let client = &report.client;
    assert_eq!((client.pause_count, client.paused_ms), (10, 500.0));
    let pauses = client.pauses.iter().map(|pause| (pause.start_ms, pause.ms));
    let expected = (0..10).map(|n| (1_004.0 + f64::from(n) * 100.0, 50.0));
    assert!(pauses.eq(expected), "{:?}", client.pauses);
    assert_eq!(client.turn_ms.max, Some(1.0));
    let stalls = |reason: &&Warning| matches!(reason, Warning::ClientStalls { pauses: 10, .. });
    assert!(report.verdict.reasons.iter().any(|reason| stalls(&reason)));
}

#[test]
fn progress_tells_a_warm_up_from_the_run() {
    let warmed = LoadPlan {
        warm_up: WarmUp::For(Duration::from_secs(1)),
        ..plan("http://localhost")
    };
    let mut told = Vec::new();
    let mut note = |progress: crate::load::Progress| {
        told.push((progress.phase, progress.elapsed.as_millis()));
    };
    let mut client = LoadClient::new(&warmed, &mut note);
    for at in [0, 500, 999, 1000, 1700] {
        client.turn(ms(at), SystemTime::UNIX_EPOCH);
    }
    let (warm_up, run) = (RunPhase::WarmUp, RunPhase::Run);
    assert_eq!(
        told,
        [
            (warm_up, 0),
            (warm_up, 500),
            (warm_up, 999),
            (run, 0),
            (run, 700)
        ]
    );
}

#[test]
fn progress_is_told_ten_times_a_second_at_most() {
    let mut told = Vec::new();
    let mut note = |progress: super::Progress| told.push(progress.elapsed.as_millis());
    let mut client = LoadClient::new(&plan("http://localhost"), &mut note);
    for at in (1000..1250).step_by(10) {
        client.turn(ms(at), SystemTime::UNIX_EPOCH);
    }
    assert_eq!(told, [0, 100, 200]);
}

/// The other worker had little to do.
#[test]
fn a_busy_worker_is_a_busy_client() {
    let two = LoadPlan {
        workers: NonZeroU32::new(2).expect("not 0"),
        ..plan("http://localhost")
    };
    let record = |seconds| {
        let mut ignore = |_| {};
        RunRecord {
            worker_cpu: Duration::from_secs_f64(seconds),
            ..LoadClient::new(&two, &mut ignore).finish()
        }
    };
    let mut all = record(1.0);
    all.add(record(4.6));
    all.accounting.completed = 1000;
    let report = LoadReport::new(&two, &all, five_seconds());
    let client = &report.client;
    assert_eq!(
        (client.cpu_share, client.busiest_worker_share),
        (0.005, 0.92)
    );
    let busy = Warning::ClientBusy {
        cpu_share: 0.92,
        workers: 2,
    };
    let reasons = &report.verdict.reasons;
    assert!(reasons.contains(&busy), "{reasons:?}");
}

#[test]
fn progress_tells_replies_errors_and_unexpected_statuses() {
    let mut told = Vec::new();
    let mut note = |progress: super::Progress| {
        told.push((
            progress.completed,
            progress.errors,
            progress.unexpected_statuses,
        ));
    };
    let mut bench = Bench {
        client: LoadClient::new(&plan("http://localhost"), &mut note),
        request_bytes: 1,
    };
    bench.turn(0);
    let mut line = bench.open(0);
    let not_found = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    bench.receive(&mut line, &[REPLY, not_found, not_found].concat(), 50);
    let reset = Closed::Failed(io::ErrorKind::ConnectionReset.into());
    bench.close(line, reset, 60);
    bench.turn(100);
    assert_eq!(told, [(0, 0, 0), (3, 1, 2)]);
}

#[test]
fn the_client_wakes_for_the_end_of_its_run() {
    let short = LoadPlan {
        until: Until::Duration(Duration::from_millis(4500)),
        ..plan("http://localhost")
    };
    play(short, |bench| {
        let line = bench.open(0);
        assert_eq!(bench.turn(4495), TurnResult::Run { wake: ms(4500) });
        stop(bench, line, 4500);
    });
}

#[test]
fn json_keeps_autocannons_keys_and_null_for_unknown_tails() {
    let report = play(plan("http://localhost:8080/x"), |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, REPLY, 1);
        stop(bench, line, 5000);
    });
    let json = serde_json::to_value(&report).expect("plain data");
    assert_eq!(json["url"], "http://localhost:8080/x");
    assert_eq!(json["start"], "1970-01-01T00:00:00.000Z");
    // Ten of eleven requests have waited for five seconds and have no reply.
    assert_eq!(json["latency"]["p50"], 5000.0);
    assert_eq!(json["latency"]["lowerBoundsFrom"], "p50");
    assert_eq!(json["latency"]["censored"], 10);
    assert!(json["latency"]["p99"].is_null());
    assert_eq!(json["latency"]["totalCount"], 1);
    assert_eq!(json["requests"]["sent"], 11);
    assert!(json["throughput"].get("sent").is_none());
    assert_eq!(json["2xx"], 1);
    assert_eq!(json["statusCodeStats"]["200"]["count"], 1);
    assert_eq!(json["accounting"]["inFlight"], 10);
    assert_eq!(json["client"]["cpuSeconds"], 0.05);
    assert_eq!(json["client"]["cpuShare"], 0.01);
    assert!(json["openLoop"].is_null());
    for key in [
        "errors",
        "timeouts",
        "mismatches",
        "non2xx",
        "resets",
        "1xx",
        "sampleInt",
    ] {
        assert!(json[key].is_u64(), "{key}");
    }
}

#[test]
fn a_warm_up_leaves_nothing_behind_but_what_is_in_flight() {
    let warmed = LoadPlan {
        warm_up: WarmUp::For(Duration::from_secs(1)),
        until: Until::Duration(Duration::from_secs(2)),
        ..plan("http://localhost")
    };
    let report = play(warmed, |bench| {
        let mut line = bench.open(0);
        let not_found = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        bench.receive(&mut line, &not_found.repeat(10), 500);
        assert_eq!(bench.turn(1000), TurnResult::Run { wake: ms(1010) });
        bench.receive(&mut line, &REPLY.repeat(10), 1500);
        stop(bench, line, 3000);
    });
    let accounting = report.accounting;
    assert_eq!((accounting.sent, accounting.completed), (20, 10));
    assert_eq!((accounting.in_flight, report.non2xx), (10, 0));
    assert_eq!((report.duration, report.requests.total), (2.0, 10));
    // Sent in the warm-up, answered in the run.
    assert_eq!(report.latency.max, 1000.0);
    assert_eq!(report.start, "1970-01-01T00:00:01.000Z");
    assert_eq!(report.warm_up.map(|warm_up| warm_up.seconds), Some(1.0));
    assert_eq!(report.bundling.connects, 1);
}

/// What was measured in a warm-up is not the run, however it ends.
#[test]
fn a_stop_in_the_warm_up_is_no_run() {
    let warmed = |bailout| LoadPlan {
        warm_up: WarmUp::For(Duration::from_secs(1)),
        bailout,
        ..plan("http://localhost")
    };
    let ended = |stopped_at| {
        let plan = warmed(None);
        let mut ignore = |_| {};
        let mut bench = Bench {
            client: LoadClient::new(&plan, &mut ignore),
            request_bytes: plan.requests[0].render(&plan.target).len(),
        };
        bench.turn(0);
        let mut line = bench.open(0);
        bench.receive(&mut line, REPLY, 500);
        bench.turn(stopped_at);
        bench.close(line, Closed::Stopped, stopped_at);
        bench.client.finish().end
    };
    assert_eq!(ended(999), RunEnd::StillWarming);
    assert_eq!(ended(1000), RunEnd::Interrupted);
    let report = play(warmed(Some(1)), |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, &REPLY.repeat(2), 500);
        let refused = Closed::NotConnected(io::ErrorKind::ConnectionRefused.into());
        bench.client.closed(None, refused, ms(600));
        stop(bench, line, 610);
    });
    let bailed_out = Warning::BailedOut {
        errors: 1,
        in_warm_up: true,
    };
    assert_eq!(report.verdict.reasons.first(), Some(&bailed_out));
}

#[test]
fn what_a_warm_up_met_is_forgotten() {
    let warmed = LoadPlan {
        warm_up: WarmUp::For(Duration::from_secs(3)),
        until: Until::Duration(Duration::from_secs(2)),
        ..plan("http://localhost")
    };
    let report = play(warmed, |bench| {
        let refused = Closed::NotConnected(io::ErrorKind::ConnectionRefused.into());
        bench.client.closed(None, refused, ms(0));
        let mut line = bench.open(1);
        let not_found = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        bench.receive(&mut line, &not_found.repeat(10), 500);
        let reset = Closed::Failed(io::ErrorKind::ConnectionReset.into());
        bench.close(line, reset, 600);
        let mut line = bench.open(600);
        // A warm-up may be longer than the run.
        assert!(matches!(bench.turn(2500), TurnResult::Run { .. }));
        bench.turn(3000);
        bench.receive(&mut line, &REPLY.repeat(10), 3500);
        stop(bench, line, 5000);
    });
    assert_eq!((report.errors, report.resets, report.status_4xx), (0, 0, 0));
    assert_eq!((report.latency.total_count, report.duration), (10, 2.0));
    assert_eq!(report.throughput.total, 10 * REPLY.len() as u64);
    assert_eq!(report.bundling.connects, 1);
}

/// The server is ten times slower in the first second.
#[test]
fn a_warm_up_that_is_found_is_left_out_of_latencies_and_rates() {
    let run = |warm_up| {
        let found = LoadPlan {
            warm_up,
            pipelining: 1,
            until: Until::Duration(Duration::from_secs(10)),
            ..plan("http://localhost")
        };
        play(found, |bench| {
            let mut line = bench.open(0);
            let mut at = 0;
            while at < 10_000 {
                at += if at < 1000 { 20 } else { 2 };
                bench.turn(at.min(9999));
                bench.receive(&mut line, REPLY, at.min(9999));
            }
            stop(bench, line, 10_000);
        })
    };
    let whole = run(WarmUp::None);
    assert_eq!(whole.latency.max, 20.0);
    assert!(whole.requests.min < 60.0, "{:?}", whole.requests);
    assert_eq!(whole.warm_up, None);
    let rest = run(WarmUp::Auto);
    let seconds = rest.warm_up.map(|warm_up| warm_up.seconds);
    assert_eq!(seconds, Some(1.0));
    // Percentiles have three digits.
    let p99 = rest.latency.p99.expect("enough replies");
    assert!((p99 - 2.0).abs() < 0.002, "{p99}");
    assert!(rest.requests.min > 490.0, "{:?}", rest.requests);
    assert_eq!(rest.accounting, whole.accounting);
}

/// The server becomes faster until the end.
#[test]
fn a_warm_up_whose_end_is_not_found_is_a_reason_for_doubt() {
    let found = LoadPlan {
        warm_up: WarmUp::Auto,
        until: Until::Duration(Duration::from_secs(10)),
        ..plan("http://localhost")
    };
    let report = play(found, |bench| {
        let mut line = bench.open(0);
        for at in (10..10_000).step_by(10) {
            bench.turn(at);
            let replies = 1 + at as usize / 1_250;
            bench.receive(&mut line, &REPLY.repeat(replies), at);
        }
        stop(bench, line, 10_000);
    });
    let warm_up = report.warm_up.expect("it was asked for");
    assert_eq!(
        (warm_up.seconds, warm_up.found),
        (5.0, WarmUpFound::Unfinished)
    );
    let unfinished = Warning::UnfinishedWarmUp { seconds: 5.0 };
    let reasons = &report.verdict.reasons;
    assert!(reasons.contains(&unfinished), "{reasons:?}");
}

/// 1,000 requests a second for 10 s to a server that answers at once, except while `is_frozen`.
fn play_open_loop(
    arrivals: Arrivals,
    deadline: Option<Duration>,
    is_frozen: fn(u64) -> bool,
) -> LoadReport {
    let open = LoadPlan {
        pipelining: 1,
        until: Until::Duration(Duration::from_secs(10)),
        timeout: Duration::from_secs(60),
        open_loop: Some(OpenLoopPlan {
            rate: Rate::Constant(1000.0),
            arrivals,
            seed: 3,
            deadline,
        }),
        ..plan("http://localhost")
    };
    play(open, |bench| {
        let mut line = bench.open(0);
        for at in 0..10_000 {
            assert!(matches!(bench.turn(at), TurnResult::Run { .. }));
            let Line { conn, out } = &mut line;
            assert_eq!(bench.client.caught_up(conn, ms(at), out), Flow::Keep);
            while !is_frozen(at) && bench.requests(&mut line) == 1 {
                bench.receive(&mut line, REPLY, at);
            }
        }
        stop(bench, line, 10_000);
    })
}

fn open_loop() -> LoadPlan {
    LoadPlan {
        connections: 2,
        pipelining: 2,
        until: Until::Duration(Duration::from_secs(2)),
        open_loop: Some(OpenLoopPlan {
            rate: Rate::Constant(1000.0),
            arrivals: Arrivals::Constant,
            seed: 3,
            deadline: None,
        }),
        ..plan("http://localhost")
    }
}

#[test]
fn an_open_loop_waits_for_the_schedule_only_while_a_slot_is_free() {
    play(open_loop(), |bench| {
        let mut busy = bench.open(0);
        let idle = bench.open(0);
        assert_eq!(bench.requests(&mut busy), 1);
        assert_eq!(bench.client.send_at(), ms(1));
        let Line { conn, out } = &mut busy;
        bench.client.caught_up(conn, ms(1), out);
        assert_eq!(bench.client.send_at(), ms(2));
        bench.close(idle, Closed::Done, 1);
        assert_eq!(bench.client.send_at(), Time::NEVER);
        stop(bench, busy, 2000);
    });
}

#[test]
fn an_open_loop_goes_on_after_its_warm_up() {
    let warmed = LoadPlan {
        warm_up: WarmUp::For(Duration::from_secs(1)),
        ..open_loop()
    };
    let report = play(warmed, |bench| {
        let mut line = bench.open(0);
        assert_eq!(bench.requests(&mut line), 1);
        bench.receive(&mut line, REPLY, 0);
        for at in 1..3000 {
            bench.turn(at);
            assert_eq!(bench.client.send_at(), ms(at), "an idle connection is free");
            let Line { conn, out } = &mut line;
            assert_eq!(bench.client.caught_up(conn, ms(at), out), Flow::Keep);
            assert_eq!(bench.requests(&mut line), 1);
            bench.receive(&mut line, REPLY, at);
        }
        stop(bench, line, 3000);
    });
    assert_eq!(
        (report.accounting.due, report.accounting.sent),
        (2000, 2000)
    );
    assert_eq!(report.bundling.requests_per_write, 1.0);
}

fn assert_near(found_ms: Option<f64>, seconds: f64) {
    let ratio = found_ms.expect("enough requests") / (seconds * 1e3);
    assert!((ratio - 1.0).abs() < 0.01, "{found_ms:?} for {seconds} s");
}

#[test]
fn a_server_that_freezes_is_in_the_tail_of_an_open_loop() {
    let report = play_open_loop(Arrivals::Constant, None, |at| (2000..7000).contains(&at));
    let latency = &report.latency;
    // F - (1 - q) D
    assert_near(latency.p75, 2.5);
    assert_near(latency.p90, 4.0);
    assert_near(latency.p97_5, 4.75);
    assert_near(latency.p99, 4.9);
    assert_eq!(latency.lower_bounds_from, None);
    assert_eq!(
        (report.accounting.due, report.accounting.never_sent),
        (10_000, 0)
    );
    let open_loop = report.open_loop.expect("an open loop");
    assert_near(open_loop.schedule_lag_ms.p99, 4.9);
    assert_eq!((open_loop.rate.from, open_loop.rate.to), (1000.0, 1000.0));
    assert_eq!(open_loop.arrivals, "constant");
}

#[test]
fn a_server_that_hangs_for_good_bounds_the_tail_from_below() {
    let report = play_open_loop(Arrivals::Constant, None, |at| at >= 5000);
    let (latency, accounting) = (&report.latency, report.accounting);
    assert!(latency.p99 >= Some(4900.0), "{:?}", latency.p99);
    assert_eq!(latency.lower_bounds_from.as_deref(), Some("p75"));
    assert_eq!(latency.p25, Some(0.0));
    assert_eq!((accounting.due, accounting.in_flight), (10_000, 1));
    assert_eq!(accounting.never_sent, 4999);
    assert_eq!(latency.censored, 5000);
    let reasons = &report.verdict.reasons;
    let is_named = reasons
        .iter()
        .any(|reason| matches!(reason, Warning::NeverSent { .. }));
    assert!(is_named, "{reasons:?}");
}

/// Too few requests for a 99th percentile; 90 % of them tell as much.
#[test]
fn a_late_client_is_told_in_a_short_run_too() {
    let run = |late_ms: u64, run_ms: u64| {
        let open = LoadPlan {
            pipelining: 1,
            until: Until::Duration(Duration::from_millis(run_ms)),
            open_loop: Some(OpenLoopPlan {
                rate: Rate::Constant(50.0),
                arrivals: Arrivals::Constant,
                seed: 3,
                deadline: None,
            }),
            ..plan("http://localhost")
        };
        let report = play(open, |bench| {
            let mut line = bench.open(0);
            for at in (0..run_ms - 20).step_by(20) {
                bench.turn(at + late_ms);
                let Line { conn, out } = &mut line;
                let now = ms(at + late_ms);
                assert_eq!(bench.client.caught_up(conn, now, out), Flow::Keep);
                bench.receive(&mut line, REPLY, at + late_ms);
            }
            stop(bench, line, run_ms);
        });
        let lateness = report.checks.iter().find(|check| check.name == "lateness");
        let lateness = lateness.expect("the check");
        (lateness.result, lateness.detail.clone())
    };
    let (result, detail) = run(7, 10_000);
    assert_eq!(result, CheckResult::Failed);
    assert!(detail.contains("up to 7.00 ms late (97.5 %)"), "{detail}");
    let (result, detail) = run(0, 10_000);
    assert_eq!(result, CheckResult::Passed);
    assert!(detail.starts_with("97.5 % were sent within 0"), "{detail}");
    assert_eq!(
        run(7, 1_000).1,
        "this client sent requests up to 7.00 ms late (75 %), which the latencies include"
    );
    assert_eq!(run(7, 500).0, CheckResult::NotApplicable);
}

#[test]
fn what_is_late_beyond_the_deadline_is_never_sent_and_counts_with_its_age() {
    let deadline = Some(Duration::from_secs(1));
    let report = play_open_loop(Arrivals::Constant, deadline, |at| {
        (2000..7000).contains(&at)
    });
    // Due from 2.001 s to 5.999 s.
    assert_eq!(report.accounting.never_sent, 3999);
    assert_eq!(report.accounting.due, 10_000);
    assert_eq!(report.latency.censored, 3999);
}

#[test]
fn poisson_arrivals_are_those_of_their_seed() {
    let [first, again] = [(); 2].map(|()| play_open_loop(Arrivals::Poisson, None, |_| false));
    assert_eq!(first.accounting, again.accounting);
    assert_ne!(first.accounting.due, 10_000);
    assert_eq!(first.accounting.never_sent, 0);
    // Sent at the next millisecond.
    assert!(first.latency.max <= 1.0, "{}", first.latency.max);
}
