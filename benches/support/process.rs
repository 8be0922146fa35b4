//! A process under test or under measurement. It is killed, by its id, when it is dropped. Threads
//! read its output, so that every wait for it has a limit.

use std::io::{self, ErrorKind, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Output of a process that writes a long report: longer than a pipe's buffer is no problem.
const PIECE_BYTES: usize = 4096;

#[derive(Debug)]
pub struct Process {
    child: Child,
    pub stdout: Output,
    pub stderr: Output,
}

/// The end of a process.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// All that was not taken as a line before.
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts `command` without input; its output is read.
    pub fn start(command: &mut Command) -> io::Result<Process> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        Process::spawn(command.stderr(Stdio::piped()))
    }

    /// Starts `command` with the input and output that it was given; what is a pipe is read.
    pub fn spawn(command: &mut Command) -> io::Result<Process> {
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().map_or_else(Output::none, Output::of);
        let stderr = child.stderr.take().map_or_else(Output::none, Output::of);
        Ok(Process {
            child,
            stdout,
            stderr,
        })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) -> io::Result<()> {
        let id = rustix::process::Pid::from_child(&self.child);
        Ok(rustix::process::kill_process(id, signal)?)
    }

    /// Writes a line into its stdin, which has to be a pipe.
    pub fn write_line(&mut self, line: &str) -> io::Result<()> {
        let stdin = self.child.stdin.as_mut().ok_or(ErrorKind::BrokenPipe)?;
        stdin.write_all(format!("{line}\n").as_bytes())
    }

    pub fn is_running(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
    }

    /// Waits until it has ended, which closes its output.
    ///
    /// # Errors
    /// `TimedOut` with what it wrote, if it does not end within `limit`.
    pub fn wait(&mut self, limit: Duration) -> io::Result<Finished> {
        let until = Instant::now() + limit;
        let stdout = self.stdout.rest(until)?;
        let stderr = self.stderr.rest(until)?;
        let status = self.child.wait()?;
        Ok(Finished {
            code: status.code(),
            stdout,
            stderr,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

/// Output of a process, read from a pipe.
#[derive(Debug)]
pub struct Output {
    writes: Receiver<Vec<u8>>,
    /// Received, not taken.
    received: Vec<u8>,
}

impl Output {
    /// A stream that is not read.
    fn none() -> Output {
        Output {
            writes: channel().1,
            received: Vec::new(),
        }
    }

    fn of(mut pipe: impl Read + Send + 'static) -> Output {
        let (sender, writes) = channel();
        thread::spawn(move || {
            let mut piece = [0; PIECE_BYTES];
            loop {
                match pipe.read(&mut piece) {
                    // Without a receiver the pipe is still kept open and empty.
                    Ok(bytes @ 1..) => drop(sender.send(piece[..bytes].to_vec())),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Ok(0) | Err(_) => return,
                }
            }
        });
        Output {
            writes,
            received: Vec::new(),
        }
    }

    /// Takes the next line, with its end.
    ///
    /// # Errors
    /// `UnexpectedEof` if there is none, `TimedOut` if none has come within `limit`.
    pub fn line(&mut self, limit: Duration) -> io::Result<String> {
        let until = Instant::now() + limit;
        loop {
            if let Some(line) = self.line_received() {
                return Ok(line);
            }
            if !self.receive(until)? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Takes the next line if it has been received.
    pub fn line_received(&mut self) -> Option<String> {
        let end = memchr::memchr(b'\n', &self.received)? + 1;
        let rest = self.received.split_off(end);
        Some(text(&std::mem::replace(&mut self.received, rest)))
    }

    /// Takes all that comes until the stream is closed.
    fn rest(&mut self, until: Instant) -> io::Result<String> {
        while self.receive(until)? {}
        Ok(text(&std::mem::take(&mut self.received)))
    }

    /// Waits for one more write; false at the end of the stream.
    fn receive(&mut self, until: Instant) -> io::Result<bool> {
        match self
            .writes
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            Ok(bytes) => {
                self.received.extend(bytes);
                Ok(true)
            }
            Err(RecvTimeoutError::Disconnected) => Ok(false),
            Err(RecvTimeoutError::Timeout) => {
                let written = format!("the process goes on; it wrote {:?}", text(&self.received));
                Err(io::Error::new(ErrorKind::TimedOut, written))
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
