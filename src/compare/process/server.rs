//! A contestant's server: started under a supervisor on a free port, watched, and ended however
//! this process ends, even by SIGKILL.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use super::cores::CoreDivision;
use super::output_tail::OutputTail;
use super::resource_usage::Processes;
use super::supervisor::{Event, TERMINATE};
use super::{group, supervisor};
use crate::compare::{Failure, Stopped};
use crate::event_loop::{Clock, StopSignal, Time};
use crate::load;

/// The subcommand of this program that runs a supervisor.
pub const SUPERVISE: &str = "supervise";
/// Its flag for [`Launcher::descriptor_limit`].
const DESCRIPTOR_LIMIT: &str = "--descriptor-limit";

/// Time limit for a supervisor to report that it has started a command.
const START_WITHIN: Duration = Duration::from_secs(10);
/// Time limit from the request to end to the end.
const STOP_WITHIN: Duration = Duration::from_secs(2);
/// Time limit for a supervisor to end what is left; reached only if the kernel cannot end it.
const END_WITHIN: Duration = Duration::from_secs(5);
/// Interval at which a port is tried.
const PROBE_EVERY: Duration = Duration::from_millis(5);
/// Time limit for a connect to that port; on loopback it is answered at once or never.
const PROBE_TIMEOUT: Duration = Duration::from_millis(250);
/// Attempts to find a port that is free on IPv4 and on IPv6.
const PORT_ATTEMPTS_MAX: usize = 100;

/// The conditions under which this program starts servers.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// This program, which also supervises servers.
    pub bareloop: PathBuf,
    /// `None` if servers and load generator share all cores.
    pub cores: Option<CoreDivision>,
    /// The limit on open descriptors that servers get; `None` for that of this process.
    pub descriptor_limit: Option<u64>,
}

impl Launcher {
    /// One whose servers get the cores and limits of this process.
    pub fn new(bareloop: PathBuf) -> Launcher {
        Launcher {
            bareloop,
            cores: None,
            descriptor_limit: None,
        }
    }
}

/// A running server. Dropped, it and its descendants are ended at once.
#[derive(Debug)]
pub struct Server {
    supervisor: Child,
    /// Closed, it makes the supervisor end everything.
    orders: Option<ChildStdin>,
    events: Receiver<Event>,
    output: OutputTail,
    port: u16,
    ended: Option<ServerEnd>,
}

/// The end of the process that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerEnd {
    /// Its exit status, in words.
    pub status: String,
    /// It ended without an error and left processes behind.
    pub in_background: bool,
}

impl Server {
    /// Starts `command` (program first) on `port` with additional variables in its environment.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(
        launcher: &Launcher,
        command: &[OsString],
        environment: &[(String, String)],
        port: u16,
    ) -> Result<Server, Failure> {
        let mut supervisor = Command::new(&launcher.bareloop);
        supervisor.arg(SUPERVISE);
        if let Some(limit) = launcher.descriptor_limit {
            supervisor.args([DESCRIPTOR_LIMIT, &limit.to_string()]);
        }
        supervisor
            .args(command)
            .envs(environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        group::prepare(&mut supervisor);
        // The threads below are the client's, and stay on its cores.
        let supervisor = match &launcher.cores {
            Some(cores) => cores.on_server_cores(|| supervisor.spawn()),
            None => supervisor.spawn(),
        };
        let mut supervisor = supervisor.map_err(|e| Failure::NotStarted {
            program: launcher.bareloop.display().to_string(),
            cause: e.to_string(),
        })?;
        let orders = supervisor.stdin.take();
        let (stdout, stderr) = (supervisor.stdout.take(), supervisor.stderr.take());
        let no_thread = |e: io::Error| no_resource("thread", &e);
        let mut server = Server {
            supervisor,
            orders,
            events: follow_events(stdout).map_err(no_thread)?,
            output: OutputTail::follow(stderr).map_err(no_thread)?,
            port,
            ended: None,
        };
        server.wait_until_started(command)?;
        Ok(server)
    }

    fn wait_until_started(&mut self, command: &[OsString]) -> Result<(), Failure> {
        let program = supervisor::program_of(command);
        match self.events.recv_timeout(START_WITHIN) {
            Ok(Event::Started) => Ok(()),
            Ok(Event::NotFound) => Err(Failure::NotFound { program }),
            Ok(Event::NotStarted(cause)) => Err(Failure::NotStarted { program, cause }),
            Ok(Event::Ended { status, .. }) => Err(Failure::NotStarted {
                program,
                cause: status,
            }),
            Err(e) => Err(Failure::NotStarted {
                program,
                cause: match e {
                    RecvTimeoutError::Timeout => "no answer from its supervisor".to_owned(),
                    RecvTimeoutError::Disconnected => format!(
                        "its supervisor has ended: {}",
                        self.output.error_excerpt_at_end()
                    ),
                },
            }),
        }
    }

    /// Its processes.
    pub fn processes(&self) -> Processes {
        Processes::Below(self.supervisor.id())
    }

    /// Waits until it accepts a connection, and returns the address.
    ///
    /// # Errors
    /// If it ends before, does not accept `within` this time, or `signal` is raised.
    pub fn wait_until_ready(
        &mut self,
        within: Duration,
        signal: &StopSignal,
    ) -> Result<SocketAddr, Stopped> {
        let clock = Clock::start();
        let addresses = loopback(self.port);
        loop {
            if signal.times_raised() > 0 {
                return Err(Stopped::Interrupted);
            }
            let accepts = |address: &&SocketAddr| load::probe(**address, PROBE_TIMEOUT).is_ok();
            let accepting = addresses.iter().find(accepts);
            // Read after the connect: if the server has ended, another process has accepted.
            if let Some(end) = self.end_of_first_process() {
                return Err(self.ended_early(end).into());
            }
            if let Some(&address) = accepting {
                return Ok(address);
            }
            if clock.now() - Time::START >= within {
                self.end();
                return Err(Failure::NeverListened {
                    port: self.port,
                    within,
                    error_excerpt: self.error_excerpt(),
                }
                .into());
            }
            thread::sleep(PROBE_EVERY);
        }
    }

    fn ended_early(&mut self, end: ServerEnd) -> Failure {
        self.end();
        match end.in_background {
            true => Failure::InBackground,
            false => Failure::EndedEarly {
                status: end.status,
                error_excerpt: self.error_excerpt(),
            },
        }
    }

    /// The end of the process that was started, if it has ended.
    pub fn end_of_first_process(&mut self) -> Option<ServerEnd> {
        if self.ended.is_none() {
            let event = match self.supervisor.try_wait() {
                // Its last words may still be on their way; then the channel closes.
                Ok(Some(_)) => self.events.recv().map_err(TryRecvError::from),
                _ => self.events.try_recv(),
            };
            self.ended = match event {
                Ok(event) => Some(ServerEnd::from(event)),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => Some(ServerEnd::unknown()),
            };
        }
        self.ended.clone()
    }

    /// The line in which it says what is wrong; empty if it wrote nothing. Complete only once it
    /// has ended.
    pub fn error_excerpt(&mut self) -> String {
        match self.end_of_first_process() {
            Some(_) => self.output.error_excerpt_at_end(),
            None => self.output.error_excerpt(),
        }
    }

    /// Asks it and its descendants to end, gives them a moment unless `signal` was raised twice,
    /// then ends what is left.
    pub fn stop(&mut self, signal: &StopSignal) {
        self.stop_within(STOP_WITHIN, signal);
    }

    /// The same with this time limit.
    pub fn stop_within(&mut self, within: Duration, signal: &StopSignal) {
        if let Some(orders) = &mut self.orders {
            // Fails only if the supervisor has ended.
            let _ = orders.write_all(TERMINATE).and_then(|()| orders.flush());
        }
        self.wait_for_supervisor(within, || signal.times_raised() >= 2);
        self.end();
    }

    /// Ends it and its descendants at once.
    pub fn end(&mut self) {
        drop(self.orders.take());
        if !self.wait_for_supervisor(END_WITHIN, || false) {
            // Fails only if it has ended.
            let _ = self.supervisor.kill();
            let _ = self.supervisor.wait();
        }
    }

    /// Waits until nothing is left, or until there is another reason to go on.
    fn wait_for_supervisor(&mut self, within: Duration, is_enough: impl Fn() -> bool) -> bool {
        let clock = Clock::start();
        while clock.now() - Time::START < within && !is_enough() {
            if !matches!(self.supervisor.try_wait(), Ok(None)) {
                return true;
            }
            thread::sleep(PROBE_EVERY);
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

impl From<Event> for ServerEnd {
    fn from(event: Event) -> ServerEnd {
        match event {
            Event::Ended {
                survivors,
                success,
                status,
            } => ServerEnd {
                status,
                in_background: success && survivors > 0,
            },
            // Nothing else follows the start.
            _ => ServerEnd::unknown(),
        }
    }
}

impl ServerEnd {
    fn unknown() -> ServerEnd {
        ServerEnd {
            status: "its supervisor has ended".to_owned(),
            in_background: false,
        }
    }
}

fn follow_events(pipe: Option<ChildStdout>) -> io::Result<Receiver<Event>> {
    let (sender, events) = channel();
    let read = move || {
        let lines = pipe.map(|pipe| BufReader::new(pipe).lines());
        for line in lines.into_iter().flatten().map_while(Result::ok) {
            if let Some(event) = Event::parse(&line) {
                // The receiver lives as long as the server.
                let _ = sender.send(event);
            }
        }
    };
    thread::Builder::new()
        .name("contestant's events".to_owned())
        .spawn(read)?;
    Ok(events)
}

/// The addresses at which a server may listen.
fn loopback(port: u16) -> [SocketAddr; 2] {
    [
        (Ipv4Addr::LOCALHOST, port).into(),
        (Ipv6Addr::LOCALHOST, port).into(),
    ]
}

/// A port that was free a moment ago, on IPv4 and, where there is such, on IPv6.
///
/// # Errors
/// If there is none.
pub fn free_port() -> Result<u16, Failure> {
    let mut last_error = None;
    for _ in 0..PORT_ATTEMPTS_MAX {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let port = listener
            .and_then(|listener| listener.local_addr())
            .map_err(|e| no_resource("free port", &e))?
            .port();
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => last_error = Some(e),
            _ => return Ok(port),
        }
    }
    let error = last_error.unwrap_or_else(|| io::ErrorKind::AddrInUse.into());
    Err(no_resource("free port", &error))
}

fn no_resource(what: &'static str, cause: &io::Error) -> Failure {
    Failure::NoResource {
        what,
        cause: cause.to_string(),
    }
}
