//! The fast pass over a request head that lies whole in a buffer: the usual form of a request-line,
//! then [`read_fields`]. It accepts only what it is certain of.

use super::head::{RequestFields, RequestHead};
use super::request_line::read_method;
use super::{Limits, Method};
use crate::http::message::scan::target_bytes;
use crate::http::message::whole::read_fields;

/// The usual end of a request-line, after the target.
const LINE_END: &[u8] = b" HTTP/1.1\r\n";

/// Reads the head at the front of `bytes`, from the first byte of a request on. Returns how many
/// bytes it has and what it says; `None` if it must be read by the machine.
#[inline]
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Option<(usize, RequestHead)> {
    let mut head = RequestHead::new();
    let mut rest = bytes;
    head.method = match bytes.strip_prefix(b"GET ") {
        Some(after) => {
            rest = after;
            Some(Method::Get)
        }
        None => read_method(&mut rest, &mut 0, &mut 0).ok()?,
    };
    // Another form of target, and a path by CONNECT, are the machine's.
    if rest.first() != Some(&b'/') || head.method == Some(Method::Connect) {
        return None;
    }
    let target_bytes = target_bytes(rest);
    rest = rest[target_bytes..].strip_prefix(LINE_END)?;
    let line_bytes = bytes.len() - rest.len();
    let fields_bytes = read_fields(
        rest,
        &mut RequestFields {
            head: &mut head,
            limits,
        },
    )?;
    let head_bytes = line_bytes + fields_bytes;
    let is_certain = target_bytes <= limits.target_bytes_max
        && head_bytes <= limits.head_bytes_max
        && head.check().is_ok();
    is_certain.then_some((head_bytes, head))
}
