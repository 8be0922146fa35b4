//! `serve -w N`: copies of the event loop behind one port.

use rustix::process::Signal;

use crate::harness::{GET, Server, bareloop, output_of, run};

/// Connections over which a hash leaves neither of two copies without one: all of them go to the
/// same copy once in 2^63 runs.
const CONNECTIONS: usize = 64;

#[test]
fn copies_divide_the_connections_and_one_stop_ends_all_with_one_line() {
    for protocol in ["http", "tcp"] {
        let server = Server::start(&["serve", protocol, "--bind", "127.0.0.1:0", "-w", "2"]);
        assert_eq!(server.addresses().len(), 1, "one port for both");
        let mut clients: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
        for client in &mut clients {
            assert_eq!(client.get().status, 200);
        }
        server.signal(Signal::TERM);
        let finished = server.wait();
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let line = finished.stdout.lines().last().unwrap_or_default();
        let totals = format!("served {CONNECTIONS} requests on {CONNECTIONS} connections in ");
        assert!(line.starts_with(&totals), "{line}");
        assert!(line.contains("each of 2 copies answered"), "{line}");
        assert!(!line.contains("answered 0 to"), "{line}");
    }
}

#[test]
fn a_second_signal_stops_all_copies_at_once() {
    let forever = [
        "--shutdown-timeout",
        "1h",
        "--body-timeout",
        "1h",
        "--body-total-timeout",
        "1h",
    ];
    let server = Server::http(&[&["-w", "2"], &forever[..]].concat());
    // A reply is owed to each of them.
    let mut clients: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.get().status, 200);
        client.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
    }
    // Two of one kind may arrive as one.
    server.signal(Signal::TERM);
    server.signal(Signal::INT);
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn connections_beyond_the_limit_wait_for_room_in_their_copy() {
    let server = Server::http(&["-w", "2", "--connections-max", "2"]);
    let clients: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    for mut client in clients {
        // Each copy has room for one, which leaves when it has been answered.
        client.send(GET);
        assert_eq!(client.reply().status, 200);
    }
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_port_of_other_copies_is_taken() {
    let server = Server::http(&["-w", "2"]);
    let address = server.address().to_string();
    for copies in ["1", "2"] {
        let second = output_of(&["serve", "http", "-w", copies, "--bind", &address]);
        assert_eq!(second.code, Some(1), "{second:?}");
        let named = format!("cannot listen on {address}");
        assert!(second.stderr.contains(&named), "{}", second.stderr);
    }
}

#[test]
fn what_copies_cannot_share_is_one_line() {
    for (args, part) in [
        (
            &["--bind", "unix:/tmp/bareloop-copies.sock"][..],
            "use -w 1",
        ),
        (&["--connections-max", "1"][..], "lower -w"),
    ] {
        let mut command = bareloop();
        let refused = run(command.args(["serve", "http", "-w", "2"]).args(args));
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    }
}

#[test]
fn one_copy_has_one_thread_and_two_have_two() {
    for (copies, threads) in [("1", 1), ("2", 2)] {
        let server = Server::http(&["-w", copies]);
        // The first reply comes when its copy runs; the other thread was started before.
        assert_eq!(server.connect().get().status, 200);
        let tasks = std::fs::read_dir(format!("/proc/{}/task", server.id())).expect("it runs");
        assert_eq!(tasks.count(), threads);
    }
}
