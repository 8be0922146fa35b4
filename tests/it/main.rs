//! Tests of the binary: sockets, signals, output, exit codes.
//!
//! No test sleeps to wait for an event. It waits for the event itself, with a limit
//! ([`harness::PATIENCE`]) that only keeps a broken build from hanging. Ports are always free ones.

mod cli;
#[cfg(unix)]
mod compare;
#[cfg(unix)]
mod compare_deaths;
mod compare_judgement;
#[cfg(unix)]
mod compare_process;
#[cfg(target_os = "linux")]
mod compare_results;
mod compare_stop;
mod compare_suite;
mod compare_tls;
mod harness;
mod http_closing;
mod http_conformance;
mod http_pipelining;
mod http_replies;
mod http_timeouts;
#[cfg(unix)]
mod interop;
mod load;
mod load_connecting;
#[cfg(unix)]
mod load_find_rate;
mod load_harness;
mod load_in_turn;
mod load_peers;
#[cfg(unix)]
mod load_stop;
mod load_tls;
mod load_together;
mod load_usage;
mod load_workers;
mod page;
mod page_sample;
mod page_written;
mod repeated;
mod seeds;
#[cfg(target_os = "linux")]
mod serve_clock;
#[cfg(target_os = "linux")]
mod serve_copies;
#[cfg(unix)]
mod serve_limits;
#[cfg(target_os = "linux")]
mod serve_soak;
#[cfg(unix)]
mod serve_stop;
#[cfg(target_os = "linux")]
mod serve_strain;
mod serve_tcp;
#[cfg(unix)]
mod serve_unix;
#[path = "../../benches/support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
mod system_calls;
