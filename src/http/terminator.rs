//! Counts terminators (CR LF CR LF) in a stream of any bytes.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// The end of a request head.
pub const TERMINATOR: &[u8; 4] = b"\r\n\r\n";

/// Prepared once: preparing it costs more than searching a short read does.
static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(TERMINATOR));

/// Counts terminators across any split of a stream. One byte; no buffer.
///
/// A terminator shares no byte with the next: CR LF CR LF CR LF is one. The variants say how much
/// of a terminator the stream ends with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TerminatorCounter {
    /// Nothing of a terminator.
    #[default]
    Start,
    /// CR
    Cr,
    /// CR LF
    CrLf,
    /// CR LF CR
    CrLfCr,
}

/// The front of `bytes` up to the end of the first terminator in it.
pub fn first_head(bytes: &[u8]) -> Option<&[u8]> {
    let at = FINDER.find(bytes)?;
    Some(&bytes[..at + TERMINATOR.len()])
}

impl TerminatorCounter {
    /// Counts the terminators that end within `bytes`, the next piece of the stream.
    pub fn count(&mut self, bytes: &[u8]) -> usize {
        let (straddling, rest) = self.finish_straddling(bytes);
        let mut end = 0;
        let inside = FINDER
            .find_iter(rest)
            .map(|at| end = at + TERMINATOR.len())
            .count();
        // Part of a terminator at the end of the stream is in its last three bytes: four would be a
        // match.
        let unmatched = &rest[end..];
        for &byte in &unmatched[unmatched.len().saturating_sub(TERMINATOR.len() - 1)..] {
            self.push(byte);
        }
        straddling + inside
    }

    /// Bytewise for as long as a terminator may have begun in an earlier piece; also gives the
    /// bytes not looked at.
    fn finish_straddling<'a>(&mut self, bytes: &'a [u8]) -> (usize, &'a [u8]) {
        for (at, &byte) in bytes.iter().enumerate() {
            if *self == Self::Start {
                return (0, &bytes[at..]);
            }
            if self.push(byte) {
                return (1, &bytes[at + 1..]);
            }
        }
        (0, &[])
    }

    /// The machine itself: returns true if `byte` ends a terminator.
    fn push(&mut self, byte: u8) -> bool {
        let (next, ended) = match (*self, byte) {
            (Self::Cr, b'\n') => (Self::CrLf, false),
            (Self::CrLf, b'\r') => (Self::CrLfCr, false),
            (Self::CrLfCr, b'\n') => (Self::Start, true),
            (_, b'\r') => (Self::Cr, false),
            _ => (Self::Start, false),
        };
        *self = next;
        ended
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(pieces: &[&[u8]]) -> usize {
        let mut counter = TerminatorCounter::default();
        pieces.iter().map(|piece| counter.count(piece)).sum()
    }

    #[test]
    fn is_one_byte() {
        assert_eq!(size_of::<TerminatorCounter>(), 1);
    }

    #[test]
    fn counts_what_stands_in_one_piece() {
        for (expected, stream) in [
            (0, &b""[..]),
            (0, b"\r\n\r"),
            (1, b"\r\n\r\n"),
            (1, b"\r\n\r\n\r\n"),
            (2, b"\r\n\r\n\r\n\r\n"),
            (1, b"\r\r\n\r\n"),
            (0, b"\r\n\r\r\n"),
            (1, b"\r\n\r\r\n\r\n"),
            (0, b"\n\n\r\n\n"),
            (0, b"\r\n \r\n"),
            (
                2,
                b"GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST\0\xff\r\n\r\n\r\n",
            ),
        ] {
            assert_eq!(
                count(&[stream]),
                expected,
                "{:?}",
                stream.escape_ascii().to_string()
            );
        }
    }

    #[test]
    fn a_terminator_may_be_split_anywhere() {
        let stream = b"a\r\n\r\n\r\n\r\r\n\r\nb\r\n\r\n";
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let pieces = [&stream[..first], &stream[first..second], &stream[second..]];
                assert_eq!(count(&pieces), 3, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_piece_without_bytes_changes_nothing() {
        assert_eq!(count(&[b"\r\n\r", b"", b"\n"]), 1);
    }

    fn bytewise(stream: &[u8]) -> (usize, TerminatorCounter) {
        let mut machine = TerminatorCounter::default();
        let ended = stream.iter().filter(|&&byte| machine.push(byte)).count();
        (ended, machine)
    }

    proptest! {
        #[test]
        fn equals_the_bytewise_machine_on_any_pieces(
            pieces in prop::collection::vec(
                prop::collection::vec(prop_oneof![4 => Just(b'\r'), 4 => Just(b'\n'), 1 => any::<u8>()], 0..70),
                0..8,
            )
        ) {
            let mut counter = TerminatorCounter::default();
            let counted: usize = pieces.iter().map(|piece| counter.count(piece)).sum();
            prop_assert_eq!((counted, counter), bytewise(&pieces.concat()));
        }
    }
}
