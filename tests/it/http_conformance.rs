//! Each case of the conformance table over a socket: the replies, and the connection after them.

#[path = "../conformance/mod.rs"]
mod conformance;

use std::net::SocketAddr;
use std::sync::Mutex;
use std::thread;

use crate::harness::{Body, Client, Complaints, NoReply, Random, Server, seed};
use conformance::{Case, cases};

/// The connection after the last reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Afterwards {
    /// The next request is answered.
    Keep,
    /// The server closes the connection, and answers no further request.
    Close,
    /// The server waits for the rest of a request. When the client shuts its write side instead,
    /// the server closes without a reply.
    Wait,
}

/// Answered with 200 if the connection is kept.
const PROBE: &[u8] = b"GET /probe HTTP/1.1\r\nHost: probe\r\n\r\n";

/// Longer requests are not sent byte by byte.
const BYTEWISE_BYTES_MAX: usize = 4096;
const RANDOM_CUTS: u64 = 2;
/// Most of the time is spent waiting for the server, so more threads than cores pay.
const THREADS: usize = 4;

#[test]
fn every_case_is_answered_as_the_table_says() {
    let server = Server::http(&[]);
    let cases = cases();
    assert!(cases.len() >= 775, "{} cases are left", cases.len());
    let complaints = Mutex::new(Complaints::default());
    let address = server.address();
    thread::scope(|scope| {
        for first in 0..THREADS {
            let (cases, complaints) = (&cases, &complaints);
            scope.spawn(move || {
                for case in cases.iter().skip(first).step_by(THREADS) {
                    check(address, case, complaints);
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("no thread panicked");
    complaints.settle();
}

#[test]
fn an_incomplete_request_is_not_answered() {
    let server = Server::http(&[]);
    let whole = b"POST /path HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    for bytes in 0..whole.len() {
        let pieces = [&whole[..bytes]];
        let seen = play(server.connect(), &pieces, &[], Afterwards::Wait);
        assert_eq!(seen, "Wait", "the first {bytes} bytes");
    }
}

/// Plays a case on connections of its own: sent whole, byte by byte, and cut at random.
fn check(address: SocketAddr, case: &Case, complaints: &Mutex<Complaints>) {
    let (replies, afterwards) = expected(&case.steps);
    let statuses: String = replies
        .iter()
        .map(|(status, _)| format!("{status} "))
        .collect();
    let expected = format!("{statuses}{afterwards:?}");
    let mut ways = vec![("whole".to_owned(), vec![&case.sent[..]])];
    if case.sent.len() <= BYTEWISE_BYTES_MAX {
        ways.push(("byte by byte".to_owned(), case.sent.chunks(1).collect()));
    }
    let seed = seed();
    for seed in (0..RANDOM_CUTS).map(|offset| seed.wrapping_add(offset)) {
        let pieces = Random::seeded(seed).cut(&case.sent, case.sent.len().div_ceil(3).max(1));
        ways.push((format!("BARELOOP_TEST_SEED={seed}"), pieces));
    }
    for (way, pieces) in ways {
        let seen = play(Client::connect(address), &pieces, &replies, afterwards);
        if seen != expected {
            let (section, name) = (&case.section, &case.name);
            let mut complaints = complaints.lock().expect("no thread panicked");
            complaints.add(format_args!(
                "{section}: {name} ({way}): {seen}, not {expected}"
            ));
        }
    }
}

/// The status and the body of each reply, and the connection afterwards.
fn expected(steps: &str) -> (Vec<(&str, Body)>, Afterwards) {
    let mut replies = Vec::new();
    let mut afterwards = Afterwards::Wait;
    for step in steps.trim_matches(['-', '!']).split_terminator(", ") {
        let words: Vec<&str> = step.split(' ').collect();
        afterwards = match words[..] {
            ["in", _] => return (replies, Afterwards::Wait),
            [_] if step != "100" => Afterwards::Close,
            [_, _, _, "close", ..] => Afterwards::Close,
            _ => Afterwards::Keep,
        };
        let body = match words.get(1) {
            Some(&"head") => Body::Omitted,
            _ => Body::Sent,
        };
        replies.push((words[0], body));
    }
    (replies, afterwards)
}

/// Returns the statuses that were seen, and then the connection as it was seen afterwards.
fn play(
    mut client: Client,
    pieces: &[&[u8]],
    expected: &[(&str, Body)],
    afterwards: Afterwards,
) -> String {
    for piece in pieces {
        // A server that has refused the beginning may not take the rest.
        if client.try_send(piece).is_err() {
            break;
        }
    }
    let mut bodies = expected.iter().map(|&(_, body)| body);
    let mut seen = String::new();
    if afterwards == Afterwards::Keep {
        for body in bodies.by_ref() {
            if !see_reply(&mut client, body, &mut seen) {
                return seen;
            }
        }
    }
    if afterwards != Afterwards::Wait {
        let _ = client.try_send(PROBE);
    }
    if afterwards == Afterwards::Keep {
        match client.next_reply(Body::Sent) {
            Ok(reply) if reply.status == 200 => {}
            other => return format!("{seen}{other:?}"),
        }
    }
    if afterwards != Afterwards::Close {
        client.shut_write();
    }
    // One reply too many shows as one.
    for body in bodies.chain([Body::Sent]) {
        if !see_reply(&mut client, body, &mut seen) {
            break;
        }
    }
    match seen.strip_suffix("End") {
        Some(statuses) => format!("{statuses}{afterwards:?}"),
        None => seen,
    }
}

/// Adds the next reply, or the end, to what was seen. Returns true for a reply.
fn see_reply(client: &mut Client, body: Body, seen: &mut String) -> bool {
    let (text, is_reply) = match client.next_reply(body) {
        Ok(reply) => (format!("{} ", reply.status), true),
        Err(NoReply::End) => ("End".to_owned(), false),
        Err(NoReply::Broken(why)) => (why, false),
    };
    *seen += &text;
    is_reply
}
