//! `serve tcp`: 48 bytes for each CR LF CR LF, whatever comes between, however the stream is cut.

use std::thread;

use crate::harness::{Complaints, Random, Server, seed};

const REPLY: &[u8] = b"HTTP/1.1 200\r\nContent-Length: 12\r\n\r\nHello world!";

/// The number of replies to a stream, sent in these pieces.
fn replies_to(server: &Server, pieces: &[&[u8]]) -> Result<usize, String> {
    let mut client = server.connect();
    for piece in pieces {
        client.send(piece);
    }
    client.shut_write();
    let received = client.read_to_end().map_err(|e| e.to_string())?;
    if received.chunks(REPLY.len()).all(|reply| reply == REPLY) {
        Ok(received.len() / REPLY.len())
    } else {
        Err(received.escape_ascii().to_string())
    }
}

#[test]
fn each_terminator_gets_one_reply_however_the_stream_is_cut() {
    let server = Server::tcp(&[]);
    let mut complaints = Complaints::default();
    for (stream, expected) in [
        (&b""[..], 0),
        (b"\r\n\r", 0),
        (b"\r\n\r\n", 1),
        (b"\r\n\r\n\r\n", 1),
        (b"\r\n\r\n\r\n\r\n", 2),
        (b"\r\r\n\r\n", 1),
        (b"\r\n\r\r\n\r\n", 1),
        (b"\n\r\n\r\n", 1),
        (b"\n\n\n\n", 0),
        (b"\r\r\r\r", 0),
        (b"\r\n \r\n", 0),
        (b"\0\xff\r\n\r\n\x80", 1),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
        (b"not HTTP at all\r\n\r\n", 1),
        (b"GET / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\n", 2),
        (b"a\r\n\r\nb\r\n\r\nc\r\n\r\n", 3),
    ] {
        for cut in 0..=stream.len() {
            let (start, end) = stream.split_at(cut);
            let seen = replies_to(&server, &[start, end]);
            if seen != Ok(expected) {
                complaints.add(format_args!(
                    "{} cut at {cut}: {seen:?}",
                    stream.escape_ascii()
                ));
            }
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        let seen = replies_to(&server, &bytes);
        if seen != Ok(expected) {
            complaints.add(format_args!(
                "{} byte by byte: {seen:?}",
                stream.escape_ascii()
            ));
        }
    }
    complaints.settle();
}

#[test]
fn a_connection_stays_open_until_the_client_closes() {
    let server = Server::tcp(&[]);
    let mut client = server.connect();
    for _ in 0..1_000 {
        client.send("\r\n\r\n");
        assert_eq!(client.read_exactly(REPLY.len()), REPLY);
    }
    client.shut_write();
    client.expect_end();
}

#[test]
fn a_hundred_thousand_terminators_cut_at_random_get_as_many_replies() {
    const TERMINATORS: usize = 100_000;
    let seed = seed();
    let server = Server::tcp(&[]);
    let mut reader = server.connect();
    let mut writer = reader.twin();
    let sending = thread::spawn(move || {
        let stream = b"x\r\n\r\n".repeat(TERMINATORS);
        for piece in Random::seeded(seed).cut(&stream, 5_000) {
            writer.send(piece);
        }
        writer.shut_write();
    });
    let received = reader.read_to_end().expect("the end");
    sending.join().expect("all is sent");
    assert_eq!(
        received.len(),
        TERMINATORS * REPLY.len(),
        "BARELOOP_TEST_SEED={seed}"
    );
    assert!(
        received.chunks(REPLY.len()).all(|reply| reply == REPLY),
        "BARELOOP_TEST_SEED={seed}"
    );
}

#[test]
fn an_idle_connection_is_closed_only_with_idle_timeout() {
    let server = Server::tcp(&["--idle-timeout", "200ms"]);
    let patient = Server::tcp(&[]);
    let mut kept = patient.connect();
    server.connect().expect_end();
    let mut spoken = server.connect();
    spoken.send("\r\n\r\n\r");
    assert_eq!(spoken.read_exactly(REPLY.len()), REPLY);
    spoken.expect_end();
    kept.send("\r\n\r\n");
    assert_eq!(kept.read_exactly(REPLY.len()), REPLY);
}
