//! System calls, counted: a batch costs one receive, one send and its share of one wait, and
//! nothing else. An EAGAIN read, an epoll_ctl or a second send would show here.

use std::collections::HashMap;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::harness::{GET, Job, Server, bareloop, run};
use crate::load_harness::Report;
use crate::support::usage::wait_until_idle;

/// Batches sent in one count.
const BATCHES: usize = 1_000;
/// Calls more than these that a count may have: for a Date, a sweep, the start of the count.
const SLACK: usize = 10;

const STRACE: [&str; 4] = ["-f", "-c", "-U", "name,calls"];

/// Calls by name, as `strace -c` writes them.
fn counts(stderr: &str) -> HashMap<String, usize> {
    let count = |line: &str| {
        let (name, calls) = line.trim().split_once(char::is_whitespace)?;
        Some((name.to_owned(), calls.trim().parse().ok()?))
    };
    stderr.lines().filter_map(count).collect()
}

/// Calls of a server that answers batches of `requests`, one batch after the other.
fn calls(server: &Server, requests: usize, reply_bytes: usize) -> HashMap<String, usize> {
    let mut client = server.connect();
    let batch = GET.repeat(requests);
    let mut exchange = || {
        client.send(&batch);
        client.read_exactly(requests * reply_bytes);
    };
    // The first exchange accepts, parses, learns and allocates.
    exchange();
    let id = server.id().to_string();
    let mut strace = Job::start(
        Command::new("strace")
            .args(STRACE)
            .args(["-p", &id])
            .stdout(Stdio::null()),
    );
    let first = strace.stderr_line();
    assert!(first.contains("attached"), "{first}");
    for _ in 0..BATCHES {
        exchange();
    }
    // The reply to the last batch is here before strace has seen the last send return. A server
    // that sleeps is in its next wait.
    wait_until_idle(server.id()).expect("the server has nothing to do");
    strace.signal(Signal::INT);
    counts(&strace.finish().stderr)
}

fn assert_minimal(calls: &HashMap<String, usize>, batches: usize) {
    let of = |name: &str| calls.get(name).copied().unwrap_or(0);
    assert_eq!(of("sendto"), batches, "{calls:?}");
    assert!(of("recvfrom") <= batches + SLACK, "{calls:?}");
    assert!(of("epoll_wait") <= batches + SLACK, "{calls:?}");
    let needed = ["sendto", "recvfrom", "epoll_wait", "total"];
    let others = calls
        .iter()
        .filter(|(name, _)| !needed.contains(&name.as_str()));
    let others: usize = others.map(|(_, count)| count).sum();
    assert!(others <= SLACK, "{calls:?}");
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
        assert_minimal(&calls(&server, requests, reply_bytes), BATCHES);
    }
}

#[test]
#[ignore = "needs strace"]
fn tcp_costs_one_receive_one_send_and_one_wait_a_batch() {
    let server = Server::tcp(&[]);
    for requests in [1, 10, 16] {
        assert_minimal(&calls(&server, requests, 48), BATCHES);
    }
}

#[test]
#[ignore = "needs strace"]
fn load_costs_one_receive_and_one_send_a_batch() {
    let server = Server::http(&[]);
    let url = server.url();
    let finished = run(Command::new("strace")
        .args(STRACE)
        .arg(bareloop().get_program())
        .args(["load", "-c", "1", "-p", "10", "-a", "10000", "--json", &url]));
    let calls = counts(&finished.stderr);
    let of = |name: &str| calls[name];
    // Resolving the address sends a little too.
    let few_more = BATCHES..=BATCHES + SLACK;
    assert!(few_more.contains(&of("sendto")), "{calls:?}");
    assert!(of("recvfrom") <= BATCHES + SLACK, "{calls:?}");
    // On a busy machine it also wakes without an event, every 10 ms.
    let report = Report::of(&finished);
    let wakes = (report.number("/duration") * 100.0) as usize;
    assert!(of("epoll_wait") <= BATCHES + SLACK + wakes, "{calls:?}");
}

#[test]
#[ignore = "needs strace"]
fn an_open_loop_yields_where_no_core_is_left_to_the_server() {
    let server = Server::http(&[]);
    let url = server.url();
    let cores = std::thread::available_parallelism().expect("a number of cores");
    let yields = |workers: usize| {
        let finished = run(Command::new("strace")
            .args(STRACE)
            .arg(bareloop().get_program())
            .args(["load", "-c", "4", "-R", "2000", "-d", "0.3", "--json"])
            .args(["-w", &workers.to_string(), &url]));
        counts(&finished.stderr).get("sched_yield").copied()
    };
    assert!(yields(cores.get()) > Some(SLACK));
    if cores.get() > 1 {
        assert!(yields(cores.get() - 1) <= Some(SLACK));
    }
}
