//! Replies, cut out of the stream in which they arrive (RFC 9112 6).

use std::io::{self, ErrorKind, Read};
use std::ops::Range;

/// Presence of the body that a reply's head describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Sent,
    /// The reply answers HEAD.
    Omitted,
}

/// A whole reply, by its place in [`Received`].
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    /// Up to and including the empty line.
    pub head: Range<usize>,
    pub body: Range<usize>,
    /// It has the same bytes as the reply before it.
    pub is_repeat: bool,
}

/// Bytes that have been received, of which replies are taken from the front.
#[derive(Debug)]
pub struct Received {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The last reply that was parsed, and its bytes. Until the Date changes the next one has the
    /// same bytes, and comparing them costs much less than parsing them.
    last: Option<(Reply, Vec<u8>)>,
}

impl Received {
    /// Reads up to so many bytes at once, at first.
    pub fn with_room(bytes: usize) -> Received {
        Received {
            buffer: vec![0; bytes],
            start: 0,
            end: 0,
            last: None,
        }
    }

    /// Reads once. 0 is the end of the stream. Replies taken before have no place any more.
    pub fn read(&mut self, stream: &mut impl Read) -> io::Result<usize> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        loop {
            match stream.read(&mut self.buffer[self.end..]) {
                // A socket with a timeout can be interrupted, for example by a debugger.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(bytes) => {
                    self.end += bytes;
                    return Ok(bytes);
                }
            }
        }
    }

    /// Takes the next reply; `None` if it is not whole yet.
    ///
    /// # Errors
    /// The bytes are no reply, or are framed wrongly.
    pub fn next(&mut self, body: Body) -> Result<Option<Reply>, String> {
        let (start, received) = (self.start, self.untaken());
        let at = |reply: &Reply, is_repeat| Reply {
            status: reply.status,
            head: start + reply.head.start..start + reply.head.end,
            body: start + reply.body.start..start + reply.body.end,
            is_repeat,
        };
        if let (Some((reply, bytes)), Body::Sent) = (&self.last, body)
            && received.starts_with(bytes)
        {
            let taken = at(reply, true);
            self.start = taken.body.end;
            return Ok(Some(taken));
        }
        let Some(reply) = frame(received, body)? else {
            return Ok(None);
        };
        let taken = at(&reply, false);
        if body == Body::Sent {
            self.last = Some((reply.clone(), received[..reply.body.end].to_vec()));
        }
        self.start = taken.body.end;
        Ok(Some(taken))
    }

    /// The bytes at a place of a reply taken since the last read.
    pub fn at(&self, place: &Range<usize>) -> &[u8] {
        &self.buffer[place.clone()]
    }

    /// Bytes received and not yet taken.
    pub fn untaken(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Takes up to so many bytes from the front.
    pub fn take(&mut self, bytes: usize) -> Vec<u8> {
        let taken = self.untaken();
        let taken = taken[..bytes.min(taken.len())].to_vec();
        self.start += taken.len();
        taken
    }
}

/// The reply that `bytes` start with, if it is whole.
fn frame(bytes: &[u8], body: Body) -> Result<Option<Reply>, String> {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Response::new(&mut fields);
    let wrong = |why: &str| {
        let shown = bytes[..bytes.len().min(200)].escape_ascii();
        format!("{why}: {shown}")
    };
    let head_bytes = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(head_bytes)) => head_bytes,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(wrong(&error.to_string())),
    };
    let status = parsed.code.unwrap_or_default();
    let mut lengths = parsed
        .headers
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("content-length"))
        .map(|field| String::from_utf8_lossy(field.value).parse::<usize>());
    let body_bytes = match (status, body, lengths.next(), lengths.next()) {
        (100..=199, _, None, None) | (200.., Body::Omitted, Some(Ok(_)), None) => 0,
        (200.., Body::Sent, Some(Ok(length)), None) => length,
        _ => return Err(wrong("a reply framed wrongly")),
    };
    let end = head_bytes + body_bytes;
    Ok((bytes.len() >= end).then_some(Reply {
        status,
        head: 0..head_bytes,
        body: head_bytes..end,
        is_repeat: false,
    }))
}
