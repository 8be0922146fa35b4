//! Processes under measurement: pinned to a core, their CPU time taken from the kernel, and never
//! left behind. Each is ended by its own id, here or (should the bench be killed) by the kernel.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::exchange::PATIENCE;
use super::sys;

/// How long a process's clock must stand still to be read: the kernel may be one tick behind with
/// a process that runs (10 ms at 100 Hz).
const SETTLED: Duration = Duration::from_millis(12);

/// A server that runs until this is dropped.
pub struct Server {
    child: Ended,
    address: SocketAddr,
    /// Held open, so that the server may go on printing.
    _stdout: Option<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts a server that prints the address it took as the end of its first line.
    pub fn announced(command: Command, core: usize) -> io::Result<Server> {
        let (child, mut stdout) = speaking(command, core, Stdio::null())?;
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let address = line
            .trim_end()
            .rsplit('/')
            .next()
            .and_then(|text| text.parse().ok());
        let Some(address) = address else {
            let said = format!("did not say where it listens: {line:?}");
            return Err(io::Error::other(said));
        };
        Ok(Server {
            child,
            address,
            _stdout: Some(stdout),
        })
    }

    /// Starts a server that was told its address, and waits until it accepts.
    pub fn at(mut command: Command, core: usize, address: SocketAddr) -> io::Result<Server> {
        sys::pin(&mut command, core);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut server = Server {
            child: Ended(child),
            address,
            _stdout: None,
        };
        let started = Instant::now();
        while let Err(error) = TcpStream::connect(address) {
            if let Some(status) = server.child.0.try_wait()? {
                return Err(io::Error::other(format!("ended at its start: {status}")));
            }
            if started.elapsed() > PATIENCE {
                return Err(error);
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(server)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resident memory, exact: the short form in `statm` may be behind (proc_pid_statm(5)).
    pub fn resident_bytes(&self) -> io::Result<u64> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.0.id()))?;
        let kilobytes = rollup
            .lines()
            .find_map(|line| line.strip_prefix("Rss:")?.strip_suffix("kB"))
            .and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok())
            .ok_or_else(|| io::Error::other("the kernel does not say its resident memory"))?;
        Ok(kilobytes * 1024)
    }

    /// CPU time used so far, read once the server is idle. An error if it does not come to rest.
    pub fn settled_cpu(&self) -> io::Result<Duration> {
        let started = Instant::now();
        let mut before = sys::process_cpu(self.child.0.id())?;
        while started.elapsed() < PATIENCE {
            thread::sleep(SETTLED);
            let now = sys::process_cpu(self.child.0.id())?;
            if now == before {
                return Ok(now);
            }
            before = now;
        }
        Err(io::Error::other(
            "goes on using CPU time after its load has ended",
        ))
    }
}

/// A client that says when it is ready and waits for its go, so that a server's clock can be read
/// at rest on both sides of the load: neither accepting nor closing is in between.
pub struct Client {
    child: Ended,
    stdout: BufReader<ChildStdout>,
}

impl Client {
    /// Starts it.
    pub fn start(command: Command, core: usize) -> io::Result<Client> {
        let (child, stdout) = speaking(command, core, Stdio::piped())?;
        Ok(Client { child, stdout })
    }

    /// The next line that it says.
    pub fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stdout.read_line(&mut line)? {
            0 => Err(io::Error::other("the client ended early")),
            _ => Ok(line),
        }
    }

    /// Tells it to go on.
    pub fn go(&mut self) -> io::Result<()> {
        let stdin = self
            .child
            .0
            .stdin
            .as_mut()
            .ok_or(io::ErrorKind::BrokenPipe)?;
        stdin.write_all(b"go\n")
    }
}

/// Starts a child that is listened to.
fn speaking(
    mut command: Command,
    core: usize,
    stdin: Stdio,
) -> io::Result<(Ended, BufReader<ChildStdout>)> {
    sys::pin(&mut command, core);
    let mut child = Ended(command.stdin(stdin).stdout(Stdio::piped()).spawn()?);
    let stdout = child.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((child, BufReader::new(stdout)))
}

/// A child that is ended when it is no longer needed.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // An error means that it has ended by itself, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A client's run.
pub struct Run {
    pub stdout: String,
    pub cpu: Duration,
    pub wall: Duration,
}

/// Runs a client to its end, pinned to `core`.
pub fn run(mut command: Command, core: usize) -> io::Result<Run> {
    sys::pin(&mut command, core);
    // No other child ends between the two readings, so the difference is this one's.
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

/// Whether `program` is there to be started.
pub fn installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg("-v")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok()
}
