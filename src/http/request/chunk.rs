//! A chunked body (RFC 9112 7.1): its chunks, not the trailer section after them.

use super::class::{TOKEN, VALUE, is};
use super::{Refusal, within};

/// A chunk's size, extensions and CR LF.
const CHUNK_LINE_BYTES_MAX: usize = 256;
/// Framing may outweigh the body by so much: a body of one-byte chunks with long extensions costs
/// its reader far more than it carries.
const FRAMING_BYTES_EXCESS_MAX: u64 = 16 * 1024;

/// Passes over chunks, up to and including the line of the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChunkReader {
    at: At,
    /// The size of the current chunk while that is read, then what remains of its data.
    remaining: u64,
    /// Data of all chunks, the current one included once its size is read.
    body_bytes: u64,
    framing_bytes: u64,
    line_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    SizeStart,
    Size,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Token,
    Quoted,
    Escaped,
    AfterQuoted,
    /// In the blanks before a semicolon.
    Blank,
    LineFeed,
    Data,
    DataCarriageReturn,
    DataLineFeed,
}

impl ChunkReader {
    pub(super) const fn new() -> ChunkReader {
        ChunkReader {
            at: At::SizeStart,
            remaining: 0,
            body_bytes: 0,
            framing_bytes: 0,
            line_bytes: 0,
        }
    }

    /// Whether the last chunk's line was read; all of the input is taken if not.
    pub(super) fn advance(
        &mut self,
        input: &mut &[u8],
        body_bytes_max: u64,
    ) -> Result<bool, Refusal> {
        while !input.is_empty() {
            match self.at {
                At::Data => self.pass_data(input),
                At::DataCarriageReturn | At::DataLineFeed => {
                    self.at = match (self.at, input[0]) {
                        (At::DataCarriageReturn, b'\r') => At::DataLineFeed,
                        (At::DataLineFeed, b'\n') => At::SizeStart,
                        _ => return Err(Refusal::BadRequest),
                    };
                    self.count_framing()?;
                    *input = &input[1..];
                }
                _ => {
                    let mut line_bytes = self.line_bytes;
                    let (max, over) = (CHUNK_LINE_BYTES_MAX, Refusal::BadRequest);
                    let is_complete = within(&mut line_bytes, max, over, input, |window| {
                        self.read_line(window, body_bytes_max)
                    })?;
                    self.line_bytes = line_bytes;
                    if is_complete && self.end_line() {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    fn pass_data(&mut self, input: &mut &[u8]) {
        let passed = usize::try_from(self.remaining)
            .unwrap_or(usize::MAX)
            .min(input.len());
        self.remaining -= passed as u64;
        *input = &input[passed..];
        if self.remaining == 0 {
            self.at = At::DataCarriageReturn;
        }
    }

    /// Whether the chunk's line is complete.
    fn read_line(&mut self, input: &mut &[u8], body_bytes_max: u64) -> Result<bool, Refusal> {
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            self.at = match (self.at, byte) {
                (At::SizeStart | At::Size, _) if byte.is_ascii_hexdigit() => {
                    self.push_size(byte, body_bytes_max)?;
                    At::Size
                }
                (At::LineFeed, b'\n') => {
                    self.count_framing()?;
                    return Ok(true);
                }
                (at, _) => extension(at, byte)?,
            };
            self.count_framing()?;
        }
        Ok(false)
    }

    /// Whether that was the last chunk's line.
    fn end_line(&mut self) -> bool {
        self.line_bytes = 0;
        self.body_bytes += self.remaining;
        self.at = At::Data;
        self.remaining == 0
    }

    fn push_size(&mut self, digit: u8, body_bytes_max: u64) -> Result<(), Refusal> {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            _ => digit.to_ascii_lowercase() - b'a' + 10,
        };
        let allowed = body_bytes_max.saturating_sub(self.body_bytes);
        self.remaining = self
            .remaining
            .checked_mul(16)
            .and_then(|high| high.checked_add(u64::from(value)))
            .filter(|&size| size <= allowed)
            .ok_or(Refusal::ContentTooLarge)?;
        Ok(())
    }

    fn count_framing(&mut self) -> Result<(), Refusal> {
        self.framing_bytes += 1;
        if self.framing_bytes > self.body_bytes.saturating_add(FRAMING_BYTES_EXCESS_MAX) {
            return Err(Refusal::BadRequest);
        }
        Ok(())
    }
}

/// One byte of a chunk's extensions (RFC 9112 7.1.1): checked, never used.
fn extension(at: At, byte: u8) -> Result<At, Refusal> {
    let is_token = is(byte, TOKEN);
    Ok(match (at, byte) {
        (At::Size | At::Name | At::Token | At::AfterQuoted, b'\r') => At::LineFeed,
        (At::Size | At::Name | At::AfterName | At::Token | At::AfterQuoted | At::Blank, b';') => {
            At::BeforeName
        }
        (At::Name | At::AfterName, b'=') => At::BeforeValue,
        (At::BeforeValue, b'"') => At::Quoted,
        (At::Quoted, b'"') => At::AfterQuoted,
        (At::Quoted, b'\\') => At::Escaped,
        (At::Quoted | At::Escaped, _) if is(byte, VALUE) => At::Quoted,
        (At::BeforeName | At::Name, _) if is_token => At::Name,
        (At::BeforeValue | At::Token, _) if is_token => At::Token,
        (At::Size | At::Token | At::AfterQuoted | At::Blank, b' ' | b'\t') => At::Blank,
        (At::Name | At::AfterName, b' ' | b'\t') => At::AfterName,
        (At::BeforeName | At::BeforeValue, b' ' | b'\t') => at,
        _ => return Err(Refusal::BadRequest),
    })
}
