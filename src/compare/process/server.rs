//! A contestant's server: started on a free port, watched, and ended by its id on every way out
//! but a SIGKILL of this process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::group;
use super::output_tail::OutputTail;
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
    stdout: OutputTail,
    stderr: OutputTail,
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
            stdout: OutputTail::default(),
            stderr: OutputTail::default(),
            reaped: None,
        };
        server.stdout = OutputTail::follow(stdout).map_err(|e| no_resource("thread", &e))?;
        server.stderr = OutputTail::follow(stderr).map_err(|e| no_resource("thread", &e))?;
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

#[cfg(all(test, unix))]
mod tests;
