//! Contents of replies (RFC 9110 6.6, 8.6, 10.2; RFC 9112 4).

use std::time::SystemTime;

use crate::harness::{Body, Reply, Server, large_body};

fn ask(server: &Server, method: &str) -> Reply {
    let mut client = server.connect();
    client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
    let body = if method == "HEAD" {
        Body::Omitted
    } else {
        Body::Sent
    };
    client.next_reply(body).expect("a whole reply comes")
}

/// A head without the value of its Date.
fn dateless(head: &str) -> String {
    let (start, date) = head.split_once("Date: ").expect("a Date");
    let (date, end) = date.split_once("\r\n").expect("an end of the Date");
    httpdate::parse_http_date(date).expect("an IMF-fixdate");
    assert_eq!(date.len(), "Sun, 06 Nov 1994 08:49:37 GMT".len(), "{date}");
    format!("{start}Date: \r\n{end}")
}

#[test]
fn get_is_answered_with_the_body() {
    let reply = ask(&Server::http(&[]), "GET");
    assert_eq!(
        dateless(&reply.head),
        "HTTP/1.1 200 OK\r\nServer: bareloop\r\nDate: \r\nContent-Length: 12\r\n\r\n"
    );
    assert_eq!(reply.body, b"Hello World!");
}

#[test]
fn head_is_answered_with_the_same_head_and_no_body() {
    let server = Server::http(&["--body", "abc", "--header", "X: y"]);
    let mut client = server.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let all = String::from_utf8(client.read_to_end().expect("the end")).expect("text");
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let get = client.reply();
    assert_eq!(dateless(&all), dateless(&get.head));
    assert!(all.ends_with("\r\n\r\n"), "{all}");
}

#[test]
fn body_and_fields_are_what_the_flags_say() {
    let server = Server::http(&[
        "--body",
        "Hi!\u{e9}",
        "--header",
        "X-One:1",
        "--header",
        "X-Two: b: c",
    ]);
    let reply = ask(&server, "GET");
    assert_eq!(reply.body, "Hi!\u{e9}".as_bytes());
    assert_eq!(reply.field("Content-Length"), Some("5"));
    assert_eq!(reply.field("X-One"), Some("1"));
    assert_eq!(reply.field("X-Two"), Some("b: c"));
}

#[test]
fn an_empty_body_has_its_length_too() {
    let reply = ask(&Server::http(&["--body", ""]), "GET");
    assert_eq!(
        (reply.status, reply.field("Content-Length")),
        (200, Some("0"))
    );
}

#[test]
fn a_large_body_comes_whole() {
    let body = large_body();
    let reply = ask(&Server::http(&["--body", &body]), "GET");
    assert_eq!(reply.body, body.as_bytes());
}

#[test]
fn method_not_allowed_says_what_is_allowed() {
    let server = Server::http(&[]);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let reply = ask(&server, method);
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.field("Allow"), Some("GET, HEAD"), "{method}");
    }
}

#[test]
fn error_replies_name_their_reason_and_have_all_fields() {
    let server = Server::http(&[]);
    for (request, line) in [
        ("\0", "400 Bad Request"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
            "405 Method Not Allowed",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n",
            "413 Content Too Large",
        ),
        (&format!("GET /{}", "a".repeat(9000)), "414 URI Too Long"),
        (
            &format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(17_000)),
            "431 Request Header Fields Too Large",
        ),
        ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501 Not Implemented"),
        ("GET / HTTP/2.0\r\n\r\n", "505 HTTP Version Not Supported"),
    ] {
        let mut client = server.connect();
        client.send(request);
        let reply = client.reply();
        let expected = format!("HTTP/1.1 {line}\r\n");
        assert!(reply.head.starts_with(&expected), "{}", reply.head);
        assert_eq!(String::from_utf8_lossy(&reply.body), format!("{line}\n"));
        assert_eq!(reply.field("Server"), Some("bareloop"));
        assert_eq!(reply.field("Content-Type"), Some("text/plain"));
        dateless(&reply.head);
    }
}

#[test]
fn an_error_reply_to_head_has_no_body() {
    let server = Server::http(&[]);
    for (request, status) in [
        ("HEAD / HTTP/1.1\r\n\r\n", "400"),
        (
            "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n",
            "413",
        ),
        (&format!("HEAD /{}", "a".repeat(9000)), "414"),
        ("HEAD / HTTP/2.0\r\n\r\n", "505"),
    ] {
        let mut client = server.connect();
        client.send(request);
        let all = client.read_to_end().expect("the end");
        let all = String::from_utf8(all).expect("text");
        assert!(all.starts_with(&format!("HTTP/1.1 {status} ")), "{all}");
        assert!(all.ends_with("\r\n\r\n"), "{all}");
    }
}

#[test]
fn the_date_is_now_and_moves() {
    let server = Server::http(&["--header-timeout", "1100ms"]);
    let date = |reply: &Reply| {
        let date = reply.field("Date").expect("a Date");
        httpdate::parse_http_date(date).expect("an IMF-fixdate")
    };
    let mut client = server.connect();
    let before = SystemTime::now();
    let first = date(&client.get());
    // Sent in whole seconds, and as old as the loop's reading of the clock.
    let age = before.duration_since(first).unwrap_or_default();
    assert!(age.as_secs() < 5, "{age:?}");
    // The end of a head's time is a clock that needs no waiting for here.
    let mut alarm = server.connect();
    alarm.send("GET");
    let later = date(&alarm.reply());
    assert!(later > first, "{later:?} {first:?}");
    assert!(date(&client.get()) >= later);
}

#[test]
fn the_limits_are_what_the_flags_say() {
    let server = Server::http(&[
        "--target-max",
        "10",
        "--head-max",
        "100",
        "--fields-max",
        "3",
        "--body-max",
        "5",
    ]);
    let post = |body: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    for (request, status) in [
        ("GET /123456789 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 200),
        (
            "GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            414,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(68)),
            200,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(69)),
            431,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nX:\r\nX:\r\n\r\n".to_owned(),
            200,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nX:\r\nX:\r\nX:\r\n\r\n".to_owned(),
            431,
        ),
        (post("12345"), 405),
        (post("123456"), 413),
    ] {
        let mut client = server.connect();
        client.send(&request);
        assert_eq!(client.reply().status, status, "{request:?}");
    }
}

#[test]
fn keep_alive_is_echoed_to_http_1_0_only() {
    let server = Server::http(&[]);
    for (request, expected) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", None),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
            None,
        ),
        (
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            Some("keep-alive"),
        ),
        ("GET / HTTP/1.0\r\n\r\n", Some("close")),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            Some("close"),
        ),
        ("BAD\r\n\r\n", Some("close")),
    ] {
        let mut client = server.connect();
        client.send(request);
        assert_eq!(client.reply().field("Connection"), expected, "{request:?}");
    }
}

#[test]
fn the_100_comes_before_the_body_is_sent() {
    let server = Server::http(&[]);
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.reply().status, 100);
    client.send("hello");
    assert_eq!(client.reply().status, 405);
    assert_eq!(client.get().status, 200);
}
