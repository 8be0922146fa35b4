//! Replies made of likely pieces, then broken at one byte: read whole, cut, byte by byte and beside
//! a learned reply, they give the same replies, or the same error.
//!
//! The input is where to break, by which byte, where to cut, and then a piece for each byte. Bytes
//! of 128 and more stand for themselves less 128.

#![no_main]

use bareloop::http::response::{
    AnsweredMethod, BadReply, ExpectedBody, LearnedReply, ReceivedReply, ResponseReader,
};
use libfuzzer_sys::fuzz_target;

const PIECES: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 200\r\n",
    "HTTP/1.2 404 Not Found\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.1 304 \u{e9}\r\n",
    "HTTP/1.1 999\r\n",
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    "X-Request-Id: 0123456789abcdef\r\n",
    "X-Request-Id: fedcba9876543210\r\n",
    "X: y\n",
    " folded\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Content-Length: 2\r\n",
    "Content-Length: 2, 2\r\n",
    "Content-Length: x\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip;a=\",\",\r\n",
    "\r\n",
    "\r\nok",
    "\r\n2\r\nok\r\n0\r\n\r\n",
    "\r\n2 ;a=\"b\"\r\nok\r\n0 \r\nX: y\r\n\r\n",
    "\n",
    "HTTP/1.1 200 OK\r\nDate: a\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nDate: b\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nDate: b\r\nContent-Length: 2\r\n\r\nko",
];

type Replies = (Vec<ReceivedReply>, Option<BadReply>);

/// Reads as `load` does, with or without a learned reply.
fn read<'b>(pieces: impl Iterator<Item = &'b [u8]>, mut learned: Option<LearnedReply>) -> Replies {
    let mut reader = ResponseReader::new();
    let mut expected = ExpectedBody::first();
    let mut replies = Vec::new();
    for mut bytes in pieces {
        while !bytes.is_empty() {
            let fresh = reader.at_boundary();
            if let Some(learned) = &mut learned
                && fresh
                && let Some((copies, reply)) = learned.copies(bytes)
            {
                assert!(copies > 0);
                replies.extend(std::iter::repeat_n(reply, copies));
                bytes = &bytes[copies * learned.len_bytes()..];
                continue;
            }
            let step = match reader.read(bytes, AnsweredMethod::Other, &mut expected) {
                Ok(step) => step,
                Err(why) => return (replies, Some(why)),
            };
            assert!(step.reply.is_some() || step.used == bytes.len());
            if let (Some(learned), Some(reply)) = (&mut learned, &step.reply) {
                learned.missed(fresh.then_some(&bytes[..step.used]), reply);
            }
            replies.extend(step.reply);
            bytes = &bytes[step.used..];
        }
    }
    (replies, None)
}

fuzz_target!(|input: &[u8]| {
    let &[at, high, byte, cut, ref pieces @ ..] = input else {
        return;
    };
    let mut stream: Vec<u8> = Vec::new();
    for &piece in pieces {
        match piece.checked_sub(128) {
            Some(literal) => stream.push(literal),
            None => stream.extend(PIECES[usize::from(piece) % PIECES.len()].bytes()),
        }
    }
    if let Some(broken) = stream.get_mut(usize::from(high) << 8 | usize::from(at)) {
        *broken = byte;
    }
    let bytewise = read(stream.chunks(1), None);
    for learned in [None, Some(LearnedReply::new())] {
        assert_eq!(
            bytewise,
            read(std::iter::once(&stream[..]), learned.clone())
        );
        assert_eq!(bytewise, read(stream.chunks(usize::from(cut) + 2), learned));
    }
});
