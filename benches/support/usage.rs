//! Resource usage of a process, as Linux reports it in /proc.

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::PATIENCE;

/// A process is idle once its CPU time has not changed for so long. The kernel may be a
/// tick behind with a process that runs (10 ms at 100 Hz).
const IDLE: Duration = Duration::from_millis(20);

/// Resident memory. Exact, unlike the short forms (proc_pid_statm(5)).
pub fn resident_bytes(id: u32) -> io::Result<u64> {
    memory_bytes(id, "Rss:")
}

/// Resident memory that is the process's own, without the pages of its program.
pub fn anonymous_bytes(id: u32) -> io::Result<u64> {
    memory_bytes(id, "Anonymous:")
}

fn memory_bytes(id: u32, field: &str) -> io::Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
    let kib = rollup
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_suffix("kB"))
        .and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::other(format!("no {field} in smaps_rollup")))
}

/// Open descriptors.
pub fn descriptors(id: u32) -> io::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{id}/fd"))?.count())
}

/// Time that the scheduler has given to a thread, and time that it has withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// CPU time.
    pub ran: Duration,
    /// Time in which it could have run and did not, because its core was taken.
    pub waited: Duration,
}

impl Scheduled {
    /// Of the first thread of a process; the servers have no other.
    pub fn of(id: u32) -> io::Result<Scheduled> {
        Scheduled::read(&id.to_string())
    }

    /// Of the calling thread.
    pub fn of_this_thread() -> io::Result<Scheduled> {
        Scheduled::read("thread-self")
    }

    fn read(folder: &str) -> io::Result<Scheduled> {
        let text = fs::read_to_string(format!("/proc/{folder}/schedstat"))?;
        let mut ns = text.split_whitespace().map_while(|ns| ns.parse().ok());
        match (ns.next(), ns.next()) {
            (Some(ran), Some(waited)) => Ok(Scheduled {
                ran: Duration::from_nanos(ran),
                waited: Duration::from_nanos(waited),
            }),
            _ => Err(io::Error::other(
                "the kernel keeps no scheduling statistics",
            )),
        }
    }
}

/// Waits until a process uses no CPU time any more. The CPU time it has used in all.
pub fn wait_until_idle(id: u32) -> io::Result<Duration> {
    let until = Instant::now() + PATIENCE;
    let mut before = Scheduled::of(id)?;
    while Instant::now() < until {
        thread::sleep(IDLE);
        let now = Scheduled::of(id)?;
        if now == before && is_asleep(id)? {
            return Ok(now.ran);
        }
        before = now;
    }
    Err(io::Error::other("goes on using CPU time"))
}

/// Tells a process that waits for events from one that waits for a core (proc_pid_stat(5)).
fn is_asleep(id: u32) -> io::Result<bool> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    Ok(stat
        .rsplit_once(')')
        .is_some_and(|(_, rest)| rest.starts_with(" S")))
}
