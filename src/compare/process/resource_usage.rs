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
    /// Resident memory now: the sum over the processes.
    pub resident_bytes: u64,
    /// Further figures of Linux; `None` elsewhere.
    pub detail: Option<UsageDetail>,
}

/// CPU time by mode, and context switches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageDetail {
    /// CPU time in user mode, in whole clock ticks.
    pub user: Duration,
    /// CPU time in the kernel, in whole clock ticks.
    pub system: Duration,
    /// Switches because a thread waited for something; of threads that live.
    pub voluntary_switches: u64,
    /// Switches because another thread was to run; of threads that live.
    pub involuntary_switches: u64,
}

impl Usage {
    /// Returns the usage from `before` on; memory is that of `self`.
    pub fn since(self, before: Usage) -> Usage {
        Usage {
            cpu: self.cpu.saturating_sub(before.cpu),
            detail: self.detail.zip(before.detail).map(|(now, then)| {
                let switches = |now: u64, then: u64| now.saturating_sub(then);
                UsageDetail {
                    user: now.user.saturating_sub(then.user),
                    system: now.system.saturating_sub(then.system),
                    voluntary_switches: switches(now.voluntary_switches, then.voluntary_switches),
                    involuntary_switches: switches(
                        now.involuntary_switches,
                        then.involuntary_switches,
                    ),
                }
            }),
            ..self
        }
    }

    /// The share of the CPU time that was spent in the kernel; `None` if the system did not tell,
    /// or there was less than a clock tick.
    pub fn kernel_share(self) -> Option<f64> {
        let detail = self.detail?;
        let ticks = (detail.user + detail.system).as_secs_f64();
        (ticks > 0.0).then(|| detail.system.as_secs_f64() / ticks)
    }

    /// A share of the CPU time and of the switches; memory stays as it is.
    pub fn times(self, share: f64) -> Usage {
        let of = |count: u64| (count as f64 * share) as u64;
        Usage {
            cpu: self.cpu.mul_f64(share),
            detail: self.detail.map(|detail| UsageDetail {
                user: detail.user.mul_f64(share),
                system: detail.system.mul_f64(share),
                voluntary_switches: of(detail.voluntary_switches),
                involuntary_switches: of(detail.involuntary_switches),
            }),
            ..self
        }
    }

    /// The same with what was used in a later interval; memory is that of `later`.
    pub fn and_then(self, later: Usage) -> Usage {
        Usage {
            memory_bytes: later.memory_bytes,
            resident_bytes: later.resident_bytes,
            ..self.plus(later)
        }
    }

    fn plus(self, other: Usage) -> Usage {
        Usage {
            cpu: self.cpu + other.cpu,
            memory_bytes: self.memory_bytes + other.memory_bytes,
            resident_bytes: self.resident_bytes + other.resident_bytes,
            detail: self
                .detail
                .zip(other.detail)
                .map(|(one, other)| UsageDetail {
                    user: one.user + other.user,
                    system: one.system + other.system,
                    voluntary_switches: one.voluntary_switches + other.voluntary_switches,
                    involuntary_switches: one.involuntary_switches + other.involuntary_switches,
                }),
        }
    }
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
    /// The process without its descendants.
    Alone(u32),
}

impl Processes {
    /// Returns their usage; `None` if the system does not tell, or none of them is left.
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

    use super::{Processes, Usage, UsageDetail};

    /// Length of the clock tick in which `/proc/PID/stat` counts: USER_HZ is 100 on every
    /// architecture that Rust's standard library supports.
    const TICK: Duration = Duration::from_millis(10);

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
            Processes::Below(root) => {
                (root, Some(all.iter().find(|stat| stat.pid == root)?.reaped))
            }
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
                user: TICK * number(index)?,
                system: TICK * number(index + 1)?,
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

    /// Returns the usage of the living threads of a process.
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
            Processes::Alone(id) => return alone(id),
        };
        process_tree(root, |process| (process.pid().as_u32(), usage_of(process)))
            .into_iter()
            .filter(|&(id, _)| with_root || id != root)
            .map(|(_, usage)| usage)
            .reduce(Usage::plus)
    }

    fn alone(id: u32) -> Option<Usage> {
        let id = Pid::from_u32(id);
        let mut system = System::new();
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), true, kind);
        system.process(id).map(usage_of)
    }

    fn usage_of(process: &Process) -> Usage {
        Usage {
            cpu: Duration::from_millis(process.accumulated_cpu_time()),
            memory_bytes: process.memory(),
            resident_bytes: process.memory(),
            detail: None,
        }
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
