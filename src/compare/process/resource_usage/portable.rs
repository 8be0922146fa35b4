//! The systems without `/proc`: milliseconds, and memory as it is now.

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
