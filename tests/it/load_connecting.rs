//! `load` where connections are hard to open: a server that goes away, comes back, or has a full
//! backlog.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

#[cfg(target_os = "linux")]
use crate::harness::run;
#[cfg(target_os = "linux")]
use crate::load_harness::load_command;
use crate::load_harness::{Peer, Visit, load, load_well};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const LAST: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

/// Waits until nothing listens there. A test that starts a process at this moment has a copy of the
/// listener, until the process runs another program.
fn wait_until_refused(address: SocketAddr) {
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
}

#[test]
fn a_server_that_has_died_is_not_hammered() {
    const CONNECTIONS: u64 = 4;
    // Has a request on each connection, answers ten times on one, then is gone with all.
    let (listener, address) = listener();
    let server = std::thread::spawn(move || {
        let mut streams = Vec::new();
        // The first is that of the connect check, which is closed at once.
        for _ in 0..=CONNECTIONS {
            streams.push(listener.accept().expect("a client").0);
        }
        let mut request = [0; 4096];
        let mut streams = streams.into_iter().skip(1).collect::<Vec<_>>();
        for stream in &mut streams {
            assert!(stream.read(&mut request).expect("a request") > 0);
        }
        // Before any connection is closed, or the client's next one would still be let in.
        drop(listener);
        wait_until_refused(address);
        let mut first = streams.remove(0);
        for _ in 0..10 {
            first.write_all(OK).expect("the client reads");
            let _ = first.read(&mut request);
        }
    });
    let (finished, report) = load(&[
        "-c",
        &CONNECTIONS.to_string(),
        "-d",
        "500ms",
        &format!("http://{address}"),
    ]);
    server.join().expect("the server ends by itself");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(report.completed(), 10);
    // 5, 10, 20 ... 320 ms: six or seven rounds. Without the pauses there would be thousands.
    assert!((1..=CONNECTIONS * 10).contains(&report.errors("refused")));
    // One on each connection.
    assert_eq!(report.lost(), CONNECTIONS);
    assert_eq!(report.in_flight(), 0);
    assert!(report.at("/verdict/valid") == false);
}

#[test]
fn a_server_that_comes_back_is_loaded_again() {
    let (listener, address) = listener();
    let answer_some = |visit: &mut Visit| {
        while visit.request().is_some() && visit.before < 50 && visit.answer(OK) {}
    };
    let first = Peer::on(listener, answer_some);
    let restart = std::thread::spawn(move || {
        while first.requests() < 50 {
            std::thread::yield_now();
        }
        drop(first);
        wait_until_refused(address);
        let again = TcpListener::bind(address).expect("its port is free again");
        Peer::on(again, |visit| {
            while visit.request().is_some() && visit.answer(OK) {}
        })
    });
    let url = format!("http://{address}");
    let report = load_well(&["-c", "4", "-a", "200", &url]);
    let second = restart.join().expect("the port is free again");
    assert_eq!(report.completed(), 200);
    assert_eq!(report.timed_out(), 0);
    assert!(second.requests() >= 150);
}

#[test]
fn a_connection_for_each_request_is_dialled_as_often_as_there_are_requests() {
    const REQUESTS: u64 = 1_000;
    let peer = Peer::serving(|visit| {
        if visit.request().is_some() {
            visit.answer(LAST);
        }
    });
    // More than are dialled at once, and each gives its place back.
    let report = load_well(&["-c", "10", "-a", &REQUESTS.to_string(), &peer.url()]);
    report.assert_flawless();
    assert_eq!(report.completed(), REQUESTS);
    assert!(report.count("/bundling/connects") >= REQUESTS);
}

// Windows asks a closed port for two seconds before it says so.
#[test]
#[cfg(unix)]
fn a_server_that_has_died_is_tried_again_by_every_connection() {
    const CONNECTIONS: u64 = 300;
    let (listener, address) = listener();
    // The connect check is accepted, and nothing after it.
    let server = std::thread::spawn(move || drop(listener.accept()));
    let connections = CONNECTIONS.to_string();
    let url = format!("http://{address}");
    let (_, report) = load(&["-c", &connections, "-d", "500ms", &url]);
    server.join().expect("the server ends by itself");
    // More than once each, also beyond as many as are under way at once.
    assert!(report.errors_of_any_kind() > 2 * CONNECTIONS, "{report:?}");
}

/// A listener with room for one connection, which is accepted by the kernel only. The system drops
/// the first packet of any later one.
#[cfg(target_os = "linux")]
fn full_after_one() -> (socket2::Socket, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&anywhere.into()).expect("a free port");
    socket.listen(0).expect("it listens");
    let address = socket.local_addr().expect("it is bound");
    (socket, address.as_socket().expect("an IPv4 address"))
}

#[test]
#[cfg(target_os = "linux")]
fn a_connect_that_gets_no_answer_fails_after_the_timeout() {
    let (_full, address) = full_after_one();
    // The connection of the connect check takes the only place.
    let url = format!("http://{address}");
    let (finished, report) = load(&["-c", "2", "--timeout", "100ms", "-d", "500ms", &url]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(report.errors("unreachable") >= 2, "{finished:?}");
    assert_eq!(report.errors_of_any_kind(), report.errors("unreachable"));
    assert_eq!((report.sent(), report.timed_out()), (0, 0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_connect_check_without_an_answer_fails_after_the_timeout_or_the_duration() {
    let (_full, address) = full_after_one();
    let _first = std::net::TcpStream::connect(address).expect("there is room for one");
    let url = format!("http://{address}");
    for limit in [["--timeout", "200ms"], ["--duration", "200ms"]] {
        let finished = run(load_command(&limit).arg(&url));
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.stderr.contains(&url), "{finished:?}");
        assert!(finished.stderr.contains("timed out"), "{finished:?}");
        assert_eq!(finished.stdout, "");
    }
}

/// A unix socket with the shortest backlog that there is.
#[cfg(target_os = "linux")]
fn unix_listener(folder: &tempfile::TempDir) -> (std::os::unix::net::UnixListener, String) {
    let path = folder.path().join("socket");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    let address = socket2::SockAddr::unix(&path).expect("a short path");
    socket.bind(&address).expect("a free name");
    socket.listen(0).expect("it listens");
    let path = path.into_os_string().into_string().expect("UTF-8");
    (std::os::fd::OwnedFd::from(socket).into(), path)
}

#[test]
#[cfg(target_os = "linux")]
fn a_unix_socket_with_a_full_backlog_is_retried_and_nothing_is_counted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (listener, path) = unix_listener(&folder);
    std::thread::spawn(move || {
        let seen = std::sync::Arc::default();
        while let Ok((stream, _)) = listener.accept() {
            let mut visit = Visit::new(Box::new(stream), &seen);
            std::thread::spawn(move || while visit.request().is_some() && visit.answer(OK) {});
        }
    });
    // All are dialled in one turn, and the backlog has room for one.
    let report = load_well(&["-c", "50", "-a", "2000", "-S", &path, "http://localhost"]);
    report.assert_flawless();
    assert_eq!(report.completed(), 2000);
}

#[test]
#[cfg(target_os = "linux")]
fn a_unix_socket_whose_backlog_stays_full_fails_after_the_timeout() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_listener, path) = unix_listener(&folder);
    let _first = std::os::unix::net::UnixStream::connect(&path).expect("there is room for one");
    for limit in [["--timeout", "200ms"], ["--duration", "200ms"]] {
        let finished = run(load_command(&limit).args(["-S", &path, "http://localhost"]));
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.stderr.contains(&path), "{finished:?}");
        assert!(finished.stderr.contains("timed out"), "{finished:?}");
        assert_eq!(finished.stdout, "");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_ends_the_connect_check_at_once() {
    use crate::harness::Job;
    use rustix::process::Signal;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_unix, path) = unix_listener(&folder);
    let _first = std::os::unix::net::UnixStream::connect(&path).expect("there is room for one");
    let (_tcp, address) = full_after_one();
    let _other = std::net::TcpStream::connect(address).expect("there is room for one");
    let address = address.to_string();
    for target in [&["-S", &path, "localhost"][..], &[&address]] {
        // Longer than a test waits.
        let mut job = Job::start(load_command(&["-t", "1h", "-d", "1h"]).args(target));
        // Said when signals are caught already.
        assert!(job.stderr_line().contains("no scheme given"));
        job.signal(Signal::INT);
        let finished = job.finish();
        assert_eq!(finished.code, Some(130), "{finished:?}");
        assert!(
            finished.stderr.contains("interrupted before"),
            "{finished:?}"
        );
    }
}

#[test]
fn connections_that_the_server_never_accepts_are_doubted() {
    let server = crate::harness::Server::http(&["--connections-max", "5"]);
    let url = format!("http://{}", server.address());
    let report = load_well(&["-c", "8", "-d", "500ms", &url]);
    assert!(
        report
            .reasons()
            .contains("3 of 8 connections got no reply for half of the run"),
        "{}",
        report.reasons()
    );
}

#[test]
#[cfg(target_os = "linux")]
fn fewer_connections_than_asked_for_are_doubted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (listener, path) = unix_listener(&folder);
    std::thread::spawn(move || {
        let seen = std::sync::Arc::default();
        // The connect check, and two more; one waits in the backlog, and it is full.
        for _ in 0..3 {
            let (stream, _) = listener.accept().expect("a connection");
            let mut visit = Visit::new(Box::new(stream), &seen);
            std::thread::spawn(move || while visit.request().is_some() && visit.answer(OK) {});
        }
        // Listens until the test is over.
        std::thread::park();
    });
    let report = load_well(&["-c", "6", "-d", "500ms", "-S", &path, "http://localhost"]);
    assert_eq!(report.count("/connects/opened"), 3);
    assert_eq!(report.count("/connects/asked"), 6);
    assert!(report.number("/connects/latencyMs/max") > 0.0);
    let said = "connected 3 of 6, the last after ";
    assert!(report.reasons().contains(said), "{}", report.reasons());
}
