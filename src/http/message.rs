//! The syntax that requests and responses share (RFC 9112 2, 5, 6 and 7). Where the two differ, the
//! difference is a constant or a function of [`field::FieldSection`], or a member of
//! [`chunk::ChunkRules`].
//!
//! | module          | concept                                                          |
//! |-----------------|------------------------------------------------------------------|
//! | [`class`]       | classes of bytes                                                 |
//! | [`keyword`]     | words of a small table, compared without regard to case          |
//! | [`host`]        | the value of Host                                                |
//! | [`value`]       | values that framing and persistence depend on                    |
//! | [`field`]       | field lines of a head or a trailer section, in any pieces        |
//! | [`chunk`]       | chunked bodies, in any pieces                                    |
//! | [`scan`]        | searches in vector registers                                     |
//! | [`whole`]       | the fast pass over a field section in one piece                  |

pub mod chunk;
pub mod class;
pub mod field;
pub mod host;
pub mod keyword;
pub mod name;
pub mod scan;
pub mod value;
pub mod whole;

/// The version that a message is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1, and any later 1.x (RFC 9110 2.5).
    Http11,
}

/// Reads a part that may have `bytes_max` bytes, of which `used` were read before. Fails with `over`
/// if the part is incomplete at that limit and goes on.
///
/// `read` returns true once the part is complete. It never sees a byte beyond the limit, so that
/// the result does not depend on how far it looks at a time.
pub fn within<E>(
    used: &mut usize,
    bytes_max: usize,
    over: E,
    input: &mut &[u8],
    read: impl FnOnce(&mut &[u8]) -> Result<bool, E>,
) -> Result<bool, E> {
    let allowed = input.len().min(bytes_max.saturating_sub(*used));
    let mut window = &input[..allowed];
    let complete = read(&mut window)?;
    let taken = allowed - window.len();
    *used += taken;
    *input = &input[taken..];
    if complete || input.is_empty() {
        Ok(complete)
    } else {
        Err(over)
    }
}
