//! Steps of the wall clock, an hour forward and back, while timeouts run: the Date follows the wall
//! clock, timeouts do not.
//!
//! libfaketime is preloaded. Like `settimeofday`, it moves the wall clock and leaves the monotonic
//! clock alone.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

use crate::harness::{PATIENCE, Server, bareloop};

/// Steps of the clock, in seconds and as libfaketime takes them.
const FORWARD: (i64, &str) = (3600, "+3600");
const BACK: (i64, &str) = (-3600, "-3600");
/// A timeout that a step of an hour would end.
const HALF_AN_HOUR: &str = "1800";

/// The wall clock of the servers that are started with it.
struct WallClock {
    directory: TempDir,
    library: String,
}

impl WallClock {
    /// A clock without an offset.
    fn new() -> WallClock {
        let found = Command::new("faketime")
            .args(["-f", "+0", "printenv", "LD_PRELOAD"])
            .output()
            .expect("faketime is installed");
        let library = String::from_utf8(found.stdout).expect("a path");
        let clock = WallClock {
            directory: TempDir::new().expect("a directory"),
            library: library.trim_end().to_owned(),
        };
        clock.set("+0");
        clock
    }

    /// Sets the clock wrong by `offset`. The file is renamed, so that no server reads a part of it.
    fn set(&self, offset: &str) {
        let (next, present) = (self.directory.path().join("next"), self.offset_file());
        fs::write(&next, offset).expect("the directory can be written to");
        fs::rename(next, present).expect("a file can be renamed");
    }

    fn offset_file(&self) -> PathBuf {
        self.directory.path().join("offset")
    }

    /// A server with this clock.
    fn start(&self, args: &[&str]) -> Server {
        let mut command = bareloop();
        command
            .args(["serve", args[0], "--bind", "127.0.0.1:0"])
            .args(&args[1..])
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", self.offset_file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        Server::spawn(&mut command)
    }

    /// Sets the clock and waits until the Date of `server` follows. In the turn that sends this Date
    /// the server checks its deadlines too, before it reads again.
    fn step(&self, (seconds, offset): (i64, &str), server: &Server) {
        self.set(offset);
        let until = Instant::now() + PATIENCE;
        while (ahead_seconds(server) - seconds).abs() > 60 {
            assert!(Instant::now() < until, "the Date stands still");
        }
    }
}

/// Seconds from the true time to the Date of `server`.
fn ahead_seconds(server: &Server) -> i64 {
    let reply = server.connect().get();
    let date = httpdate::parse_http_date(reply.field("Date").expect("a Date"));
    let date = date.expect("an IMF-fixdate");
    let seconds = |span: Duration| i64::try_from(span.as_secs()).expect("a few seconds");
    match date.duration_since(SystemTime::now()) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}

#[test]
#[ignore = "needs libfaketime"]
fn a_clock_set_forward_ends_no_timeout_early() {
    let clock = WallClock::new();
    let server = clock.start(&[
        "http",
        "--header-timeout",
        HALF_AN_HOUR,
        "--body-timeout",
        HALF_AN_HOUR,
        "--body-total-timeout",
        HALF_AN_HOUR,
        "--idle-timeout",
        HALF_AN_HOUR,
    ]);
    let mut idle = server.connect();
    assert_eq!(idle.get().status, 200);
    let mut half_a_head = server.connect();
    half_a_head.send("GET / HTTP/1.1\r\nHo");
    let mut half_a_body = server.connect();
    half_a_body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    let tcp_server = clock.start(&["tcp", "--idle-timeout", HALF_AN_HOUR]);
    let mut tcp_idle = tcp_server.connect();
    tcp_idle.send("\r\n\r\n");
    let first = tcp_idle.read_exactly(48);
    assert!(ahead_seconds(&server).abs() < 60, "it starts right");

    clock.step(FORWARD, &server);

    half_a_head.send("st: a\r\n\r\n");
    assert_eq!(half_a_head.reply().status, 200);
    half_a_body.send("llo");
    assert_eq!(half_a_body.reply().status, 405);
    assert_eq!(idle.get().status, 200);
    let mut other = tcp_server.connect();
    for client in [&mut other, &mut tcp_idle] {
        client.send("\r\n\r\n");
        assert_eq!(client.read_exactly(48), first);
    }
}

#[test]
#[ignore = "needs libfaketime"]
fn a_clock_set_back_ends_no_timeout_late() {
    let clock = WallClock::new();
    let args = ["--header-timeout", "1", "--idle-timeout", "1"];
    let server = clock.start(&[&["http"], &args[..]].concat());
    let mut idle = server.connect();
    let mut half_a_head = server.connect();
    half_a_head.send("GET / HTTP/1.1\r\nHo");
    let tcp_server = clock.start(&["tcp", "--idle-timeout", "1"]);
    let mut tcp_idle = tcp_server.connect();
    tcp_idle.send("\r\n\r\n");
    tcp_idle.read_exactly(48);
    assert!(ahead_seconds(&server).abs() < 60, "it starts right");

    clock.step(BACK, &server);

    assert_eq!(half_a_head.reply().status, 408);
    half_a_head.expect_end();
    idle.expect_end();
    tcp_idle.expect_end();
}

#[test]
#[ignore = "needs libfaketime"]
fn the_date_follows_the_clock_both_ways() {
    let clock = WallClock::new();
    let server = clock.start(&["http"]);
    for step in [FORWARD, BACK, FORWARD, (0, "+0")] {
        clock.step(step, &server);
    }
}
