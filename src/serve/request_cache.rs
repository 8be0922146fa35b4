//! The request cache: a head that equals the last one byte for byte is not parsed again.
//!
//! This is exact because the reply is a function of the bytes from a request's start: equal bytes
//! are the same request, have the same end and get the same reply, whatever follows. It applies
//! at a request's start only.

/// Length of the longest head that is cached.
pub const HEAD_BYTES_MAX: usize = 1024;
/// After this many heads in a row of which none came again, learning is given up for [`REST`]
/// heads.
const MISSES_MAX: u32 = 64;
/// Where no head comes again, a copy of each would be the larger part of what a server does beside
/// reading it.
const REST: u32 = 1024;

/// The head of the last request, which is likely to come again.
#[derive(Debug, Default)]
pub struct RequestCache {
    /// Empty until one is learned.
    bytes: Vec<u8>,
    misses_in_a_row: u32,
    resting: u32,
}

impl RequestCache {
    /// Caches a whole head, read from a request's start, after which the parser is at a start again.
    pub fn learn(&mut self, head: &[u8]) {
        if self.resting > 0 {
            self.resting -= 1;
            return;
        }
        if head.len() > HEAD_BYTES_MAX {
            return;
        }
        self.misses_in_a_row += 1;
        self.bytes.clear();
        if self.misses_in_a_row > MISSES_MAX {
            self.misses_in_a_row = 0;
            self.resting = REST;
        } else {
            self.bytes.extend_from_slice(head);
        }
    }

    /// The number of copies of the head that `bytes` starts with, and what follows them.
    #[inline]
    pub fn strip_repeats<'b>(&mut self, bytes: &'b [u8]) -> (usize, &'b [u8]) {
        let length = self.bytes.len();
        if length == 0 || !bytes.starts_with(&self.bytes) {
            return (0, bytes);
        }
        self.misses_in_a_row = 0;
        // Bytes that equal themselves one head further on are all the first head, by induction.
        let copies = bytes.len() / length;
        let overlap = (copies - 1) * length;
        if bytes[..overlap] == bytes[length..length + overlap] {
            return (copies, &bytes[copies * length..]);
        }
        let copies = bytes
            .chunks_exact(length)
            .take_while(|chunk| *chunk == self.bytes)
            .count();
        (copies, &bytes[copies * length..])
    }
}

#[cfg(test)]
mod tests {
    use super::{MISSES_MAX, REST, RequestCache};
    use proptest::prelude::*;

    fn known(head: &[u8]) -> RequestCache {
        let mut known = RequestCache::default();
        known.learn(head);
        known
    }

    #[test]
    fn repeats_are_counted_up_to_the_first_difference() {
        let mut known = known(b"abc");
        for (bytes, count, rest) in [
            (&b"abcabcabc"[..], 3, &b""[..]),
            (b"abcabcab", 2, b"ab"),
            (b"abcabdabc", 1, b"abdabc"),
            (b"abdabc", 0, b"abdabc"),
            (b"ab", 0, b"ab"),
            (b"", 0, b""),
        ] {
            assert_eq!(known.strip_repeats(bytes), (count, rest));
        }
    }

    #[test]
    fn nothing_known_strips_nothing() {
        assert_eq!(
            RequestCache::default().strip_repeats(b"abc"),
            (0, &b"abc"[..])
        );
    }

    #[test]
    fn an_overlong_head_is_not_learned() {
        let head = vec![b'a'; super::HEAD_BYTES_MAX + 1];
        assert_eq!(known(&head).strip_repeats(&head), (0, &head[..]));
    }

    #[test]
    fn learning_pauses_where_no_head_is_repeated() {
        let mut cache = RequestCache::default();
        let mut learns = |number: u32| {
            let head = number.to_be_bytes();
            cache.learn(&head);
            cache.bytes == head
        };
        let learned: Vec<bool> = (0..MISSES_MAX + 1 + REST + 1).map(&mut learns).collect();
        let (first, rest) = learned.split_at(MISSES_MAX as usize);
        assert!(first.iter().all(|&learned| learned));
        assert!(!rest[..rest.len() - 1].iter().any(|&learned| learned));
        assert!(rest[rest.len() - 1], "it tries again");
    }

    #[test]
    fn a_repeated_head_keeps_learning_on() {
        let mut cache = RequestCache::default();
        for number in 0..3 * MISSES_MAX {
            let head = number.to_be_bytes();
            cache.learn(&head);
            assert_eq!(cache.strip_repeats(&head).0, 1, "{number}");
        }
    }

    proptest! {
        #[test]
        fn stripping_equals_comparing_one_by_one(
            head in prop::collection::vec(0u8..2, 1..5),
            bytes in prop::collection::vec(0u8..2, 0..40),
        ) {
            let mut rest = &bytes[..];
            let mut count = 0;
            while let Some(next) = rest.strip_prefix(&head[..]) {
                rest = next;
                count += 1;
            }
            prop_assert_eq!(known(&head).strip_repeats(&bytes), (count, rest));
        }
    }
}
