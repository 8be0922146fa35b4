//! How far `bareloop` is from the kernel's floor.
//!
//! The floor is what any single-threaded program on epoll must pay: a server that receives,
//! counts CR LF CR LF, and sends that many replies rendered before; and a client that sends a
//! block of requests and counts bytes. Neither parses, checks, times or queues anything.
//! `bareloop serve` and `bareloop load` do, and stand beside them here, each at one pinned core,
//! in interleaved rounds, by the only figure that does not depend on who waits for whom: requests
//! per second of CPU time.
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
//! `floor-again` is the floor once more: what it is off 1.00 is noise, and so is as much in any
//! other row. nginx, wrk and h2load are measured where they are installed.
//!
//! Two more tables must be asked for:
//!
//! ```text
//! cargo bench --bench floor -- --tables scale,tail -p 1,10
//! ```
//!
//! `scale`: what a request costs a server at 10,000 connections (or as many as the limit on
//! descriptors allows) over what it costs it at `-c`; resident memory for each idle connection;
//! the size of the binary; the time from exec to the first reply.
//!
//! `tail`: how long replies take at half of the floor server's maximum. Requests are due at even
//! intervals, late ones too, and a latency counts from then (one request in flight on each of `-c`
//! connections, whatever `-p` says); the client polls without sleep.
//!
//! Linux only, since the floor stands on epoll.

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
    println!("floor: nothing measured, since the floor stands on epoll, which only Linux has");
}
