//! The floor client: sends a block of requests, counts bytes, and sends k requests for every k whole
//! replies.
//!
//! Deliberately absent: stamps, latencies, parsing. Only the length of a reply is learned, from a
//! first exchange. Requests are rendered before the load begins.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::connection::{Connection, connect_all};
use super::exchange::{RECEIVE_BYTES, first_reply, request, send_whole};
use super::options::{Load, Workload};
use super::sys::Epoll;
use crate::support::PATIENCE;
use crate::support::traffic::{Messages, browser_head};

/// Heads of the varying workload: more than any server remembers.
const DIFFERENT_HEADS: usize = 8192;

/// Connects to `address`, prints `ready`, and waits for a line on stdin (or its end). Then loads the
/// server, prints the number of replies once the last one has come, and stays connected until the
/// next line, or the end.
pub fn load(address: SocketAddr, load: Load) -> io::Result<()> {
    let Load {
        connections,
        pipelining,
        duration,
        workload,
    } = load;
    let reply_bytes = first_reply(address)?.len();
    let host = address.to_string();
    let mut requests = match workload {
        Workload::Repeated => Messages::repeated(&request(address), pipelining),
        Workload::Varying => Messages::varying(pipelining.max(DIFFERENT_HEADS), |number| {
            browser_head(&host, number)
        }),
    };
    let mut buffer = vec![0; RECEIVE_BYTES];
    let mut poll = Epoll::new()?;
    let mut by_descriptor: Vec<Option<Connection>> = Vec::new();
    for connection in connect_all(address, connections)? {
        poll.add(&connection.stream)?;
        let fd = connection.stream.as_raw_fd() as usize;
        by_descriptor.resize_with(by_descriptor.len().max(fd + 1), || None);
        by_descriptor[fd] = Some(connection);
    }

    say_and_wait("ready")?;
    let over = alarm(duration);
    for connection in by_descriptor.iter_mut().flatten() {
        send_whole(&mut connection.stream, requests.take(pipelining)?)?;
    }
    let mut sent = (connections * pipelining) as u64;
    let mut completed = 0;
    while completed < sent {
        let sending = !over.load(Ordering::Relaxed);
        let mut silent = true;
        for event in poll.wait(Some(PATIENCE))? {
            silent = false;
            let Some(connection) = &mut by_descriptor[event.fd as usize] else {
                continue;
            };
            let replies = connection.receive(&mut buffer, reply_bytes)?;
            completed += replies as u64;
            if sending && replies > 0 {
                send_whole(&mut connection.stream, requests.take(replies)?)?;
                sent += replies as u64;
            }
        }
        if silent {
            return Err(io::Error::other("no reply has come for too long"));
        }
    }
    say_and_wait(&completed.to_string())
}

/// Prints `line` and waits for a line on stdin. An empty stdin does not make it wait.
fn say_and_wait(line: &str) -> io::Result<()> {
    println!("{line}");
    io::stdout().flush()?;
    io::stdin().read_line(&mut String::new()).map(drop)
}

/// A flag that turns true after `duration`, so that the loop need not read a clock.
fn alarm(duration: Duration) -> Arc<AtomicBool> {
    let over = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&over);
    thread::spawn(move || {
        thread::sleep(duration);
        flag.store(true, Ordering::Relaxed);
    });
    over
}
