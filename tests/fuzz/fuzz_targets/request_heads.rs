//! Heads made of likely lines, then broken at one byte: read whole, where the fast pass takes what
//! it can, they give the steps that they give byte by byte, where it never does.
//!
//! The input is where to break, by which byte, where to cut, and then a line for each byte.

#![no_main]

use bareloop::http::request::{Limits, Position, RequestParser, Step};
use libfuzzer_sys::fuzz_target;

const LINES: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n",
    "GET /articles/17?page=2&x=%20 HTTP/1.1\r\nHost: example.org:8080\r\n",
    "HEAD /\"<>#| HTTP/1.1\r\nHost: [::1]:80\r\n",
    "POST http://a/b HTTP/1.0\r\n",
    "OPTIONS * HTTP/1.1\r\nHOST:a\r\n",
    "CONNECT a:80 HTTP/1.2\r\nhost: a%20b\t\r\n",
    "GET /\u{e9} HTTP/2.0\r\n",
    "\r\n",
    "\r\n\r\n",
    "Host: b\r\n",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n",
    "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n",
    "Accept-Encoding: gzip, deflate\r\n",
    "Upgrade-Insecure-Requests: 1\r\n",
    "X_Odd.Name~1: \tvalue\twith tabs\t\r\n",
    "X:\r\n",
    "Cookie: a=b; c=\u{e9}\u{4e2d}; d=0123456789abcdef0123456789abcdef0123456789abcdef\r\n",
    "Connection: keep-alive\r\n",
    "Connection: x, close\r\n",
    "connection:keep-alive,,Upgrade\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 3, 3\r\n",
    "Content-Length: 300\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding: gzip, chunked\r\n",
    "Expect: 100-continue\r\n",
    "\r\nabc",
    "\r\n3;a=\"b\"\r\nabc\r\n0\r\nX: y\r\n\r\n",
];

fn steps<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> (Vec<Step>, Position) {
    let limits = Limits {
        target_bytes_max: 64,
        head_bytes_max: 512,
        fields_max: 8,
        body_bytes_max: 256,
    };
    let mut parser = RequestParser::new();
    let mut steps = Vec::new();
    for mut bytes in pieces {
        while !bytes.is_empty() {
            let (consumed, step) = parser.step(bytes, &limits);
            assert!(step.is_some() || consumed == bytes.len());
            bytes = &bytes[consumed..];
            steps.extend(step);
        }
    }
    (steps, parser.position())
}

fuzz_target!(|input: &[u8]| {
    let &[at, high, byte, cut, ref lines @ ..] = input else {
        return;
    };
    let mut stream: Vec<u8> = lines
        .iter()
        .flat_map(|&line| LINES[usize::from(line) % LINES.len()].bytes())
        .collect();
    if let Some(broken) = stream.get_mut(usize::from(high) << 8 | usize::from(at)) {
        *broken = byte;
    }
    let whole = steps(std::iter::once(&stream[..]));
    assert_eq!(whole, steps(stream.chunks(1)));
    assert_eq!(whole, steps(stream.chunks(usize::from(cut) + 2)));
});
