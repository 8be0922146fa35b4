//! The fast path against the slow one: however a stream is cut and whatever was learned before,
//! the bytes and the decision are those of the parser alone.

use std::time::UNIX_EPOCH;

use proptest::prelude::*;

use super::*;
use crate::http::request::Persistence;

/// Pieces that streams are made of: plain GETs that nearly equal each other, and everything that must
/// not be taken for one.
const PIECES: [&str; 16] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 29\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "1d\r\n",
    "\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
];

fn settings() -> HttpSettings {
    HttpSettings {
        body: b"Hello World!".to_vec(),
        fields: Vec::new(),
        limits: Limits::default(),
        timeouts: Timeouts {
            header: Duration::from_secs(10),
            body_gap: Duration::from_secs(10),
            body_total: Duration::from_secs(60),
            idle: Duration::from_secs(60),
        },
    }
}

/// Returns the replies and the end of a connection on which `pieces` arrive one after the other.
fn converse<'b>(
    server: &mut HttpServer,
    pieces: impl IntoIterator<Item = &'b [u8]>,
) -> (String, Flow) {
    let mut out = WriteQueue::new();
    let mut sent = Vec::new();
    server.turn(Time::START, UNIX_EPOCH);
    let mut conn = server.opened(Time::START, &mut out);
    let mut flow = Flow::Keep;
    for piece in pieces {
        flow = server.received(&mut conn, piece, Time::START, &mut out);
        out.flush(&mut sent).unwrap();
        if flow != Flow::Keep {
            break;
        }
    }
    (String::from_utf8(sent).unwrap(), flow)
}

/// Cut into single bytes, no head can be found repeated: the parser is alone.
fn slowly(stream: &[u8]) -> (String, Flow) {
    let mut server = HttpServer::new(settings(), Warnings::discarded());
    converse(&mut server, stream.chunks(1))
}

fn stream_of(pieces: &[usize]) -> Vec<u8> {
    let texts: String = pieces.iter().map(|&index| PIECES[index]).collect();
    texts.into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_fast_path_is_exact(
        learned_before in prop::collection::vec(0..PIECES.len(), 0..4),
        pieces in prop::collection::vec(prop_oneof![3 => 0..2usize, 1 => 0..PIECES.len()], 1..14),
        cuts in prop::collection::vec(1usize..200, 0..8),
    ) {
        let mut server = HttpServer::new(settings(), Warnings::discarded());
        converse(&mut server, [&stream_of(&learned_before)[..]]);
        let stream = stream_of(&pieces);
        let mut rest = &stream[..];
        let mut parts = Vec::new();
        for cut in cuts {
            let (part, later) = rest.split_at(cut.min(rest.len()));
            parts.push(part);
            rest = later;
        }
        parts.push(rest);
        parts.retain(|part| !part.is_empty());
        prop_assert_eq!(converse(&mut server, parts), slowly(&stream));
    }
}

#[test]
fn the_end_of_a_head_that_came_in_pieces_is_not_taken_for_a_head() {
    let get = PIECES[0].as_bytes();
    for cut in 0..get.len() {
        let (start, end) = get.split_at(cut);
        let mut server = HttpServer::new(settings(), Warnings::discarded());
        let pieces = [start, end, end].into_iter().filter(|p| !p.is_empty());
        let stream = [start, end, end].concat();
        let (answered, flow) = converse(&mut server, pieces);
        assert_eq!((answered, flow), slowly(&stream), "cut at {cut}");
    }
}

#[test]
fn a_batch_of_equal_gets_is_one_run_of_replies() {
    let mut server = HttpServer::new(settings(), Warnings::discarded());
    let mut out = WriteQueue::new();
    server.turn(Time::START, UNIX_EPOCH);
    let mut conn = server.opened(Time::START, &mut out);
    let batch = PIECES[0].repeat(10);
    for _ in 0..2 {
        server.received(&mut conn, batch.as_bytes(), Time::START, &mut out);
    }
    let reply_bytes = server
        .response_cache
        .get(Answer::Get(Persistence::Keep))
        .message_bytes();
    assert_eq!((out.len_runs(), out.len_bytes()), (1, 20 * reply_bytes));
}

#[test]
fn the_timer_restarts_with_each_request_on_either_path() {
    const GET: &str = PIECES[0];
    const HEADER: u64 = 10;
    const BODY: u64 = 60;
    const IDLE: u64 = 30;
    let at = |seconds| Time::START + Duration::from_secs(seconds);
    let (head, rest) = GET.split_at(10);
    let (post, hello) = PIECES[8].split_at(PIECES[8].len() - 5);
    for (first, second, since_second) in [
        (GET.into(), GET.into(), IDLE),
        (GET.into(), GET.repeat(3), IDLE),
        (GET.into(), PIECES[1].into(), IDLE),
        (GET.into(), format!("{GET}{head}"), HEADER),
        (GET.into(), format!("{GET}{post}"), BODY),
        (head.into(), rest.into(), IDLE),
        (head.into(), format!("{rest}{head}"), HEADER),
        (post.into(), hello.into(), IDLE),
        (post.into(), format!("{hello}{post}"), BODY),
        (GET.into(), "\r\n".into(), IDLE),
    ] {
        let mut server = HttpServer::new(settings(), Warnings::discarded());
        server.timeouts = Timeouts {
            header: Duration::from_secs(HEADER),
            body_gap: Duration::from_secs(2 * BODY),
            body_total: Duration::from_secs(BODY),
            idle: Duration::from_secs(IDLE),
        };
        let mut out = WriteQueue::new();
        let mut conn = server.opened(at(0), &mut out);
        let (first, second): (String, String) = (first, second);
        server.received(&mut conn, first.as_bytes(), at(1), &mut out);
        server.received(&mut conn, second.as_bytes(), at(5), &mut out);
        let deadline = server.deadline(&conn);
        assert_eq!(deadline, at(5 + since_second), "{first:?}, {second:?}");
        server.resumed(&mut conn, Duration::from_secs(7));
        assert_eq!(server.deadline(&conn), at(5 + since_second + 7));
    }
}

#[test]
fn nothing_is_answered_after_the_end() {
    for last in [PIECES[12], PIECES[15], PIECES[10]] {
        let stream = format!("{}{last}{}", PIECES[0], PIECES[0]);
        let mut server = HttpServer::new(settings(), Warnings::discarded());
        let (sent, flow) = converse(&mut server, [stream.as_bytes()]);
        assert_eq!(flow, Flow::Finish, "{last}");
        assert_eq!(sent.matches("HTTP/1.1 ").count(), 2, "{last}");
    }
}

#[test]
fn an_overdue_head_is_answered_with_408_and_an_idle_connection_is_not() {
    let mut server = HttpServer::new(settings(), Warnings::discarded());
    for (received, sends) in [("", false), ("GET", true), (PIECES[4], true)] {
        let mut out = WriteQueue::new();
        let mut conn = server.opened(Time::START, &mut out);
        if !received.is_empty() {
            server.received(&mut conn, received.as_bytes(), Time::START, &mut out);
        }
        let flow = server.overdue(&mut conn, Time::START, &mut out);
        let mut sent = Vec::new();
        out.flush(&mut sent).unwrap();
        assert_eq!(flow, Flow::Finish);
        assert_eq!(sent.starts_with(b"HTTP/1.1 408 "), sends, "{received}");
    }
}
