//! Settings of the machine that limit or change its speed: CPU frequency governor, container, load.

use std::fs;
use std::path::Path;

/// The frequency governor of the first core, such as `performance`; `None` if the system does not
/// report it, as in most virtual machines.
pub fn governor() -> Option<String> {
    let text = fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").ok()?;
    Some(text.trim().to_owned()).filter(|governor| !governor.is_empty())
}

/// Cores' worth of CPU time that the control group of this process may use; `None` without a
/// limit.
pub fn cpu_limit_cores() -> Option<f64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let version_2 = groups.lines().find_map(|line| line.strip_prefix("0::"));
    let folder = Path::new("/sys/fs/cgroup").join(version_2.unwrap_or("/").trim_start_matches('/'));
    // Within a container the root is its own group.
    let own = folder
        .ancestors()
        .take_while(|path| path.starts_with("/sys/fs/cgroup"));
    let limits = own.filter_map(|path| parse_max(&fs::read_to_string(path.join("cpu.max")).ok()?));
    limits.min_by(f64::total_cmp).or_else(version_1)
}

fn version_1() -> Option<f64> {
    let read = |file: &str| {
        let text = fs::read_to_string(Path::new("/sys/fs/cgroup/cpu").join(file)).ok()?;
        text.trim().parse::<f64>().ok()
    };
    let (quota, period) = (read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// `QUOTA PERIOD`, or `max PERIOD` without a limit.
fn parse_max(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (period > 0.0).then(|| quota / period)
}

/// Processes that ran or waited for a core, on average over the last minute.
pub fn load_average() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_in_cores() {
        assert_eq!(parse_max("150000 100000\n"), Some(1.5));
        assert_eq!(parse_max("max 100000\n"), None);
        assert_eq!(parse_max(""), None);
    }
}
