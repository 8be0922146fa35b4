//! The cores of a benchmark: one for the server, one for all clients.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::process::Process;

#[derive(Clone, Copy)]
pub struct Cores {
    pub server: usize,
    /// The server's, if there is no other.
    pub clients: usize,
}

impl Cores {
    /// The first two that this process may use.
    pub fn first_two() -> io::Result<Cores> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
        let server = cores.next().expect("this process runs on a core");
        let clients = cores.next().unwrap_or(server);
        Ok(Cores { server, clients })
    }

    pub fn are_shared(self) -> bool {
        self.server == self.clients
    }

    /// Runs `start` on the server's core, and goes on on that of the clients.
    pub fn on_server_core(
        self,
        start: impl FnOnce() -> io::Result<Process>,
    ) -> io::Result<Process> {
        run_on(self.server)?;
        let process = start();
        self.stay_on_client_core()?;
        process
    }

    /// Moves this thread to the clients' core. Threads and processes that it starts stay there.
    pub fn stay_on_client_core(self) -> io::Result<()> {
        run_on(self.clients)
    }
}

fn run_on(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}
