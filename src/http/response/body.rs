//! Comparison of bodies: with the one that the user expects, or else with the first one.

use std::rc::Rc;

/// A first body longer than this is not kept, and later ones are then not compared.
pub const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// First bodies that are being received on several connections have this room together.
const AWAITED_BYTES_MAX: usize = 64 * 1024 * 1024;

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
        /// Room for bodies under way. That of a body whose connection ends is not given back.
        room_bytes: usize,
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
            reference: Reference::Awaited {
                kept_bytes_max,
                // As large a part of the room as of the length.
                room_bytes: AWAITED_BYTES_MAX / KEPT_BYTES_MAX * kept_bytes_max.max(1),
            },
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
    /// There was no room to keep them, so this body is not compared.
    is_given_up: bool,
}

impl BodyCheck {
    pub(super) fn take(&mut self, piece: &[u8], expected: &mut ExpectedBody) {
        if self.is_given_up {
            return;
        }
        if let Some(bytes) = expected.bytes() {
            self.compare_kept(bytes);
            self.compare(piece, bytes);
        } else if let Reference::Awaited {
            kept_bytes_max,
            room_bytes,
        } = &mut expected.reference
        {
            // One byte more than the limit tells that it is too long.
            let wanted = kept_bytes_max.saturating_add(1) - self.kept.len();
            let piece = &piece[..piece.len().min(wanted)];
            match room_bytes.checked_sub(piece.len()) {
                Some(left) => {
                    *room_bytes = left;
                    self.kept.extend_from_slice(piece);
                }
                None => {
                    *room_bytes += self.kept.len();
                    self.kept = Vec::new();
                    self.is_given_up = true;
                }
            }
        }
    }

    /// Judges the complete body, and starts afresh for the next one.
    pub(super) fn finish(&mut self, status: u16, expected: &mut ExpectedBody) -> BodyVerdict {
        let success = (200..300).contains(&status);
        if self.is_given_up {
            self.reset();
            return BodyVerdict::Unchecked;
        }
        if let Reference::Awaited {
            kept_bytes_max,
            room_bytes,
        } = &mut expected.reference
        {
            if success {
                let first = std::mem::take(&mut self.kept);
                expected.reference = match first.len() > *kept_bytes_max {
                    true => Reference::None,
                    false => Reference::First(first),
                };
                self.reset();
                return BodyVerdict::Same;
            }
            *room_bytes += self.kept.len();
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
        self.is_given_up = false;
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
        check.take(&vec![b'a'; first_bytes], &mut expected);
        assert_eq!(check.finish(200, &mut expected), BodyVerdict::Same);
        check.take(second, &mut expected);
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
            check.take(&[b'a'; KEPT_BYTES_MAX], &mut expected);
        }
        assert_eq!(check.kept.len(), KEPT_BYTES_MAX + 1);
        check.finish(200, &mut expected);
        check.take(b"a", &mut expected);
        assert_eq!(check.kept.len(), 0);
    }

    /// The limits are those of bodies of up to 10 bytes: 640 bytes for all that are under way.
    #[test]
    fn first_bodies_under_way_have_bounded_room_together() {
        let mut expected = ExpectedBody::first_within(10);
        let mut checks = vec![BodyCheck::default(); 100];
        for check in &mut checks {
            check.take(b"12345678", &mut expected);
        }
        let kept: usize = checks.iter().map(|check| check.kept.len()).sum();
        assert_eq!(kept, 640);
        let mut finish = |index: usize, status| checks[index].finish(status, &mut expected);
        // One without room is no reference, and one that fails gives its room back.
        assert_eq!(finish(99, 200), BodyVerdict::Unchecked);
        assert_eq!(finish(0, 500), BodyVerdict::Unchecked);
        assert_eq!(finish(1, 200), BodyVerdict::Same);
        assert_eq!(finish(2, 200), BodyVerdict::Same);
        assert_eq!(finish(98, 200), BodyVerdict::Unchecked);
        checks[98].take(b"other", &mut expected);
        assert_eq!(checks[98].finish(200, &mut expected), BodyVerdict::Other);
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
