//! The division of the machine's cores: the last one for the load generator, the others for
//! servers. Otherwise the figures would change when the scheduler moves the two onto one core.
//!
//! Linux only; elsewhere, and where there is one core, nothing is divided.

use std::num::{NonZeroU32, NonZeroUsize};
use std::thread;

use serde::Serialize;

/// The cores that each side may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CoreDivision {
    /// Of the servers that are started here.
    pub servers: Vec<usize>,
    /// Of the load generator.
    pub client: Vec<usize>,
}

impl CoreDivision {
    /// Divides the cores that this thread may use; `None` if there are fewer than two, or the
    /// system has no such thing.
    pub fn of_this_machine() -> Option<CoreDivision> {
        CoreDivision::of_cores(system::allowed())
    }

    fn of_cores(mut cores: Vec<usize>) -> Option<CoreDivision> {
        if cores.len() < 2 {
            return None;
        }
        let client = cores.split_off(cores.len() - 1);
        Some(CoreDivision {
            servers: cores,
            client,
        })
    }

    /// Moves this thread to the client's cores. What it starts from now on is there too.
    pub fn enter_client(&self) {
        system::restrict(&self.client);
    }

    /// Runs `start` on the servers' cores: the processes that it starts stay there.
    pub fn on_server_cores<T>(&self, start: impl FnOnce() -> T) -> T {
        system::restrict(&self.servers);
        let started = start();
        self.enter_client();
        started
    }
}

/// Runs `start` so that the processes it starts have a core besides the `busy` ones that this
/// process fills; `None` if there is no such core.
pub fn beside<T>(busy: NonZeroU32, start: impl FnOnce() -> T) -> Option<T> {
    let ours = system::allowed();
    if system::restrict_to_others(&ours) {
        let started = start();
        system::restrict(&ours);
        return Some(started);
    }
    // No core is outside our set: the scheduler has to find room inside.
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    (cores > busy.get() as usize).then(start)
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    pub fn allowed() -> Vec<usize> {
        match sched_getaffinity(None) {
            Ok(set) => (0..CpuSet::MAX_CPU)
                .filter(|&core| set.is_set(core))
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Fails only for cores that have gone away; then the scheduler goes on as before.
    pub fn restrict(cores: &[usize]) {
        let mut set = CpuSet::new();
        cores.iter().for_each(|&core| set.set(core));
        let _ = sched_setaffinity(None, &set);
    }

    /// Moves this thread to all cores but these; false if it may use no other.
    pub fn restrict_to_others(cores: &[usize]) -> bool {
        let mut set = CpuSet::new();
        (0..CpuSet::MAX_CPU)
            .filter(|core| !cores.contains(core))
            .for_each(|core| set.set(core));
        !cores.is_empty() && sched_setaffinity(None, &set).is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub fn allowed() -> Vec<usize> {
        Vec::new()
    }

    pub fn restrict(_cores: &[usize]) {}

    pub fn restrict_to_others(_cores: &[usize]) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_has_the_last_core_and_the_servers_the_others() {
        let of = |cores: &[usize]| CoreDivision::of_cores(cores.to_vec());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3]), None);
        let division = of(&[0, 2, 5]).unwrap();
        assert_eq!((division.servers, division.client), (vec![0, 2], vec![5]));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_started_for_the_servers_runs_on_their_cores_and_nothing_else_does() {
        // A thread of its own: the other tests keep their cores.
        let check = || {
            let Some(division) = CoreDivision::of_this_machine() else {
                return;
            };
            let seen = division.on_server_cores(system::allowed);
            assert_eq!(seen, division.servers);
            assert_eq!(system::allowed(), division.client);
        };
        std::thread::spawn(check).join().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_started_beside_a_thread_with_one_core_runs_on_the_others() {
        let check = || {
            let Some(division) = CoreDivision::of_this_machine() else {
                return;
            };
            division.enter_client();
            let elsewhere = beside(NonZeroU32::MIN, system::allowed).unwrap();
            for core in &division.servers {
                assert!(elsewhere.contains(core), "{elsewhere:?}");
            }
            assert!(!elsewhere.contains(&division.client[0]), "{elsewhere:?}");
            assert_eq!(system::allowed(), division.client);
        };
        std::thread::spawn(check).join().unwrap();
    }

    #[test]
    fn nothing_is_started_beside_a_process_that_fills_every_core() {
        let check = || assert!(beside(NonZeroU32::MAX, || ()).is_none());
        std::thread::spawn(check).join().unwrap();
    }
}
