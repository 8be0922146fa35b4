//! Time limits for clients (408); pauses of the server's own do not count.
//!
//! Flags shorten the limits. What the server does shows that one has passed, never a clock here.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use crate::harness::{
    Alarm, Client, GET, LARGE_REPLIES, PATIENCE, Reply, Server, large_body, replies_in,
};

/// Sends a byte of `bytes`, over and over, whenever `pace` has passed without an answer.
fn drip(client: &mut Client, bytes: &[u8], pace: Duration) -> Reply {
    let started = Instant::now();
    client
        .stream()
        .set_read_timeout(Some(pace))
        .expect("a timeout can be set");
    for byte in bytes.iter().cycle() {
        assert!(started.elapsed() < PATIENCE, "no reply comes");
        let _ = client.try_send([*byte]);
        let mut peeked = [0];
        match client.stream().peek(&mut peeked) {
            Err(e) if e.kind() != ErrorKind::ConnectionReset => {}
            _ => break,
        }
    }
    client
        .stream()
        .set_read_timeout(Some(PATIENCE))
        .expect("a timeout can be set");
    client.reply()
}

/// Sends the beginnings, each on a connection of its own, and expects a 408 and the end on each.
fn expect_408(server: &Server, beginnings: &[&str]) {
    let mut clients: Vec<Client> = beginnings.iter().map(|_| server.connect()).collect();
    for (client, beginning) in clients.iter_mut().zip(beginnings) {
        client.send(beginning);
    }
    for (client, beginning) in clients.iter_mut().zip(beginnings) {
        let reply = client.reply();
        assert_eq!(reply.status, 408, "{beginning:?}");
        assert_eq!(reply.field("Connection"), Some("close"));
        client.expect_end();
    }
}

#[test]
fn half_a_head_is_answered_with_408() {
    let server = Server::http(&["--header-timeout", "200ms"]);
    let beginnings = [
        "G",
        "GET / HT",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r",
    ];
    expect_408(&server, &beginnings);
}

#[test]
fn half_a_head_behind_whole_requests_is_answered_with_408_after_them() {
    let server = Server::http(&["--header-timeout", "200ms"]);
    let mut client = server.connect();
    client.send([&GET.repeat(3), &GET[..10]].concat());
    let statuses: Vec<u16> = (0..4).map(|_| client.reply().status).collect();
    assert_eq!(statuses, [200, 200, 200, 408]);
    client.expect_end();
}

#[test]
fn dripping_does_not_push_the_head_deadline_back() {
    let server = Server::http(&["--header-timeout", "500ms", "--idle-timeout", "9s"]);
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nX: ");
    assert_eq!(
        drip(&mut client, b"a", Duration::from_millis(20)).status,
        408
    );
    client.expect_end();
}

#[test]
fn each_head_has_a_deadline_of_its_own() {
    // Together they take longer than one may take.
    const HEADS: usize = 4;
    let server = Server::http(&["--header-timeout", "700ms"]);
    let pause = Alarm::after("200ms");
    let mut client = server.connect();
    for _ in 0..HEADS {
        client.send(&GET[..10]);
        pause.wait();
        client.send(&GET[10..]);
        assert_eq!(client.reply().status, 200);
    }
}

#[test]
fn a_body_that_stops_is_answered_with_408() {
    let server = Server::http(&["--body-timeout", "200ms"]);
    let beginnings = [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y",
    ];
    expect_408(&server, &beginnings);
}

#[test]
fn dripping_does_not_push_the_end_of_a_body_back() {
    let server = Server::http(&["--body-timeout", "9s", "--body-total-timeout", "500ms"]);
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    assert_eq!(
        drip(&mut client, b"a", Duration::from_millis(20)).status,
        408
    );
    client.expect_end();
}

#[test]
fn each_piece_of_a_body_moves_its_deadline() {
    // Together they take longer than the pause between two may take.
    const PIECES: usize = 5;
    let server = Server::http(&["--body-timeout", "600ms"]);
    let pause = Alarm::after("150ms");
    let mut client = server.connect();
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {PIECES}\r\n\r\n");
    client.send(head);
    for _ in 0..PIECES {
        pause.wait();
        client.send("a");
    }
    assert_eq!(client.reply().status, 405);
}

#[test]
fn an_idle_connection_is_closed_without_a_reply() {
    let server = Server::http(&["--idle-timeout", "200ms"]);
    let mut silent = server.connect();
    let mut served = server.connect();
    let mut empty_line = server.connect();
    assert_eq!(served.get().status, 200);
    empty_line.send("\r\n");
    for client in [&mut silent, &mut served, &mut empty_line] {
        client.expect_end();
    }
}

#[test]
fn a_half_sent_head_is_not_idle() {
    let server = Server::http(&["--idle-timeout", "200ms", "--header-timeout", "9s"]);
    let mut client = server.connect();
    client.send(&GET[..10]);
    // A silent connection that came later is closed first.
    server.connect().expect_end();
    client.send(&GET[10..]);
    assert_eq!(client.reply().status, 200);
}

#[test]
fn the_head_deadline_stands_still_while_the_server_does_not_read() {
    let server = Server::http(&["--body", &large_body(), "--header-timeout", "600ms"]);
    let mut client = server.connect();
    // The server takes all of it with one read, and then cannot send what it owes.
    client.send([&GET.repeat(LARGE_REPLIES), &GET[..10]].concat());
    let mut out_of_time = server.connect();
    out_of_time.send(&GET[..10]);
    assert_eq!(out_of_time.reply().status, 408);
    for _ in 0..LARGE_REPLIES {
        assert_eq!(client.reply().status, 200);
    }
    // The server reads again. A head whose deadline did not stand still gets a 408 by now.
    Alarm::after("200ms").wait();
    client.send(&GET[10..]);
    assert_eq!(client.reply().status, 200);
}

#[test]
fn a_client_that_takes_nothing_is_dropped() {
    let body = large_body();
    let flags = ["--send-timeout", "300ms", "--connections-max", "1"];
    let server = Server::http(&[&flags[..], &["--body", &body]].concat());
    let mut client = server.connect();
    client.send(GET.repeat(LARGE_REPLIES));
    // The next client is accepted when the first one has been dropped.
    assert_eq!(server.connect().get().status, 200);
    match client.read_to_end() {
        // What the kernel had taken by then.
        Ok(received) => assert!(received.len() < LARGE_REPLIES * body.len(), "all came"),
        Err(e) => assert_eq!(e.kind(), ErrorKind::ConnectionReset, "{e}"),
    }
}

#[test]
fn a_slow_client_that_takes_something_is_not_dropped() {
    // Together the pauses are longer than one may be.
    const PAUSES: usize = 12;
    let server = Server::http(&["--body", &large_body(), "--send-timeout", "500ms"]);
    let pause = Alarm::after("50ms");
    let mut client = server.connect();
    client.send(GET.repeat(LARGE_REPLIES));
    client.shut_write();
    let mut received = Vec::new();
    for _ in 0..PAUSES {
        received.extend(client.read_exactly(2_000_000));
        pause.wait();
    }
    received.extend(client.read_to_end().expect("the end"));
    let replies = replies_in(&received).expect("whole replies");
    assert_eq!(replies.len(), LARGE_REPLIES);
}
