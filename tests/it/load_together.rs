//! `load --share`, `--start-at` and `--merge`: several processes make one run.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::harness::{Finished, Job, Server, output_of};
use crate::load_harness::{Report, load_command};

/// Arguments of share `number` of four, which writes its log to `folder`.
fn share_of_four(number: usize, folder: &Path, flags: &[&str]) -> Command {
    let log = folder.join(format!("{number}.hlog"));
    let mut command = load_command(flags);
    command
        .args(["--share", &format!("{number}/4"), "--export-hlog"])
        .arg(log);
    command
}

fn merge(folder: &Path, flags: &[&str]) -> Finished {
    let files = (0..4).map(|number| folder.join(format!("{number}.hlog")));
    let files: Vec<String> = files.map(|file| file.display().to_string()).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    output_of(&[&["load"], flags, &["--merge"], &files].concat())
}

fn seconds_from_now(seconds: f64) -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    format!("{:.3}", since.expect("after 1970").as_secs_f64() + seconds)
}

/// Processes in place of the pods of benches/cluster/job.yaml. One is killed while it runs.
#[test]
fn a_run_of_four_processes_is_merged_and_the_one_that_died_is_named() {
    let (server, folder) = (Server::http(&[]), tempfile::tempdir().expect("a folder"));
    let (url, start_at) = (server.url(), seconds_from_now(1.5));
    let job = |number, seconds| {
        let flags = ["-c", "8", "-R", "1000", "--start-at", &start_at];
        let flags = [&flags[..], &["-d", seconds, &url]].concat();
        Job::start(&mut share_of_four(number, folder.path(), &flags))
    };
    let killed = job(2, "60");
    let jobs = [0, 1, 3].map(|number| job(number, "1"));
    let log = folder.path().join("2.hlog");
    let started = SystemTime::now() + Duration::from_millis(1600);
    // Its log is open from the beginning, and nothing is in it before the end.
    while SystemTime::now() < started || !log.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(killed);
    for job in jobs {
        let finished = job.finish();
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let report = Report::of(&finished);
        assert_eq!(report.count("/connections"), 2);
        assert_eq!(report.count("/accounting/due"), 250);
    }
    let finished = merge(folder.path(), &["--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let merged: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    assert_eq!(merged["accounting"]["due"], 750, "{merged:#}");
    assert_eq!(
        merged["requests"]["total"],
        merged["accounting"]["completed"]
    );
    let reasons = merged["verdict"]["reasons"].to_string();
    assert!(reasons.contains("2.hlog ends "), "{reasons}");
    assert!(
        reasons.contains("share 2/4 is missing: it has no complete file"),
        "{reasons}"
    );
    let table = merge(folder.path(), &[]).stdout;
    assert!(table.starts_with("Merged 4 runs"), "{table}");
    assert!(table.contains("2.hlog ends "), "{table}");
}

/// As in a container, whose log is all that is left of it.
#[test]
fn a_report_and_its_log_on_stdout_are_merged() {
    let (server, folder) = (Server::http(&[]), tempfile::tempdir().expect("a folder"));
    let url = server.url();
    let flags = ["--json", "--export-hlog", "-", "-c", "2", "-a", "500", &url];
    let finished = output_of(&[&["load"], &flags[..]].concat());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let json = finished.stdout.lines().next().expect("a line");
    let json: Value = serde_json::from_str(json).expect("JSON");
    let path = folder.path().join("pod.log");
    fs::write(&path, finished.stderr + &finished.stdout).expect("a file");
    let merged = output_of(&["load", "--json", "--merge", &path.display().to_string()]);
    let merged: Value = serde_json::from_str(&merged.stdout).expect("JSON");
    assert_eq!(merged["latency"]["totalCount"], 500);
    assert_eq!(merged["latency"]["p50"], json["latency"]["p50"]);
    assert_eq!(merged["sources"][0]["complete"], true);
}

#[test]
fn files_that_cannot_be_merged_are_bad_usage_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let absent = folder.path().join("absent").display().to_string();
    for (file, part) in [
        (file("a.json", "{}\n"), "merge the files of --export-hlog"),
        (
            file("a.txt", "hello\n"),
            "line 1 does not belong to an HdrHistogram log",
        ),
        (absent, "--merge"),
    ] {
        let refused = output_of(&["load", "--merge", &file]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
        assert!(refused.stderr.contains(&file), "{}", refused.stderr);
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    let dead = output_of(&["load", "--merge", &file("dead.hlog", "")]);
    assert_eq!(dead.code, Some(1), "{dead:?}");
    assert!(dead.stdout.contains("dead.hlog ends "), "{dead:?}");
}

#[test]
fn a_start_that_has_passed_or_is_far_away_is_bad_usage() {
    for (start_at, part) in [
        (-60.0, "ago by this machine's clock"),
        (1e6, "within a day"),
    ] {
        let start_at = seconds_from_now(start_at);
        let refused = output_of(&["load", "--start-at", &start_at, "http://127.0.0.1:1"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    for (flags, part) in [
        (["--share", "4/4"], "K from 0"),
        (["--share", "0/11"], "raise --connections"),
    ] {
        let refused = output_of(&[&["load", "http://127.0.0.1:1"], &flags[..]].concat());
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_while_waiting_for_the_start_ends_the_run() {
    let server = Server::http(&[]);
    // In the wait, and in the second in which connections are opened.
    for seconds in [60.0, 0.9] {
        let start_at = seconds_from_now(seconds);
        let url = server.url();
        let mut command = crate::harness::bareloop();
        command.args(["load", "-d", "60", "--start-at", &start_at, &url]);
        let mut job = Job::start(&mut command);
        // The heading follows the check of the address, and precedes the wait.
        job.stdout_line();
        job.signal(rustix::process::Signal::INT);
        let finished = job.finish();
        assert_eq!(finished.code, Some(130), "{finished:?}");
        if seconds > 1.0 {
            assert!(finished.stderr.contains("before the start"), "{finished:?}");
        }
    }
}
