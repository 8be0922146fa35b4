//! Recognises one word out of a few, in any pieces.

/// A word to be recognised, in lower case, and what it means. Keywords are made of letters, digits
/// and hyphens, at most 255 of them.
pub type Keywords<T> = [(&'static [u8], T)];

/// Makes a letter lower case. It also makes a digit or a hyphen of some control bytes, but those
/// are in no token.
const LOWER: u8 = 0x20;

/// Compares a word without regard to case with a table of at most eight.
///
/// It keeps which of them still fit and how far, never the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeywordMatcher {
    fitting: u8,
    matched: u8,
}

impl KeywordMatcher {
    /// A matcher that has read nothing: every word fits.
    pub const fn new() -> KeywordMatcher {
        KeywordMatcher {
            fitting: u8::MAX,
            matched: 0,
        }
    }

    /// Reads on in the same word: a piece of a token.
    #[inline]
    pub fn feed<T>(&mut self, piece: &[u8], words: &Keywords<T>) {
        let Some(&first) = piece.first() else { return };
        let start = usize::from(self.matched);
        let end = start + piece.len();
        let mut fitting = 0;
        for (index, (word, _)) in words.iter().enumerate() {
            let fits = self.fitting & (1 << index) != 0
                && word.len() >= end
                && word[start] == first | LOWER
                && word[start..end]
                    .iter()
                    .zip(piece)
                    .all(|(&ours, &theirs)| ours == theirs | LOWER);
            fitting |= u8::from(fits) << index;
        }
        self.fitting = fitting;
        // Only ever used while a word fits, and words are short.
        self.matched = if fitting == 0 { 0 } else { end as u8 };
    }

    /// Returns the meaning of the word, which has ended.
    #[inline]
    pub fn found<T: Copy>(self, words: &Keywords<T>) -> Option<T> {
        words
            .iter()
            .enumerate()
            .find(|(index, (word, _))| {
                self.fitting & (1 << index) != 0 && word.len() == usize::from(self.matched)
            })
            .map(|(_, &(_, meaning))| meaning)
    }
}

/// Compares bytes that are allowed in a value with a word in lower case. No early exit: the loop
/// becomes vector code.
#[inline]
pub fn is_word<const BYTES: usize>(bytes: &[u8], word: &[u8; BYTES]) -> bool {
    let Ok(bytes) = <&[u8; BYTES]>::try_from(bytes) else {
        return false;
    };
    let differences = bytes.iter().zip(word);
    differences.fold(0, |all, (&theirs, &ours)| all | ((theirs | LOWER) ^ ours)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &Keywords<u8> = &[(b"connection", 1), (b"content-length", 2), (b"con", 3)];

    fn found(pieces: &[&str]) -> Option<u8> {
        let mut matcher = KeywordMatcher::new();
        for piece in pieces {
            matcher.feed(piece.as_bytes(), WORDS);
        }
        matcher.found(WORDS)
    }

    #[test]
    fn finds_a_word_in_any_case_and_any_pieces() {
        assert_eq!(found(&["Connection"]), Some(1));
        assert_eq!(found(&["CON", "", "tent-", "LENGTH"]), Some(2));
        assert_eq!(found(&["c", "o", "n"]), Some(3));
    }

    #[test]
    fn a_longer_a_shorter_and_another_word_are_not_found() {
        assert_eq!(found(&["connection", "s"]), None);
        assert_eq!(found(&["connectio"]), None);
        assert_eq!(found(&["conn", "ection-length"]), None);
        assert_eq!(found(&[]), None);
        assert_eq!(found(&["x", "connection"]), None);
        assert_eq!(found(&[&"con".repeat(200)]), None);
    }

    #[test]
    fn the_start_of_a_longer_word_is_not_another_of_its_length() {
        assert_eq!("content-le".len(), "connection".len());
        assert_eq!(found(&["content-le"]), None);
    }
}
