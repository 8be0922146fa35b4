//! `load` against servers that misbehave: nothing is lost from the books, and each error has its
//! kind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::harness::{Complaints, bareloop, run};
use crate::load_harness::{Peer, Report, Visit, load, load_well};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const LAST: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

/// A run that came to nothing: exit code 1 and one line that says why.
fn load_in_vain(flags: &[&str]) -> (String, Report) {
    let (finished, report) = load(flags);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
    assert!(finished.stderr.starts_with("error: "), "{finished:?}");
    assert_eq!(report.at("/verdict/valid"), false);
    (finished.stderr, report)
}

/// The kinds of errors that there are.
fn kinds(report: &Report) -> Vec<&str> {
    let kinds = report.at("/errorKinds").as_object().expect("an object");
    kinds
        .iter()
        .filter(|(_, count)| **count != 0)
        .map(|(kind, _)| kind.as_str())
        .collect()
}

#[test]
fn an_announced_end_after_each_reply_is_no_error() {
    let peer = Peer::serving(|visit| {
        visit.request();
        visit.answer(LAST);
    });
    let report = load_well(&["-c", "3", "-a", "60", &peer.url()]);
    report.assert_flawless();
    let counts = [report.sent(), report.completed(), peer.requests()];
    assert_eq!(counts, [60; 3]);
    // At the end the last dials may find that the others have sent all there was.
    assert!((60..=62).contains(&report.count("/bundling/connects")));
}

#[test]
fn a_server_that_leaves_the_close_to_the_client_costs_no_wait() {
    // RFC 9112 9.6. Each connection stays open until the client closes it.
    let peer = Peer::serving(|visit| {
        visit.request();
        visit.answer(LAST);
        visit.read_to_end();
    });
    // With a second for each, this would take longer than a test waits.
    let report = load_well(&["-c", "3", "-a", "600", &peer.url()]);
    report.assert_flawless();
    assert_eq!(
        [report.sent(), report.completed(), peer.requests()],
        [600; 3]
    );
}

#[test]
fn a_server_without_keep_alive_is_one_doubt_with_its_remedy() {
    let peer = Peer::serving(|visit| {
        visit.request();
        visit.answer(LAST);
        visit.read_to_end();
    });
    let report = load_well(&["-c", "2", "-p", "10", "-d", "300ms", &peer.url()]);
    let reasons = report.at("/verdict/reasons").as_array().expect("reasons");
    let about_closing = reasons.iter().filter(|reason| {
        let reason = reason.as_str().expect("a sentence");
        ["connections", "connects", "error"]
            .iter()
            .any(|word| reason.contains(word))
    });
    assert_eq!(about_closing.count(), 1, "{reasons:?}");
    assert!(
        report.reasons().contains("measure it with -p 1"),
        "{reasons:?}"
    );
}

#[test]
fn a_request_that_the_kernel_has_not_taken_is_not_sent() {
    // Held open, so that nothing is reset before the run ends.
    static HELD: Mutex<()> = Mutex::new(());
    let held = HELD.lock().expect("no thread panicked");
    let peer = Peer::serving(|_visit| drop(HELD.lock()));
    // 100 MB, of which the kernel keeps a few.
    let body = "x".repeat(10_000);
    let flags = [
        "-m", "POST", "-b", &body, "-c", "1", "-p", "10000", "-d", "300ms",
    ];
    let (_, report) = load_in_vain(&[&flags[..], &[&peer.url()]].concat());
    drop(held);
    assert!((1..5_000).contains(&report.sent()), "{report:?}");
    assert_eq!(report.in_flight(), report.sent());
}

#[test]
fn requests_behind_an_announced_end_are_lost_and_sent_again() {
    let answered = Arc::new(AtomicUsize::new(0));
    let peer = Peer::serving(move |visit| {
        // All are read, so that the end is in order.
        let wanted = 10 - answered.load(Ordering::SeqCst);
        for _ in 0..wanted.min(4) {
            if visit.request().is_none() {
                return;
            }
        }
        answered.fetch_add(1, Ordering::SeqCst);
        visit.answer(LAST);
    });
    let report = load_well(&["-c", "1", "-p", "4", "-a", "10", &peer.url()]);
    assert_eq!(report.completed(), 10);
    // Four at a time, of which one is answered; at the end only as many as are wanted.
    assert_eq!(report.count("/bundling/connects"), 10);
    assert_eq!(report.sent(), 7 * 4 + 3 + 2 + 1);
    assert_eq!(report.lost(), report.sent() - 10);
    assert_eq!(kinds(&report), ["closedEarly"]);
    assert_eq!(report.errors("closedEarly"), report.count("/resets"));
    assert_eq!(report.count("/resets"), 9);
}

#[test]
fn an_end_without_notice_after_each_reply_is_survived() {
    let peer = Peer::serving(|visit| {
        visit.request();
        visit.answer(OK);
    });
    let report = load_well(&["-c", "2", "-a", "20", &peer.url()]);
    assert_eq!(report.completed(), 20);
    assert!(report.count("/bundling/connects") >= 20);
    // Whether the request that follows a reply is met by the end or by a reset is chance.
    assert_eq!(
        report.errors("closedEarly") + report.errors("reset"),
        report.errors_of_any_kind()
    );
    assert_eq!(report.count("/resets"), report.lost());
    assert!((20..=report.sent()).contains(&peer.requests()));
}

#[test]
fn a_close_in_order_with_requests_in_flight_is_closed_early() {
    let peer = Peer::serving(|visit| {
        for _ in 0..4 {
            visit.request();
        }
    });
    let (said, report) = load_in_vain(&["-c", "2", "-p", "4", "-d", "300ms", &peer.url()]);
    assert_eq!(kinds(&report), ["closedEarly"]);
    assert_eq!(report.lost(), 4 * report.errors("closedEarly"));
    assert!(report.lost() > 0);
    assert!((report.lost()..=report.sent()).contains(&peer.requests()));
    assert!(said.contains("closed the connection"), "{said}");
}

#[test]
fn a_close_with_unread_requests_is_a_reset() {
    let peer = Peer::serving(|visit| {
        visit.read_one_byte();
    });
    let (said, report) = load_in_vain(&["-c", "2", "-p", "4", "-d", "300ms", &peer.url()]);
    assert_eq!(kinds(&report), ["reset"]);
    assert_eq!(report.lost(), 4 * report.errors("reset"));
    assert_eq!(report.count("/resets"), report.errors("reset"));
    assert!(report.lost() > 0);
    assert!(said.contains("4 requests in flight"), "{said}");
}

#[test]
fn no_reply_is_a_timeout_of_each_request() {
    let peer = Peer::serving(Visit::read_to_end);
    let flags = ["-c", "3", "-p", "2", "-t", "100ms", "-d", "250ms"];
    let (said, report) = load_in_vain(&[&flags[..], &[&peer.url()]].concat());
    assert_eq!(kinds(&report), ["timeout"]);
    assert!(report.timed_out() >= 6, "{report:?}");
    assert_eq!(report.timed_out() % 2, 0);
    assert_eq!(report.count("/resets"), report.timed_out() / 2);
    assert!(said.contains("timeout"), "{said}");
}

#[test]
fn an_amount_that_nobody_answers_is_given_up() {
    let peer = Peer::serving(Visit::read_to_end);
    let (_, report) = load_in_vain(&["-c", "2", "-t", "100ms", "-a", "10", &peer.url()]);
    assert_eq!(report.at("/gaveUp"), true);
    assert_eq!(kinds(&report), ["timeout"]);
}

#[test]
fn an_amount_of_which_the_last_replies_never_come_is_given_up() {
    let peer = Peer::serving(|visit| {
        while visit.request().is_some() {
            if visit.before < 5 {
                visit.answer(OK);
            }
        }
    });
    let (_, report) = load_in_vain(&["-c", "1", "-t", "100ms", "-a", "10", &peer.url()]);
    assert_eq!(
        (report.completed(), report.at("/gaveUp") == true),
        (5, true)
    );
}

#[test]
fn a_server_that_accepts_and_never_reads_times_out_with_half_a_request_sent() {
    // Held open, so that nothing is reset before the client gives up.
    static HELD: Mutex<()> = Mutex::new(());
    let held = HELD.lock().expect("no thread panicked");
    let peer = Peer::serving(|_visit| drop(HELD.lock()));
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.as_file().set_len(20_000_000).expect("room");
    let body = file.path().to_str().expect("UTF-8");
    let flags = [
        "-m", "POST", "-i", body, "-c", "2", "-t", "100ms", "-d", "250ms",
    ];
    let (said, report) = load_in_vain(&[&flags[..], &[&peer.url()]].concat());
    drop(held);
    assert_eq!(kinds(&report), ["timeout"]);
    assert!(report.timed_out() >= 2);
    assert_eq!(report.count("/resets"), report.timed_out());
    assert!(said.contains("timeout"), "{said}");
}

#[test]
fn a_body_that_is_cut_off_is_no_reply() {
    let peer = Peer::serving(|visit| {
        visit.request();
        visit.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    });
    let (_, report) = load_in_vain(&["-c", "2", "-d", "300ms", &peer.url()]);
    assert_eq!(kinds(&report), ["closedEarly"]);
    assert!(report.lost() > 0);
    assert_eq!(report.errors("closedEarly"), report.lost());
}

#[test]
fn bytes_that_are_no_reply_are_bad_replies() {
    let garbage = [
        "\0\u{1}\u{2}garbage\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ];
    let runs = garbage.map(|garbage| {
        std::thread::spawn(move || {
            let peer = Peer::serving(move |visit| {
                visit.request();
                visit.answer(garbage.as_bytes());
                visit.read_to_end();
            });
            load_in_vain(&["-c", "1", "-p", "3", "-d", "300ms", &peer.url()])
        })
    });
    let mut complaints = Complaints::default();
    for (run, garbage) in runs.into_iter().zip(garbage) {
        let (said, report) = run.join().expect("it ends in vain");
        if kinds(&report) != ["badReply"] || report.lost() != 3 * report.errors("badReply") {
            complaints.add(format_args!("{garbage:?}: {report:?}"));
        }
        if !said.contains("bad reply: ") {
            complaints.add(format_args!("{garbage:?}: {said}"));
        }
    }
    complaints.settle();
}

#[test]
fn a_reply_that_nobody_asked_for_is_a_bad_one() {
    let peer = Peer::serving(|visit| {
        visit.request();
        visit.answer(&OK.repeat(2));
        visit.read_to_end();
    });
    let (_, report) = load(&["-c", "1", "-a", "10", &peer.url()]);
    assert_eq!(report.completed(), 10);
    assert!(report.errors("badReply") >= 9, "{report:?}");
}

#[test]
fn statuses_outside_100_to_599_are_a_class_of_their_own() {
    for status in ["099", "600", "999"] {
        let peer = Peer::answering(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"));
        let (_, report) = load(&["-c", "2", "-a", "40", &peer.url()]);
        let counts = [report.completed(), report.count("/otherStatus")];
        assert_eq!(counts, [40; 2], "{status}");
    }
}

#[test]
fn replies_with_an_error_status_are_counted_and_doubted_unless_expected() {
    let peer = Peer::answering(*b"HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nno\n");
    for (flags, is_valid) in [(&[][..], false), (&["--expect-status", "200,5xx"], true)] {
        let before = peer.requests();
        let url = peer.url();
        let flags = [flags, &["-c", "4", "-p", "3", "-a", "600", &url]].concat();
        let report = load_well(&flags);
        let counts = [
            report.completed(),
            report.count("/5xx"),
            report.count("/non2xx"),
            report.count("/statusCodeStats/500/count"),
            peer.requests() - before,
        ];
        assert_eq!(counts, [600; 5]);
        assert_eq!(report.errors_of_any_kind(), 0);
        assert_eq!(report.at("/verdict/valid"), is_valid, "{flags:?}");
        let is_suspect = report
            .reasons()
            .contains("all 600 replies had an error status (500)");
        assert_eq!(is_suspect, !is_valid, "{}", report.reasons());
    }
}

#[test]
fn a_server_that_turns_to_errors_in_the_middle_is_doubted() {
    let peer = Peer::serving(|visit| {
        while visit.request().is_some() {
            match visit.before {
                0..500 => visit.answer(OK),
                _ => visit.answer(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"),
            };
        }
    });
    let report = load_well(&["-c", "1", "-a", "600", &peer.url()]);
    assert!(
        report
            .reasons()
            .contains("100 of 600 replies had an error status (503)"),
        "{}",
        report.reasons()
    );
}

#[test]
fn redirects_are_named_and_not_doubted() {
    let peer = Peer::answering(*b"HTTP/1.1 301 Gone\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
    let finished = run(bareloop().args(["load", "-c", "1", "-a", "200", &peer.url()]));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let said = "\n200 replies with a redirect, which load does not follow: 301\n";
    assert!(finished.stdout.contains(said), "{finished:?}");
    assert!(!finished.stdout.contains("--expect-status"), "{finished:?}");
}

#[test]
fn every_framing_is_understood_however_it_is_cut() {
    let mut complaints = Complaints::default();
    for reply in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nHello\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
    ] {
        for piece in [1, 7, reply.len()] {
            let peer = Peer::serving(move |visit| {
                while visit.request().is_some() {
                    for piece in reply.as_bytes().chunks(piece) {
                        visit.answer(piece);
                    }
                }
            });
            let report = load_well(&["-c", "2", "-p", "3", "-a", "60", &peer.url()]);
            let counts = [report.sent(), report.completed(), peer.requests()];
            if counts != [60; 3] || report.count("/variedBodies") + report.errors_of_any_kind() > 0
            {
                complaints.add(format_args!("{reply:?} by {piece}: {report:?}"));
            }
            if report.count("/throughput/total") != 60 * reply.len() as u64 {
                complaints.add(format_args!("{reply:?} by {piece}: bytes"));
            }
        }
    }
    complaints.settle();
}

#[test]
fn a_body_may_end_with_its_connection() {
    for version in ["1.0", "1.1"] {
        let peer = Peer::serving(move |visit| {
            visit.request();
            visit.answer(format!("HTTP/{version} 200 OK\r\n\r\nuntil the end").as_bytes());
        });
        let report = load_well(&["-c", "2", "-a", "30", &peer.url()]);
        report.assert_flawless();
        let counts = [report.sent(), report.completed(), peer.requests()];
        assert_eq!(counts, [30; 3], "HTTP/{version}");
    }
}

#[test]
fn interim_replies_answer_nothing() {
    let peer = Peer::serving(|visit| {
        while visit.request().is_some() {
            visit.answer(b"HTTP/1.1 100 Continue\r\n\r\n");
            visit.answer(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
            visit.answer(OK);
        }
    });
    let report = load_well(&["-c", "2", "-p", "2", "-a", "50", &peer.url()]);
    report.assert_flawless();
    let counts = [report.sent(), report.completed(), report.count("/2xx")];
    assert_eq!(counts, [50; 3]);
    assert_eq!(report.count("/1xx"), 100);
}

#[test]
fn a_body_other_than_the_expected_one_is_a_mismatch() {
    let peer = Peer::answering(OK);
    let right = load_well(&["-E", "ok", "-a", "100", &peer.url()]);
    right.assert_flawless();
    for wrong in ["no", "o", "okk", "ko"] {
        let (finished, report) = load(&["-E", wrong, "-p", "2", "-a", "100", &peer.url()]);
        assert_eq!(report.count("/mismatches"), 100, "{finished:?}");
        assert_eq!(report.errors_of_any_kind(), 0);
        assert_eq!(report.at("/verdict/valid"), false);
        assert!(
            report.reasons().contains("a body other than"),
            "{finished:?}"
        );
    }
}

#[test]
fn bodies_that_vary_are_a_note_if_none_was_expected() {
    let peer = Peer::serving(|visit| {
        while visit.request().is_some() {
            match visit.before % 3 {
                2 => visit.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"),
                _ => visit.answer(OK),
            };
        }
    });
    let report = load_well(&["-c", "1", "-p", "2", "-a", "300", &peer.url()]);
    assert_eq!(report.count("/variedBodies"), 100);
    assert_eq!(report.count("/mismatches") + report.errors_of_any_kind(), 0);
    let (_, report) = load(&["-c", "1", "-E", "ok", "-a", "300", &peer.url()]);
    assert_eq!(report.count("/mismatches"), 100);
}
