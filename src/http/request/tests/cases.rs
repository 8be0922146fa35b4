//! Streams by name, and all that is to be said about them.
//!
//! `steps` reads: a complete request is its method, version, persistence and `+body`; a refusal is
//! its status, with `!` if the stream's last byte is the very one that causes it; `in head` or
//! `in body` is where an unfinished stream stops.

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) stream: Vec<u8>,
    pub(super) steps: &'static str,
}

const GET: &str = "get 1.1 keep";
const GET_BODY: &str = "get 1.1 keep +body";
const POST_BODY: &str = "known 1.1 keep +body";

fn case(name: &'static str, stream: impl AsRef<[u8]>, steps: &'static str) -> Case {
    Case {
        name,
        stream: stream.as_ref().to_vec(),
        steps,
    }
}

/// A GET with these lines besides Host.
fn get(lines: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")
}

/// A GET by HTTP/1.0 with these lines.
fn old(lines: &str) -> String {
    format!("GET / HTTP/1.0\r\n{lines}\r\n")
}

/// A chunked POST with this body.
fn chunked(body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

fn target(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn host(value: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost:{value}\r\n\r\n")
}

pub(super) fn all() -> Vec<Case> {
    let parts = [
        lines(),
        targets(),
        hosts(),
        fields(),
        lengths(),
        codings(),
        chunks(),
        trailers(),
        persistence(),
        expectations(),
        limits(),
        pipelines(),
    ];
    parts.into_iter().flatten().collect()
}

fn lines() -> Vec<Case> {
    vec![
        case("nothing", "", ""),
        case("get", get(""), GET),
        case(
            "head",
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
            "head 1.1 keep",
        ),
        case(
            "post without a body",
            "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
            "known 1.1 keep",
        ),
        case("put", "PUT / HTTP/1.1\r\nHost: a\r\n\r\n", "known 1.1 keep"),
        case(
            "delete",
            "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
            "known 1.1 keep",
        ),
        case(
            "patch",
            "PATCH / HTTP/1.1\r\nHost: a\r\n\r\n",
            "known 1.1 keep",
        ),
        case(
            "trace",
            "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
            "known 1.1 keep",
        ),
        case(
            "options",
            "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n",
            "options 1.1 keep",
        ),
        case(
            "another token",
            "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
            "unknown 1.1 keep",
        ),
        case(
            "every token byte",
            "!#$%&'*+-.^_`|~09 / HTTP/1.1\r\nHost: a\r\n\r\n",
            "unknown 1.1 keep",
        ),
        case(
            "lower case is another method",
            "get / HTTP/1.1\r\nHost: a\r\n\r\n",
            "unknown 1.1 keep",
        ),
        case(
            "a method's prefix",
            "GE / HTTP/1.1\r\nHost: a\r\n\r\n",
            "unknown 1.1 keep",
        ),
        case(
            "a method's end in a longer one",
            "FORGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "unknown 1.1 keep",
        ),
        case(
            "a method after eight other bytes",
            "XXXXXXXXGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "unknown 1.1 keep",
        ),
        case(
            "method of 32",
            format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(32)),
            "unknown 1.1 keep",
        ),
        case("method of 33", "M".repeat(33), "501!"),
        case("no method", " ", "400!"),
        case("control in method", "GE\x01", "400!"),
        case("NUL in method", "G\0", "400!"),
        case("colon in method", "GET:", "400!"),
        case("tab after method", "GET\t", "400!"),
        case("two spaces after method", "GET  ", "400!"),
        case("line ends after method", "GET\r", "400!"),
        case("HTTP/0.9", "GET /\r", "400!"),
        case("two spaces after target", "GET /  ", "400!"),
        case("tab after target", "GET /\t", "400!"),
        case("space after version", "GET / HTTP/1.1 ", "400!"),
        case("lower-case version", "GET / h", "400!"),
        case("version of another protocol", "GET / HTCPCP", "400"),
        case("version without its minor", "GET / HTTP/1\r", "400!"),
        case("version without its dot", "GET / HTTP/11", "400!"),
        case("version with a comma", "GET / HTTP/1,", "400!"),
        case("two-digit minor", "GET / HTTP/1.10", "400!"),
        case("two-digit major", "GET / HTTP/10.1", "400"),
        case("letter as minor", "GET / HTTP/1.x", "400!"),
        case("letter as major", "GET / HTTP/x", "400!"),
        case("signed major", "GET / HTTP/+", "400!"),
        case("space in version", "GET / HTTP/ ", "400!"),
        case("HTTP/2.0", "GET / HTTP/2.0", "505!"),
        case("HTTP/0.9 spelled out", "GET / HTTP/0.9", "505!"),
        case("HTTP/3.1", "GET / HTTP/3.1", "505!"),
        case("HTTP/2 without a minor", "GET / HTTP/2\r", "400!"),
        case("the preface of HTTP/2", "PRI * HTTP/2.0", "505!"),
        case("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", GET),
        case("HTTP/1.9", "GET / HTTP/1.9\r\nHost: a\r\n\r\n", GET),
        case(
            "HTTP/1.9 needs a Host too",
            "GET / HTTP/1.9\r\n\r\n",
            "400!",
        ),
        case("HTTP/1.0", old(""), "get 1.0 close"),
        case("bare LF after request-line", "GET / HTTP/1.1\n", "400!"),
        case("bare CR after request-line", "GET / HTTP/1.1\rH", "400!"),
        case("two CR after request-line", "GET / HTTP/1.1\r\r", "400!"),
        case("an empty line before", format!("\r\n{}", get("")), GET),
        case(
            "four empty lines before",
            format!("{}{}", "\r\n".repeat(4), get("")),
            GET,
        ),
        case(
            "five empty lines before",
            format!("{}\r", "\r\n".repeat(4)),
            "400",
        ),
        case("empty lines only", "\r\n\r\n", ""),
        case("half an empty line", "\r", "in head"),
        case("bare CR before", "\rG", "400!"),
        case("bare LF before", "\n", "400!"),
        case("space before", " GET", "400"),
        case("byte order mark before", "\u{feff}GET", "400"),
        case("TLS hello", b"\x16\x03\x01\x02\x00", "400"),
        case("half a method", "GE", "in head"),
        case("half a target", "GET /ab", "in head"),
        case("half a version", "GET / HTTP", "in head"),
        case(
            "all but the last LF",
            "GET / HTTP/1.1\r\nHost: a\r\n\r",
            "in head",
        ),
    ]
}

fn targets() -> Vec<Case> {
    vec![
        case("path and query", target("/a/b;c=d?e=f&g=%20+*"), GET),
        case(
            "what browsers leave unescaped",
            target(r"/[a]?b={c}|\^`"),
            GET,
        ),
        case("a percent that encodes nothing", target("/%zz%"), GET),
        case("two slashes", target("//a//b"), GET),
        case("dots", target("/../../etc/passwd"), GET),
        case("absolute-form", target("http://a/b?c"), GET),
        case("absolute-form without a path", target("http://a"), GET),
        case("absolute-form with a query only", target("http://a?b"), GET),
        case(
            "absolute-form with a port",
            target("HTTP://a.example:8080/"),
            GET,
        ),
        case(
            "absolute-form with an empty port",
            target("http://a:/"),
            GET,
        ),
        case("absolute-form with IPv6", target("http://[::1]:80/"), GET),
        case(
            "absolute-form of another scheme",
            target("coap+tcp://a/"),
            GET,
        ),
        case(
            "absolute-form does not replace Host",
            "GET http://a/ HTTP/1.1\r\n\r\n",
            "400!",
        ),
        case("absolute-form without a host", "GET http:///", "400!"),
        case(
            "absolute-form, nothing after the slashes",
            "GET http:// ",
            "400!",
        ),
        case("absolute-form, only a port", "GET http://:", "400!"),
        case("absolute-form, one slash", "GET http:/a", "400!"),
        case("absolute-form, no slash", "GET mailto:a", "400!"),
        case("absolute-form with userinfo", "GET http://u@", "400!"),
        case("absolute-form with a fragment", "GET http://a#", "400!"),
        case(
            "absolute-form with a bad address",
            "GET http://[::1::",
            "400",
        ),
        case(
            "absolute-form with a letter in its port",
            "GET http://a:8x",
            "400!",
        ),
        case("a name only", "GET example.com ", "400!"),
        case("a relative path", "GET ?", "400!"),
        case("a backslash first", "GET \\", "400!"),
        case(
            "asterisk by OPTIONS",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            "options 1.1 keep",
        ),
        case("asterisk by GET", "GET * HTTP/1.1", "400!"),
        case("asterisk by GET, the whole head", target("*"), "400"),
        case("asterisk and more", "OPTIONS *x", "400!"),
        case(
            "authority-form by CONNECT",
            "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
            "connect 1.1 close",
        ),
        case(
            "IPv6 by CONNECT",
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: a\r\n\r\n",
            "connect 1.1 close",
        ),
        case(
            "port 65535 by CONNECT",
            "CONNECT a:65535 HTTP/1.1\r\nHost: a\r\n\r\n",
            "connect 1.1 close",
        ),
        case("port 65536 by CONNECT", "CONNECT a:65536 ", "400!"),
        case("port 0 by CONNECT", "CONNECT a:0 ", "400!"),
        case("port 2^32+1 by CONNECT", "CONNECT a:4294967297 ", "400!"),
        case("no port by CONNECT", "CONNECT a ", "400!"),
        case("an empty port by CONNECT", "CONNECT a: ", "400!"),
        case("no host by CONNECT", "CONNECT :", "400!"),
        case("a path by CONNECT", "CONNECT /", "400!"),
        case("authority and path by CONNECT", "CONNECT a:1/", "400!"),
        case("authority-form by GET", "GET a:443 ", "400"),
        case("a fragment", "GET /a#", "400!"),
        case("a quote in the target", "GET /\"", "400!"),
        case("angle brackets in the target", "GET /<", "400!"),
        case("obs-text in the target", b"GET /\xc3\xa4", "400"),
        case("DEL in the target", "GET /\x7f", "400!"),
        case("NUL in the target", "GET /\0", "400!"),
        case("LF in the target", "GET /\n", "400!"),
    ]
}

fn hosts() -> Vec<Case> {
    vec![
        case("no Host", "GET / HTTP/1.1\r\n\r\n", "400!"),
        case(
            "no Host, another field",
            "GET / HTTP/1.1\r\nHostage: a\r\n\r\n",
            "400!",
        ),
        case("empty Host", host(""), GET),
        case("blank Host", host(" \t "), GET),
        case("Host with a port", host(" localhost:8080"), GET),
        case("Host with an empty port", host(" a:"), GET),
        case("Host with IPv4", host("127.0.0.1:80"), GET),
        case("Host with IPv6", host(" [2001:db8::1]:80"), GET),
        case("Host with IPv6 without a port", host(" [::1]"), GET),
        case("Host with an underscore", host(" a_b"), GET),
        case("Host percent-encoded", host(" a%C3%a4%20"), GET),
        case("Host between blanks", host("\t a \t"), GET),
        case("Host in capitals", "GET / HTTP/1.1\r\nHOST: A\r\n\r\n", GET),
        case("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost:", "400!"),
        case(
            "two Hosts in another case",
            "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOSt:",
            "400!",
        ),
        case(
            "two Hosts by HTTP/1.0",
            "GET / HTTP/1.0\r\nHost: a\r\nHost:",
            "400!",
        ),
        case("bad Host by HTTP/1.0", "GET / HTTP/1.0\r\nHost: a/", "400!"),
        case("good Host by HTTP/1.0", old("Host: a\r\n"), "get 1.0 close"),
        case("Host list", "GET / HTTP/1.1\r\nHost: a, b", "400"),
        case("Host with a space", "GET / HTTP/1.1\r\nHost: a b", "400!"),
        case("Host with a path", "GET / HTTP/1.1\r\nHost: a/", "400!"),
        case("Host with userinfo", "GET / HTTP/1.1\r\nHost: u@", "400!"),
        case(
            "Host with a scheme",
            "GET / HTTP/1.1\r\nHost: http:/",
            "400!",
        ),
        case(
            "Host with a letter in its port",
            "GET / HTTP/1.1\r\nHost: a:8x",
            "400!",
        ),
        case(
            "Host with two ports",
            "GET / HTTP/1.1\r\nHost: a:80:",
            "400!",
        ),
        case("Host with a port only", "GET / HTTP/1.1\r\nHost: :", "400!"),
        case(
            "Host with half a percent-encoding",
            "GET / HTTP/1.1\r\nHost: a%4\r",
            "400!",
        ),
        case(
            "Host with a bad percent-encoding",
            "GET / HTTP/1.1\r\nHost: a%g",
            "400!",
        ),
        case(
            "Host with an unclosed address",
            "GET / HTTP/1.1\r\nHost: [::1\r",
            "400!",
        ),
        case(
            "Host with an empty address",
            "GET / HTTP/1.1\r\nHost: []",
            "400!",
        ),
        case(
            "Host with a name after an address",
            "GET / HTTP/1.1\r\nHost: [::1]a",
            "400!",
        ),
        case(
            "Host with nine groups",
            "GET / HTTP/1.1\r\nHost: [1:2:3:4:5:6:7:8:",
            "400!",
        ),
        case(
            "Host with five octets",
            "GET / HTTP/1.1\r\nHost: [::1.2.3.4.",
            "400!",
        ),
        case(
            "Host with obs-text",
            b"GET / HTTP/1.1\r\nHost: \xe9",
            "400!",
        ),
        case("Host with NUL", "GET / HTTP/1.1\r\nHost: a\0", "400!"),
        case("Host with a bare LF", "GET / HTTP/1.1\r\nHost: a\n", "400!"),
    ]
}

fn fields() -> Vec<Case> {
    vec![
        case("a field", get("X: y\r\n"), GET),
        case("an empty value", get("X:\r\n"), GET),
        case("a blank value", get("X: \t \r\n"), GET),
        case("no blank before a value", get("X:y\r\n"), GET),
        case("blanks around a value", get("X: \t y z\t \r\n"), GET),
        case("colons in a value", get("X: a:b::c\r\n"), GET),
        case(
            "every token byte in a name",
            get("!#$%&'*+-.^_`|~09azAZ: y\r\n"),
            GET,
        ),
        case(
            "obs-text in a value",
            [
                get("X: ").as_bytes().strip_suffix(b"\r\n").unwrap(),
                b"\x80\xff\xc3\xa4\r\n\r\n",
            ]
            .concat(),
            GET,
        ),
        case("the same field again", get("X: y\r\nX: z\r\n"), GET),
        case("space before the colon", "GET / HTTP/1.1\r\nHost :", "400"),
        case("tab before the colon", "GET / HTTP/1.1\r\nX\t", "400!"),
        case("no colon", "GET / HTTP/1.1\r\nHost\r", "400!"),
        case("no name", "GET / HTTP/1.1\r\n:", "400!"),
        case("space first", "GET / HTTP/1.1\r\n ", "400!"),
        case("obs-fold", "GET / HTTP/1.1\r\nHost: a\r\n ", "400!"),
        case(
            "obs-fold with a tab",
            "GET / HTTP/1.1\r\nX: a\r\n\t",
            "400!",
        ),
        case("obs-text in a name", b"GET / HTTP/1.1\r\nX\xe4", "400!"),
        case("brackets in a name", "GET / HTTP/1.1\r\nX(", "400!"),
        case("NUL in a name", "GET / HTTP/1.1\r\nX\0", "400!"),
        case("NUL in a value", "GET / HTTP/1.1\r\nX: a\0", "400!"),
        case("DEL in a value", "GET / HTTP/1.1\r\nX: a\x7f", "400!"),
        case("ESC in a value", "GET / HTTP/1.1\r\nX: \x1b", "400!"),
        case(
            "vertical tab before a value",
            "GET / HTTP/1.1\r\nX:\x0b",
            "400!",
        ),
        case(
            "NUL in Connection",
            "GET / HTTP/1.1\r\nConnection: a\0",
            "400!",
        ),
        case("bare CR in a value", "GET / HTTP/1.1\r\nX: a\rb", "400!"),
        case(
            "bare CR at the end of a value",
            "GET / HTTP/1.1\r\nX: a\r\r",
            "400!",
        ),
        case("bare LF in a value", "GET / HTTP/1.1\r\nX: a\n", "400!"),
        case(
            "bare LF ends the head",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "400!",
        ),
        case(
            "bare CR ends the head",
            "GET / HTTP/1.1\r\nHost: a\r\n\rG",
            "400!",
        ),
        case("half a name", "GET / HTTP/1.1\r\nHos", "in head"),
        case("half a value", "GET / HTTP/1.1\r\nX: a", "in head"),
    ]
}

fn lengths() -> Vec<Case> {
    vec![
        case("a body", get("Content-Length: 5\r\n") + "12345", GET_BODY),
        case("a body of none", get("Content-Length: 0\r\n"), GET_BODY),
        case(
            "leading zeros",
            get("Content-Length: 0005\r\n") + "12345",
            GET_BODY,
        ),
        case(
            "blanks around a length",
            get("content-length:\t 5 \t\r\n") + "12345",
            GET_BODY,
        ),
        case(
            "a body that looks like a request",
            get("Content-Length: 27\r\n") + &get(""),
            "get 1.1 keep +body",
        ),
        case(
            "a body, then a request",
            get("Content-Length: 5\r\n") + "GET /" + &get(""),
            "get 1.1 keep +body, get 1.1 keep",
        ),
        case(
            "a body not all there",
            get("Content-Length: 5\r\n") + "1234",
            "in body",
        ),
        case(
            "a body of any bytes",
            [get("Content-Length: 4\r\n").as_bytes(), b"\0\r\n\xff"].concat(),
            GET_BODY,
        ),
        case(
            "the same length in a list",
            get("Content-Length: 5, 5 ,5\r\n") + "12345",
            GET_BODY,
        ),
        case(
            "the same length in two fields",
            get("Content-Length: 5\r\nContent-Length: 05\r\n") + "12345",
            GET_BODY,
        ),
        case(
            "differing lengths in a list",
            "GET / HTTP/1.1\r\nContent-Length: 5, 6\r",
            "400!",
        ),
        case(
            "differing lengths in two fields",
            "GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 0\r",
            "400!",
        ),
        case(
            "an empty length",
            "GET / HTTP/1.1\r\nContent-Length:\r",
            "400!",
        ),
        case(
            "a blank length",
            "GET / HTTP/1.1\r\nContent-Length: \r",
            "400!",
        ),
        case(
            "an empty element before",
            "GET / HTTP/1.1\r\nContent-Length: ,",
            "400!",
        ),
        case(
            "an empty element between",
            "GET / HTTP/1.1\r\nContent-Length: 5,,",
            "400!",
        ),
        case(
            "an empty element after",
            "GET / HTTP/1.1\r\nContent-Length: 5,\r",
            "400!",
        ),
        case(
            "two numbers without a comma",
            "GET / HTTP/1.1\r\nContent-Length: 5 5",
            "400!",
        ),
        case("a plus", "GET / HTTP/1.1\r\nContent-Length: +", "400!"),
        case("a minus", "GET / HTTP/1.1\r\nContent-Length: -", "400!"),
        case(
            "hexadecimal",
            "GET / HTTP/1.1\r\nContent-Length: 0x",
            "400!",
        ),
        case("a point", "GET / HTTP/1.1\r\nContent-Length: 5.", "400!"),
        case(
            "an exponent",
            "GET / HTTP/1.1\r\nContent-Length: 1e",
            "400!",
        ),
        case(
            "a separator",
            "GET / HTTP/1.1\r\nContent-Length: 1_",
            "400!",
        ),
        case(
            "a quoted length",
            "GET / HTTP/1.1\r\nContent-Length: \"",
            "400!",
        ),
        case(
            "a length in Arabic digits",
            "GET / HTTP/1.1\r\nContent-Length: ٥",
            "400",
        ),
        case(
            "a bare LF after a length",
            "GET / HTTP/1.1\r\nContent-Length: 5\n",
            "400!",
        ),
        case(
            "NUL after a length",
            "GET / HTTP/1.1\r\nContent-Length: 5\0",
            "400!",
        ),
        case(
            "vertical tab before a length",
            "GET / HTTP/1.1\r\nContent-Length: \x0b",
            "400!",
        ),
        case(
            "2^63",
            "GET / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n",
            "413",
        ),
        case(
            "2^64",
            "GET / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n",
            "413",
        ),
        case(
            "2^64 + 5",
            "GET / HTTP/1.1\r\nContent-Length: 18446744073709551621\r\n",
            "413",
        ),
        case(
            "a name like it",
            get("Content-Lengths: x\r\nContent_Length: y\r\nContent-Lengt: z\r\n"),
            GET,
        ),
        case(
            "space before its colon",
            "GET / HTTP/1.1\r\nContent-Length :",
            "400",
        ),
        case(
            "post with a body",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
            POST_BODY,
        ),
        case(
            "head with a body",
            "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
            "head 1.1 keep +body",
        ),
        case(
            "connect with a body",
            "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
            "connect 1.1 close +body",
        ),
        case(
            "a body by HTTP/1.0",
            old("Content-Length: 2\r\n") + "ab",
            "get 1.0 close +body",
        ),
        case(
            "no Host, with a body",
            "GET / HTTP/1.1\r\nContent-Length: 2\r\n\r\n",
            "400!",
        ),
    ]
}

fn codings() -> Vec<Case> {
    vec![
        case(
            "chunked",
            get("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
            GET_BODY,
        ),
        case(
            "chunked in capitals",
            get("TRANSFER-ENCODING: CHUNKED\r\n") + "0\r\n\r\n",
            GET_BODY,
        ),
        case(
            "blanks around chunked",
            get("Transfer-Encoding:\t chunked \t\r\n") + "0\r\n\r\n",
            GET_BODY,
        ),
        case(
            "empty elements around chunked",
            get("Transfer-Encoding: , chunked ,,\r\n") + "0\r\n\r\n",
            GET_BODY,
        ),
        case(
            "chunked with a length before",
            "GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding:",
            "400!",
        ),
        case(
            "chunked with a length after",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length:",
            "400!",
        ),
        case(
            "chunked by HTTP/1.0",
            "GET / HTTP/1.0\r\nTransfer-Encoding:",
            "400!",
        ),
        case(
            "no coding",
            "GET / HTTP/1.1\r\nTransfer-Encoding:\r",
            "400!",
        ),
        case(
            "blank coding",
            "GET / HTTP/1.1\r\nTransfer-Encoding: \t\r",
            "400!",
        ),
        case(
            "only empty elements",
            "GET / HTTP/1.1\r\nTransfer-Encoding: ,,\r",
            "400!",
        ),
        case(
            "chunked twice in a list",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r",
            "400!",
        ),
        case(
            "chunked twice in two fields",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r",
            "400!",
        ),
        case(
            "chunked not last",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r",
            "400!",
        ),
        case(
            "chunked, then identity in another field",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r",
            "400!",
        ),
        case(
            "gzip",
            "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r",
            "501!",
        ),
        case(
            "gzip before chunked",
            "GET / HTTP/1.1\r\nTransfer-Encoding: gzip,",
            "501!",
        ),
        case(
            "identity",
            "GET / HTTP/1.1\r\nTransfer-Encoding: identity\r",
            "501!",
        ),
        case(
            "a name with chunked in it",
            "GET / HTTP/1.1\r\nTransfer-Encoding: xchunked\r",
            "501!",
        ),
        case(
            "a name that begins with chunked",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunkedx\r",
            "501!",
        ),
        case(
            "half of chunked",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunk\r",
            "501!",
        ),
        case(
            "a coding with a parameter",
            "GET / HTTP/1.1\r\nTransfer-Encoding: gzip;",
            "501!",
        ),
        case(
            "chunked with a parameter",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked;",
            "400!",
        ),
        case(
            "chunked with a parameter after a blank",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked ;",
            "400!",
        ),
        case(
            "quoted chunked",
            "GET / HTTP/1.1\r\nTransfer-Encoding: \"",
            "400!",
        ),
        case(
            "two codings without a comma",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked x",
            "400!",
        ),
        case(
            "vertical tab before chunked",
            "GET / HTTP/1.1\r\nTransfer-Encoding: \x0b",
            "400!",
        ),
        case(
            "NUL after chunked",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\0",
            "400!",
        ),
        case(
            "bare LF after chunked",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\n",
            "400!",
        ),
        case(
            "obs-fold before chunked",
            "GET / HTTP/1.1\r\nTransfer-Encoding:\r\n chunked",
            "400",
        ),
        case(
            "space before its colon, chunked",
            "GET / HTTP/1.1\r\nTransfer-Encoding :",
            "400",
        ),
        case(
            "a name like it, coded",
            get("Transfer_Encoding: chunked\r\nTransfer-Encodin: chunked\r\n"),
            GET,
        ),
    ]
}

fn chunks() -> Vec<Case> {
    vec![
        case("one chunk", chunked("5\r\n12345\r\n0\r\n\r\n"), POST_BODY),
        case(
            "chunks",
            chunked("1\r\na\r\nA\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n"),
            POST_BODY,
        ),
        case(
            "zeros before sizes",
            chunked("0005\r\n12345\r\n000\r\n\r\n"),
            POST_BODY,
        ),
        case(
            "a chunk that looks like a request",
            chunked("1b\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n"),
            POST_BODY,
        ),
        case(
            "a chunk that looks like the last",
            chunked("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"),
            POST_BODY,
        ),
        case("extensions", chunked("1;a;b=c;d=\"e;\\\"\r\t\"\r\n"), "400"),
        case(
            "extensions of every kind",
            chunked("1;a;b=c;d=\"e;\\\" f\t\"\r\nx\r\n0 ;\t g = h ; i\r\n\r\n"),
            POST_BODY,
        ),
        case(
            "a blank after an extension's value",
            chunked("1;a=b ;c\r\nx\r\n0\r\n\r\n"),
            POST_BODY,
        ),
        case(
            "chunks, then a request",
            chunked("1\r\na\r\n0\r\n\r\n") + &get(""),
            "known 1.1 keep +body, get 1.1 keep",
        ),
        case("no last chunk", chunked("1\r\na\r\n"), "in body"),
        case("no end after the last chunk", chunked("0\r\n"), "in body"),
        case("half a size", chunked("1"), "in body"),
        case("half the data", chunked("5\r\n12"), "in body"),
        case("no size", chunked("\r"), "400!"),
        case("an extension without a size", chunked(";"), "400!"),
        case("a size with a sign", chunked("+"), "400!"),
        case("a negative size", chunked("-"), "400!"),
        case("a size with a prefix", chunked("0x"), "400!"),
        case("a size that is no number", chunked("g"), "400!"),
        case("a size with a separator", chunked("1_"), "400!"),
        case("a blank before a size", chunked(" "), "400!"),
        case("a blank after a size", chunked("5 \r"), "400!"),
        case("a bare LF after a size", chunked("5\n"), "400!"),
        case("a bare CR after a size", chunked("5\rx"), "400!"),
        case("a comma after a size", chunked("5,"), "400!"),
        case("data too long", chunked("1\r\nab"), "400!"),
        case("data too short", chunked("3\r\nab\r\n0"), "400"),
        case("a bare LF after data", chunked("1\r\na\n"), "400!"),
        case("a bare CR after data", chunked("1\r\na\r0"), "400!"),
        case("an extension without a name", chunked("1;\r"), "400!"),
        case("an extension without a value", chunked("1;a=\r"), "400!"),
        case(
            "an extension with an open quote",
            chunked("1;a=\"b\r"),
            "400!",
        ),
        case("an extension with a bare LF", chunked("1;a\n"), "400!"),
        case("an extension with a quoted LF", chunked("1;a=\"\n"), "400!"),
        case(
            "an extension with an escaped LF",
            chunked("1;a=\"\\\n"),
            "400!",
        ),
        case("an extension with NUL", chunked("1;a\0"), "400!"),
        case(
            "an extension with something after a quote",
            chunked("1;a=\"b\"c"),
            "400!",
        ),
        case(
            "a size of 2^64 + 1",
            chunked("10000000000000001\r\n"),
            "413",
        ),
        case("a size of 2^64 - 1", chunked("ffffffffffffffff\r\n"), "413"),
        case(
            "sizes that add up to 2^64",
            chunked("1\r\na\r\nffffffffffffffff\r\n"),
            "413",
        ),
    ]
}

fn trailers() -> Vec<Case> {
    vec![
        case("a trailer field", chunked("0\r\nX: y\r\n\r\n"), POST_BODY),
        case(
            "trailer fields that would change the framing",
            chunked("0\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\nHost: b\r\n\r\n"),
            POST_BODY,
        ),
        case(
            "trailer fields, then a request",
            chunked("0\r\nConnection: close\r\n\r\n") + &get(""),
            "known 1.1 keep +body, get 1.1 keep",
        ),
        case(
            "a space before a trailer's colon",
            chunked("0\r\nX :"),
            "400",
        ),
        case("obs-fold in a trailer", chunked("0\r\nX: y\r\n "), "400!"),
        case(
            "a trailer without a colon",
            chunked("0\r\nGET / HTTP/1.1\r\n"),
            "400",
        ),
        case("a bare LF in a trailer", chunked("0\r\nX: y\n"), "400!"),
        case("a bare LF ends the trailers", chunked("0\r\n\n"), "400!"),
        case("NUL in a trailer", chunked("0\r\nX: \0"), "400!"),
        case("half a trailer", chunked("0\r\nX: y"), "in body"),
    ]
}

fn persistence() -> Vec<Case> {
    vec![
        case("close", get("Connection: close\r\n"), "get 1.1 close"),
        case(
            "close in capitals",
            get("CONNECTION: CLOSE\r\n"),
            "get 1.1 close",
        ),
        case(
            "close in a list",
            get("Connection: a, ,close\t, b\r\n"),
            "get 1.1 close",
        ),
        case(
            "close in a second field",
            get("Connection: a\r\nConnection: close\r\n"),
            "get 1.1 close",
        ),
        case(
            "close without a blank",
            get("Connection:close\r\n"),
            "get 1.1 close",
        ),
        case("keep-alive", get("Connection: keep-alive\r\n"), GET),
        case(
            "close wins over keep-alive",
            get("Connection: keep-alive, close\r\n"),
            "get 1.1 close",
        ),
        case(
            "close wins before keep-alive",
            get("Connection: close\r\nConnection: keep-alive\r\n"),
            "get 1.1 close",
        ),
        case(
            "options like close",
            get("Connection: closed, xclose, clos, clo se, close x, close=1, \"close\"\r\n"),
            GET,
        ),
        case("an empty Connection", get("Connection:\r\n"), GET),
        case(
            "upgrade",
            get("Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            GET,
        ),
        case(
            "keep-alive by HTTP/1.0",
            old("Connection: Keep-Alive\r\n"),
            "get 1.0 echo",
        ),
        case(
            "keep-alive in a list by HTTP/1.0",
            old("Connection: a, keep-alive \r\n"),
            "get 1.0 echo",
        ),
        case(
            "close and keep-alive by HTTP/1.0",
            old("Connection: close, keep-alive\r\n"),
            "get 1.0 close",
        ),
        case(
            "another option by HTTP/1.0",
            old("Connection: keep\r\n"),
            "get 1.0 close",
        ),
        case(
            "Proxy-Connection is nothing",
            old("Proxy-Connection: keep-alive\r\n"),
            "get 1.0 close",
        ),
        case(
            "connect is never kept",
            "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
            "connect 1.1 close",
        ),
    ]
}

fn expectations() -> Vec<Case> {
    const EXPECT: &str = "Expect: 100-continue\r\n";
    vec![
        case(
            "a body expected",
            get("Expect: 100-Continue\r\nContent-Length: 2\r\n") + "ab",
            "100, get 1.1 keep +body",
        ),
        case(
            "a body expected, not yet sent",
            get("Content-Length: 2\r\nExpect: 100-continue\r\n"),
            "100, in body",
        ),
        case(
            "chunks expected",
            chunked("").replace("\r\n\r\n", "\r\nExpect: x, 100-continue\r\n\r\n") + "0\r\n\r\n",
            "100, known 1.1 keep +body",
        ),
        case("expected, and no body", get(EXPECT), GET),
        case(
            "expected, and an empty body",
            get("Expect: 100-continue\r\nContent-Length: 0\r\n"),
            GET_BODY,
        ),
        case(
            "expected by HTTP/1.0",
            old("Expect: 100-continue\r\nContent-Length: 2\r\n") + "ab",
            "get 1.0 close +body",
        ),
        case(
            "expected with a body too large",
            get("Expect: 100-continue\r\nContent-Length: 9999999\r\n"),
            "413",
        ),
        case(
            "expected without a Host",
            "GET / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
            "400!",
        ),
        case(
            "something else expected",
            get("Expect: 200-ok\r\nContent-Length: 2\r\n") + "ab",
            GET_BODY,
        ),
        case(
            "nothing expected",
            get("Expect:\r\nContent-Length: 2\r\n") + "ab",
            GET_BODY,
        ),
        case(
            "more than 100-continue expected",
            get("Expect: 100-continue;a=b, 100-continues\r\nContent-Length: 2\r\n") + "ab",
            GET_BODY,
        ),
    ]
}

fn limits() -> Vec<Case> {
    let line = "GET / HTTP/1.1\r\nHost: a\r\n";
    let head = |bytes: usize| {
        let padding = "v".repeat(bytes - line.len() - "X: \r\n\r\n".len());
        format!("{line}X: {padding}\r\n\r\n")
    };
    let body = |bytes: usize| get(&format!("Content-Length: {bytes}\r\n")) + &"b".repeat(bytes);
    let chunk_line = |bytes: usize| format!("1;{}\r\n", "e".repeat(bytes - 4));
    let trailer = |bytes: usize| format!("0\r\nX:{}\r\n\r\n", "t".repeat(bytes - 6));
    // One byte each: the framing allowed beyond the body is used up well before they end.
    let dear = format!("{}x\r\n", chunk_line(200)).repeat(90);
    vec![
        case(
            "target of 8192",
            target(&format!("/{}", "t".repeat(8191))),
            GET,
        ),
        case(
            "target of 8193",
            target(&format!("/{}", "t".repeat(8192))),
            "414",
        ),
        case(
            "target without an end",
            format!("GET /{}", "t".repeat(8193)),
            "414!",
        ),
        case(
            "absolute-form without an end",
            format!("GET http://{}", "t".repeat(8187)),
            "414!",
        ),
        case(
            "scheme without an end",
            format!("GET {}", "t".repeat(8194)),
            "414!",
        ),
        case("head of 16384", head(16384), GET),
        case("head of 16385", head(16385), "431!"),
        case(
            "value without an end",
            format!("{line}X: {}", "v".repeat(16 * 1024)),
            "431",
        ),
        case(
            "name without an end",
            format!("{line}{}", "n".repeat(16 * 1024)),
            "431",
        ),
        case("100 fields", get(&"X: y\r\n".repeat(99)), GET),
        case(
            "101 fields",
            format!("{line}{}X", "X: y\r\n".repeat(99)),
            "431!",
        ),
        case(
            "length of 1 MiB + 1",
            "GET / HTTP/1.1\r\nContent-Length: 1048577",
            "413!",
        ),
        case("chunk of 1 MiB + 1", chunked("100001"), "413!"),
        case(
            "chunks of 1 MiB + 1 in all",
            chunked(&format!("1\r\na\r\n1\r\na\r\n{}", "fffff")),
            "413!",
        ),
        case("body of 4000", body(4000), GET_BODY),
        case(
            "chunk line of 256",
            chunked(&chunk_line(256)) + "x\r\n0\r\n\r\n",
            POST_BODY,
        ),
        case("chunk line of 257", chunked(&chunk_line(257)), "400!"),
        case("zeros without an end", chunked(&"0".repeat(257)), "400!"),
        case("framing that outweighs the body", chunked(&dear), "400"),
        case("trailers of 16384", chunked(&trailer(16384)), POST_BODY),
        case("trailers of 16385", chunked(&trailer(16385)), "431!"),
        case(
            "100 trailer fields",
            chunked(&format!("0\r\n{}\r\n", "X: y\r\n".repeat(100))),
            POST_BODY,
        ),
        case(
            "101 trailer fields",
            chunked(&format!("0\r\n{}X", "X: y\r\n".repeat(100))),
            "431!",
        ),
    ]
}

fn pipelines() -> Vec<Case> {
    vec![
        case(
            "two requests",
            get("").repeat(2),
            "get 1.1 keep, get 1.1 keep",
        ),
        case(
            "an empty line between",
            format!("{0}\r\n{0}", get("")),
            "get 1.1 keep, get 1.1 keep",
        ),
        case(
            "empty lines are counted anew",
            format!("{0}{1}{0}{1}", "\r\n".repeat(4), get("")),
            "get 1.1 keep, get 1.1 keep",
        ),
        case(
            "nothing is remembered of the request before",
            old("Connection: keep-alive\r\n") + &old(""),
            "get 1.0 echo, get 1.0 close",
        ),
        case(
            "nor its Host",
            get("") + "GET / HTTP/1.1\r\n\r\n",
            "get 1.1 keep, 400!",
        ),
        case(
            "nor its length",
            get("Content-Length: 1\r\n") + "a" + &get("Content-Length: 2\r\n") + "bc",
            "get 1.1 keep +body, get 1.1 keep +body",
        ),
        case(
            "nor its fields",
            get(&"X: y\r\n".repeat(99)) + &get(&"X: y\r\n".repeat(99)),
            "get 1.1 keep, get 1.1 keep",
        ),
        case(
            "nothing follows a refusal",
            format!("GET / HTTP/1.1\r\n\r\n{}", get("")),
            "400",
        ),
        case(
            "nothing follows a refused body",
            chunked("x") + &get(""),
            "400",
        ),
        case(
            "a request, then half of one",
            get("") + "GET / HT",
            "get 1.1 keep, in head",
        ),
    ]
}
