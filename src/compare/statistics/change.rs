//! Change between two saved results, for the figures that can be compared.
//!
//! The rounds of two sessions are not paired, so the interval is Welch's for the difference of two
//! means. It covers the noise of the rounds within each session, but not differences between the
//! sessions (another kernel, another guest on the host, a warmer room). Ratios to a reference that
//! ran in both sessions cancel most of these differences; plain figures cancel none of them. So
//! ratios are compared across machines, and plain figures on one machine only.

use std::collections::BTreeMap;

use super::answer::{Claims, Direction, claims_of_means};
use super::{Estimate, INTERVAL_ROUNDS_MIN, Interval, Margin, Summary, Uncertainty};

/// Named facts of a result, as text: 'cpu', 'connections', ...
pub type Facts = BTreeMap<String, String>;

/// The part of a saved result that decides whether and how it can be compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedResult {
    /// Operating system, CPU, cores, memory.
    pub machine: Facts,
    /// The load: connections, pipelining, lengths, request.
    pub settings: Facts,
    /// Of bareloop.
    pub version: String,
    /// The contestant that ratios refer to.
    pub reference: Option<String>,
    /// The reference's request, if it has one of its own.
    pub reference_request: Option<String>,
    /// By name.
    pub contestants: BTreeMap<String, SavedRounds>,
}

/// The rounds of one contestant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedRounds {
    /// The figure of each round.
    pub figures: BoundedRounds,
    /// Its ratio to the reference's in each round in which both ran; empty for the reference
    /// itself.
    pub ratios: BoundedRounds,
}

/// One positive quantity over rounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoundedRounds {
    /// The value of each round.
    pub rounds: Vec<f64>,
    /// The sides on which the server's own value may lie beyond the measured one.
    pub open: OpenSides,
}

/// The sides on which a true value may lie beyond the measured one, because the load was the limit
/// and not the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenSides {
    /// It may be smaller.
    pub low: bool,
    /// It may be larger.
    pub high: bool,
}

impl OpenSides {
    /// The sides of the quotient of two values.
    fn of_quotient(numerator: OpenSides, denominator: OpenSides) -> OpenSides {
        OpenSides {
            low: numerator.low || denominator.high,
            high: numerator.high || denominator.low,
        }
    }

    /// The part of `claims` that is left: a value of which one side is open can be different to
    /// the other side only, and never the same.
    fn weaken(self, claims: Claims) -> Claims {
        let is_closed = |direction: &Direction| match direction {
            Direction::More => !self.low,
            Direction::Less => !self.high,
        };
        Claims {
            different: claims.different.filter(is_closed),
            same: claims.same && self == OpenSides::default(),
        }
    }
}

/// A fact that two results do not share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The group it belongs to.
    pub of: DifferenceOf,
    /// Its name.
    pub name: String,
    /// Before; `None` if it was not recorded.
    pub before: Option<String>,
    /// Now; `None` if it is not recorded.
    pub now: Option<String>,
}

/// The group of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceOf {
    /// Plain figures are not comparable.
    Machine,
    /// Nothing is comparable.
    Settings,
    /// Another load generator, and other servers of its own: comparable, with a note.
    Version,
    /// Ratios are not comparable.
    Reference,
}

/// The comparison that two results allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparable {
    /// Ratios to the reference, and plain figures for want of them.
    RatiosAndFigures,
    /// Ratios to the reference only: the machines differ.
    Ratios,
    /// Plain figures only: the references differ.
    Figures,
    /// Nothing.
    Nothing,
}

/// The quantity whose change is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Ratio to the reference.
    Ratio,
    /// The figure itself.
    Figure,
}

/// The change of one contestant.
#[derive(Clone, Debug, PartialEq)]
pub struct ContestantChange {
    /// Its name.
    pub name: String,
    /// The quantity compared.
    pub compared: Compared,
    /// Now divided by before.
    pub change: f64,
    /// Interval with 95 % confidence, simultaneous over the contestants; if one of the two has
    /// fewer than six rounds, the range of the quotients of any two rounds.
    pub uncertainty: Uncertainty,
    /// The sides on which the server's own change may lie beyond that.
    pub open: OpenSides,
    /// Finding, by the same rules as between contestants; nothing is claimed with too few rounds.
    pub claims: Claims,
}

/// Everything that is to be said about two results.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineChange {
    /// The facts in which they differ.
    pub differences: Vec<Difference>,
    /// The comparison that they allow.
    pub comparable: Comparable,
    /// The contestants of both, by name.
    pub changes: Vec<ContestantChange>,
    /// Contestants that only the earlier result has.
    pub gone: Vec<String>,
    /// Contestants that only the present result has.
    pub new: Vec<String>,
}

/// Compares the present result with a saved one.
pub fn change(before: &SavedResult, now: &SavedResult, margin: Margin) -> BaselineChange {
    let differences = differences(before, now);
    let comparable = comparable(&differences);
    let missing_in = |other: &SavedResult, one: &SavedResult| -> Vec<String> {
        let names = one.contestants.keys();
        let missing = names.filter(|name| !other.contestants.contains_key(*name));
        missing.cloned().collect()
    };
    BaselineChange {
        changes: changes(before, now, comparable, margin),
        gone: missing_in(now, before),
        new: missing_in(before, now),
        differences,
        comparable,
    }
}

fn differences(before: &SavedResult, now: &SavedResult) -> Vec<Difference> {
    let given = |facts: &[(&str, Option<&String>)]| -> Facts {
        let given = facts
            .iter()
            .filter_map(|(name, value)| Some((name, (*value)?)));
        given
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    };
    let version = |of: &SavedResult| given(&[("version", Some(&of.version))]);
    let reference = |of: &SavedResult| {
        given(&[
            ("reference", of.reference.as_ref()),
            ("request", of.reference_request.as_ref()),
        ])
    };
    [
        (
            DifferenceOf::Machine,
            before.machine.clone(),
            now.machine.clone(),
        ),
        (
            DifferenceOf::Settings,
            before.settings.clone(),
            now.settings.clone(),
        ),
        (DifferenceOf::Version, version(before), version(now)),
        (DifferenceOf::Reference, reference(before), reference(now)),
    ]
    .into_iter()
    .flat_map(|(of, before, now)| {
        let names: std::collections::BTreeSet<_> = before.keys().chain(now.keys()).collect();
        let differ = names
            .into_iter()
            .filter(|name| before.get(*name) != now.get(*name));
        let difference = |name: &String| Difference {
            of,
            name: name.clone(),
            before: before.get(name).cloned(),
            now: now.get(name).cloned(),
        };
        differ.map(difference).collect::<Vec<_>>()
    })
    .collect()
}

fn comparable(differences: &[Difference]) -> Comparable {
    let differ = |of| differences.iter().any(|difference| difference.of == of);
    match (
        differ(DifferenceOf::Machine),
        differ(DifferenceOf::Reference),
    ) {
        _ if differ(DifferenceOf::Settings) => Comparable::Nothing,
        (false, false) => Comparable::RatiosAndFigures,
        (true, false) => Comparable::Ratios,
        (false, true) => Comparable::Figures,
        (true, true) => Comparable::Nothing,
    }
}

fn changes(
    before: &SavedResult,
    now: &SavedResult,
    comparable: Comparable,
    margin: Margin,
) -> Vec<ContestantChange> {
    let common = before.contestants.iter().filter_map(|(name, before)| {
        let now = now.contestants.get(name)?;
        let (compared, before, now) = rounds_to_compare(before, now, comparable)?;
        let open = OpenSides::of_quotient(now.open, before.open);
        let (before, now) = (&*before.rounds, &*now.rounds);
        let (old, new) = (mean_log(before)?, mean_log(now)?);
        let enough = before.len().min(now.len()) >= INTERVAL_ROUNDS_MIN;
        let difference = || Some(log_estimate(now)?.minus(&log_estimate(before)?));
        let estimate = enough.then(difference).flatten();
        let range = range_of_quotients(now, before)?;
        Some((name, compared, (new - old).exp(), range, open, estimate))
    });
    let common: Vec<_> = common.collect();
    let estimates: Vec<Option<Estimate>> = common.iter().map(|(.., e)| *e).collect();
    let confidence = 1.0 - super::answer::ALPHA / common.len().max(1) as f64;
    std::iter::zip(common, claims_of_means(&estimates, margin))
        .map(
            |((name, compared, change, range, open, estimate), claims)| ContestantChange {
                name: name.clone(),
                compared,
                change,
                uncertainty: match estimate {
                    Some(it) => Uncertainty::Confidence(it.interval(confidence).exp()),
                    None => range,
                },
                open,
                claims: open.weaken(claims),
            },
        )
        .collect()
}

/// Ratios where both have them and they are comparable, else figures where they are.
fn rounds_to_compare<'a>(
    before: &'a SavedRounds,
    now: &'a SavedRounds,
    comparable: Comparable,
) -> Option<(Compared, &'a BoundedRounds, &'a BoundedRounds)> {
    let both = |compared, before: &'a BoundedRounds, now: &'a BoundedRounds| {
        let has_rounds = !before.rounds.is_empty() && !now.rounds.is_empty();
        has_rounds.then_some((compared, before, now))
    };
    let ratios = || both(Compared::Ratio, &before.ratios, &now.ratios);
    let figures = || both(Compared::Figure, &before.figures, &now.figures);
    match comparable {
        Comparable::RatiosAndFigures => ratios().or_else(figures),
        Comparable::Ratios => ratios(),
        Comparable::Figures => figures(),
        Comparable::Nothing => None,
    }
}

/// From the smallest quotient of a value of each to the largest; unknown with one value of each.
fn range_of_quotients(numerators: &[f64], denominators: &[f64]) -> Option<Uncertainty> {
    let (over, under) = (Summary::of(numerators)?, Summary::of(denominators)?);
    Some(match (numerators.len(), denominators.len()) {
        (1, 1) => Uncertainty::Unknown,
        _ => Uncertainty::Range(Interval {
            low: over.min / under.max,
            high: over.max / under.min,
        }),
    })
}

/// `None` if a value is not a positive number.
fn logs(values: &[f64]) -> Option<Vec<f64>> {
    let log = |value: &f64| (*value > 0.0 && value.is_finite()).then(|| value.ln());
    values.iter().map(log).collect()
}

fn mean_log(values: &[f64]) -> Option<f64> {
    Some(logs(values)?.iter().sum::<f64>() / values.len() as f64)
}

fn log_estimate(values: &[f64]) -> Option<Estimate> {
    Estimate::of_mean(&logs(values)?)
}
