//! A server in a comparison: its name, and how it is started on a port.

use std::ffi::OsString;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use super::process::supervisor::SHELL;
use super::python;
use super::request::RequestChanges;
use crate::load::Target;
use crate::load::target::UrlError;

/// Stands for the port in a contestant's command.
pub const PORT: &str = "{port}";

/// The contestant that the others are compared with, unless another is chosen.
pub const DEFAULT_REFERENCE: &str = "python-http";

const PYTHON_HTTP: &str = include_str!("../../benches/python/http_server.py");
const PYTHON_TCP: &str = include_str!("../../benches/python/tcp_server.py");

/// One server in a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contestant {
    name: String,
    launch: Launch,
    own: OwnSettings,
}

/// Settings of one contestant only, in place of those of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnSettings {
    /// Variables added to the environment of a server that is started; [`PORT`] in a value is
    /// replaced by the port.
    pub environment: Vec<(String, String)>,
    /// Its request, where that is another.
    pub request: RequestChanges,
    /// Time limit from its start to its first accepted connection.
    pub start_timeout: Option<Duration>,
    /// Request-target that answers with a status below 400 as soon as the server is ready.
    pub ready_path: Option<String>,
}

/// Ways to start a server.
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
    /// It runs already.
    Running {
        /// As it was written; a valid target.
        url: String,
        /// The process whose cost is the server's, with its descendants.
        pid: Option<u32>,
    },
}

/// The reason for which `NAME=COMMAND` is no contestant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// There is no `=`.
    #[error(
        "write NAME='COMMAND with {PORT}', for example node='node server.js {PORT}', or NAME=http://HOST:PORT for a server that runs already"
    )]
    Shape,
    /// The name would be ambiguous in `--only` or break the table.
    #[error("the name may hold letters, digits, '-', '_' and '.' only")]
    Name,
    /// The server would not learn its port.
    #[error("the command must hold {PORT}, which is replaced by the port to listen on")]
    Port,
    /// The URL of a server that runs already is of no use.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Its environment is that of its own start.
    #[error(
        "a server that runs already has its environment; leave it out, or start the server here with a command"
    )]
    RunningEnvironment,
    /// No server of that name is part of this program.
    #[error("'{name}' is not built in; there are: {}", known.join(", "))]
    NotBuiltIn {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
}

impl Contestant {
    /// The default comparison: the two Python servers, and our own two run by `bareloop`, the
    /// path of this program.
    pub fn defaults(bareloop: &Path) -> Vec<Contestant> {
        let python = python::program();
        vec![
            Contestant::python(DEFAULT_REFERENCE, python, "http_server.py", PYTHON_HTTP),
            Contestant::python("python-tcp", python, "tcp_server.py", PYTHON_TCP),
            Contestant::bareloop("bareloop-http", bareloop, "http"),
            Contestant::bareloop("bareloop-tcp", bareloop, "tcp"),
        ]
    }

    fn python(name: &str, python: &str, file: &str, script: &str) -> Contestant {
        let arguments = vec!["-c".to_owned(), script.to_owned(), PORT.to_owned()];
        Contestant {
            name: name.to_owned(),
            launch: Launch::Program {
                program: python.into(),
                arguments,
                shown: format!("{python} benches/python/{file} {PORT}"),
            },
            own: OwnSettings::default(),
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
            own: OwnSettings::default(),
        }
    }

    /// The contestant of the default comparison that is called `built_in`, under the name `name`.
    ///
    /// # Errors
    /// There is none, or `name` is no name.
    pub fn built_in(name: &str, built_in: &str, bareloop: &Path) -> Result<Contestant, Invalid> {
        let defaults = Contestant::defaults(bareloop);
        let known = defaults.iter().map(|c| c.name.clone()).collect();
        let found = defaults.into_iter().find(|c| c.name == built_in);
        let found = found.ok_or_else(|| Invalid::NotBuiltIn {
            name: built_in.to_owned(),
            known,
        })?;
        Contestant::new(name, found.launch, OwnSettings::default())
    }

    /// A server that `line` starts, a command for the system's shell with [`PORT`] in it or in a
    /// variable of its own environment.
    ///
    /// # Errors
    /// The server would not learn its port, or `name` is no name.
    pub fn started(name: &str, line: &str, own: OwnSettings) -> Result<Contestant, Invalid> {
        let mut values = own.environment.iter().map(|(_, value)| value);
        if !line.contains(PORT) && !values.any(|value| value.contains(PORT)) {
            return Err(Invalid::Port);
        }
        Contestant::new(name, Launch::Shell(line.to_owned()), own)
    }

    /// A server that runs already at `url`.
    ///
    /// # Errors
    /// The URL is of no use, or `name` is no name.
    pub fn running(name: &str, url: &str, own: OwnSettings) -> Result<Contestant, Invalid> {
        Target::parse(url)?;
        let url = url.to_owned();
        Contestant::new(name, Launch::Running { url, pid: None }, own)
    }

    fn new(name: &str, launch: Launch, own: OwnSettings) -> Result<Contestant, Invalid> {
        let allowed = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || !name.chars().all(allowed) {
            return Err(Invalid::Name);
        }
        let name = name.to_owned();
        Contestant {
            name,
            launch,
            own: OwnSettings::default(),
        }
        .with_own(own)
    }

    /// The same server with these settings of its own.
    ///
    /// # Errors
    /// It runs already, and an environment is given.
    pub fn with_own(self, own: OwnSettings) -> Result<Contestant, Invalid> {
        match self.launch {
            Launch::Running { .. } if !own.environment.is_empty() => {
                Err(Invalid::RunningEnvironment)
            }
            _ => Ok(Contestant { own, ..self }),
        }
    }

    /// The settings that it has for itself.
    pub fn own(&self) -> &OwnSettings {
        &self.own
    }

    /// The variables added to its environment when it is started on `port`.
    pub fn environment(&self, port: u16) -> Vec<(String, String)> {
        let port = port.to_string();
        let variables = self.own.environment.iter();
        variables
            .map(|(name, value)| (name.clone(), value.replace(PORT, &port)))
            .collect()
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
            Launch::Running { url, .. } => url,
        }
    }

    /// The URL of a server that runs already; `None` if it has to be started.
    pub fn running_url(&self) -> Option<&str> {
        match &self.launch {
            Launch::Running { url, .. } => Some(url),
            Launch::Program { .. } | Launch::Shell(_) => None,
        }
    }

    /// Returns true for the https:// URL of a server that runs already.
    pub fn is_https(&self) -> bool {
        let target = self.running_url().map(Target::parse);
        target.is_some_and(|target| target.is_ok_and(|target| target.is_https()))
    }

    /// The process whose cost is the server's, of a server that runs already.
    pub fn running_pid(&self) -> Option<u32> {
        match self.launch {
            Launch::Running { pid, .. } => pid,
            Launch::Program { .. } | Launch::Shell(_) => None,
        }
    }

    /// Names the process whose cost is the server's; false if this is no server that runs already.
    pub fn set_running_pid(&mut self, id: u32) -> bool {
        match &mut self.launch {
            Launch::Running { pid, .. } => {
                *pid = Some(id);
                true
            }
            Launch::Program { .. } | Launch::Shell(_) => false,
        }
    }

    /// The arguments of a supervisor that starts it on `port`; empty if it runs already.
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
            Launch::Running { .. } => Vec::new(),
        }
    }
}

impl FromStr for Contestant {
    type Err = Invalid;

    /// Reads `NAME=COMMAND` or `NAME=URL`.
    fn from_str(text: &str) -> Result<Contestant, Invalid> {
        let (name, line) = text.split_once('=').ok_or(Invalid::Shape)?;
        let own = OwnSettings::default();
        match line.starts_with("http://") || line.starts_with("https://") {
            true => Contestant::running(name, line, own),
            false => Contestant::started(name, line, own),
        }
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
    fn a_url_is_a_server_that_runs_already() {
        let mut server: Contestant = "app=http://[::1]:3000/api".parse().unwrap();
        assert_eq!(server.running_url(), Some("http://[::1]:3000/api"));
        assert!(server.supervised(1).is_empty());
        assert!(server.set_running_pid(7));
        assert_eq!(server.running_pid(), Some(7));
        let mut started: Contestant = "a=b {port}".parse().unwrap();
        assert!(!started.set_running_pid(7));
        let https: Contestant = "app=https://localhost".parse().unwrap();
        assert_eq!(https.running_url(), Some("https://localhost"));
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
