//! `compare`: results saved as they land, Markdown, baselines and gates.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Finished, bareloop, run};

/// Short rounds of one server on few connections.
const SHORT: [&str; 11] = [
    "compare",
    "-c",
    "2",
    "-d",
    "0.1",
    "-r",
    "2",
    "--warmup",
    "0",
    "--only",
    "bareloop-http",
];

fn compare(flags: &[&str]) -> Finished {
    run(bareloop().args(SHORT).args(flags))
}

fn json_of(path: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

#[test]
fn a_gate_decides_the_exit_code() {
    for (gate, code, said) in [
        ("bareloop-http.rate<1G", 2, "k"),
        (
            "bareloop-http.rate<1000M",
            3,
            "error: bareloop-http.rate<1000M: tripped (",
        ),
        (
            "bareloop-http.errors>0",
            0,
            "bareloop-http.errors>0: passed",
        ),
        ("bareloop-tcp.rate<1", 2, "there are: bareloop-http"),
        ("bareloop-http.speed<1", 2, "ratio, change, rate"),
        ("bareloop-http.change<1", 2, "--baseline FILE"),
    ] {
        let finished = compare(&["--fail-if", gate]);
        assert_eq!(finished.code, Some(code), "{gate}: {finished:?}");
        let text = format!("{}{}", finished.stdout, finished.stderr);
        assert!(text.contains(said), "{gate}: {text}");
        assert_eq!(
            code == 2,
            finished.stderr.contains("--fail-if"),
            "{finished:?}"
        );
    }
}

#[test]
fn an_export_is_a_baseline_and_markdown_says_what_changed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (json, markdown) = (path("base.json"), path("report.md"));
    let finished = compare(&["--export-json", &json]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let saved = json_of(Path::new(&json)).expect("JSON");
    assert_eq!(saved["finished"], true);
    assert_eq!(saved["roundsDone"], 2);

    let flags = ["--baseline", &json, "--export-markdown", &markdown];
    let finished = compare(&flags);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.stdout.contains("Since the baseline:"),
        "{finished:?}"
    );
    let text = fs::read_to_string(&markdown).expect("Markdown");
    assert!(text.starts_with("| Server |"), "{text}");
    assert!(text.contains("bareloop-http: requests/s"), "{text}");

    let finished = compare(&["--baseline", &json, "-p", "1", "--export-markdown", "-"]);
    assert!(finished.stdout.starts_with("| Server |"), "{finished:?}");
    assert!(
        finished.stdout.contains("nothing can be compared"),
        "{finished:?}"
    );

    for flags in [
        &["--baseline", "/nowhere/at.all"][..],
        &["--baseline", &markdown],
        &["--json", "--export-markdown", "-"],
    ] {
        let finished = compare(flags);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert_eq!(finished.stdout, "", "before anything runs");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_leaves_its_walks_and_is_not_finished() {
    use std::thread;
    use std::time::Instant;

    use rustix::process::Signal;

    use crate::harness::{Job, PATIENCE};

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("out.json");
    // A walk takes 2 s.
    let loads: Vec<String> = (1..=20).map(|load| load.to_string()).collect();
    let mut command = bareloop();
    command
        .args(SHORT)
        .args(["--sweep-pipelining", &loads.join(","), "--export-json"])
        .arg(&path);
    let job = Job::start(&mut command);
    let start = Instant::now();
    let mut has_rounds_only = false;
    let json = loop {
        assert!(start.elapsed() < PATIENCE, "no walk is saved");
        match json_of(&path) {
            Some(json) if json["sweeps"][0]["walks"] == 1 => break json,
            Some(json) if json["roundsDone"] == 2 => {
                has_rounds_only = true;
                assert_eq!(json["finished"], false, "the sweep is to come");
            }
            _ => thread::yield_now(),
        }
    };
    job.signal(Signal::KILL);
    job.finish();
    assert!(has_rounds_only);
    assert_eq!(json["finished"], false);
    let points = json["sweeps"][0]["points"].as_array().map(Vec::len);
    assert_eq!(points, Some(20));
    assert_eq!(json_of(&path), Some(json));
}

#[cfg(unix)]
#[test]
fn an_interrupted_comparison_leaves_a_valid_partial_json() {
    use std::thread;
    use std::time::Instant;

    use rustix::process::Signal;

    use crate::harness::{Job, PATIENCE};

    for (signal, is_told) in [(Signal::KILL, false), (Signal::INT, true)] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("out.json");
        let mut command = bareloop();
        command
            .args(SHORT)
            .args(["-r", "10000", "--export-json"])
            .arg(&path);
        let job = Job::start(&mut command);
        let start = Instant::now();
        let is_saved = || json_of(&path).is_some_and(|json| json["roundsDone"].as_u64() >= Some(1));
        while !is_saved() {
            assert!(start.elapsed() < PATIENCE, "nothing is saved");
            thread::yield_now();
        }
        job.signal(signal);
        job.finish();
        let json = json_of(&path).expect("valid JSON");
        assert_eq!(json["finished"], false);
        assert_eq!(json["interrupted"], is_told);
        assert_eq!(json["settings"]["rounds"], 10_000);
        let rounds = &json["contestants"][0]["requestsPerSecond"]["rounds"];
        let done = json["roundsDone"].as_u64();
        let rounds = rounds.as_array().map(|rounds| rounds.len() as u64);
        assert_eq!(rounds, done, "one contestant: each run is a round");
    }
}

#[test]
fn a_search_follows_the_comparison() {
    let flags = ["--trial-duration", "50ms", "-c", "2", "-p", "1", "--json"];
    let search = |objective: &str| {
        let finished = compare(&[&["--find-rate", objective], &flags[..]].concat());
        let json: Value = serde_json::from_str(&finished.stdout).expect("JSON");
        assert_eq!(json["finished"], true, "{json:#}");
        (finished.code, json["contestants"][0]["findRate"].clone())
    };
    let (code, found) = search("max<60s");
    assert_eq!(code, Some(0));
    assert_eq!(found["outcome"], "atLeast", "{found:#}");
    assert_eq!(found["objective"], "max<60s");
    assert!(found["rate"].as_f64() > Some(0.0), "{found:#}");

    let (code, found) = search("max<1ns");
    assert_eq!(code, Some(1), "a search without a rate is a failure");
    assert_eq!(found["outcome"], "notMet", "{found:#}");
    let reason = found["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("no trial was within max<"), "{reason}");

    for flags in [["--find-rate", "p99>5ms"], ["--trial-duration", "1"]] {
        let finished = compare(&flags);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(flags[0]), "{finished:?}");
        assert!(finished.stderr.contains("'p99<5ms'"), "{finished:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_search_leaves_the_comparison() {
    use std::thread;
    use std::time::Instant;

    use rustix::process::Signal;

    use crate::harness::{Job, PATIENCE};

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("out.json");
    let mut command = bareloop();
    command
        .args(SHORT)
        .args(["--find-rate", "max<60s", "--trial-duration", "60"])
        .arg("--export-json")
        .arg(&path);
    let job = Job::start(&mut command);
    let start = Instant::now();
    while !json_of(&path).is_some_and(|json| json["roundsDone"] == 2) {
        assert!(start.elapsed() < PATIENCE, "nothing is saved");
        thread::yield_now();
    }
    job.signal(Signal::INT);
    let finished = job.finish();
    assert_eq!(finished.code, Some(130), "{finished:?}");
    let json = json_of(&path).expect("JSON");
    assert_eq!(
        (&json["finished"], &json["interrupted"]),
        (&false.into(), &true.into())
    );
    assert_eq!(json["contestants"][0]["findRate"], Value::Null);
    assert!(json["contestants"][0]["requestsPerSecond"].is_object());
}

#[test]
fn a_sweep_goes_up_and_down_after_the_comparison() {
    let flags = [
        "--sweep-connections",
        "4,1",
        "--sweep-rate",
        "1k,2k",
        "--json",
    ];
    let finished = compare(&flags);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let json: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    let sweeps = json["sweeps"].as_array().expect("an array");
    assert_eq!(sweeps.len(), 2);
    for (sweep, variable, loads) in [
        (&sweeps[0], "connections", [1.0, 4.0, 1.0, 4.0]),
        (&sweeps[1], "rate", [1e3, 2e3, 1e3, 2e3]),
    ] {
        assert_eq!(sweep["variable"], variable);
        assert_eq!(
            (&sweep["name"], &sweep["walks"]),
            (&"bareloop-http".into(), &2.into())
        );
        let points = sweep["points"].as_array().expect("an array");
        let of = |key: &str| -> Vec<Value> { points.iter().map(|it| it[key].clone()).collect() };
        assert_eq!(of("load"), loads.map(Value::from));
        assert_eq!(of("walk"), ["up", "up", "down", "down"].map(Value::from));
        assert!(
            points
                .iter()
                .all(|it| it["requestsPerSecond"]["mean"].as_f64() > Some(0.0))
        );
    }
    // An open loop: the rate is what was asked for, far below what the server can do.
    let reached = sweeps[1]["points"][1]["requestsPerSecond"]["mean"].as_f64();
    assert!(reached < Some(4e3), "{sweeps:#?}");

    for flags in [["--sweep-connections", "1"], ["--sweep-rate", "1G,2G"]] {
        let finished = compare(&flags);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(flags[0]), "{finished:?}");
    }
}
