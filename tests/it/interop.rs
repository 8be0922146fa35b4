//! Other programs' clients against `serve`, and `load` against other programs' servers.
//!
//! curl is needed by default. The tests that need other tools are ignored until they are asked for,
//! and then fail if the tool is missing.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Finished, Server, run};
use crate::load_harness::load_well;

/// Runs another program, which has to succeed.
fn tool(name: &str, args: &[&str]) -> Finished {
    let finished = run(Command::new(name).args(args));
    assert_eq!(finished.code, Some(0), "{name} {args:?}: {finished:?}");
    finished
}

/// The first number that follows `label`, without its thousands separators.
fn number_after(text: &str, label: &str) -> u64 {
    let (_, rest) = text
        .split_once(label)
        .unwrap_or_else(|| panic!("no {label:?} in {text}"));
    let digits: String = rest
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn curl_gets_the_reply() {
    let server = Server::http(&[]);
    let said = tool("curl", &["-sSi", &server.url()]).stdout;
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said:?}");
    assert!(said.contains("\r\nServer: bareloop"), "{said:?}");
    assert!(said.contains("\r\nContent-Length: 12\r\n"), "{said:?}");
    assert!(said.ends_with("\r\n\r\nHello World!"), "{said:?}");
}

#[test]
fn curl_gets_the_reply_over_http_1_0() {
    let server = Server::http(&[]);
    let said = tool("curl", &["-sSi", "--http1.0", &server.url()]).stdout;
    assert!(said.starts_with("HTTP/1."), "{said:?}");
    assert!(said.ends_with("\r\n\r\nHello World!"), "{said:?}");
    assert!(!said.contains("keep-alive"), "{said:?}");
}

#[test]
fn curl_gets_a_head_without_a_body() {
    let server = Server::http(&[]);
    let said = tool("curl", &["-sSI", &server.url()]).stdout;
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said:?}");
    assert!(said.ends_with("\r\n\r\n"), "{said:?}");
}

#[test]
fn curl_gets_405_for_a_post() {
    let server = Server::http(&[]);
    let said = tool("curl", &["-sSi", "-d", "a=b", &server.url()]).stdout;
    assert!(said.starts_with("HTTP/1.1 405 "), "{said:?}");
    assert!(said.contains("\r\nAllow: GET, HEAD\r\n"), "{said:?}");
}

#[test]
fn curl_gets_413_for_a_body_that_is_too_large() {
    let server = Server::http(&["--body-max", "10"]);
    let body = "x".repeat(100_000);
    let said = tool("curl", &["-sSi", "-d", &body, &server.url()]).stdout;
    assert!(said.starts_with("HTTP/1.1 413 "), "{said:?}");
}

#[test]
fn curl_gets_100_continue_before_it_uploads() {
    let server = Server::http(&[]);
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), "x".repeat(100_000)).expect("it can be written");
    let path = file.path().to_str().expect("UTF-8");
    for framing in ["X-Framing: by length", "Transfer-Encoding: chunked"] {
        let expect = ["-H", "Expect: 100-continue", "-H", framing];
        let url = server.url();
        // Without the interim reply curl waits for an hour.
        let patient = ["--expect100-timeout", "3600", "-sSi", "-T", path, &url];
        let said = tool("curl", &[&expect[..], &patient].concat()).stdout;
        assert!(
            said.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 405 "),
            "{said:?}"
        );
    }
}

#[test]
fn curl_reuses_its_connection() {
    let server = Server::http(&[]);
    let url = server.url();
    let format = "%{num_connects} %{http_code}\n";
    let said = tool("curl", &["-sS", "-o", "-", "-w", format, &url, &url, &url]).stdout;
    assert_eq!(
        said,
        "Hello World!1 200\nHello World!0 200\nHello World!0 200\n"
    );
}

fn assert_no_errors_in_wrk(said: &str) {
    assert!(!said.contains("Socket errors"), "{said}");
    assert!(!said.contains("Non-2xx"), "{said}");
    let (requests, _) = said.split_once(" requests in ").expect("a count");
    let requests = requests.split_whitespace().last().expect("a count");
    assert!(requests.parse::<u64>().expect("a count") > 0, "{said}");
}

#[test]
#[ignore = "needs wrk"]
fn wrk_has_no_errors() {
    for server in [Server::http(&[]), Server::tcp(&[])] {
        let said = tool("wrk", &["-t", "1", "-c", "50", "-d", "1s", &server.url()]).stdout;
        assert_no_errors_in_wrk(&said);
    }
}

#[test]
#[ignore = "needs wrk"]
fn wrk_has_no_errors_with_pipelining() {
    let script = tempfile::NamedTempFile::new().expect("a temporary file");
    let lua = "init = function(args)\n\
               local all = {}\n\
               for i = 1, 16 do all[i] = wrk.format('GET', '/' .. i) end\n\
               batch = table.concat(all)\n\
               end\n\
               request = function() return batch end\n";
    fs::write(script.path(), lua).expect("it can be written");
    let script = script.path().to_str().expect("UTF-8");
    let server = Server::http(&[]);
    let flags = ["-t", "1", "-c", "50", "-d", "1s", "-s", script];
    let said = tool("wrk", &[&flags[..], &[&server.url()]].concat()).stdout;
    assert_no_errors_in_wrk(&said);
}

#[test]
#[ignore = "needs ab"]
fn ab_has_no_failures_with_and_without_keep_alive() {
    let server = Server::http(&[]);
    let url = server.url();
    for (keep_alive, kept) in [(&["-k"][..], Some(2000)), (&[], None)] {
        let flags = [keep_alive, &["-q", "-n", "2000", "-c", "20", &url]].concat();
        let said = tool("ab", &flags).stdout;
        assert_eq!(number_after(&said, "Complete requests:"), 2000, "{said}");
        assert_eq!(number_after(&said, "Failed requests:"), 0, "{said}");
        assert!(!said.contains("Non-2xx"), "{said}");
        if let Some(kept) = kept {
            assert_eq!(number_after(&said, "Keep-Alive requests:"), kept, "{said}");
        }
        assert_eq!(number_after(&said, "HTML transferred:"), 2000 * 12);
    }
}

#[test]
#[ignore = "needs h2load"]
fn h2load_succeeds_with_every_request() {
    let server = Server::http(&[]);
    let flags = ["--h1", "-c", "20", "-m", "10", "-n", "5000"];
    let said = tool("h2load", &[&flags[..], &[&server.url()]].concat()).stdout;
    let line =
        "5000 total, 5000 started, 5000 done, 5000 succeeded, 0 failed, 0 errored, 0 timeout";
    assert!(said.contains(line), "{said}");
    assert!(said.contains("status codes: 5000 2xx"), "{said}");
}

/// The report of autocannon on `url`, without an error of any kind.
fn autocannon(url: &str) -> Value {
    let flags = ["-c", "100", "-d", "2", "-p", "10", "--json", url];
    let said = tool("autocannon", &flags).stdout;
    let json: Value = serde_json::from_str(said.trim()).unwrap_or_else(|e| panic!("{e}: {said}"));
    for key in ["errors", "timeouts", "non2xx", "resets", "mismatches"] {
        assert_eq!(json[key], 0, "{key}: {json:#}");
    }
    json
}

#[test]
#[ignore = "needs autocannon"]
fn autocannon_and_load_both_report_no_errors() {
    for server in [Server::http(&[]), Server::tcp(&[])] {
        let url = server.url();
        let theirs = autocannon(&url);
        assert!(theirs["2xx"].as_u64().is_some_and(|n| n > 0), "{theirs:#}");
        let ours = load_well(&["-c", "100", "-d", "2", "-p", "10", &url]);
        ours.assert_flawless();
        assert!(ours.count("/2xx") > 0);
        // The keys of autocannon's report are there too.
        for key in theirs["latency"].as_object().expect("an object").keys() {
            ours.at(&format!("/latency/{key}"));
        }
        for key in ["requests", "throughput"] {
            for figure in ["average", "mean", "stddev", "min", "max", "total", "p50"] {
                assert!(theirs[key][figure].is_number(), "{theirs:#}");
                assert!(ours.at(&format!("/{key}/{figure}")).is_number());
            }
        }
    }
}

/// nginx that answers with 12 bytes, with `directives` in its server block.
fn nginx(folder: &tempfile::TempDir, directives: &str) -> Server {
    Server::on_free_port(|address| {
        let text = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr;
             events {{ worker_connections 1024; }}
             http {{
                 access_log off;
                 client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c;
                 uwsgi_temp_path d; scgi_temp_path e;
                 server {{
                     listen {address}; {directives}
                     location / {{ return 200 'Hello World!'; }}
                 }}
             }}"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, text).expect("it can be written");
        let mut command = Command::new("nginx");
        command.args(["-e", "stderr", "-p"]).arg(folder.path());
        command.arg("-c").arg(file);
        command
    })
}

#[test]
#[ignore = "needs nginx"]
fn load_on_nginx_has_no_errors() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = nginx(&folder, "keepalive_requests 100000000;");
    for pipelining in ["1", "10"] {
        let flags = ["-c", "50", "-a", "20000", "-p", pipelining];
        let report = load_well(&[&flags[..], &[&server.url()]].concat());
        report.assert_flawless();
        assert_eq!((report.sent(), report.count("/2xx")), (20_000, 20_000));
        assert_eq!(report.count("/bundling/connects"), 50);
    }
}

#[test]
#[ignore = "needs nginx"]
fn a_connection_that_nginx_ends_after_1000_requests_is_no_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = nginx(&folder, "keepalive_requests 1000;");
    let report = load_well(&["-c", "2", "-a", "10000", &server.url()]);
    report.assert_flawless();
    assert_eq!((report.sent(), report.completed()), (10_000, 10_000));
    assert!(report.count("/bundling/connects") >= 10);
    // With pipelining, the requests behind the thousandth are lost, and counted as lost.
    let report = load_well(&["-c", "2", "-p", "10", "-a", "10000", &server.url()]);
    assert_eq!(report.completed(), 10_000);
    assert_eq!(report.lost(), report.sent() - 10_000);
    assert!(report.lost() > 0, "{report:?}");
    assert_eq!(report.errors("closedEarly"), report.errors_of_any_kind());
}

fn python(args: &[&str]) -> Server {
    Server::on_free_port(|address| {
        let port = address.port().to_string();
        let mut command = Command::new("python3");
        command.args(args.iter().map(|arg| arg.replace("{port}", &port)));
        command.stdout(Stdio::null());
        command
    })
}

#[test]
#[ignore = "needs python3"]
fn a_connection_for_each_request_to_python_is_no_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("index.html"), "Hello World!").expect("it can be written");
    let path = folder.path().to_str().expect("UTF-8");
    let module = [
        "-m",
        "http.server",
        "{port}",
        "--bind",
        "127.0.0.1",
        "-d",
        path,
    ];
    for server in [
        python(&module),
        python(&["benches/python/http_server.py", "{port}"]),
    ] {
        let report = load_well(&["-c", "4", "-a", "400", &server.url()]);
        report.assert_flawless();
        assert_eq!((report.sent(), report.completed()), (400, 400));
        assert!(report.count("/bundling/connects") >= 400);
    }
}

#[test]
#[ignore = "needs python3"]
fn requests_that_the_python_servers_lose_under_pipelining_are_counted() {
    for script in [
        "benches/python/http_server.py",
        "benches/python/tcp_server.py",
    ] {
        let server = python(&[script, "{port}"]);
        let report = load_well(&["-c", "10", "-p", "10", "-a", "300", &server.url()]);
        assert_eq!((report.completed(), report.count("/2xx")), (300, 300));
        assert!(report.lost() > 0, "{script}: {report:?}");
        assert!(report.errors_of_any_kind() > 0, "{script}");
        assert_eq!(report.at("/verdict/valid"), false, "{script}");
    }
}
