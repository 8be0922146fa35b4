//! The real bench: starts the contestant on this machine and loads it from this process.

mod duet;
mod loaded_server;

use std::num::NonZeroU32;
use std::time::Duration;

use super::bench::SearchStart;
use super::machine::CpuTimes;
use super::process::resource_usage::{Processes, Usage};
use super::process::server::{Launcher, Server, free_port};
use super::readiness;
use super::statistics::{Side, SliceSchedule, squared_relative_error};
use super::{
    Bench, Closing, Contestant, Failure, RunConditions, RunCourse, RunFigures, Settings, Silence,
    Stopped,
};
use crate::event_loop::tls::Trust;
use crate::event_loop::{Clock, StopSignal, Time};
use crate::load::find_rate::{FindRateReport, TrialProgress};
use crate::load::schedule::{Arrivals, Rate};
use crate::load::{
    self, LoadPlan, LoadReport, OpenLoopPlan, Refill, Request, Target, Until, WarmUp,
};
use loaded_server::LoadedServer;

/// Interval at which a server's CPU time is read while it works off the end of the warm-up ...
const SETTLE_LOOK_EVERY: Duration = Duration::from_millis(20);
/// ... for at most this many intervals (1 s) ...
const SETTLE_LOOKS_MAX: usize = 50;
/// ... or until it has used less than this in one of them.
const SETTLED_BELOW: Duration = Duration::from_millis(1);
/// Interval at which memory is read under load, where the kernel keeps no peak.
const MEMORY_LOOK_EVERY: Duration = Duration::from_secs(1);

/// The dummy variable in the environment of each server.
const PADDING: &str = "BARELOOP_PADDING";

/// Runs contestants on this machine, one at a time.
#[derive(Debug)]
pub struct LocalBench {
    launcher: Launcher,
}

impl LocalBench {
    /// A bench with servers of `launcher`. With a division of the cores, this thread stays on the
    /// client's.
    pub fn new(launcher: Launcher) -> LocalBench {
        if let Some(cores) = &launcher.cores {
            cores.enter_client();
        }
        LocalBench { launcher }
    }
}

impl Bench for LocalBench {
    fn run_once(
        &mut self,
        contestant: &Contestant,
        conditions: RunConditions,
        settings: &Settings,
        signal: &StopSignal,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<RunFigures, Stopped> {
        let settings = &settings.of(contestant);
        let mut subject = self.subject(contestant, conditions, settings, signal)?;
        let reply = subject.check_reply();
        let mut run = measure(
            &mut subject,
            settings.warmup,
            conditions.window,
            on_progress,
        )?;
        run.reply = reply;
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

    fn run_duet(
        &mut self,
        contestants: [&Contestant; 2],
        conditions: [RunConditions; 2],
        slices: SliceSchedule,
        settings: &Settings,
        signal: &StopSignal,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<[RunFigures; 2], (Side, Stopped)> {
        let of = contestants.map(|contestant| settings.of(contestant));
        let contestant = self.subject(contestants[0], conditions[0], &of[0], signal);
        let contestant = contestant.map_err(|stopped| (Side::Contestant, stopped))?;
        let reference = self.subject(contestants[1], conditions[1], &of[1], signal);
        let reference = reference.map_err(|stopped| (Side::Reference, stopped))?;
        let window = conditions[0].window;
        duet::run(contestant, reference, window, slices, on_progress)
    }

    fn run_walk(
        &mut self,
        contestant: &Contestant,
        conditions: RunConditions,
        loads: &[Settings],
        signal: &StopSignal,
        on_progress: &mut dyn FnMut(load::Progress),
    ) -> Result<Vec<RunFigures>, Stopped> {
        let loads = loads.iter().map(|settings| settings.of(contestant));
        let loads: Vec<Settings> = loads.collect();
        let Some(first) = loads.first() else {
            return Ok(Vec::new());
        };
        let mut subject = self.subject(contestant, conditions, first, signal)?;
        let mut runs = Vec::with_capacity(loads.len());
        for settings in &loads {
            subject.settings = settings;
            runs.push(measure(
                &mut subject,
                settings.warmup,
                conditions.window,
                on_progress,
            )?);
        }
        subject.stop();
        Ok(runs)
    }

    fn run_search(
        &mut self,
        contestant: &Contestant,
        conditions: RunConditions,
        search: SearchStart,
        settings: &Settings,
        signal: &StopSignal,
        on_trial: &mut dyn FnMut(TrialProgress),
    ) -> Result<FindRateReport, Stopped> {
        let settings = &settings.of(contestant);
        let mut subject = self.subject(contestant, conditions, settings, signal)?;
        warm_up(&mut subject, settings.warmup)?;
        let found = subject.search(search, conditions.window, on_trial)?;
        subject.stop();
        Ok(found)
    }
}

impl LocalBench {
    /// `contestant` as a server that is ready.
    fn subject<'a>(
        &self,
        contestant: &Contestant,
        conditions: RunConditions,
        settings: &'a Settings,
        signal: &'a StopSignal,
    ) -> Result<LoadedServer<'a>, Stopped> {
        let clock = Clock::start();
        let mut subject = match contestant.running_url() {
            Some(url) => LoadedServer::running(url, contestant.running_pid(), settings, signal)?,
            None => self.start(contestant, conditions, settings, signal)?,
        };
        if let Some(path) = &contestant.own().ready_path {
            let ready = at_path(&subject.target, path, &settings.trust)?;
            let elapsed = clock.now() - Time::START;
            let to_go = settings.start_timeout.saturating_sub(elapsed);
            let plan = load_plan(ready, settings, settings.start_timeout);
            let mut still_starts = || subject.still_runs().map_err(Stopped::before_ready);
            readiness::wait(&plan, to_go, signal, &mut still_starts)?;
        }
        Ok(subject)
    }

    /// Starts `contestant` and waits until it listens.
    fn start<'a>(
        &self,
        contestant: &Contestant,
        conditions: RunConditions,
        settings: &'a Settings,
        signal: &'a StopSignal,
    ) -> Result<LoadedServer<'a>, Stopped> {
        let port = free_port()?;
        let mut environment = contestant.environment(port);
        environment.push((PADDING.to_owned(), "x".repeat(conditions.padding_bytes)));
        let command = contestant.supervised(port);
        let mut server = Server::start(&self.launcher, &command, &environment, port)?;
        let address = server.wait_until_ready(settings.start_timeout, signal)?;
        let url = format!("http://{address}{}", settings.request.path);
        Ok(LoadedServer {
            target: target(&url, &settings.trust)?,
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

    /// Returns its usage since its start; `None` if the system does not report it.
    fn usage(&mut self) -> Option<Usage>;

    /// Usage of the load generator and of the whole machine.
    fn surroundings(&self) -> Surroundings;

    /// Lets `duration` pass.
    fn wait(&mut self, duration: Duration);
}

/// The load generator and the whole machine, beside the server.
#[derive(Clone, Copy, Debug, Default)]
struct Surroundings {
    client: Option<Usage>,
    machine: Option<CpuTimes>,
}

impl Surroundings {
    fn now() -> Surroundings {
        Surroundings {
            client: Processes::Alone(std::process::id()).usage(),
            machine: CpuTimes::now(),
        }
    }
}

/// One run: the warm-up, the wait for its end, and the measured window.
fn measure(
    subject: &mut impl Subject,
    warmup: Duration,
    window: Duration,
    on_progress: &mut dyn FnMut(load::Progress),
) -> Result<RunFigures, Stopped> {
    warm_up(subject, warmup)?;
    let (around, before) = (subject.surroundings(), subject.usage());
    let mut looks = Vec::new();
    let report = subject.load(window, &mut |progress| {
        looks.push((progress.elapsed, progress.completed));
        on_progress(progress);
    })?;
    let (after, around_after) = (subject.usage(), subject.surroundings());
    let since = |(before, after): (Usage, Usage)| after.since(before);
    let server = before.zip(after).map(since);
    let client = around.client.zip(around_after.client).map(since);
    let ours = server
        .zip(client)
        .map(|(server, client)| server.cpu + client.cpu);
    let machine = around.machine.zip(around_after.machine);
    Ok(RunFigures {
        server,
        client,
        machine: machine.map(|(before, after)| after.use_since(before, ours)),
        rate_variance: rate_variance(&looks),
        ..figures(&report)
    })
}

fn warm_up(subject: &mut impl Subject, warmup: Duration) -> Result<(), Stopped> {
    if !warmup.is_zero() {
        subject.load(warmup, &mut |_| {})?;
        settle(subject);
    }
    Ok(())
}

/// The variance of the logarithm of a run's rate, from the replies at several times.
fn rate_variance(looks: &[(Duration, u64)]) -> Option<f64> {
    let rate = |pair: &[(Duration, u64)]| {
        let length = (pair[1].0 - pair[0].0).as_secs_f64();
        (pair[1].1 - pair[0].1) as f64 / length.max(f64::MIN_POSITIVE)
    };
    squared_relative_error(&looks.windows(2).map(rate).collect::<Vec<_>>())
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

/// The figures of a window that the load generator knows.
fn figures(report: &LoadReport) -> RunFigures {
    RunFigures {
        window: report.exact_duration,
        completed: report.accounting.completed,
        errors: report.errors,
        closing: closing(report),
        non2xx: report.non2xx,
        p50_ms: report.latency.p50,
        p99_ms: report.latency.p99,
        lower_bounds_from: report.latency.bounded_percent,
        max_ms: report.latency.max,
        server: None,
        client: None,
        machine: None,
        reply: None,
        duet: None,
        rate_variance: None,
        client_cpu_share: report.client.cpu_share,
        warnings: report.verdict.reasons.clone(),
        course: RunCourse {
            timeline: report.timeline.clone(),
            client_pauses: report.client.pauses.clone(),
            longest_silence: (report.longest_silence_ms)
                .zip(report.longest_silence_began)
                .map(|(ms, began_seconds)| Silence { ms, began_seconds }),
        },
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

fn target(url: &str, trust: &Trust) -> Result<Target, Failure> {
    let target = Target::parse(url).map_err(|e| Failure::NotMeasured(e.to_string()))?;
    match target.tls(trust) {
        Ok(_) => Ok(target),
        Err(e) => Err(Failure::NotMeasured(e.to_string())),
    }
}

/// The same server, asked for another path.
fn at_path(server: &Target, path: &str, trust: &Trust) -> Result<Target, Failure> {
    target(&format!("{}{path}", server.origin()), trust)
}

/// Requests that are evenly spaced.
fn evenly(rate: f64) -> OpenLoopPlan {
    OpenLoopPlan {
        rate: Rate::Constant(rate),
        arrivals: Arrivals::Constant,
        seed: 0,
        deadline: None,
    }
}

pub(super) fn load_plan(target: Target, settings: &Settings, duration: Duration) -> LoadPlan {
    let request = settings.request.clone();
    LoadPlan {
        // An error would have been that of `target`.
        tls: target.tls(&settings.trust).ok().flatten(),
        requests: Request {
            method: request.method,
            request_target: target.request_target().to_owned(),
            fields: request.fields,
            body: request.body,
        }
        .into(),
        target,
        connections: settings.connections.get(),
        pipelining: settings.pipelining.get(),
        warm_up: WarmUp::None,
        until: Until::Duration(duration),
        timeout: settings.timeout,
        refill: Refill::Rolling,
        open_loop: settings.rate.map(evenly),
        expected_body: request.expected_body,
        expected_statuses: request.expected_statuses,
        bailout: None,
        requests_per_connection: None,
        kernel_timestamps: false,
        workers: NonZeroU32::MIN,
        share: None,
        start_at: None,
        title: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                ..Usage::default()
            })
        }

        fn surroundings(&self) -> Surroundings {
            Surroundings::default()
        }

        fn wait(&mut self, _duration: Duration) {
            self.used += next(&mut self.per_wait);
            self.waits += 1;
        }
    }

    fn measured(subject: &mut Scripted, warmup: Duration) -> RunFigures {
        let window = Duration::from_micros(100_400);
        measure(subject, warmup, window, &mut |_| {}).unwrap()
    }

    #[test]
    fn another_path_of_a_server_is_asked_by_its_scheme_at_its_port() {
        for (server, origin) in [
            ("https://app.test/x?y", "https://app.test"),
            ("https://app.test:8443", "https://app.test:8443"),
            ("http://[::1]:81/", "http://[::1]:81"),
        ] {
            let asked = at_path(
                &Target::parse(server).unwrap(),
                "/health",
                &Trust::default(),
            )
            .unwrap();
            assert_eq!(asked.to_string(), format!("{origin}/health"));
            let expected = Target::parse(&format!("{origin}/health")).unwrap();
            assert_eq!(asked, expected, "scheme and port too");
        }
    }

    #[test]
    fn work_left_over_from_the_warm_up_is_not_part_of_the_window() {
        let mut subject = Scripted {
            per_load: vec![500 * MS, 90 * MS],
            per_wait: vec![20 * MS, 20 * MS, 7 * MS, MS / 2],
            ..Scripted::default()
        };
        let run = measured(&mut subject, 100 * MS);
        assert_eq!(run.server.unwrap().cpu, 90 * MS);
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
        assert_eq!(run.server.unwrap().cpu, 90 * MS);
        assert_eq!(subject.waits, SETTLE_LOOKS_MAX);
    }

    #[test]
    fn without_a_warm_up_there_is_nothing_to_wait_for() {
        let mut subject = Scripted {
            per_load: vec![90 * MS],
            ..Scripted::default()
        };
        let run = measured(&mut subject, Duration::ZERO);
        assert_eq!(run.server.unwrap().cpu, 90 * MS);
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
