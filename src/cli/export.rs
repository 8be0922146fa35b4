//! Files that a report is written to, beside what is printed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The name that stands for stdout in place of a file.
pub const STDOUT: &str = "-";

/// A file that exists and can be written. It is opened before a run, so that the run is not lost
/// to a folder that does not exist; what it held stays until there is a report.
#[derive(Debug)]
pub struct Export {
    file: File,
    path: PathBuf,
    flag: &'static str,
}

impl Export {
    /// Opens the file that `flag` names. Pipes are fine if a process reads them.
    ///
    /// # Errors
    /// It cannot be written: one line that names the flag, the file and the cause.
    pub fn open(flag: &'static str, path: &Path) -> Result<Export, String> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        // A pipe without a reader is an error now, and not a wait that ignores Ctrl-C.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            rustix::fs::OFlags::NONBLOCK.bits().cast_signed(),
        );
        let path = path.to_owned();
        match options.open(&path) {
            Ok(file) => {
                wait_for_room(&file).map_err(|e| refusal(flag, &path, &e))?;
                Ok(Export { file, path, flag })
            }
            Err(e) => Err(refusal(flag, &path, &e)),
        }
    }

    /// Replaces what a regular file held by `text`; sends it to anything else.
    ///
    /// # Errors
    /// As [`Export::open`].
    pub fn write(mut self, text: &str) -> Result<(), String> {
        let written = self.replace(text);
        written.map_err(|e| refusal(self.flag, &self.path, &e))
    }

    fn replace(&mut self, text: &str) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(text.as_bytes())
    }
}

/// Writing waits for a slow reader: only opening must not wait.
#[cfg(unix)]
fn wait_for_room(file: &File) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

    let flags = fcntl_getfl(file)?;
    Ok(fcntl_setfl(file, flags.difference(OFlags::NONBLOCK))?)
}

#[cfg(not(unix))]
fn wait_for_room(_file: &File) -> io::Result<()> {
    Ok(())
}

fn refusal(flag: &str, path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.raw_os_error() {
        #[cfg(unix)]
        Some(code) if code == rustix::io::Errno::NXIO.raw_os_error() => {
            format!("{flag}: no process reads the pipe {path}; start its reader first")
        }
        _ => format!("{flag}: cannot write {path}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_what_it_held_until_there_is_a_report() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        std::fs::write(&path, "the last report, which was longer").expect("room");
        let export = Export::open("--export-json", &path).expect("it can be written");
        let held = || std::fs::read_to_string(&path).expect("text");
        assert_eq!(held(), "the last report, which was longer");
        export.write("{}\n").expect("room");
        assert_eq!(held(), "{}\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_takes_more_than_it_holds_and_is_refused_without_a_reader() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()), "no mkfifo");
        let error = Export::open("--export-json", &path).expect_err("no reader");
        assert!(error.contains("start its reader first"), "{error}");

        let reading = path.clone();
        let reader = std::thread::spawn(move || std::fs::read_to_string(reading));
        let export = loop {
            // The reader opens its end at any time from now on.
            match Export::open("--export-json", &path) {
                Ok(export) => break export,
                Err(_) => std::thread::yield_now(),
            }
        };
        let text = "x".repeat(1 << 20);
        export.write(&text).expect("a reader");
        assert_eq!(reader.join().expect("no panic").expect("text"), text);
    }

    #[test]
    fn a_folder_that_does_not_exist_is_refused_at_the_start() {
        let error = Export::open("--export-json", Path::new("/nowhere/at.all"));
        let error = error.expect_err("no such folder");
        assert!(
            error.starts_with("--export-json: cannot write /nowhere/at.all: "),
            "{error}"
        );
    }
}
