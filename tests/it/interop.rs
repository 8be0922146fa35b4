//! Clients that others wrote agree with the server. A client that is not installed is passed over,
//! curl excepted.

use std::process::{Command, Output, Stdio};

use crate::harness::Server;

fn curl(server: &Server, args: &[&str]) -> Output {
    Command::new("curl")
        .args(["--silent", "--show-error", "--include", "--max-time", "10"])
        .args(args)
        .arg(format!("http://{}/", server.address()))
        .stdin(Stdio::null())
        .output()
        .expect("curl is installed")
}

/// What curl shows for a reply.
fn shown(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn curl_gets_the_body() {
    let server = Server::http(&[]);
    for version in ["--http1.1", "--http1.0"] {
        let text = shown(&curl(&server, &[version]));
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\nHello World!"), "{text}");
    }
}

#[test]
fn curl_takes_a_head_without_a_body() {
    let text = shown(&curl(&Server::http(&[]), &["--head"]));
    assert!(text.ends_with("Content-Length: 12\r\n\r\n"), "{text}");
}

#[test]
fn curl_sends_bodies_that_are_passed_over() {
    let server = Server::http(&[]);
    let large = format!("{}\n", "x".repeat(100_000));
    for args in [
        &["--data", "a=b"][..],
        &["--request", "PUT", "--data-binary", &large],
        &["--data", "a=b", "--header", "Transfer-Encoding: chunked"],
        &["--data", "a=b", "--header", "Expect: 100-continue"],
    ] {
        let text = shown(&curl(&server, args));
        assert!(
            text.contains("HTTP/1.1 405 Method Not Allowed\r\n"),
            "{args:?}: {text}"
        );
        assert_eq!(
            text.starts_with("HTTP/1.1 100 Continue\r\n"),
            args.contains(&"Expect: 100-continue"),
            "{args:?}: {text}"
        );
    }
}

#[test]
fn curl_uses_one_connection_for_many_requests() {
    let server = Server::http(&[]);
    let url = format!("http://{}/", server.address());
    let text = shown(&curl(
        &server,
        &["--write-out", "%{num_connects};", &url, &url, &url],
    ));
    assert_eq!(text.matches("Hello World!").count(), 4, "{text}");
    let connects: Vec<&str> = text
        .split("Hello World!")
        .skip(1)
        .map(|end| &end[..2])
        .collect();
    assert_eq!(connects, ["1;", "0;", "0;", "0;"], "{text}");
}

#[test]
fn curl_reads_the_reply_to_a_body_that_is_too_large() {
    let server = Server::http(&["--body-max", "10"]);
    let text = shown(&curl(&server, &["--data", "more than ten bytes"]));
    assert!(
        text.starts_with("HTTP/1.1 413 Content Too Large\r\n"),
        "{text}"
    );
}

/// Runs a load generator, if there is one of that name, and hands its report to `check`.
fn load(name: &str, args: &[&str], check: impl FnOnce(&str)) {
    let server = Server::http(&[]);
    let url = format!("http://{}/", server.address());
    match Command::new(name)
        .args(args)
        .arg(url)
        .stdin(Stdio::null())
        .output()
    {
        Ok(output) => check(
            &(String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr)),
        ),
        Err(_) => eprintln!("{name} is not installed"),
    }
}

#[test]
fn wrk_sees_no_errors() {
    load("wrk", &["-t1", "-c20", "-d1s"], |report| {
        assert!(report.contains("Requests/sec"), "{report}");
        assert!(
            !report.contains("Socket errors") && !report.contains("Non-2xx"),
            "{report}"
        );
    });
}

#[test]
fn ab_sees_no_errors() {
    for args in [
        &["-n", "1000", "-c", "10"][..],
        &["-n", "1000", "-c", "10", "-k"],
    ] {
        load("ab", args, |report| {
            assert!(
                report.contains("Complete requests:      1000\n"),
                "{report}"
            );
            assert!(report.contains("Failed requests:        0\n"), "{report}");
        });
    }
}

#[test]
fn h2load_sees_no_errors() {
    load(
        "h2load",
        &["--h1", "-n", "1000", "-c", "10", "-m", "10"],
        |report| {
            assert!(
                report.contains("1000 succeeded, 0 failed, 0 errored"),
                "{report}"
            );
        },
    );
}

#[test]
fn autocannon_sees_no_errors() {
    load(
        "autocannon",
        &["-c", "10", "-a", "1000", "-p", "10", "--json"],
        |report| {
            assert!(
                report.contains("\"errors\":0,") && report.contains("\"non2xx\":0,"),
                "{report}"
            );
        },
    );
}
