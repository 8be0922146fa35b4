//! The messages that are read.

use crate::support::traffic::browser_head;

/// A row of a table.
pub struct Message {
    pub name: &'static str,
    /// Messages of equal length, read in turn.
    pub variants: Vec<Vec<u8>>,
}

/// More than a branch predictor learns by heart, and all of them in the first-level cache.
const VARIANTS: usize = 64;

const PLAINTEXT: &str = "GET /plaintext HTTP/1.1\r\n\
    Host: server\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20130501 Firefox/30.0 AppleWebKit/600.00 \
    Chrome/30.0.0000.0 Trident/10.0 Safari/600.00\r\n\
    Cookie: uid=12345678901234567890; __utma=1.1234567890.1234567890.1234567890.1234567890.12; \
    wd=2560x1600\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Connection: keep-alive\r\n\r\n";

pub fn requests() -> Vec<Message> {
    let chunked = |chunk_bytes| chunked("POST / HTTP/1.1\r\nHost: a\r\n", chunk_bytes);
    vec![
        one("GET of 27 bytes", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        one("TechEmpower plaintext", PLAINTEXT),
        Message {
            name: "browser heads, all different",
            variants: (0..VARIANTS)
                .map(|number| browser_head("127.0.0.1:8080", number))
                .collect(),
        },
        one("16 KiB of cookies", cookies()),
        one("100 fields of 10 bytes", fields()),
        one("64 KiB in chunks of 16 bytes", chunked(16)),
        one("64 KiB in chunks of 4 KiB", chunked(4096)),
    ]
}

pub fn replies() -> Vec<Message> {
    let chunked = |chunk_bytes| chunked("HTTP/1.1 200 OK\r\n", chunk_bytes);
    let reply = |number: usize| {
        format!(
            "HTTP/1.1 200 OK\r\nServer: bareloop\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
             X-Request-Id: {number:016x}\r\nContent-Length: 12\r\n\r\nHello World!"
        )
    };
    vec![
        one(
            "48 bytes",
            "HTTP/1.1 200\r\nContent-Length: 12\r\n\r\nHello world!",
        ),
        Message {
            name: "replies, all different",
            variants: (0..VARIANTS)
                .map(|number| reply(number).into_bytes())
                .collect(),
        },
        one("64 KiB in chunks of 16 bytes", chunked(16)),
        one("64 KiB in chunks of 4 KiB", chunked(4096)),
    ]
}

fn one(name: &'static str, message: impl Into<Vec<u8>>) -> Message {
    Message {
        name,
        variants: vec![message.into()],
    }
}

/// Just under the limit on heads, in one field.
fn cookies() -> String {
    let pairs: Vec<String> = (0..600)
        .map(|number| format!("name-{number:03}=value-of-twenty-by-{number:04}"))
        .collect();
    let pairs = pairs.join("; ");
    let pairs = &pairs[..16 * 1024 - 64];
    format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {pairs}\r\n\r\n")
}

/// With Host as many as the limit on fields.
fn fields() -> String {
    let fields: String = (0..99)
        .map(|number| format!("X-{number:02}: yz\r\n"))
        .collect();
    format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

fn chunked(start: &str, chunk_bytes: usize) -> String {
    let chunk = format!("{chunk_bytes:x}\r\n{}\r\n", "x".repeat(chunk_bytes));
    let chunks = chunk.repeat(64 * 1024 / chunk_bytes);
    format!("{start}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
}
