//! Figures of `bareloop serve http` under attack and strain, each beside its bound. `tests/it` tests
//! the behaviour itself, and asserts no time.
//!
//! ```text
//! cargo bench --bench strain -- --seconds 5 --only blaster,stop
//! ```
//!
//! The server has a core of its own; all clients share another one, the attackers and the client
//! that is measured. That client sends one request after the other, at most one each millisecond.
//! Its latencies are printed with the time in which other processes had its core and the server's:
//! for the server's core that should be 0, for the client's only the attackers' time.
//!
//! Every reply is framed and checked. A missed bound is printed as MISSED and is no failure, because
//! the machine may be busy with something else. A lost, cut or wrong reply is a failure.
//!
//! Linux only: CPU time and memory are read from /proc.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod support;

#[cfg(target_os = "linux")]
#[path = "strain"]
mod strain {
    mod blast;
    mod client;
    mod closing;
    mod crowd;
    mod drip;
    mod figure;
    mod options;
    mod paced;
    mod reset;
    pub mod runner;
    mod server;
    mod starve;
    mod stop;
    mod unread;
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    strain::runner::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("strain: not measured: CPU time and memory are read from Linux's /proc");
}
