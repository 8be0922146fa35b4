//! A child and all its descendants, ended by the child's id. The only file that differs between
//! the systems in how it ends processes.

pub use system::{has_ended, kill, prepare, terminate};

#[cfg(unix)]
mod system {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    use rustix::process::{
        Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
    };

    use crate::compare::process::resource_usage;

    /// The child is to lead a process group of its own. A Ctrl-C on our terminal then reaches us
    /// and not the child, whom we end in good order.
    pub fn prepare(command: &mut Command) {
        command.process_group(0);
    }

    /// Asks the child and its descendants to end.
    pub fn terminate(leader: u32) {
        send(leader, Signal::TERM);
    }

    /// Ends the child and its descendants at once. The child must not have been reaped, or its id
    /// might already be somebody else's.
    pub fn kill(leader: u32) {
        send(leader, Signal::KILL);
    }

    /// To each descendant, since some make a group of their own, and to the group, since some lose
    /// their parent. Fails only for those that are gone, which is what was wanted.
    fn send(leader: u32, signal: Signal) {
        for descendant in resource_usage::process_tree(leader)
            .into_iter()
            .filter_map(pid)
        {
            let _ = kill_process(descendant, signal);
        }
        if let Some(group) = pid(leader) {
            let _ = kill_process_group(group, signal);
        }
    }

    /// Whether the child has ended. Does not reap it, so that its id, and its group's, stays ours.
    pub fn has_ended(child: &mut Child) -> bool {
        let Some(pid) = pid(child.id()) else {
            return true;
        };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        // Nobody else reaps it, so the call fails only for an id that is no child of ours.
        !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
    }

    fn pid(id: u32) -> Option<Pid> {
        Pid::from_raw(i32::try_from(id).ok()?)
    }
}

#[cfg(not(unix))]
mod system {
    #[cfg(windows)]
    use std::os::windows::process::CommandExt;
    use std::process::{Child, Command};

    use sysinfo::{Pid, ProcessesToUpdate, System};

    use crate::compare::process::resource_usage;

    /// The child is to be out of reach of a Ctrl-C on our console, which ends it in good order.
    /// It is no group to send signals to: descendants are found by their parents' ids.
    #[cfg(windows)]
    pub fn prepare(command: &mut Command) {
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
        command.creation_flags(CREATE_NEW_PROCESS_GROUP);
    }

    /// Nothing to prepare: descendants are found by their parents' ids.
    #[cfg(not(windows))]
    pub fn prepare(_command: &mut Command) {}

    /// There is no polite way; a server on such a system is ended at once.
    pub fn terminate(leader: u32) {
        kill(leader);
    }

    /// Ends the child and its descendants at once.
    pub fn kill(leader: u32) {
        let ids: Vec<Pid> = resource_usage::process_tree(leader)
            .into_iter()
            .map(Pid::from_u32)
            .collect();
        let mut system = System::new();
        system.refresh_processes(ProcessesToUpdate::Some(&ids), true);
        for process in system.processes().values() {
            // Fails only for those that are gone, which is what was wanted.
            process.kill();
        }
    }

    /// Whether the child has ended.
    pub fn has_ended(child: &mut Child) -> bool {
        !matches!(child.try_wait(), Ok(None))
    }
}
