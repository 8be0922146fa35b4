//! Limits of `serve` that the user or the system sets.

use std::io::ErrorKind;
use std::process::Command;
use std::time::Instant;

use rustix::process::Signal;

use crate::harness::{
    Client, GET, LARGE_REPLIES, PATIENCE, Server, bareloop, large_body, replies_in,
};

#[test]
fn no_more_clients_are_accepted_than_descriptors_allow() {
    let server = Server::spawn(
        Command::new("sh")
            .args(["-ec", "ulimit -n 40; exec \"$0\" \"$@\""])
            .arg(bareloop().get_program())
            .args(["serve", "http", "--bind", "127.0.0.1:0"]),
    );
    let mut clients: Vec<Client> = (0..40).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(GET);
    }
    // Each is dropped when it has its reply, and another one is accepted.
    for mut client in clients {
        assert_eq!(client.reply().status, 200);
    }
    server.signal(Signal::TERM);
    let exited = server.wait();
    assert_eq!((exited.code, &*exited.stderr), (Some(0), ""));
}

/// A client that has been refused and does not close.
fn refused(server: &Server) -> Client {
    let mut client = server.connect();
    client.send("no HTTP\r\n\r\n");
    assert_eq!(client.reply().status, 400);
    client.expect_end();
    client
}

#[test]
fn a_connection_lingers_as_long_as_the_flag_says() {
    let long = Server::http(&["--linger", "1h"]);
    let short = Server::http(&["--linger", "200ms"]);
    let mut lingering = refused(&long);
    let mut closed = refused(&short);
    // After the close the first byte is answered with a reset, and the next one fails.
    let mut probe = long.connect();
    let until = Instant::now() + PATIENCE;
    while closed.try_send("a").is_ok() {
        assert!(Instant::now() < until, "the connection is never closed");
        probe.get();
    }
    lingering.send("a");
    probe.get();
    lingering.send("a");
}

#[test]
fn a_stop_waits_as_long_as_the_flag_says() {
    let start = |time| Server::http(&["--body", &large_body(), "--shutdown-timeout", time]);
    let (long, short) = (start("1h"), start("300ms"));
    let (mut served, mut cut) = (long.connect_stuck(), short.connect_stuck());
    long.signal(Signal::TERM);
    short.signal(Signal::TERM);
    assert_eq!(short.wait().code, Some(0));
    // The short stop is over, the long one is not.
    let rest = served.read_to_end().expect("the end");
    let replies = replies_in(&rest).expect("whole replies");
    assert_eq!(replies.len(), LARGE_REPLIES - 1);
    drop(served);
    assert_eq!(long.wait().code, Some(0));
    match cut.read_to_end() {
        // What the kernel had taken by then.
        Ok(received) => assert!(received.len() < LARGE_REPLIES * large_body().len()),
        Err(e) => assert_eq!(e.kind(), ErrorKind::ConnectionReset, "{e}"),
    }
}
