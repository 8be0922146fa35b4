//! The fast pass over a field section that lies whole in a buffer.
//!
//! It accepts only the common forms, and its result is then the one that [`FieldReader`] would
//! give. Everything that is incomplete, unusual or wrong is left to that reader, which reports the
//! errors.
//!
//! [`FieldReader`]: super::field::FieldReader

use super::class::{BLANK, is};
use super::field::FieldSection;
use super::name::{FieldName, field_name};
use super::scan::{LineEnds, token_bytes};

/// Reads the section at the front of `bytes`. Returns how many bytes it has; `None` if it must be
/// read by the machine, with a new section.
#[inline]
pub fn read_fields<S: FieldSection>(bytes: &[u8], section: &mut S) -> Option<usize> {
    let mut fields_left = section.fields_max();
    let mut line_ends = LineEnds::new(bytes);
    let mut start = 0;
    loop {
        let end = line_ends.next()?;
        if end == start {
            return Some(end + 2);
        }
        fields_left = fields_left.checked_sub(1)?;
        // The token ends before the CR at the latest.
        let line = &bytes[start..];
        let (name, rest) = line.split_at(token_bytes(line));
        if name.is_empty() || rest.first() != Some(&b':') {
            return None;
        }
        if let Some(known) = field_name(name) {
            read_value(known, &bytes[start + name.len() + 1..end], section)?;
        }
        start = end + 2;
    }
}

#[inline]
fn read_value<S: FieldSection>(name: FieldName, value: &[u8], section: &mut S) -> Option<()> {
    let blanks = value.iter().take_while(|&&byte| is(byte, BLANK)).count();
    let value = &value[blanks..];
    let mut reader = section.begin(name).ok()?;
    if !reader.is_usual(value, section) {
        reader.feed(value, section).ok()?;
        reader.end(section).ok()?;
    }
    Some(())
}
