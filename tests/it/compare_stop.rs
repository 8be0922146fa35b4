//! `compare` that is stopped or killed: all that it started is gone, and what was measured is
//! printed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Job, PATIENCE, bareloop};

/// A named pipe through which a contestant tells the ids of its processes.
struct Pipe {
    path: PathBuf,
    ids: Receiver<String>,
    _folder: tempfile::TempDir,
}

impl Pipe {
    fn new() -> Pipe {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("ids");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()), "no mkfifo");
        let (sender, ids) = channel();
        let pipe = path.clone();
        // Opening waits for a writer, and a writer for us.
        thread::spawn(move || {
            while let Ok(text) = fs::read_to_string(&pipe) {
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
        Pipe {
            path,
            ids,
            _folder: folder,
        }
    }

    /// The ids that the next contestant tells.
    fn ids(&self) -> Vec<u32> {
        let text = self.ids.recv_timeout(PATIENCE).expect("it starts");
        let ids = text.split_whitespace();
        ids.map(|id| id.parse().expect("an id")).collect()
    }
}

/// True while the process is at work; one that nobody has waited for yet is not.
fn is_alive(id: u32) -> bool {
    match fs::read_to_string(format!("/proc/{id}/stat")) {
        Ok(stat) => {
            let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
            !matches!(fields.trim_start().chars().next(), Some('Z' | 'X'))
        }
        Err(_) => false,
    }
}

/// Waits until none of them is at work: a process that was sent SIGKILL takes a moment.
fn expect_ended(ids: &[u32]) {
    let start = Instant::now();
    while ids.iter().any(|&id| is_alive(id)) {
        assert!(start.elapsed() < PATIENCE, "{ids:?} are still there");
        thread::yield_now();
    }
}

/// A server that tells its shell's id and that of a child of its own, and serves by the child.
fn telling_server(pipe: &Path, serve: &str) -> String {
    format!(
        "told={serve} & echo $$ $! > '{}'; wait # {{port}}",
        pipe.display()
    )
}

fn serve_http() -> String {
    format!(
        "'{}' serve http --bind 127.0.0.1:{{port}}",
        env!("CARGO_BIN_EXE_bareloop")
    )
}

fn compare(server: &str, flags: &[&str]) -> Command {
    let mut command = bareloop();
    command.args(["compare", "-c", "4", "-p", "2", "--warmup", "0"]);
    // Two contestants run in their own order in the first round of this seed.
    command.args(["--seed", "519"]);
    command.args(["--server", server]).args(flags);
    command
}

#[test]
fn a_stop_under_load_ends_every_process_and_prints_what_was_measured() {
    for signal in [Signal::INT, Signal::TERM] {
        let pipe = Pipe::new();
        let server = telling_server(&pipe.path, &serve_http());
        let flags = ["-d", "0.1", "-r", "100", "--only", "told,bareloop-tcp"];
        let mut job = Job::start(&mut compare(&server, &flags));
        let first = pipe.ids();
        // The second contestant's line comes after the first has been stopped.
        while !job.stdout_line().contains("bareloop-tcp  ") {}
        assert_eq!(first.len(), 2);
        expect_ended(&first);
        let second = pipe.ids();
        assert!(second.iter().any(|&id| is_alive(id)), "it is its turn");
        job.signal(signal);
        let finished = job.finish();
        assert_eq!(finished.code, Some(130), "{finished:?}");
        expect_ended(&second);
        assert!(finished.stdout.contains("told"), "{finished:?}");
        assert_eq!(finished.stderr, "");
    }
}

/// CPU time of a process in clock ticks, 10 ms each.
#[cfg(target_os = "linux")]
fn cpu_ticks(id: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("it lives");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let times = fields.split_whitespace().skip(11).take(2);
    times
        .map(|ticks| ticks.parse::<u64>().expect("a number"))
        .sum()
}

#[cfg(target_os = "linux")]
#[test]
fn a_stop_in_the_warm_up_of_a_duet_is_obeyed() {
    let pipe = Pipe::new();
    let server = telling_server(&pipe.path, &serve_http());
    let flags = ["--only", "told,bareloop-tcp", "--reference", "bareloop-tcp"];
    let warmup = ["--duet", "--warmup", "3600"];
    let job = Job::start(&mut compare(&server, &[&flags[..], &warmup].concat()));
    let ids = pipe.ids();
    let start = Instant::now();
    // More than the check of its reply takes: it is under load.
    while cpu_ticks(ids[1]) < 5 {
        assert!(start.elapsed() < PATIENCE, "no load");
        thread::yield_now();
    }
    job.signal(Signal::INT);
    let finished = job.finish();
    assert_eq!(finished.code, Some(130), "{finished:?}");
    expect_ended(&ids);
}

#[test]
fn a_stop_while_it_waits_for_a_server_ends_that_too_and_the_json_is_whole() {
    let pipe = Pipe::new();
    let server = telling_server(&pipe.path, "sleep 60");
    // With this seed, bareloop-tcp runs first.
    let flags = [
        "-d",
        "0.1",
        "--seed",
        "2",
        "--only",
        "bareloop-tcp,told",
        "--json",
    ];
    let job = Job::start(&mut compare(&server, &flags));
    let ids = pipe.ids();
    assert!(ids.iter().all(|&id| is_alive(id)));
    job.signal(Signal::INT);
    let finished = job.finish();
    assert_eq!(finished.code, Some(130), "{finished:?}");
    expect_ended(&ids);
    let json: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    assert_eq!(json["interrupted"], true);
    assert_eq!(json["contestants"][0]["status"], "ran");
    assert_eq!(json["contestants"][1]["status"], "notRun");
}

#[test]
fn a_server_that_ignores_the_request_to_end_is_ended_all_the_same() {
    let pipe = Pipe::new();
    let server = format!(
        "told=trap '' TERM INT; {} & echo $$ $! > '{}'; while :; do wait; done # {{port}}",
        serve_http(),
        pipe.path.display()
    );
    let flags = ["-d", "0.1", "-r", "1", "--only", "told"];
    let finished = Job::start(&mut compare(&server, &flags)).finish();
    let ids = pipe.ids();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    expect_ended(&ids);
}

#[test]
fn a_failed_export_runs_nothing() {
    let pipe = Pipe::new();
    let server = telling_server(&pipe.path, "sleep 60");
    let flags = ["--only", "told", "--export-json", "/nowhere/at.all"];
    let finished = Job::start(&mut compare(&server, &flags)).finish();
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(pipe.ids.try_recv().is_err(), "something was started");
}

#[test]
fn nothing_outlives_a_comparison_that_is_killed() {
    let pipe = Pipe::new();
    let server = telling_server(&pipe.path, &format!("setsid {}", serve_http()));
    let flags = ["-d", "60", "-r", "1", "--only", "told"];
    let job = Job::start(&mut compare(&server, &flags));
    let ids = pipe.ids();
    assert!(ids.iter().all(|&id| is_alive(id)));
    job.signal(Signal::KILL);
    let finished = job.finish();
    assert_eq!(finished.code, None, "{finished:?}");
    expect_ended(&ids);
}

#[test]
fn a_server_that_listens_and_then_goes_into_the_background_is_named_as_that_and_ended() {
    let pipe = Pipe::new();
    // The read ends when the server has announced its address, on a pipe that then breaks.
    let server = format!(
        "told=setsid {} > '{2}.out' & echo $! > '{1}'; read line < '{2}.out' # {{port}}",
        serve_http(),
        pipe.path.display(),
        pipe.path.display(),
    );
    let made = Command::new("mkfifo")
        .arg(format!("{}.out", pipe.path.display()))
        .status();
    assert!(made.is_ok_and(|status| status.success()), "no mkfifo");
    let flags = ["-d", "0.5", "-r", "1", "--only", "told", "--json"];
    let finished = Job::start(&mut compare(&server, &flags)).finish();
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(
        finished.stdout.contains("went into the background"),
        "{finished:?}"
    );
    expect_ended(&pipe.ids());
}
