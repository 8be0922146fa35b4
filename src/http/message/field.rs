//! Field lines of a head or a trailer section, to the empty line after them (RFC 9112 5).

use super::class::{BLANK, TOKEN, VALUE, is, span};
use super::keyword::KeywordMatcher;
use super::name::{FIELD_NAMES, FieldName};
use super::value::{ValueReader, ValueSink};

/// Line ends and continuation lines, in which requests and responses differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// A line ends in CR LF. A line that begins with a blank is refused.
    Strict,
    /// A bare LF ends a line too (RFC 9112 2.2). A line that begins with a blank continues the
    /// value of the line before it (obs-fold), and its line end is read as a space (RFC 9112 5.2).
    Lenient,
}

/// A field section, as far as sections differ: its rules, and the fields that are read.
pub trait FieldSection: ValueSink {
    /// Line ends and continuation lines.
    const LINES: Lines;
    /// The error for a field beyond [`FieldSection::fields_max`].
    const TOO_MANY: Self::Error;

    /// Number of fields that are allowed.
    fn fields_max(&self) -> usize;

    /// Takes the name of a field, and returns the reader of its value.
    fn begin(&mut self, _name: FieldName) -> Result<ValueReader, Self::Error> {
        Ok(ValueReader::Other)
    }
}

/// Reads a field section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldReader {
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
    /// At the start of a line that may continue the value before it. [`Lines::Lenient`] only.
    MayContinue,
    Name,
    /// In the blanks after the colon.
    BeforeValue,
    Value,
    LineFeed,
    LastLineFeed,
}

impl FieldReader {
    pub const fn new() -> FieldReader {
        FieldReader {
            fields: 0,
            at: At::LineStart,
            name: KeywordMatcher::new(),
            value: ValueReader::Other,
        }
    }

    /// Returns true once the section is complete. All of the input is taken if it is not.
    pub fn advance<S: FieldSection>(
        &mut self,
        input: &mut &[u8],
        section: &mut S,
    ) -> Result<bool, S::Error> {
        while let Some(&byte) = input.first() {
            match self.at {
                At::LineStart if byte == b'\r' => self.at = At::LastLineFeed,
                At::LineStart if byte == b'\n' && S::LINES == Lines::Lenient => {
                    *input = &input[1..];
                    return Ok(true);
                }
                At::LineStart => {
                    self.begin_field(byte, section)?;
                    continue;
                }
                At::MayContinue if is(byte, BLANK) => {
                    self.value.feed(b" ", section)?;
                    self.at = At::BeforeValue;
                }
                At::MayContinue => {
                    self.value.end(section)?;
                    self.at = At::LineStart;
                    continue;
                }
                At::Name => {
                    let run = span(input, TOKEN);
                    self.name.feed(&input[..run], FIELD_NAMES);
                    *input = &input[run..];
                    match input.first() {
                        None => return Ok(false),
                        Some(b':') => self.begin_value(section)?,
                        Some(_) => return Err(S::MALFORMED),
                    }
                }
                At::BeforeValue if is(byte, BLANK) => {}
                At::BeforeValue | At::Value => {
                    if !self.read_value(input, section)? {
                        return Ok(false);
                    }
                }
                At::LineFeed if byte == b'\n' => self.at = At::after_line_end::<S>(),
                At::LastLineFeed if byte == b'\n' => {
                    *input = &input[1..];
                    return Ok(true);
                }
                At::LineFeed | At::LastLineFeed => return Err(S::MALFORMED),
            }
            *input = &input[1..];
        }
        Ok(false)
    }

    /// A line that is not the empty one begins with `byte`.
    fn begin_field<S: FieldSection>(&mut self, byte: u8, section: &S) -> Result<(), S::Error> {
        if !is(byte, TOKEN) {
            return Err(S::MALFORMED);
        }
        if self.fields >= section.fields_max() {
            return Err(S::TOO_MANY);
        }
        self.fields += 1;
        self.at = At::Name;
        self.name = KeywordMatcher::new();
        Ok(())
    }

    /// The name has ended; it decides how the value is read.
    fn begin_value<S: FieldSection>(&mut self, section: &mut S) -> Result<(), S::Error> {
        self.at = At::BeforeValue;
        self.value = match self.name.found(FIELD_NAMES) {
            None => ValueReader::Other,
            Some(name) => section.begin(name)?,
        };
        Ok(())
    }

    /// Returns true at the first byte of a line end. All of the input is taken otherwise.
    fn read_value<S: FieldSection>(
        &mut self,
        input: &mut &[u8],
        section: &mut S,
    ) -> Result<bool, S::Error> {
        let run = span(input, VALUE);
        self.value.feed(&input[..run], section)?;
        *input = &input[run..];
        self.at = match (input.first(), S::LINES) {
            (None, _) => {
                self.at = At::Value;
                return Ok(false);
            }
            (Some(b'\r'), Lines::Strict) => {
                self.value.end(section)?;
                At::LineFeed
            }
            (Some(b'\r'), Lines::Lenient) => At::LineFeed,
            (Some(b'\n'), Lines::Lenient) => At::after_line_end::<S>(),
            (Some(_), _) => return Err(S::MALFORMED),
        };
        Ok(true)
    }
}

impl At {
    fn after_line_end<S: FieldSection>() -> At {
        match S::LINES {
            Lines::Strict => At::LineStart,
            Lines::Lenient => At::MayContinue,
        }
    }
}
