//! How long a client may take (408), and that the server's own pause is not the client's fault.
//!
//! Deadlines are shortened by flags. That one has passed is seen from what the server does, never
//! from a clock here.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use crate::harness::{
    Body, Client, GET, LARGE_REPLIES, NoReply, PATIENCE, Reply, Server, large_body, replies_in,
};

/// Sends a byte of `bytes`, over and over, whenever `pace` has passed without an answer.
fn drip(client: &mut Client, bytes: &[u8], pace: Duration) -> Reply {
    let started = Instant::now();
    client
        .stream()
        .set_read_timeout(Some(pace))
        .expect("a timeout can be set");
    for byte in bytes.iter().cycle() {
        assert!(started.elapsed() < PATIENCE, "the server waits for ever");
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

#[test]
fn half_a_head_is_answered_with_408() {
    let server = Server::http(&["--header-timeout", "200ms"]);
    for start in [
        "G",
        "GET / HT",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r",
    ] {
        let mut client = server.connect();
        client.send(start);
        let reply = client.reply();
        assert_eq!(reply.status, 408, "{start:?}");
        assert_eq!(reply.field("Connection"), Some("close"));
        client.expect_end();
    }
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
fn a_head_may_take_its_time_again_for_each_request() {
    // Four heads, each of which takes a good part of the time that one may take.
    let server = Server::http(&["--header-timeout", "3s"]);
    let alarm_server = Server::http(&["--header-timeout", "1s"]);
    let mut client = server.connect();
    for _ in 0..4 {
        client.send(&GET[..10]);
        let mut alarm = alarm_server.connect();
        alarm.send("G");
        assert_eq!(alarm.reply().status, 408);
        client.send(&GET[10..]);
        assert_eq!(client.reply().status, 200);
    }
}

#[test]
fn a_body_that_stops_is_answered_with_408() {
    let server = Server::http(&["--body-timeout", "200ms"]);
    for start in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y",
    ] {
        let mut client = server.connect();
        client.send(start);
        assert_eq!(client.reply().status, 408, "{start:?}");
        client.expect_end();
    }
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
fn dripping_keeps_a_body_within_its_gap() {
    let server = Server::http(&["--body-timeout", "2s", "--body-total-timeout", "3s"]);
    let alarm_server = Server::http(&["--header-timeout", "2500ms"]);
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
    let mut alarm = alarm_server.connect();
    alarm.send("G");
    alarm
        .stream()
        .set_read_timeout(Some(Duration::from_millis(100)))
        .expect("a timeout can be set");
    let mut sent = 0;
    while let Err(NoReply::Broken(_)) = alarm.next_reply(Body::Sent) {
        client.send("a");
        sent += 1;
    }
    client.send("a".repeat(1000 - sent));
    assert_eq!(client.reply().status, 405);
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let server = Server::http(&["--idle-timeout", "200ms"]);
    let mut silent = server.connect();
    silent.expect_end();
    let mut served = server.connect();
    assert_eq!(served.get().status, 200);
    served.expect_end();
    let mut empty_line = server.connect();
    empty_line.send("\r\n");
    empty_line.expect_end();
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
    let server = Server::http(&["--body", &large_body(), "--header-timeout", "2s"]);
    let mut client = server.connect();
    // One read of the server's, which then cannot send what it owes.
    client.send([&GET.repeat(LARGE_REPLIES), &GET[..10]].concat());
    let mut alarm = server.connect();
    alarm.send(&GET[..10]);
    assert_eq!(alarm.reply().status, 408);
    for _ in 0..LARGE_REPLIES {
        assert_eq!(client.reply().status, 200);
    }
    client.send(&GET[10..]);
    assert_eq!(client.reply().status, 200);
}

#[test]
fn a_client_that_takes_nothing_is_dropped() {
    let server = Server::http(&["--body", &large_body(), "--send-timeout", "300ms"]);
    let mut client = server.connect();
    client.send(GET.repeat(LARGE_REPLIES));
    // Long after that a client is served that came in later ...
    let alarm_server = Server::http(&["--header-timeout", "1s"]);
    let mut alarm = alarm_server.connect();
    alarm.send("G");
    assert_eq!(alarm.reply().status, 408);
    assert_eq!(server.connect().get().status, 200);
    // ... and the first one gets what the kernel had taken, or a reset, but no more replies.
    match client.read_to_end() {
        Ok(received) => {
            let replies_at_most = received.len() / large_body().len();
            assert!(replies_at_most < LARGE_REPLIES, "all replies came");
        }
        Err(e) => assert_eq!(e.kind(), ErrorKind::ConnectionReset, "{e}"),
    }
}

#[test]
fn a_slow_client_that_takes_something_is_not_dropped() {
    let server = Server::http(&["--body", &large_body(), "--send-timeout", "1s"]);
    let alarm_server = Server::http(&["--header-timeout", "60ms"]);
    let mut client = server.connect();
    client.send(GET.repeat(LARGE_REPLIES));
    client.shut_write();
    let mut received = Vec::new();
    // Half a minute's worth of replies at this pace would not do; two seconds' worth does.
    for _ in 0..20 {
        received.extend(client.read_exactly(1_000_000));
        let mut alarm = alarm_server.connect();
        alarm.send("G");
        alarm.reply();
    }
    received.extend(client.read_to_end().expect("the end"));
    let replies = replies_in(&received).expect("whole replies");
    assert_eq!(replies.len(), LARGE_REPLIES);
}
