//! `load` that is stopped before its end: by signals, and by a reader that goes away.

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Job, PATIENCE, bareloop};
use crate::load_harness::{Peer, Report, Visit, load_command};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A peer that says when it has seen this many requests; it answers those before them.
fn peer_that_tells_of(requests: usize) -> (Peer, Receiver<()>) {
    let (sender, receiver) = channel();
    let peer = Peer::serving(move |visit: &mut Visit| {
        while visit.request().is_some() {
            if visit.before + 1 == requests {
                let _ = sender.send(());
            }
            if visit.before + 1 < requests {
                visit.answer(OK);
            }
        }
    });
    (peer, receiver)
}

#[test]
fn a_signal_ends_the_run_with_a_report_of_what_was_measured() {
    for signal in [Signal::INT, Signal::TERM] {
        for flags in [&["-d", "60"][..], &["-a", "1000000"]] {
            let (peer, told) = peer_that_tells_of(51);
            let url = peer.url();
            let flags = [&["-c", "5", "-p", "2"], flags, &[&url]].concat();
            let job = Job::start(&mut load_command(&flags));
            told.recv_timeout(PATIENCE).expect("requests come");
            job.signal(signal);
            let finished = job.finish();
            assert_eq!(finished.code, Some(130), "{finished:?}");
            assert_eq!(finished.stderr, "");
            let report = Report::of(&finished);
            assert_eq!(report.at("/interrupted"), true);
            assert!(report.completed() <= 50, "{finished:?}");
            assert_eq!(report.sent(), report.completed() + report.in_flight());
            assert!(report.in_flight() > 0);
            assert_eq!(report.errors_of_any_kind(), 0, "the stop is no error");
        }
    }
}

/// Ten stops, which a busy machine can only add to.
#[test]
fn a_client_that_is_stopped_names_its_pauses() {
    let peer = Peer::answering(OK);
    let job = Job::start(&mut load_command(&["-c", "2", "-d", "60", &peer.url()]));
    while peer.requests() < 100 {
        thread::yield_now();
    }
    for _ in 0..10 {
        // The length of the stop and of the run between two, not a wait for something.
        job.signal(Signal::STOP);
        thread::sleep(Duration::from_millis(50));
        job.signal(Signal::CONT);
        thread::sleep(Duration::from_millis(60));
    }
    job.signal(Signal::INT);
    let report = Report::of(&job.finish());
    let pauses = report.count("/client/pauseCount");
    assert!(pauses >= 10, "{}", report.at("/client"));
    assert!(report.number("/client/pausedMs") >= 400.0);
    let told = format!("this client paused {pauses} times");
    assert!(report.reasons().contains(&told), "{}", report.reasons());
    assert!(!report.reasons().contains("no reply came"));
}

#[test]
fn a_signal_before_the_first_reply_still_gives_a_report() {
    let (peer, told) = peer_that_tells_of(1);
    let job = Job::start(&mut load_command(&["-c", "1", "-p", "3", &peer.url()]));
    told.recv_timeout(PATIENCE).expect("requests come");
    job.signal(Signal::INT);
    let finished = job.finish();
    assert_eq!(finished.code, Some(130), "{finished:?}");
    let report = Report::of(&finished);
    let counts = [report.sent(), report.completed(), report.in_flight()];
    assert_eq!(counts, [3, 0, 3]);
}

#[test]
fn the_report_for_people_says_that_it_was_interrupted() {
    let (peer, told) = peer_that_tells_of(10);
    let job = Job::start(bareloop().args(["load", "-c", "1", &peer.url()]));
    told.recv_timeout(PATIENCE).expect("requests come");
    job.signal(Signal::INT);
    let finished = job.finish();
    assert_eq!(finished.code, Some(130), "{finished:?}");
    assert!(finished.stdout.contains("\nInterrupted: "), "{finished:?}");
    assert!(finished.stdout.contains("│ Latency │"), "{finished:?}");
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let peer = Peer::answering(OK);
    let url = peer.url();
    for flags in [&[][..], &["--json"], &["-l"]] {
        let flags = [&["load", "-a", "500"], flags, &[&url]].concat();
        let finished = Job::with_closed_stdout(bareloop().args(flags)).finish();
        assert_eq!((finished.code, &*finished.stderr), (Some(0), ""));
    }
}

/// Waits until the process has stopped.
#[cfg(target_os = "linux")]
fn wait_until_stopped(id: u32) {
    let stat = format!("/proc/{id}/stat");
    let is_stopped = || {
        let stat = std::fs::read_to_string(&stat).expect("a process");
        stat.rsplit(") ")
            .next()
            .is_some_and(|of| of.starts_with('T'))
    };
    while !is_stopped() {
        thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn with_the_kernels_stamps_the_pauses_of_the_client_are_in_no_latency() {
    const PAUSES: usize = 10;
    const PAUSE: Duration = Duration::from_millis(50);
    for (flags, is_stamped) in [(&[][..], false), (&["--kernel-timestamps"], true)] {
        let (asked, is_asked) = channel();
        let (go, may_go) = channel();
        let may_go = std::sync::Arc::new(std::sync::Mutex::new(may_go));
        let (done, is_done) = channel();
        let peer = Peer::serving(move |visit: &mut Visit| {
            while visit.request().is_some() {
                asked.send(()).expect("a test that listens");
                may_go.lock().unwrap().recv().expect("a test that tells");
                visit.answer(OK);
                done.send(()).expect("a test that listens");
            }
        });
        let (amount, url) = (PAUSES.to_string(), peer.url());
        let flags = [&["-c", "1", "-a", &amount, &url], flags].concat();
        let job = Job::start(&mut load_command(&flags));
        for _ in 0..PAUSES {
            is_asked.recv_timeout(PATIENCE).expect("a request");
            job.signal(Signal::STOP);
            wait_until_stopped(job.id());
            go.send(()).expect("a peer that listens");
            is_done.recv_timeout(PATIENCE).expect("an answer");
            thread::sleep(PAUSE);
            job.signal(Signal::CONT);
        }
        let finished = job.finish();
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let report = Report::of(&finished);
        assert!(report.count("/client/pauseCount") >= PAUSES as u64);
        let pause_ms = PAUSE.as_secs_f64() * 1e3;
        // The shortest, so that a busy machine does not matter.
        assert_eq!(report.number("/latency/min") < pause_ms, is_stamped);
        match is_stamped {
            true => assert!(report.number("/client/delayMs/max") >= pause_ms),
            false => assert!(report.at("/client/delayMs").is_null()),
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn with_the_kernels_stamps_slots_are_in_use_until_their_replies_are_read() {
    let server = crate::harness::Server::http(&[]);
    let flags = ["-c", "50", "-d", "1.1", "--kernel-timestamps"];
    let report = crate::load_harness::load_well(&[&flags[..], &[&server.url()]].concat());
    let checks = report.at("/checks").as_array().expect("self-tests");
    let law = checks.iter().find(|check| check["name"] == "littlesLaw");
    assert_eq!(law.expect("it is among them")["result"], "passed");
}
