//! The charts of a comparison: ratios, percentiles over rounds, latency over time.

use super::{is_reference, words};
use crate::compare::report::{
    Bounds, ComparisonReport, ContestantResult, ContestantStatus, LoadLimit, RatioToReference,
};
use crate::compare::statistics::{
    INTERVAL_ROUNDS_MIN, OpenInterval, PercentileOverRounds, PercentileUncertainty, RoundLatency,
};
use crate::compare::sweep::{SweepResult, SweepVariable as Varied};
use crate::compare::{ComparisonOutcome, ContestantRuns};
use crate::load::page::{curve_shares, pauses, round_over_time};
use crate::load::statistics::censoring::Percentile;
use crate::load::statistics::run_percentiles::RunPercentiles;
use crate::page::{
    At, Curve, CurvePoint, Estimate, Figure, Forest, ForestRow, PercentileRow, Percentiles,
    RatioLimit, Search, Sweep, SweepPercentile, SweepPoint, SweepVariable, Text, Timeline,
    TimelineRound, Walk,
};

const NS_PER_MS: f64 = 1e6;
const INTERVAL: &str = "95 % interval";
const RANGE: &str = "range of the rounds";

/// Columns of the percentiles' table: key in the JSON of the contestant and of its runs, head.
const COLUMNS: [(&str, &str, &str); 3] = [
    ("p50", "p50Ms", "p50"),
    ("p99", "p99Ms", "p99"),
    ("max", "maxMs", "max"),
];

/// Without a ratio there is nothing to draw.
pub(super) fn forest(report: &ComparisonReport, root: &At) -> Option<Forest> {
    let results = &report.contestants;
    let bar = bar_of_forest(results)?;
    let contestants = root.key("contestants");
    let answers = root.key("summary").key("answers");
    let row = |(contestant, result): (usize, &ContestantResult)| {
        let at = contestants.index(contestant);
        let ratio = at.key("ratio");
        let own = result.ratio.as_ref();
        ForestRow {
            name: words(&at.key("name")),
            contestant,
            requests_per_second: at.key("requestsPerSecond").key("mean").figure(),
            ratio: ratio.estimate("mean", "low", "high"),
            bar: own.map_or(bar, bar_of).to_owned(),
            limit: own.map_or(RatioLimit::None, limit_of),
            round_ratios: ratio.key("rounds").figures(),
            finding: words(&answers.index(contestant)),
        }
    };
    let reference = results.iter().find(|result| is_reference(report, result));
    Some(Forest {
        quantity: "requests per second".to_owned(),
        reference: reference.map_or_else(String::new, |result| result.name.clone()),
        bar: bar.to_owned(),
        same_within: root.key("settings").key("sameWithin").figure(),
        rows: results.iter().enumerate().map(row).collect(),
    })
}

/// The name of most bars: a contestant that failed has fewer rounds than the others.
fn bar_of_forest(results: &[ContestantResult]) -> Option<&'static str> {
    let ran = results
        .iter()
        .filter(|result| result.status == ContestantStatus::Ran);
    let first = ran.chain(results).find_map(|result| result.ratio.as_ref());
    first.map(bar_of)
}

fn bar_of(ratio: &RatioToReference) -> &'static str {
    match ratio.bounds {
        Bounds::Interval => INTERVAL,
        Bounds::Range | Bounds::Unknown => RANGE,
    }
}

fn limit_of(ratio: &RatioToReference) -> RatioLimit {
    match ratio.limit {
        LoadLimit::None => RatioLimit::None,
        LoadLimit::AtLeast => RatioLimit::AtLeast,
        LoadLimit::AtMost => RatioLimit::AtMost,
        LoadLimit::Unknown => RatioLimit::Client,
        LoadLimit::Rate => RatioLimit::KeptUp,
    }
}

/// Curves of the medians of rounds, each with its interval over rounds.
pub(super) fn percentiles(
    report: &ComparisonReport,
    outcome: &ComparisonOutcome,
    contestants: &[At],
) -> Option<Percentiles> {
    let records = outcome.records.iter().enumerate();
    let curves: Vec<Curve> = records
        .map(|(contestant, record)| curve(contestant, record))
        .filter(|curve| !curve.points.is_empty())
        .collect();
    let rows: Vec<PercentileRow> = contestants
        .iter()
        .enumerate()
        .filter(|(_, at)| at.key("latencyMs").key("max").figure().is_some())
        .map(row)
        .collect();
    let band = match report.rounds_done >= INTERVAL_ROUNDS_MIN {
        true => INTERVAL,
        false => RANGE,
    };
    (!rows.is_empty()).then(|| Percentiles {
        curves,
        band: band.to_owned(),
        columns: COLUMNS.map(|(.., head)| head.to_owned()).to_vec(),
        rows,
    })
}

fn curve(contestant: usize, record: &ContestantRuns) -> Curve {
    let runs = record.runs.iter().flatten();
    let runs: Vec<RunPercentiles> = runs
        .map(|run| RunPercentiles::of(&run.course.timeline.intervals))
        .collect();
    Curve {
        name: record.contestant.name().to_owned(),
        contestant,
        points: curve_shares()
            .skip(1)
            .map_while(|share| point(share, &runs))
            .collect(),
    }
}

/// `None` where the samples of a round end.
fn point(share: f64, runs: &[RunPercentiles]) -> Option<CurvePoint> {
    let ms = |ns: u64| ns as f64 / NS_PER_MS;
    let of_round = |run: &RunPercentiles| {
        Some(match run.at(share)? {
            Percentile::Exactly(ns) => RoundLatency::Exactly(ms(ns)),
            Percentile::AtLeast(ns) => RoundLatency::AtLeast(ms(ns)),
        })
    };
    let rounds: Vec<RoundLatency> = runs.iter().map(of_round).collect::<Option<_>>()?;
    let over_rounds = PercentileOverRounds::of_rounds(&rounds)?;
    let (ms, at_least) = match over_rounds.median {
        RoundLatency::Exactly(ms) => (ms, false),
        RoundLatency::AtLeast(ms) => (ms, true),
    };
    let interval: Option<OpenInterval> = match over_rounds.uncertainty {
        PercentileUncertainty::Unknown => None,
        PercentileUncertainty::Range(interval) | PercentileUncertainty::Confidence(interval) => {
            Some(interval)
        }
    };
    Some(CurvePoint {
        share,
        ms,
        low_ms: interval.map(|interval| interval.low),
        high_ms: interval.and_then(|interval| interval.high),
        at_least,
    })
}

/// Medians of rounds, with the least and the greatest round.
fn row((contestant, at): (usize, &At)) -> PercentileRow {
    let runs: Vec<At> = at.key("runs").elements().collect();
    let cell = |(key, of_run, _): &(&str, &str, &str)| {
        let mut rounds: Vec<Figure> = runs
            .iter()
            .filter_map(|run| run.key(of_run).figure())
            .collect();
        rounds.sort_by(|a, b| a.value().total_cmp(&b.value()));
        Some(Estimate {
            value: at.key("latencyMs").key(key).figure()?,
            low: rounds.first().cloned(),
            high: rounds.last().cloned(),
        })
    };
    let bounds_from = at.key("latencyMs").key("lowerBoundsFrom").text();
    let bounds_from = bounds_from.as_ref().map(Text::words);
    PercentileRow {
        name: words(&at.key("name")),
        contestant,
        cells: COLUMNS.iter().map(cell).collect(),
        at_least_from: bounds_from
            .and_then(|from| COLUMNS.iter().position(|(key, ..)| *key == from)),
    }
}

/// The rounds of each contestant side by side.
pub(super) fn timelines(outcome: &ComparisonOutcome, contestants: &[At]) -> Vec<Timeline> {
    let timeline = |(contestant, record): (usize, &ContestantRuns)| {
        let at = contestants.get(contestant)?.key("runs");
        let runs = record.runs.iter().flatten().zip(at.elements());
        let rounds: Vec<TimelineRound> = runs
            .map(|(run, at)| round_over_time(&run.course.timeline, pauses(&at, run.p50_ms)))
            .collect();
        Some(Timeline {
            name: Some(record.contestant.name().to_owned()),
            contestant,
            rounds,
        })
        .filter(|timeline| !timeline.rounds.is_empty())
    };
    outcome
        .records
        .iter()
        .enumerate()
        .filter_map(timeline)
        .collect()
}

/// A walk up and down for each contestant and variable.
pub(super) fn sweeps(report: &ComparisonReport, root: &At) -> Vec<Sweep> {
    let sweep = |(index, result): (usize, &SweepResult)| {
        let at = root.key("sweeps").index(index);
        let mut names = report.contestants.iter();
        let points = at.key("points");
        let points: Vec<SweepPoint> = points
            .elements()
            .filter_map(|at| sweep_point(&at))
            .collect();
        Some(Sweep {
            name: Some(result.name.clone()),
            contestant: names
                .position(|other| other.name == result.name)
                .unwrap_or(0),
            variable: match result.variable {
                Varied::Connections => SweepVariable::Connections,
                Varied::Pipelining => SweepVariable::Pipelining,
                Varied::Rate => SweepVariable::OfferedPerSecond,
            },
            points,
            bars: bars_of_walks(result.walks).to_owned(),
            knee_bounds: match result.throughput_knee {
                Some(knee) if knee.walks >= INTERVAL_ROUNDS_MIN => INTERVAL,
                _ => "range of the walks",
            }
            .to_owned(),
            knee: at.key("throughputKnee").estimate("load", "low", "high"),
        })
        .filter(|sweep| !sweep.points.is_empty())
    };
    report.sweeps.iter().enumerate().filter_map(sweep).collect()
}

/// The bars of a sweep by its number of walks, of which every second one went down.
fn bars_of_walks(walks: usize) -> &'static str {
    let is_interval = |walks: usize| walks >= INTERVAL_ROUNDS_MIN;
    match (walks.div_ceil(2), walks / 2) {
        (up, down) if is_interval(up) && is_interval(down) => "95 % intervals",
        (up, 0..=1) if up <= 1 => "none, with one walk each way",
        (up, _) if is_interval(up) => "95 % intervals upwards, ranges of the walks downwards",
        _ => "ranges of the walks",
    }
}

/// A row for each contestant whose highest rate was searched for.
pub(super) fn searches(contestants: &[At]) -> Vec<Search> {
    let search = |(contestant, at): (usize, &At)| {
        let found = at.key("findRate");
        let (rate, reason) = (found.key("rate").figure(), found.key("reason").text());
        (rate.is_some() || reason.is_some()).then(|| Search {
            name: words(&at.key("name")),
            contestant,
            objective: found.key("objective").text(),
            rate,
            bound_ms: found.key("boundMs").figure(),
            within: found.key("bracket").index(0).figure(),
            beyond: found.key("bracket").index(1).figure(),
            limit: found.key("limit").text(),
            reason,
            trials: Vec::new(),
        })
    };
    contestants.iter().enumerate().filter_map(search).collect()
}

fn sweep_point(at: &At) -> Option<SweepPoint> {
    let figure = |key: &str| at.key(key).estimate("mean", "low", "high");
    let bounds_from = at.key("lowerBoundsFrom").text();
    Some(SweepPoint {
        walk: match at.key("walk").text()?.words() {
            "up" => Walk::Up,
            _ => Walk::Down,
        },
        load: at.key("load").figure()?,
        achieved_per_second: figure("requestsPerSecond"),
        p50_ms: figure("p50Ms"),
        p99_ms: figure("p99Ms"),
        at_least_from: bounds_from.as_ref().and_then(|from| match from.words() {
            "p50" => Some(SweepPercentile::P50),
            "p99" => Some(SweepPercentile::P99),
            _ => None,
        }),
        errors: at.key("errors").figure(),
    })
}
