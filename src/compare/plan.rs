//! A validated comparison: at least one contestant, each name once, the reference among them.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::Contestant;
use super::contestant::DEFAULT_REFERENCE;
use super::request::RequestSettings;
use super::statistics::{INTERVAL_ROUNDS_MIN, Margin};
use crate::event_loop::tls::Trust;

/// The load on each contestant, and the number of its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Connections kept open at once.
    pub connections: NonZeroUsize,
    /// Requests in flight on each connection.
    pub pipelining: NonZeroUsize,
    /// Requests due per second in all, evenly spaced; `None` for a closed loop.
    pub rate: Option<f64>,
    /// Length of the measured window; not zero.
    pub duration: Duration,
    /// Load before the window that is not measured; zero for none.
    pub warmup: Duration,
    /// Time limit for a reply.
    pub timeout: Duration,
    /// The certificate authorities to trust.
    pub trust: Trust,
    /// Time limit from a server's start to its first accept.
    pub start_timeout: Duration,
    /// The request to each contestant.
    pub request: RequestSettings,
    /// Runs of each contestant; with a precision, the most.
    pub rounds: NonZeroUsize,
    /// Rounds are run until each ratio is known to this; `None` for a fixed number.
    pub precision: Option<Margin>,
    /// Each contestant runs beside the reference, and the load alternates between the two.
    pub duet: bool,
    /// The margin around 1 within which the 90 % interval of the ratio of two contestants has to
    /// lie, so that they count as the same.
    pub same_within: Margin,
    /// Decides the order in which the contestants run.
    pub seed: u32,
}

impl Settings {
    /// Those of `contestant`: its own, and these where it has none.
    pub fn of(&self, contestant: &Contestant) -> Settings {
        let own = contestant.own();
        Settings {
            request: own.request.of(&self.request),
            start_timeout: own.start_timeout.unwrap_or(self.start_timeout),
            ..self.clone()
        }
    }
}

/// A validated comparison.
#[derive(Clone, Debug)]
pub struct ComparisonPlan {
    contestants: Vec<Contestant>,
    reference: Option<String>,
    settings: Settings,
}

/// The reason for which a comparison makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is no contestant.
    #[error("there is no server")]
    Empty,
    /// Two contestants would have one name.
    #[error("there are two servers named '{0}'; give one of them another name")]
    Twice(String),
    /// The choice names a contestant twice.
    #[error("'{0}' is named twice; name it once")]
    ChosenTwice(String),
    /// The choice has an empty name.
    #[error("a name is missing between, before or after commas")]
    ChosenEmpty,
    /// The choice names none of the contestants.
    #[error("there is no server named '{name}'; there are: {}", known.join(", "))]
    ChosenUnknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The reference is none of the contestants.
    #[error("there is no server named '{name}'; there are: {}", known.join(", "))]
    ReferenceUnknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The reference does not take part.
    #[error("'{0}' is not among the chosen servers; choose it too, or another reference")]
    ReferenceNotChosen(String),
}

impl ComparisonPlan {
    /// A comparison of those of `contestants` that `only` names, in its order; of all if it is
    /// empty.
    ///
    /// # Errors
    /// If a name is unknown or comes twice, or nobody is left.
    pub fn new(
        contestants: Vec<Contestant>,
        only: &[String],
        reference: Option<String>,
        settings: Settings,
    ) -> Result<ComparisonPlan, PlanError> {
        if let Some(name) = repeated(contestants.iter().map(Contestant::name)) {
            return Err(PlanError::Twice(name));
        }
        let chosen = choose(&contestants, only)?;
        if chosen.is_empty() {
            return Err(PlanError::Empty);
        }
        if let Some(name) = &reference {
            if !contestants.iter().any(|c| c.name() == name) {
                let (name, known) = (name.clone(), names(&contestants));
                return Err(PlanError::ReferenceUnknown { name, known });
            }
            if !chosen.iter().any(|c| c.name() == name) {
                return Err(PlanError::ReferenceNotChosen(name.clone()));
            }
        }
        Ok(ComparisonPlan {
            contestants: chosen,
            reference,
            settings,
        })
    }

    /// At least one, each name once.
    pub fn contestants(&self) -> &[Contestant] {
        &self.contestants
    }

    /// The name of the contestant that the others are to be compared with, if one was chosen.
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }

    /// The place of the contestant that the others are compared with if all run: the chosen one,
    /// else the usual one, else the first.
    pub fn reference_expected(&self) -> usize {
        let name = self.reference().unwrap_or(DEFAULT_REFERENCE);
        let place = self.contestants.iter().position(|c| c.name() == name);
        place.unwrap_or(0)
    }

    /// The load on each contestant.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The least time that all rounds take: warm-ups and windows.
    pub fn duration(&self) -> Duration {
        let rounds = self.rounds_min();
        let runs_each = match self.settings.duet {
            // The reference runs beside each of the others.
            true => 2 * (self.contestants.len() - 1),
            false => self.contestants.len(),
        };
        times(self.run_time(), runs_each.saturating_mul(rounds))
    }

    /// Rounds; with a precision, the fewest.
    pub fn rounds_min(&self) -> usize {
        match self.settings.precision {
            Some(_) => self.settings.rounds.get().min(INTERVAL_ROUNDS_MIN),
            None => self.settings.rounds.get(),
        }
    }

    /// The least time that one run takes: its warm-up and its window.
    pub(super) fn run_time(&self) -> Duration {
        self.settings.warmup.saturating_add(self.settings.duration)
    }
}

/// `time`, this many times over.
pub(super) fn times(time: Duration, count: usize) -> Duration {
    time.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Those that `only` names, in its order; all if it is empty.
fn choose(contestants: &[Contestant], only: &[String]) -> Result<Vec<Contestant>, PlanError> {
    if only.is_empty() {
        return Ok(contestants.to_vec());
    }
    if only.iter().any(String::is_empty) {
        return Err(PlanError::ChosenEmpty);
    }
    if let Some(name) = repeated(only.iter().map(String::as_str)) {
        return Err(PlanError::ChosenTwice(name));
    }
    let find = |name: &String| {
        let found = contestants.iter().find(|c| c.name() == name);
        found.cloned().ok_or_else(|| PlanError::ChosenUnknown {
            name: name.clone(),
            known: names(contestants),
        })
    };
    only.iter().map(find).collect()
}

fn names(contestants: &[Contestant]) -> Vec<String> {
    contestants.iter().map(|c| c.name().to_owned()).collect()
}

/// The first name that comes a second time.
fn repeated<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    names.find(|name| !seen.insert(*name)).map(str::to_owned)
}
