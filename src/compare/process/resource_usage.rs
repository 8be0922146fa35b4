//! CPU time and memory of a server: of a process and all its descendants.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(not(target_os = "linux"), test))]
mod portable;

use std::time::Duration;

/// Length of the clock tick in which `/proc` counts: USER_HZ is 100 on every architecture that
/// Rust's standard library supports.
pub(in crate::compare) const CLOCK_TICK: Duration = Duration::from_millis(10);

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

    /// The share of the CPU time that was spent in the kernel; `None` if the system did not report
    /// it, or there was less than a clock tick.
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
    /// Returns their usage; `None` if the system does not report it, or none of them is left.
    pub fn usage(self) -> Option<Usage> {
        #[cfg(target_os = "linux")]
        return linux::usage(self);
        #[cfg(not(target_os = "linux"))]
        return portable::usage(self);
    }
}

/// The ids of all descendants of `ancestor`, and of those that lost their parent and stayed in the
/// process group of `leader`, where the system reports it. Other processes are not counted.
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

#[cfg(test)]
mod tests;
