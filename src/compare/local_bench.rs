//! The real bench: starts the contestant on this machine and loads it from this process.

use std::thread;
use std::time::Duration;

use super::process::child::{READY_WITHIN, Server};
use super::process::resource_usage::{self, Usage};
use super::{Bench, Children, Contestant, Failure, Run, Settings, Stopped};
use crate::event_loop::{Clock, StopSignal, Time, TimeSource};
use crate::load::{self, LoadPlan, LoadReport, Refill, Target, Until};

/// After the warm-up a server may take so long to work off what is left of it.
const SETTLE_WITHIN: Duration = Duration::from_secs(1);
/// How often its CPU time is looked at meanwhile.
const SETTLE_LOOK_EVERY: Duration = Duration::from_millis(20);
/// It has settled when it is busy for less than this between two looks.
const SETTLED: Duration = Duration::from_millis(1);
/// How often memory is looked at under load, where the kernel keeps no peak.
const MEMORY_LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs contestants on this machine, one at a time.
#[derive(Debug)]
pub struct LocalBench {
    children: Children,
}

impl LocalBench {
    /// A bench whose contestants are listed in `children` while they live.
    pub fn new(children: Children) -> LocalBench {
        LocalBench { children }
    }
}

impl Bench for LocalBench {
    fn run_once(
        &mut self,
        contestant: &Contestant,
        settings: &Settings,
        signal: &StopSignal,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<Run, Stopped> {
        let mut server = Server::start(contestant, &self.children)?;
        server.wait_until_ready(READY_WITHIN, signal)?;
        if !settings.warmup.is_zero() {
            load_once(&mut server, settings, settings.warmup, signal, &mut |_| {})?;
            settle(server.id());
        }
        let mut meter = Meter::start(server.id());
        let report = load_once(&mut server, settings, settings.duration, signal, &mut |p| {
            meter.progress(p.elapsed);
            on_progress(p);
        })?;
        let run = meter.stop(&report);
        server.stop(signal);
        match run.completed {
            0 => Err(no_reply(&mut server, run.errors).into()),
            _ => Ok(run),
        }
    }
}

/// Loads `server` for `duration`; it must live to the end of it.
fn load_once(
    server: &mut Server,
    settings: &Settings,
    duration: Duration,
    signal: &StopSignal,
    on_progress: &mut dyn FnMut(load::Progress),
) -> Result<LoadReport, Stopped> {
    let url = format!("http://{}/", server.address());
    let plan = LoadPlan {
        target: Target::parse(&url).map_err(|e| Failure::NotMeasured(e.to_string()))?,
        connections: settings.connections.get(),
        pipelining: settings.pipelining.get(),
        until: Until::Duration(duration),
        timeout: settings.timeout,
        refill: Refill::Rolling,
        method: "GET".to_owned(),
        fields: Vec::new(),
        body: Vec::new(),
        expected_body: None,
    };
    let result = load::run(&plan, signal, on_progress);
    if signal.times_raised() > 0 {
        server.stop(signal);
        return Err(Stopped::Interrupted);
    }
    if server.has_ended() {
        let status = server.end();
        let error_excerpt = server.error_excerpt();
        return Err(Failure::Died {
            status,
            error_excerpt,
        }
        .into());
    }
    Ok(result.map_err(|e| Failure::NotMeasured(e.to_string()))?)
}

fn no_reply(server: &mut Server, errors: u64) -> Failure {
    let error_excerpt = server.error_excerpt();
    Failure::NoReply {
        errors,
        error_excerpt,
    }
}

/// Waits until the server is idle: a warm-up that ends leaves requests behind, and their cost
/// must not fall into the measured window.
fn settle(id: u32) {
    let clock = Clock::start();
    let mut last = resource_usage::usage(id);
    while clock.now() - Time::START < SETTLE_WITHIN {
        thread::sleep(SETTLE_LOOK_EVERY);
        let now = resource_usage::usage(id);
        match (last, now) {
            (Some(last), Some(now)) if now.cpu.saturating_sub(last.cpu) >= SETTLED => {}
            _ => return,
        }
        last = now;
    }
}

/// Reads a server's cost at the edges of the window, and its memory in between where needed.
struct Meter {
    id: u32,
    before: Option<Usage>,
    peak_memory_bytes: Option<u64>,
    looked: Duration,
}

impl Meter {
    fn start(id: u32) -> Meter {
        let before = resource_usage::usage(id);
        Meter {
            id,
            before,
            peak_memory_bytes: before.map(|usage| usage.memory_bytes),
            looked: Duration::ZERO,
        }
    }

    fn progress(&mut self, elapsed: Duration) {
        if !resource_usage::KERNEL_KEEPS_PEAK && elapsed >= self.looked + MEMORY_LOOK_EVERY {
            self.looked = elapsed;
            self.look();
        }
    }

    fn look(&mut self) -> Option<Usage> {
        let now = resource_usage::usage(self.id);
        let memory_bytes = now.map(|usage| usage.memory_bytes);
        self.peak_memory_bytes = self.peak_memory_bytes.max(memory_bytes);
        now
    }

    fn stop(mut self, report: &LoadReport) -> Run {
        let after = self.look();
        let server_cpu = self
            .before
            .zip(after)
            .map(|(before, after)| after.cpu.saturating_sub(before.cpu));
        Run {
            window: Duration::try_from_secs_f64(report.duration).unwrap_or_default(),
            completed: report.accounting.completed,
            errors: report.errors,
            p50_ms: report.latency.p50,
            p99_ms: report.latency.p99,
            max_ms: report.latency.max,
            server_cpu,
            peak_memory_bytes: self.peak_memory_bytes,
            client_cpu_share: report.client.cpu_share,
            warnings: report.verdict.reasons.clone(),
        }
    }
}
