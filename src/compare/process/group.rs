//! A supervisor's processes: the command that it started and everything below it. The only file
//! that differs between the systems in how processes are ended and waited for.

pub use system::{adopt_orphans, kill, prepare, terminate, wait_for_all};

use super::resource_usage;

/// Processes below this one, and those in the group of `leader`, as far as the system reports them.
pub fn members(leader: u32) -> usize {
    resource_usage::descendants(std::process::id(), leader).len()
}

#[cfg(unix)]
mod system {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, Command, ExitStatus};

    use rustix::io::Errno;
    use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, wait};

    use crate::compare::process::resource_usage;

    /// Orphans below this process become its children, where the system can do that. Without it,
    /// a process that leaves both its parent and its group is not found.
    pub fn adopt_orphans() {
        #[cfg(target_os = "linux")]
        // Fails on kernels before 3.4 only.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }

    /// The command leads a process group of its own: a Ctrl-C on the terminal does not reach it.
    pub fn prepare(command: &mut Command) {
        command.process_group(0);
    }

    /// Asks everything below this process to end.
    pub fn terminate(leader: u32) {
        send(leader, Signal::TERM);
    }

    /// Ends everything below this process at once.
    pub fn kill(leader: u32) {
        send(leader, Signal::KILL);
    }

    /// To each process, since some make a group of their own. Fails only for those that have
    /// ended, which is what was wanted. The group is for systems without adoption of orphans.
    fn send(leader: u32, signal: Signal) {
        for process in resource_usage::descendants(std::process::id(), leader)
            .into_iter()
            .filter_map(pid)
        {
            let _ = kill_process(process, signal);
        }
        if let Some(group) = pid(leader) {
            let _ = kill_process_group(group, signal);
        }
    }

    /// Waits for `child`, reports how it ended, and waits for all orphans that were adopted.
    pub fn wait_for_all(child: &mut Child, mut on_end: impl FnMut(ExitStatus)) {
        loop {
            match wait(WaitOptions::empty()) {
                Ok(Some((id, status))) if pid(child.id()) == Some(id) => {
                    on_end(ExitStatus::from_raw(status.as_raw()));
                }
                Ok(_) | Err(Errno::INTR) => {}
                // No child is left.
                Err(_) => break,
            }
        }
        // A group keeps its id as long as it has members, so this ends what was left of it, where
        // orphans are not adopted.
        kill(child.id());
    }

    fn pid(id: u32) -> Option<Pid> {
        Pid::from_raw(i32::try_from(id).ok()?)
    }
}

#[cfg(not(unix))]
mod system {
    #[cfg(windows)]
    use std::os::windows::process::CommandExt;
    use std::process::{Child, Command, ExitStatus};

    use sysinfo::{Pid, ProcessesToUpdate, System};

    use crate::compare::process::resource_usage;

    /// There is no such thing.
    pub fn adopt_orphans() {}

    /// A Ctrl-C on the console does not reach the command. Its descendants are found by their
    /// parents' ids.
    #[cfg(windows)]
    pub fn prepare(command: &mut Command) {
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
        command.creation_flags(CREATE_NEW_PROCESS_GROUP);
    }

    /// Nothing to prepare: descendants are found by their parents' ids.
    #[cfg(not(windows))]
    pub fn prepare(_command: &mut Command) {}

    /// There is no request to end; a server on such a system is ended at once.
    pub fn terminate(leader: u32) {
        kill(leader);
    }

    /// Ends everything below this process at once.
    pub fn kill(leader: u32) {
        let ids: Vec<Pid> = resource_usage::descendants(std::process::id(), leader)
            .into_iter()
            .map(Pid::from_u32)
            .collect();
        let mut system = System::new();
        system.refresh_processes(ProcessesToUpdate::Some(&ids), true);
        for process in system.processes().values() {
            // Fails only for those that have ended, which is what was wanted.
            process.kill();
        }
    }

    /// Waits for `child`, and reports how it ended.
    pub fn wait_for_all(child: &mut Child, mut on_end: impl FnMut(ExitStatus)) {
        if let Ok(status) = child.wait() {
            on_end(status);
        }
        kill(child.id());
    }
}
