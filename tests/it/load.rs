//! `load` against servers that behave: what is sent, what is counted, what is said.

use crate::harness::{Complaints, Server, bareloop, has_ipv6, run};
use crate::load_harness::{Peer, load, load_well};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn url_of(server: &Server) -> String {
    format!("http://{}", server.address())
}

#[test]
fn an_amount_is_sent_and_completed_exactly() {
    let peer = Peer::answering(OK);
    let mut complaints = Complaints::default();
    for refill in ["rolling", "batch"] {
        for (connections, pipelining, amount) in [
            (1, 1, 1),
            (10, 1, 1),
            (1, 10, 1),
            (10, 10, 1),
            (1, 1, 7),
            (3, 7, 20),
            (10, 10, 99),
            (10, 10, 100),
            (10, 10, 101),
            (2, 100, 1000),
            (50, 1, 500),
            (1, 100, 4321),
        ] {
            let before = peer.requests();
            let [c, p, a] = [connections, pipelining, amount].map(|n: u64| n.to_string());
            let report = load_well(&[
                "-c",
                &c,
                "-p",
                &p,
                "-a",
                &a,
                "--refill",
                refill,
                &peer.url(),
            ]);
            report.assert_flawless();
            let counts = [
                report.sent(),
                report.completed(),
                report.count("/2xx"),
                peer.requests() - before,
            ];
            let bytes = report.count("/throughput/total");
            if counts != [amount; 4] || bytes != amount * OK.len() as u64 {
                complaints.add(format_args!(
                    "-c {c} -p {p} -a {a} {refill}: {counts:?}, {bytes} bytes"
                ));
            }
            let connects = report.count("/bundling/connects");
            if connects > connections || report.count("/connections") != connections {
                complaints.add(format_args!("-c {c} -p {p} -a {a}: {connects} connects"));
            }
        }
    }
    complaints.settle();
}

#[test]
fn our_servers_answer_every_request_at_any_depth() {
    for server in [Server::http(&[]), Server::tcp(&[])] {
        for pipelining in ["1", "10", "100"] {
            let url = url_of(&server);
            let report = load_well(&["-c", "10", "-p", pipelining, "-d", "100ms", &url]);
            report.assert_flawless();
            assert_eq!(report.count("/2xx"), report.completed());
            assert_eq!(report.sent(), report.completed() + report.in_flight());
            assert_eq!(report.count("/bundling/connects"), 10);
        }
    }
}

#[test]
fn connections_are_replaced_after_their_share_of_requests() {
    let server = Server::http(&[]);
    // One connection: of several, the last ones share what is left.
    let flags = [
        "-c",
        "1",
        "-p",
        "4",
        "-a",
        "60",
        "-D",
        "6",
        "-T",
        "short lives",
    ];
    let (_, report) = load(&[&flags[..], &[&url_of(&server)]].concat());
    report.assert_flawless();
    assert_eq!(
        (report.completed(), report.count("/bundling/connects")),
        (60, 10)
    );
    assert_eq!(report.at("/title"), "short lives");
    assert!(report.number("/connects/latencyMs/max") > 0.0);
}

#[test]
fn a_run_with_too_many_errors_ends_early_and_failed() {
    let peer = Peer::serving(|visit| {
        while visit.request().is_some() && visit.answer(OK.as_bytes()) {
            if visit.before % 10 == 9 {
                return;
            }
        }
    });
    let (finished, report) = load(&["-c", "1", "-d", "60", "-B", "5", &peer.url()]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains("--bailout"), "{finished:?}");
    assert_eq!(report.at("/bailedOut"), true);
    assert_eq!(report.errors_of_any_kind(), 5);
}

#[test]
fn an_amount_from_our_server_is_exact() {
    let server = Server::http(&[]);
    for refill in ["rolling", "batch"] {
        let url = url_of(&server);
        let flags = ["-c", "20", "-p", "10", "-a", "20000", "--refill", refill];
        let report = load_well(&[&flags[..], &[&url]].concat());
        report.assert_flawless();
        assert_eq!((report.sent(), report.completed()), (20_000, 20_000));
        assert_eq!(report.at("/refill"), refill);
        assert_eq!(report.at("/until"), "20000 requests");
    }
}

#[test]
fn a_batch_is_sent_as_one_when_all_of_the_last_are_answered() {
    // Each reply is a write of its own, so that many are read by themselves.
    let peer = Peer::answering(OK);
    let flags = ["-c", "1", "-p", "4", "-a", "8000", "--refill", "batch"];
    let report = load_well(&[&flags[..], &[&peer.url()]].concat());
    assert_eq!(report.number("/bundling/requestsPerWrite"), 4.0);
}

#[test]
fn rolling_refill_follows_each_reply_with_a_request_at_once() {
    // After the first four requests each reply comes by itself, and only after one more request.
    let peer = Peer::serving(|visit| {
        while visit.request().is_some() {
            match visit.before {
                0..3 => {}
                39 => _ = visit.answer(OK.repeat(4).as_bytes()),
                _ => _ = visit.answer(OK.as_bytes()),
            }
        }
    });
    let flags = ["-c", "1", "-p", "4", "-a", "40", "-t", "2"];
    let report = load_well(&[&flags[..], &[&peer.url()]].concat());
    report.assert_flawless();
    let writes = 40.0 / report.number("/bundling/requestsPerWrite");
    assert_eq!(writes.round(), 37.0);
}

#[test]
fn a_request_holds_what_it_must_and_no_more() {
    let peer = Peer::answering(OK);
    let host = peer.address();
    let given = [
        "-H",
        "host: example",
        "-H",
        "Connection=close",
        "-H",
        "X-A: b=c:d",
    ];
    for (flags, request) in [
        (
            &[][..],
            format!("GET /a?b=c HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\n\r\n"),
        ),
        (
            &given,
            "GET /a?b=c HTTP/1.1\r\nhost: example\r\nConnection: close\r\nX-A: b=c:d\r\n\r\n"
                .to_owned(),
        ),
        (
            &["-m", "PUT", "-b", "text"],
            format!(
                "PUT /a?b=c HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\n\
                 Content-Length: 4\r\n\r\ntext"
            ),
        ),
    ] {
        let url = format!("{}/a?b=c#fragment", peer.url());
        load_well(&[&["-a", "1"], flags, &[&url]].concat());
        assert_eq!(
            String::from_utf8_lossy(&peer.last_request()),
            request,
            "{flags:?}"
        );
    }
}

#[test]
fn replies_to_head_have_no_body_and_those_to_post_are_counted_by_status() {
    let server = Server::http(&[]);
    let url = url_of(&server);
    let head = load_well(&["-m", "HEAD", "-p", "5", "-a", "500", &url]);
    head.assert_flawless();
    let post = load_well(&[
        "-m",
        "POST",
        "-b",
        "some text",
        "-p",
        "5",
        "-a",
        "500",
        &url,
    ]);
    let statuses = post.at("/statusCodeStats").to_string();
    assert_eq!(statuses, r#"{"405":{"count":500}}"#);
    assert_eq!((post.sent(), post.count("/4xx")), (500, 500));
    assert_eq!(post.errors_of_any_kind(), 0);
}

#[test]
fn a_large_reply_is_read_to_its_last_byte() {
    const BYTES: usize = 5_000_000;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BYTES}\r\n\r\n");
    let reply = [head.as_bytes(), &vec![b'x'; BYTES]].concat();
    let total = 6 * reply.len() as u64;
    let peer = Peer::answering(reply);
    let report = load_well(&["-c", "2", "-p", "2", "-a", "6", &peer.url()]);
    report.assert_flawless();
    assert_eq!(report.count("/throughput/total"), total);
}

#[test]
fn a_large_body_is_sent_to_its_last_byte() {
    let body: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), &body).expect("it can be written");
    let path = file.path().to_str().expect("UTF-8");
    let peer = Peer::answering(OK);
    let flags = ["-m", "POST", "-i", path, "-c", "2", "-p", "2", "-a", "6"];
    let report = load_well(&[&flags[..], &[&peer.url()]].concat());
    report.assert_flawless();
    assert_eq!((report.sent(), peer.requests()), (6, 6));
    let request = peer.last_request();
    let head_end = request.len() - body.len();
    assert!(request[head_end..] == body, "the body came as another");
    assert!(
        String::from_utf8_lossy(&request[..head_end]).ends_with("Content-Length: 5000000\r\n\r\n")
    );
}

#[test]
fn replies_are_read_while_requests_are_being_sent() {
    // The peer sends its whole reply before it reads on: both are more than the kernel keeps.
    const BYTES: usize = 20_000_000;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BYTES}\r\n\r\n");
    let peer = Peer::answering([head.as_bytes(), &vec![b'x'; BYTES]].concat());
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.as_file().set_len(BYTES as u64).expect("room");
    let path = file.path().to_str().expect("UTF-8");
    let flags = ["-m", "POST", "-i", path, "-c", "1", "-p", "3", "-a", "4"];
    let report = load_well(&[&flags[..], &[&peer.url()]].concat());
    report.assert_flawless();
    assert_eq!((report.sent(), peer.requests()), (4, 4));
}

#[test]
fn a_refusal_is_read_though_the_rest_of_the_body_is_not_taken() {
    let server = Server::http(&[]);
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.as_file().set_len(5_000_000).expect("room");
    let path = file.path().to_str().expect("UTF-8");
    let flags = ["-m", "POST", "-i", path, "-c", "2", "-a", "10"];
    let report = load_well(&[&flags[..], &[&url_of(&server)]].concat());
    let statuses = report.at("/statusCodeStats").to_string();
    assert_eq!(statuses, r#"{"413":{"count":10}}"#);
}

#[test]
fn a_body_from_the_command_line_may_be_large_too() {
    // Linux allows 128 KiB in one argument.
    let body = "y".repeat(100_000);
    let peer = Peer::answering(OK);
    load_well(&["-m", "POST", "-b", &body, "-a", "1", &peer.url()]).assert_flawless();
    assert!(peer.last_request().ends_with(body.as_bytes()));
}

#[test]
fn ipv6_is_loaded_in_brackets() {
    if !has_ipv6() {
        return;
    }
    let server = Server::start(&["serve", "http", "--bind", "[::1]:0"]);
    let url = format!("http://{}/", server.address());
    assert!(url.starts_with("http://[::1]:"), "{url}");
    let report = load_well(&["-a", "100", &url]);
    report.assert_flawless();
    assert_eq!(report.at("/address"), &*server.address().to_string());
}

#[test]
fn a_name_with_two_addresses_is_loaded_where_somebody_listens() {
    let server = Server::http(&[]);
    let port = server.address().port();
    let report = load_well(&["-a", "100", &format!("http://localhost:{port}")]);
    report.assert_flawless();
    assert_eq!(report.at("/address"), &*server.address().to_string());
}

#[cfg(unix)]
#[test]
fn a_unix_socket_takes_the_place_of_the_host() {
    use std::os::unix::net::UnixListener;
    use std::sync::Arc;

    use crate::load_harness::Visit;
    use crate::support::peer::Seen;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).expect("a free name");
    std::thread::spawn(move || {
        let seen = Arc::new(Seen::default());
        while let Ok((stream, _)) = listener.accept() {
            let mut visit = Visit::new(Box::new(stream), &seen);
            std::thread::spawn(
                move || while visit.request().is_some() && visit.answer(OK.as_bytes()) {},
            );
        }
    });
    let path = path.to_str().expect("UTF-8");
    let report = load_well(&["-p", "5", "-a", "500", "-S", path, "http://a.host/x"]);
    report.assert_flawless();
    assert_eq!((report.sent(), report.completed()), (500, 500));
    assert_eq!(report.at("/address"), path);
    assert_eq!(report.at("/url"), "http://a.host/x");
}

#[test]
fn a_url_without_a_scheme_is_taken_for_http_and_said_so() {
    let peer = Peer::answering(OK);
    let (finished, report) = load(&["-a", "1", &peer.address().to_string()]);
    report.assert_flawless();
    assert_eq!(finished.code, Some(0));
    let said = format!(
        "warning: no scheme given, assuming http://{}\n",
        peer.address()
    );
    assert_eq!(finished.stderr, said);
}

#[test]
fn the_report_for_people_has_both_boxes_and_nothing_of_the_progress() {
    let peer = Peer::answering(OK);
    for (flags, rows) in [(&[][..], 0), (&["-l"], 1)] {
        let url = peer.url();
        let flags = [flags, &["-c", "5", "-p", "2", "-a", "500", &url]].concat();
        let finished = run(bareloop().arg("load").args(&flags));
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert_eq!(finished.stderr, "");
        let text = &finished.stdout;
        for line in [
            format!("Running 500 requests test @ {} ", peer.url()),
            "\n5 connections with 2 pipelining factor\n".to_owned(),
            "│ Stat    │ 2.5%".to_owned(),
            "│ Latency │ ".to_owned(),
            "│ Req/Sec ".to_owned(),
            "│ Bytes/Sec ".to_owned(),
            "\n500 requests in ".to_owned(),
        ] {
            assert!(text.contains(&line), "{line:?} in {text}");
        }
        assert!(!text.contains('\x1b') && !text.contains('\r'), "{text:?}");
        assert_eq!(text.matches("│ 99.999 ").count(), rows, "{text}");
    }
}

#[test]
fn the_report_for_programs_keeps_the_keys_of_autocannon_and_has_ours() {
    let peer = Peer::answering(OK);
    let report = load_well(&["-c", "3", "-a", "2000", &peer.url()]);
    for key in [
        "url connections pipelining duration samples sampleInt start finish errors timeouts",
        "mismatches non2xx resets 1xx 2xx 3xx 4xx 5xx otherStatus statusCodeStats",
        "latency/average latency/mean latency/stddev latency/min latency/max latency/p2_5",
        "latency/p50 latency/p75 latency/p90 latency/p97_5 latency/p99 latency/totalCount",
        "latency/censored latency/lowerBoundsFrom latency/intervals/p50 latency/intervals/p99_9",
        "checks/0/name checks/0/result checks/0/detail checks/0/advice",
        "requests/average requests/mean requests/stddev requests/min requests/max requests/p1",
        "requests/p50 requests/p97_5 requests/total requests/sent throughput/total",
        "throughput/average throughput/p50 refill accounting errorKinds verdict/valid",
        "client/cpuSeconds client/cpuShare client/cpuMicrosPerRequest openLoop version",
        "client/turnMs/p99 client/turnMs/max client/runDelayMs client/stealMs client/pauses",
        "client/delayMs",
    ]
    .iter()
    .flat_map(|keys| keys.split(' '))
    {
        report.at(&format!("/{key}"));
    }
    let ordered = ["min", "p2_5", "p50", "p90", "p99", "max"]
        .map(|key| report.number(&format!("/latency/{key}")));
    assert!(ordered.is_sorted(), "{ordered:?}");
    assert!(ordered[0] > 0.0);
    assert_eq!(report.at("/version"), env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_calibration_tells_how_near_the_run_was_to_what_the_client_can_do() {
    let peer = Peer::answering(OK);
    let report = load_well(&["-c", "2", "-a", "500", "--calibrate", &peer.url()]);
    assert_eq!(report.completed(), 500, "of the run alone");
    assert_eq!(peer.requests(), 500);
    let most = report.number("/calibration/requestsPerSecond");
    let share = report.number("/calibration/share");
    let rate = 500.0 / report.number("/duration").max(0.001);
    assert!(most > 0.0 && share > 0.0, "{most} {share}");
    // The duration is rounded to a millisecond.
    let near = (rate / most / share - 1.0).abs();
    assert!(near < 0.5, "{rate} of {most} is not {share}");
    let without = load_well(&["-c", "2", "-a", "5", &peer.url()]);
    assert!(without.at("/calibration").is_null());
    let told = run(bareloop().args(["load", "-a", "100", "--calibrate", &peer.url()]));
    assert!(told.stdout.contains("\nCalibration: "), "{told:?}");
}

#[test]
fn an_open_loop_sends_what_is_due_and_counts_the_rest() {
    let server = Server::http(&[]);
    let report = load_well(&["-R", "300", "-d", "1", "-c", "5", &url_of(&server)]);
    let [due, sent, never_sent] = [
        report.count("/accounting/due"),
        report.count("/accounting/sent"),
        report.count("/accounting/neverSent"),
    ];
    assert!(due >= 300, "{due} requests were due in a second");
    assert_eq!(due, sent + never_sent);
    assert!(sent > 0);
}
