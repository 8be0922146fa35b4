//! Field syntax, Host, Connection and Expect (RFC 9112 5, 3.2, 9.3; RFC 9110 10.1.1).

use crate::harness::Server;
use crate::http_case::Then::{Closed, Kept};
use crate::http_case::{case, check};

fn with(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n")
}

#[test]
fn field_syntax() {
    let mut cases = Vec::new();
    for fields in [
        "X:",
        "X: ",
        "X:y",
        "X: \t y \t ",
        "X: a: b: c",
        "X: \"quoted\\\" (comment)\"",
        "!#$%&'*+-.^_`|~: y",
        "0: y",
        "X: a\tb",
        "X: \u{e9}\u{4e2d}",
        "X: y\r\nX: y\r\nx: z",
        "Cookie: a=b; c=d",
    ] {
        cases.push(case(format!("{fields:?}"), with(fields), "200", Kept));
    }
    for fields in [
        "X : y",
        "X\t: y",
        "X",
        ": y",
        " X: y",
        "\tX: y",
        "X: y\r\n z",
        "X: y\r\n\tz",
        "X: y\r\n ",
        "X Y: z",
        "(X): y",
        "\"X\": y",
        "X\0: y",
        "X@: y",
        "X\u{e9}: y",
        "X: \0",
        "X: a\0b",
        "X: a\rb",
        "X: a\r",
        "X: a\nY: b",
        "X: a\x0b",
        "X: a\x0c",
        "X: \x01",
        "X: \x1b[0m",
        "X: \x7f",
        "\0",
    ] {
        cases.push(case(format!("{fields:?}"), with(fields), "400", Closed));
    }
    cases.push(case(
        "a blank before the first field",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        "400",
        Closed,
    ));
    cases.push(case(
        "bare LF ends the head",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "400",
        Closed,
    ));
    cases.push(case(
        "CR and something else end the head",
        "GET / HTTP/1.1\r\nHost: a\r\n\rx",
        "400",
        Closed,
    ));
    let raw = b"GET / HTTP/1.1\r\nHost: a\r\nX: \x80\xff\xfe\r\n\r\n";
    cases.push(case("obs-text that is not UTF-8", raw, "200", Kept));
    check(&cases);
}

#[test]
fn host() {
    let only = |fields: &str| format!("GET / HTTP/1.1\r\n{fields}\r\n");
    let mut cases = Vec::new();
    for host in [
        "a",
        "",
        " ",
        "a:80",
        "a:",
        "a.example.",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:80",
        "[::ffff:127.0.0.1]:80",
        "a%20b",
        "a_b",
        "\ta\t",
    ] {
        let name = format!("Host {host:?}");
        cases.push(case(name, only(&format!("Host: {host}\r\n")), "200", Kept));
    }
    for host in [
        "a b",
        "a, b",
        "a/b",
        "a?b",
        "a#b",
        "u@a",
        "http://a",
        ":80",
        "a:b",
        "a:80:80",
        "a:-1",
        "a:80 80",
        "[::1",
        "::1",
        "[::1]a",
        "[:::1]",
        "[]",
        "[fe80::1%25eth0]",
        "a%2",
        "a%zz",
        "\"a\"",
        "\u{e9}",
        "a\0",
        "a\\b",
    ] {
        let name = format!("Host {host:?}");
        cases.push(case(
            name,
            only(&format!("Host: {host}\r\n")),
            "400",
            Closed,
        ));
    }
    cases.push(case(
        "the name in any case",
        only("hOsT: a\r\n"),
        "200",
        Kept,
    ));
    cases.push(case("no Host", only(""), "400", Closed));
    cases.push(case(
        "no Host among others",
        only("X: y\r\nHos: t\r\nHostt: a\r\n"),
        "400",
        Closed,
    ));
    cases.push(case(
        "two Hosts",
        only("Host: a\r\nHost: b\r\n"),
        "400",
        Closed,
    ));
    cases.push(case(
        "the same Host twice",
        only("Host: a\r\nX: y\r\nhost: a\r\n"),
        "400",
        Closed,
    ));
    cases.push(case(
        "absolute-form without Host",
        "GET http://a/ HTTP/1.1\r\n\r\n",
        "400",
        Closed,
    ));
    cases.push(case(
        "HTTP/1.2 without Host",
        "GET / HTTP/1.2\r\n\r\n",
        "400",
        Closed,
    ));
    cases.push(case(
        "HTTP/1.0 without Host",
        "GET / HTTP/1.0\r\n\r\n",
        "200",
        Closed,
    ));
    cases.push(case(
        "HTTP/1.0 with two Hosts",
        "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
        "400",
        Closed,
    ));
    check(&cases);
}

#[test]
fn connection_options() {
    let mut cases = Vec::new();
    for fields in [
        "Connection: keep-alive",
        "Connection: ",
        "Connection: ,,",
        "Connection: upgrade\r\nUpgrade: h2c",
        "Connection: xclose",
        "Connection: closed",
        "Connection: close-x",
        "Connection: \"close\"",
        "Connection: close=1",
        "Connection: x close",
        "Proxy-Connection: close",
        "X: close",
    ] {
        cases.push(case(format!("{fields:?}"), with(fields), "200", Kept));
    }
    for fields in [
        "Connection: close",
        "Connection: CLOSE",
        "cOnNeCtIoN:close",
        "Connection: close, keep-alive",
        "Connection: keep-alive, close",
        "Connection: x,close,y",
        "Connection: , close ,",
        "Connection: x y, close",
        "Connection: keep-alive\r\nConnection: close",
        "Connection: close\r\nConnection: keep-alive",
    ] {
        cases.push(case(format!("{fields:?}"), with(fields), "200", Closed));
    }
    let method =
        |method: &str| format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    cases.push(case("HEAD and close", method("HEAD"), "head:200", Closed));
    cases.push(case("POST and close", method("POST"), "405", Closed));
    cases.push(case("BREW and close", method("BREW"), "501", Closed));
    check(&cases);
}

#[test]
fn http_1_0_is_kept_only_when_asked() {
    let old = |fields: &str| format!("GET / HTTP/1.0\r\n{fields}\r\n");
    check(&[
        case("not asked", old(""), "200", Closed),
        case("asked", old("Connection: keep-alive\r\n"), "200", Kept),
        case(
            "asked in any case",
            old("connection: Keep-Alive\r\n"),
            "200",
            Kept,
        ),
        case(
            "asked in a list",
            old("Connection: x, keep-alive\r\n"),
            "200",
            Kept,
        ),
        case(
            "asked for both",
            old("Connection: keep-alive, close\r\n"),
            "200",
            Closed,
        ),
        case(
            "asked of a proxy",
            old("Proxy-Connection: keep-alive\r\n"),
            "200",
            Closed,
        ),
        case(
            "Keep-Alive alone",
            old("Keep-Alive: timeout=5\r\n"),
            "200",
            Closed,
        ),
        case(
            "asked each time",
            old("Connection: keep-alive\r\n").repeat(3),
            "200 200 200",
            Kept,
        ),
        case(
            "not asked the second time",
            [old("Connection: keep-alive\r\n"), old("")].concat(),
            "200 200",
            Closed,
        ),
        case(
            "a body",
            "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
            "405",
            Kept,
        ),
        case("HEAD", "HEAD / HTTP/1.0\r\n\r\n", "head:200", Closed),
        case("another method", "BREW / HTTP/1.0\r\n\r\n", "501", Closed),
        case(
            "chunked is of 1.1",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "400",
            Closed,
        ),
    ]);
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
fn expectations() {
    let post =
        |fields: &str, body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}");
    check(&[
        case(
            "with a body",
            post("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"),
            "100 405",
            Kept,
        ),
        case(
            "with a chunked body",
            post(
                "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n",
                "3\r\nabc\r\n0\r\n\r\n",
            ),
            "100 405",
            Kept,
        ),
        case(
            "in any case",
            post("expect: 100-Continue\r\nContent-Length: 3\r\n", "abc"),
            "100 405",
            Kept,
        ),
        case(
            "without a body",
            post("Expect: 100-continue\r\n", ""),
            "405",
            Kept,
        ),
        case(
            "with an empty body",
            post("Expect: 100-continue\r\nContent-Length: 0\r\n", ""),
            "405",
            Kept,
        ),
        case(
            "unknown",
            post("Expect: tea\r\nContent-Length: 3\r\n", "abc"),
            "405",
            Kept,
        ),
        case(
            "with GET",
            "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
            "100 200",
            Kept,
        ),
        case(
            "with HTTP/1.0",
            "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
            "405",
            Closed,
        ),
        case(
            "and a body too large",
            post("Expect: 100-continue\r\nContent-Length: 1048577\r\n", ""),
            "413",
            Closed,
        ),
        case(
            "twice in a pipeline",
            post("Expect: 100-continue\r\nContent-Length: 1\r\n", "a").repeat(2),
            "100 405 100 405",
            Kept,
        ),
    ]);
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
