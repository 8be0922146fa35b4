//! A reply's head: its status, how its body is framed (RFC 9112 6.3), and whether the connection
//! outlives it.

use super::chunked::ChunkedBody;
use super::{AnsweredMethod, BadReply};

/// More fields than this are refused.
const FIELDS_MAX: usize = 128;

/// How the end of a body is found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Framing {
    /// So many bytes to come.
    Length(u64),
    /// The chunked transfer coding.
    Chunked(ChunkedBody),
    /// Everything until the peer ends.
    UntilEnd,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) framing: Framing,
    pub(super) closes: bool,
    /// Length of the head, terminator included.
    pub(super) bytes: usize,
}

impl ResponseHead {
    /// 1xx: not yet the answer.
    pub(super) fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// Parses the head at the front of `bytes`; `None` if it is not all there.
    pub(super) fn parse(
        bytes: &[u8],
        method: AnsweredMethod,
    ) -> Result<Option<ResponseHead>, BadReply> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut response = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(length) = response.parse(bytes)? else {
            return Ok(None);
        };
        let status = response.code.unwrap_or_default();
        if status == 101 {
            return Err(BadReply::Upgrade);
        }
        if status < 100 {
            return Err(BadReply::Status(status));
        }
        let http10 = response.version == Some(0);
        let fields = Fields::collect(response.headers)?;
        Ok(Some(ResponseHead {
            status,
            framing: fields.framing(status, method, http10)?,
            closes: fields.close || (http10 && !fields.keep_alive),
            bytes: length,
        }))
    }
}

/// What the fields say about framing and the connection.
#[derive(Default)]
struct Fields {
    content_length: Option<u64>,
    /// The last transfer coding of the last Transfer-Encoding field is `chunked`.
    transfer_encoding: Option<LastCoding>,
    close: bool,
    keep_alive: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LastCoding {
    Chunked,
    Other,
}

impl Fields {
    fn collect(headers: &[httparse::Header<'_>]) -> Result<Fields, BadReply> {
        let mut fields = Fields::default();
        for header in headers {
            if header.name.eq_ignore_ascii_case("content-length") {
                fields.add_content_length(header.value)?;
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                let last = list(header.value).last().unwrap_or_default();
                fields.transfer_encoding = Some(if last.eq_ignore_ascii_case(b"chunked") {
                    LastCoding::Chunked
                } else {
                    LastCoding::Other
                });
            } else if header.name.eq_ignore_ascii_case("connection") {
                for option in list(header.value) {
                    fields.close |= option.eq_ignore_ascii_case(b"close");
                    fields.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
        }
        Ok(fields)
    }

    /// Repeated lengths are one length if they are equal (RFC 9110 8.6).
    fn add_content_length(&mut self, value: &[u8]) -> Result<(), BadReply> {
        let mut values = list(value).peekable();
        if values.peek().is_none() {
            return Err(BadReply::ContentLength);
        }
        for value in values {
            let length = decimal(value).ok_or(BadReply::ContentLength)?;
            if self.content_length.is_some_and(|known| known != length) {
                return Err(BadReply::ContentLength);
            }
            self.content_length = Some(length);
        }
        Ok(())
    }

    /// The rules of RFC 9112 6.3 in their order. Both lengths at once, and a transfer coding in
    /// HTTP/1.0, are faults there which a client may pass over; an instrument does not.
    fn framing(
        &self,
        status: u16,
        method: AnsweredMethod,
        http10: bool,
    ) -> Result<Framing, BadReply> {
        if method == AnsweredMethod::Head || matches!(status, 100..=199 | 204 | 304) {
            return Ok(Framing::Length(0));
        }
        match (self.transfer_encoding, self.content_length) {
            (Some(_), Some(_)) => Err(BadReply::TwoFramings),
            (Some(_), None) if http10 => Err(BadReply::TransferEncodingIn10),
            (Some(LastCoding::Chunked), None) => Ok(Framing::Chunked(ChunkedBody::new())),
            (None, Some(length)) => Ok(Framing::Length(length)),
            (Some(LastCoding::Other) | None, None) => Ok(Framing::UntilEnd),
        }
    }
}

/// The elements of a comma-separated list, without blanks and empty ones.
fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// Digits only: no sign, no blank, no overflow.
fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, &digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}
