//! The machine that a comparison ran on.

mod cpu_times;
mod limits;

pub use cpu_times::{CpuTimes, MachineUse};

use serde::Serialize;
use sysinfo::{CpuRefreshKind, System};

use super::process::cores::CoreDivision;

/// The machine that a comparison ran on.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// CPU frequency governor; `null` if the system does not report it.
    pub governor: Option<String>,
    /// Cores' worth of CPU time that the container may use; `null` without a limit.
    pub cpu_limit_cores: Option<f64>,
    /// Processes that ran or waited for a core over the minute before; `null` if unknown.
    pub load_average: Option<f64>,
    /// Cores of the servers and of the load generator; `null` if they shared all.
    pub pinned: Option<CoreDivision>,
}

impl Machine {
    /// Asks the system. Before the comparison: it divides the cores, and is a load itself.
    pub fn this(pinned: Option<CoreDivision>) -> Machine {
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
            governor: limits::governor(),
            cpu_limit_cores: limits::cpu_limit_cores(),
            load_average: limits::load_average(),
            pinned,
        }
    }
}
