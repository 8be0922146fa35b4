//! A server under strain, on a core of its own, and what it costs, as Linux tells it in /proc.
//! It is ended by its own id, here at the latest; a Ctrl-C reaches it as it reaches the bench.
//!
//! Deliberately absent: an order to the kernel to end it should the bench be killed, which safe
//! code cannot give.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use super::client::{Client, PATIENCE};
use super::cores::Cores;
use super::runner::Result;
use super::schedule::Schedule;

const BARELOOP: &str = env!("CARGO_BIN_EXE_bareloop");

/// How long a server's clock must stand still for it to be at rest: more than the kernel's tick.
const AT_REST: Duration = Duration::from_millis(20);

/// A port of the kernel's choice.
pub fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

pub struct Server {
    child: Child,
    address: SocketAddr,
    /// Held open, so that the server may go on printing.
    stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts one, has its first answer and lets it rest: what it takes to run at all is not strain.
    pub fn start(cores: Cores, flags: &[&str]) -> Result<Server> {
        let server = Server::start_at(cores, any_port(), flags)?;
        Client::connect(server.address)?.get()?;
        server.rest()?;
        Ok(server)
    }

    /// Starts one that has at most so many descriptors from its start.
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
        command
            .args(["serve", "http", "--bind", &address.to_string()])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = cores.spawn(&mut command)?;
        let stdout = child.stdout.take().ok_or("no pipe")?;
        let mut server = Server {
            child,
            address,
            stdout: BufReader::new(stdout),
        };
        let mut line = String::new();
        server.stdout.read_line(&mut line)?;
        server.address = line
            .trim_end()
            .strip_prefix("listening on http://")
            .and_then(|address| address.parse().ok())
            .ok_or_else(|| format!("the server did not say where it listens: {line:?}"))?;
        Ok(server)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Waits until it has ended; its exit code.
    pub fn wait(&mut self) -> Result<Option<i32>> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            if started.elapsed() > PATIENCE {
                return Err("the server does not end".into());
            }
            thread::sleep(Duration::from_micros(500));
        }
    }

    /// From now on it can open no descriptor of this number or above.
    pub fn limit_descriptors(&self, limit: u64) -> Result<()> {
        let limit = Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Nofile, limit)?;
        Ok(())
    }

    fn proc(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }

    pub fn descriptors(&self) -> Result<usize> {
        Ok(fs::read_dir(self.proc("fd"))?.count())
    }

    /// Resident memory, exact: the short forms may be behind (proc_pid_statm(5)).
    pub fn resident_bytes(&self) -> Result<u64> {
        let rollup = fs::read_to_string(self.proc("smaps_rollup"))?;
        let kilobytes = rollup
            .lines()
            .find_map(|line| line.strip_prefix("Rss:")?.strip_suffix("kB"))
            .ok_or("the kernel does not say its resident memory")?;
        Ok(1024 * kilobytes.trim().parse::<u64>()?)
    }

    /// Its one thread's.
    pub fn schedule(&self) -> Result<Schedule> {
        Schedule::of(&self.child.id().to_string())
    }

    /// Its CPU time over the next `span`, in percent of a core.
    pub fn cpu_percent(&self, span: Duration) -> Result<f64> {
        let (before, started) = (self.schedule()?.ran, Instant::now());
        thread::sleep(span);
        let used = self.schedule()?.ran - before;
        Ok(100.0 * used.as_secs_f64() / started.elapsed().as_secs_f64())
    }

    /// Waits until it has nothing more to do.
    pub fn rest(&self) -> Result<()> {
        let started = Instant::now();
        let mut before = self.schedule()?.ran;
        while started.elapsed() < PATIENCE {
            thread::sleep(AT_REST);
            let now = self.schedule()?.ran;
            if now == before {
                return Ok(());
            }
            before = now;
        }
        Err("the server does not come to rest".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has ended by itself, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that could not start.
pub struct Refusal {
    pub took: Duration,
    pub code: Option<i32>,
    pub stderr: String,
}

/// Starts one where it cannot listen.
pub fn refusal(cores: Cores, address: SocketAddr) -> Result<Refusal> {
    let mut command = Command::new(BARELOOP);
    command
        .args(["serve", "http", "--bind", &address.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = cores.spawn(&mut command)?;
    let mut stderr = String::new();
    // To its end, which is the process's.
    let read = child
        .stderr
        .take()
        .ok_or("no pipe")?
        .read_to_string(&mut stderr);
    let code = child.wait()?.code();
    let took = started.elapsed();
    read?;
    Ok(Refusal { took, code, stderr })
}
