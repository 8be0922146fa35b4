//! `load --find-rate`: its outcomes and their exit codes.

use std::sync::mpsc::channel;

use rustix::process::Signal;

use crate::harness::{Job, PATIENCE};
use crate::load_harness::{Peer, Report, load, load_command};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// On a busy machine a rate may not be signed, however low: which one is, and when, is told by the
/// unit tests.
fn search(objective: &str, url: &str) -> (Option<i32>, Report) {
    let flags = ["--trial-duration", "50ms", "-R", "20", "-c", "2"];
    let (finished, report) = load(&[&["--find-rate", objective], &flags[..], &[url]].concat());
    (finished.code, report)
}

#[test]
fn an_objective_that_is_out_of_reach_fails() {
    let peer = Peer::answering(OK);
    let (code, report) = search("max<1ns", &peer.url());
    assert_eq!(code, Some(1));
    assert_eq!(report.at("/findRate/outcome"), "notMet");
    assert!(report.at("/findRate/rate").is_null());
    assert!(report.at("/findRate/bracket/0").is_null());
    assert_eq!(report.number("/findRate/bracket/1"), 20.0 / 128.0);
}

#[test]
fn the_exit_code_is_0_if_a_rate_was_signed() {
    let peer = Peer::answering(OK);
    let (code, report) = search("max<60s", &peer.url());
    let is_signed = report.at("/findRate/rate").is_number();
    assert_eq!(code, Some(if is_signed { 0 } else { 1 }));
    assert_eq!(report.at("/findRate/objective"), "max<60s");
    assert_eq!(report.number("/findRate/trials/0/rate"), 20.0);
}

#[test]
fn a_signal_ends_a_search_with_what_was_found_so_far() {
    let (sender, requested) = channel();
    let peer = Peer::serving(move |visit| {
        // Once for each connection that is used.
        if visit.request().is_some() && visit.answer(OK) {
            let _ = sender.send(());
        }
        while visit.request().is_some() && visit.answer(OK) {}
    });
    let url = peer.url();
    let flags = ["-c", "1", "--find-rate", "max<60s", &url];
    let job = Job::start(&mut load_command(&flags));
    for _ in 0..2 {
        requested.recv_timeout(PATIENCE).expect("a trial begins");
    }
    // In the warm-up of the second trial.
    job.signal(Signal::INT);
    let finished = job.finish();
    assert_eq!(finished.code, Some(130), "{finished:?}");
    let report = Report::of(&finished);
    assert_eq!(report.at("/findRate/outcome"), "interrupted");
    assert!(!report.at("/findRate/trials/0").is_null());
}

#[test]
fn a_server_that_goes_away_ends_a_search() {
    let (sender, requested) = channel();
    let peer = Peer::serving(move |visit| {
        while visit.request().is_some() && visit.answer(OK) {
            let _ = sender.send(());
        }
    });
    let url = peer.url();
    let flags = ["-c", "1", "--find-rate", "max<60s", "--trial-duration"];
    let job = Job::start(&mut load_command(&[&flags[..], &["500ms", &url]].concat()));
    requested.recv_timeout(PATIENCE).expect("requests come");
    // The first trial goes on on its connection; the second finds no listener.
    drop(peer);
    let finished = job.finish();
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(
        finished.stderr.contains("the server went away: "),
        "{finished:?}"
    );
    assert_eq!(Report::of(&finished).at("/findRate/outcome"), "serverGone");
}
