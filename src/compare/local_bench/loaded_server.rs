//! A server that listens, and its processes.

use std::thread;
use std::time::Duration;

use super::{MEMORY_LOOK_EVERY, Subject, Surroundings, evenly, load_plan, target};
use crate::compare::bench::SearchStart;
use crate::compare::process::resource_usage::{KERNEL_KEEPS_PEAK, Processes, Usage};
use crate::compare::process::server::Server;
use crate::compare::reply_check::{self, ReplyFacts};
use crate::compare::{Failure, Settings, Stopped};
use crate::event_loop::StopSignal;
use crate::load::find_rate::{FindRatePlan, FindRateReport, TrialProgress, find_rate};
use crate::load::{self, LoadReport, Target};

/// A server that listens.
pub(super) struct LoadedServer<'a> {
    pub(super) target: Target,
    /// Its processes, if they are known.
    pub(super) processes: Option<Processes>,
    /// `None` if it was not started here.
    pub(super) server: Option<Server>,
    pub(super) settings: &'a Settings,
    pub(super) signal: &'a StopSignal,
    /// The most memory that was seen.
    pub(super) peak_memory_bytes: u64,
}

impl<'a> LoadedServer<'a> {
    /// One that runs already. A path of its own in the URL goes before that of the settings.
    pub(super) fn running(
        url: &str,
        pid: Option<u32>,
        settings: &'a Settings,
        signal: &'a StopSignal,
    ) -> Result<LoadedServer<'a>, Failure> {
        let written = target(url, &settings.trust)?;
        let target = match written.request_target() {
            "/" => target(
                &format!("{written}{}", settings.request.path),
                &settings.trust,
            )?,
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

    /// Fails if the server has ended, or a stop was asked for.
    pub(super) fn still_runs(&mut self) -> Result<(), Stopped> {
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
            None => Ok(()),
        }
    }

    pub(super) fn check_reply(&self) -> Option<ReplyFacts> {
        let plan = load_plan(self.target.clone(), self.settings, self.settings.timeout);
        reply_check::check(&plan, self.signal)
    }

    /// Searches for its highest rate, by trials that are at least this long.
    pub(super) fn search(
        &mut self,
        search: SearchStart,
        trial_duration: Duration,
        on_trial: &mut dyn FnMut(TrialProgress),
    ) -> Result<FindRateReport, Stopped> {
        let plan = FindRatePlan {
            trial: load_plan(self.target.clone(), self.settings, trial_duration),
            open_loop: evenly(search.first_rate),
            first_rate: search.first_rate,
            trial_duration,
            objective: search.objective,
        };
        let result = find_rate(&plan, self.signal, on_trial);
        self.still_runs()?;
        let report = result.map_err(|e| Failure::NotMeasured(e.to_string()))?;
        let no_trial = || Failure::NotMeasured("no trial was made".to_owned());
        Ok(report.find_rate.ok_or_else(no_trial)?)
    }

    pub(super) fn stop(&mut self) {
        if let Some(server) = &mut self.server {
            server.stop(self.signal);
        }
    }

    pub(super) fn error_excerpt(&mut self) -> String {
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
        self.still_runs()?;
        Ok(result.map_err(|e| Failure::NotMeasured(e.to_string()))?)
    }

    fn usage(&mut self) -> Option<Usage> {
        let now = self.processes?.usage()?;
        self.peak_memory_bytes = now.memory_bytes.max(self.peak_memory_bytes);
        Some(Usage {
            memory_bytes: self.peak_memory_bytes,
            ..now
        })
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings::now()
    }

    fn wait(&mut self, duration: Duration) {
        thread::sleep(duration);
    }
}
