//! The real bench: starts the contestant on this machine and loads it from this process.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::process::resource_usage::{KERNEL_KEEPS_PEAK, Processes, Usage};
use super::process::server::{Server, free_port};
use super::readiness;
use super::{Bench, Closing, Contestant, Failure, RunFigures, Settings, Stopped};
use crate::event_loop::{Clock, StopSignal, Time};
use crate::load::{self, LoadPlan, LoadReport, Refill, Target, Until, WarmUp};

/// Interval at which a server's CPU time is read while it works off the end of the warm-up ...
const SETTLE_LOOK_EVERY: Duration = Duration::from_millis(20);
/// ... for at most so many intervals (1 s) ...
const SETTLE_LOOKS_MAX: usize = 50;
/// ... or until it has used less than this in one of them.
const SETTLED_BELOW: Duration = Duration::from_millis(1);
/// Interval at which memory is read under load, where the kernel keeps no peak.
const MEMORY_LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs contestants on this machine, one at a time.
#[derive(Debug)]
pub struct LocalBench {
    /// This program, which also supervises servers.
    bareloop: PathBuf,
}

impl LocalBench {
    /// A bench whose servers are supervised by the program `bareloop`.
    pub fn new(bareloop: PathBuf) -> LocalBench {
        LocalBench { bareloop }
    }
}

impl Bench for LocalBench {
    fn run_once(
        &mut self,
        contestant: &Contestant,
        settings: &Settings,
        signal: &StopSignal,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<RunFigures, Stopped> {
        let settings = &contestant.settings(settings);
        let clock = Clock::start();
        let mut subject = match contestant.running_url() {
            Some(url) => LoadedServer::running(url, contestant.running_pid(), settings, signal)?,
            None => self.start(contestant, settings, signal)?,
        };
        if let Some(path) = &contestant.own().ready_path {
            let ready = target(&format!("http://{}{path}", subject.target.authority()))?;
            let to_go = settings
                .start_timeout
                .saturating_sub(clock.now() - Time::START);
            readiness::wait(&ready, to_go, signal)?;
        }
        let run = measure(&mut subject, settings, on_progress)?;
        subject.stop();
        match run.completed {
            0 => Err(Failure::NoReply {
                errors: run.errors,
                error_excerpt: subject.error_excerpt(),
            }
            .into()),
            _ => Ok(run),
        }
    }
}

impl LocalBench {
    /// Starts `contestant` and waits until it listens.
    fn start<'a>(
        &self,
        contestant: &Contestant,
        settings: &'a Settings,
        signal: &'a StopSignal,
    ) -> Result<LoadedServer<'a>, Stopped> {
        let port = free_port()?;
        let mut server = Server::start(
            &self.bareloop,
            &contestant.supervised(port),
            &contestant.environment(port),
            port,
        )?;
        let address = server.wait_until_ready(settings.start_timeout, signal)?;
        Ok(LoadedServer {
            target: target(&format!("http://{address}{}", settings.request.path))?,
            processes: Some(server.processes()),
            server: Some(server),
            settings,
            signal,
            peak_memory_bytes: 0,
        })
    }
}

/// A server that can be loaded and whose cost can be read.
trait Subject {
    /// Loads it for `duration`.
    fn load(
        &mut self,
        duration: Duration,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<LoadReport, Stopped>;

    /// What it has used since its start; `None` if the system does not say.
    fn usage(&mut self) -> Option<Usage>;

    /// Lets `duration` pass.
    fn wait(&mut self, duration: Duration);
}

/// One run: the warm-up, the wait for its end, and the measured window.
fn measure(
    subject: &mut impl Subject,
    settings: &Settings,
    on_progress: &mut dyn FnMut(load::Progress),
) -> Result<RunFigures, Stopped> {
    if !settings.warmup.is_zero() {
        subject.load(settings.warmup, &mut |_| {})?;
        settle(subject);
    }
    let before = subject.usage();
    let report = subject.load(settings.duration, on_progress)?;
    Ok(figures(&report, before, subject.usage()))
}

/// Waits until the server is idle: a warm-up that ends leaves requests behind, and their cost
/// must not fall into the measured window.
fn settle(subject: &mut impl Subject) {
    let mut last = subject.usage();
    for _ in 0..SETTLE_LOOKS_MAX {
        subject.wait(SETTLE_LOOK_EVERY);
        let now = subject.usage();
        match (last, now) {
            (Some(last), Some(now)) if now.cpu.saturating_sub(last.cpu) >= SETTLED_BELOW => {}
            _ => return,
        }
        last = now;
    }
}

/// The figures of a window from the load generator's report, and from the server's usage before
/// and after it.
fn figures(report: &LoadReport, before: Option<Usage>, after: Option<Usage>) -> RunFigures {
    RunFigures {
        window: report.exact_duration,
        completed: report.accounting.completed,
        errors: report.errors,
        closing: closing(report),
        non2xx: report.non2xx,
        p50_ms: report.latency.p50,
        p99_ms: report.latency.p99,
        max_ms: report.latency.max,
        server_cpu: before
            .zip(after)
            .map(|(before, after)| after.cpu.saturating_sub(before.cpu)),
        peak_memory_bytes: after.map(|usage| usage.memory_bytes),
        client_cpu_share: report.client.cpu_share,
        warnings: report.verdict.reasons.clone(),
    }
}

/// A connection that was opened for each reply is one that the server has closed after it, if
/// there were no errors of other kinds.
fn closing(report: &LoadReport) -> Closing {
    let replies = report.accounting.completed;
    let kinds = &report.error_kinds;
    let closed_only = report.errors == kinds.reset + kinds.closed_early;
    let reconnects = replies > report.connections as u64 && report.bundling.connects > replies / 2;
    match closed_only && reconnects {
        true => Closing::AfterEachReply {
            lost: report.accounting.lost,
            sent: report.accounting.sent,
        },
        false => Closing::KeepsAlive,
    }
}

/// A server that listens.
struct LoadedServer<'a> {
    target: Target,
    /// Its processes, if they are known.
    processes: Option<Processes>,
    /// `None` if it was not started here.
    server: Option<Server>,
    settings: &'a Settings,
    signal: &'a StopSignal,
    /// The most memory that was seen.
    peak_memory_bytes: u64,
}

impl<'a> LoadedServer<'a> {
    /// One that runs already. A path of its own in the URL goes before that of the settings.
    fn running(
        url: &str,
        pid: Option<u32>,
        settings: &'a Settings,
        signal: &'a StopSignal,
    ) -> Result<LoadedServer<'a>, Failure> {
        let written = target(url)?;
        let target = match written.request_target() {
            "/" => target(&format!("{written}{}", settings.request.path))?,
            _ => written,
        };
        Ok(LoadedServer {
            target,
            processes: pid.map(Processes::Tree),
            server: None,
            settings,
            signal,
            peak_memory_bytes: 0,
        })
    }

    fn stop(&mut self) {
        if let Some(server) = &mut self.server {
            server.stop(self.signal);
        }
    }

    fn error_excerpt(&mut self) -> String {
        let server = self.server.as_mut();
        server.map(Server::error_excerpt).unwrap_or_default()
    }
}

impl Subject for LoadedServer<'_> {
    fn load(
        &mut self,
        duration: Duration,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<LoadReport, Stopped> {
        let plan = load_plan(self.target.clone(), self.settings, duration);
        let mut looked = Duration::ZERO;
        let result = load::run(&plan, self.signal, &mut |progress| {
            if !KERNEL_KEEPS_PEAK && progress.elapsed >= looked + MEMORY_LOOK_EVERY {
                looked = progress.elapsed;
                let now = self.processes.and_then(Processes::usage);
                let memory_bytes = now.unwrap_or_default().memory_bytes;
                self.peak_memory_bytes = memory_bytes.max(self.peak_memory_bytes);
            }
            on_progress(progress);
        });
        if self.signal.times_raised() > 0 {
            self.stop();
            return Err(Stopped::Interrupted);
        }
        match self.server.as_mut().and_then(Server::end_of_first_process) {
            // It may have listened before it went there.
            Some(end) if end.in_background => Err(Failure::InBackground.into()),
            Some(end) => Err(Failure::Died {
                status: end.status,
                error_excerpt: self.error_excerpt(),
            }
            .into()),
            None => Ok(result.map_err(|e| Failure::NotMeasured(e.to_string()))?),
        }
    }

    fn usage(&mut self) -> Option<Usage> {
        let now = self.processes?.usage()?;
        self.peak_memory_bytes = now.memory_bytes.max(self.peak_memory_bytes);
        Some(Usage {
            memory_bytes: self.peak_memory_bytes,
            ..now
        })
    }

    fn wait(&mut self, duration: Duration) {
        thread::sleep(duration);
    }
}

fn target(url: &str) -> Result<Target, Failure> {
    Target::parse(url).map_err(|e| Failure::NotMeasured(e.to_string()))
}

fn load_plan(target: Target, settings: &Settings, duration: Duration) -> LoadPlan {
    let request = settings.request.clone();
    LoadPlan {
        target,
        connections: settings.connections.get(),
        pipelining: settings.pipelining.get(),
        warm_up: WarmUp::None,
        until: Until::Duration(duration),
        timeout: settings.timeout,
        refill: Refill::Rolling,
        open_loop: None,
        method: request.method,
        fields: request.fields,
        body: request.body,
        expected_body: request.expected_body,
        expected_statuses: request.expected_statuses,
        bailout: None,
        requests_per_connection: None,
        title: None,
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::compare::RequestSettings;
    use crate::compare::statistics::Margin;

    const MS: Duration = Duration::from_millis(1);

    /// A server that uses this CPU time at each load and at each wait.
    #[derive(Default)]
    struct Scripted {
        used: Duration,
        per_load: Vec<Duration>,
        per_wait: Vec<Duration>,
        waits: usize,
    }

    /// Takes the first, as long as there is one.
    fn next(times: &mut Vec<Duration>) -> Duration {
        match times.is_empty() {
            true => Duration::ZERO,
            false => times.remove(0),
        }
    }

    impl Subject for Scripted {
        fn load(
            &mut self,
            duration: Duration,
            _on_progress: &mut dyn FnMut(load::Progress),
        ) -> Result<LoadReport, Stopped> {
            self.used += next(&mut self.per_load);
            Ok(LoadReport {
                duration: duration.as_secs_f64().round(),
                exact_duration: duration,
                ..LoadReport::default()
            })
        }

        fn usage(&mut self) -> Option<Usage> {
            Some(Usage {
                cpu: self.used,
                memory_bytes: 1000,
            })
        }

        fn wait(&mut self, _duration: Duration) {
            self.used += next(&mut self.per_wait);
            self.waits += 1;
        }
    }

    fn measured(subject: &mut Scripted, warmup: Duration) -> RunFigures {
        let one = NonZeroUsize::MIN;
        let settings = Settings {
            connections: one,
            pipelining: one,
            duration: Duration::from_micros(100_400),
            warmup,
            timeout: Duration::from_secs(1),
            start_timeout: Duration::from_secs(1),
            request: RequestSettings::default(),
            rounds: one,
            same_within: Margin::new(0.02).unwrap(),
            seed: 0,
        };
        measure(subject, &settings, &mut |_| {}).unwrap()
    }

    #[test]
    fn work_left_over_from_the_warm_up_is_not_part_of_the_window() {
        let mut subject = Scripted {
            per_load: vec![500 * MS, 90 * MS],
            per_wait: vec![20 * MS, 20 * MS, 7 * MS, MS / 2],
            ..Scripted::default()
        };
        let run = measured(&mut subject, 100 * MS);
        assert_eq!(run.server_cpu, Some(90 * MS));
        assert_eq!(subject.waits, 4);
    }

    #[test]
    fn a_server_that_is_never_idle_is_measured_all_the_same() {
        let mut subject = Scripted {
            per_load: vec![500 * MS, 90 * MS],
            per_wait: vec![20 * MS; 10 * SETTLE_LOOKS_MAX],
            ..Scripted::default()
        };
        let run = measured(&mut subject, 100 * MS);
        assert_eq!(run.server_cpu, Some(90 * MS));
        assert_eq!(subject.waits, SETTLE_LOOKS_MAX);
    }

    #[test]
    fn without_a_warm_up_there_is_nothing_to_wait_for() {
        let mut subject = Scripted {
            per_load: vec![90 * MS],
            ..Scripted::default()
        };
        let run = measured(&mut subject, Duration::ZERO);
        assert_eq!(run.server_cpu, Some(90 * MS));
        assert_eq!(subject.waits, 0);
    }

    #[test]
    fn a_connect_for_each_reply_is_a_server_that_closes() {
        let report_of = |connections, connects, completed| {
            let mut report = LoadReport {
                connections,
                ..LoadReport::default()
            };
            report.bundling.connects = connects;
            report.accounting.completed = completed;
            (report.accounting.sent, report.accounting.lost) = (10 * completed, 9 * completed);
            report
        };
        let closes = Closing::AfterEachReply {
            lost: 9000,
            sent: 10_000,
        };
        assert_eq!(closing(&report_of(10, 1010, 1000)), closes);
        for (connections, connects, completed) in [(10, 10, 1000), (10, 10, 10), (10, 10, 0)] {
            let closing = closing(&report_of(connections, connects, completed));
            assert_eq!(closing, Closing::KeepsAlive, "{connects} {completed}");
        }
        let timed_out = LoadReport {
            errors: 1,
            ..report_of(10, 1010, 1000)
        };
        assert_eq!(closing(&timed_out), Closing::KeepsAlive);
    }

    #[test]
    fn the_window_is_the_exact_duration_of_the_load() {
        let run = measured(&mut Scripted::default(), Duration::ZERO);
        assert_eq!(run.window, Duration::from_micros(100_400));
    }
}
