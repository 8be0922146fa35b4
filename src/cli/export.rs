//! Files that a report is written to, beside what is printed.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The name that stands for stdout in place of a file.
pub const STDOUT: &str = "-";

/// A file that exists and can be written. It is opened before a run, so that the run is not lost
/// to a folder that does not exist; what it held stays until there is a report. A file that was
/// made for a report which never came is removed.
#[derive(Debug)]
pub struct Export {
    file: File,
    path: PathBuf,
    flag: &'static str,
    /// It was made here, and nothing is written to it yet.
    is_unused: Cell<bool>,
}

impl Export {
    /// Opens the file that `flag` names. Pipes are fine if a process reads them.
    ///
    /// # Errors
    /// It cannot be written: one line that names the flag, the file and the cause.
    pub fn open(flag: &'static str, path: &Path) -> Result<Export, String> {
        let mut options = OpenOptions::new();
        options.write(true);
        // A pipe without a reader is an error now, and not a wait that ignores Ctrl-C.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            rustix::fs::OFlags::NONBLOCK.bits().cast_signed(),
        );
        let path = path.to_owned();
        let (opened, is_unused) = match options.clone().create_new(true).open(&path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                (options.create(true).truncate(false).open(&path), false)
            }
            opened => (opened, true),
        };
        let file = opened.map_err(|e| refusal(flag, &path, &e))?;
        if is_stdout(&file) {
            return Err(format!(
                "{flag} {}: stdout goes to this file too; name another, or '-'",
                path.display()
            ));
        }
        let export = Export {
            file,
            path,
            flag,
            is_unused: Cell::new(is_unused),
        };
        wait_for_room(&export.file).map_err(|e| refusal(flag, &export.path, &e))?;
        Ok(export)
    }

    /// Replaces what a regular file held by `text`; sends it to anything else.
    ///
    /// # Errors
    /// As [`Export::open`].
    pub fn write(mut self, text: &str) -> Result<(), String> {
        let written = match self.is_regular() {
            true => self.replace(text),
            // Not made here: what is made here is a regular file.
            false => self.file.write_all(text.as_bytes()),
        };
        written.map_err(|e| refusal(self.flag, &self.path, &e))
    }

    /// Replaces what a regular file held by `text`, as long as the run goes on. Anything else
    /// waits for [`Export::write`].
    ///
    /// # Errors
    /// As [`Export::open`].
    pub fn save(&self, text: &str) -> Result<(), String> {
        match self.is_regular() {
            true => self
                .replace(text)
                .map_err(|e| refusal(self.flag, &self.path, &e)),
            false => Ok(()),
        }
    }

    fn is_regular(&self) -> bool {
        self.file
            .metadata()
            .is_ok_and(|metadata| metadata.is_file())
    }

    /// At any time the file holds either what it held before or all of `text`, unless its folder
    /// takes no second file. On a full disk it keeps what it held.
    fn replace(&self, text: &str) -> io::Result<()> {
        match self.replace_by_rename(text) {
            Err(e) if takes_no_second_file(&e) => fs::write(&self.path, text),
            result => result,
        }?;
        self.is_unused.set(false);
        Ok(())
    }

    fn replace_by_rename(&self, text: &str) -> io::Result<()> {
        // A link stays a link.
        let path = fs::canonicalize(&self.path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
        let permissions = fs::metadata(&path)?.permissions();
        let replaced = fs::write(&beside, text)
            .and_then(|()| fs::set_permissions(&beside, permissions))
            .and_then(|()| fs::rename(&beside, &path));
        if replaced.is_err() {
            let _ = fs::remove_file(&beside);
        }
        replaced
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        if self.is_unused.get() {
            // A failure leaves an empty file, and there is nobody left to tell.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Returns true if the file may be written in place, although it cannot be replaced: its folder
/// cannot be written, it is a mount point, or it was removed meanwhile.
fn takes_no_second_file(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::ResourceBusy
            | ErrorKind::NotFound
    )
}

/// Returns true for a regular file that stdout goes to: replacing it would lose what is printed.
#[cfg(unix)]
fn is_stdout(file: &File) -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;

    let regular = |file: &File| {
        let file = file.metadata().ok().filter(fs::Metadata::is_file)?;
        Some((file.dev(), file.ino()))
    };
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    let stdout = stdout.ok().and_then(|stdout| regular(&File::from(stdout)));
    stdout.is_some() && regular(file) == stdout
}

#[cfg(not(unix))]
fn is_stdout(_file: &File) -> bool {
    false
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

    #[test]
    fn a_file_under_way_is_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        let export = Export::open("--export-json", &path).expect("it can be written");
        #[cfg(unix)]
        let reader = File::open(&path).expect("it is there");
        for text in ["the first, which is longer", "the second"] {
            export.save(text).expect("room");
            let held = std::fs::read_to_string(&path).expect("text");
            assert_eq!(held, text);
        }
        // A reader of the earlier file is not cut off: it was replaced, not written over. Windows
        // does not replace a file that somebody reads.
        #[cfg(unix)]
        assert_eq!(io::read_to_string(reader).expect("text"), "");
        export.write("the last").expect("room");
        let held = std::fs::read_to_string(&path).expect("text");
        assert_eq!(held, "the last");
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("a folder").count(),
            1
        );
    }

    #[test]
    fn a_file_that_was_made_for_no_report_is_removed_and_any_other_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let (new, old) = (folder.path().join("new"), folder.path().join("old"));
        std::fs::write(&old, "").expect("room");
        for path in [&new, &old] {
            drop(Export::open("--export-json", path).expect("it can be written"));
        }
        assert!(!new.exists() && old.exists());
        let export = Export::open("--export-json", &new).expect("it can be written");
        export.save("{}").expect("room");
        drop(export);
        assert_eq!(std::fs::read_to_string(&new).expect("text"), "{}");
    }

    #[test]
    fn only_a_file_that_cannot_be_replaced_is_written_in_place() {
        for (kind, in_place) in [
            (ErrorKind::PermissionDenied, true),
            (ErrorKind::ResourceBusy, true),
            (ErrorKind::StorageFull, false),
            (ErrorKind::QuotaExceeded, false),
            (ErrorKind::FileTooLarge, false),
        ] {
            assert_eq!(takes_no_second_file(&kind.into()), in_place, "{kind}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("report"), folder.path().join("link"));
        std::fs::write(&path, "").expect("room");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        let export = Export::open("--export-json", &link).expect("it can be written");
        export.write("{}").expect("room");
        assert_eq!(std::fs::read_to_string(&path).expect("text"), "{}");
        assert!(link.is_symlink());
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
