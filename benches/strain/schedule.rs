//! What the scheduler has given a thread, and what not.

use std::fs;
use std::time::Duration;

use super::runner::Result;

pub struct Schedule {
    /// CPU time.
    pub ran: Duration,
    /// How long it could have run and did not, since something else had its core.
    pub waited: Duration,
}

impl Schedule {
    /// Of a thread or of a process's first one, by its folder in /proc.
    pub fn of(folder: &str) -> Result<Schedule> {
        let text = fs::read_to_string(format!("/proc/{folder}/schedstat"))?;
        let mut ns = text.split_whitespace().map(str::parse);
        match (ns.next(), ns.next()) {
            (Some(ran), Some(waited)) => Ok(Schedule {
                ran: Duration::from_nanos(ran?),
                waited: Duration::from_nanos(waited?),
            }),
            _ => Err("the kernel keeps no scheduling statistics".into()),
        }
    }
}
