//! `load`: the load generator. It measures a server and judges its own figures.
//!
//! [`run`] is the top of the job: it finds an address that accepts a connection, reads the clocks
//! that a protocol may not read (calendar and CPU time), and lets the event loop drive a
//! [`client::LoadClient`].

mod accounting;
pub mod client;
mod connect_check;
mod connects;
mod counters;
pub mod exports;
pub mod find_rate;
pub mod gate;
pub mod merge;
pub mod objective;
mod open_loop;
pub mod page;
mod plan;
pub mod recorder;
pub mod report;
pub mod request;
pub mod schedule;
mod slices;
pub mod statistics;
mod status;
pub mod table;
pub mod target;
mod turns;
mod verdict;
mod warning;
mod windows;
mod withheld;
mod workers;

#[cfg(test)]
mod tests;

pub use connect_check::{ConnectError, probe};
pub use plan::{LoadPlan, OpenLoopPlan, PIPELINING_MAX, Refill, Share, Until, WarmUp};
pub use report::{Calibration, LoadReport};
pub use request::{Request, RequestList};
pub use slices::SlicedLoad;
pub use status::{ExpectedStatuses, StatusError};
pub use target::Target;
pub use warning::Warning;

use std::io;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use cpu_time::ProcessTime;

use crate::event_loop::{Address, ConnectionLimits, StopSignal, Time};
use crate::format::milliseconds;
use client::RunEnd;
use report::{Circumstances, Cost};
use withheld::Withheld;
use workers::StartClock;

/// Time limit for a connect, if the plan's timeout is not shorter.
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// Connections are opened this long before a start that was given: servers close idle ones.
const CONNECT_BEFORE: Duration = Duration::from_secs(1);
/// Before that, a wait for the start looks this often at the calendar, which may be set meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunPhase {
    /// Nothing of it is in the report.
    WarmUp,
    /// The run itself.
    Run,
}

/// Live figures of a run under way.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The part under way.
    pub phase: RunPhase,
    /// Time since its start.
    pub elapsed: Duration,
    /// Replies so far.
    pub completed: u64,
    /// Errors of connections and timeouts so far.
    pub errors: u64,
    /// Replies so far whose status is not expected: 4xx and 5xx, unless the plan says otherwise.
    pub unexpected_statuses: u64,
}

/// Reasons for no report at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It was stopped while it waited for its start, or in its warm-up.
    #[error("interrupted before the start of the run")]
    InterruptedBeforeStart,
    /// The start that was given passed before the run was ready for it.
    #[error(
        "the start passed {} ago, while connecting; give a later time to all processes",
        milliseconds(passed.as_secs_f64() * 1e3)
    )]
    StartMissed {
        /// Time since then.
        passed: Duration,
    },
    /// The loop itself failed.
    #[error("the event loop failed: {0}")]
    Loop(#[from] io::Error),
}

/// A run whose target accepts connections.
#[derive(Debug)]
pub struct ReadyRun<'a> {
    plan: &'a LoadPlan,
    peer: Address,
}

/// Finds the first address of the plan's target that accepts a connection.
///
/// # Errors
/// There is none, or `signal` was raised.
pub fn prepare<'a>(plan: &'a LoadPlan, signal: &StopSignal) -> Result<ReadyRun<'a>, Error> {
    let timeout = check_timeout(plan);
    let peer = connect_check::find_peer(&plan.target, plan.tls.as_ref(), timeout, signal)?;
    Ok(ReadyRun { plan, peer })
}

/// Prepares `plan` and runs it.
///
/// # Errors
/// As [`prepare`] and [`ReadyRun::run`].
pub fn run(
    plan: &LoadPlan,
    signal: &StopSignal,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<LoadReport, Error> {
    prepare(plan, signal)?.run(signal, on_progress)
}

impl ReadyRun<'_> {
    /// The address or socket that accepted the connection.
    pub fn address(&self) -> String {
        self.peer.to_string()
    }

    /// Runs to the planned end, or to `signal`; calls `on_progress` at most ten times a second.
    ///
    /// # Errors
    /// The system gives no poll instance, `signal` was raised before the start, or the start that
    /// was given has passed. Anything that goes wrong later is part of the report.
    pub fn run(
        self,
        signal: &StopSignal,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<LoadReport, Error> {
        let address = self.address();
        let ReadyRun { plan, peer } = self;
        await_start(plan.start_at, signal)?;
        if let Some(start_at) = plan.start_at {
            time_until(start_at).map_err(|passed| Error::StartMissed { passed })?;
        }
        let clocks = RunClocks::start(plan.start_at);
        let record = workers::run(plan, &peer, clocks.of_workers(), signal, on_progress)?;
        let is_before_start = clocks.wall.elapsed() < clocks.before_start;
        if is_before_start || record.end == RunEnd::StillWarming {
            return Err(Error::InterruptedBeforeStart);
        }
        let around = clocks.around(address);
        Ok(LoadReport::new(&plan.own_part(), &record, around))
    }
}

/// The time from now to `start_at`.
///
/// # Errors
/// It has passed, by the time that is the error.
pub fn time_until(start_at: SystemTime) -> Result<Duration, Duration> {
    let left = start_at.duration_since(SystemTime::now());
    left.map_err(|passed| passed.duration())
}

/// Waits until shortly before the start.
fn await_start(start_at: Option<SystemTime>, signal: &StopSignal) -> Result<(), Error> {
    let Some(connect_at) = start_at.and_then(|start_at| start_at.checked_sub(CONNECT_BEFORE))
    else {
        return Ok(());
    };
    while let Ok(left) = connect_at.duration_since(SystemTime::now()) {
        if signal.times_raised() > 0 {
            return Err(Error::InterruptedBeforeStart);
        }
        thread::sleep(left.min(LOOK_EVERY));
    }
    Ok(())
}

/// The clocks that a protocol may not read, at the start of a run.
struct RunClocks {
    start: SystemTime,
    wall: Instant,
    /// Time left for connecting before a start that was given.
    before_start: Duration,
    is_start_given: bool,
    cpu: ProcessTime,
    withheld: Withheld,
}

impl RunClocks {
    fn start(start_at: Option<SystemTime>) -> RunClocks {
        let now = SystemTime::now();
        let start = start_at.unwrap_or(now);
        RunClocks {
            before_start: start.duration_since(now).unwrap_or_default(),
            is_start_given: start_at.is_some(),
            start,
            wall: Instant::now(),
            cpu: ProcessTime::now(),
            withheld: Withheld::so_far(),
        }
    }

    fn of_workers(&self) -> StartClock {
        StartClock {
            origin: self.wall,
            start: self.is_start_given.then(|| Time::START + self.before_start),
        }
    }

    /// Their records.
    fn around(&self, address: String) -> Circumstances {
        Circumstances {
            address,
            start: self.start,
            finish: SystemTime::now(),
            cost: Cost {
                cpu: self.cpu.elapsed(),
                wall: self.wall.elapsed().saturating_sub(self.before_start),
            },
            withheld: Withheld::so_far().since(self.withheld),
        }
    }
}

/// Limits of the connections of one loop.
fn connection_limits(plan: &LoadPlan) -> ConnectionLimits {
    ConnectionLimits {
        connections_max: plan.connections,
        send_timeout: plan.timeout,
        linger: Duration::ZERO,
        grace: Duration::ZERO,
    }
}

/// Time limit for a dial.
fn connect_timeout(plan: &LoadPlan) -> Duration {
    plan.timeout.min(CONNECT_TIMEOUT_MAX)
}

/// The connect check lasts no longer than a run for a duration would.
fn check_timeout(plan: &LoadPlan) -> Duration {
    let connect_timeout = connect_timeout(plan);
    match plan.until {
        Until::Duration(duration) => connect_timeout.min(duration),
        Until::Amount(_) => connect_timeout,
    }
}
