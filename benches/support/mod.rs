//! Parts that the benchmarks and the tests of the binary (`tests/it`) share: processes, replies in
//! a stream, scripted servers, random numbers, and what a process uses.

#![allow(dead_code, reason = "no program uses all of it")]

#[cfg(target_os = "linux")]
pub mod cores;
pub mod peer;
pub mod process;
pub mod random;
pub mod replies;
pub mod server;
pub mod traffic;
#[cfg(target_os = "linux")]
pub mod usage;

use std::time::Duration;

/// Longer than any single answer takes, on a busy machine too. Reaching it is a failure, never a
/// measurement.
pub const PATIENCE: Duration = Duration::from_secs(10);
