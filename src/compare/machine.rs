//! On which machine: figures mean nothing without it.

use serde::Serialize;
use sysinfo::{CpuRefreshKind, System};

/// The machine that a comparison ran on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Name and version of the system.
    pub os: String,
    /// The processor's name for itself; empty if it has none.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory in all.
    pub memory_bytes: u64,
}

impl Machine {
    /// Asks the system.
    pub fn this() -> Machine {
        let mut system = System::new();
        system.refresh_memory();
        system.refresh_cpu_list(CpuRefreshKind::nothing());
        let cpu = system
            .cpus()
            .first()
            .map(|cpu| cpu.brand().trim().to_owned());
        Machine {
            os: System::long_os_version().unwrap_or_else(|| std::env::consts::OS.to_owned()),
            cpu: cpu.unwrap_or_default(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: system.total_memory(),
        }
    }
}
