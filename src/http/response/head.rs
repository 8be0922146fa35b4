//! The head of a response: its status, how its body is framed (RFC 9112 6.3), and if the connection
//! outlives it.

use super::{AnsweredMethod, BadReply};
use crate::http::message::Version;
use crate::http::message::chunk::{ChunkReader, ChunkRules, Padding};
use crate::http::message::field::{FieldReader, FieldSection, Lines};
use crate::http::message::name::FieldName;
use crate::http::message::value::{Coding, LengthFault, Member, ValueReader, ValueSink};

/// Fields of a head, and of a trailer section.
const FIELDS_MAX: usize = 128;
/// Bytes of a chunk's line, and of a trailer section.
const OVERHEAD_BYTES_MAX: usize = 64 * 1024;

/// Chunks of a response. How much framing outweighs data is the server's choice.
pub(super) const CHUNK_RULES: ChunkRules = ChunkRules {
    line_bytes_max: OVERHEAD_BYTES_MAX,
    body_bytes_max: u64::MAX,
    framing_bytes_excess_max: u64::MAX,
    padding: Padding::Allowed,
};

/// Framing of a body, and the progress in it.
#[derive(Clone, Debug)]
pub(super) enum BodyReader {
    /// Bytes to come.
    Length(u64),
    /// The chunked transfer coding.
    Chunks(ChunkReader),
    /// The trailer section after the last chunk.
    Trailers(FieldReader, usize),
    /// Everything until the peer ends.
    UntilEnd,
}

/// Facts of a head that were read so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResponseHead {
    pub(super) version: Version,
    pub(super) status: u16,
    content_length: Option<Result<u64, LengthFault>>,
    /// The last transfer coding of all Transfer-Encoding fields, which are one list
    /// (RFC 9110 5.6.1).
    last_coding: Option<Coding>,
    says_close: bool,
    says_keep_alive: bool,
}

impl ResponseHead {
    pub(super) const fn new() -> ResponseHead {
        ResponseHead {
            version: Version::Http11,
            status: 0,
            content_length: None,
            last_coding: None,
            says_close: false,
            says_keep_alive: false,
        }
    }

    /// 1xx: not the final response.
    pub(super) fn is_interim(&self) -> bool {
        matches!(self.status, 100..=199)
    }

    /// The connection ends after the response.
    pub(super) fn closes(&self) -> bool {
        self.says_close || self.version == Version::Http10 && !self.says_keep_alive
    }

    /// Checks the status of a complete head.
    pub(super) fn check(&self) -> Result<(), BadReply> {
        match self.status {
            101 => Err(BadReply::Upgrade),
            _ => Ok(()),
        }
    }

    /// The rules of RFC 9112 6.3 in their order: where there is no body, length fields mean
    /// nothing. Both lengths at once, and a transfer coding in HTTP/1.0, are faults there which a
    /// client may pass over; an instrument does not.
    pub(super) fn body(&self, method: AnsweredMethod) -> Result<BodyReader, BadReply> {
        if method == AnsweredMethod::Head || matches!(self.status, 100..=199 | 204 | 304) {
            return Ok(BodyReader::Length(0));
        }
        match (self.last_coding, self.content_length) {
            (Some(_), Some(_)) => Err(BadReply::TwoFramings),
            (Some(_), None) if self.version == Version::Http10 => {
                Err(BadReply::TransferEncodingIn10)
            }
            (Some(Coding::Chunked), None) => Ok(BodyReader::Chunks(ChunkReader::new())),
            (None, Some(Ok(length))) => Ok(BodyReader::Length(length)),
            (None, Some(Err(_))) => Err(BadReply::ContentLength),
            (Some(_) | None, None) => Ok(BodyReader::UntilEnd),
        }
    }
}

/// The field section of a head.
impl FieldSection for ResponseHead {
    const LINES: Lines = Lines::Lenient;
    const TOO_MANY: BadReply = BadReply::TooManyFields;

    fn fields_max(&self) -> usize {
        FIELDS_MAX
    }

    fn begin(&mut self, name: FieldName) -> Result<ValueReader, BadReply> {
        Ok(match name {
            FieldName::ContentLength => ValueReader::lengths(),
            FieldName::TransferEncoding => ValueReader::codings(),
            FieldName::Connection => ValueReader::options(),
            FieldName::Host | FieldName::Expect => ValueReader::Other,
        })
    }
}

impl ValueSink for ResponseHead {
    type Error = BadReply;
    const MALFORMED: BadReply = BadReply::Field;

    /// Repeated lengths are one length if they are equal (RFC 9110 8.6).
    fn length(&mut self, length: Result<u64, LengthFault>) -> Result<(), BadReply> {
        self.content_length = Some(match self.content_length {
            Some(known) if known != length => Err(LengthFault::Malformed),
            _ => length,
        });
        Ok(())
    }

    fn coding(&mut self, coding: Coding) -> Result<(), BadReply> {
        match coding {
            // An empty list adds nothing to the list of another field.
            Coding::Missing => self.last_coding = self.last_coding.or(Some(coding)),
            _ => self.last_coding = Some(coding),
        }
        Ok(())
    }

    fn member(&mut self, member: Member) {
        match member {
            Member::Close => self.says_close = true,
            Member::KeepAlive => self.says_keep_alive = true,
            Member::Continue => {}
        }
    }
}

/// The trailer section of a chunked body: checked, but no field in it means anything.
pub(super) struct ResponseTrailers;

impl ResponseTrailers {
    pub(super) const BYTES_MAX: usize = OVERHEAD_BYTES_MAX;
}

impl FieldSection for ResponseTrailers {
    const LINES: Lines = Lines::Lenient;
    const TOO_MANY: BadReply = BadReply::Chunk;

    fn fields_max(&self) -> usize {
        FIELDS_MAX
    }
}

impl ValueSink for ResponseTrailers {
    type Error = BadReply;
    const MALFORMED: BadReply = BadReply::Chunk;
}
