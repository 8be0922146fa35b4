//! Scans of bytes in blocks, in vector registers.
//!
//! Only the operations of baseline x86-64 (SSE2) and aarch64 (NEON) are used: comparison, minimum,
//! and one bit for each byte.

use wide::u8x16;

use super::class::{TARGET, TOKEN, span};

/// Bytes of a register.
const LANES: usize = 16;
/// Bytes of a block: one bit of a mask for each.
const BLOCK_BYTES: usize = 64;

/// The ends of lines, found by the bytes that are allowed in no field value, and HTAB.
pub struct LineEnds<'a> {
    bytes: &'a [u8],
    block_start: usize,
    /// A bit for each byte of the block that is a stop and was not passed yet.
    stops: u64,
}

impl<'a> LineEnds<'a> {
    #[inline]
    pub fn new(bytes: &'a [u8]) -> LineEnds<'a> {
        LineEnds {
            bytes,
            block_start: 0,
            stops: stops_at(bytes, 0),
        }
    }

    /// Position of the next CR LF. `None` if there is none, or a control character before it other
    /// than HTAB.
    #[inline(always)]
    pub fn next(&mut self) -> Option<usize> {
        loop {
            while self.stops == 0 {
                self.next_block()?;
            }
            let in_block = self.stops.trailing_zeros() as usize;
            let stop = self.block_start + in_block;
            self.pass_stop();
            match self.bytes[stop..].first_chunk::<2>()? {
                b"\r\n" => {
                    // The LF is the next stop.
                    if in_block == BLOCK_BYTES - 1 {
                        self.next_block()?;
                    }
                    self.pass_stop();
                    return Some(stop);
                }
                [b'\t', _] => {}
                _ => return None,
            }
        }
    }

    #[inline(always)]
    fn pass_stop(&mut self) {
        self.stops &= self.stops.wrapping_sub(1);
    }

    #[inline(always)]
    fn next_block(&mut self) -> Option<()> {
        self.block_start += BLOCK_BYTES;
        if self.block_start >= self.bytes.len() {
            return None;
        }
        self.stops = stops_at(self.bytes, self.block_start);
        Some(())
    }
}

/// The stops of the block at `start`, or of what there is of it.
#[inline]
fn stops_at(bytes: &[u8], start: usize) -> u64 {
    let rest = &bytes[start..];
    if let Some(block) = rest.first_chunk() {
        return stops(block);
    }
    if let Some(block) = bytes.last_chunk() {
        return stops(block) >> (BLOCK_BYTES - rest.len());
    }
    let mut block = [b' '; BLOCK_BYTES];
    block[..rest.len()].copy_from_slice(rest);
    stops(&block)
}

/// A bit for each byte below SP, and for DEL.
#[inline]
fn stops(block: &[u8; BLOCK_BYTES]) -> u64 {
    let (registers, _) = block.as_chunks::<LANES>();
    registers.iter().rev().fold(0, |mask, register| {
        let bytes = u8x16::new(*register);
        let is_control = bytes.min(splat(0x1f)).cmp_eq(bytes);
        mask << LANES | bits(is_control | bytes.cmp_eq(splat(0x7f)))
    })
}

/// Bytes of the token at the front.
#[inline]
pub fn token_bytes(bytes: &[u8]) -> usize {
    // Letters and hyphens only: most names are made of them.
    let others = |register: &[u8; LANES]| {
        let bytes = u8x16::new(*register);
        let from_a = (bytes | splat(0x20)) - splat(b'a');
        let is_letter = from_a.min(splat(25)).cmp_eq(from_a);
        !bits(is_letter | bytes.cmp_eq(splat(b'-')))
    };
    let likely = first_bit(bytes, others);
    match bytes.get(likely) {
        Some(b':') => likely,
        _ => likely + span(&bytes[likely..], TOKEN),
    }
}

/// Bytes of a path and query at the front.
#[inline]
pub fn target_bytes(bytes: &[u8]) -> usize {
    let mut found = 0;
    while let Some(register) = bytes[found..].first_chunk::<LANES>() {
        let bytes = u8x16::new(*register);
        let is_visible = (bytes - splat(0x21))
            .min(splat(0x7e - 0x21))
            .cmp_eq(bytes - splat(0x21));
        // `"` and `#`, `<` and `>`: each pair differs in one bit.
        let is_quote_or_hash = (bytes & splat(0xfe)).cmp_eq(splat(b'"'));
        let is_bracket = (bytes & splat(0xfd)).cmp_eq(splat(b'<'));
        // The bits above the lanes are set, so that one is found.
        let others = !bits(is_visible) | bits(is_quote_or_hash | is_bracket);
        let allowed = others.trailing_zeros() as usize;
        found += allowed;
        if allowed < LANES {
            return found;
        }
    }
    found + span(&bytes[found..], TARGET)
}

/// The lowest bit of the register at the front; 0 if there are too few bytes for one.
#[inline]
fn first_bit(bytes: &[u8], mask: impl Fn(&[u8; LANES]) -> u64) -> usize {
    match bytes.first_chunk::<LANES>() {
        Some(register) => (mask(register) | 1 << LANES).trailing_zeros() as usize,
        None => 0,
    }
}

#[inline]
fn splat(byte: u8) -> u8x16 {
    u8x16::new([byte; LANES])
}

/// A bit for each lane, of which all bits are set or none.
#[inline]
fn bits(lanes: u8x16) -> u64 {
    u64::from(lanes.move_mask() as u16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::message::class::{VALUE, is};

    /// Line ends found byte by byte.
    fn line_ends(bytes: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\r' if bytes.get(at + 1) == Some(&b'\n') => {
                    found.push(at);
                    at += 2;
                }
                _ if is(byte, VALUE) => at += 1,
                _ => break,
            }
        }
        found
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => "[a-zA-Z:-]{0,80}".prop_map(String::into_bytes),
            4 => Just(b"\r\n".to_vec()),
            1 => Just(b"\t".to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..3),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]
        #[test]
        fn line_ends_are_those_found_byte_by_byte(bytes in bytes()) {
            let mut ends = LineEnds::new(&bytes);
            let found: Vec<usize> = std::iter::from_fn(|| ends.next()).collect();
            prop_assert_eq!(found, line_ends(&bytes));
        }

        #[test]
        fn tokens_and_targets_end_where_their_classes_do(
            start in "[!-~]{0,70}",
            rest in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let bytes = [start.as_bytes(), &rest].concat();
            prop_assert_eq!(token_bytes(&bytes), span(&bytes, TOKEN));
            prop_assert_eq!(target_bytes(&bytes), span(&bytes, TARGET));
        }
    }

    #[test]
    fn each_byte_is_in_the_class_of_the_table() {
        for byte in 0..=u8::MAX {
            let bytes = [&[b'a'; 5], &[byte][..], &[b'a'; 20]].concat();
            assert_eq!(token_bytes(&bytes), span(&bytes, TOKEN), "{byte:#x}");
            assert_eq!(target_bytes(&bytes), span(&bytes, TARGET), "{byte:#x}");
        }
    }
}
