//! The request-line (RFC 9112 3).

mod target;

use super::head::RequestHead;
use super::{METHOD_BYTES_MAX, Method, Refusal, Version};
use crate::http::message::class::{TOKEN, span};
use crate::http::message::within;
use target::TargetReader;

/// A version as almost every client sends it.
const COMMON_END: &[u8] = b"HTTP/1.1\r\n";
/// The start of a version. Case matters.
const VERSION_PREFIX: &[u8] = b"HTTP/";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RequestLineReader {
    Method {
        /// The last eight bytes, the latest lowest.
        word: u64,
        bytes: usize,
    },
    Target {
        target: TargetReader,
        bytes: usize,
    },
    VersionPrefix {
        is_asterisk: bool,
        matched: usize,
    },
    Major {
        is_asterisk: bool,
    },
    Dot {
        is_asterisk: bool,
        major: u8,
    },
    Minor {
        is_asterisk: bool,
        major: u8,
    },
    CarriageReturn,
    LineFeed,
}

impl RequestLineReader {
    pub(super) const fn new() -> RequestLineReader {
        RequestLineReader::Method { word: 0, bytes: 0 }
    }

    /// Returns true once the line is complete. All of the input is taken if it is not.
    pub(super) fn advance(
        &mut self,
        input: &mut &[u8],
        head: &mut RequestHead,
        target_bytes_max: usize,
    ) -> Result<bool, Refusal> {
        while !input.is_empty() {
            match self {
                RequestLineReader::Method { word, bytes } => {
                    if let Some(method) = read_method(input, word, bytes)? {
                        head.method = Some(method);
                        *self = RequestLineReader::Target {
                            target: TargetReader::new(),
                            bytes: 0,
                        };
                    }
                }
                RequestLineReader::Target { target, bytes } => {
                    let is_connect = head.method == Some(Method::Connect);
                    // The space that ends it is read with it.
                    let bytes_max = target_bytes_max.saturating_add(1);
                    if within(bytes, bytes_max, Refusal::UriTooLong, input, |window| {
                        target.advance(window, is_connect)
                    })? {
                        let is_asterisk = *target == TargetReader::Asterisk;
                        *self = RequestLineReader::VersionPrefix {
                            is_asterisk,
                            matched: 0,
                        };
                        if !is_asterisk && input.starts_with(COMMON_END) {
                            *input = &input[COMMON_END.len()..];
                            head.version = Version::Http11;
                            return Ok(true);
                        }
                    }
                }
                _ => {
                    let byte = input[0];
                    *input = &input[1..];
                    if self.push_version(byte, head)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Reads a byte after the target; whether it ended the line.
    fn push_version(&mut self, byte: u8, head: &mut RequestHead) -> Result<bool, Refusal> {
        *self = match (&*self, byte) {
            (
                &RequestLineReader::VersionPrefix {
                    is_asterisk,
                    matched,
                },
                _,
            ) if byte == VERSION_PREFIX[matched] => match matched + 1 {
                matched if matched == VERSION_PREFIX.len() => {
                    RequestLineReader::Major { is_asterisk }
                }
                matched => RequestLineReader::VersionPrefix {
                    is_asterisk,
                    matched,
                },
            },
            (&RequestLineReader::Major { is_asterisk }, b'0'..=b'9') => RequestLineReader::Dot {
                is_asterisk,
                major: byte,
            },
            (&RequestLineReader::Dot { is_asterisk, major }, b'.') => {
                RequestLineReader::Minor { is_asterisk, major }
            }
            (&RequestLineReader::Minor { is_asterisk, major }, b'0'..=b'9') => {
                head.version = version(major, byte)?;
                // Judged here, not with the target, so that HTTP/2's `PRI * HTTP/2.0` is 505.
                if is_asterisk && head.method != Some(Method::Options) {
                    return Err(Refusal::BadRequest);
                }
                RequestLineReader::CarriageReturn
            }
            (RequestLineReader::CarriageReturn, b'\r') => RequestLineReader::LineFeed,
            (RequestLineReader::LineFeed, b'\n') => return Ok(true),
            _ => return Err(Refusal::BadRequest),
        };
        Ok(false)
    }
}

/// The method, once the space after it was read.
pub(super) fn read_method(
    input: &mut &[u8],
    word: &mut u64,
    bytes: &mut usize,
) -> Result<Option<Method>, Refusal> {
    let run = span(input, TOKEN);
    *word = input[..run]
        .iter()
        .fold(*word, |word, &byte| word << 8 | u64::from(byte));
    *bytes += run;
    if *bytes > METHOD_BYTES_MAX {
        return Err(Refusal::NotImplemented);
    }
    let rest = &input[run..];
    *input = &rest[rest.len().min(1)..];
    match rest.first() {
        None => Ok(None),
        Some(b' ') if *bytes > 0 => Ok(Some(method(*word))),
        Some(_) => Err(Refusal::BadRequest),
    }
}

/// Methods are recognised as RFC 9110 9.1 has it: case matters.
///
/// Of a method longer than eight bytes `word` holds the last eight. None of them is zero, so it is
/// none of the shorter ones either.
fn method(word: u64) -> Method {
    const fn word_of(name: &[u8]) -> u64 {
        let mut word = 0;
        let mut index = 0;
        while index < name.len() {
            word = word << 8 | name[index] as u64;
            index += 1;
        }
        word
    }
    const GET: u64 = word_of(b"GET");
    const HEAD: u64 = word_of(b"HEAD");
    const CONNECT: u64 = word_of(b"CONNECT");
    const OPTIONS: u64 = word_of(b"OPTIONS");
    const POST: u64 = word_of(b"POST");
    const PUT: u64 = word_of(b"PUT");
    const DELETE: u64 = word_of(b"DELETE");
    const PATCH: u64 = word_of(b"PATCH");
    const TRACE: u64 = word_of(b"TRACE");
    match word {
        GET => Method::Get,
        HEAD => Method::Head,
        CONNECT => Method::Connect,
        OPTIONS => Method::Options,
        POST | PUT | DELETE | PATCH | TRACE => Method::Known,
        _ => Method::Unknown,
    }
}

/// The version that two digits name.
fn version(major: u8, minor: u8) -> Result<Version, Refusal> {
    match (major, minor) {
        (b'1', b'0') => Ok(Version::Http10),
        (b'1', _) => Ok(Version::Http11),
        _ => Err(Refusal::VersionNotSupported),
    }
}
