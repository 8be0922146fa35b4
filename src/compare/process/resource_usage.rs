//! CPU time and memory of a server: of a process and all its descendants.

use std::time::Duration;

/// CPU time and memory that processes have used since their start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, user and system.
    pub cpu: Duration,
    /// Resident memory: the sum of each process's own peak on Linux, the present sum elsewhere.
    /// Pages that processes share count in each.
    pub memory_bytes: u64,
}

/// True where [`Usage::memory_bytes`] is a peak already.
pub const KERNEL_KEEPS_PEAK: bool = cfg!(target_os = "linux");

/// A process, and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processes {
    /// The process and its descendants.
    Tree(u32),
    /// Its descendants only, with what those have used that it has waited for.
    Below(u32),
}

impl Processes {
    /// What they have used; `None` if the system does not say, or there is none of them.
    pub fn usage(self) -> Option<Usage> {
        #[cfg(target_os = "linux")]
        return linux::usage(self);
        #[cfg(not(target_os = "linux"))]
        return portable::usage(self);
    }
}

/// The ids of all descendants of `ancestor`, and of those that lost their parent and stayed in the
/// process group of `leader`, where the system tells. Other processes are not counted.
pub fn descendants(ancestor: u32, leader: u32) -> Vec<u32> {
    #[cfg(target_os = "linux")]
    return linux::descendants(ancestor, leader);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = leader;
        let mut ids = portable::process_tree(ancestor, |process| process.pid().as_u32());
        ids.retain(|&id| id != ancestor);
        ids
    }
}

/// `/proc`: exact to the nanosecond, and with peaks that the kernel keeps.
#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashSet;
    use std::fs;
    use std::time::Duration;

    use super::{Processes, Usage};

    /// Length of the clock tick in which `/proc/PID/stat` counts: USER_HZ is 100 on every
    /// architecture that Rust's standard library supports.
    const TICK: Duration = Duration::from_millis(10);

    /// What `/proc/PID/stat` says (proc_pid_stat(5)).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Stat {
        pub pid: u32,
        pub parent: u32,
        pub group: u32,
        /// CPU time of all its threads, also of those that have ended.
        pub own: Duration,
        /// CPU time of children that have ended and were waited for.
        pub reaped: Duration,
    }

    pub fn usage(processes: Processes) -> Option<Usage> {
        let all = all_processes()?;
        let (root, waited_for) = match processes {
            Processes::Tree(root) => (root, None),
            Processes::Below(root) => {
                (root, Some(all.iter().find(|stat| stat.pid == root)?.reaped))
            }
        };
        let members = process_tree(root, &all);
        let is_member = |stat: &&Stat| waited_for.is_none() || stat.pid != root;
        let sum = members
            .iter()
            .filter(is_member)
            .map(|stat| Usage {
                // Ticks cover threads that have ended, nanoseconds only those that live.
                cpu: stat.own.max(threads(stat.pid)) + stat.reaped,
                memory_bytes: peak_memory_bytes(stat.pid).unwrap_or(0),
            })
            .reduce(|sum, usage| Usage {
                cpu: sum.cpu + usage.cpu,
                memory_bytes: sum.memory_bytes + usage.memory_bytes,
            })?;
        Some(Usage {
            cpu: sum.cpu + waited_for.unwrap_or_default(),
            ..sum
        })
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

    use super::{Processes, Usage};

    pub fn usage(processes: Processes) -> Option<Usage> {
        let (root, with_root) = match processes {
            Processes::Tree(root) => (root, true),
            Processes::Below(root) => (root, false),
        };
        process_tree(root, |process| {
            let usage = Usage {
                cpu: Duration::from_millis(process.accumulated_cpu_time()),
                memory_bytes: process.memory(),
            };
            (process.pid().as_u32(), usage)
        })
        .into_iter()
        .filter(|&(id, _)| with_root || id != root)
        .map(|(_, usage)| usage)
        .reduce(|sum, usage| Usage {
            cpu: sum.cpu + usage.cpu,
            memory_bytes: sum.memory_bytes + usage.memory_bytes,
        })
    }

    /// The results of `look` for `root` and each of its descendants.
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
            // Windows remembers parents that are gone and gives their ids away again: a process
            // that is older than its parent is not its child, and must not be ended with it.
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
