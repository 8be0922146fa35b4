//! What a server costs: CPU time and memory of a process and all its descendants.

use std::time::Duration;

/// What a process and its descendants have used since their start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, user and system.
    pub cpu: Duration,
    /// Resident memory: the sum of each process's own peak on Linux, the present sum elsewhere.
    /// Pages that processes share count in each.
    pub memory_bytes: u64,
}

/// Whether [`Usage::memory_bytes`] is a peak already.
pub const KERNEL_KEEPS_PEAK: bool = cfg!(target_os = "linux");

/// Asks the system; `None` if it does not say, or the process is gone.
pub fn usage(root: u32) -> Option<Usage> {
    #[cfg(target_os = "linux")]
    return linux::usage(root);
    #[cfg(not(target_os = "linux"))]
    return portable::usage(root);
}

/// The ids of a process and all its descendants; with `/proc`, also of those that lost their
/// parent and stayed in its process group. Who has left both is a stranger.
pub fn process_tree(root: u32) -> Vec<u32> {
    #[cfg(target_os = "linux")]
    return linux::process_tree_ids(root);
    #[cfg(not(target_os = "linux"))]
    return portable::process_tree(root, |process| process.pid().as_u32());
}

/// `/proc`: exact to the nanosecond, and with peaks that the kernel keeps.
#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashSet;
    use std::fs;
    use std::time::Duration;

    use super::Usage;

    /// Length of the clock tick in which `/proc/PID/stat` counts: USER_HZ is 100 on every
    /// architecture that Rust's standard library supports.
    const TICK: Duration = Duration::from_millis(10);

    /// What `/proc/PID/stat` says (proc_pid_stat(5)).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Stat {
        pub pid: u32,
        pub parent: u32,
        pub group: u32,
        /// All its threads, also those that have ended.
        pub own: Duration,
        /// Children that have ended and were waited for.
        pub reaped: Duration,
    }

    pub fn usage(root: u32) -> Option<Usage> {
        let members = process_tree(root, &all_processes()?);
        members
            .iter()
            .map(|stat| Usage {
                // Ticks cover threads that have ended, nanoseconds only those that live.
                cpu: stat.own.max(threads(stat.pid)) + stat.reaped,
                memory_bytes: peak_memory_bytes(stat.pid).unwrap_or(0),
            })
            .reduce(|sum, usage| Usage {
                cpu: sum.cpu + usage.cpu,
                memory_bytes: sum.memory_bytes + usage.memory_bytes,
            })
    }

    pub fn process_tree_ids(root: u32) -> Vec<u32> {
        let members = process_tree(root, &all_processes().unwrap_or_default());
        members.iter().map(|stat| stat.pid).collect()
    }

    /// `root`, its process group, and whoever descends from one of them.
    pub fn process_tree(root: u32, all: &[Stat]) -> Vec<Stat> {
        let mut ids: HashSet<u32> = all
            .iter()
            .filter(|stat| stat.pid == root || stat.group == root)
            .map(|stat| stat.pid)
            .collect();
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
        let ticks = |index: usize| Some(TICK * number(index)? + TICK * number(index + 1)?);
        Some(Stat {
            pid,
            parent: number(1)?,
            group: number(2)?,
            own: ticks(11)?,
            reaped: ticks(13)?,
        })
    }

    /// CPU time of the threads that live; zero where the kernel keeps no schedstat.
    fn threads(pid: u32) -> Duration {
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
            return Duration::ZERO;
        };
        threads
            .filter_map(|thread| {
                let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
                let ns = text.split_whitespace().next()?.parse().ok()?;
                Some(Duration::from_nanos(ns))
            })
            .sum()
    }

    fn peak_memory_bytes(pid: u32) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }
}

/// The systems without `/proc`: milliseconds, and memory as it is now.
#[cfg(any(not(target_os = "linux"), test))]
mod portable {
    use std::collections::HashMap;
    use std::time::Duration;

    use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};

    use super::Usage;

    pub fn usage(root: u32) -> Option<Usage> {
        process_tree(root, |process| Usage {
            cpu: Duration::from_millis(process.accumulated_cpu_time()),
            memory_bytes: process.memory(),
        })
        .into_iter()
        .reduce(|sum, usage| Usage {
            cpu: sum.cpu + usage.cpu,
            memory_bytes: sum.memory_bytes + usage.memory_bytes,
        })
    }

    /// What `look` finds in `root` and in each of its descendants.
    pub fn process_tree<T>(root: u32, look: impl Fn(&Process) -> T) -> Vec<T> {
        let mut system = System::new();
        let kind = ProcessRefreshKind::nothing()
            .with_cpu()
            .with_memory()
            .without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        let mut children: HashMap<Pid, Vec<&Process>> = HashMap::new();
        for process in system.processes().values() {
            if let Some(parent) = process.parent() {
                children.entry(parent).or_default().push(process);
            }
        }
        let mut found = Vec::new();
        let mut next: Vec<&Process> = system.process(Pid::from_u32(root)).into_iter().collect();
        while let Some(process) = next.pop() {
            found.push(look(process));
            // Taken out, so that ids used twice over time cannot lead in a circle.
            let own = children.remove(&process.pid()).unwrap_or_default();
            // Windows remembers parents that are gone and gives their ids away again: who is
            // older than its parent is a stranger's orphan, and must not be ended with ours.
            next.extend(
                own.into_iter()
                    .filter(|child| child.start_time() >= process.start_time()),
            );
        }
        found
    }
}

#[cfg(test)]
mod tests;
