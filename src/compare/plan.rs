//! A comparison that makes sense: somebody takes part, nobody twice, the reference is one of them.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::Contestant;

/// How each contestant is loaded, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Connections kept open at once.
    pub connections: NonZeroUsize,
    /// Requests in flight on each connection.
    pub pipelining: NonZeroUsize,
    /// Length of the measured window; not zero.
    pub duration: Duration,
    /// Load before the window that is not measured; zero for none.
    pub warmup: Duration,
    /// A request without a reply for so long has timed out.
    pub timeout: Duration,
    /// How often each contestant runs.
    pub rounds: NonZeroUsize,
    /// Decides the order in which the contestants run.
    pub seed: u32,
}

/// A validated comparison.
#[derive(Clone, Debug)]
pub struct ComparisonPlan {
    contestants: Vec<Contestant>,
    reference: Option<String>,
    settings: Settings,
}

/// Why a comparison makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is nobody to compare.
    #[error("there is no contestant")]
    Empty,
    /// Two contestants would have one name.
    #[error("there are two contestants named '{0}'; give one of them another name")]
    Twice(String),
    /// The name is none of the contestants'.
    #[error("there is no contestant named '{name}'; there are: {}", known.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
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
        refuse_twice(contestants.iter().map(Contestant::name))?;
        refuse_twice(only.iter().map(String::as_str))?;
        let contestants = match only {
            [] => contestants,
            only => only
                .iter()
                .map(|name| find(&contestants, name).cloned())
                .collect::<Result<_, _>>()?,
        };
        if contestants.is_empty() {
            return Err(PlanError::Empty);
        }
        if let Some(name) = &reference {
            find(&contestants, name)?;
        }
        Ok(ComparisonPlan {
            contestants,
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

    /// How each contestant is loaded.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The least time that all rounds take: warm-ups and windows.
    pub fn duration(&self) -> Duration {
        let runs = self
            .contestants
            .len()
            .saturating_mul(self.settings.rounds.get());
        let runs = u32::try_from(runs).unwrap_or(u32::MAX);
        let each = self.settings.warmup.saturating_add(self.settings.duration);
        each.saturating_mul(runs)
    }
}

fn find<'a>(contestants: &'a [Contestant], name: &str) -> Result<&'a Contestant, PlanError> {
    contestants
        .iter()
        .find(|contestant| contestant.name() == name)
        .ok_or_else(|| PlanError::Unknown {
            name: name.to_owned(),
            known: contestants.iter().map(|c| c.name().to_owned()).collect(),
        })
}

fn refuse_twice<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), PlanError> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(PlanError::Twice(name.to_owned()));
        }
    }
    Ok(())
}
