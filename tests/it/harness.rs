//! The binary as a child process, a raw client for it, and replies as they come off the wire.
//! Everything here panics when something is not as it should be.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

pub use crate::support::PATIENCE;
pub use crate::support::process::Finished;
use crate::support::process::Process;
pub use crate::support::random::{Random, seed};
pub use crate::support::replies::Body;
use crate::support::replies::{self, Received};
use crate::support::server;
#[cfg(target_os = "linux")]
use crate::support::usage::{self, Scheduled};

/// Longer than a whole command takes on a busy machine. Reaching it is a failure.
const JOB_PATIENCE: Duration = Duration::from_secs(60);

/// The program under test.
pub fn bareloop() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bareloop"))
}

/// Runs a command that ends by itself.
pub fn run(command: &mut Command) -> Finished {
    Job::start(command).finish()
}

/// Runs the program under test with these arguments; it ends by itself.
pub fn output_of(args: &[&str]) -> Finished {
    run(bareloop().args(args))
}

/// A started server. Dropping it ends the process if it still runs.
#[derive(Debug)]
pub struct Server(server::Server);

impl Server {
    /// `serve http` on a free port of 127.0.0.1.
    pub fn http(args: &[&str]) -> Server {
        Server::start(&[&["serve", "http", "--bind", "127.0.0.1:0"], args].concat())
    }

    /// `serve tcp` on a free port of 127.0.0.1.
    pub fn tcp(args: &[&str]) -> Server {
        Server::start(&[&["serve", "tcp", "--bind", "127.0.0.1:0"], args].concat())
    }

    /// Any server, once it listens.
    pub fn start(args: &[&str]) -> Server {
        Server::spawn(bareloop().args(args))
    }

    /// Any command that becomes a server, once it listens.
    pub fn spawn(command: &mut Command) -> Server {
        let process = Process::start(command);
        let process = process.unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
        let server = server::Server::announced(process);
        Server(server.unwrap_or_else(|e| panic!("{command:?}: {e}")))
    }

    /// Any command that announces nothing and listens where it is told: on a free port of
    /// 127.0.0.1.
    #[cfg(unix)]
    pub fn on_free_port(mut command: impl FnMut(SocketAddr) -> Command) -> Server {
        let server = server::Server::on_free_port(|address| {
            let mut command = command(address);
            let command = command.stdin(Stdio::null()).stderr(Stdio::piped());
            Process::spawn(command)
        });
        Server(server.unwrap_or_else(|e| panic!("{e}")))
    }

    /// The first address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// All addresses it listens on.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.0.addresses()
    }

    /// The URL of the first address.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address())
    }

    /// The process's id.
    #[cfg(target_os = "linux")]
    pub fn id(&self) -> u32 {
        self.0.process.id()
    }

    /// A new connection to it.
    pub fn connect(&self) -> Client {
        Client::connect(self.address())
    }

    /// A client that has sent [`LARGE_REPLIES`] requests and taken one reply. If the server replies
    /// with [`large_body`], the kernel's buffers do not hold the others.
    #[cfg(unix)]
    pub fn connect_stuck(&self) -> Client {
        let mut client = self.connect();
        client.send(GET.repeat(LARGE_REPLIES));
        assert_eq!(client.reply().status, 200);
        client
    }

    /// Sends the process a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        let sent = self.0.process.signal(signal);
        sent.expect("the process has not been waited for");
    }

    /// The next line on stderr.
    #[cfg(target_os = "linux")]
    pub fn stderr_line(&mut self) -> String {
        let line = self.0.process.stderr.line(PATIENCE);
        line.expect("the server writes a line to stderr")
    }

    #[cfg(unix)]
    pub fn is_running(&mut self) -> bool {
        self.0.process.is_running().expect("a child has a state")
    }

    /// Waits for its end, which comes soon.
    pub fn wait(mut self) -> Finished {
        let finished = self.0.process.wait(PATIENCE);
        finished.expect("the server ends")
    }

    /// Ends it at once.
    pub fn kill(mut self) -> Finished {
        self.0.process.kill();
        self.wait()
    }

    /// Memory that is in use and is the process's own.
    #[cfg(target_os = "linux")]
    pub fn memory_bytes(&self) -> u64 {
        usage::anonymous_bytes(self.id()).expect("the process runs")
    }

    /// Open descriptors.
    #[cfg(target_os = "linux")]
    pub fn descriptors(&self) -> usize {
        usage::descriptors(self.id()).expect("the process runs")
    }

    /// Time in which the loop's thread has run or could have run. Unlike CPU time it is not less
    /// when others keep the cores busy.
    #[cfg(target_os = "linux")]
    pub fn busy_time(&self) -> Duration {
        let scheduled = Scheduled::of(self.id()).expect("a kernel with scheduling statistics");
        scheduled.ran + scheduled.waited
    }
}

/// A command under way. Dropping it ends the process if it still runs.
#[derive(Debug)]
pub struct Job(Process);

impl Job {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> Job {
        Job::spawn(command.stdout(Stdio::piped()))
    }

    /// Starts `command` with a stdout that nobody reads, and that breaks with the first write.
    #[cfg(unix)]
    pub fn with_closed_stdout(command: &mut Command) -> Job {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        Job::spawn(command.stdout(writer))
    }

    fn spawn(command: &mut Command) -> Job {
        let process = Process::spawn(command.stdin(Stdio::null()).stderr(Stdio::piped()));
        Job(process.unwrap_or_else(|e| panic!("{command:?} does not start: {e}")))
    }

    /// The id of the process.
    #[cfg(target_os = "linux")]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends the process a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        let sent = self.0.signal(signal);
        sent.expect("the process has not been waited for");
    }

    /// The next line on stdout.
    #[cfg(target_os = "linux")]
    pub fn stdout_line(&mut self) -> String {
        let line = self.0.stdout.line(JOB_PATIENCE);
        line.expect("the command writes a line to stdout")
    }

    /// The next line on stderr.
    #[cfg(unix)]
    pub fn stderr_line(&mut self) -> String {
        let line = self.0.stderr.line(JOB_PATIENCE);
        line.expect("the command writes a line to stderr")
    }

    /// Waits for its end, which comes soon.
    pub fn finish(mut self) -> Finished {
        self.0.wait(JOB_PATIENCE).expect("the command ends")
    }
}

/// A reply as it came off the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Up to and including the empty line.
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    fn copied(reply: &replies::Reply, received: &Received) -> Reply {
        Reply {
            status: reply.status,
            head: String::from_utf8_lossy(received.at(&reply.head)).into_owned(),
            body: received.at(&reply.body).to_vec(),
        }
    }

    /// The value of the only field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().skip(1).filter_map(|line| {
            let (field, value) = line.split_once(": ")?;
            field.eq_ignore_ascii_case(name).then_some(value)
        });
        let value = values.next();
        assert_eq!(values.next(), None, "a second {name} in {}", self.head);
        value
    }
}

/// Why there is no reply.
#[derive(Debug)]
pub enum NoReply {
    /// The connection ended between two replies.
    End,
    /// It was reset, timed out, or ended within a reply; with what had come of that.
    Broken(String),
}

/// A blocking connection whose reads and writes have a time limit.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    received: Received,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        Client::over(TcpStream::connect(address).expect("the server accepts"))
    }

    pub fn over(stream: TcpStream) -> Client {
        for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
            set(&stream, Some(PATIENCE)).expect("a timeout can be set");
        }
        stream.set_nodelay(true).expect("TCP_NODELAY can be set");
        Client {
            stream,
            received: Received::with_room(16 * 1024),
        }
    }

    /// Sends bytes that the server has no reason to refuse.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the server takes what is sent");
    }

    /// Sends bytes to a server that may have closed by now.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Ends our side.
    pub fn shut_write(&mut self) {
        // It fails if the server reset the connection; the next read says so.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Makes reads and writes return at once, or wait again.
    pub fn set_nonblocking(&self, is_nonblocking: bool) {
        let set = self.stream.set_nonblocking(is_nonblocking);
        set.expect("a socket's mode can be set");
    }

    /// A second handle to the same connection.
    pub fn twin(&self) -> Client {
        Client::over(self.stream.try_clone().expect("a handle can be cloned"))
    }

    /// The next reply, which has to come.
    pub fn reply(&mut self) -> Reply {
        self.next_reply(Body::Sent).expect("a whole reply comes")
    }

    /// The next reply, or why there is none.
    pub fn next_reply(&mut self, body: Body) -> Result<Reply, NoReply> {
        loop {
            if let Some(reply) = self.received.next(body).map_err(NoReply::Broken)? {
                return Ok(Reply::copied(&reply, &self.received));
            }
            match self.received.read(&mut self.stream) {
                Ok(0) if self.received.untaken().is_empty() => return Err(NoReply::End),
                Ok(0) => return Err(self.broken("ended")),
                Ok(_) => {}
                Err(e) => return Err(self.broken(&e.to_string())),
            }
        }
    }

    /// Asks once and takes the answer.
    pub fn get(&mut self) -> Reply {
        self.send(GET);
        self.reply()
    }

    /// All that comes until the server ends its side; a reset or a timeout is an error.
    pub fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = self.received.take(usize::MAX);
        self.stream.read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// Waits for the end of the server's side, before which nothing may come.
    pub fn expect_end(&mut self) {
        match self.read_to_end() {
            Ok(rest) => assert_eq!(rest.escape_ascii().to_string(), "", "before the end"),
            Err(e) => panic!("no end came: {e}"),
        }
    }

    /// The next bytes, exactly so many.
    pub fn read_exactly(&mut self, bytes: usize) -> Vec<u8> {
        let mut read = self.received.take(bytes);
        let taken = read.len();
        read.resize(bytes, 0);
        let result = self.stream.read_exact(&mut read[taken..]);
        result.unwrap_or_else(|e| panic!("{e} within {bytes} bytes"));
        read
    }

    fn broken(&self, why: &str) -> NoReply {
        let received = self.received.untaken().escape_ascii().to_string();
        NoReply::Broken(format!("{why} after {received:?}"))
    }
}

/// The smallest request.
pub const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A body for replies that the kernel's buffers cannot hold, [`LARGE_REPLIES`] of them; no
/// longer than an argument may be on any system.
pub fn large_body() -> String {
    "0123456789abcdef".repeat(1_800)
}

/// The server takes as many requests with one read.
pub const LARGE_REPLIES: usize = 1_100;

/// Splits `bytes` (all replies to GET) into replies. A part of one at the end is an error.
pub fn replies_in(bytes: &[u8]) -> Result<Vec<Reply>, NoReply> {
    let (mut bytes, mut replies) = (bytes, Vec::new());
    let mut received = Received::with_room(bytes.len().max(1));
    while received.read(&mut bytes).is_ok_and(|read| read > 0) {}
    while let Some(reply) = received.next(Body::Sent).map_err(NoReply::Broken)? {
        replies.push(Reply::copied(&reply, &received));
    }
    match received.untaken() {
        [] => Ok(replies),
        rest => Err(NoReply::Broken(format!(
            "{} replies, then a part of one: {}",
            replies.len(),
            rest.escape_ascii()
        ))),
    }
}

/// Time that passes: another server's time limit. A busy machine delays it as it delays the server
/// under test.
pub struct Alarm(Server);

impl Alarm {
    /// One that goes off this long after it was set.
    pub fn after(time: &str) -> Alarm {
        Alarm(Server::http(&["--header-timeout", time]))
    }

    /// Sets it, and waits until it goes off.
    pub fn wait(&self) {
        let mut half_a_head = self.0.connect();
        half_a_head.send(&GET[..10]);
        assert_eq!(half_a_head.reply().status, 408);
    }
}

/// Tests whether this machine has IPv6, and prints that a test is skipped if it has not.
pub fn has_ipv6() -> bool {
    let has = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    if !has {
        // Not to libtest, which hides the output of a test that passes.
        let _ = writeln!(io::stderr(), "not tested: this machine has no ::1");
    }
    has
}

/// Collects the failures of a table of cases, so that one run shows all of them.
#[derive(Debug, Default)]
pub struct Complaints {
    lines: String,
}

impl Complaints {
    pub fn add(&mut self, complaint: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.lines, "  {complaint}");
    }

    /// Fails if anything was added.
    pub fn settle(self) {
        assert!(self.lines.is_empty(), "\n{}", self.lines);
    }
}
