//! `compare --suite`: servers, requests and settings from a file.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Finished, bareloop, run};

/// One short round on few connections.
const SHORT: [&str; 8] = ["-c", "2", "-d", "0.1", "-r", "1", "--warmup", "0"];

/// `compare` of this suite; flags take the place of those above.
pub fn compare(suite: &str, flags: &[&str]) -> Finished {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("suite.toml");
    fs::write(&file, suite).expect("room");
    let mut command = bareloop();
    command.arg("compare").args(SHORT).arg("--suite").arg(&file);
    run(command.args(flags))
}

pub fn json(finished: &Finished) -> Value {
    let json = serde_json::from_str(&finished.stdout);
    json.unwrap_or_else(|e| panic!("no JSON: {e}: {finished:?}"))
}

fn printed_suite() -> String {
    let finished = run(Command::arg(&mut bareloop(), "compare").arg("--print-suite"));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    finished.stdout
}

/// A server of ours that is started by a command, with more keys.
fn server(name: &str, keys: &str) -> String {
    let command = format!(
        "'{}' serve http --bind 127.0.0.1:{{port}}",
        env!("CARGO_BIN_EXE_bareloop")
    );
    format!("[[server]]\nname = \"{name}\"\ncommand = \"\"\"{command}\"\"\"\n{keys}\n")
}

#[test]
fn the_printed_suite_is_accepted_and_flags_go_before_it() {
    let flags = ["--only", "bareloop-tcp,bareloop-http", "--json"];
    let finished = compare(&printed_suite(), &flags);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    let named = finished.stderr.contains("--suite: reference: ");
    assert!(named, "{finished:?}");

    let flags = [&flags[..], &["--reference", "bareloop-tcp"]].concat();
    let finished = compare(&printed_suite(), &flags);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let json = json(&finished);
    assert_eq!(json["settings"]["connections"], 2, "the flag's");
    assert_eq!(json["settings"]["pipelining"], 10, "the suite's");
    assert_eq!(json["reference"], "bareloop-tcp");
}

#[test]
fn each_server_is_loaded_with_its_own_request() {
    let suite = [
        "[request]\nmethod = \"HEAD\"\n".to_owned(),
        server("head", ""),
        server("post", "request.method = \"POST\""),
        server(
            "refused",
            "request.method = \"POST\"\nrequest.expect-status = 405",
        ),
        server(
            "right",
            "request.method = \"GET\"\nrequest.expect-body = \"Hello World!\"",
        ),
        server(
            "wrong",
            "request.method = \"GET\"\nrequest.expect-body = \"Hello\"",
        ),
    ];
    let finished = compare(&suite.concat(), &["--json"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let json = json(&finished);
    for (index, name, status, reason, method) in [
        (0, "head", "ran", "", Value::Null),
        (1, "post", "failed", "status", "POST".into()),
        (2, "refused", "ran", "", "POST".into()),
        (3, "right", "ran", "", "GET".into()),
        (4, "wrong", "failed", "a body other than", "GET".into()),
    ] {
        let row = &json["contestants"][index];
        assert_eq!(row["name"], name);
        assert_eq!(row["status"], status, "{row:#}");
        let said = row["reason"].as_str().unwrap_or_default();
        assert!(said.contains(reason), "{row:#}");
        assert_eq!(row["request"]["method"], method, "{row:#}");
    }
    assert_eq!(json["settings"]["method"], "HEAD");
}

#[cfg(unix)]
#[test]
fn a_server_learns_its_port_from_its_environment_and_is_ready_when_a_path_answers() {
    let suite = server(
        "node",
        "environment.PORT = \"{port}\"\nready.path = \"/health\"",
    );
    let suite = suite.replace("127.0.0.1:{port}", "127.0.0.1:$PORT");
    let finished = compare(&suite, &["--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let row = &json(&finished)["contestants"][0];
    assert_eq!(row["status"], "ran", "{row:#}");
    assert_eq!(row["environment"]["PORT"], "{port}");
}

#[test]
fn a_wrong_suite_is_bad_usage_with_file_and_line() {
    let finished = compare("[settings]\nround = 3\n", &[]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(
        finished.stderr.contains("suite.toml, line 2: "),
        "{finished:?}"
    );
    assert!(finished.stderr.contains("`rounds`"), "{finished:?}");
}

#[test]
fn an_error_names_the_key_of_the_suite_or_the_flag_that_goes_before_it() {
    let key = |key: &str| format!("[settings]\n{key}\n{}{}", server("a", ""), server("b", ""));
    for (keys, flags, line) in [
        // Twice as many are over the limit that any system has.
        (
            "sweep.connections = [1, 2000000000]",
            &[][..],
            "sweep.connections 2000000000: ",
        ),
        (
            "sweep.pipelining = [1, 20000]",
            &[],
            "sweep.pipelining 20000: ",
        ),
        ("sweep.rate = [1]", &[], "sweep.rate: one load"),
        ("trial-duration = 1", &[], "trial-duration: needs a search"),
        ("precision = '1%'", &[], "precision: needs --rounds auto"),
        ("rate = 10\nduet = true", &[], "rate: a duet"),
        ("duet = true", &["--only", "a"], "duet: two servers"),
        ("reference = 'c'", &[], "reference: "),
    ] {
        let finished = compare(&key(keys), flags);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        let line = format!("error: --suite: {line}");
        assert!(finished.stderr.starts_with(&line), "{line}: {finished:?}");
    }
    let flags = ["--sweep-rate", "2", "--duet", "-R", "5"];
    for (flags, line) in [
        (&flags[..2], "--sweep-rate: one"),
        (&flags[2..], "--rate: a duet"),
    ] {
        let finished = compare(&key("sweep.rate = [1, 2]\nrate = 10"), flags);
        let line = format!("error: {line}");
        assert!(finished.stderr.starts_with(&line), "{line}: {finished:?}");
    }
}

#[cfg(unix)]
#[test]
fn too_many_connections_for_the_descriptors_name_the_key() {
    for (flags, name) in [
        (&[][..], "--suite: connections"),
        (&["-c", "2000"], "--connections"),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("suite.toml");
        fs::write(&file, "[settings]\nconnections = 2000\n").expect("room");
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -n 100 && exec \"$0\" \"$@\""]);
        shell
            .arg(env!("CARGO_BIN_EXE_bareloop"))
            .args(["compare", "--suite"]);
        let finished = run(shell.arg(&file).args(flags));
        assert_eq!(finished.code, Some(2), "{finished:?}");
        let line = format!("error: {name} 2000: this process may open at most ");
        assert!(finished.stderr.starts_with(&line), "{finished:?}");
    }
}
