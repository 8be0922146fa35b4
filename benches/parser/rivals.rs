//! The readers that stand beside each other.

use std::hint::black_box;

use bareloop::http::request::{Limits, RequestParser, Step};
use bareloop::http::response::{AnsweredMethod, ExpectedBody, ResponseReader};

use crate::Reader;

/// As `serve http` reads, with its default limits.
pub fn request() -> Reader {
    let limits = Limits::default();
    let mut parser = RequestParser::new();
    Box::new(move |bytes| {
        let (used, step) = parser.step(bytes, &limits);
        assert!(used == bytes.len() && matches!(step, Some(Step::Complete(_))));
        black_box(step);
    })
}

/// As `load` reads a reply that it has not learned. Bodies are compared with the first.
pub fn reply() -> Reader {
    let mut reader = ResponseReader::new();
    let mut expected = ExpectedBody::first();
    Box::new(move |bytes| {
        let step = reader.read(bytes, AnsweredMethod::Other, &mut expected);
        let step = step.expect("a reply");
        assert!(step.used == bytes.len() && step.reply.is_some());
        black_box(step);
    })
}

pub fn httparse_request() -> Reader {
    Box::new(|bytes| {
        let mut fields = [httparse::EMPTY_HEADER; 100];
        let mut request = httparse::Request::new(&mut fields);
        let status = request.parse(bytes).expect("a request");
        black_box(&request);
        pass_chunks(&bytes[status.unwrap()..]);
    })
}

pub fn httparse_reply() -> Reader {
    Box::new(|bytes| {
        let mut fields = [httparse::EMPTY_HEADER; 100];
        let mut response = httparse::Response::new(&mut fields);
        let status = response.parse(bytes).expect("a reply");
        black_box(&response);
        if bytes.ends_with(b"\r\n0\r\n\r\n") {
            pass_chunks(&bytes[status.unwrap()..]);
        }
    })
}

/// Passes over a chunked body, if there is one.
fn pass_chunks(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let size = httparse::parse_chunk_size(bytes).expect("a chunk's size");
        let (line_bytes, data_bytes) = size.unwrap();
        bytes = &bytes[line_bytes + data_bytes as usize + b"\r\n".len()..];
    }
}
