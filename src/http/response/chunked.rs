//! The chunked transfer coding (RFC 9112 7.1), pushed through in pieces of any size.

use super::BadReply;

/// A line with a chunk's size and extensions, and the whole trailer section, may be this long.
const OVERHEAD_BYTES_MAX: usize = 64 * 1024;

/// Where in a chunked body the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first digit of a chunk's size.
    SizeStart,
    /// After at least one digit.
    Size,
    /// In an extension, or the blanks before it.
    Extension,
    /// The line with the size must end.
    SizeLf,
    /// In the data.
    Data,
    /// The data must be followed by CR LF.
    DataCr,
    DataLf,
    /// At the start of a trailer line, or of the empty line that ends the body.
    TrailerStart,
    Trailer,
    TrailerLf,
    /// The CR of the last line was read.
    LastLf,
    Done,
}

/// A chunked body under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkedBody {
    place: Place,
    /// The size being read, then the bytes of data to come.
    left: u64,
    overhead_bytes: usize,
}

impl ChunkedBody {
    pub(super) fn new() -> ChunkedBody {
        ChunkedBody {
            place: Place::SizeStart,
            left: 0,
            overhead_bytes: 0,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.place == Place::Done
    }

    /// Takes bytes to the end of the body at most, hands the data to `sink`, and returns how many
    /// bytes were taken.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        mut sink: impl FnMut(&[u8]),
    ) -> Result<usize, BadReply> {
        let mut at = 0;
        while at < bytes.len() && self.place != Place::Done {
            if self.place == Place::Data {
                let here = bytes.len() - at;
                let taken = usize::try_from(self.left).map_or(here, |left| left.min(here));
                sink(&bytes[at..at + taken]);
                at += taken;
                self.left -= taken as u64;
                if self.left == 0 {
                    self.place = Place::DataCr;
                }
            } else {
                self.step(bytes[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    /// One byte of framing.
    fn step(&mut self, byte: u8) -> Result<(), BadReply> {
        use Place::*;
        self.place = match (self.place, byte) {
            (SizeStart | Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                self.add_digit(byte)?;
                Size
            }
            (Size, b';' | b' ' | b'\t') => Extension,
            (Size | Extension, b'\r') => SizeLf,
            (Extension, byte) if byte != b'\n' => {
                self.count_overhead()?;
                Extension
            }
            (SizeLf, b'\n') => {
                self.overhead_bytes = 0;
                if self.left == 0 { TrailerStart } else { Data }
            }
            (DataCr, b'\r') => DataLf,
            (DataLf, b'\n') => SizeStart,
            (TrailerStart, b'\r') => LastLf,
            (Trailer, b'\r') => TrailerLf,
            (TrailerStart | Trailer, byte) if byte != b'\n' => {
                self.count_overhead()?;
                Trailer
            }
            (TrailerLf, b'\n') => TrailerStart,
            (LastLf, b'\n') => Done,
            _ => return Err(BadReply::Chunk),
        };
        Ok(())
    }

    fn add_digit(&mut self, digit: u8) -> Result<(), BadReply> {
        let value = char::from(digit).to_digit(16).ok_or(BadReply::Chunk)?;
        self.left = self
            .left
            .checked_mul(16)
            .and_then(|left| left.checked_add(u64::from(value)))
            .ok_or(BadReply::Chunk)?;
        // Leading zeros never overflow, but they must not go on for ever either.
        self.count_overhead()
    }

    fn count_overhead(&mut self) -> Result<(), BadReply> {
        self.overhead_bytes += 1;
        if self.overhead_bytes > OVERHEAD_BYTES_MAX {
            return Err(BadReply::Chunk);
        }
        Ok(())
    }
}
