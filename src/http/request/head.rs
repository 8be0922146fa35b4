//! The request head: what was learned of it, and the rules of its fields (RFC 9112 3.2, 6, 9).

use super::{Limits, Method, Persistence, Refusal, Request, Version};
use crate::http::message::field::{FieldSection, Lines};
use crate::http::message::name::FieldName;
use crate::http::message::value::{Coding, LengthFault, Member, ValueReader, ValueSink};

/// Framing of a declared body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    /// Content-Length.
    Length(u64),
    /// Transfer-Encoding: chunked.
    Chunked,
}

/// Facts of a head that were read so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestHead {
    pub(super) method: Option<Method>,
    pub(super) version: Version,
    pub(super) body: Option<BodyFraming>,
    has_host: bool,
    asks_close: bool,
    asks_keep_alive: bool,
    asks_continue: bool,
}

impl RequestHead {
    pub(super) const fn new() -> RequestHead {
        RequestHead {
            method: None,
            version: Version::Http11,
            body: None,
            has_host: false,
            asks_close: false,
            asks_keep_alive: false,
            asks_continue: false,
        }
    }

    /// Checks what can only be judged once the head is complete.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        match (self.version, self.has_host) {
            (Version::Http11, false) => Err(Refusal::BadRequest),
            _ => Ok(()),
        }
    }

    /// At least one byte follows the head.
    pub(super) fn has_content(&self) -> bool {
        !matches!(self.body, None | Some(BodyFraming::Length(0)))
    }

    /// The client, with a body to come, waits for a 100. HTTP/1.0 has none to wait for
    /// (RFC 9110 10.1.1).
    pub(super) fn expects_continue(&self) -> bool {
        self.asks_continue && self.version == Version::Http11
    }

    pub(super) fn request(&self) -> Request {
        let method = self.method.unwrap_or(Method::Unknown);
        let persistence = match self.version {
            // What follows CONNECT would be the tunnel's bytes (RFC 9110 9.3.6).
            _ if self.asks_close || method == Method::Connect => Persistence::Close,
            Version::Http11 => Persistence::Keep,
            Version::Http10 if self.asks_keep_alive => Persistence::KeepEchoed,
            Version::Http10 => Persistence::Close,
        };
        Request {
            method,
            version: self.version,
            persistence,
            has_body: self.body.is_some(),
        }
    }
}

/// The field section of a head.
pub(super) struct RequestFields<'a> {
    pub(super) head: &'a mut RequestHead,
    pub(super) limits: &'a Limits,
}

impl FieldSection for RequestFields<'_> {
    const LINES: Lines = Lines::Strict;
    const TOO_MANY: Refusal = Refusal::FieldsTooLarge;

    fn fields_max(&self) -> usize {
        self.limits.fields_max
    }

    fn begin(&mut self, name: FieldName) -> Result<ValueReader, Refusal> {
        let head = &mut *self.head;
        match (name, head.version, head.body) {
            // A second one is refused, even by HTTP/1.0 (RFC 9112 3.2).
            (FieldName::Host, ..) if head.has_host => Err(Refusal::BadRequest),
            (FieldName::Host, ..) => {
                head.has_host = true;
                Ok(ValueReader::host())
            }
            (FieldName::ContentLength, _, Some(BodyFraming::Chunked))
            | (FieldName::TransferEncoding, Version::Http10, _)
            | (FieldName::TransferEncoding, _, Some(BodyFraming::Length(_))) => {
                Err(Refusal::BadRequest)
            }
            (FieldName::ContentLength, ..) => Ok(ValueReader::lengths()),
            (FieldName::TransferEncoding, ..) => Ok(ValueReader::codings()),
            (FieldName::Connection, ..) => Ok(ValueReader::options()),
            (FieldName::Expect, ..) => Ok(ValueReader::expectations()),
        }
    }
}

impl ValueSink for RequestFields<'_> {
    type Error = Refusal;
    const MALFORMED: Refusal = Refusal::BadRequest;

    fn length_max(&self) -> u64 {
        self.limits.body_bytes_max
    }

    fn length(&mut self, length: Result<u64, LengthFault>) -> Result<(), Refusal> {
        let length = length.map_err(|fault| match fault {
            LengthFault::Malformed => Refusal::BadRequest,
            LengthFault::TooLarge => Refusal::ContentTooLarge,
        })?;
        let framing = BodyFraming::Length(length);
        if self.head.body.is_some_and(|known| known != framing) {
            return Err(Refusal::BadRequest);
        }
        self.head.body = Some(framing);
        Ok(())
    }

    fn coding(&mut self, coding: Coding) -> Result<(), Refusal> {
        match coding {
            _ if self.head.body.is_some() => Err(Refusal::BadRequest),
            Coding::Other => Err(Refusal::NotImplemented),
            Coding::Malformed | Coding::Missing => Err(Refusal::BadRequest),
            Coding::Chunked => {
                self.head.body = Some(BodyFraming::Chunked);
                Ok(())
            }
        }
    }

    fn member(&mut self, member: Member) {
        match member {
            Member::Close => self.head.asks_close = true,
            Member::KeepAlive => self.head.asks_keep_alive = true,
            Member::Continue => self.head.asks_continue = true,
        }
    }
}

/// The trailer section of a chunked body: checked, but no field in it means anything.
pub(super) struct RequestTrailers<'a>(pub(super) &'a Limits);

impl FieldSection for RequestTrailers<'_> {
    const LINES: Lines = Lines::Strict;
    const TOO_MANY: Refusal = Refusal::FieldsTooLarge;

    fn fields_max(&self) -> usize {
        self.0.fields_max
    }
}

impl ValueSink for RequestTrailers<'_> {
    type Error = Refusal;
    const MALFORMED: Refusal = Refusal::BadRequest;
}
