//! Names of fields.

use super::keyword::{Keywords, is_word};

/// The fields that sections are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldName {
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    Expect,
}

const HOST: &[u8; 4] = b"host";
const CONTENT_LENGTH: &[u8; 14] = b"content-length";
const TRANSFER_ENCODING: &[u8; 17] = b"transfer-encoding";
const CONNECTION: &[u8; 10] = b"connection";
const EXPECT: &[u8; 6] = b"expect";

pub const FIELD_NAMES: &Keywords<FieldName> = &[
    (HOST, FieldName::Host),
    (CONTENT_LENGTH, FieldName::ContentLength),
    (TRANSFER_ENCODING, FieldName::TransferEncoding),
    (CONNECTION, FieldName::Connection),
    (EXPECT, FieldName::Expect),
];

/// The field of a name that has ended.
#[inline(always)]
pub fn field_name(name: &[u8]) -> Option<FieldName> {
    // The first byte tells almost all names apart.
    match name.first()? | 0x20 {
        b'h' if is_word(name, HOST) => Some(FieldName::Host),
        b'e' if is_word(name, EXPECT) => Some(FieldName::Expect),
        b'c' if is_word(name, CONNECTION) => Some(FieldName::Connection),
        b'c' if is_word(name, CONTENT_LENGTH) => Some(FieldName::ContentLength),
        b't' if is_word(name, TRANSFER_ENCODING) => Some(FieldName::TransferEncoding),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_known_by_its_whole_name_in_any_case() {
        for &(name, field) in FIELD_NAMES {
            assert_eq!(field_name(name), Some(field));
            assert_eq!(field_name(&name.to_ascii_uppercase()), Some(field));
            for at in 1..name.len() {
                assert_eq!(field_name(&name[..at]), None);
                let mut other = name.to_vec();
                other[at] = b'_';
                assert_eq!(field_name(&other), None);
            }
        }
        assert_eq!(field_name(b""), None);
    }
}
