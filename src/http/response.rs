//! Replies framed out of a stream of bytes that may be cut anywhere (RFC 9112 6.3).
//!
//! A head is needed in one piece; only a head that is cut is copied. Bodies are never kept (but
//! see [`ExpectedBody`]). No decompression, no redirects: a reply is counted, not used.

mod body;
mod chunked;
mod head;
mod learned;
#[cfg(test)]
mod tests;

pub use body::{BodyVerdict, ExpectedBody};
pub use learned::LearnedReply;

use body::BodyCheck;
use head::{Framing, ResponseHead};

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
    /// 200 to 999.
    pub status: u16,
    /// The connection ends after it: it says so, or it is HTTP/1.0 without keep-alive.
    pub closes: bool,
    /// Its end is found in its own bytes, not in the connection's end.
    pub delimits_itself: bool,
    /// How many 1xx replies came before it.
    pub interim: u32,
    /// Whether its body is the right one.
    pub body: BodyVerdict,
}

/// Why bytes are not a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReply {
    /// The status line or a field is malformed.
    #[error("malformed head ({0})")]
    Head(#[from] httparse::Error),
    /// More than [`HEAD_BYTES_MAX`].
    #[error("head longer than 64 KiB")]
    HeadTooLong,
    /// A status below 100.
    #[error("status {0:03}")]
    Status(u16),
    /// 101, which nobody asked for.
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

/// What a call of [`ResponseReader::read`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseStep {
    /// Bytes taken from the front.
    pub used: usize,
    /// The reply that these bytes complete; without one, all bytes were taken.
    pub reply: Option<ReceivedReply>,
}

/// What the peer's end means to the reply under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// No reply was under way.
    Boundary,
    /// The end of the connection is the end of the body.
    Complete(ReceivedReply),
    /// A reply is cut off.
    CutOff,
}

#[derive(Debug)]
enum Phase {
    Head,
    Body {
        head: ResponseHead,
        framing: Framing,
    },
}

/// Frames the replies of one connection.
#[derive(Debug)]
pub struct ResponseReader {
    phase: Phase,
    /// The part of a head that came so far; empty unless a head is cut.
    carry: Vec<u8>,
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
            phase: Phase::Head,
            carry: Vec::new(),
            interim: 0,
            body: BodyCheck::default(),
        }
    }

    /// Whether the next byte starts a reply.
    pub fn at_boundary(&self) -> bool {
        matches!(self.phase, Phase::Head) && self.carry.is_empty() && self.interim == 0
    }

    /// Reads to the end of one reply at most.
    ///
    /// # Errors
    /// What makes the bytes no reply. The reader is of no use afterwards.
    pub fn read(
        &mut self,
        bytes: &[u8],
        method: AnsweredMethod,
        expected: &mut ExpectedBody,
    ) -> Result<ResponseStep, BadReply> {
        let mut used = 0;
        loop {
            match &mut self.phase {
                Phase::Head => {
                    used += self.read_head(&bytes[used..], method)?;
                    if matches!(self.phase, Phase::Head) && used == bytes.len() {
                        return Ok(ResponseStep { used, reply: None });
                    }
                }
                Phase::Body { head, framing } => {
                    let head = *head;
                    let sink = |piece: &[u8]| self.body.take(piece, expected);
                    let (taken, complete) = framing.take(&bytes[used..], sink)?;
                    used += taken;
                    let reply = complete.then(|| self.complete(head, method, expected));
                    return Ok(ResponseStep { used, reply });
                }
            }
        }
    }

    /// The peer will send no more.
    pub fn end(&mut self, method: AnsweredMethod, expected: &mut ExpectedBody) -> AtEnd {
        match self.phase {
            Phase::Body {
                head,
                framing: Framing::UntilEnd,
            } => AtEnd::Complete(self.complete(head, method, expected)),
            Phase::Head if self.at_boundary() => AtEnd::Boundary,
            _ => AtEnd::CutOff,
        }
    }

    fn complete(
        &mut self,
        head: ResponseHead,
        method: AnsweredMethod,
        expected: &mut ExpectedBody,
    ) -> ReceivedReply {
        self.phase = Phase::Head;
        let body = match method {
            AnsweredMethod::Other => self.body.finish(head.status, expected),
            AnsweredMethod::Head => BodyVerdict::Unchecked,
        };
        let delimits_itself = !matches!(head.framing, Framing::UntilEnd);
        ReceivedReply {
            status: head.status,
            closes: head.closes || !delimits_itself,
            delimits_itself,
            interim: std::mem::take(&mut self.interim),
            body,
        }
    }

    /// Reads a head or a part of one, and returns how many bytes were taken.
    fn read_head(&mut self, bytes: &[u8], method: AnsweredMethod) -> Result<usize, BadReply> {
        if self.carry.is_empty() {
            if let Some(head) = parse_bounded(bytes, method)? {
                self.enter(head);
                return Ok(head.bytes);
            }
            self.carry.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let before = self.carry.len();
        let piece = &bytes[..bytes.len().min(HEAD_BYTES_MAX + 1 - before)];
        self.carry.extend_from_slice(piece);
        let Some(head) = parse_bounded(&self.carry, method)? else {
            return Ok(piece.len());
        };
        self.carry.clear();
        self.enter(head);
        Ok(head.bytes - before)
    }

    fn enter(&mut self, head: ResponseHead) {
        if head.is_interim() {
            self.interim += 1;
        } else {
            self.phase = Phase::Body {
                head,
                framing: head.framing,
            };
        }
    }
}

/// The bound holds for a head in one piece too, so that the verdict does not depend on the cuts.
fn parse_bounded(bytes: &[u8], method: AnsweredMethod) -> Result<Option<ResponseHead>, BadReply> {
    let window = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
    match ResponseHead::parse(window, method)? {
        None if bytes.len() > HEAD_BYTES_MAX => Err(BadReply::HeadTooLong),
        found => Ok(found),
    }
}

impl Framing {
    /// Takes body bytes: how many, and whether the body is complete.
    fn take(
        &mut self,
        bytes: &[u8],
        mut sink: impl FnMut(&[u8]),
    ) -> Result<(usize, bool), BadReply> {
        match self {
            Framing::Length(left) => {
                let taken =
                    usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                sink(&bytes[..taken]);
                *left -= taken as u64;
                Ok((taken, *left == 0))
            }
            Framing::Chunked(chunked) => {
                let taken = chunked.take(bytes, sink)?;
                Ok((taken, chunked.is_done()))
            }
            Framing::UntilEnd => {
                sink(bytes);
                Ok((bytes.len(), false))
            }
        }
    }
}
