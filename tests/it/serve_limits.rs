//! Limits of `serve` that are the user's or the system's to set: that they are the ones obeyed.
//!
//! Where a longer time than the usual one is to be seen, another server's deadline is the clock.

use std::process::Command;

use rustix::process::Signal;

use crate::harness::{Client, GET, LARGE_REPLIES, Server, bareloop, large_body, replies_in};

/// Waits until a half-sent head is out of time somewhere else.
fn wait_for(time: &str) {
    let server = Server::http(&["--header-timeout", time]);
    let mut alarm = server.connect();
    alarm.send("G");
    assert_eq!(alarm.reply().status, 408);
}

#[test]
fn no_more_clients_are_let_in_than_there_are_descriptors_for() {
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
    // Each leaves when it is served, and so lets another one in.
    for mut client in clients {
        assert_eq!(client.reply().status, 200);
    }
    server.signal(Signal::TERM);
    let exited = server.wait();
    assert_eq!((exited.code, &*exited.stderr), (Some(0), ""));
}

#[test]
fn a_linger_may_be_longer_than_usual() {
    let server = Server::http(&["--linger", "1h"]);
    let mut client = server.connect();
    client.send("no HTTP\r\n\r\n");
    assert_eq!(client.reply().status, 400);
    client.expect_end();
    wait_for("2500ms");
    // Were it closed, the first byte would be answered with a reset and the second not be taken.
    client.send("a");
    client.send("a");
}

#[test]
fn a_stop_may_wait_longer_than_usual() {
    let server = Server::http(&["--body", &large_body(), "--shutdown-timeout", "1h"]);
    let mut client = server.connect();
    client.send(GET.repeat(LARGE_REPLIES));
    assert_eq!(client.reply().status, 200);
    server.signal(Signal::TERM);
    wait_for("5500ms");
    let rest = client.read_to_end().expect("the end");
    let replies = replies_in(&rest).expect("whole replies");
    assert_eq!(replies.len(), LARGE_REPLIES - 1);
    drop(client);
    assert_eq!(server.wait().code, Some(0));
}
