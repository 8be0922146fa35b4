//! Processes under measurement, each pinned to a core.

use std::io;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::sys;
use crate::support::PATIENCE;
use crate::support::process::Process;
use crate::support::server::Server;

/// Starts a server that announces its address.
pub fn announced(mut command: Command, core: usize) -> io::Result<Server> {
    sys::pin(&mut command, core);
    Server::announced(Process::start(&mut command)?)
}

/// Starts a server that is told its address.
pub fn on_free_port(
    core: usize,
    mut command: impl FnMut(SocketAddr) -> io::Result<Command>,
) -> io::Result<Server> {
    Server::on_free_port(|address| {
        let mut command = command(address)?;
        sys::pin(&mut command, core);
        Process::start(&mut command)
    })
}

/// A client that prints when it is ready and then waits for a line, so that the CPU time of an idle
/// server can be read before and after the load.
pub struct Client(Process);

impl Client {
    pub fn start(mut command: Command, core: usize) -> io::Result<Client> {
        sys::pin(&mut command, core);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(Client(Process::spawn(command)?))
    }

    /// The next line that it writes, within the time of its load.
    pub fn line(&mut self, load: Duration) -> io::Result<String> {
        self.0.stdout.line(load + PATIENCE)
    }

    /// Lets it go on.
    pub fn go(&mut self) -> io::Result<()> {
        self.0.write_line("go")
    }
}

/// The result of a client's run.
pub struct Run {
    pub stdout: String,
    pub cpu: Duration,
    pub wall: Duration,
}

/// Runs a client to its end, pinned to `core`.
pub fn run(mut command: Command, core: usize) -> io::Result<Run> {
    sys::pin(&mut command, core);
    // No other child ends between the two readings, so the difference belongs to this one.
    let cpu_before = sys::ended_children_cpu()?;
    let started = Instant::now();
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output()?;
    let wall = started.elapsed();
    let cpu = sys::ended_children_cpu()? - cpu_before;
    if output.status.success() {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(Run { stdout, cpu, wall })
    } else {
        Err(io::Error::other(format!("failed: {}", output.status)))
    }
}

/// Tests whether `program` can be started.
pub fn installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg("-v")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok()
}
