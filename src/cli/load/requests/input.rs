//! The body of a request from `--input`.

use std::io::{self, Read};
use std::path::Path;

/// The bytes of a file, or of standard input.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    if path != Path::new("-") {
        return std::fs::read(path);
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}
