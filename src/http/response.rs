//! Reads a stream of responses, given to it in pieces of any size, and frames them (RFC 9112 6.3).
//!
//! [`ResponseReader`] is a state machine without a buffer: any split of a stream gives the same
//! replies. Bodies are never kept (but see [`ExpectedBody`]). No decompression, no redirects: a
//! reply is counted, not used.
//!
//! Where the standards leave a choice:
//!
//! - Nothing may stand before a status line, not even an empty line.
//! - A bare LF ends a line of a head too, obs-fold is read as a space (RFC 9112 2.2, 5.2), and
//!   blanks after the size of a chunk are allowed. Each is refused in requests.
//! - HTTP/1.x with x above 1 is read as 1.1 (RFC 9110 2.5).
//! - A reply that has no body ends at its head, whatever its length fields say.
//! - Content-Length beside Transfer-Encoding, and Transfer-Encoding in HTTP/1.0, are faults.

mod body;
mod head;
mod learned;
mod status_line;
#[cfg(test)]
mod tests;
mod whole_head;

pub use body::{BodyVerdict, ExpectedBody, KEPT_BYTES_MAX};
pub use learned::LearnedReply;

use super::message::field::FieldReader;
use super::message::within;
use body::BodyCheck;
use head::{BodyReader, CHUNK_RULES, ResponseHead, ResponseTrailers};
use status_line::StatusLineReader;

/// A longer head is a bad reply.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Method of the requests that are answered, as far as framing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredMethod {
    /// HEAD: the reply has no body, whatever its fields say.
    Head,
    /// Any other method.
    Other,
}

/// One complete final reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedReply {
    /// Any three digits but 1xx.
    pub status: u16,
    /// The connection ends after it: it says so, or it is HTTP/1.0 without keep-alive.
    pub closes: bool,
    /// Its end is found in its own bytes, not in the connection's end.
    pub delimits_itself: bool,
    /// Number of 1xx replies before it.
    pub interim: u32,
    /// The comparison of its body with the expected one.
    pub body: BodyVerdict,
}

/// Reason why bytes are not a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReply {
    /// Not `HTTP/1.x`, a space and three digits.
    #[error("malformed status line")]
    StatusLine,
    /// A line of the head is no field.
    #[error("malformed field")]
    Field,
    /// More than 128.
    #[error("more than 128 fields")]
    TooManyFields,
    /// More than [`HEAD_BYTES_MAX`].
    #[error("head longer than 64 KiB")]
    HeadTooLong,
    /// 101, although no request asked for an upgrade.
    #[error("101 Switching Protocols without having been asked")]
    Upgrade,
    /// Not digits, too large, or two that differ.
    #[error("invalid Content-Length")]
    ContentLength,
    /// RFC 9112 6.3 calls it an attempt at smuggling.
    #[error("Content-Length beside Transfer-Encoding")]
    TwoFramings,
    /// RFC 9112 6.1: framing is faulty.
    #[error("Transfer-Encoding in an HTTP/1.0 reply")]
    TransferEncodingIn10,
    /// A chunk's size, its end, or the trailer section.
    #[error("malformed chunked body")]
    Chunk,
    /// A reply said `Connection: close`, and was not the last.
    #[error("bytes after a reply that announced the connection's end")]
    AfterLast,
    /// More replies than requests.
    #[error("bytes that no request asked for")]
    Unasked,
}

/// The result of [`ResponseReader::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseStep {
    /// Bytes taken from the front.
    pub used: usize,
    /// The reply that these bytes complete; without one, all bytes were taken.
    pub reply: Option<ReceivedReply>,
}

/// The meaning of the peer's end to the reply under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// No reply was under way.
    Boundary,
    /// The end of the connection is the end of the body.
    Complete(ReceivedReply),
    /// A reply is cut off.
    CutOff,
}

/// The reply under way.
#[derive(Clone, Debug)]
enum Phase {
    StatusLine(StatusLineReader),
    Fields(FieldReader),
    Body(BodyReader),
}

/// Frames the replies of one connection.
#[derive(Clone, Debug)]
pub struct ResponseReader {
    phase: Phase,
    /// Facts of the current head that were read so far.
    head: ResponseHead,
    /// Bytes of the current head so far.
    head_bytes: usize,
    interim: u32,
    body: BodyCheck,
}

impl Default for ResponseReader {
    fn default() -> ResponseReader {
        ResponseReader::new()
    }
}

impl ResponseReader {
    /// A reader at a message boundary.
    pub fn new() -> ResponseReader {
        ResponseReader {
            phase: Phase::StatusLine(StatusLineReader::new()),
            head: ResponseHead::new(),
            head_bytes: 0,
            interim: 0,
            body: BodyCheck::default(),
        }
    }

    /// The next byte starts a reply.
    pub fn at_boundary(&self) -> bool {
        matches!(self.phase, Phase::StatusLine(_)) && self.head_bytes == 0 && self.interim == 0
    }

    /// Reads to the end of one reply at most.
    ///
    /// # Errors
    /// Reason why the bytes are no reply. The reader is of no use afterwards.
    pub fn read(
        &mut self,
        bytes: &[u8],
        method: AnsweredMethod,
        expected: &mut ExpectedBody,
    ) -> Result<ResponseStep, BadReply> {
        let mut input = bytes;
        let mut reply = None;
        loop {
            if let Phase::Body(body) = &mut self.phase {
                let check = &mut self.body;
                let sink = |piece: &[u8]| check.take(piece, expected);
                if body.advance(&mut input, sink)? {
                    reply = Some(self.complete(method, expected, Delimited::ByItself));
                }
                break;
            }
            if input.is_empty() {
                break;
            }
            if self.read_head(&mut input)? {
                self.enter(method)?;
            }
        }
        Ok(ResponseStep {
            used: bytes.len() - input.len(),
            reply,
        })
    }

    /// Takes the end of the peer's bytes.
    pub fn end(&mut self, method: AnsweredMethod, expected: &mut ExpectedBody) -> AtEnd {
        match self.phase {
            Phase::Body(BodyReader::UntilEnd) => {
                AtEnd::Complete(self.complete(method, expected, Delimited::ByEnd))
            }
            _ if self.at_boundary() => AtEnd::Boundary,
            _ => AtEnd::CutOff,
        }
    }

    /// Returns true once the head is complete.
    fn read_head(&mut self, input: &mut &[u8]) -> Result<bool, BadReply> {
        if self.head_bytes == 0
            && let Some((bytes, head)) = whole_head::read(input)
        {
            self.head = head;
            *input = &input[bytes..];
            return Ok(true);
        }
        let ResponseReader {
            phase,
            head,
            head_bytes,
            ..
        } = self;
        let over = BadReply::HeadTooLong;
        within(head_bytes, HEAD_BYTES_MAX, over, input, |window| {
            if let Phase::StatusLine(line) = phase {
                if !line.advance(window, head)? {
                    return Ok(false);
                }
                *phase = Phase::Fields(FieldReader::new());
            }
            match phase {
                Phase::Fields(fields) => fields.advance(window, head),
                _ => Ok(false),
            }
        })
    }

    /// Goes on behind a complete head.
    fn enter(&mut self, method: AnsweredMethod) -> Result<(), BadReply> {
        self.head.check()?;
        if self.head.is_interim() {
            self.interim += 1;
            self.expect_head();
        } else {
            self.phase = Phase::Body(self.head.body(method)?);
        }
        Ok(())
    }

    fn expect_head(&mut self) {
        self.phase = Phase::StatusLine(StatusLineReader::new());
        self.head = ResponseHead::new();
        self.head_bytes = 0;
    }

    fn complete(
        &mut self,
        method: AnsweredMethod,
        expected: &mut ExpectedBody,
        delimited: Delimited,
    ) -> ReceivedReply {
        let head = self.head;
        self.expect_head();
        let delimits_itself = delimited == Delimited::ByItself;
        ReceivedReply {
            status: head.status,
            closes: head.closes() || !delimits_itself,
            delimits_itself,
            interim: std::mem::take(&mut self.interim),
            body: match method {
                AnsweredMethod::Other => self.body.finish(head.status, expected),
                AnsweredMethod::Head => BodyVerdict::Unchecked,
            },
        }
    }
}

/// Way in which the end of a reply was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delimited {
    ByItself,
    ByEnd,
}

impl BodyReader {
    /// Takes bytes to the end of the body at most, and hands its data to `sink`. Returns true once
    /// the body is complete.
    fn advance(
        &mut self,
        input: &mut &[u8],
        mut sink: impl FnMut(&[u8]),
    ) -> Result<bool, BadReply> {
        if let BodyReader::Chunks(chunks) = self {
            let complete = chunks.advance(input, &CHUNK_RULES, &mut sink);
            if !complete.map_err(|_| BadReply::Chunk)? {
                return Ok(false);
            }
            *self = BodyReader::Trailers(FieldReader::new(), 0);
        }
        match self {
            BodyReader::Length(left) => {
                let taken =
                    usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                let (data, rest) = input.split_at(taken);
                sink(data);
                *input = rest;
                *left -= taken as u64;
                Ok(*left == 0)
            }
            BodyReader::Trailers(fields, used) => {
                let (max, over) = (ResponseTrailers::BYTES_MAX, BadReply::Chunk);
                within(used, max, over, input, |window| {
                    fields.advance(window, &mut ResponseTrailers)
                })
            }
            BodyReader::Chunks(_) => Ok(false),
            BodyReader::UntilEnd => {
                sink(input);
                *input = &[];
                Ok(false)
            }
        }
    }
}
