//! `compare` with real servers: measured figures, failed contestants, and where results are
//! written. Judgement is tested without a process, beside the code.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Complaints, Finished, Job, Server, bareloop, run};

/// One short round, and light enough for a machine that has other things to do. There a process
/// waits for its turn on a core for tens of milliseconds: a window of 100 ms may pass without a
/// reply, and a server without a reply has failed.
const SHORT: [&str; 10] = [
    "-c", "4", "-p", "2", "-d", "0.5", "-r", "1", "--warmup", "0.05",
];

/// `compare` with that.
fn compare(flags: &[&str]) -> Command {
    let mut command = bareloop();
    command.arg("compare").args(SHORT).args(flags);
    command
}

fn json_in(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("no JSON: {e}: {text}"))
}

/// The contestant of this name.
fn row<'j>(json: &'j Value, name: &str) -> &'j Value {
    let rows = json["contestants"].as_array().expect("an array");
    let row = rows.iter().find(|row| row["name"] == name);
    row.unwrap_or_else(|| panic!("no {name} in {json:#}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

fn assert_ran(row: &Value) {
    assert_eq!(row["status"], "ran", "{row:#}");
    assert_eq!(row["reason"], Value::Null);
    assert_eq!(row["errors"], 0, "{row:#}");
    assert!(number(&row["requestsPerSecond"]["median"]) > 0.0, "{row:#}");
}

/// A contestant that failed and says why, with the others' rows as they should be.
fn assert_failed(finished: &Finished, name: &str, reason: &str) {
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let json = json_in(&finished.stdout);
    let row = row(&json, name);
    assert_eq!(row["status"], "failed", "{row:#}");
    let said = row["reason"].as_str().expect("a reason");
    assert!(said.contains(reason), "{reason:?} in {said:?}");
    assert_eq!(row["requestsPerSecond"], Value::Null);
}

#[test]
fn the_json_of_two_rounds_has_the_promised_shape() {
    let flags = ["-r", "2", "-c", "4", "-p", "5", "--json"];
    let only = ["--only", "bareloop-tcp,bareloop-http"];
    let mut command = bareloop();
    command.args(["compare", "-d", "0.5", "--warmup", "0.05"]);
    let finished = run(command.args(flags).args(only));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let json = json_in(&finished.stdout);
    for pointer in [
        "/machine/os",
        "/machine/cpu",
        "/machine/cores",
        "/machine/memoryBytes",
        "/settings/connections",
        "/reference",
        "/published/0/requestsPerSecond",
        "/version",
    ] {
        assert!(json.pointer(pointer).is_some(), "{pointer}: {json:#}");
    }
    assert_eq!(json["settings"]["pipelining"], 5);
    assert_eq!(json["settings"]["durationSeconds"], 0.5);
    assert_eq!(json["interrupted"], false);
    assert_eq!(json["published"][0]["requestsPerSecond"], 5264.4);
    assert_eq!(json["published"][1]["requestsPerSecond"], 6999.6);
    let names: Vec<&Value> = json["contestants"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|row| &row["name"])
        .collect();
    assert_eq!(
        names,
        ["bareloop-tcp", "bareloop-http"],
        "in --only's order"
    );
    assert_eq!(json["reference"], "bareloop-tcp", "the first that ran");
    for name in ["bareloop-tcp", "bareloop-http"] {
        let row = row(&json, name);
        assert_ran(row);
        let rate = &row["requestsPerSecond"];
        assert_eq!(rate["rounds"].as_array().map(Vec::len), Some(2));
        let ordered = ["min", "median", "max"].map(|key| number(&rate[key]));
        assert!(ordered.is_sorted(), "{row:#}");
        for key in ["p50", "p99", "max"] {
            assert!(number(&row["latencyMs"][key]) > 0.0, "{row:#}");
        }
        assert!(number(&row["cpuMicrosPerRequest"]["median"]) > 0.0);
        assert!(number(&row["peakMemoryBytes"]) > 100_000.0);
        assert!(row["warnings"].is_array());
        assert!(row["command"].as_str().expect("text").contains("{port}"));
    }
    assert_eq!(row(&json, "bareloop-tcp")["ratio"], Value::Null);
    let ratio = &row(&json, "bareloop-http")["ratio"];
    let ordered = ["low", "median", "high"].map(|key| number(&ratio[key]));
    assert!(ordered.is_sorted(), "{ratio:#}");
    let lines = finished
        .stderr
        .lines()
        .filter(|line| line.contains("bareloop-"));
    assert!(lines.count() >= 4, "a line as each run ends: {finished:?}");
}

#[test]
#[ignore = "needs python3"]
fn without_flags_the_two_python_servers_and_ours_are_compared() {
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    assert!(has_python, "this test needs python3 in PATH");
    // On a busy machine a Python server may not run at all in a shorter time.
    let finished = run(&mut compare(&["--json", "-d", "1"]));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let json = json_in(&finished.stdout);
    for name in ["python-http", "python-tcp", "bareloop-http", "bareloop-tcp"] {
        let row = row(&json, name);
        assert_eq!(row["status"], "ran", "{row:#}");
        assert!(number(&row["requestsPerSecond"]["median"]) > 0.0);
    }
    assert_eq!(json["reference"], "python-http");
    assert_eq!(row(&json, "bareloop-http")["errors"], 0);
    assert!(number(&row(&json, "bareloop-http")["ratio"]["median"]) > 1.0);
}

#[test]
fn without_python_its_rows_say_so_and_ours_run() {
    let empty = tempfile::tempdir().expect("a temporary folder");
    let finished = run(compare(&["--json"]).env("PATH", empty.path()));
    for name in ["python-http", "python-tcp"] {
        assert_failed(&finished, name, "'python3' was not found; is it installed?");
    }
    let json = json_in(&finished.stdout);
    assert_ran(row(&json, "bareloop-http"));
    assert_ran(row(&json, "bareloop-tcp"));
    assert_eq!(json["reference"], "bareloop-http", "the first that ran");
    let finished = run(compare(&[]).env("PATH", empty.path()));
    assert_eq!(finished.code, Some(1));
    assert!(
        finished.stdout.contains("'python3' was not found"),
        "{finished:?}"
    );
}

#[test]
fn any_server_takes_part_by_its_command() {
    let command = format!(
        "mine='{}' serve http --bind 127.0.0.1:{{port}}",
        env!("CARGO_BIN_EXE_bareloop")
    );
    let flags = [
        "--server",
        &command,
        "--only",
        "mine,bareloop-http",
        "--json",
    ];
    let finished = run(&mut compare(&flags));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let json = json_in(&finished.stdout);
    assert_ran(row(&json, "mine"));
    let shown = row(&json, "mine")["command"].as_str().expect("text");
    assert!(
        shown.ends_with("serve http --bind 127.0.0.1:{port}"),
        "{shown}"
    );
}

#[test]
fn a_contestant_that_cannot_run_is_a_row_with_its_reason_and_the_others_go_on() {
    for (command, reason) in [
        ("bad=no-such-program-here {port}", "no-such-program-here"),
        ("bad=echo my reason for {port} >&2; exit 7", "my reason for"),
        ("bad=exit 7 # {port}", "exit status: 7"),
        ("bad=kill -9 $$ # {port}", "signal: 9"),
    ] {
        let flags = ["--server", command, "--only", "bad,bareloop-tcp", "--json"];
        let finished = run(&mut compare(&flags));
        assert_failed(&finished, "bad", reason);
        let json = json_in(&finished.stdout);
        assert_ran(row(&json, "bareloop-tcp"));
        assert_eq!(json["reference"], "bareloop-tcp");
    }
}

#[test]
fn a_server_that_never_listens_is_given_up() {
    let flags = [
        "--server",
        "deaf=sleep 60 # {port}",
        "--only",
        "deaf",
        "--start-timeout",
        "0.2",
        "--json",
    ];
    let finished = run(&mut compare(&flags));
    assert_failed(&finished, "deaf", "did not listen on port");
}

#[test]
fn a_table_for_people_follows_a_line_as_each_run_ends() {
    let finished = run(&mut compare(&["--only", "bareloop-http,bareloop-tcp"]));
    assert_eq!((finished.code, &*finished.stderr), (Some(0), ""));
    for word in ["bareloop-http", "bareloop-tcp", "p99", "Errors"] {
        assert!(
            finished.stdout.contains(word),
            "{word}: {}",
            finished.stdout
        );
    }
    // The published figures are about servers that take no part.
    for absent in ["Published", "\x1b"] {
        assert!(!finished.stdout.contains(absent), "{}", finished.stdout);
    }
}

#[test]
fn the_json_is_exported_beside_the_table_or_in_its_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("out.json");
    fs::write(&path, "x".repeat(100_000)).expect("it can be written");
    let only = ["--only", "bareloop-tcp"];
    let file = path.to_str().expect("UTF-8");
    let finished = run(compare(&only).args(["--export-json", file]));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let exported = json_in(&fs::read_to_string(&path).expect("it was written"));
    assert_ran(row(&exported, "bareloop-tcp"));
    assert!(finished.stdout.contains("bareloop-tcp"), "{finished:?}");
    let finished = run(compare(&only).args(["--export-json", "-"]));
    assert_ran(row(&json_in(&finished.stdout), "bareloop-tcp"));
}

#[test]
fn a_reader_that_has_gone_away_ends_it_quietly_unless_there_is_a_file_to_write() {
    let mut command = bareloop();
    command.args([
        "compare",
        "-d",
        "0.3",
        "-r",
        "100000",
        "--only",
        "bareloop-tcp",
    ]);
    let finished = Job::with_closed_stdout(&mut command).finish();
    assert_eq!((finished.code, &*finished.stderr), (Some(0), ""));

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("out.json");
    let file = path.to_str().expect("UTF-8");
    let mut command = compare(&["--only", "bareloop-tcp", "--export-json", file]);
    let finished = Job::with_closed_stdout(&mut command).finish();
    assert_eq!((finished.code, &*finished.stderr), (Some(0), ""));
    let exported = json_in(&fs::read_to_string(&path).expect("it was written"));
    assert_ran(row(&exported, "bareloop-tcp"));

    // It was judged, and a script may look at nothing but the exit code.
    let gate = ["--fail-if", "bareloop-tcp.rate<1000000000"];
    let mut command = compare(&["--only", "bareloop-tcp", "--export-json", file]);
    let finished = Job::with_closed_stdout(command.args(gate)).finish();
    assert_eq!(finished.code, Some(3), "{finished:?}");
}

#[test]
fn bad_usage_leaves_no_empty_file_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("out.json");
    let file = path.to_str().expect("UTF-8");
    let flags = ["--export-json", file, "--export-html", "/nowhere/at.all"];
    let finished = run(&mut compare(&flags));
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(!path.exists());
}

#[test]
fn bad_usage_exits_with_2_before_anything_runs() {
    let mut complaints = Complaints::default();
    for (flags, said) in [
        (&["--only", "nobody"][..], &["nobody", "python-http"][..]),
        (
            &["--only", "bareloop-tcp,bareloop-tcp"],
            &["--only", "bareloop-tcp", "name it once"],
        ),
        (
            &["--only", "bareloop-tcp,,"],
            &["--only", "a name is missing"],
        ),
        (
            &["--only", "bareloop-tcp", "--reference", "bareloop-http"],
            &["--reference", "'bareloop-http' is not among the chosen"],
        ),
        (&["-c", "1000000000"], &["--connections", "ulimit -n"]),
        (&["--path", "health"], &["--path", "/health"]),
        (
            &["--pid", "bareloop-tcp=1"],
            &["--pid", "--server bareloop-tcp=URL"],
        ),
        (&["--pid", "x"], &["--pid", "NAME=PID"]),
        (&["--server", "x=https://me@localhost"], &["--server", "-H"]),
        (&["-H", "x"], &["--header", "Name: value"]),
        (&["--reference", "nobody"], &["nobody", "bareloop-http"]),
        (
            &["--export-json", "/nowhere/at.all"],
            &["--export-json", "/nowhere/at.all"],
        ),
        (&["--export-json", "/"], &["--export-json", "/"]),
        (
            &["--server", "x"],
            &["--server", "NAME='COMMAND with {port}'"],
        ),
        (&["--server", "x=sleep 1"], &["--server", "{port}"]),
        (&["--server", "a b=c {port}"], &["--server", "name"]),
        (
            &["--server", "bareloop-tcp=c {port}"],
            &["bareloop-tcp", "another name"],
        ),
        (&["-c", "0"], &["--connections", "at least 1"]),
        (&["-r", "0"], &["--rounds", "at least 1"]),
        (&["-R", "1:9"], &["--rate", "2.5k"]),
        (&["-R", "1k", "--duet"], &["--rate", "duet", "leave out"]),
        (&["-d", "abc"], &["--duration", "seconds"]),
        (&["--warmup", "abc"], &["--warmup", "seconds"]),
        (&["--nonsense"], &["--nonsense", "--help"]),
        (&["stray"], &["stray"]),
    ] {
        let finished = run(bareloop().arg("compare").args(flags));
        if finished.code != Some(2) || !finished.stdout.is_empty() {
            complaints.add(format_args!("{flags:?}: {finished:?}"));
        }
        let stderr = &finished.stderr;
        for word in said {
            if !stderr.contains(word) {
                complaints.add(format_args!("{flags:?}: no {word:?} in {stderr}"));
            }
        }
        if !stderr.starts_with("error: ") || stderr.contains("panicked") {
            complaints.add(format_args!("{flags:?}: {stderr}"));
        }
    }
    complaints.settle();
}

#[test]
fn a_server_that_runs_already_is_loaded_and_its_process_counted() {
    let server = Server::http(&["--body", "here"]);
    let url = format!("app=http://{}", server.address());
    let pid = format!("app={}", server.id());
    for (flags, has_cost) in [(&["--pid", &*pid][..], true), (&[], false)] {
        let finished = run(compare(&["--server", &url, "--only", "app", "--json"]).args(flags));
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let json = json_in(&finished.stdout);
        let app = row(&json, "app");
        assert_ran(app);
        assert_eq!(app["cpuMicrosPerRequest"].is_object(), has_cost, "{app:#}");
        assert_eq!(app["peakMemoryBytes"].is_u64(), has_cost, "{app:#}");
    }
    // It was not started here, and is not stopped here.
    server.connect();
}

#[test]
fn the_request_is_the_one_that_was_asked_for() {
    let request = ["-m", "POST", "--path", "/x?y", "-H", "X-A: b", "-b", "text"];
    let only = ["--only", "bareloop-http", "--json"];
    // 405 for each POST: the method and the framing of the body have arrived.
    let finished = run(compare(&only).args(request));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let json = json_in(&finished.stdout);
    assert_eq!(json["settings"]["method"], "POST");
    assert_eq!(json["settings"]["path"], "/x?y");
    let wrong = row(&json, "bareloop-http");
    assert_eq!(wrong["status"], "failed", "{wrong:#}");
    assert!(wrong["reason"].as_str().expect("text").contains("(405)"));
    assert!(number(&wrong["non2xx"]) > 0.0, "{wrong:#}");

    let finished = run(compare(&only)
        .args(request)
        .args(["--expect-status", "405"]));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_ran(row(&json_in(&finished.stdout), "bareloop-http"));
}

#[test]
fn a_given_rate_is_the_rate_of_every_run() {
    let flags = ["-R", "1k", "--only", "bareloop-http,bareloop-tcp", "--json"];
    let finished = run(&mut compare(&flags));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let json = json_in(&finished.stdout);
    assert_eq!(json["settings"]["rate"], 1000.0);
    for name in ["bareloop-http", "bareloop-tcp"] {
        let row = row(&json, name);
        assert_ran(row);
        // A closed loop is faster by a factor of ten and more.
        assert!(number(&row["requestsPerSecond"]["median"]) < 2e3, "{row:#}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_stdout_that_takes_nothing_ends_it_at_the_start() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let mut command = compare(&["--only", "bareloop-tcp", "-r", "1000000"]);
    let output = command.stdout(full.expect("a device")).output();
    let output = output.expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.starts_with("error: cannot write to stdout: "),
        "{said}"
    );
}
