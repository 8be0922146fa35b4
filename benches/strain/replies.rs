//! Replies, cut out of the stream in which they arrive and checked: status, framing, and the body
//! of a 200.

use std::io::{self, Read};

use super::runner::Result;

/// What the bodies of the servers here are made of.
pub const BODY: &[u8] = b"Hello World!";

/// What has been received and not been taken.
pub struct Replies {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The last reply and its status: until the Date changes the next one has the same bytes, and
    /// to see that costs much less than to parse it.
    last: (Vec<u8>, u16),
}

impl Replies {
    pub fn with_room(bytes: usize) -> Replies {
        Replies {
            buffer: vec![0; bytes],
            start: 0,
            end: 0,
            last: (Vec::new(), 0),
        }
    }

    /// One read; 0 is the end of the stream.
    pub fn read(&mut self, stream: &mut impl Read) -> io::Result<usize> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        let bytes = stream.read(&mut self.buffer[self.end..])?;
        self.end += bytes;
        Ok(bytes)
    }

    /// Takes the next reply, if it is whole. Its status.
    pub fn next(&mut self) -> Result<Option<u16>> {
        let received = &self.buffer[self.start..self.end];
        let (last, status) = &self.last;
        if !last.is_empty() && received.starts_with(last) {
            self.start += last.len();
            return Ok(Some(*status));
        }
        let Some((bytes, status)) = first_reply(received)? else {
            return Ok(None);
        };
        self.last = (received[..bytes].to_vec(), status);
        self.start += bytes;
        Ok(Some(status))
    }

    /// Whether what has come ends with a reply.
    pub fn is_at_boundary(&self) -> bool {
        self.start == self.end
    }
}

/// Length and status of the reply that `received` starts with, if it is whole.
fn first_reply(received: &[u8]) -> Result<Option<(usize, u16)>> {
    let mut fields = [httparse::EMPTY_HEADER; 16];
    let mut response = httparse::Response::new(&mut fields);
    let wrong = |_| format!("not a reply: {:?}", shown(received));
    let httparse::Status::Complete(head) = response.parse(received).map_err(wrong)? else {
        return Ok(None);
    };
    let status = response.code.unwrap_or_default();
    let length = response
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"))
        .and_then(|field| std::str::from_utf8(field.value).ok()?.parse::<usize>().ok())
        .ok_or_else(|| format!("no length: {:?}", shown(received)))?;
    let Some(body) = received.get(head..head + length) else {
        return Ok(None);
    };
    if status == 200 && (body.is_empty() || body.chunks(BODY.len()).any(|part| part != BODY)) {
        return Err(format!("a wrong body: {:?}", shown(body)).into());
    }
    Ok(Some((head + length, status)))
}

fn shown(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(60)].escape_ascii().to_string()
}
