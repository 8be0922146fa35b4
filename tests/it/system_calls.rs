//! The kernel's floor, counted: a batch costs one receive, one send and its share of one wait, and
//! nothing else. An EAGAIN read, an epoll_ctl or a second send would show here.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Client, GET, Server, bareloop, run};

/// Batches sent in one count.
const BATCHES: usize = 1_000;
/// Calls beyond the floor's that a count may see: a Date, a sweep, the edge of the window.
const SLACK: usize = 10;

/// `strace -c` on a running process.
struct Trace(Child);

impl Trace {
    /// Counts from the moment that this returns.
    fn attach(id: u32) -> Trace {
        let mut strace = Command::new("strace")
            .args(["-f", "-c", "-U", "name,calls", "-p", &id.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace is installed");
        let stderr = strace.stderr.as_mut().expect("stderr is piped");
        let mut first = [0; 64];
        let said = stderr.read(&mut first).expect("strace speaks");
        let said = String::from_utf8_lossy(&first[..said]).into_owned();
        assert!(said.contains("attached"), "{said}");
        Trace(strace)
    }

    /// Calls by name.
    fn count(mut self) -> HashMap<String, usize> {
        let id = Pid::from_child(&self.0);
        kill_process(id, Signal::INT).expect("strace still runs");
        let stderr = BufReader::new(self.0.stderr.take().expect("stderr is piped"));
        let counted = stderr
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| {
                let (name, calls) = line.trim().split_once(char::is_whitespace)?;
                Some((name.to_owned(), calls.trim().parse().ok()?))
            })
            .collect();
        self.0.wait().expect("strace ends");
        counted
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // It is over already, unless a test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Calls of a server that answers batches of `requests`, one batch after the other.
fn calls(server: &Server, requests: usize, reply_bytes: usize) -> HashMap<String, usize> {
    let mut client: Client = server.connect();
    let batch = GET.repeat(requests);
    let mut exchange = || {
        client.send(&batch);
        client.read_exactly(requests * reply_bytes);
    };
    // The first exchange accepts, parses, learns and allocates.
    exchange();
    let trace = Trace::attach(server.id());
    for _ in 0..BATCHES {
        exchange();
    }
    trace.count()
}

fn assert_floor(calls: &HashMap<String, usize>, batches: usize) {
    let of = |name: &str| calls.get(name).copied().unwrap_or(0);
    assert_eq!(of("sendto"), batches, "{calls:?}");
    assert!(of("recvfrom") <= batches + SLACK, "{calls:?}");
    assert!(of("epoll_wait") <= batches + SLACK, "{calls:?}");
    let floor = ["sendto", "recvfrom", "epoll_wait", "total"];
    let beyond: usize = calls
        .iter()
        .filter(|(name, _)| !floor.contains(&name.as_str()))
        .map(|(_, count)| count)
        .sum();
    assert!(beyond <= SLACK, "{calls:?}");
}

#[test]
#[ignore = "needs strace"]
fn http_costs_one_receive_one_send_and_one_wait_a_batch() {
    let server = Server::http(&[]);
    let reply_bytes = {
        let mut client = server.connect();
        client.send([GET, b"GET / HTTP/1.0\r\n\r\n"].concat());
        let both = client.read_to_end().expect("the server closes after 1.0");
        let text = String::from_utf8(both).expect("replies are ASCII");
        text.rfind("HTTP/1.1 ").expect("there are two replies")
    };
    for requests in [1, 10, 16] {
        assert_floor(&calls(&server, requests, reply_bytes), BATCHES);
    }
}

#[test]
#[ignore = "needs strace"]
fn tcp_costs_one_receive_one_send_and_one_wait_a_batch() {
    let server = Server::tcp(&[]);
    for requests in [1, 10, 16] {
        assert_floor(&calls(&server, requests, 48), BATCHES);
    }
}

#[test]
#[ignore = "needs strace"]
fn load_costs_one_receive_and_one_send_a_batch() {
    let server = Server::http(&[]);
    let url = format!("http://{}/", server.address());
    let finished = run(Command::new("strace")
        .args(["-f", "-c", "-U", "name,calls"])
        .arg(bareloop().get_program())
        .args(["load", "-c", "1", "-p", "10", "-a", "10000", "--json", &url]));
    let of = |name: &str| {
        let mut lines = finished.stderr.lines().map(str::split_whitespace);
        let found = lines.find_map(|mut words| (words.next()? == name).then(|| words.next()));
        let calls = found.flatten().and_then(|calls| calls.parse().ok());
        calls.unwrap_or_else(|| panic!("no {name} in {}", finished.stderr))
    };
    let (sends, receives): (usize, usize) = (of("sendto"), of("recvfrom"));
    // Resolving the address sends a little too.
    let few_more = BATCHES..=BATCHES + SLACK;
    assert!(few_more.contains(&sends), "{}", finished.stderr);
    assert!(receives <= BATCHES + SLACK, "{}", finished.stderr);
    assert!(of("epoll_wait") <= BATCHES + SLACK, "{}", finished.stderr);
}
