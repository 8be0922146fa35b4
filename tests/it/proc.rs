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

/// How long the loop's thread has run or wanted to. Unlike the processor time it does not shrink
/// when others keep the processors busy.
pub fn busy_time(server: &Server) -> Duration {
    let text = fs::read_to_string(path(server, "schedstat"));
    let text = text.expect("a kernel that keeps scheduling statistics");
    let running_and_waiting = text.split_whitespace().take(2);
    let ns = running_and_waiting.map(|ns| ns.parse::<u64>().expect("a number"));
    Duration::from_nanos(ns.sum())
}

/// Open descriptors.
pub fn descriptors(server: &Server) -> usize {
    fs::read_dir(path(server, "fd"))
        .expect("the process runs")
        .count()
}
