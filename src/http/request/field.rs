//! Field lines of a head or a trailer section, to the empty line after them (RFC 9112 5).

use super::class::{BLANK, TOKEN, is, span};
use super::framing::RequestHead;
use super::keyword::KeywordMatcher;
use super::value::{FIELD_NAMES, ValueReader};
use super::{Limits, Refusal};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldReader {
    fields: usize,
    at: At,
    // Beside the phase and not in it: moving them from phase to phase costs more than reading a
    // short field does.
    name: KeywordMatcher,
    value: ValueReader,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    LineStart,
    Name,
    /// In the blanks after the colon.
    BeforeValue,
    Value,
    LineFeed,
    LastLineFeed,
}

impl FieldReader {
    pub(super) const fn new() -> FieldReader {
        FieldReader {
            fields: 0,
            at: At::LineStart,
            name: KeywordMatcher::new(),
            value: ValueReader::Other,
        }
    }

    /// Whether the section is complete; all of the input is taken if it is not.
    ///
    /// Without a head this is a trailer section: no field in it means anything to us.
    pub(super) fn advance(
        &mut self,
        input: &mut &[u8],
        limits: &Limits,
        mut head: Option<&mut RequestHead>,
    ) -> Result<bool, Refusal> {
        while let Some(&byte) = input.first() {
            match self.at {
                At::LineStart if byte == b'\r' => self.at = At::LastLineFeed,
                At::LineStart => {
                    self.begin_field(byte, limits.fields_max)?;
                    continue;
                }
                At::Name => {
                    let run = span(input, TOKEN);
                    self.name.feed(&input[..run], FIELD_NAMES);
                    *input = &input[run..];
                    match input.first() {
                        None => return Ok(false),
                        Some(b':') => self.begin_value(head.as_deref_mut())?,
                        Some(_) => return Err(Refusal::BadRequest),
                    }
                }
                At::BeforeValue if !is(byte, BLANK) => {
                    self.at = At::Value;
                    continue;
                }
                At::BeforeValue => {}
                At::Value => {
                    if !self.value.advance(input, limits, head.as_deref_mut())? {
                        return Ok(false);
                    }
                    self.at = At::LineFeed;
                    continue;
                }
                At::LineFeed if byte == b'\n' => self.at = At::LineStart,
                At::LastLineFeed if byte == b'\n' => {
                    *input = &input[1..];
                    return Ok(true);
                }
                At::LineFeed | At::LastLineFeed => return Err(Refusal::BadRequest),
            }
            *input = &input[1..];
        }
        Ok(false)
    }

    /// A line that is not the empty one begins with `byte`. A blank would be obs-fold.
    fn begin_field(&mut self, byte: u8, fields_max: usize) -> Result<(), Refusal> {
        if !is(byte, TOKEN) {
            return Err(Refusal::BadRequest);
        }
        if self.fields >= fields_max {
            return Err(Refusal::FieldsTooLarge);
        }
        self.fields += 1;
        self.at = At::Name;
        self.name = KeywordMatcher::new();
        Ok(())
    }

    /// The name has ended; it decides how the value is read.
    fn begin_value(&mut self, head: Option<&mut RequestHead>) -> Result<(), Refusal> {
        self.at = At::BeforeValue;
        self.value = match head.zip(self.name.found(FIELD_NAMES)) {
            None => ValueReader::Other,
            Some((head, name)) => ValueReader::new(name, head)?,
        };
        Ok(())
    }
}
