//! The end of what a contestant writes, and the line of it that says what is wrong.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Time limit for the end of a pipe whose process has ended: a descendant may hold it open.
const PIPE_END_WITHIN: Duration = Duration::from_millis(250);
/// Bytes kept of the end of the output.
const TAIL_BYTES_MAX: usize = 4096;
/// Characters kept of a quoted line.
const EXCERPT_CHARS_MAX: usize = 160;

/// The end of what a child writes, kept by a thread of its own: a full pipe would stop the child.
#[derive(Debug, Default)]
pub struct OutputTail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    /// Disconnects when the pipe has ended.
    ended: Option<Receiver<()>>,
}

impl OutputTail {
    /// Reads `pipe` to its end, on a thread of its own.
    ///
    /// # Errors
    /// If there is no thread.
    pub fn follow(pipe: Option<impl Read + Send + 'static>) -> io::Result<OutputTail> {
        let Some(pipe) = pipe else {
            return Ok(OutputTail::default());
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
        Ok(OutputTail { kept, ended })
    }

    /// The line of the output that says what is wrong; empty if there is none. Waits for the end of
    /// the output first, for a moment.
    pub fn error_excerpt_at_end(&self) -> String {
        if let Some(ended) = &self.ended {
            let _ = ended.recv_timeout(PIPE_END_WITHIN);
        }
        self.error_excerpt()
    }

    /// The line of the output that says what is wrong; empty if there is none.
    pub fn error_excerpt(&self) -> String {
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

/// The last line that names an error, or else the last that is not blank; without control
/// characters.
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
        .take(EXCERPT_CHARS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_names_an_error_is_quoted_before_what_follows_it() {
        let text = "starting\nError: no module server.js\n    at load\n\nNode.js v20\n";
        assert_eq!(error_excerpt(text), "Error: no module server.js");
        assert_eq!(error_excerpt("one\ntwo\n\n"), "two");
        assert_eq!(error_excerpt(""), "");
    }

    #[test]
    fn only_the_end_of_much_output_is_kept() {
        let mut output = vec![b'x'; 10 * TAIL_BYTES_MAX];
        output.extend(b"\nend\n");
        let kept = Mutex::new(VecDeque::new());
        keep_tail(&*output, &kept);
        assert_eq!(kept.lock().unwrap().len(), TAIL_BYTES_MAX);
        let tail = OutputTail {
            kept: Arc::new(kept),
            ended: None,
        };
        assert_eq!(tail.error_excerpt(), "end");
    }
}
