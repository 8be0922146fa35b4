//! Reads pipelined HTTP/1.1 requests to RFC 9110 and RFC 9112, given to it in pieces of any size.
//!
//! [`RequestParser`] is a state machine without a buffer: any split of a stream gives the same
//! steps, an idle connection owns a few words, and no length that a peer declares is ever
//! reserved for. An error is seen as soon as the byte arrives that makes it one.
//!
//! Where the standards leave a choice, there is one rule and no lenient mode:
//!
//! - A line ends in CR LF. A bare LF and a bare CR are refused everywhere (RFC 9112 2.2 allows it).
//! - Content-Length is digits only. The same length said again, in a list or another field, is
//!   one length; an empty list element is not a length (RFC 9112 6.3).
//! - A length too large for `u64` is a body too large: 413.
//! - Any transfer coding other than `chunked` is refused: 501, whatever follows it (RFC 9112 6.1).
//!   What follows `chunked`, another `chunked` included, is 400. Empty list elements are skipped.
//! - Transfer-Encoding in HTTP/1.0, and beside Content-Length, is refused.
//! - An empty Host is valid (RFC 9112 3.2); a port without a host is not (RFC 9110 4.2.1); nor is
//!   userinfo, an IPv6 address with a zone, or an IP literal of a future version.
//! - A request-target may hold any visible ASCII but `"`, `#`, `<` and `>`.
//! - HTTP/1.x with x above 1 is read as 1.1.
//! - A method longer than any in use is 501 before it has ended (RFC 9112 3).
//! - Expectations other than `100-continue` are ignored (RFC 9110 10.1.1 leaves 417 optional).
//! - A chunk's line is at most 256 bytes, and the framing of all chunks may outweigh their data
//!   by 16 KiB at most (CVE-2023-39326, CVE-2024-22019): 400. A trailer section over 16 KiB is 431.
//! - Trailer fields are checked as fields and otherwise ignored, whatever they are named.

mod complete;
mod head;
mod request_line;
mod whole_head;

#[cfg(test)]
mod tests;

use super::message::chunk::{ChunkFault, ChunkReader, ChunkRules, Padding};
use super::message::field::FieldReader;
use super::message::within;
use head::{BodyFraming, RequestFields, RequestHead, RequestTrailers};
use request_line::RequestLineReader;

pub use complete::{Method, Persistence, Request, Version};

/// Longest method that is read. A longer one is 501 (RFC 9112 3).
const METHOD_BYTES_MAX: usize = 32;
/// Empty lines that are skipped before a request-line (RFC 9112 2.2).
const EMPTY_LINES_MAX: u8 = 4;
/// The trailer section of a chunked body, its last line included.
const TRAILER_BYTES_MAX: usize = 16 * 1024;

/// Chunks of a request, but for the limit on its body. Framing may outweigh data by little: a body
/// of one-byte chunks with long extensions costs its reader far more than it carries.
const CHUNK_RULES: ChunkRules = ChunkRules {
    line_bytes_max: 256,
    body_bytes_max: 0,
    framing_bytes_excess_max: 16 * 1024,
    padding: Padding::Refused,
};

/// Limits on a request. The defaults are those of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request-target; more is 414.
    pub target_bytes_max: usize,
    /// Bytes of a head, from the method to the last CR LF; more is 431.
    pub head_bytes_max: usize,
    /// Fields of a head, and of a trailer section; more is 431.
    pub fields_max: usize,
    /// Bytes of a body, chunk framing not counted; more is 413.
    pub body_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            target_bytes_max: 8 * 1024,
            head_bytes_max: 16 * 1024,
            fields_max: 100,
            body_bytes_max: 1024 * 1024,
        }
    }
}

/// Reason not to read a stream any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Malformed or ambiguous: 400.
    BadRequest,
    /// The body is, or will be, over the limit: 413.
    ContentTooLarge,
    /// The request-target is over the limit: 414.
    UriTooLong,
    /// The head or the trailer section is over a limit: 431.
    FieldsTooLarge,
    /// A transfer coding that is not understood, or no method of any length in use: 501.
    NotImplemented,
    /// A major version other than 1: 505.
    VersionNotSupported,
}

impl Refusal {
    /// Returns its status code.
    pub fn status(self) -> u16 {
        match self {
            Refusal::BadRequest => 400,
            Refusal::ContentTooLarge => 413,
            Refusal::UriTooLong => 414,
            Refusal::FieldsTooLarge => 431,
            Refusal::NotImplemented => 501,
            Refusal::VersionNotSupported => 505,
        }
    }
}

/// An event that calls for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A head is complete and its client waits for a 100 before it sends the body.
    ExpectsContinue,
    /// A request is complete, its body passed over.
    Complete(Request),
    /// The stream is refused. Never followed by another step.
    Refused(Refusal),
}

/// Position of the parser in the stream, as far as a deadline depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Between two requests; at most empty lines were received since the last.
    Boundary,
    /// Within a head.
    Head,
    /// Within a body.
    Body,
    /// Past an error: every byte is ignored.
    Refused,
}

/// The request reader of one connection; see the module's head for its rules.
///
/// [`RequestParser::new`] is at a [`Position::Boundary`], and so it is after each
/// [`Step::Complete`]: it remembers nothing of the requests before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestParser {
    phase: Phase,
    /// Facts of the current request that were read so far.
    head: RequestHead,
    /// Bytes of the current head or trailer section so far.
    section_bytes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Boundary { empty_lines: u8 },
    EmptyLine { empty_lines: u8 },
    Line(RequestLineReader),
    Fields(FieldReader),
    Content { remaining: u64 },
    Chunks(ChunkReader),
    Trailers(FieldReader),
    Refused,
}

impl Default for RequestParser {
    fn default() -> RequestParser {
        RequestParser::new()
    }
}

impl RequestParser {
    /// A parser at the start of a stream.
    pub const fn new() -> RequestParser {
        RequestParser {
            phase: Phase::Boundary { empty_lines: 0 },
            head: RequestHead::new(),
            section_bytes: 0,
        }
    }

    /// Reads up to and including the next step: how many of the bytes that took, and the step if
    /// there is one. Without a step all bytes were taken.
    ///
    /// After a request that ends its connection ([`Persistence::Close`]) the caller must stop.
    pub fn step(&mut self, bytes: &[u8], limits: &Limits) -> (usize, Option<Step>) {
        let mut input = bytes;
        if self.is_fresh()
            && let Some((head_bytes, head)) = whole_head::read(bytes, limits)
        {
            if !head.has_content() {
                // A request that is nothing but its head leaves the parser as it was.
                return (head_bytes, Some(Step::Complete(head.request())));
            }
            self.head = head;
            self.section_bytes = head_bytes;
            input = &bytes[head_bytes..];
            if let Some(step) = self.begin_body() {
                return (head_bytes, Some(step));
            }
        }
        match self.advance(&mut input, limits) {
            Ok(step) => (bytes.len() - input.len(), step),
            Err(refusal) => {
                self.phase = Phase::Refused;
                self.section_bytes = 0;
                (bytes.len(), Some(Step::Refused(refusal)))
            }
        }
    }

    /// Returns true if nothing was received since the last request, not even an empty line.
    #[inline]
    pub fn is_fresh(&self) -> bool {
        matches!(self.phase, Phase::Boundary { empty_lines: 0 })
    }

    /// Returns the position in the stream.
    pub fn position(&self) -> Position {
        match self.phase {
            Phase::Boundary { .. } => Position::Boundary,
            Phase::EmptyLine { .. } | Phase::Line(_) | Phase::Fields(_) => Position::Head,
            Phase::Content { .. } | Phase::Chunks(_) | Phase::Trailers(_) => Position::Body,
            Phase::Refused => Position::Refused,
        }
    }

    /// The method of the request that is being received or was refused, once it has ended.
    ///
    /// An error reply to HEAD has no body either.
    pub fn method(&self) -> Option<Method> {
        self.head.method
    }

    fn advance(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Step>, Refusal> {
        while !input.is_empty() {
            match &mut self.phase {
                Phase::Boundary { .. } | Phase::EmptyLine { .. } => self.pass_empty_lines(input)?,
                Phase::Line(_) | Phase::Fields(_) => {
                    if self.read_head(input, limits)?
                        && let Some(step) = self.begin_body()
                    {
                        return Ok(Some(step));
                    }
                }
                Phase::Content { .. } | Phase::Chunks(_) | Phase::Trailers(_) => {
                    if self.pass_body(input, limits)? {
                        return Ok(Some(self.complete()));
                    }
                }
                Phase::Refused => *input = &[],
            }
        }
        Ok(None)
    }

    /// Passes over empty lines, up to the first byte of a request-line.
    fn pass_empty_lines(&mut self, input: &mut &[u8]) -> Result<(), Refusal> {
        while let Some(&byte) = input.first() {
            self.phase = match (&self.phase, byte) {
                (&Phase::Boundary { empty_lines }, b'\r') if empty_lines < EMPTY_LINES_MAX => {
                    Phase::EmptyLine { empty_lines }
                }
                (&Phase::EmptyLine { empty_lines }, b'\n') => Phase::Boundary {
                    empty_lines: empty_lines + 1,
                },
                (Phase::Boundary { .. }, _) => {
                    self.phase = Phase::Line(RequestLineReader::new());
                    return Ok(());
                }
                _ => return Err(Refusal::BadRequest),
            };
            *input = &input[1..];
        }
        Ok(())
    }

    /// Returns true once the head is complete.
    fn read_head(&mut self, input: &mut &[u8], limits: &Limits) -> Result<bool, Refusal> {
        let RequestParser {
            phase,
            head,
            section_bytes,
        } = self;
        within(
            section_bytes,
            limits.head_bytes_max,
            Refusal::FieldsTooLarge,
            input,
            |window| {
                if let Phase::Line(line) = phase {
                    if !line.advance(window, head, limits.target_bytes_max)? {
                        return Ok(false);
                    }
                    *phase = Phase::Fields(FieldReader::new());
                }
                let Phase::Fields(fields) = phase else {
                    return Ok(false);
                };
                let is_complete = fields.advance(window, &mut RequestFields { head, limits })?;
                Ok(is_complete && head.check().map(|()| true)?)
            },
        )
    }

    fn begin_body(&mut self) -> Option<Step> {
        self.phase = match self.head.body {
            None | Some(BodyFraming::Length(0)) => return Some(self.complete()),
            Some(BodyFraming::Length(length)) => Phase::Content { remaining: length },
            Some(BodyFraming::Chunked) => Phase::Chunks(ChunkReader::new()),
        };
        self.head
            .expects_continue()
            .then_some(Step::ExpectsContinue)
    }

    /// Returns true once the body is complete.
    fn pass_body(&mut self, input: &mut &[u8], limits: &Limits) -> Result<bool, Refusal> {
        match &mut self.phase {
            Phase::Content { remaining } => {
                let passed = usize::try_from(*remaining)
                    .unwrap_or(usize::MAX)
                    .min(input.len());
                *remaining -= passed as u64;
                *input = &input[passed..];
                Ok(*remaining == 0)
            }
            Phase::Chunks(chunks) => {
                let rules = ChunkRules {
                    body_bytes_max: limits.body_bytes_max,
                    ..CHUNK_RULES
                };
                let complete = chunks.advance(input, &rules, |_| {});
                if complete.map_err(refusal_of)? {
                    self.phase = Phase::Trailers(FieldReader::new());
                    self.section_bytes = 0;
                }
                Ok(false)
            }
            Phase::Trailers(fields) => {
                let (used, over) = (&mut self.section_bytes, Refusal::FieldsTooLarge);
                within(used, TRAILER_BYTES_MAX, over, input, |window| {
                    fields.advance(window, &mut RequestTrailers(limits))
                })
            }
            _ => Ok(false),
        }
    }

    fn complete(&mut self) -> Step {
        let request = self.head.request();
        *self = RequestParser::new();
        Step::Complete(request)
    }
}

fn refusal_of(fault: ChunkFault) -> Refusal {
    match fault {
        ChunkFault::Malformed => Refusal::BadRequest,
        ChunkFault::TooLarge => Refusal::ContentTooLarge,
    }
}
