//! The name of Python on this system: `python3`, `python`, or `py`, the launcher of Windows.

use std::ffi::OsStr;
use std::path::Path;

/// Names to look for, the best first.
const NAMES: [&str; 3] = ["python3", "python", "py"];

/// The first of [`NAMES`] that is a program on `PATH`; the best one if there is none, so that the
/// error names what is missing.
pub fn program() -> &'static str {
    let path = std::env::var_os("PATH").unwrap_or_default();
    find(&path, |file| {
        file.symlink_metadata().ok().map(|found| found.len())
    })
}

/// Windows has links of these names, of 0 bytes, that offer its store's Python, or start it if it
/// is installed. A file with content comes first.
fn find(path: &OsStr, bytes: impl Fn(&Path) -> Option<u64>) -> &'static str {
    let on_path = |name: &str, bytes_min: u64| {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        std::env::split_paths(path).any(|folder| bytes(&folder.join(&file)) >= Some(bytes_min))
    };
    let named = |bytes_min| NAMES.into_iter().find(|name| on_path(name, bytes_min));
    named(1).or_else(|| named(0)).unwrap_or(NAMES[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name that is found where `files` (folder, name, size) are all that exists.
    fn found(files: &[(&str, &str, u64)]) -> &'static str {
        let path = std::env::join_paths(["first", "second"]).expect("no separator in a name");
        find(&path, |file| {
            let is_it = |&&(folder, name, _): &&(&str, &str, u64)| {
                let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
                file == Path::new(folder).join(name)
            };
            files.iter().find(is_it).map(|&(_, _, bytes)| bytes)
        })
    }

    #[test]
    fn the_best_name_on_the_path_is_taken() {
        assert_eq!(
            found(&[("second", "python3", 9), ("first", "python", 9)]),
            "python3"
        );
        assert_eq!(
            found(&[("first", "py", 9), ("second", "python", 9)]),
            "python"
        );
        assert_eq!(found(&[("first", "py", 9)]), "py");
        assert_eq!(found(&[("elsewhere", "py", 9)]), "python3");
    }

    #[test]
    fn an_empty_file_comes_last() {
        assert_eq!(found(&[("first", "python3", 0), ("second", "py", 9)]), "py");
        assert_eq!(found(&[("first", "python", 0)]), "python");
    }
}
