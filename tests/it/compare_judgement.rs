//! Answers, cost and fairness of `compare` with real servers. The rules themselves are tested
//! beside the code.

use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;

use crate::harness::{bareloop, run};

/// The JSON of a comparison of bareloop-http and bareloop-tcp.
fn compared(flags: &[&str]) -> Value {
    compared_with_exit(0, flags)
}

fn compared_with_exit(code: i32, flags: &[&str]) -> Value {
    let mut command = bareloop();
    command.args(["compare", "-c", "4", "-p", "2", "--json"]);
    command.args(["--only", "bareloop-tcp,bareloop-http"]);
    command.args(["--reference", "bareloop-http"]);
    let finished = run(command.args(flags));
    assert_eq!(finished.code, Some(code), "{finished:?}");
    serde_json::from_str(&finished.stdout).expect("JSON")
}

fn length(value: &Value) -> usize {
    value.as_array().expect("an array").len()
}

#[test]
fn an_answer_comes_with_its_margin_bounds_and_rounds() {
    let flags = [
        "-d",
        "0.1",
        "--warmup",
        "0",
        "-r",
        "6",
        "--same-within",
        "50%",
    ];
    let json = compared(&flags);
    assert_eq!(json["settings"]["sameWithin"], 0.5);
    assert_eq!(json["roundsEnd"], "planned");
    let ratio = &json["contestants"][0]["ratio"];
    assert_eq!(ratio["margin"], 0.5);
    assert_eq!(ratio["bounds"], "interval");
    assert_eq!(length(&ratio["rounds"]), 6);
    let findings = ["different", "same", "undecided"];
    assert!(
        findings.contains(&ratio["finding"].as_str().unwrap()),
        "{ratio:#}"
    );
    assert!(ratio["low"].as_f64().unwrap() <= ratio["mean"].as_f64().unwrap());
    assert_eq!(json["contestants"][1]["ratio"], Value::Null);
}

#[test]
fn each_run_is_kept_with_its_limits_and_the_reply_was_checked() {
    let json = compared(&["-d", "0.1", "--warmup", "0", "-r", "2"]);
    for contestant in json["contestants"].as_array().unwrap() {
        assert_eq!(length(&contestant["runs"]), 2);
        assert_eq!(contestant["reply"]["status"], 200);
        assert_eq!(contestant["reply"]["keepsAlive"], true);
        assert_eq!(contestant["reply"]["pipelines"], true);
        assert!(contestant["runs"][1]["limits"].is_array());
    }
    assert_eq!(json["contestants"][0]["reply"]["bytes"], 48, "of serve tcp");
}

#[cfg(target_os = "linux")]
#[test]
fn cost_is_told_by_mode_with_switches_and_memory_for_both_sides() {
    let json = compared(&["-d", "0.3", "--warmup", "0", "-r", "1"]);
    for side in ["server", "client"] {
        let cost = &json["contestants"][0]["cost"][side];
        for key in [
            "voluntarySwitchesPerRequest",
            "involuntarySwitchesPerRequest",
        ] {
            assert!(cost[key]["median"].is_number(), "{side} {key}: {cost:#}");
        }
        // The modes are counted in clock ticks: less than two of them may be told as none.
        let run = &json["contestants"][0]["runs"][0];
        let [rate, seconds] = ["requestsPerSecond", "seconds"].map(|key| run[key].as_f64());
        let micros = cost["cpuMicrosPerRequest"]["median"].as_f64();
        let cpu_micros = micros.unwrap() * rate.unwrap() * seconds.unwrap();
        for key in ["userMicrosPerRequest", "systemMicrosPerRequest"] {
            let is_told = cost[key]["median"].is_number();
            assert!(is_told || cpu_micros < 20_000.0, "{side} {key}: {cost:#}");
        }
        let [peak, steady] = ["peakMemoryBytes", "steadyMemoryBytes"].map(|key| cost[key].as_u64());
        assert!(peak >= steady && steady > Some(0), "{side}: {cost:#}");
    }
}

#[test]
fn a_duet_loads_two_servers_in_turn() {
    let json = compared(&["--duet", "-d", "0.3", "--warmup", "0.05", "-r", "2"]);
    assert_eq!(json["settings"]["duet"], true);
    let contestant = &json["contestants"][0];
    assert_eq!(length(&contestant["ratio"]["rounds"]), 2);
    for contestant in json["contestants"].as_array().unwrap() {
        assert_eq!(contestant["status"], "ran", "{contestant:#}");
        assert_eq!(contestant["errors"], 0, "{contestant:#}");
        let seconds = contestant["runs"][0]["seconds"].as_f64().unwrap();
        assert!(seconds >= 0.3, "each side has its own window: {seconds}");
        let run = &contestant["runs"][0];
        assert_eq!(length(&run["client"]["pauses"]), 0, "its slices are none");
        assert_eq!(run["longestSilenceMs"], Value::Null);
        if cfg!(target_os = "linux") {
            let client = &contestant["cost"]["client"];
            let by_mode = &client["userMicrosPerRequest"]["median"];
            assert!(by_mode.is_number(), "{client:#}");
        }
    }
    // Slices of random length: how many fit into the window is not fixed.
    assert!(contestant["runs"][0]["duet"]["pairs"].as_u64().unwrap() >= 1);
    assert_eq!(json["contestants"][1]["runs"][0]["duet"], Value::Null);
}

const SHORT_DUET: [&str; 7] = ["--duet", "-d", "0.1", "--warmup", "0", "-r", "1"];

#[test]
fn a_duet_checks_the_bodies_too() {
    let json = compared_with_exit(1, &[&SHORT_DUET[..], &["-E", "nonsense"]].concat());
    for contestant in json["contestants"].as_array().unwrap() {
        assert_eq!(contestant["status"], "failed", "{contestant:#}");
        assert_eq!(contestant["ratio"], Value::Null);
    }
}

#[test]
fn a_server_that_answers_nothing_in_a_duet_has_failed() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = format!("silent=http://{}", silent.local_addr().expect("bound"));
    let flags = ["--server", &server, "--only", "silent"];
    let json = compared_with_exit(1, &[&SHORT_DUET[..], &flags].concat());
    assert_eq!(json["contestants"][0]["status"], "ran", "bareloop-tcp");
    let contestant = &json["contestants"][2];
    assert_eq!(contestant["status"], "failed", "{contestant:#}");
    let reason = contestant["reason"].as_str().expect("a reason");
    assert!(reason.contains("no reply"), "{reason}");
    assert_eq!(contestant["ratio"], Value::Null);
}

#[cfg(unix)]
#[test]
fn a_duet_needs_descriptors_for_the_connections_of_both_loads() {
    let line = "ulimit -n 64; exec \"$0\" compare -c 20 \"$@\"";
    let run_with = |flags: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", line, env!("CARGO_BIN_EXE_bareloop")]);
        command.args(["--only", "bareloop-tcp,bareloop-http"]);
        run(command.args(flags))
    };
    let finished = run_with(&SHORT_DUET);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    let said = "--connections 20: a duet holds twice as many, and this process may open at most ";
    assert!(finished.stderr.contains(said), "{finished:?}");
    let finished = run_with(&SHORT_DUET[1..]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[cfg(unix)]
#[test]
fn servers_get_the_limit_on_descriptors_that_compare_was_given() {
    let line = "ulimit -S -n 200; exec \"$0\" compare \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", line, env!("CARGO_BIN_EXE_bareloop")]);
    let server = "told=echo \"limit $(ulimit -n)\"; exit 1 # {port}";
    let flags = ["--server", server, "--only", "told", "-c", "4", "--json"];
    let finished = run(command.args(flags));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let json: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    let reason = json["contestants"][0]["reason"].as_str().expect("a reason");
    assert!(reason.ends_with(": limit 200"), "{reason}");
}

#[test]
fn flags_that_make_no_sense_together_are_refused() {
    for (flags, said) in [
        (
            &["--precision", "1%"][..],
            "--precision: needs --rounds auto",
        ),
        (
            &["--duet", "--only", "bareloop-http"],
            "--duet: two servers at least",
        ),
        (&["--same-within", "2"], "write 2% or 0.5%"),
        (&["-p", "10001"], "at most 10000: "),
        (
            &["--rounds", "auto", "--only", "bareloop-http"],
            "--rounds auto: two servers at least",
        ),
        (
            &["--rounds", "some"],
            "'some' is not a whole number of at least 1, or auto",
        ),
    ] {
        let finished = run(bareloop().arg("compare").args(flags));
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(said), "{finished:?}");
    }
}
