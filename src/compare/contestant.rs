//! A server in a comparison: its name, and how it is started on a port.

use std::ffi::OsString;
use std::path::Path;
use std::str::FromStr;

use super::process::supervisor::SHELL;

/// Stands for the port in a contestant's command.
pub const PORT: &str = "{port}";

/// The contestant that the others are compared with, unless told otherwise.
pub const DEFAULT_REFERENCE: &str = "python-http";

const PYTHON_HTTP: &str = include_str!("../../benches/python/http_server.py");
const PYTHON_TCP: &str = include_str!("../../benches/python/tcp_server.py");
const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// One server in a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contestant {
    name: String,
    launch: Launch,
}

/// How a server is started.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Launch {
    /// A program with arguments; the one that is [`PORT`], or ends in it, gets the port.
    Program {
        program: OsString,
        arguments: Vec<String>,
        /// For the reader, where the arguments are not meant to be read.
        shown: String,
    },
    /// A line for the system's shell (`sh -c`, `cmd /C`).
    Shell(String),
}

/// The reason for which `NAME=COMMAND` is no contestant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// There is no `=`.
    #[error("write NAME='COMMAND with {PORT}', for example node='node server.js {PORT}'")]
    Shape,
    /// The name would be ambiguous in `--only` or break the table.
    #[error("the name may hold letters, digits, '-', '_' and '.' only")]
    Name,
    /// The server would not learn its port.
    #[error("the command must hold {PORT}, which is replaced by the port to listen on")]
    Port,
}

impl Contestant {
    /// The default comparison: the two Python servers, and our own two run by `bareloop`, the
    /// path of this program.
    pub fn defaults(bareloop: &Path) -> Vec<Contestant> {
        vec![
            Contestant::python(DEFAULT_REFERENCE, "http_server.py", PYTHON_HTTP),
            Contestant::python("python-tcp", "tcp_server.py", PYTHON_TCP),
            Contestant::bareloop("bareloop-http", bareloop, "http"),
            Contestant::bareloop("bareloop-tcp", bareloop, "tcp"),
        ]
    }

    fn python(name: &str, file: &str, script: &str) -> Contestant {
        let arguments = vec!["-c".to_owned(), script.to_owned(), PORT.to_owned()];
        Contestant {
            name: name.to_owned(),
            launch: Launch::Program {
                program: PYTHON.into(),
                arguments,
                shown: format!("{PYTHON} benches/python/{file} {PORT}"),
            },
        }
    }

    fn bareloop(name: &str, bareloop: &Path, protocol: &str) -> Contestant {
        let arguments = ["serve", protocol, "--bind", "127.0.0.1:{port}"].map(str::to_owned);
        Contestant {
            name: name.to_owned(),
            launch: Launch::Program {
                program: bareloop.into(),
                shown: format!("bareloop {}", arguments.join(" ")),
                arguments: arguments.into(),
            },
        }
    }

    /// Its name in `--only` and in the table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its command as a user would type it, with [`PORT`] in place.
    pub fn command_shown(&self) -> &str {
        match &self.launch {
            Launch::Program { shown, .. } => shown,
            Launch::Shell(line) => line,
        }
    }

    /// The arguments of a supervisor that starts it on `port`.
    pub fn supervised(&self, port: u16) -> Vec<OsString> {
        let port = port.to_string();
        match &self.launch {
            Launch::Program {
                program, arguments, ..
            } => {
                let arguments = arguments.iter().map(|argument| {
                    // A script may hold the placeholder for reasons of its own.
                    match argument.strip_suffix(PORT) {
                        Some(before) => format!("{before}{port}").into(),
                        None => argument.into(),
                    }
                });
                std::iter::once(program.clone()).chain(arguments).collect()
            }
            Launch::Shell(line) => vec![SHELL.into(), line.replace(PORT, &port).into()],
        }
    }
}

impl FromStr for Contestant {
    type Err = Invalid;

    /// Reads `NAME=COMMAND`.
    fn from_str(text: &str) -> Result<Contestant, Invalid> {
        let (name, line) = text.split_once('=').ok_or(Invalid::Shape)?;
        let allowed = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || !name.chars().all(allowed) {
            return Err(Invalid::Name);
        }
        if !line.contains(PORT) {
            return Err(Invalid::Port);
        }
        Ok(Contestant {
            name: name.to_owned(),
            launch: Launch::Shell(line.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_get_their_port_as_an_argument() {
        let defaults = Contestant::defaults(Path::new("/opt/bareloop"));
        let names: Vec<_> = defaults.iter().map(Contestant::name).collect();
        let expected = ["python-http", "python-tcp", "bareloop-http", "bareloop-tcp"];
        assert_eq!(names, expected);
        assert_eq!(defaults[0].supervised(8080).last().unwrap(), "8080");
        assert_eq!(
            defaults[2].supervised(8080),
            ["/opt/bareloop", "serve", "http", "--bind", "127.0.0.1:8080"]
        );
    }

    #[test]
    fn a_command_line_goes_to_the_shell_with_every_placeholder_replaced() {
        let line = "PORT={port} node a.js --port={port}";
        let server: Contestant = format!("node={line}").parse().unwrap();
        assert_eq!(server.name(), "node");
        assert_eq!(
            server.supervised(8080),
            ["--shell", "PORT=8080 node a.js --port=8080"]
        );
        assert_eq!(server.command_shown(), line);
    }

    #[test]
    fn what_is_no_contestant_says_why() {
        let invalid = |text: &str| text.parse::<Contestant>().unwrap_err();
        assert_eq!(invalid("node server.js {port}"), Invalid::Shape);
        assert_eq!(invalid("=node {port}"), Invalid::Name);
        assert_eq!(invalid("a,b=node {port}"), Invalid::Name);
        assert_eq!(invalid("node=node server.js"), Invalid::Port);
    }
}
