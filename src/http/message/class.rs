//! Classes of bytes: one table, one bit for each class.

/// `tchar` of RFC 9110 5.6.2: methods, field names, options.
pub const TOKEN: u8 = 1;
/// A request-target after its authority: visible ASCII without `"`, `#`, `<`, `>`.
///
/// That is more than RFC 3986 allows and exactly what browsers leave unescaped in a query.
pub const TARGET: u8 = 1 << 1;
/// Field content of RFC 9110 5.5: HTAB, SP, visible ASCII, obs-text.
pub const VALUE: u8 = 1 << 2;
/// `reg-name` of RFC 3986 3.2.2 without its percent-encoding.
pub const REG_NAME: u8 = 1 << 3;
/// `scheme` of RFC 3986 3.1, after its first letter.
pub const SCHEME: u8 = 1 << 4;
/// SP and HTAB.
pub const BLANK: u8 = 1 << 5;

static CLASSES: [u8; 256] = classes();

/// Counts the bytes at the front that belong to `class`.
#[inline]
pub fn span(bytes: &[u8], class: u8) -> usize {
    bytes
        .iter()
        .position(|&byte| !is(byte, class))
        .unwrap_or(bytes.len())
}

/// Returns true if `byte` belongs to `class`.
#[inline]
pub fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        table[index] = classes_of(index as u8);
        index += 1;
    }
    table
}

const fn classes_of(byte: u8) -> u8 {
    let mut classes = match byte {
        b' ' | b'\t' => BLANK | VALUE,
        b'"' | b'#' | b'<' | b'>' => VALUE,
        0x21..=0x7e => VALUE | TARGET,
        0x80..=0xff => VALUE,
        _ => 0,
    };
    let alphanumeric = byte.is_ascii_alphanumeric();
    if alphanumeric || is_one_of(byte, b"!#$%&'*+-.^_`|~") {
        classes |= TOKEN;
    }
    if alphanumeric || is_one_of(byte, b"-._~!$&'()*+,;=") {
        classes |= REG_NAME;
    }
    if alphanumeric || is_one_of(byte, b"+-.") {
        classes |= SCHEME;
    }
    classes
}

const fn is_one_of(byte: u8, set: &[u8]) -> bool {
    let mut index = 0;
    while index < set.len() {
        if set[index] == byte {
            return true;
        }
        index += 1;
    }
    false
}
