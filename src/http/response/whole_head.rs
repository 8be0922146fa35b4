//! The fast pass over a response head that lies whole in a buffer: the usual form of a status line,
//! then [`read_fields`]. It accepts only what it is certain of.

use super::{HEAD_BYTES_MAX, ResponseHead};
use crate::http::message::class::{VALUE, span};
use crate::http::message::whole::read_fields;

/// The usual start of a response, before the status.
const LINE_START: &[u8] = b"HTTP/1.1 ";

/// Reads the head at the front of `bytes`. Returns how many bytes it has and what it says; `None` if
/// it must be read by the machine.
#[inline]
pub(super) fn read(bytes: &[u8]) -> Option<(usize, ResponseHead)> {
    let bytes = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
    let (digits, rest) = bytes.strip_prefix(LINE_START)?.split_first_chunk::<3>()?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let reason_bytes = match rest.first()? {
        b' ' => span(rest, VALUE),
        _ => 0,
    };
    let fields = rest[reason_bytes..].strip_prefix(b"\r\n")?;
    let status = digits.map(|digit| u16::from(digit - b'0'));
    let mut head = ResponseHead::new();
    head.status = status[0] * 100 + status[1] * 10 + status[2];
    let fields_bytes = read_fields(fields, &mut head)?;
    Some((bytes.len() - fields.len() + fields_bytes, head))
}
