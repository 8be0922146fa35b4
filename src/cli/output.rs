//! The standard streams. A reader that has gone away (`| head`) is no error.
//!
//! A stdout that was closed before the start (`>&-`) cannot be distinguished from /dev/null: the
//! standard library opens that in its place.

use std::io::{self, Write};

use super::Exit;

/// Columns of a report that is not written to a terminal.
const COLUMNS_DEFAULT: usize = 100;

/// Writes `text` to stdout and flushes it.
///
/// # Errors
/// As the stream says; a closed pipe is `BrokenPipe`.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Columns of the terminal that stdout is; a moderate number if it is none.
pub fn columns() -> usize {
    let size = terminal_size::terminal_size_of(io::stdout());
    size.map_or(COLUMNS_DEFAULT, |(terminal_size::Width(columns), _)| {
        usize::from(columns)
    })
}

/// The exit code of a command that had nothing to do but print. Reports a failure on stderr.
pub fn conclude(printed: io::Result<()>) -> Exit {
    match refusal(printed) {
        None => Exit::Fine,
        Some(message) => {
            fail(&message);
            Exit::Failed
        }
    }
}

/// Reason why stdout did not take what was printed, if that is an error.
pub fn refusal(printed: io::Result<()>) -> Option<String> {
    let error = printed.err()?;
    let is_error = error.kind() != io::ErrorKind::BrokenPipe;
    is_error.then(|| format!("cannot write to stdout: {error}"))
}

/// Reports on stderr why the run failed.
pub fn fail(message: &str) {
    say("error", message);
}

/// Prints a warning on stderr.
pub fn warn(message: &str) {
    say("warning", message);
}

fn say(kind: &str, message: &str) {
    // Without stderr there is no place left for it.
    let _ = writeln!(io::stderr(), "{kind}: {message}");
}
