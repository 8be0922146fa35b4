//! Copies of the load client's loop, on a thread each, and one record of all of them.
//!
//! Workers share the stop signal and the moment of their start. One worker runs on the calling
//! thread: in a process with two threads every system call on a descriptor costs more.

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use cpu_time::ThreadTime;

use super::client::{LoadClient, RunRecord};
use super::plan::LoadPlan;
use super::{Progress, connect_timeout, connection_limits};
use crate::event_loop::{Address, Clock, EventLoop, MioKernel, StopSignal, Time};

/// Runs all workers of this process's share of `plan` to the end.
///
/// # Errors
/// The system gives no poll instance or no thread; then `signal` is raised for the others.
pub(super) fn run(
    plan: &LoadPlan,
    peer: &Address,
    clocks: StartClock,
    signal: &StopSignal,
    on_progress: &mut dyn FnMut(Progress),
) -> io::Result<RunRecord> {
    let workers = plan.workers.get();
    if workers == 1 {
        return run_one(plan, 0, peer, clocks, signal, on_progress);
    }
    let run_worker = |number: u32, on_progress: &mut dyn FnMut(Progress)| {
        run_one(plan, number, peer, clocks, signal, on_progress)
    };
    run_together(workers, run_worker, signal, on_progress)
}

/// Runs this many workers, on a thread each, to the end of all of them.
fn run_together(
    workers: u32,
    run_worker: impl Fn(u32, &mut dyn FnMut(Progress)) -> io::Result<RunRecord> + Sync,
    signal: &StopSignal,
    on_progress: &mut dyn FnMut(Progress),
) -> io::Result<RunRecord> {
    let progress = AllProgress::new(workers);
    let run_worker = |number: u32, on_progress: &mut dyn FnMut(Progress)| {
        let record = run_worker(number, on_progress);
        if record.is_err() {
            signal.raise();
        }
        record
    };
    thread::scope(|scope| {
        let (run_worker, progress) = (&run_worker, &progress);
        let mut threads = Vec::new();
        for number in 1..workers {
            let work = move || run_worker(number, &mut |one| _ = progress.note(number, one));
            let name = format!("worker {}", number + 1);
            let spawned = thread::Builder::new().name(name).spawn_scoped(scope, work);
            threads.push(spawned.inspect_err(|_| signal.raise()));
        }
        let first = run_worker(0, &mut |one| on_progress(progress.note(0, one)));
        let others = threads.into_iter().map(|thread| {
            let panicked = |_| Err(io::Error::other("a worker panicked"));
            thread?.join().unwrap_or_else(panicked)
        });
        // All are waited for, also after an error.
        let others: Vec<io::Result<RunRecord>> = others.collect();
        let mut all = first?;
        for other in others {
            all.add(other?);
        }
        Ok(all)
    })
}

/// The start of a run, and its clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct StartClock {
    /// [`Time::START`].
    pub(super) origin: Instant,
    /// The start; `None` for the first turn of a run that no other must start with.
    pub(super) start: Option<Time>,
}

fn run_one(
    plan: &LoadPlan,
    number: u32,
    peer: &Address,
    clocks: StartClock,
    signal: &StopSignal,
    on_progress: &mut dyn FnMut(Progress),
) -> io::Result<RunRecord> {
    let worker = plan.worker(number);
    let plan = plan.share_of(worker);
    let client = LoadClient::new(&plan, on_progress)
        .as_worker(worker)
        .starting_at(clocks.start);
    let mut kernel = MioKernel::new(signal)?;
    kernel.set_yielding(is_on_all_cores(&plan));
    let clock = Clock::System {
        origin: clocks.origin,
    };
    let mut event_loop = EventLoop::on(kernel, clock, client, connection_limits(&plan), signal)
        .over_tls(plan.tls.clone())
        .stamping(plan.kernel_timestamps);
    event_loop.dial(peer.clone(), plan.connections, connect_timeout(&plan));
    let cpu = ThreadTime::now();
    let client = event_loop.run()?;
    Ok(RunRecord {
        worker_cpu: cpu.elapsed(),
        ..client.finish()
    })
}

/// True if no core is left to the server but those that the workers poll on.
fn is_on_all_cores(plan: &LoadPlan) -> bool {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    plan.workers.get() as usize >= cores
}

/// The last figures of each worker, which each of them notes at most ten times a second.
struct AllProgress(Mutex<Vec<Option<Progress>>>);

impl AllProgress {
    fn new(workers: u32) -> AllProgress {
        AllProgress(Mutex::new((0..workers).map(|_| None).collect()))
    }

    /// Notes the figures of worker `number`; returns those of all.
    fn note(&self, number: u32, one: Progress) -> Progress {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted[number as usize] = Some(one);
        let sum = |of: fn(&Progress) -> u64| noted.iter().flatten().map(of).sum();
        Progress {
            phase: one.phase,
            elapsed: one.elapsed,
            completed: sum(|progress| progress.completed),
            errors: sum(|progress| progress.errors),
            unexpected_statuses: sum(|progress| progress.unexpected_statuses),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::RunPhase;

    fn record() -> RunRecord {
        let plan = crate::load::tests::plan("http://localhost");
        LoadClient::new(&plan, &mut |_| {}).finish()
    }

    fn progress(completed: u64) -> Progress {
        Progress {
            phase: RunPhase::Run,
            elapsed: Duration::from_secs(1),
            completed,
            errors: 2 * completed,
            unexpected_statuses: 3 * completed,
        }
    }

    /// The others run until the signal is raised.
    #[test]
    fn a_worker_that_fails_stops_the_others_and_fails_the_run() {
        for failing in 0..3 {
            let signal = StopSignal::new();
            let run_worker = |number, _: &mut dyn FnMut(Progress)| {
                if number == failing {
                    return Err(io::Error::other("no descriptor"));
                }
                while signal.times_raised() == 0 {
                    thread::yield_now();
                }
                Ok(record())
            };
            let run = run_together(3, run_worker, &signal, &mut |_| {});
            let error = run.expect_err("a worker failed").to_string();
            assert_eq!(
                (error.as_str(), signal.times_raised()),
                ("no descriptor", 1)
            );
        }
    }

    #[test]
    fn each_worker_runs_once_and_all_are_in_the_record() {
        let signal = StopSignal::new();
        let run_worker = |number: u32, _: &mut dyn FnMut(Progress)| {
            let mut record = record();
            record.connects.opened = 10u64.pow(number);
            record.connects.peak = 0;
            Ok(record)
        };
        let all = run_together(3, run_worker, &signal, &mut |_| {}).expect("all of them ran");
        assert_eq!((all.connects.opened, signal.times_raised()), (111, 0));
    }

    #[test]
    fn progress_is_the_sum_of_the_last_figures_of_each_worker() {
        let all = AllProgress::new(3);
        all.note(0, progress(10));
        all.note(2, progress(5));
        let sum = all.note(0, progress(20));
        let figures = (sum.completed, sum.errors, sum.unexpected_statuses);
        assert_eq!(figures, (25, 50, 75));
    }
}
