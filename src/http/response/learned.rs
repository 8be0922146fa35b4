//! The learned reply: the bytes of one reply that was parsed in full, against which later bytes
//! are compared instead of being parsed.
//!
//! A reply that delimits itself (by a length, by chunks, or without a body) is the same reply
//! wherever its bytes begin at a message boundary, if the request was the same. That is also true
//! if fields without a meaning here (a date, an id, a counter) have other values of the same
//! length: any bytes that are allowed in a field value leave the lines of the head as they are. All
//! other bytes must be equal. The comparison is exact, not a guess. Replies that end with their
//! connection, or that came after interim ones, are never learned.

use super::ReceivedReply;
use crate::http::message::class::{BLANK, is};
use crate::http::message::name::field_name;
use crate::http::terminator::first_head;

/// Longer replies are not learned: comparing them would not stay in the cache.
const BYTES_MAX: usize = 16 * 1024;
/// After this many misses in a row, learning is given up for [`REST`] replies.
const MISSES_MAX: u32 = 64;
/// Long enough that a server whose replies all differ pays next to nothing for us trying.
const REST: u32 = 4096;

/// One reply's bytes, and what they mean.
#[derive(Clone, Debug, Default)]
pub struct LearnedReply {
    /// The last copy.
    bytes: Vec<u8>,
    /// For each byte, 0xff if all copies have the same, and 0 if it is in a value that may vary.
    fixed: Vec<u8>,
    meaning: Option<ReceivedReply>,
    misses_in_a_row: u32,
    resting: u32,
}

impl LearnedReply {
    /// Nothing learned yet.
    pub fn new() -> LearnedReply {
        LearnedReply::default()
    }

    /// Counts the copies of the learned reply at the front of `bytes`, one after the other, and says
    /// what each of them is. `bytes` must begin at a message boundary.
    pub fn copies(&mut self, bytes: &[u8]) -> Option<(usize, ReceivedReply)> {
        let meaning = self.meaning?;
        let length = self.bytes.len();
        let mut copies = self.equal_copies(bytes);
        let rest = &bytes[copies * length..];
        if rest.len() >= length {
            copies += self.varied_copies(rest);
        }
        if copies == 0 {
            return None;
        }
        self.misses_in_a_row = 0;
        Some((copies, meaning))
    }

    /// Counts the copies at the front that differ from the last one where they may, and learns the
    /// last of them.
    // Kept out of the path of equal copies, which would load the constants of its vector code.
    #[inline(never)]
    fn varied_copies(&mut self, bytes: &[u8]) -> usize {
        let chunks = bytes.chunks_exact(self.bytes.len());
        let copies = chunks.take_while(|chunk| self.is_copy(chunk)).count();
        if copies > 0 {
            // The next replies are most like the last: with the same date, say.
            let end = copies * self.bytes.len();
            let last = &bytes[end - self.bytes.len()..end];
            self.bytes.copy_from_slice(last);
        }
        copies
    }

    /// Counts the copies at the front that are equal to the last one.
    fn equal_copies(&self, bytes: &[u8]) -> usize {
        if !bytes.starts_with(&self.bytes) {
            return 0;
        }
        let length = self.bytes.len();
        // The usual read without pipelining, and no division.
        if bytes.len() < 2 * length {
            return 1;
        }
        let whole = bytes.len() / length;
        let shifted = (whole - 1) * length;
        // The first is a copy, and each equals the one before it: all are copies, by one compare.
        if bytes[..shifted] == bytes[length..length + shifted] {
            return whole;
        }
        let chunks = bytes.chunks_exact(length);
        chunks.take_while(|chunk| *chunk == self.bytes).count()
    }

    /// Compares bytes of the same length. No early exit: the loop becomes vector code.
    fn is_copy(&self, bytes: &[u8]) -> bool {
        let learned = self.bytes.iter().zip(&self.fixed);
        let differences = bytes
            .iter()
            .zip(learned)
            .map(|(&byte, (&learned, &fixed))| {
                let is_control = byte < b' ' && byte != b'\t' || byte == 0x7f;
                let forbidden = if is_control { 0xff } else { 0 };
                (byte ^ learned) & fixed | forbidden & !fixed
            });
        differences.fold(0, |all, difference| all | difference) == 0
    }

    /// Length of a copy; 0 if nothing is learned.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// A reply had to be parsed. `whole` holds its bytes if it lay in one piece.
    pub fn missed(&mut self, whole: Option<&[u8]>, reply: &ReceivedReply) {
        if self.resting > 0 {
            self.resting -= 1;
            return;
        }
        let Some(bytes) = whole else { return };
        if !reply.delimits_itself || reply.closes || reply.interim > 0 || bytes.len() > BYTES_MAX {
            return;
        }
        self.misses_in_a_row += 1;
        self.bytes.clear();
        self.meaning = None;
        if self.misses_in_a_row > MISSES_MAX {
            self.misses_in_a_row = 0;
            self.resting = REST;
        } else {
            self.bytes.extend_from_slice(bytes);
            self.meaning = Some(*reply);
            self.free_values();
        }
    }

    /// Finds the values that may vary. None may in a head with bare LF or continued lines: where
    /// such a head ends is not worth finding out here.
    fn free_values(&mut self) {
        self.fixed.clear();
        self.fixed.resize(self.bytes.len(), 0xff);
        let head = first_head(&self.bytes).unwrap_or_default();
        let is_plain = |line: &[u8]| {
            let is_continued = line.first().is_some_and(|&byte| is(byte, BLANK));
            !is_continued && line.ends_with(b"\r\n")
        };
        if !head.split_inclusive(|&byte| byte == b'\n').all(is_plain) {
            return;
        }
        let mut start = 0;
        for line in head.split_inclusive(|&byte| byte == b'\n') {
            let colon = line.iter().position(|&byte| byte == b':');
            if let Some(colon) = colon
                && start > 0
                && field_name(&line[..colon]).is_none()
            {
                self.fixed[start + colon + 1..start + line.len() - 2].fill(0);
            }
            start += line.len();
        }
    }
}
