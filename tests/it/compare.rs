//! `bareloop compare` as a user runs it. No Python: the contestants are ours, or fail on purpose.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

const BARELOOP: &str = env!("CARGO_BIN_EXE_bareloop");
/// Short, and light enough for a machine that has other things to do.
const LIGHT: [&str; 6] = ["-c", "2", "-p", "1", "--warmup", "0"];

fn compare(args: &[&str]) -> Command {
    let mut command = Command::new(BARELOOP);
    command.arg("compare").args(LIGHT).args(args);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn output(args: &[&str]) -> (Output, String, String) {
    let output = compare(args).output().unwrap();
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!stderr.contains("panicked"), "{stderr}");
    (output, stdout, stderr)
}

/// `serve tcp` under another name, which writes its process id to a file.
fn server_that_writes_its_id(name: &str, file: &Path) -> String {
    let file = file.display();
    format!("{name}=echo $$ > '{file}'; exec '{BARELOOP}' serve tcp --bind 127.0.0.1:{{port}}")
}

fn written_id(file: &Path) -> Pid {
    let text = std::fs::read_to_string(file).unwrap();
    Pid::from_raw(text.trim().parse().unwrap()).unwrap()
}

fn kill(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn stderr_of(child: &mut Child) -> String {
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[test]
fn a_contestant_that_cannot_run_is_a_row_and_the_exit_code_is_1() {
    let (result, stdout, _) = output(&[
        "-d",
        "0.2",
        "-r",
        "2",
        "--only",
        "bareloop-http,bareloop-tcp,broken",
        "--server",
        "broken=echo 'no licence' >&2; exit 3; : {port}",
    ]);
    assert_eq!(result.status.code(), Some(1), "{stdout}");
    assert!(stdout.contains("round 1/2  broken"), "{stdout}");
    assert!(!stdout.contains("round 2/2  broken"), "{stdout}");
    assert!(stdout.contains("round 2/2  bareloop-http"), "{stdout}");
    assert!(stdout.contains("broken: ended before it listened (exit status: 3): no licence"));
    assert!(stdout.contains("5,264.4 requests/s") && stdout.contains("6,999.6 requests/s"));
}

#[test]
fn json_alone_goes_to_stdout_and_the_file_holds_the_same_shape() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    std::fs::write(&file, "x".repeat(100_000)).unwrap();
    let path = file.to_str().unwrap();
    let (result, stdout, stderr) = output(&[
        "-d",
        "0.2",
        "-r",
        "2",
        "--only",
        "bareloop-http,bareloop-tcp",
        "--json",
        "--export-json",
        path,
    ]);
    assert_eq!(result.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("round 1/2"), "{stderr}");
    let printed: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written, stdout);
    assert_eq!(printed["reference"], "bareloop-http");
    for contestant in printed["contestants"].as_array().unwrap() {
        assert_eq!(contestant["status"], "ran");
        assert_eq!(contestant["errors"], 0);
        assert!(contestant["requestsPerSecond"]["median"].as_f64().unwrap() > 0.0);
        assert!(
            contestant["cpuMicrosPerRequest"]["median"]
                .as_f64()
                .unwrap()
                > 0.0
        );
        assert!(contestant["peakMemoryBytes"].as_u64().unwrap() > 0);
    }
}

#[test]
fn bad_usage_says_the_remedy_before_anything_runs() {
    for (args, remedy) in [
        (&["--only", "nginx"][..], "there are: python-http"),
        (&["--reference", "nginx"], "there are: python-http"),
        (
            &["--export-json", "/no/such/folder/x.json"],
            "--export-json",
        ),
        (&["--server", "node=node server.js"], "{port}"),
        (&["-r", "0"], "at least 1"),
        (&["--warmup", "x"], "--warmup"),
    ] {
        let (result, stdout, stderr) = output(args);
        assert_eq!(result.status.code(), Some(2), "{args:?}");
        assert!(stderr.contains(remedy), "{args:?}: {stderr}");
        assert_eq!(stdout, "", "{args:?}");
    }
}

#[test]
fn an_interrupt_prints_what_was_measured_and_leaves_no_child() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("id");
    let server = server_that_writes_its_id("own", &file);
    let mut child = compare(&["-d", "1000", "--only", "own", "--server", &server])
        .spawn()
        .unwrap();
    // The server's id is written before it listens; the load takes a thousand seconds.
    while std::fs::read_to_string(&file).map_or(true, |text| !text.ends_with('\n')) {
        assert!(child.try_wait().unwrap().is_none(), "ended by itself");
        std::thread::yield_now();
    }
    kill(&child, Signal::INT);
    let mut stdout = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut stdout)
        .unwrap();
    let stderr = stderr_of(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(130), "{stderr}");
    assert!(stdout.contains("Interrupted"), "{stdout}");
    assert!(
        test_kill_process(written_id(&file)).is_err(),
        "the server is left"
    );
}

#[test]
fn a_reader_that_has_had_enough_ends_it_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("id");
    let server = server_that_writes_its_id("own", &file);
    let mut child = compare(&[
        "-d", "0.2", "-r", "1000", "--only", "own", "--server", &server,
    ])
    .spawn()
    .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("round 1/")));
    drop(lines);
    let stderr = stderr_of(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(0), "{stderr}");
    assert_eq!(stderr, "");
    assert!(
        test_kill_process(written_id(&file)).is_err(),
        "the server is left"
    );
}
