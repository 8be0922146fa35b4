//! A case of the conformance tables: what is sent, what comes back, what becomes of the connection.

use crate::harness::{Body, Client, Complaints, NoReply, Random, Server, seed};

/// What becomes of the connection after the replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It goes on: one more request is answered.
    Kept,
    /// The server ends it, and does not answer one more request.
    Closed,
    /// The server waits for the rest of a request; when we end our side instead, it closes
    /// without a word.
    Waiting,
}

pub struct Case {
    name: String,
    sent: Vec<u8>,
    /// Statuses in order; `head:200` has no body.
    replies: &'static str,
    then: Then,
}

/// A case of that name.
pub fn case(
    name: impl Into<String>,
    sent: impl AsRef<[u8]>,
    replies: &'static str,
    then: Then,
) -> Case {
    Case {
        name: name.into(),
        sent: sent.as_ref().to_vec(),
        replies,
        then,
    }
}

/// Answered with 200 and kept if it is sent after a closed reply, which it must not be.
const PROBE: &[u8] = b"GET /probe HTTP/1.1\r\nHost: probe\r\n\r\n";

/// Longer ones are not sent byte by byte.
const BYTEWISE_BYTES_MAX: usize = 4096;
const RANDOM_CUTS: u64 = 2;

/// Plays each case on a connection of its own: sent whole, byte by byte, and cut at random.
pub fn check(cases: &[Case]) {
    let server = Server::http(&[]);
    let seed = seed();
    let mut complaints = Complaints::default();
    for case in cases {
        let mut ways = vec![("whole".to_owned(), vec![&case.sent[..]])];
        if case.sent.len() <= BYTEWISE_BYTES_MAX {
            ways.push(("byte by byte".to_owned(), case.sent.chunks(1).collect()));
        }
        for seed in (0..RANDOM_CUTS).map(|offset| seed.wrapping_add(offset)) {
            let pieces = Random::seeded(seed).cut(&case.sent, case.sent.len().div_ceil(3).max(1));
            ways.push((format!("BARELOOP_TEST_SEED={seed}"), pieces));
        }
        for (way, pieces) in ways {
            if complaints.are_enough() {
                break;
            }
            let expected = format!("{} {:?}", case.replies, case.then);
            let seen = play(server.connect(), &pieces, case.replies, case.then);
            if seen.trim() != expected.trim() {
                let name = &case.name;
                complaints.add(format_args!("{name} ({way}): {seen}, not {expected}"));
            }
        }
    }
    complaints.settle();
}

/// What is seen, in the words of a case.
fn play(mut client: Client, pieces: &[&[u8]], expected: &str, then: Then) -> String {
    for piece in pieces {
        // A server that has refused the beginning may not take the rest.
        if client.try_send(piece).is_err() {
            break;
        }
    }
    let mut seen = String::new();
    match then {
        Then::Kept => {
            for word in expected.split_whitespace() {
                if !hear(&mut client, body_of(word), &mut seen) {
                    return seen;
                }
            }
            let _ = client.try_send(PROBE);
            match client.next_reply(Body::Sent) {
                Ok(reply) if reply.status == 200 => {}
                other => return format!("{seen}{other:?}"),
            }
            client.shut_write();
        }
        Then::Closed => {
            let _ = client.try_send(PROBE);
        }
        Then::Waiting => client.shut_write(),
    }
    let answered = match then {
        Then::Kept => "",
        Then::Closed | Then::Waiting => expected,
    };
    // One reply too many is enough to see.
    for word in answered.split_whitespace().chain(["one too many"]) {
        if !hear(&mut client, body_of(word), &mut seen) {
            break;
        }
    }
    seen.strip_suffix("End")
        .map_or(seen.clone(), |seen| format!("{seen}{then:?}"))
}

fn body_of(word: &str) -> Body {
    if word.starts_with("head:") {
        Body::Omitted
    } else {
        Body::Sent
    }
}

/// Adds the next reply, or the end, to what was seen; whether it was a reply.
fn hear(client: &mut Client, body: Body, seen: &mut String) -> bool {
    match client.next_reply(body) {
        Ok(reply) => {
            let head = if body == Body::Omitted { "head:" } else { "" };
            *seen += &format!("{head}{} ", reply.status);
            true
        }
        Err(NoReply::End) => {
            *seen += "End";
            false
        }
        Err(NoReply::Broken(why)) => {
            *seen += &why;
            false
        }
    }
}
