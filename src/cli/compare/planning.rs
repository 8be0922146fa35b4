//! The comparison that flags and suite describe. Flags override the suite, and the suite overrides
//! the defaults.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use super::CompareArgs;
use super::given::given_as;
use super::judgement::Rounds;
use super::suite::{RunSettings, Suite};
use crate::compare::process::resource_usage::Processes;
use crate::compare::process::server::Launcher;
use crate::compare::{
    ComparisonPlan, Contestant, PlanError, RequestChanges, RequestSettings, Settings,
};
use crate::event_loop::tls::Trust;
use crate::event_loop::{descriptor_limit, raise_descriptor_limit};

const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(100).expect("not 0");
const PIPELINING: NonZeroUsize = NonZeroUsize::new(10).expect("not 0");
const ROUNDS: Rounds = Rounds::Fixed(NonZeroUsize::new(6).expect("not 0"));

impl CompareArgs {
    /// The suite, or an empty one.
    ///
    /// # Errors
    /// One line that names the file, the line and the remedy.
    pub(super) fn suite(&self, bareloop: &Path) -> Result<Suite, String> {
        match &self.suite {
            Some(file) => Suite::read(file, bareloop),
            None => Ok(Suite::default()),
        }
    }

    /// The cores of servers, and their limit on descriptors: the one before it is raised.
    pub(super) fn launcher(&self, bareloop: &Path, suite: &Suite) -> Launcher {
        Launcher {
            bareloop: bareloop.to_owned(),
            cores: self.judgement.core_division(suite.settings.pin),
            descriptor_limit: descriptor_limit(),
        }
    }

    /// The comparison that the flags describe.
    ///
    /// # Errors
    /// One line that names the flag and the remedy.
    pub(super) fn plan(&self, suite: &Suite, bareloop: &Path) -> Result<ComparisonPlan, String> {
        let mut settings = self.settings(suite)?;
        self.check_descriptors(&suite.settings, &settings)?;
        let mut contestants = match suite.servers.is_empty() {
            true => Contestant::defaults(bareloop),
            false => suite.servers.clone(),
        };
        contestants.extend(self.servers.iter().cloned());
        for (name, id) in &self.pids {
            let of_that_name = contestants.iter_mut().find(|c| c.name() == name);
            if !of_that_name.is_some_and(|contestant| contestant.set_running_pid(*id)) {
                return Err(format!(
                    "--pid {name}={id}: no --server {name}=URL is given; the processes of a \
                     server that is started here are known"
                ));
            }
            if Processes::Tree(*id).usage().is_none() {
                return Err(format!("--pid {name}={id}: there is no such process"));
            }
        }
        let takes_part = |server: &&Contestant| {
            self.only.is_empty() || self.only.iter().any(|name| name == server.name())
        };
        let is_https = contestants
            .iter()
            .filter(takes_part)
            .any(Contestant::is_https);
        settings.trust = self.trust(&suite.settings, is_https)?;
        let plan = ComparisonPlan::new(
            contestants,
            &self.only,
            self.reference.clone().or(suite.settings.reference.clone()),
            settings,
        )
        .map_err(|error| {
            let name = match error {
                PlanError::Empty | PlanError::Twice(_) => "--server".to_owned(),
                PlanError::ChosenTwice(_)
                | PlanError::ChosenEmpty
                | PlanError::ChosenUnknown { .. } => "--only".to_owned(),
                PlanError::ReferenceUnknown { .. } | PlanError::ReferenceNotChosen(_) => {
                    let by_suite = suite.settings.reference.is_some();
                    given_as(
                        "--reference",
                        "reference",
                        self.reference.is_some(),
                        by_suite,
                    )
                }
            };
            format!("{name}: {error}")
        })?;
        self.two_at_least(&suite.settings, plan)
    }

    /// The flags, then the suite, then the defaults.
    fn settings(&self, suite: &Suite) -> Result<Settings, String> {
        let rounds = self.rounds.or(suite.settings.rounds).unwrap_or(ROUNDS);
        let run = &suite.settings;
        let seconds = Duration::from_secs;
        let rate = self.rate.or(run.rate);
        let duet = self.judgement.duet || run.duet;
        if let (Some(_), true) = (rate, duet) {
            let name = given_as("--rate", "rate", self.rate.is_some(), run.rate.is_some());
            return Err(format!(
                "{name}: a duet pauses its load, and cannot keep a rate; leave out one of the two"
            ));
        }
        let flags = RequestChanges {
            path: self.path.clone(),
            method: self.method.clone(),
            fields: Some(self.fields.clone()).filter(|fields| !fields.is_empty()),
            body: self.body.clone().map(String::into_bytes),
            expected_statuses: self.expect_status.clone(),
            expected_body: self.expect_body.clone().map(String::into_bytes),
        };
        Ok(Settings {
            connections: self.connections.or(run.connections).unwrap_or(CONNECTIONS),
            pipelining: self.pipelining.or(run.pipelining).unwrap_or(PIPELINING),
            rate,
            duration: self.duration.or(run.duration).unwrap_or(seconds(2)),
            warmup: self.warmup.or(run.warmup).unwrap_or(seconds(1)),
            timeout: self.timeout.or(run.timeout).unwrap_or(seconds(10)),
            trust: Trust::default(),
            start_timeout: self
                .start_timeout
                .or(run.start_timeout)
                .unwrap_or(seconds(10)),
            rounds: rounds.at_most(),
            precision: self.judgement.precision(rounds, run.precision)?,
            duet,
            same_within: self.judgement.same_within(run.same_within),
            seed: self.seed.or(run.seed).unwrap_or_else(fresh_seed),
            request: flags.of(&suite.request.of(&RequestSettings::default())),
        })
    }

    /// Refuses more connections than there are descriptors for all that are open at once.
    fn check_descriptors(&self, run: &RunSettings, settings: &Settings) -> Result<(), String> {
        let descriptors = raise_descriptor_limit();
        let connections = settings.connections.get();
        let (needed, both) = match settings.duet {
            true => (
                connections.saturating_mul(2),
                "a duet holds twice as many, and ",
            ),
            false => (connections, ""),
        };
        let (by_flag, by_suite) = (self.connections.is_some(), run.connections.is_some());
        let name = given_as("--connections", "connections", by_flag, by_suite);
        match needed > descriptors {
            true => Err(format!(
                "{name} {connections}: {both}this process may open at most {descriptors} \
                 connections; raise the limit with ulimit -n"
            )),
            false => Ok(()),
        }
    }

    /// Refuses a single server where the comparison is about ratios.
    fn two_at_least(
        &self,
        run: &RunSettings,
        plan: ComparisonPlan,
    ) -> Result<ComparisonPlan, String> {
        let settings = plan.settings();
        let (duet, rounds) = (self.judgement.duet, self.rounds.is_some());
        let names = [
            (settings.duet).then(|| given_as("--duet", "duet", duet, run.duet)),
            (settings.precision.is_some())
                .then(|| given_as("--rounds auto", "rounds", rounds, run.rounds.is_some())),
        ];
        match names.into_iter().flatten().next() {
            Some(name) if plan.contestants().len() < 2 => Err(format!(
                "{name}: two servers at least; name another with --only"
            )),
            _ => Ok(plan),
        }
    }
}

/// The standard library seeds its hash maps from the system's random numbers.
fn fresh_seed() -> u32 {
    RandomState::new().hash_one(()) as u32
}
