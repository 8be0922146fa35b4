//! A contestant's processes: started on a free port, watched, and ended by id on every way out.
//! Only who kills us with SIGKILL leaves them running.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::group;
use crate::compare::{Contestant, Failure, Stopped};
use crate::event_loop::{Clock, StopSignal, Time, TimeSource};
use crate::load;

/// How long a server may take from its start to its first accept.
pub const READY_WITHIN: Duration = Duration::from_secs(10);
/// How long a server may take from the request to end to its end.
const STOP_WITHIN: Duration = Duration::from_secs(2);
/// How often a child's state is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long a probing connect may take; on loopback it is answered at once or never.
const PROBE_TIMEOUT: Duration = Duration::from_millis(250);
/// How long the pipes of an ended child may stay open in a stranger's hands.
const PIPES_WITHIN: Duration = Duration::from_millis(250);
/// Of what a child writes, so much of the end is kept.
const TAIL_BYTES_MAX: usize = 4096;
/// A line quoted in a reason is cut to this.
const LINE_CHARS_MAX: usize = 160;

/// The children that are alive, shared with whoever must end them: each [`Server`] ends its own,
/// and a panic hook all, since a release build aborts without dropping anything.
#[derive(Clone, Debug, Default)]
pub struct Children {
    living: Arc<Mutex<Vec<u32>>>,
}

impl Children {
    /// No children yet.
    pub fn new() -> Children {
        Children::default()
    }

    /// From now on a panic on any thread ends all children before it is reported.
    pub fn kill_all_on_panic(&self) {
        let children = self.clone();
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            children.kill_all();
            report(panic);
        }));
    }

    /// Ends all children at once. They are reaped by the [`Server`]s that own them, or by the
    /// system when we are gone.
    fn kill_all(&self) {
        // A panic under the lock must not wait for itself.
        if let Ok(living) = self.living.try_lock() {
            living.iter().for_each(|&id| group::kill(id));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u32>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server. Dropped, it and its descendants are ended at once.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    children: Children,
    stdout: Tail,
    stderr: Tail,
    reaped: Option<String>,
}

impl Server {
    /// Starts `contestant` on a port that was free a moment ago, on loopback.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(contestant: &Contestant, children: &Children) -> Result<Server, Failure> {
        let address = free_address().map_err(|e| no_resource("free port", &e))?;
        let mut command = contestant.command(address.port());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        group::prepare(&mut command);
        // Held across the start, so that there is no child without an entry.
        let mut living = children.lock();
        let mut child = command.spawn().map_err(|e| {
            let program = command.get_program().to_string_lossy().into_owned();
            match e.kind() {
                io::ErrorKind::NotFound => Failure::NotFound { program },
                _ => Failure::NotStarted {
                    program,
                    cause: e.to_string(),
                },
            }
        })?;
        living.push(child.id());
        drop(living);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut server = Server {
            child,
            address,
            children: children.clone(),
            stdout: Tail::default(),
            stderr: Tail::default(),
            reaped: None,
        };
        server.stdout = Tail::follow(stdout).map_err(|e| no_resource("thread", &e))?;
        server.stderr = Tail::follow(stderr).map_err(|e| no_resource("thread", &e))?;
        Ok(server)
    }

    /// Where it was told to listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of the process that was started.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it accepts a connection.
    ///
    /// # Errors
    /// If it ends before, does not accept `within` this time, or `signal` is raised.
    pub fn wait_until_ready(
        &mut self,
        within: Duration,
        signal: &StopSignal,
    ) -> Result<(), Stopped> {
        let clock = Clock::start();
        loop {
            if signal.times_raised() > 0 {
                return Err(Stopped::Interrupted);
            }
            let accepts = load::probe(self.address, PROBE_TIMEOUT).is_ok();
            // Looked at after the connect: who accepts while the child is dead is a stranger.
            if self.has_ended() {
                let status = self.end();
                let error_excerpt = self.error_excerpt();
                return Err(Failure::EndedEarly {
                    status,
                    error_excerpt,
                }
                .into());
            }
            if accepts {
                return Ok(());
            }
            if clock.now() - Time::START >= within {
                self.end();
                let (address, error_excerpt) = (self.address, self.error_excerpt());
                return Err(Failure::NeverListened {
                    address,
                    within,
                    error_excerpt,
                }
                .into());
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Whether the process that was started has ended.
    pub fn has_ended(&mut self) -> bool {
        self.reaped.is_some() || group::has_ended(&mut self.child)
    }

    /// The line in which it says what is wrong, on stderr or else on stdout; empty if it wrote
    /// nothing. Complete only once it has ended.
    pub fn error_excerpt(&mut self) -> String {
        if self.has_ended() {
            self.stderr.wait_for_end();
            self.stdout.wait_for_end();
        }
        match self.stderr.error_excerpt() {
            line if line.is_empty() => self.stdout.error_excerpt(),
            line => line,
        }
    }

    /// Asks it and its descendants to end, gives them a moment unless `signal` was raised twice,
    /// then ends what is left. Says how it ended.
    pub fn stop(&mut self, signal: &StopSignal) -> String {
        self.stop_within(STOP_WITHIN, signal)
    }

    fn stop_within(&mut self, within: Duration, signal: &StopSignal) -> String {
        if self.reaped.is_none() {
            group::terminate(self.child.id());
            let clock = Clock::start();
            while !self.has_ended()
                && clock.now() - Time::START < within
                && signal.times_raised() < 2
            {
                thread::sleep(LOOK_EVERY);
            }
        }
        self.end()
    }

    /// Ends it and its descendants at once. Says how it ended.
    pub fn end(&mut self) -> String {
        if let Some(status) = &self.reaped {
            return status.clone();
        }
        let id = self.child.id();
        group::kill(id);
        // Once more by its handle, which cannot miss: the wait below must come to an end. Fails
        // only if the child has ended.
        let _ = self.child.kill();
        // Out of the list before it is reaped: afterwards the id may be somebody else's.
        self.children.lock().retain(|&living| living != id);
        let status = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(e) => e.to_string(),
        };
        self.reaped.insert(status).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A loopback address whose port was free a moment ago.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn no_resource(what: &'static str, cause: &io::Error) -> Failure {
    Failure::NoResource {
        what,
        cause: cause.to_string(),
    }
}

/// The end of what a child writes, kept by a thread of its own: a full pipe would stop the child.
#[derive(Debug, Default)]
struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    /// Hangs up when the pipe has ended.
    ended: Option<Receiver<()>>,
}

impl Tail {
    fn follow(pipe: Option<impl Read + Send + 'static>) -> io::Result<Tail> {
        let Some(pipe) = pipe else {
            return Ok(Tail::default());
        };
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let (sender, ended) = channel();
        let writer = Arc::clone(&kept);
        thread::Builder::new()
            .name("contestant's output".to_owned())
            .spawn(move || {
                keep_tail(pipe, &writer);
                drop(sender);
            })?;
        let ended = Some(ended);
        Ok(Tail { kept, ended })
    }

    /// A descendant that left the group may hold the pipe for ever, so the wait is bounded.
    fn wait_for_end(&self) {
        if let Some(ended) = &self.ended {
            let _ = ended.recv_timeout(PIPES_WITHIN);
        }
    }

    fn error_excerpt(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        error_excerpt(&String::from_utf8_lossy(&bytes))
    }
}

fn keep_tail(mut pipe: impl Read, kept: &Mutex<VecDeque<u8>>) {
    let mut chunk = [0; TAIL_BYTES_MAX];
    loop {
        let length = match pipe.read(&mut chunk) {
            Ok(0) => return,
            Ok(length) => length,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&chunk[..length]);
        let excess = kept.len().saturating_sub(TAIL_BYTES_MAX);
        kept.drain(..excess);
    }
}

/// The last line that names an error, or else the last that says something; without what a
/// terminal would obey.
fn error_excerpt(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let names_error = |line: &&str| line.to_ascii_lowercase().contains("error");
    let line = lines
        .clone()
        .rfind(names_error)
        .or_else(|| lines.next_back());
    line.unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(LINE_CHARS_MAX)
        .collect()
}

#[cfg(all(test, unix))]
mod tests;
