//! The standard streams. A reader that has gone away (`| head`) is not an error of ours.

use std::io::{self, Write};

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

/// Says on stderr why the run failed.
pub fn fail(message: &str) {
    say("error", message);
}

/// Says on stderr what the user should know.
pub fn warn(message: &str) {
    say("warning", message);
}

fn say(kind: &str, message: &str) {
    // If stderr is gone too, there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{kind}: {message}");
}
