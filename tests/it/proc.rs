//! What a process costs, as Linux tells it in /proc.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::harness::Server;

fn path(server: &Server, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/{name}", server.id()))
}

/// Memory that is in use and is the process's own.
pub fn memory_bytes(server: &Server) -> u64 {
    let status = fs::read_to_string(path(server, "status")).expect("the process runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .expect("Linux 4.5 or later");
    let kib: u64 = line
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    kib * 1024
}

/// Processor time used so far, to a hundredth of a second.
pub fn cpu_time(server: &Server) -> Duration {
    const TICKS_PER_SECOND: u64 = 100;
    let stat = fs::read_to_string(path(server, "stat")).expect("the process runs");
    // The second field is a name in parentheses, which may hold anything.
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// Open descriptors.
pub fn descriptors(server: &Server) -> usize {
    fs::read_dir(path(server, "fd"))
        .expect("the process runs")
        .count()
}
