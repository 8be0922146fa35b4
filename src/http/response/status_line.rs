//! The status line (RFC 9112 4).

use super::{BadReply, ResponseHead};
use crate::http::message::Version;
use crate::http::message::class::{VALUE, span};

/// The start of a version. Case matters.
const VERSION_PREFIX: &[u8] = b"HTTP/1.";

/// Reads a status line in any pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusLineReader {
    VersionPrefix {
        matched: u8,
    },
    Minor,
    BeforeStatus,
    Status {
        digits: u8,
    },
    /// After the last digit: a space and a reason, or the end of the line.
    AfterStatus,
    Reason,
    LineFeed,
}

impl StatusLineReader {
    pub(super) const fn new() -> StatusLineReader {
        StatusLineReader::VersionPrefix { matched: 0 }
    }

    /// Returns true once the line is complete; all of the input is taken if it is not.
    pub(super) fn advance(
        &mut self,
        input: &mut &[u8],
        head: &mut ResponseHead,
    ) -> Result<bool, BadReply> {
        use StatusLineReader::*;
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            *self = match (*self, byte) {
                (VersionPrefix { matched }, _) if byte == VERSION_PREFIX[usize::from(matched)] => {
                    match matched + 1 {
                        matched if usize::from(matched) == VERSION_PREFIX.len() => Minor,
                        matched => VersionPrefix { matched },
                    }
                }
                (Minor, b'0'..=b'9') => {
                    head.version = if byte == b'0' {
                        Version::Http10
                    } else {
                        Version::Http11
                    };
                    BeforeStatus
                }
                (BeforeStatus, b' ') => Status { digits: 0 },
                (Status { digits }, b'0'..=b'9') => {
                    head.status = head.status * 10 + u16::from(byte - b'0');
                    match digits {
                        2 => AfterStatus,
                        _ => Status { digits: digits + 1 },
                    }
                }
                (AfterStatus, b' ') | (Reason, _) if span(&[byte], VALUE) == 1 => {
                    *input = &input[span(input, VALUE)..];
                    Reason
                }
                (AfterStatus | Reason, b'\r') => LineFeed,
                (AfterStatus | Reason | LineFeed, b'\n') => return Ok(true),
                _ => return Err(BadReply::StatusLine),
            };
        }
        Ok(false)
    }
}
