//! The last reply of a connection reaches a client that is still sending (RFC 9112 9.6).

use std::net::Shutdown;
use std::thread;

use crate::harness::{Body, Client, Complaints, Server};

/// Requests that are refused while more of them is on its way.
const REFUSED: &[(u16, &str)] = &[
    (400, "BAD REQUEST\r\n\r\n"),
    (
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    (
        413,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n",
    ),
    (414, "GET /{8192}"),
    (431, "GET / HTTP/1.1\r\nX: {16384}"),
    (
        501,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ),
    (505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
];

/// Sends a request that is refused and `behind_bytes` more, all the while reading.
fn refuse(server: &Server, request: &str, behind_bytes: usize) -> Result<u16, String> {
    let mut reader = server.connect();
    let mut writer = reader.twin();
    let sent = [expand(request).into_bytes(), vec![b'x'; behind_bytes]].concat();
    let sending = thread::spawn(move || {
        // The server need not take all of it.
        let _ = writer.try_send(sent);
        writer.shut_write();
    });
    let seen = reply_and_end(&mut reader);
    // What the server has not taken by now is of no interest.
    let _ = reader.stream().shutdown(Shutdown::Both);
    sending.join().expect("sending does not panic");
    seen
}

fn reply_and_end(client: &mut Client) -> Result<u16, String> {
    let reply = client.next_reply(Body::Sent);
    let reply = reply.map_err(|e| format!("{e:?}"))?;
    match client.read_to_end() {
        Ok(rest) if rest.is_empty() => Ok(reply.status),
        other => Err(format!("{} and then {other:?}", reply.status)),
    }
}

/// `{n}` stands for n bytes.
fn expand(request: &str) -> String {
    match request.split_once('{') {
        Some((start, count)) => {
            let count: usize = count.trim_end_matches('}').parse().expect("a number");
            format!("{start}{}", "x".repeat(count))
        }
        None => request.to_owned(),
    }
}

fn refuse_each(times: usize, behind_bytes: usize) {
    let server = Server::http(&[]);
    let mut complaints = Complaints::default();
    for (status, request) in REFUSED {
        for attempt in 0..times {
            let seen = refuse(&server, request, behind_bytes);
            if seen != Ok(*status) {
                complaints.add(format_args!("{status}, attempt {attempt}: {seen:?}"));
            }
        }
    }
    complaints.settle();
}

#[test]
fn an_error_reply_reaches_a_client_that_sends_60_kb_more() {
    refuse_each(20, 60_000);
}

#[test]
fn an_error_reply_reaches_a_client_that_sends_1_mb_more() {
    refuse_each(20, 1_000_000);
}

#[test]
#[ignore = "7,000 megabytes"]
fn an_error_reply_reaches_a_client_that_sends_1_mb_more_a_thousand_times() {
    refuse_each(1_000, 1_000_000);
}

#[test]
fn the_last_reply_reaches_a_client_that_asked_for_a_close_and_goes_on_sending() {
    let server = Server::http(&[]);
    let close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for _ in 0..20 {
        assert_eq!(refuse(&server, close, 60_000), Ok(200));
    }
}

#[test]
fn a_refused_client_that_sends_more_than_is_drained_is_not_reset_before_the_linger_ends() {
    let server = Server::http(&["--linger", "1h"]);
    let mut client = server.connect();
    client.send("BAD REQUEST\r\n\r\n");
    // One read of 64 KiB, 256 KiB drained, and a rest that fits into the kernel's buffers.
    client.send(vec![b'x'; 390_000]);
    assert_eq!(reply_and_end(&mut client), Ok(400));
    // One more turn of the server's loop, and it has seen all that was sent.
    server.connect().get();
    client.send("x");
}
