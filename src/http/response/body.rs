//! Comparison of bodies: with the one that the user expects, or else with the first one.

use std::rc::Rc;

/// A first body longer than this is not kept, and later ones are then not compared.
pub const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// Result of comparing a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyVerdict {
    /// Equal to the expected one, or to the first.
    Same,
    /// Another.
    Other,
    /// There was nothing to compare it with.
    Unchecked,
}

/// The body that the replies to a request should have; shared by all connections of a run.
#[derive(Clone, Debug)]
pub struct ExpectedBody {
    reference: Reference,
}

#[derive(Clone, Debug)]
enum Reference {
    /// The first complete body of a 2xx reply becomes the reference.
    Awaited {
        kept_bytes_max: usize,
    },
    First(Vec<u8>),
    /// Given by the user; compared with every reply.
    Given(Rc<[u8]>),
    /// The first was too long to keep.
    None,
}

impl ExpectedBody {
    /// Expects the first body again.
    pub fn first() -> ExpectedBody {
        ExpectedBody::first_within(KEPT_BYTES_MAX)
    }

    /// The same, for a first body of up to `kept_bytes_max`.
    pub fn first_within(kept_bytes_max: usize) -> ExpectedBody {
        ExpectedBody {
            reference: Reference::Awaited { kept_bytes_max },
        }
    }

    /// Expects this body.
    pub fn given(bytes: impl Into<Rc<[u8]>>) -> ExpectedBody {
        ExpectedBody {
            reference: Reference::Given(bytes.into()),
        }
    }

    fn bytes(&self) -> Option<&[u8]> {
        match &self.reference {
            Reference::First(bytes) => Some(bytes),
            Reference::Given(bytes) => Some(bytes),
            Reference::Awaited { .. } | Reference::None => None,
        }
    }
}

/// Comparison of the body that is being received.
#[derive(Clone, Debug, Default)]
pub(super) struct BodyCheck {
    length: usize,
    differs: bool,
    /// Bytes received while there was nothing to compare them with yet.
    kept: Vec<u8>,
}

impl BodyCheck {
    pub(super) fn take(&mut self, piece: &[u8], expected: &ExpectedBody) {
        match (expected.bytes(), &expected.reference) {
            (Some(bytes), _) => {
                self.compare_kept(bytes);
                self.compare(piece, bytes);
            }
            (None, Reference::Awaited { kept_bytes_max }) => {
                let room = kept_bytes_max
                    .saturating_add(1)
                    .saturating_sub(self.kept.len());
                self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
            }
            (None, _) => {}
        }
    }

    /// Judges the complete body, and starts afresh for the next one.
    pub(super) fn finish(&mut self, status: u16, expected: &mut ExpectedBody) -> BodyVerdict {
        let success = (200..300).contains(&status);
        if let Reference::Awaited { kept_bytes_max } = expected.reference
            && success
        {
            let first = std::mem::take(&mut self.kept);
            expected.reference = if first.len() > kept_bytes_max {
                Reference::None
            } else {
                Reference::First(first)
            };
            self.reset();
            return BodyVerdict::Same;
        }
        let verdict = match (expected.bytes(), &expected.reference) {
            (Some(_), Reference::First(_)) if !success => BodyVerdict::Unchecked,
            (Some(bytes), _) => {
                self.compare_kept(bytes);
                if self.differs || self.length != bytes.len() {
                    BodyVerdict::Other
                } else {
                    BodyVerdict::Same
                }
            }
            (None, _) => BodyVerdict::Unchecked,
        };
        self.reset();
        verdict
    }

    pub(super) fn reset(&mut self) {
        self.length = 0;
        self.differs = false;
        self.kept.clear();
    }

    /// Compares what was kept: the reference was found on another connection in the meantime.
    fn compare_kept(&mut self, expected: &[u8]) {
        if !self.kept.is_empty() {
            let kept = std::mem::take(&mut self.kept);
            self.compare(&kept, expected);
        }
    }

    fn compare(&mut self, piece: &[u8], expected: &[u8]) {
        let end = self.length.saturating_add(piece.len());
        self.differs |= expected.get(self.length..end) != Some(piece);
        self.length = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict on a second body, after a first one of this length.
    fn second(first_bytes: usize, second: &[u8], kept_bytes_max: usize) -> BodyVerdict {
        let mut expected = ExpectedBody::first_within(kept_bytes_max);
        let mut check = BodyCheck::default();
        check.take(&vec![b'a'; first_bytes], &expected);
        assert_eq!(check.finish(200, &mut expected), BodyVerdict::Same);
        check.take(second, &expected);
        check.finish(200, &mut expected)
    }

    #[test]
    fn bodies_are_compared_with_the_first_up_to_its_length_limit() {
        for limit in [3, KEPT_BYTES_MAX] {
            let longest = vec![b'a'; limit];
            assert_eq!(second(limit, &longest, limit), BodyVerdict::Same);
            assert_eq!(second(limit, b"a", limit), BodyVerdict::Other);
            assert_eq!(second(limit + 1, b"a", limit), BodyVerdict::Unchecked);
        }
    }

    #[test]
    fn a_body_that_is_too_long_to_keep_takes_no_room() {
        let mut expected = ExpectedBody::first();
        let mut check = BodyCheck::default();
        for _ in 0..3 {
            check.take(&[b'a'; KEPT_BYTES_MAX], &expected);
        }
        assert_eq!(check.kept.len(), KEPT_BYTES_MAX + 1);
        check.finish(200, &mut expected);
        check.take(b"a", &expected);
        assert_eq!(check.kept.len(), 0);
    }

    #[test]
    fn the_first_body_is_that_of_a_2xx_reply() {
        for (status, is_first) in [(199, false), (200, true), (299, true), (300, false)] {
            let mut expected = ExpectedBody::first();
            let verdict = BodyCheck::default().finish(status, &mut expected);
            assert_eq!(verdict == BodyVerdict::Same, is_first, "{status}");
        }
    }
}
