//! The server under strain, on a core of its own. A Ctrl-C reaches it as it reaches the bench.
//!
//! Deliberately absent: the parent-death signal, which would end it when the bench is killed. Safe
//! code cannot set it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use super::client::Client;
use super::runner::Result;
use crate::support::PATIENCE;
use crate::support::cores::Cores;
use crate::support::process::{Finished, Process};
use crate::support::server;
use crate::support::usage::{self, Scheduled};

const BARELOOP: &str = env!("CARGO_BIN_EXE_bareloop");

/// A port of the kernel's choice.
pub fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

pub struct Server(server::Server);

impl Server {
    /// Starts a server, takes its first reply and waits until it is idle, so that the cost of its
    /// start does not count.
    pub fn start(cores: Cores, flags: &[&str]) -> Result<Server> {
        let server = Server::start_at(cores, any_port(), flags)?;
        Client::connect(server.address())?.get()?;
        server.wait_until_idle()?;
        Ok(server)
    }

    /// Starts a server with `ulimit -n LIMIT`.
    pub fn start_with_descriptors(cores: Cores, limit: usize) -> Result<Server> {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {limit}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, BARELOOP]);
        Server::run(cores, command, any_port(), &[])
    }

    pub fn start_at(cores: Cores, address: SocketAddr, flags: &[&str]) -> Result<Server> {
        Server::run(cores, Command::new(BARELOOP), address, flags)
    }

    fn run(
        cores: Cores,
        mut command: Command,
        address: SocketAddr,
        flags: &[&str],
    ) -> Result<Server> {
        command.args(["serve", "http", "--bind", &address.to_string()]);
        command.args(flags);
        let process = cores.on_server_core(|| Process::start(&mut command))?;
        Ok(Server(server::Server::announced(process)?))
    }

    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(self.0.process.signal(signal)?)
    }

    /// Waits for its end. The exit code.
    pub fn wait(&mut self) -> Result<Option<i32>> {
        Ok(self.0.process.wait(PATIENCE)?.code)
    }

    /// Limits its descriptors at run time.
    pub fn limit_descriptors(&self, limit: u64) -> Result<()> {
        let limit = Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        };
        prlimit(Pid::from_raw(self.id() as i32), Resource::Nofile, limit)?;
        Ok(())
    }

    pub fn descriptors(&self) -> Result<usize> {
        Ok(usage::descriptors(self.id())?)
    }

    pub fn resident_bytes(&self) -> Result<u64> {
        Ok(usage::resident_bytes(self.id())?)
    }

    pub fn scheduled(&self) -> Result<Scheduled> {
        Ok(Scheduled::of(self.id())?)
    }

    /// Its CPU time over the next `span`, in percent of a core.
    pub fn cpu_percent(&self, span: Duration) -> Result<f64> {
        let (before, started) = (self.scheduled()?.ran, Instant::now());
        thread::sleep(span);
        let used = self.scheduled()?.ran - before;
        Ok(100.0 * used.as_secs_f64() / started.elapsed().as_secs_f64())
    }

    pub fn wait_until_idle(&self) -> Result<()> {
        usage::wait_until_idle(self.id())?;
        Ok(())
    }

    fn id(&self) -> u32 {
        self.0.process.id()
    }
}

/// Starts a server on a port that is in use. Its end, and the time from its start.
pub fn refusal(cores: Cores, address: SocketAddr) -> io::Result<(Finished, Duration)> {
    let mut command = Command::new(BARELOOP);
    command.args(["serve", "http", "--bind", &address.to_string()]);
    let started = Instant::now();
    let mut process = cores.on_server_core(|| Process::start(&mut command))?;
    Ok((process.wait(PATIENCE)?, started.elapsed()))
}
