//! Many requests on one connection are answered once, in order, whole (RFC 9112 9.3.2).

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::thread;

use crate::harness::{Body, Client, GET, NoReply, Random, Server, seed};

/// A request, the status of its reply, and whether that brings its body.
type Exchange = (&'static str, u16, Body);

/// Requests that differ in everything that could confuse a pipeline.
const EXCHANGES: &[Exchange] = &[
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, Body::Sent),
    (
        "GET /other HTTP/1.1\r\nHost: other\r\nX: y\r\n\r\n",
        200,
        Body::Sent,
    ),
    ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 200, Body::Omitted),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nGET / HTTP/1.1\r\nHost: hidden\r\n",
        405,
        Body::Sent,
    ),
    (
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\n\r\n\r\n\r\n0\r\nT: u\r\n\r\n",
        405,
        Body::Sent,
    ),
    (
        "BREW / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n\r\n",
        501,
        Body::Sent,
    ),
    (
        "\r\nGET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
        200,
        Body::Sent,
    ),
    (
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        200,
        Body::Sent,
    ),
];

/// Plays `count` requests picked at random, `depth` of them in flight, cut at random.
fn play(address: SocketAddr, count: usize, depth: usize) {
    let seed = seed();
    println!("BARELOOP_TEST_SEED={seed}");
    let mut random = Random::seeded(seed);
    let mut client = Client::connect(address);
    let mut played = 0;
    while played < count {
        let batch: Vec<Exchange> = (0..depth)
            // Runs of equal requests, too: they take another path.
            .map(|_| EXCHANGES[random.below(2) * random.below(EXCHANGES.len())])
            .collect();
        let bytes: Vec<u8> = batch
            .iter()
            .flat_map(|(request, ..)| request.bytes())
            .collect();
        let piece_max = 1 + random.below(bytes.len());
        for piece in random.cut(&bytes, piece_max) {
            client.send(piece);
        }
        for (at, &(request, status, body)) in batch.iter().enumerate() {
            let what = format!("seed {seed}, request {} ({request:?})", played + at);
            let reply = client
                .next_reply(body)
                .unwrap_or_else(|e| panic!("{what}: {e:?}"));
            assert_eq!(reply.status, status, "{what}");
            if status == 200 && body == Body::Sent {
                assert_eq!(reply.body, b"Hello World!", "{what}");
            }
        }
        played += depth;
    }
    client.shut_write();
    client.expect_end();
}

#[test]
fn mixed_requests_cut_anywhere_are_answered_once_and_in_order() {
    let server = Server::http(&[]);
    for (count, depth) in [(1_000, 1), (8_000, 16), (32_000, 256)] {
        play(server.address(), count, depth);
    }
}

#[test]
#[ignore = "a million requests take a minute"]
fn a_million_mixed_requests_are_answered_once_and_in_order() {
    let server = Server::http(&[]);
    for (count, depth) in [(100_000, 1), (300_000, 16), (600_000, 256)] {
        play(server.address(), count, depth);
    }
}

#[test]
fn a_request_is_answered_after_its_last_byte_and_not_before() {
    let server = Server::http(&[]);
    let mut other = server.connect();
    for &(request, status, body) in EXCHANGES {
        let mut client = server.connect();
        let (last, bytes) = request
            .as_bytes()
            .split_last()
            .expect("a request has bytes");
        for byte in bytes {
            client.send([*byte]);
        }
        // What came before this answer was sent has been seen by the server.
        other.get();
        client
            .stream()
            .set_nonblocking(true)
            .expect("it can be set");
        match client.next_reply(body) {
            Err(NoReply::Broken(why)) => {
                let nothing = std::io::Error::from_raw_os_error(would_block());
                assert_eq!(why, format!("{nothing} after \"\""), "{request:?}");
            }
            other => panic!("{request:?}: {other:?}"),
        }
        client
            .stream()
            .set_nonblocking(false)
            .expect("it can be set");
        client.send([*last]);
        let reply = client.next_reply(body).expect("a whole reply comes");
        assert_eq!(reply.status, status, "{request:?}");
    }
}

/// The error of a read that found nothing.
fn would_block() -> i32 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("it can be set");
    let error = listener.accept().expect_err("nobody has connected");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    error.raw_os_error().expect("the system's own error")
}

#[test]
fn a_client_that_shuts_its_write_side_gets_every_reply() {
    let server = Server::http(&[]);
    for requests in [1, 2_000] {
        let mut client = server.connect();
        client.send(GET.repeat(requests));
        client.shut_write();
        for _ in 0..requests {
            assert_eq!(client.reply().body, b"Hello World!");
        }
        client.expect_end();
    }
}

#[test]
fn requests_after_a_close_are_not_answered() {
    let server = Server::http(&[]);
    let close = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for last in [
        &close[..],
        b"GET / HTTP/1.0\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\0",
    ] {
        let mut client = server.connect();
        let _ = client.try_send([&GET.repeat(3), last, &GET.repeat(1000)].concat());
        for _ in 0..4 {
            client.reply();
        }
        client.expect_end();
    }
}

#[test]
fn two_clients_do_not_see_each_others_replies() {
    let server = Server::http(&[]);
    let address = server.address();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(move || play(address, 2_000, 10));
        }
    });
}
