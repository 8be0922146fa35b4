//! CPU time of the whole machine, from `/proc/stat`: what other processes and other guests took
//! while a run was measured.

use std::time::Duration;

use serde::Serialize;

use crate::compare::process::resource_usage::CLOCK_TICK;

/// CPU time of all cores since the start of the machine (proc_stat(5)), in clock ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuTimes {
    /// Of processes.
    busy: u64,
    /// Of interrupts; which process they served is not known.
    interrupts: u64,
    idle: u64,
    stolen: u64,
}

/// Shares of all cores together during a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineUse {
    /// No process had work.
    pub idle_share: f64,
    /// Used by processes other than the server and the load generator; `None` if the server's own
    /// use is unknown, which is among them.
    pub others_share: Option<f64>,
    /// The hypervisor ran other guests.
    pub steal_share: f64,
}

impl CpuTimes {
    /// As of now; `None` where the system has no `/proc/stat`.
    pub fn now() -> Option<CpuTimes> {
        CpuTimes::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    fn parse(stat: &str) -> Option<CpuTimes> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Option<Vec<u64>> = line.split_whitespace().map(|n| n.parse().ok()).collect();
        // user nice system idle iowait irq softirq steal; guests are part of user and nice.
        let &[user, nice, system, idle, iowait, irq, softirq, stolen, ..] = &ticks?[..] else {
            return None;
        };
        Some(CpuTimes {
            busy: user + nice + system,
            interrupts: irq + softirq,
            idle: idle + iowait,
            stolen,
        })
    }

    /// The use from `before` to `self`, of which `ours` was the server's and the load generator's;
    /// `None` if the server's is unknown.
    pub fn use_since(self, before: CpuTimes, ours: Option<Duration>) -> MachineUse {
        let since =
            |now: u64, then: u64| now.saturating_sub(then) as f64 * CLOCK_TICK.as_secs_f64();
        let busy = since(self.busy, before.busy);
        let idle = since(self.idle, before.idle);
        let stolen = since(self.stolen, before.stolen);
        let interrupts = since(self.interrupts, before.interrupts);
        let all = (busy + interrupts + idle + stolen).max(CLOCK_TICK.as_secs_f64());
        MachineUse {
            idle_share: idle / all,
            others_share: ours.map(|ours| (busy - ours.as_secs_f64()).max(0.0) / all),
            steal_share: stolen / all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_cores_and_ours_is_not_others() {
        let of = |line: &str| CpuTimes::parse(line).unwrap();
        let before = of("cpu  100 0 100 1000 0 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n");
        // 4 s of two cores: 1.8 s of processes, 0.2 s of interrupts, 1 s idle, 1 s stolen.
        let after = of("cpu  200 0 180 1090 10 0 20 100 0 0\n");
        let used = after.use_since(before, Some(Duration::from_millis(1500)));
        assert!((used.idle_share - 0.25).abs() < 1e-9, "{used:?}");
        let others_share = used.others_share.expect("ours is known");
        assert!((others_share - 0.075).abs() < 1e-9, "{used:?}");
        assert_eq!(after.use_since(before, None).others_share, None);
        assert!((used.steal_share - 0.25).abs() < 1e-9, "{used:?}");
        assert_eq!(CpuTimes::parse("cpu  1 2 3\n"), None);
        assert_eq!(CpuTimes::parse("intr 5\n"), None);
    }
}
