//! A server as a child process, a raw client for it, and replies as they come off the wire.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes. Reaching it is a failure, never a measurement.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The program under test.
pub fn bareloop() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bareloop"))
}

/// Runs it to its end, which comes soon: it is a command line that is refused, or a port.
pub fn output_of(args: &[&str]) -> Output {
    assert_cmd::Command::from_std(bareloop())
        .args(args)
        .timeout(PATIENCE)
        .output()
        .expect("the binary starts")
}

/// A started server. Dropping it ends the process, by its id, if it still runs.
#[derive(Debug)]
pub struct Server {
    child: Child,
    addresses: Vec<SocketAddr>,
    /// Lines of stderr; it ends when the process does.
    stderr: Receiver<String>,
}

/// How a server ended.
#[derive(Debug)]
pub struct Exited {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// All it said on stderr.
    pub stderr: String,
}

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
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = pieces(child.stdout.take().expect("stdout is piped"));
        let stderr = lines(child.stderr.take().expect("stderr is piped"));
        let mut server = Server {
            child,
            addresses: Vec::new(),
            stderr,
        };
        match stdout.recv_timeout(PATIENCE) {
            Ok(announced) => server.addresses = announced.lines().map(address_in).collect(),
            Err(e) => panic!("no address was announced: {e}; {:?}", server.kill()),
        }
        server
    }

    /// The first address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// All addresses it listens on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A new connection to it.
    pub fn connect(&self) -> Client {
        Client::connect(self.address())
    }

    /// Sends the process a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).expect("the process has not been waited for");
    }

    /// The next line on stderr.
    pub fn stderr_line(&self) -> String {
        self.stderr
            .recv_timeout(PATIENCE)
            .expect("the server says something on stderr")
    }

    /// How it ends; it has to be on its way.
    pub fn wait(mut self) -> Exited {
        self.wait_by(Instant::now() + PATIENCE)
    }

    /// Ends it at once.
    pub fn kill(&mut self) -> Exited {
        let _ = self.child.kill();
        self.wait_by(Instant::now() + PATIENCE)
    }

    fn wait_by(&mut self, until: Instant) -> Exited {
        let mut stderr = String::new();
        loop {
            match self.stderr.recv_timeout(until - Instant::now()) {
                Ok(line) => stderr += &line,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the server does not end: {stderr}"),
            }
        }
        let status = self.child.wait().expect("a child can be waited for");
        Exited {
            code: status.code(),
            stderr,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a process that is gone, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Longer than a whole command takes on a busy machine. Reaching it is a failure.
const JOB_PATIENCE: Duration = Duration::from_secs(60);

/// A command under way. Dropping it ends the process, by its id, if it still runs.
#[derive(Debug)]
pub struct Job {
    child: Child,
    /// Lines of stdout, as they come; `None` if nobody reads them.
    stdout: Option<Receiver<String>>,
    stderr: Receiver<String>,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// All that nobody took by [`Job::stdout_line`].
    pub stdout: String,
    pub stderr: String,
}

impl Job {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> Job {
        let mut job = Job::spawn(command.stdout(Stdio::piped()));
        job.stdout = job.child.stdout.take().map(lines);
        job
    }

    /// Starts `command` with a stdout that nobody reads, and that breaks with the first write.
    #[cfg(unix)]
    pub fn with_closed_stdout(command: &mut Command) -> Job {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        Job::spawn(command.stdout(writer))
    }

    fn spawn(command: &mut Command) -> Job {
        let mut child = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
        let stderr = lines(child.stderr.take().expect("stderr is piped"));
        Job {
            child,
            stdout: None,
            stderr,
        }
    }

    /// Sends the process a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).expect("the process has not been waited for");
    }

    /// The next line on stdout.
    #[cfg(target_os = "linux")]
    pub fn stdout_line(&self) -> String {
        let stdout = self.stdout.as_ref().expect("stdout is read");
        let line = stdout.recv_timeout(JOB_PATIENCE);
        line.expect("the command says something on stdout")
    }

    /// The next line on stderr.
    #[cfg(unix)]
    pub fn stderr_line(&self) -> String {
        let line = self.stderr.recv_timeout(JOB_PATIENCE);
        line.expect("the command says something on stderr")
    }

    /// How it ends; it has to be on its way.
    pub fn finish(mut self) -> Finished {
        let until = Instant::now() + JOB_PATIENCE;
        let stdout = match &self.stdout {
            Some(stdout) => all_of(stdout, until),
            None => String::new(),
        };
        let stderr = all_of(&self.stderr, until);
        let status = self.child.wait().expect("a child can be waited for");
        Finished {
            code: status.code(),
            stdout,
            stderr,
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // Both fail only for a process that is gone, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every line until the writer has closed its pipe.
fn all_of(lines: &Receiver<String>, until: Instant) -> String {
    let mut text = String::new();
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => text += &line,
            Err(RecvTimeoutError::Disconnected) => return text,
            Err(RecvTimeoutError::Timeout) => panic!("the command does not end; it said: {text}"),
        }
    }
}

/// Runs a command that ends by itself.
pub fn run(command: &mut Command) -> Finished {
    Job::start(command).finish()
}

/// What is written into a pipe, write by write; an announcement is one write.
fn pieces(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(bytes @ 1..) = pipe.read(&mut piece) {
            // If nobody listens any more, the pipe is kept open and empty all the same.
            let _ = sender.send(String::from_utf8_lossy(&piece[..bytes]).into_owned());
        }
    });
    receiver
}

/// What is written into a pipe, line by line, each with its end.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = String::new();
        while pipe.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            let _ = sender.send(std::mem::take(&mut line));
        }
    });
    receiver
}

fn address_in(line: &str) -> SocketAddr {
    let address = line
        .trim_end()
        .strip_prefix("listening on ")
        .and_then(|url| url.split_once("://"))
        .unwrap_or_else(|| panic!("not an announcement: {line:?}"))
        .1;
    address.parse().expect("an address and a port")
}

/// Whether a reply brings the body that its head describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Sent,
    /// The reply answers HEAD.
    Omitted,
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

/// A blocking connection whose reads cannot hang for ever.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    /// Received, not yet taken as a reply.
    received: Vec<u8>,
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
            received: Vec::new(),
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
            if let Some((reply, bytes)) = parse_reply(&self.received, body)? {
                self.received.drain(..bytes);
                return Ok(reply);
            }
            let mut piece = [0; 16 * 1024];
            match read(&self.stream, &mut piece) {
                Ok(0) if self.received.is_empty() => return Err(NoReply::End),
                Ok(0) => return Err(self.broken("ended")),
                Ok(bytes) => self.received.extend_from_slice(&piece[..bytes]),
                Err(e) => return Err(self.broken(&e.to_string())),
            }
        }
    }

    /// Asks once and takes the answer.
    pub fn get(&mut self) -> Reply {
        self.send(GET);
        self.reply()
    }

    /// All that comes until the server ends its side; a reset or a stop of the clock is an error.
    pub fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = std::mem::take(&mut self.received);
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
        while self.received.len() < bytes {
            let mut piece = vec![0; (bytes - self.received.len()).min(64 * 1024)];
            match read(&self.stream, &mut piece) {
                Ok(0) => panic!("ended after {} of {bytes} bytes", self.received.len()),
                Ok(read) => self.received.extend_from_slice(&piece[..read]),
                Err(e) => panic!("{e} after {} of {bytes} bytes", self.received.len()),
            }
        }
        let rest = self.received.split_off(bytes);
        std::mem::replace(&mut self.received, rest)
    }

    fn broken(&self, why: &str) -> NoReply {
        NoReply::Broken(format!(
            "{why} after {:?}",
            self.received.escape_ascii().to_string()
        ))
    }
}

/// Reads once. With a timeout a read can be interrupted, be it by a debugger.
fn read(mut stream: &TcpStream, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(piece) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The smallest request.
pub const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A body for replies that the kernel's buffers do not swallow, [`LARGE_REPLIES`] of them; no
/// longer than an argument may be on any system.
pub fn large_body() -> String {
    "0123456789abcdef".repeat(1_800)
}

/// As many requests are one read of the server's.
pub const LARGE_REPLIES: usize = 1_100;

/// Reads a reply from the front of `bytes`, and says how long it is; `None` if more is to come.
fn parse_reply(bytes: &[u8], body: Body) -> Result<Option<(Reply, usize)>, NoReply> {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Response::new(&mut fields);
    let broken = |why: &str| {
        let shown = bytes[..bytes.len().min(200)].escape_ascii();
        NoReply::Broken(format!("{why}: {shown}"))
    };
    let head_bytes = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(head_bytes)) => head_bytes,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(e) => return Err(broken(&e.to_string())),
    };
    let status = parsed.code.unwrap_or_default();
    let length = parsed
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"))
        .map(|field| String::from_utf8_lossy(field.value).parse::<usize>());
    let body_bytes = match (status, body, length) {
        (100..=199, _, None) | (200.., Body::Omitted, Some(Ok(_))) => 0,
        (200.., Body::Sent, Some(Ok(length))) => length,
        _ => return Err(broken("a reply framed wrongly")),
    };
    let end = head_bytes + body_bytes;
    if bytes.len() < end {
        return Ok(None);
    }
    let reply = Reply {
        status,
        head: String::from_utf8_lossy(&bytes[..head_bytes]).into_owned(),
        body: bytes[head_bytes..end].to_vec(),
    };
    Ok(Some((reply, end)))
}

/// Splits `bytes` (all replies to GET) into replies; whatever is cut off is an error.
pub fn replies_in(mut bytes: &[u8]) -> Result<Vec<Reply>, NoReply> {
    let mut replies = Vec::new();
    while !bytes.is_empty() {
        match parse_reply(bytes, Body::Sent)? {
            Some((reply, end)) => {
                replies.push(reply);
                bytes = &bytes[end..];
            }
            None => {
                return Err(NoReply::Broken(format!(
                    "{} replies, then a part of one: {}",
                    replies.len(),
                    bytes.escape_ascii()
                )));
            }
        }
    }
    Ok(replies)
}

/// Small random numbers that can be had again (splitmix64).
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The numbers of this seed.
    pub fn seeded(seed: u64) -> Random {
        Random { state: seed }
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// `bytes` in pieces of 1 to `max` bytes.
    pub fn cut<'b>(&mut self, mut bytes: &'b [u8], max: usize) -> Vec<&'b [u8]> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at((1 + self.below(max)).min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }
}

/// The seed of this run: new each time, printed by whatever fails, and set again by
/// `BARELOOP_TEST_SEED`.
pub fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    match std::env::var("BARELOOP_TEST_SEED") {
        Ok(text) => text.parse().expect("BARELOOP_TEST_SEED is a number"),
        Err(_) => RandomState::new().hash_one(0u8),
    }
}

/// Collects what goes wrong in a table, so that one run shows all of it.
#[derive(Debug, Default)]
pub struct Complaints {
    lines: String,
    count: usize,
}

impl Complaints {
    pub fn add(&mut self, complaint: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.lines, "  {complaint}");
        self.count += 1;
    }

    /// Fails if anything was added.
    pub fn settle(self) {
        assert!(self.lines.is_empty(), "\n{}", self.lines);
    }
}
