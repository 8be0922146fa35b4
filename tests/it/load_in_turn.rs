//! `load` with several requests that take turns: what the server sees, and in which order.

use std::fs::{self, File};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use crate::harness::{bareloop, run};
use crate::load_harness::{Peer, Report, Visit, load, load_command, load_well};

/// Requests in the order in which they came.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<String>>>);

impl Record {
    fn note(&self, request: Vec<u8>) {
        let text = String::from_utf8(request).expect("text");
        self.0.lock().expect("no thread panicked").push(text);
    }

    /// Takes what came so far.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no thread panicked"))
    }

    /// The same, but only the methods and targets.
    fn take_lines(&self) -> Vec<String> {
        let line = |request: String| {
            let line = request.lines().next().expect("a request line");
            line.trim_end_matches(" HTTP/1.1").to_owned()
        };
        self.take().into_iter().map(line).collect()
    }
}

/// A peer that answers each request with its target as the body, and the record of what it got.
fn echo() -> (Peer, Record) {
    let record = Record::default();
    let noted = record.clone();
    let peer = Peer::serving(move |visit| while echo_once(visit, &noted, "") {});
    (peer, record)
}

fn echo_once(visit: &mut Visit, record: &Record, fields: &str) -> bool {
    let Some(request) = visit.request() else {
        return false;
    };
    let line = String::from_utf8_lossy(&request);
    let mut words = line.split(' ');
    let (method, target) = (words.next(), words.next().expect("a target"));
    let length = target.len();
    let head = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {length}\r\n\r\n");
    let body = if method == Some("HEAD") { "" } else { target };
    let reply = format!("{head}{body}");
    record.note(request);
    visit.answer(reply.as_bytes())
}

fn cycle(lines: &[&str], requests: usize) -> Vec<String> {
    let lines = lines.iter().cycle().take(requests);
    lines.map(|line| (*line).to_owned()).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn urls_take_turns_with_one_method_and_one_body() {
    let (peer, record) = echo();
    let urls = ["/a", "/bb?c=1", "/d"].map(|path| peer.url() + path);
    for pipelining in ["1", "4"] {
        let flags = ["-c", "1", "-a", "100", "-m", "PUT", "-H", "X: y", "-b", "z"];
        let urls = urls.each_ref().map(String::as_str);
        let flags = [&flags[..], &["-p", pipelining], &urls].concat();
        let report = load_well(&flags);
        report.assert_flawless();
        assert_eq!(report.count("/requestsInTurn"), 3);
        assert_eq!(report.at("/url"), &*peer.url());
        let requests = record.take();
        for (request, path) in requests.iter().zip(cycle(&["/a", "/bb?c=1", "/d"], 100)) {
            let host = peer.address();
            let expected = format!(
                "PUT {path} HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\nX: y\r\n\
                 Content-Length: 1\r\n\r\nz"
            );
            assert_eq!(*request, expected);
        }
        assert_eq!(requests.len(), 100);
    }
}

#[test]
fn a_run_goes_on_in_turn_when_connections_are_replaced() {
    let (peer, record) = echo();
    let urls = ["/a", "/b", "/c"].map(|path| peer.url() + path);
    let urls = urls.each_ref().map(String::as_str);
    let report = load_well(&[&["-c", "1", "-a", "9", "-D", "1"], &urls[..]].concat());
    report.assert_flawless();
    assert_eq!(report.count("/bundling/connects"), 9);
    assert_eq!(
        record.take_lines(),
        cycle(&["GET /a", "GET /b", "GET /c"], 9)
    );
    // The same if the server closes them.
    let noted = record.clone();
    let peer = Peer::serving(move |visit| {
        echo_once(visit, &noted, "Connection: close\r\n");
    });
    let urls = ["/a", "/b", "/c"].map(|path| peer.url() + path);
    let urls = urls.each_ref().map(String::as_str);
    let report = load_well(&[&["-c", "1", "-a", "9"], &urls[..]].concat());
    report.assert_flawless();
    assert_eq!(
        record.take_lines(),
        cycle(&["GET /a", "GET /b", "GET /c"], 9)
    );
}

#[test]
fn a_file_of_requests_is_sent_as_it_is_written() {
    let (peer, record) = echo();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("requests.txt");
    fs::write(folder.path().join("item.json"), "{\"in\": \"file\"}\n").expect("room");
    let written = format!(
        "# three requests\nHEAD /a\nGET {}/a\nAccept: text/html\n\nPOST /b\nX: theirs\n= one\n= two\n\n\
         PATCH /b\n@item.json\n",
        peer.url()
    );
    fs::write(&file, written).expect("room");
    let host = format!("Host: {}\r\n", peer.address());
    let keep = "Connection: keep-alive\r\n";
    let lap = [
        format!("HEAD /a HTTP/1.1\r\n{host}{keep}X: ours\r\n\r\n"),
        format!("GET /a HTTP/1.1\r\n{host}{keep}Accept: text/html\r\nX: ours\r\n\r\n"),
        format!("POST /b HTTP/1.1\r\n{host}{keep}X: ours\r\nContent-Length: 7\r\n\r\none\ntwo"),
        format!(
            "PATCH /b HTTP/1.1\r\n{host}{keep}X: ours\r\nContent-Length: 15\r\n\r\n{{\"in\": \"file\"}}\n"
        ),
    ];
    let lap = lap.each_ref().map(String::as_str);
    let url = peer.url();
    for pipelining in ["1", "7"] {
        let flags = ["-c", "1", "-a", "50", "-p", pipelining, "-H", "X: ours"];
        let flags = [&flags[..], &["--requests", text(&file), &url]].concat();
        load_well(&flags).assert_flawless();
        assert_eq!(record.take(), cycle(&lap, 50));
    }
}

#[test]
fn requests_may_come_from_standard_input() {
    let (peer, record) = echo();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), format!("{}/x\r\nHEAD /y\r\n", peer.url())).expect("room");
    let output = load_command(&["-c", "1", "-a", "4", "--requests", "-"])
        .stdin(Stdio::from(File::open(file.path()).expect("it is there")))
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(record.take_lines(), cycle(&["GET /x", "HEAD /y"], 4));
}

#[test]
fn a_har_file_is_sent_but_for_the_requests_to_other_servers() {
    let (peer, record) = echo();
    let url = peer.url();
    let har = serde_json::json!({"log": {"version": "1.2", "entries": [
        {"request": {"method": "GET", "url": format!("{url}/page"), "headers": [
            {"name": ":path", "value": "/page"}, {"name": "Host", "value": "elsewhere"},
            {"name": "Connection", "value": "close"}, {"name": "Cookie", "value": "a=b"}
        ]}},
        {"request": {"method": "GET", "url": "https://fonts.example/x", "headers": []}},
        {"request": {"method": "POST", "url": format!("{url}/form?x"), "headers": [],
            "postData": {"mimeType": "text/plain", "text": "hello"}}},
    ]}});
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), har.to_string()).expect("room");
    let path = text(file.path());
    let host = format!("Host: {}\r\n", peer.address());
    let lap = [
        format!("GET /page HTTP/1.1\r\n{host}Connection: keep-alive\r\nCookie: a=b\r\n\r\n"),
        format!(
            "POST /form?x HTTP/1.1\r\n{host}Connection: keep-alive\r\nContent-Type: text/plain\r\n\
             Content-Length: 5\r\n\r\nhello"
        ),
    ];
    let lap = lap.each_ref().map(String::as_str);
    for flags in [&["-p", "3"][..], &[&url]] {
        let flags = [&["-c", "1", "-a", "20", "--har", path], flags].concat();
        let (finished, report) = load(&flags);
        report.assert_flawless();
        let said = format!("warning: --har {path}: left out 1 of 3 requests: not for {url}\n");
        assert_eq!((finished.code, finished.stderr), (Some(0), said));
        assert_eq!(record.take(), cycle(&lap, 20));
    }
}

#[test]
fn requests_take_turns_by_schedule_by_time_and_by_several_workers() {
    for flags in [
        "-c 3 -R 400 -d 500ms",
        "-c 3 -p 5 -R 400 -d 500ms --arrivals poisson",
        "-c 3 -p 5 -d 300ms --refill batch",
        "-c 3 -W 200ms -d 300ms",
        "-c 4 -w 2 -a 400",
        "-c 4 -a 400 --share 1/2",
        "-c 3 -D 7 -a 400",
        "-c 2 -a 100 --calibrate",
    ] {
        let (peer, record) = echo();
        let urls = ["/a", "/b", "/c"].map(|path| peer.url() + path);
        let urls = urls.each_ref().map(String::as_str);
        let flags: Vec<&str> = flags.split(' ').chain(urls).collect();
        let (finished, report) = load(&flags);
        assert_eq!(finished.code, Some(0), "{flags:?}: {finished:?}");
        let troubles = (report.errors_of_any_kind(), report.count("/variedBodies"));
        assert_eq!(troubles, (0, 0), "{flags:?}: {finished:?}");
        let lines = record.take_lines();
        let by_path = ["GET /a", "GET /b", "GET /c"]
            .map(|line| lines.iter().filter(|sent| *sent == line).count());
        assert_eq!(by_path.iter().sum::<usize>(), lines.len());
        // Each connection is in its lap: 25 requests at most, and one connection for each.
        let apart = by_path.iter().max().zip(by_path.iter().min());
        let apart = apart.map(|(most, least)| most - least);
        let connects = usize::try_from(report.count("/bundling/connects")).expect("few");
        assert!(apart <= Some(connects), "{flags:?}: {by_path:?}");
    }
}

#[test]
#[cfg(unix)]
fn requests_take_turns_through_a_unix_socket_and_in_a_search() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).expect("a free name");
    std::thread::spawn(move || {
        let (seen, record) = (Arc::default(), Record::default());
        while let Ok((stream, _)) = listener.accept() {
            let (mut visit, record) = (Visit::new(Box::new(stream), &seen), record.clone());
            std::thread::spawn(move || while echo_once(&mut visit, &record, "") {});
        }
    });
    let file = folder.path().join("requests");
    fs::write(&file, "/a\nHEAD /b\n").expect("room");
    let requests = ["--requests", text(&file), "http://localhost"];
    let flags = ["-a", "100", "-p", "3", "-S", text(&socket)];
    load_well(&[&flags[..], &requests].concat()).assert_flawless();
    let flags = [
        "--find-rate",
        "p50<1s",
        "--trial-duration",
        "50ms",
        "-S",
        text(&socket),
    ];
    let finished = run(bareloop().arg("load").args(flags).args(requests));
    let heading = "@ http://localhost\n10 connections\n2 requests in turn\n";
    assert!(finished.stdout.contains(heading), "{finished:?}");
    assert!(!finished.stdout.contains("bad reply"), "{finished:?}");
}

#[test]
fn the_heading_and_the_page_name_the_number_of_requests() {
    let (peer, _) = echo();
    let [a, b] = ["/a", "/b"].map(|path| peer.url() + path);
    let page = tempfile::NamedTempFile::new().expect("a temporary file");
    let path = text(page.path());
    let finished = run(bareloop().args(["load", "-a", "10", "--export-html", path, &a, &b]));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let heading = format!(
        "Running 10 requests test @ {} ({})\n10 connections\n2 requests in turn\n",
        peer.url(),
        peer.address()
    );
    assert!(finished.stdout.starts_with(&heading), "{finished:?}");
    let page = |file: &Path| fs::read_to_string(file).expect("text");
    assert!(page(Path::new(path)).contains(">requests in turn<"));
    let finished = run(bareloop().args(["load", "-a", "10", "--export-html", path, &a]));
    assert!(!finished.stdout.contains("in turn"), "{finished:?}");
    assert!(!page(Path::new(path)).contains(">requests in turn<"));
}

#[test]
fn bodies_are_expected_of_each_request() {
    let (peer, _) = echo();
    let [a, b] = ["/a", "/b"].map(|path| peer.url() + path);
    let (_, report): (_, Report) = load(&["-c", "1", "-a", "100", "-E", "/b", &a, &b]);
    assert_eq!(report.count("/mismatches"), 50);
}
