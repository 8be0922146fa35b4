//! Where the server runs, and where this process does.

use std::process::{Child, Command};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::runner::Result;

#[derive(Clone, Copy)]
pub struct Cores {
    pub server: usize,
    pub clients: usize,
}

impl Cores {
    /// The first two that this process may use. From now on it keeps to the second.
    pub fn take() -> Result<Cores> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
        let server = cores.next().ok_or("no core is allowed")?;
        let clients = cores.next().unwrap_or(server);
        run_on(clients)?;
        Ok(Cores { server, clients })
    }

    /// Starts `command` on the server's core.
    pub fn spawn(self, command: &mut Command) -> Result<Child> {
        run_on(self.server)?;
        let child = command.spawn();
        run_on(self.clients)?;
        Ok(child?)
    }
}

/// Moves this thread; those it starts later, and processes, stay with it.
fn run_on(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}
