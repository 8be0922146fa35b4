//! A chunked body (RFC 9112 7.1): its chunks, not the trailer section after them.

use super::class::{TOKEN, VALUE, is};
use super::within;

/// Limits on chunks, and where requests and responses differ in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkRules {
    /// Bytes of a chunk's size, extensions and CR LF.
    pub line_bytes_max: usize,
    /// Bytes of data in all chunks.
    pub body_bytes_max: u64,
    /// Bytes by which the framing of all chunks may outweigh their data.
    pub framing_bytes_excess_max: u64,
    /// Blanks between a size and the end of its line. The grammar has none, but some servers send
    /// sizes padded to a fixed width.
    pub padding: Padding,
}

/// Blanks between a chunk's size and the end of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    Refused,
    Allowed,
}

/// Fault of a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkFault {
    /// Not the grammar, or over a limit on framing.
    Malformed,
    /// More data than [`ChunkRules::body_bytes_max`].
    TooLarge,
}

/// Digits that the fast pass reads.
const USUAL_DIGITS_MAX: usize = 8;

/// Reads chunks, up to and including the line of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkReader {
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
    /// In the blanks before a semicolon, or in padding.
    Blank,
    LineFeed,
    Data,
    DataCarriageReturn,
    DataLineFeed,
}

impl ChunkReader {
    pub const fn new() -> ChunkReader {
        ChunkReader {
            at: At::SizeStart,
            remaining: 0,
            body_bytes: 0,
            framing_bytes: 0,
            line_bytes: 0,
        }
    }

    /// Hands the data to `sink`. Returns true once the last chunk's line was read; all of the input
    /// is taken if it was not.
    pub fn advance(
        &mut self,
        input: &mut &[u8],
        rules: &ChunkRules,
        mut sink: impl FnMut(&[u8]),
    ) -> Result<bool, ChunkFault> {
        while !input.is_empty() {
            if self.at == At::SizeStart && self.pass_usual_line(input, rules) {
                if self.end_line() {
                    return Ok(true);
                }
                continue;
            }
            match self.at {
                At::Data => self.pass_data(input, &mut sink),
                At::DataCarriageReturn
                    if input.starts_with(b"\r\n")
                        && self.framing_bytes + 2 <= self.framing_bytes_max(rules) =>
                {
                    self.framing_bytes += 2;
                    self.at = At::SizeStart;
                    *input = &input[2..];
                }
                At::DataCarriageReturn | At::DataLineFeed => {
                    self.at = match (self.at, input[0]) {
                        (At::DataCarriageReturn, b'\r') => At::DataLineFeed,
                        (At::DataLineFeed, b'\n') => At::SizeStart,
                        _ => return Err(ChunkFault::Malformed),
                    };
                    self.count_framing(1, rules)?;
                    *input = &input[1..];
                }
                _ => {
                    let mut line_bytes = self.line_bytes;
                    let max = rules.line_bytes_max;
                    let over = ChunkFault::Malformed;
                    let is_complete = within(&mut line_bytes, max, over, input, |window| {
                        self.read_line(window, rules)
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

    /// The fast pass over a line that is whole and has nothing but a size. Takes nothing otherwise.
    fn pass_usual_line(&mut self, input: &mut &[u8], rules: &ChunkRules) -> bool {
        let digits = input
            .iter()
            .take(USUAL_DIGITS_MAX)
            .map_while(|&byte| hex(byte));
        let (count, size) = digits.fold((0, 0), |(count, size), digit| {
            (count + 1, size << 4 | u64::from(digit))
        });
        let line_bytes = count + 2;
        let framing_bytes = self.framing_bytes + line_bytes as u64;
        let is_usual = count > 0
            && input[count..].starts_with(b"\r\n")
            && line_bytes <= rules.line_bytes_max
            && size <= rules.body_bytes_max.saturating_sub(self.body_bytes)
            && framing_bytes <= self.framing_bytes_max(rules);
        if is_usual {
            self.remaining = size;
            self.framing_bytes = framing_bytes;
            *input = &input[line_bytes..];
        }
        is_usual
    }

    fn pass_data(&mut self, input: &mut &[u8], sink: &mut impl FnMut(&[u8])) {
        let passed = usize::try_from(self.remaining)
            .unwrap_or(usize::MAX)
            .min(input.len());
        sink(&input[..passed]);
        self.remaining -= passed as u64;
        *input = &input[passed..];
        if self.remaining == 0 {
            self.at = At::DataCarriageReturn;
        }
    }

    /// Returns true once the chunk's line is complete.
    fn read_line(&mut self, input: &mut &[u8], rules: &ChunkRules) -> Result<bool, ChunkFault> {
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            self.at = match (self.at, byte) {
                (At::SizeStart | At::Size, _) if byte.is_ascii_hexdigit() => {
                    self.push_size(byte, rules)?;
                    At::Size
                }
                (At::LineFeed, b'\n') => {
                    self.count_framing(1, rules)?;
                    return Ok(true);
                }
                (At::Blank, b'\r') if rules.padding == Padding::Allowed => At::LineFeed,
                (at, _) => extension(at, byte)?,
            };
            self.count_framing(1, rules)?;
        }
        Ok(false)
    }

    /// Returns true if that was the last chunk's line.
    fn end_line(&mut self) -> bool {
        self.line_bytes = 0;
        self.body_bytes += self.remaining;
        self.at = At::Data;
        self.remaining == 0
    }

    fn push_size(&mut self, digit: u8, rules: &ChunkRules) -> Result<(), ChunkFault> {
        let value = hex(digit).ok_or(ChunkFault::Malformed)?;
        let allowed = rules.body_bytes_max.saturating_sub(self.body_bytes);
        self.remaining = self
            .remaining
            .checked_mul(16)
            .and_then(|high| high.checked_add(u64::from(value)))
            .filter(|&size| size <= allowed)
            .ok_or(ChunkFault::TooLarge)?;
        Ok(())
    }

    fn count_framing(&mut self, bytes: u64, rules: &ChunkRules) -> Result<(), ChunkFault> {
        self.framing_bytes += bytes;
        if self.framing_bytes > self.framing_bytes_max(rules) {
            return Err(ChunkFault::Malformed);
        }
        Ok(())
    }

    fn framing_bytes_max(&self, rules: &ChunkRules) -> u64 {
        let excess = rules.framing_bytes_excess_max;
        self.body_bytes.saturating_add(excess)
    }
}

/// Value of a hexadecimal digit.
fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// One byte of a chunk's extensions (RFC 9112 7.1.1): checked, never used.
fn extension(at: At, byte: u8) -> Result<At, ChunkFault> {
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
        _ => return Err(ChunkFault::Malformed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The outcome, the data, and how many bytes led to it.
    type Outcome = (Result<bool, ChunkFault>, Vec<u8>, usize);

    fn read(bytes: &[u8], rules: &ChunkRules, piece_bytes: usize) -> Outcome {
        let mut reader = ChunkReader::new();
        let mut data = Vec::new();
        let mut taken = 0;
        for piece in bytes.chunks(piece_bytes) {
            let mut input = piece;
            let outcome = reader.advance(&mut input, rules, |part| data.extend_from_slice(part));
            taken += piece.len() - input.len();
            if outcome != Ok(false) {
                return (outcome, data, taken);
            }
        }
        (Ok(false), data, taken)
    }

    fn rules(framing_bytes_excess_max: u64) -> ChunkRules {
        ChunkRules {
            line_bytes_max: 8,
            body_bytes_max: 40,
            framing_bytes_excess_max,
            padding: Padding::Refused,
        }
    }

    #[test]
    fn framing_may_outweigh_data_by_the_limit_and_no_more() {
        // 5 bytes of framing around 1 of data, then the 3 of the last line.
        let body = b"1\r\na\r\n0\r\n";
        for piece_bytes in [1, body.len()] {
            let outcome = |excess| read(body, &rules(excess), piece_bytes).0;
            assert_eq!(outcome(7), Ok(true));
            assert_eq!(outcome(6), Err(ChunkFault::Malformed));
            let (after_data, ..) = read(&body[..6], &rules(3), piece_bytes);
            assert_eq!(after_data, Err(ChunkFault::Malformed));
        }
    }

    #[test]
    fn each_line_may_be_as_long_as_the_limit() {
        let body = b"1;ext\r\na\r\n0;ext\r\n";
        for piece_bytes in [1, body.len()] {
            let outcome = |line_bytes_max| {
                let rules = ChunkRules {
                    line_bytes_max,
                    ..rules(40)
                };
                read(body, &rules, piece_bytes)
            };
            assert_eq!(outcome(7), (Ok(true), b"a".to_vec(), body.len()));
            assert_eq!(outcome(6).0, Err(ChunkFault::Malformed));
        }
    }

    proptest! {
        #[test]
        fn whole_chunks_are_read_as_byte_by_byte(
            pieces in prop::collection::vec(
                prop_oneof![
                    4 => Just("1\r\na\r\n".to_owned()),
                    2 => Just("0a\r\n0123456789\r\n".to_owned()),
                    1 => Just("0\r\n".to_owned()),
                    1 => "[0-9a-fA-F;=\r\n ]{1,4}",
                ],
                0..8,
            ),
            excess in 0u64..40,
        ) {
            let bytes = pieces.concat().into_bytes();
            let (result, data, taken) = read(&bytes, &rules(excess), bytes.len().max(1));
            let (expected, expected_data, expected_taken) = read(&bytes, &rules(excess), 1);
            prop_assert_eq!(result, expected);
            prop_assert_eq!(data, expected_data);
            if result.is_ok() {
                prop_assert_eq!(taken, expected_taken);
            }
        }
    }
}
