//! Ratios to the reference, each with its bounds, its answer, and the rounds that would decide it.

use serde::{Deserialize, Serialize};

use crate::compare::outcome::slots_apart;
use crate::compare::statistics::{
    ALPHA_WORKING, Answer, Direction, Interval, Judgement, Margin, OpenSides, PairedRatio,
    PairedRound, Uncertainty, Variances, judge, judge_at,
};
use crate::compare::{ContestantRuns, RunFigures, Settings, auto_rounds};

/// A contestant's replies per second, to the reference's.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RatioToReference {
    /// Geometric mean of the rounds' ratios, free from linear drift.
    pub mean: f64,
    /// Median of the rounds' ratios.
    pub median: f64,
    /// Lower bound; `null` with a single round.
    pub low: Option<f64>,
    /// Upper bound, likewise.
    pub high: Option<f64>,
    /// The meaning of the two bounds.
    pub bounds: Bounds,
    /// The finding of the rounds.
    pub finding: Finding,
    /// True if the difference is shown to be less than the margin, be there one or not.
    pub within_margin: bool,
    /// The difference below which two servers count as the same: 0.02 is 2 %.
    pub margin: f64,
    /// About this many more rounds would decide; `null` if it is decided, or if rounds cannot.
    pub rounds_needed: Option<usize>,
    /// The bound on the true ratio if the load was the limit, and not the servers.
    pub limit: LoadLimit,
    /// The ratio of each round in which both ran, in their order.
    pub rounds: Vec<f64>,
    /// The sources of their spread; `null` with too few rounds, or runs that are too short.
    pub noise: Option<Noise>,
}

/// The two sources of noise of a round's ratio, as standard deviations: 0.01 is 1 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Noise {
    /// From start to start of the processes: only more rounds help.
    pub between_restarts: f64,
    /// From second to second: longer runs help too.
    pub within_runs: f64,
}

impl From<Variances> for Noise {
    fn from(variances: Variances) -> Noise {
        let (between_restarts, within_runs) = variances.shares();
        Noise {
            between_restarts,
            within_runs,
        }
    }
}

/// The meaning of the two bounds of a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Bounds {
    /// A single round: there are none.
    Unknown,
    /// The smallest and the largest of too few rounds.
    Range,
    /// The true ratio lies within, with 95 % confidence for all contestants together.
    Interval,
}

impl Bounds {
    /// The meaning of `uncertainty`, with the two bounds if it has them.
    pub(super) fn of(uncertainty: Uncertainty) -> (Bounds, Option<Interval>) {
        match uncertainty {
            Uncertainty::Unknown => (Bounds::Unknown, None),
            Uncertainty::Range(range) => (Bounds::Range, Some(range)),
            Uncertainty::Confidence(interval) => (Bounds::Interval, Some(interval)),
        }
    }
}

/// Finding of the rounds about a contestant and the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Finding {
    /// The 95 % interval of the ratio excludes 1.
    Different,
    /// The 90 % interval of the ratio lies within the margin.
    Same,
    /// Neither.
    Undecided,
}

/// Bound on the true ratio by the measured one. A server that was limited by the load generator,
/// or kept up with the rate that was given, may be faster than measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LoadLimit {
    /// The load limited neither server.
    None,
    /// It limited the contestant: the true ratio is at least this.
    AtLeast,
    /// It limited the reference: the true ratio is at most this.
    AtMost,
    /// It limited both: the true ratio is unknown.
    Unknown,
    /// Both kept up with the rate that was given: the true ratio is unknown.
    Rate,
}

/// The ratio of each of `records` to the one at `reference`, in their order; `None` for the
/// reference itself, for one that answered wrongly, and without a common round.
pub(super) fn ratios(
    records: &[ContestantRuns],
    reference: usize,
    settings: &Settings,
) -> Vec<Option<RatioToReference>> {
    let margin = settings.same_within;
    let rule = auto_rounds::replayed(records, reference, settings);
    let paired: Vec<Option<PairedRatio>> = (0..records.len())
        .map(|index| {
            let is_judged = index != reference && records[index].wrong_replies().is_none();
            let ratio =
                is_judged.then(|| paired_ratio(records, index, reference, settings.seed))??;
            Some(match settings.precision {
                // Rounds of different lengths are weighted, unless one of the two has failed.
                Some(_) => PairedRatio {
                    log_mean: rule.estimate(index).or(ratio.log_mean),
                    ..ratio
                },
                None => ratio,
            })
        })
        .collect();
    let known: Vec<PairedRatio> = paired.iter().flatten().cloned().collect();
    let judged = match settings.precision {
        Some(_) => judge_at(&known, margin, ALPHA_WORKING),
        None => judge(&known, margin),
    };
    let mut judgements = judged.into_iter();
    std::iter::zip(records, paired)
        .enumerate()
        .map(|(index, (record, paired))| {
            let (paired, judgement) = (paired?, judgements.next()?);
            let limit = LoadLimit::of_pairs(&pairs(record, &records[reference]));
            Some(RatioToReference {
                noise: rule.variances(index).map(Noise::from),
                ..RatioToReference::new(&paired, &judgement, limit, margin)
            })
        })
        .collect()
}

/// The rounds in which both ran.
fn pairs<'a>(
    record: &'a ContestantRuns,
    reference: &'a ContestantRuns,
) -> Vec<(&'a RunFigures, &'a RunFigures)> {
    std::iter::zip(&record.runs, &reference.runs)
        .filter_map(|(ours, theirs)| Some((ours.as_ref()?, theirs.as_ref()?)))
        .collect()
}

fn paired_ratio(
    records: &[ContestantRuns],
    index: usize,
    reference: usize,
    seed: u32,
) -> Option<PairedRatio> {
    let round = |round: usize| {
        let ours = records[index].runs[round].as_ref()?;
        let theirs = records[reference].runs[round].as_ref()?;
        if let Some(duet) = ours.duet {
            return Some(duet.round());
        }
        Some(PairedRound {
            contestant: ours.requests_per_second(),
            reference: theirs.requests_per_second(),
            slots_apart: slots_apart(records, round, index, reference, seed),
        })
    };
    let rounds: Vec<_> = (0..records[index].runs.len()).filter_map(round).collect();
    PairedRatio::of_rounds(&rounds)
}

impl RatioToReference {
    fn new(
        ratio: &PairedRatio,
        judgement: &Judgement,
        limit: LoadLimit,
        margin: Margin,
    ) -> RatioToReference {
        let (bounds, interval) = Bounds::of(judgement.uncertainty);
        let answer = limit.weaken(judgement.answer);
        let (finding, within_margin, rounds_needed) = match answer {
            Answer::Different(_) => (Finding::Different, false, None),
            Answer::DifferentWithinMargin(_) => (Finding::Different, true, None),
            Answer::Same => (Finding::Same, true, None),
            Answer::Undecided { more_rounds } => (Finding::Undecided, false, more_rounds),
        };
        RatioToReference {
            mean: ratio.mean(),
            median: ratio.summary.median,
            low: interval.map(|Interval { low, .. }| low),
            high: interval.map(|Interval { high, .. }| high),
            bounds,
            finding,
            within_margin,
            margin: margin.share(),
            rounds_needed: rounds_needed.map(usize::from),
            limit,
            rounds: ratio.rounds.clone(),
            noise: None,
        }
    }
}

impl From<OpenSides> for LoadLimit {
    fn from(open: OpenSides) -> LoadLimit {
        match (open.low, open.high) {
            (false, false) => LoadLimit::None,
            (false, true) => LoadLimit::AtLeast,
            (true, false) => LoadLimit::AtMost,
            (true, true) => LoadLimit::Unknown,
        }
    }
}

impl LoadLimit {
    /// The sides on which the true ratio may lie beyond the measured one.
    pub(in crate::compare) fn open_sides(self) -> OpenSides {
        let (low, high) = match self {
            LoadLimit::None => (false, false),
            LoadLimit::AtLeast => (false, true),
            LoadLimit::AtMost => (true, false),
            LoadLimit::Unknown | LoadLimit::Rate => (true, true),
        };
        OpenSides { low, high }
    }

    /// A reference that was busy itself was measured at its own limit, although the load generator
    /// was busy too; a contestant may still be faster than it could be loaded.
    fn of_pairs(pairs: &[(&RunFigures, &RunFigures)]) -> LoadLimit {
        let kept_up = |run: &RunFigures| run.has_kept_up() == Some(true);
        let our_rate = pairs.iter().any(|(ours, _)| kept_up(ours));
        let their_rate = pairs.iter().any(|(_, theirs)| kept_up(theirs));
        let ours = pairs.iter().any(|(ours, _)| ours.is_client_limited());
        let theirs = pairs
            .iter()
            .any(|(_, theirs)| theirs.is_client_limited_alone());
        match (ours || our_rate, theirs || their_rate) {
            _ if our_rate && their_rate => LoadLimit::Rate,
            (false, false) => LoadLimit::None,
            (true, false) => LoadLimit::AtLeast,
            (false, true) => LoadLimit::AtMost,
            (true, true) => LoadLimit::Unknown,
        }
    }

    /// The part of `answer` that is left: a ratio of which one side is open can be different to
    /// the other side only, and never the same. More rounds would not help.
    fn weaken(self, answer: Answer) -> Answer {
        use Answer::{Different, DifferentWithinMargin};
        match (self, answer) {
            (LoadLimit::None, answer) => answer,
            (
                LoadLimit::AtLeast,
                Different(Direction::More) | DifferentWithinMargin(Direction::More),
            ) => Different(Direction::More),
            (
                LoadLimit::AtMost,
                Different(Direction::Less) | DifferentWithinMargin(Direction::Less),
            ) => Different(Direction::Less),
            _ => Answer::Undecided { more_rounds: None },
        }
    }
}
