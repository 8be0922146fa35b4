//! `load` on command lines that cannot work: one clear line with the remedy, and the right exit
//! code.

use std::net::TcpListener;
#[cfg(target_os = "linux")]
use std::process::Command;

use crate::harness::{Complaints, Finished, bareloop, run};
use crate::load_harness::{Peer, load as load_json};

fn load(args: &[&str]) -> Finished {
    run(bareloop().arg("load").args(args))
}

#[test]
fn bad_usage_exits_with_2_and_names_the_flag_and_the_remedy() {
    let url = "http://localhost";
    let mut complaints = Complaints::default();
    for (args, said) in [
        (&[][..], &["URL", "Usage:"][..]),
        (&["-c", "0", url], &["--connections", "at least 1"]),
        (&["-c", "-1", url], &["-1"]),
        (&["-c", "1.5", url], &["--connections", "whole number"]),
        (&["-c", "99999999", url], &["--connections", "ulimit -n"]),
        (&["-p", "0", url], &["--pipelining", "at least 1"]),
        (&["-p", "10001", url], &["--pipelining", "at most 10000"]),
        (&["--expect-status", "ok", url], &["--expect-status", "4xx"]),
        (
            &["--export-json", "/nowhere/at.all", url],
            &["--export-json", "/nowhere/at.all"],
        ),
        (&["9103"], &["did you mean http://localhost:9103?"]),
        (&[":9103"], &["did you mean http://localhost:9103?"]),
        (&["http://127.1:80"], &["127.1", "all four numbers"]),
        (&["-n", "1000", url], &["-n 1000", "-a 1000"]),
        (&["-z", "5s", url], &["-z", "-d 5s"]),
        (&["--threads", "2", url], &["--threads", "one event loop"]),
        (
            &["--port", "80", "localhost"],
            &["--port", "http://localhost:80"],
        ),
        (&["-d", "abc", url], &["--duration", "seconds"]),
        (&["-W", "[", url], &["--warm-up", "-W 3"]),
        (&["-W", "1", "-a", "9", url], &["--warm-up", "--amount"]),
        (&["-d", "0", url], &["--duration", "more than 0"]),
        (&["-a", "0", url], &["--amount", "at least 1"]),
        (&["-a", "1", "-d", "1", url], &["--amount", "--duration"]),
        (&["-t", "soon", url], &["--timeout", "seconds"]),
        (&["-m", "G T", url], &["--method", "GET"]),
        (&["-m", "CONNECT", url], &["--method", "CONNECT"]),
        (&["-H", "none", url], &["--header", "Name: value"]),
        (
            &["-H", "Content-Length: 3", url],
            &["--header", "leave it out"],
        ),
        (&["-b", "x", "-i", "y", url], &["--body", "--input"]),
        (
            &["-i", "/nowhere/at.all", url],
            &["--input", "/nowhere/at.all"],
        ),
        (&["-i", "/", url], &["--input /"]),
        (
            &["--refill", "both", url],
            &["--refill", "rolling or batch"],
        ),
        (
            &["--conections", "1", url],
            &["--conections", "--connections"],
        ),
        (&["--nonsense", url], &["--nonsense", "--help"]),
        (
            &["--kernel-timestamps", "https://a"],
            if cfg!(target_os = "linux") {
                &["--kernel-timestamps", "https"]
            } else {
                &["--kernel-timestamps", "this system"]
            },
        ),
        #[cfg(target_os = "linux")]
        (
            &["--kernel-timestamps", "-S", "/s", url],
            &["--kernel-timestamps", "unix domain socket"],
        ),
        (&["--calibrate", "https://a"], &["--calibrate", "https"]),
        #[cfg(unix)]
        (
            &["--calibrate", "-S", "/s", url],
            &["--calibrate", "--socket-path"],
        ),
        (
            &["--cacert", "/nowhere/at.all", "https://localhost"],
            &["--cacert", "/nowhere/at.all"],
        ),
        (
            &["--cacert", "Cargo.toml", "https://localhost"],
            &["--cacert", "PEM"],
        ),
        (
            &["-k", "--cacert", "x", "https://a"],
            &["--insecure", "--cacert"],
        ),
        (&["ftp://localhost"], &["ftp"]),
        (&["http://localhost:65536"], &["65536"]),
        (&["http://localhost:0"], &["port"]),
        (&["http://localhost:http"], &["port"]),
        (&["http://"], &["host"]),
        (&["http://a b/"], &["http://a b/"]),
        (&["http://me:pw@localhost"], &["-H"]),
        (&["http://::1:80"], &["["]),
        (
            &[url, "http://more"],
            &["http://more is for another server", "one after the other"],
        ),
        (
            &["--requests", "1000", url],
            &["--requests", "-a 1000", "./1000"],
        ),
        (
            &["--requests", "LICENSE-MIT", url],
            &["--requests LICENSE-MIT, line 1: ", "GET /path"],
        ),
        (
            &["--requests", "/nowhere/at.all"],
            &["--requests /nowhere/at.all"],
        ),
        (
            &["--har", "Cargo.toml"],
            &["--har Cargo.toml: it is not a HAR file", "network tools"],
        ),
        (
            &["--requests", "x", "--har", "y"],
            &["--requests", "--har", "cannot be used with"],
        ),
        (&["-targets", "x"], &["--requests x"]),
    ] {
        let finished = load(args);
        if finished.code != Some(2) || !finished.stdout.is_empty() {
            complaints.add(format_args!("{args:?}: {finished:?}"));
        }
        for word in said {
            if !finished.stderr.contains(word) {
                complaints.add(format_args!("{args:?}: no {word:?} in {}", finished.stderr));
            }
        }
        if finished.stderr.contains("'--header") && !args.contains(&"-H") {
            complaints.add(format_args!("{args:?}: a guess in {}", finished.stderr));
        }
        if !finished.stderr.starts_with("error: ") || finished.stderr.contains("panicked") {
            complaints.add(format_args!("{args:?}: {}", finished.stderr));
        }
    }
    complaints.settle();
}

#[test]
fn a_target_that_does_not_answer_is_one_line_that_names_it_and_exit_code_1() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let closed = listener.local_addr().expect("it is bound").to_string();
    drop(listener);
    let mut complaints = Complaints::default();
    for (args, said) in [
        (
            &[&*format!("http://{closed}")][..],
            &[&*closed, "refused"][..],
        ),
        (
            &["http://no-such-host.invalid/x"],
            &["cannot resolve", "no-such-host.invalid"],
        ),
        #[cfg(unix)]
        (
            &["-S", "/nowhere/at.all", "http://localhost"],
            &["/nowhere/at.all"],
        ),
    ] {
        let finished = load(args);
        if finished.code != Some(1) || !finished.stdout.is_empty() {
            complaints.add(format_args!("{args:?}: {finished:?}"));
        }
        let stderr = &finished.stderr;
        if stderr.lines().count() != 1 || !stderr.starts_with("error: ") {
            complaints.add(format_args!("{args:?}: {stderr}"));
        }
        for word in said {
            if !stderr.contains(word) {
                complaints.add(format_args!("{args:?}: no {word:?} in {stderr}"));
            }
        }
    }
    complaints.settle();
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs unshare and ip"]
fn a_port_from_which_the_connect_itself_comes_is_no_server() {
    // With one port to come from, a connect to that port meets itself (RFC 9293 3.5).
    let finished = run(Command::new("unshare")
        .args(["--map-root-user", "--net", "sh", "-ec"])
        .arg(
            "ip link set lo up
            echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range
            exec \"$0\" load -d 1 http://127.0.0.1:40000",
        )
        .arg(bareloop().get_program()));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert_eq!(finished.stdout, "", "no report");
    assert!(finished.stderr.contains("refused"), "{finished:?}");
}

#[test]
fn the_last_of_a_repeated_flag_counts_and_fields_add_up() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let url = peer.url();
    let flags = "-c 5 -c 1 -m PUT -m post -H A:b -H C:d -a 3 --amount 2 -n -n";
    let flags: Vec<&str> = flags.split(' ').chain([&*url]).collect();
    let (finished, report) = load_json(&flags);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!((report.count("/connections"), report.completed()), (1, 2));
    let request = String::from_utf8(peer.last_request()).expect("text");
    assert!(request.starts_with("POST / HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("A: b\r\nC: d\r\n"), "{request}");
}

#[test]
fn threads_of_wrk_are_told_to_be_a_timeout() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let (finished, _) = load_json(&["-t2", "-a", "1", &peer.url()]);
    assert!(
        finished
            .stderr
            .starts_with("warning: -t2 is a timeout of 2 s"),
        "{finished:?}"
    );
}

#[test]
fn a_body_may_come_from_standard_input() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "from standard input").expect("room");
    let output = bareloop()
        .args(["load", "-m", "POST", "-i", "-", "-a", "1", &peer.url()])
        .stdin(file.reopen().expect("it is there"))
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        peer.last_request()
            .ends_with(b"\r\n\r\nfrom standard input")
    );
}

#[test]
fn the_json_goes_to_a_file_beside_the_report_or_to_stdout() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let path = file.path().to_str().expect("UTF-8");
    let finished = load(&["-a", "5", "--export-json", path, &peer.url()]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("Latency"), "{finished:?}");
    let json = std::fs::read_to_string(path).expect("text");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["accounting"]["completed"], 5);
    let finished = load(&["-a", "5", "--export-json", "-", &peer.url()]);
    let json: serde_json::Value = serde_json::from_str(&finished.stdout).expect("JSON");
    assert_eq!(json["accounting"]["completed"], 5);
}

/// A limit on the size of files, in place of a full disk.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_last_report_as_it_was() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "the last report").expect("room");
    let program = bareloop().get_program().to_owned();
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"])
        .arg(program)
        .args(["load", "-a", "5", "--export-json"])
        .args([file.path().as_os_str(), peer.url().as_ref()]);
    let finished = run(&mut command);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(
        finished.stderr.contains("--export-json: cannot write"),
        "{finished:?}"
    );
    let held = std::fs::read_to_string(file.path()).expect("text");
    assert_eq!(held, "the last report");
}

#[test]
fn gates_trip_after_the_report_and_the_files_are_written() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let [hlog, hgrm, csv] = ["hlog", "hgrm", "csv"].map(path);
    let files = [
        "--export-hlog",
        &hlog,
        "--export-hgrm",
        &hgrm,
        "--export-csv",
        &csv,
    ];
    let gates = [
        "--fail-if",
        "errors>0",
        "--fail-if",
        "p50>1ns",
        "-a",
        "50",
        &peer.url(),
    ];
    let finished = load(&[&files[..], &gates[..]].concat());
    assert_eq!(finished.code, Some(3), "{finished:?}");
    assert!(finished.stdout.contains("Verdict: "), "{finished:?}");
    assert!(finished.stderr.contains("p50 is "), "{finished:?}");
    assert!(!finished.stderr.contains("errors>0"), "{finished:?}");
    let text = |path: &str| std::fs::read_to_string(path).expect("text");
    assert!(text(&hlog).starts_with("#bareloop"), "{}", text(&hlog));
    assert!(
        text(&hgrm).contains("Total count    =           50"),
        "{}",
        text(&hgrm)
    );
    assert!(text(&csv).starts_with("start_s,"), "{}", text(&csv));
    let finished = load(&["--fail-if", "p99", &peer.url()]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_stdout_that_is_full_is_an_error_before_the_first_request() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let full = || {
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("it is there")
    };
    let url = peer.url();
    let with_json = ["load", "--json", "-a", "10", &url];
    for args in [
        &["load", "-a", "10", &url][..],
        &["load", "--help"],
        &["--help"],
        &with_json,
    ] {
        let output = bareloop()
            .args(args)
            .stdout(full())
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            stderr.starts_with("error: cannot write to stdout: "),
            "{args:?}: {stderr}"
        );
        assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
        if args != with_json {
            assert_eq!(peer.requests(), 0, "{args:?}");
        }
    }
}

#[test]
fn a_time_may_have_a_unit() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for time in ["100ms", "0.1", "0.1s", ".1"] {
        let (_, report) = load_json(&["-c", "1", "-d", time, &peer.url()]);
        assert_eq!(report.at("/until"), "100ms", "{time}");
    }
}

#[test]
fn help_shows_each_flag_and_examples() {
    let finished = load(&["--help"]);
    assert_eq!((finished.code, &*finished.stderr), (Some(0), ""));
    for word in [
        "Examples:\n  bareloop load ",
        "Exit codes:",
        "-c, --connections",
        "-p, --pipelining",
        "-d, --duration",
        "-a, --amount",
        "-E, --expect-body",
        "-S, --socket-path",
    ] {
        assert!(
            finished.stdout.contains(word),
            "{word}: {}",
            finished.stdout
        );
    }
}

#[test]
fn a_dash_prints_an_export_in_place_of_the_report() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for (flag, start) in [
        ("--export-csv", "start_s,length_s,"),
        ("--export-hgrm", "       Value"),
        ("--export-hlog", "#bareloop "),
    ] {
        let finished = load(&["-n", "-c", "1", "-a", "10", flag, "-", &peer.url()]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert!(finished.stdout.starts_with(start), "{flag}: {finished:?}");
        assert!(!finished.stdout.contains("Verdict"), "{flag}: {finished:?}");
    }
    let both = [
        "--export-csv",
        "-",
        "--export-hgrm",
        "-",
        "http://localhost",
    ];
    let finished = load(&both);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.stderr.contains("stdout is for the percentiles"));
}

#[cfg(unix)]
#[test]
fn a_file_that_stdout_goes_to_is_not_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out.txt");
    let file = std::fs::File::create(&path).expect("a file");
    let mut command = bareloop();
    command.args(["load", "-a", "1", "--export-csv"]).arg(&path);
    let output = command.arg("http://127.0.0.1:1").stdout(file).output();
    let output = output.expect("it runs");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("stdout goes to this file too"), "{said}");
    assert!(path.exists());
}
