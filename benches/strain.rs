//! How `bareloop serve http` behaves under attack and strain, in figures, each beside the bound it
//! is held to. That it behaves so at all is held by `tests/it`, where no time may be asserted.
//!
//! ```text
//! cargo bench --bench strain -- --seconds 5 --only blaster,stop
//! ```
//!
//! The server has a core of its own; all clients, attackers and others, share another. The client
//! beside an attack sends one request after the other, one each millisecond at most. How long its
//! core and the server's were taken by something else stands beside its latencies: the server's
//! core should be taken by nothing, and the client's only by the attackers.
//!
//! Every reply is framed and checked. A missed bound is printed as MISSED and is no failure, since
//! the machine may be busy with something else; a lost, cut or wrong reply is one.
//!
//! Linux only, since what a server costs is read from /proc.

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
    println!("strain: nothing measured, since what a server costs is read from Linux's /proc");
}
