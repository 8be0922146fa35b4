//! The learned reply: the bytes of one reply that was parsed in full, against which later bytes
//! are compared instead of being parsed.
//!
//! A reply that delimits itself (a length, chunks, or no body at all) is the same reply wherever
//! its bytes stand at a message boundary and the request was the same. So equal bytes are one
//! complete reply with a known status and a verified body, and the comparison is exact, not a
//! guess. Replies that end with their connection, or that came after interim ones, are never
//! learned.

use super::ReceivedReply;

/// Longer replies are not learned: comparing them would not stay in the cache.
const BYTES_MAX: usize = 16 * 1024;
/// After so many misses in a row, learning is given up for [`REST`] replies.
const MISSES_MAX: u32 = 64;
/// Long enough that a server whose replies all differ pays next to nothing for us trying.
const REST: u32 = 4096;

/// One reply's bytes, and what they mean.
#[derive(Clone, Debug, Default)]
pub struct LearnedReply {
    bytes: Vec<u8>,
    meaning: Option<ReceivedReply>,
    misses_in_a_row: u32,
    resting: u32,
}

impl LearnedReply {
    /// Nothing learned yet.
    pub fn new() -> LearnedReply {
        LearnedReply::default()
    }

    /// How many copies of the learned reply stand at the front of `bytes`, one after the other,
    /// and what each of them is. `bytes` must begin at a message boundary.
    pub fn copies(&mut self, bytes: &[u8]) -> Option<(usize, ReceivedReply)> {
        let meaning = self.meaning?;
        let length = self.bytes.len();
        if !bytes.starts_with(&self.bytes) {
            return None;
        }
        self.misses_in_a_row = 0;
        let whole = bytes.len() / length;
        let shifted = (whole - 1) * length;
        // The first is a copy, and each equals the one before it: all are copies, by one compare.
        if bytes[..shifted] == bytes[length..length + shifted] {
            return Some((whole, meaning));
        }
        let copies = bytes
            .chunks_exact(length)
            .take_while(|chunk| *chunk == self.bytes)
            .count();
        Some((copies, meaning))
    }

    /// How many bytes one copy has; 0 if nothing is learned.
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
        }
    }
}
