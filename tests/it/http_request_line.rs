//! Methods, request-targets, versions, empty lines, and the limits of a head (RFC 9112 2, 3).

use crate::http_case::Then::{Closed, Kept, Waiting};
use crate::http_case::{case, check};

const REST: &str = "HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn methods() {
    let mut cases = vec![
        case("GET", format!("GET / {REST}"), "200", Kept),
        case("HEAD", format!("HEAD / {REST}"), "head:200", Kept),
        case(
            "CONNECT ends the connection",
            format!("CONNECT a:80 {REST}"),
            "405",
            Closed,
        ),
        case(
            "CONNECT to an address",
            format!("CONNECT [::1]:80 {REST}"),
            "405",
            Closed,
        ),
        case(
            "lower case is another method",
            format!("get / {REST}"),
            "501",
            Kept,
        ),
        case(
            "mixed case is another method",
            format!("Get / {REST}"),
            "501",
            Kept,
        ),
        case(
            "GETS is another method",
            format!("GETS / {REST}"),
            "501",
            Kept,
        ),
        case("GE is another method", format!("GE / {REST}"), "501", Kept),
        case(
            "any token",
            format!("!#$%&'*+-.^_`|~09azAZ / {REST}"),
            "501",
            Kept,
        ),
        case(
            "a method of 32 bytes",
            format!("{} / {REST}", "M".repeat(32)),
            "501",
            Kept,
        ),
        case(
            "a method of 33 bytes",
            format!("{} / {REST}", "M".repeat(33)),
            "501",
            Closed,
        ),
        case("a method that never ends", "M".repeat(5000), "501", Closed),
        case("no method", format!(" / {REST}"), "400", Closed),
        case(
            "a slash in the method",
            format!("GET/ {REST}"),
            "400",
            Closed,
        ),
        case(
            "a parenthesis in the method",
            format!("G(T / {REST}"),
            "400",
            Closed,
        ),
        case(
            "a colon in the method",
            format!("GET: / {REST}"),
            "400",
            Closed,
        ),
        case(
            "NUL in the method",
            format!("GE\0T / {REST}"),
            "400",
            Closed,
        ),
        case(
            "obs-text in the method",
            [b"G\xc3\x89T / ", REST.as_bytes()].concat(),
            "400",
            Closed,
        ),
        case(
            "a tab after the method",
            format!("GET\t/ {REST}"),
            "400",
            Closed,
        ),
        case(
            "two spaces after the method",
            format!("GET  / {REST}"),
            "400",
            Closed,
        ),
        case(
            "TLS instead of HTTP",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            "400",
            Closed,
        ),
    ];
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        cases.push(case(method, format!("{method} / {REST}"), "405", Kept));
    }
    check(&cases);
}

#[test]
fn request_targets() {
    let mut cases = Vec::new();
    for target in [
        "/",
        "//",
        "/a/b/c?d=e&f",
        "/?",
        "/%20%zz%",
        "/a:b@c;d=e,f!g$h'i(j)*+~",
        "/{}|\\^`[]",
        "/..;/../../etc/passwd",
        "http://a/",
        "http://a",
        "http://a:80/b?c",
        "http://a?b",
        "HTTP://A/",
        "https://other.example/",
        "coap+tcp://a/",
        "http://[::1]:8080/",
        "http://127.0.0.1/",
    ] {
        cases.push(case(target, format!("GET {target} {REST}"), "200", Kept));
    }
    for target in [
        "a",
        "a/b",
        "?a",
        "*",
        "*/",
        "a:80",
        "/#fragment",
        "/<",
        "/>",
        "/\"",
        "/\0",
        "/\x7f",
        "/\t",
        "/\x01",
        "/\u{e9}",
        "http:",
        "http:/",
        "http:///",
        "http:///a",
        "http://:80/",
        "http://user@a/",
        "http://a:b/",
        "http://a:80:80/",
        "http://[::1/",
        "http://[::g]/",
        "http://[v1.a]/",
        "http://[fe80::1%25eth0]/",
        "http://a%2/",
        "1http://a/",
    ] {
        cases.push(case(target, format!("GET {target} {REST}"), "400", Closed));
    }
    for target in [
        "a",
        "/",
        "*",
        "a:",
        "a:0",
        "a:65536",
        ":80",
        "a:80/",
        "http://a/",
        "u@a:80",
    ] {
        let name = format!("CONNECT {target}");
        cases.push(case(
            name,
            format!("CONNECT {target} {REST}"),
            "400",
            Closed,
        ));
    }
    cases.push(case("OPTIONS *", format!("OPTIONS * {REST}"), "405", Kept));
    cases.push(case(
        "a space in the target",
        format!("GET /a b {REST}"),
        "400",
        Closed,
    ));
    cases.push(case(
        "no target",
        "GET HTTP/1.1\r\nHost: a\r\n\r\n",
        "400",
        Closed,
    ));
    check(&cases);
}

#[test]
fn versions() {
    let line = |version: &str| format!("GET / {version}\r\nHost: a\r\n\r\n");
    let mut cases = Vec::new();
    for version in ["HTTP/1.1", "HTTP/1.2", "HTTP/1.9"] {
        cases.push(case(version, line(version), "200", Kept));
    }
    cases.push(case("HTTP/1.0", line("HTTP/1.0"), "200", Closed));
    for version in ["HTTP/0.9", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9"] {
        cases.push(case(version, line(version), "505", Closed));
    }
    for version in [
        "http/1.1",
        "Http/1.1",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/.1",
        "HTTP/11",
        "HTTP/1.10",
        "HTTP/01.1",
        "HTTP/1.1.1",
        "HTTP/1.1 ",
        "HTTP/1.1\t",
        "HTTP/1.1 x",
        "HTTP/1.x",
        "HTTP/+1.1",
        "HTTP /1.1",
        "HTTP/ 1.1",
        "HTTP-1.1",
        "HTTPS/1.1",
        "ICY/1.1",
        "",
    ] {
        cases.push(case(
            format!("version {version:?}"),
            line(version),
            "400",
            Closed,
        ));
    }
    cases.push(case(
        "HTTP/0.9 has no version",
        "GET /\r\n\r\n",
        "400",
        Closed,
    ));
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    cases.push(case("the preface of HTTP/2", preface, "505", Closed));
    check(&cases);
}

#[test]
fn line_ends() {
    check(&[
        case(
            "bare LF after the request-line",
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "400",
            Closed,
        ),
        case(
            "bare LF everywhere",
            "GET / HTTP/1.1\nHost: a\n\n",
            "400",
            Closed,
        ),
        case(
            "bare CR in the request-line",
            "GET / HTTP/1.1\rHost: a\r\n\r\n",
            "400",
            Closed,
        ),
        case(
            "CR CR LF",
            "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
            "400",
            Closed,
        ),
        case(
            "CR in the target",
            "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n",
            "400",
            Closed,
        ),
        case(
            "LF in the target",
            "GET /\n HTTP/1.1\r\nHost: a\r\n\r\n",
            "400",
            Closed,
        ),
        case("LF CR", "GET / HTTP/1.1\n\rHost: a\n\r\n\r", "400", Closed),
    ]);
}

#[test]
fn empty_lines_before_a_request() {
    check(&[
        case("one", format!("\r\nGET / {REST}"), "200", Kept),
        case("four", format!("\r\n\r\n\r\n\r\nGET / {REST}"), "200", Kept),
        case(
            "five",
            format!("\r\n\r\n\r\n\r\n\r\nGET / {REST}"),
            "400",
            Closed,
        ),
        case(
            "between requests",
            format!("GET / {REST}\r\nGET / {REST}\r\n\r\nGET / {REST}"),
            "200 200 200",
            Kept,
        ),
        case(
            "after a body, as old browsers did",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "405 200",
            Kept,
        ),
        case("and nothing else", "\r\n\r\n", "", Waiting),
        case("a bare LF", format!("\nGET / {REST}"), "400", Closed),
        case("a bare CR", format!("\rGET / {REST}"), "400", Closed),
        case(
            "a blank line that is not empty",
            format!(" \r\nGET / {REST}"),
            "400",
            Closed,
        ),
    ]);
}

#[test]
fn limits_of_a_head() {
    let target = |bytes: usize| format!("GET /{} {REST}", "a".repeat(bytes - 1));
    let head = |bytes: usize| {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        format!("{start}{}\r\n\r\n", "a".repeat(bytes - start.len() - 4))
    };
    let fields = |count: usize| {
        let others = "X: y\r\n".repeat(count - 1);
        format!("GET / HTTP/1.1\r\nHost: a\r\n{others}\r\n")
    };
    check(&[
        case("a target of 8192 bytes", target(8192), "200", Kept),
        case("a target of 8193 bytes", target(8193), "414", Closed),
        case(
            "a target that never ends",
            format!("GET /{}", "a".repeat(20_000)),
            "414",
            Closed,
        ),
        case("a head of 16384 bytes", head(16384), "200", Kept),
        case("a head of 16385 bytes", head(16385), "431", Closed),
        case(
            "a field that never ends",
            format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(20_000)),
            "431",
            Closed,
        ),
        case(
            "a field name that never ends",
            format!("GET / HTTP/1.1\r\n{}", "a".repeat(20_000)),
            "431",
            Closed,
        ),
        case("100 fields", fields(100), "200", Kept),
        case("101 fields", fields(101), "431", Closed),
        case(
            "two heads of 16384 bytes",
            head(16384).repeat(2),
            "200 200",
            Kept,
        ),
    ]);
}

#[test]
fn a_head_that_is_not_complete_is_not_answered() {
    let whole = "POST /path HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    let cases: Vec<_> = (0..whole.len())
        .map(|end| case(format!("{end} bytes"), &whole[..end], "", Waiting))
        .collect();
    check(&cases);
}
