//! A duet on this machine: two servers up, one thread with a load for each, one of them paused.

use std::cell::Cell;
use std::time::Duration;

use cpu_time::ProcessTime;

use super::{LoadedServer, Surroundings, figures, load_plan};
use crate::compare::process::resource_usage::Usage;
use crate::compare::run_figures::is_wrong_reply;
use crate::compare::statistics::{DuetRatio, Side, Slice, SliceResult, SliceSchedule};
use crate::compare::{Failure, ReplyFacts, RunCourse, RunFigures, Stopped};
use crate::load::{self, LoadReport, Progress, SlicedLoad};

/// Load after a switch that is not measured: queues fill, caches and the server's core wake up.
const SETTLE: Duration = Duration::from_millis(10);
/// Time limit for the outstanding replies at a switch.
const DRAIN_MAX: Duration = Duration::from_secs(1);
/// Longer than any duet; slices end by their own lengths.
const NO_END: Duration = Duration::from_secs(86_400);

type Refused = (Side, Stopped);

/// Loads `contestant` and `reference` in turn, until each had `window` of it.
pub(super) fn run(
    contestant: LoadedServer,
    reference: LoadedServer,
    window: Duration,
    slices: SliceSchedule,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<[RunFigures; 2], Refused> {
    let plan = |server: &LoadedServer| load_plan(server.target.clone(), server.settings, NO_END);
    let plans = [plan(&contestant), plan(&reference)];
    // That of a load counts its pauses too.
    let latest: Cell<Option<Progress>> = Cell::default();
    let mut note = |progress| latest.set(Some(progress));
    let mut ignore = |_: Progress| {};
    let mut sides = [
        DuetSide::connect(Side::Contestant, contestant, &plans[0], &mut note)?,
        DuetSide::connect(Side::Reference, reference, &plans[1], &mut ignore)?,
    ];
    for side in &mut sides {
        side.warm_up()?;
    }
    sides.iter_mut().for_each(DuetSide::begin);
    let machine = Surroundings::now().machine;
    let mut results = Vec::new();
    for four in fours(slices) {
        for slice in four {
            results.push(sides[slice.side as usize].take(slice)?);
        }
        if let Some(progress) = latest.get() {
            on_progress(Progress {
                elapsed: sides[0].window,
                completed: sides[0].completed,
                ..progress
            });
        }
        if sides.iter().all(|side| side.window >= window) {
            break;
        }
    }
    let machine_use = machine.zip(Surroundings::now().machine);
    let [contestant, reference] = sides.map(DuetSide::finish);
    let finished = [contestant?, reference?];
    let ours: Option<Duration> = finished.iter().map(|(_, cpu)| *cpu).sum();
    let mut runs = finished.map(|(run, _)| run);
    for run in &mut runs {
        run.machine = machine_use.map(|(before, after)| after.use_since(before, ours));
    }
    runs[0].duet = DuetRatio::of_slices(&results);
    Ok(runs)
}

/// The slices in the groups that balance each other.
fn fours(mut slices: SliceSchedule) -> impl Iterator<Item = Vec<Slice>> {
    std::iter::repeat_with(move || slices.by_ref().take(4).collect())
}

/// One of the two servers with its load.
struct DuetSide<'a> {
    side: Side,
    server: LoadedServer<'a>,
    load: SlicedLoad<'a>,
    reply: Option<ReplyFacts>,
    /// At the start of the slices; `None` if the system does not say.
    used_before: Option<Usage>,
    /// Of the measured parts.
    window: Duration,
    completed: u64,
    /// The load generator's usage for this side, settling included, and its time.
    client: Option<Usage>,
    client_cpu: Duration,
    loaded: Duration,
}

impl<'a> DuetSide<'a> {
    fn connect(
        side: Side,
        mut server: LoadedServer<'a>,
        plan: &'a load::LoadPlan,
        on_progress: &'a mut dyn FnMut(Progress),
    ) -> Result<DuetSide<'a>, Refused> {
        let reply = server.check_reply();
        let ready = load::prepare(plan, server.signal);
        let load = ready.and_then(|ready| SlicedLoad::connect(ready, on_progress));
        // A stop, or the server's end, explains an error better than the error itself.
        server.still_runs().map_err(|stopped| (side, stopped))?;
        Ok(DuetSide {
            side,
            reply,
            load: load.map_err(|e| (side, Failure::NotMeasured(e.to_string()).into()))?,
            server,
            used_before: None,
            window: Duration::ZERO,
            completed: 0,
            client: None,
            client_cpu: Duration::ZERO,
            loaded: Duration::ZERO,
        })
    }

    fn warm_up(&mut self) -> Result<(), Refused> {
        let warmup = self.server.settings.warmup;
        self.loaded_for(warmup).map(drop)
    }

    /// Begins the measured part: usage and replies count from here on.
    fn begin(&mut self) {
        self.load.end_warm_up();
        self.used_before = super::Subject::usage(&mut self.server);
        self.client = None;
        (self.client_cpu, self.loaded) = (Duration::ZERO, Duration::ZERO);
    }

    fn take(&mut self, slice: Slice) -> Result<SliceResult, Refused> {
        let (replies, length) = self.loaded_for(slice.length)?;
        self.completed += replies;
        self.window += length;
        Ok(SliceResult {
            side: self.side,
            replies,
            length,
        })
    }

    /// Puts the whole load on this server, and returns the replies and the real length of what
    /// follows the settling.
    fn loaded_for(&mut self, length: Duration) -> Result<(u64, Duration), Refused> {
        let (client, cpu) = (Surroundings::now().client, ProcessTime::now());
        let (load, signal) = (&mut self.load, self.server.signal);
        let mut measure = || {
            load.resume()?;
            let settled = load.run_for(SETTLE, |_| signal.times_raised() == 0)?;
            let before = load.completed();
            let length = load.run_for(length, |_| signal.times_raised() == 0)?;
            let replies = load.completed() - before;
            load.pause(DRAIN_MAX)?;
            Ok((replies, length, settled + length))
        };
        let measured: std::io::Result<_> = measure();
        let side = self.side;
        self.server
            .still_runs()
            .map_err(|stopped| (side, stopped))?;
        let (replies, length, loaded) =
            measured.map_err(|e| (side, Failure::NotMeasured(e.to_string()).into()))?;
        self.client_cpu += cpu.elapsed();
        self.loaded += loaded;
        let client = client.zip(Surroundings::now().client);
        let client = client.map(|(before, after)| after.since(before));
        self.client = match (self.client, client) {
            (Some(earlier), Some(later)) => Some(earlier.and_then(later)),
            (_, later) => later,
        };
        Ok((replies, length))
    }

    /// The figures of the measured parts, and the CPU time of server and client in all; `None` if the
    /// server's is unknown.
    fn finish(mut self) -> Result<(RunFigures, Option<Duration>), Refused> {
        let used = super::Subject::usage(&mut self.server);
        let all = self.load.completed().max(1);
        // The costs are of all replies, the window is of those that are measured.
        let share = self.completed as f64 / all as f64;
        let since = |(before, after): (Usage, Usage)| after.since(before);
        let server = self.used_before.zip(used).map(since);
        let cpu = server.map(|server| self.client_cpu + server.cpu);
        // A slice is too short for the clock ticks that `Usage` may count in.
        let client = Usage {
            cpu: self.client_cpu,
            ..self.client.unwrap_or_default()
        };
        let report: LoadReport = self.load.finish();
        self.server.stop();
        if self.completed == 0 {
            let failure = Failure::NoReply {
                errors: report.errors,
                error_excerpt: self.server.error_excerpt(),
            };
            return Err((self.side, failure.into()));
        }
        let run = RunFigures {
            window: self.window,
            completed: self.completed,
            server: server.map(|server| server.times(share)),
            client: Some(client.times(share)),
            client_cpu_share: self.client_cpu.as_secs_f64() / self.loaded.as_secs_f64().max(1e-9),
            reply: self.reply,
            // Pauses are what a duet is made of.
            course: RunCourse {
                timeline: report.timeline.clone(),
                ..RunCourse::default()
            },
            warnings: (report.verdict.reasons.iter())
                .filter(|warning| is_about_replies(warning))
                .cloned()
                .collect(),
            ..figures(&report)
        };
        Ok((run, cpu))
    }
}

fn is_about_replies(warning: &load::Warning) -> bool {
    is_wrong_reply(warning) || matches!(warning, load::Warning::Errors { .. })
}
