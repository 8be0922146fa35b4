//! The process between a comparison and a contestant's server: nothing that the server starts
//! outlives the comparison, however that ends.
//!
//! A supervisor starts one command and watches its stdin, a pipe that only the comparison holds.
//! That pipe ends when the comparison stops the command, or when the comparison itself has ended,
//! even by SIGKILL. Then the supervisor ends all processes below it. On Linux it also adopts
//! orphans, so that a server that goes into the background stays below it.
//!
//! On stdout it writes one [`Event`] a line. Stderr is the output of the server, of both streams.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::group;

/// Sent to a supervisor's stdin: ask the server to end.
pub const TERMINATE: &[u8] = b"T";

/// In place of a program: the one argument that follows is a line for the system's shell.
pub const SHELL: &str = "--shell";

/// Interval between attempts to end what starts faster than it is ended.
const KILL_EVERY: Duration = Duration::from_millis(5);

/// Outcome of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It runs.
    Started,
    /// There is no such program.
    NotFound,
    /// It could not be started, with the system's reason.
    NotStarted(String),
    /// Its first process has ended.
    Ended {
        /// Processes that it left behind, as far as the system reports them.
        survivors: usize,
        /// It ended with exit code 0.
        success: bool,
        /// Its exit status, in words.
        status: String,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Started => f.write_str("started"),
            Event::NotFound => f.write_str("not-found"),
            Event::NotStarted(cause) => write!(f, "not-started {cause}"),
            Event::Ended {
                survivors,
                success,
                status,
            } => write!(f, "ended {survivors} {success} {status}"),
        }
    }
}

impl Event {
    /// Reads a line that [`Event`]'s `Display` has written.
    pub fn parse(line: &str) -> Option<Event> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "started" => Some(Event::Started),
            "not-found" => Some(Event::NotFound),
            "not-started" => Some(Event::NotStarted(rest.to_owned())),
            "ended" => {
                let (survivors, rest) = rest.split_once(' ')?;
                let (success, status) = rest.split_once(' ')?;
                Some(Event::Ended {
                    survivors: survivors.parse().ok()?,
                    success: success.parse().ok()?,
                    status: status.to_owned(),
                })
            }
            _ => None,
        }
    }
}

/// The command of a supervisor's arguments: a program with its arguments, or [`SHELL`] and a line.
/// `None` without arguments.
pub fn command(arguments: &[OsString]) -> Option<Command> {
    match arguments {
        [] => None,
        [mode, line] if mode == SHELL => Some(shell(line)),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments);
            Some(command)
        }
    }
}

/// The name of the program of such arguments.
pub fn program_of(arguments: &[OsString]) -> String {
    let program = command(arguments).map(|command| command.get_program().to_owned());
    program.unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(not(windows))]
fn shell(line: &OsStr) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line);
    command
}

#[cfg(windows)]
fn shell(line: &OsStr) -> Command {
    use std::os::windows::process::CommandExt;
    let mut command = Command::new("cmd");
    // cmd reads its line by rules of its own, which the usual quoting would break.
    command.arg("/C").raw_arg(line);
    command
}

/// Starts `command` and returns when it has ended with all that it left behind.
pub fn supervise(command: &mut Command) {
    group::adopt_orphans();
    group::prepare(command);
    let started = command
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .spawn()
        .and_then(|child| {
            let obeyed = obey_on_a_thread(child.id());
            obeyed.inspect_err(|_| group::kill(child.id()))?;
            Ok(child)
        });
    match started {
        Ok(child) => {
            tell(&Event::Started);
            wait_for_all(child);
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => tell(&Event::NotFound),
        Err(e) => tell(&Event::NotStarted(e.to_string())),
    }
}

/// Reads stdin to its end, and ends the server at the end.
fn obey_on_a_thread(leader: u32) -> io::Result<()> {
    let obey = move || {
        let mut byte = [0];
        while let Ok(1) = io::stdin().read(&mut byte) {
            group::terminate(leader);
        }
        // The other thread ends this process when nothing is left.
        loop {
            group::kill(leader);
            thread::sleep(KILL_EVERY);
        }
    };
    thread::Builder::new()
        .name("orders".to_owned())
        .spawn(obey)
        .map(drop)
}

fn wait_for_all(mut child: Child) {
    let leader = child.id();
    group::wait_for_all(&mut child, |status| {
        tell(&Event::Ended {
            survivors: group::members(leader),
            success: status.success(),
            status: status.to_string(),
        });
    });
}

/// A comparison that does not listen any more is gone, which the other thread notices.
fn tell(event: &Event) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{event}").and_then(|()| stdout.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_survive_their_line() {
        for event in [
            Event::Started,
            Event::NotFound,
            Event::NotStarted("Permission denied (os error 13)".to_owned()),
            Event::Ended {
                survivors: 2,
                success: false,
                status: "signal: 9 (SIGKILL)".to_owned(),
            },
        ] {
            assert_eq!(Event::parse(&event.to_string()), Some(event));
        }
        assert_eq!(Event::parse("ended soon"), None);
    }
}
