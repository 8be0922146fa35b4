//! Requests per CPU-second of `bareloop`, beside those of a floor.
//!
//! A *floor* is a program that makes only the system calls that any single-threaded program on
//! epoll must make: a server that receives, counts CR LF CR LF, and sends that many replies
//! rendered before; and a client that sends a block of requests and counts bytes. Neither parses,
//! checks, times or queues anything. `bareloop serve` and `bareloop load` do. All are measured in
//! interleaved rounds, each pinned to one core. The figure is requests per second of CPU time,
//! which does not depend on which end waits for the other.
//!
//! ```text
//! cargo bench --bench floor -- -c 100 -p 1,10,16 -d 1 -r 5 --only serve-http,load
//! ```
//!
//! There are two workloads, `--workload repeated|varying`. Repeated is what load generators send: one
//! short request, one reply. Varying is what browsers and applications send: request heads of about
//! 340 bytes, each with its own target and cookie, and replies each with its own X-Request-Id.
//!
//! Each server is loaded by the floor client, and each client loads the floor server. The row
//! `floor-again` is the floor measured twice: its distance from 1.00 is the noise in every row.
//! nginx, wrk and h2load are measured if they are installed.
//!
//! Two more tables are measured on request:
//!
//! ```text
//! cargo bench --bench floor -- --tables scale,tail -p 1,10
//! ```
//!
//! `scale`: CPU time for a request at 10,000 connections (or as many as the limit on descriptors
//! allows) over that at `-c`; resident memory for each idle connection; the size of the binary; the
//! time from exec to the first reply.
//!
//! `tail`: latencies at half of the floor server's maximum. Requests are due at even intervals,
//! and a latency counts from the time its request is due, sent late or not. Each of the `-c`
//! connections has one request in flight (`-p` is ignored). The client polls without sleep.
//!
//! Linux only: the floors use epoll.

#![deny(unsafe_code)]

#[cfg(target_os = "linux")]
mod support;

#[cfg(target_os = "linux")]
#[path = "floor"]
mod floor {
    mod client;
    mod clients;
    mod connection;
    mod exchange;
    mod footprint;
    mod latencies;
    mod options;
    mod paced;
    mod process;
    mod rounds;
    pub mod runner;
    mod scale;
    mod server;
    mod servers;
    mod spread;
    #[allow(unsafe_code, reason = "system calls that std has no safe name for")]
    mod sys;
    mod table;
    mod tail;
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    floor::runner::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("floor: not measured: the floors use epoll, which only Linux has");
}
