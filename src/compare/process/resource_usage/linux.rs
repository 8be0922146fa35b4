//! `/proc`: exact to the nanosecond, and with peaks that the kernel keeps.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use super::{CLOCK_TICK, Processes, Usage, UsageDetail};

/// Figures of `/proc/PID/stat` (proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    pub pid: u32,
    pub parent: u32,
    pub group: u32,
    /// CPU time of all its threads, also of those that have ended.
    pub own: CpuTicks,
    /// CPU time of children that have ended and were waited for.
    pub reaped: CpuTicks,
}

/// CPU time by mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTicks {
    pub user: Duration,
    pub system: Duration,
}

impl CpuTicks {
    pub fn sum(self) -> Duration {
        self.user + self.system
    }
}

pub fn usage(processes: Processes) -> Option<Usage> {
    if let Processes::Alone(id) = processes {
        let stat = parse_stat(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?;
        return Some(usage_of(&stat, CpuTicks::default()));
    }
    let all = all_processes()?;
    let (root, waited_for) = match processes {
        Processes::Tree(root) | Processes::Alone(root) => (root, None),
        Processes::Below(root) => (root, Some(all.iter().find(|stat| stat.pid == root)?.reaped)),
    };
    let members = process_tree(root, &all);
    let is_member = |stat: &&Stat| waited_for.is_none() || stat.pid != root;
    let sum = members
        .iter()
        .filter(is_member)
        .map(|stat| usage_of(stat, stat.reaped))
        .reduce(Usage::plus)?;
    let waited_for = waited_for.unwrap_or_default();
    Some(sum.plus(Usage {
        cpu: waited_for.sum(),
        detail: Some(UsageDetail {
            user: waited_for.user,
            system: waited_for.system,
            ..UsageDetail::default()
        }),
        ..Usage::default()
    }))
}

fn usage_of(stat: &Stat, reaped: CpuTicks) -> Usage {
    let status = fs::read_to_string(format!("/proc/{}/status", stat.pid)).unwrap_or_default();
    let kib = |name| status_number(&status, name).unwrap_or(0);
    let threads = threads(stat.pid);
    Usage {
        // Ticks cover threads that have ended, nanoseconds only those that live.
        cpu: stat.own.sum().max(threads.cpu) + reaped.sum(),
        memory_bytes: kib("VmHWM:") * 1024,
        resident_bytes: kib("VmRSS:") * 1024,
        detail: Some(UsageDetail {
            user: stat.own.user + reaped.user,
            system: stat.own.system + reaped.system,
            voluntary_switches: threads.voluntary_switches,
            involuntary_switches: threads.involuntary_switches,
        }),
    }
}

pub fn descendants(ancestor: u32, leader: u32) -> Vec<u32> {
    let all = all_processes().unwrap_or_default();
    let in_group = all.iter().filter(|stat| stat.group == leader);
    let mut ids: Vec<u32> = process_tree(ancestor, &all)
        .iter()
        .chain(in_group)
        .map(|stat| stat.pid)
        .filter(|&id| id != ancestor)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// `root` and its descendants.
pub fn process_tree(root: u32, all: &[Stat]) -> Vec<Stat> {
    let mut ids = HashSet::from([root]);
    loop {
        let known = ids.len();
        for stat in all {
            if ids.contains(&stat.parent) {
                ids.insert(stat.pid);
            }
        }
        if ids.len() == known {
            break;
        }
    }
    let is_member = |stat: &&Stat| ids.contains(&stat.pid);
    all.iter().filter(is_member).copied().collect()
}

fn all_processes() -> Option<Vec<Stat>> {
    let entries = fs::read_dir("/proc").ok()?;
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    Some(
        ids.filter_map(|id| parse_stat(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?))
            .collect(),
    )
}

pub fn parse_stat(line: &str) -> Option<Stat> {
    // The name between the parentheses may hold blanks and parentheses itself.
    let (before, after) = line.rsplit_once(')')?;
    let pid = before.split_once(' ')?.0.parse().ok()?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
    let ticks = |index: usize| {
        Some(CpuTicks {
            user: CLOCK_TICK * number(index)?,
            system: CLOCK_TICK * number(index + 1)?,
        })
    };
    Some(Stat {
        pid,
        parent: number(1)?,
        group: number(2)?,
        own: ticks(11)?,
        reaped: ticks(13)?,
    })
}

/// Usage of the living threads of a process.
#[derive(Default)]
struct Threads {
    /// Zero where the kernel keeps no schedstat.
    cpu: Duration,
    voluntary_switches: u64,
    involuntary_switches: u64,
}

fn threads(pid: u32) -> Threads {
    let mut sum = Threads::default();
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return sum;
    };
    for thread in threads.filter_map(Result::ok) {
        let read = |file: &str| fs::read_to_string(thread.path().join(file));
        let times = read("schedstat").unwrap_or_default();
        let ns = times.split_whitespace().next();
        sum.cpu += Duration::from_nanos(ns.and_then(|ns| ns.parse().ok()).unwrap_or(0));
        let status = read("status").unwrap_or_default();
        let switches = |name| status_number(&status, name).unwrap_or(0);
        sum.voluntary_switches += switches("voluntary_ctxt_switches:");
        sum.involuntary_switches += switches("nonvoluntary_ctxt_switches:");
    }
    sum
}

/// The number of the line of `/proc/PID/status` that begins with `name`.
pub fn status_number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
