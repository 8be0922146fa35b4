//! Sweeps: the same servers under a load that rises, and then falls.
//!
//! A walk measures all loads on one server process, so that hysteresis can show: a server may
//! behave differently after a high load. Walks alternate in direction, and the contestants take
//! turns within each pair of walks, as in rounds.

mod lines;
mod own_knee;

use std::num::NonZeroUsize;

use serde::Serialize;

use super::statistics::{GeometricMean, Knee, Shape, Walk, knees_of_walks};
use super::{
    Bench, ComparisonPlan, Contestant, Failure, Limit, RunConditions, RunFigures, Settings,
    Stopped, schedule,
};
use crate::event_loop::StopSignal;
use crate::format::shortest;
use crate::load;

/// A variable and the loads that it takes, rising.
#[derive(Clone, Debug, PartialEq)]
pub enum SweepPlan {
    /// Connections kept open at once.
    Connections(Vec<NonZeroUsize>),
    /// Requests in flight on each connection.
    Pipelining(Vec<NonZeroUsize>),
    /// Requests due per second; positive.
    Rate(Vec<f64>),
}

/// The variable of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SweepVariable {
    /// Connections kept open at once.
    Connections,
    /// Requests in flight on each connection.
    Pipelining,
    /// Requests due per second.
    Rate,
}

impl SweepPlan {
    /// The setting that is varied.
    pub fn variable(&self) -> SweepVariable {
        match self {
            SweepPlan::Connections(_) => SweepVariable::Connections,
            SweepPlan::Pipelining(_) => SweepVariable::Pipelining,
            SweepPlan::Rate(_) => SweepVariable::Rate,
        }
    }

    /// The number of its loads.
    pub fn loads(&self) -> usize {
        match self {
            SweepPlan::Connections(loads) | SweepPlan::Pipelining(loads) => loads.len(),
            SweepPlan::Rate(loads) => loads.len(),
        }
    }

    /// The failure of a server that completed no reply at one of `loads`, a run at each.
    fn silent_load(&self, loads: &[f64], runs: &[RunFigures]) -> Option<Failure> {
        let mut points = std::iter::zip(loads, runs);
        let (load, run) = points.find(|(_, run)| run.completed == 0)?;
        Some(Failure::NoReplyAt {
            load: format!("{} {}", shortest(*load), self.variable().words()),
            errors: run.errors,
        })
    }

    /// Each load with the settings for it, rising.
    fn steps(&self, settings: &Settings) -> Vec<(f64, Settings)> {
        let with = |load: f64, change: &dyn Fn(&mut Settings)| {
            let mut settings = settings.clone();
            change(&mut settings);
            (load, settings)
        };
        let counts = |counts: &[NonZeroUsize], set: &dyn Fn(&mut Settings, NonZeroUsize)| {
            let step = |count: &NonZeroUsize| with(count.get() as f64, &|it| set(it, *count));
            counts.iter().map(step).collect()
        };
        match self {
            SweepPlan::Connections(loads) => counts(loads, &|it, count| it.connections = count),
            SweepPlan::Pipelining(loads) => counts(loads, &|it, count| it.pipelining = count),
            SweepPlan::Rate(loads) => {
                let step = |&rate: &f64| with(rate, &|it| it.rate = Some(rate));
                loads.iter().map(step).collect()
            }
        }
    }
}

/// One contestant's walks.
#[derive(Clone, Debug)]
struct ContestantWalks {
    contestant: Contestant,
    /// Each with one run for each load, rising.
    walks: Vec<(Walk, Vec<RunFigures>)>,
    failure: Option<Failure>,
}

impl ContestantWalks {
    /// Adds a walk over `loads`. It is the last one if there was no reply at one of them.
    fn add(&mut self, walk: (Walk, Vec<RunFigures>), sweep: &SweepPlan, loads: &[f64]) {
        self.failure = sweep.silent_load(loads, &walk.1);
        self.walks.push(walk);
    }
}

/// Observer of a sweep under way.
pub trait WalkObserver {
    /// A walk starts.
    fn started(&mut self, contestant: &Contestant, round: usize);

    /// It is under load.
    fn progress(&mut self, progress: load::Progress);

    /// A walk has ended, or failed.
    fn ended(&mut self, so_far: Vec<SweepResult>);
}

/// Runs `sweep` with each contestant of `plan` on `bench`, one walk in each of these rounds, or as
/// many as there is time for until `signal`.
pub fn run(
    sweep: &SweepPlan,
    plan: &ComparisonPlan,
    rounds: usize,
    bench: &mut dyn Bench,
    signal: &StopSignal,
    observer: &mut dyn WalkObserver,
) -> Vec<SweepResult> {
    let settings = plan.settings();
    let contestants = plan.contestants().iter();
    let mut records: Vec<ContestantWalks> = contestants
        .map(|contestant| ContestantWalks {
            contestant: contestant.clone(),
            walks: Vec::new(),
            failure: None,
        })
        .collect();
    let steps = sweep.steps(settings);
    let loads: Vec<f64> = steps.iter().map(|(load, _)| *load).collect();
    let result = |records: &[ContestantWalks]| -> Vec<SweepResult> {
        let results = records.iter();
        results
            .map(|record| SweepResult::new(sweep, &loads, record))
            .collect()
    };
    for round in 0..rounds {
        for index in schedule::order(records.len(), round, settings.seed) {
            let record = &mut records[index];
            if record.failure.is_some() {
                continue;
            }
            if signal.times_raised() > 0 {
                return result(&records);
            }
            observer.started(&record.contestant, round);
            let conditions = RunConditions {
                window: settings.duration,
                padding_bytes: schedule::padding_bytes(index, round, settings.seed),
            };
            let mut on_progress = |progress| observer.progress(progress);
            let walk = walk(
                round,
                &record.contestant,
                conditions,
                &steps,
                bench,
                signal,
                &mut on_progress,
            );
            match walk {
                Ok(walk) => record.add(walk, sweep, &loads),
                Err(Stopped::Failed(failure)) => record.failure = Some(failure),
                Err(Stopped::Interrupted) => return result(&records),
            }
            observer.ended(result(&records));
        }
    }
    result(&records)
}

/// Up in even rounds, down in odd ones; the runs are in the order of rising loads.
fn walk(
    round: usize,
    contestant: &Contestant,
    conditions: RunConditions,
    steps: &[(f64, Settings)],
    bench: &mut dyn Bench,
    signal: &StopSignal,
    on_progress: &mut dyn FnMut(load::Progress),
) -> Result<(Walk, Vec<RunFigures>), Stopped> {
    let mut settings: Vec<Settings> = steps.iter().map(|(_, settings)| settings.clone()).collect();
    let direction = match round % 2 {
        0 => Walk::Up,
        _ => Walk::Down,
    };
    if direction == Walk::Down {
        settings.reverse();
    }
    let mut runs = bench.run_walk(contestant, conditions, &settings, signal, on_progress)?;
    if direction == Walk::Down {
        runs.reverse();
    }
    Ok((direction, runs))
}

/// One contestant under one sweep.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepResult {
    /// The contestant's name.
    pub name: String,
    /// The setting that was varied.
    pub variable: SweepVariable,
    /// Walks that came to their end.
    pub walks: usize,
    /// Reason why there are no more; `null` if it did not fail.
    pub reason: Option<String>,
    /// For each load, up and then down.
    pub points: Vec<SweepPoint>,
    /// The load from which throughput no longer rises.
    pub throughput_knee: Option<SweepKnee>,
    /// The load from which the 99th percentile of the latency rises. Percentiles that are only lower
    /// bounds are left out.
    pub latency_knee: Option<SweepKnee>,
}

/// All walks of one direction at one load.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepPoint {
    /// In the unit of the variable.
    pub load: f64,
    /// `up` or `down`.
    pub walk: &'static str,
    /// Replies per second; `null` if a walk had no reply.
    pub requests_per_second: Option<SweepFigure>,
    /// Median latency, milliseconds.
    pub p50_ms: Option<SweepFigure>,
    /// 99th percentile of the latency, milliseconds.
    pub p99_ms: Option<SweepFigure>,
    /// The first of the two percentiles that is only a lower bound, because requests had no reply
    /// in one of the walks.
    pub lower_bounds_from: Option<&'static str>,
    /// Errors of all walks.
    pub errors: u64,
    /// Everything that was at its limit in one of the walks.
    pub limits: Vec<Limit>,
}

/// A figure over walks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SweepFigure {
    /// The geometric mean.
    pub mean: f64,
    /// Lower end of the 95 % interval, or of the range below six walks; `null` with one walk, and
    /// for a lower bound.
    pub low: Option<f64>,
    /// Upper end, likewise.
    pub high: Option<f64>,
}

/// See [`Knee`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepKnee {
    /// In the unit of the variable.
    pub load: f64,
    /// Lower end of the 95 % interval, or of the range below six walks; `null` with one walk.
    pub low: Option<f64>,
    /// Upper end, likewise.
    pub high: Option<f64>,
    /// Walks that had a knee.
    pub walks: usize,
    /// True if the interval of 'up divided by down' excludes 1; `null` with fewer than six walks
    /// of each direction.
    pub hysteresis: Option<bool>,
}

impl SweepResult {
    fn new(sweep: &SweepPlan, loads: &[f64], record: &ContestantWalks) -> SweepResult {
        let mut points = Vec::new();
        for (direction, word) in [(Walk::Up, "up"), (Walk::Down, "down")] {
            let walks = record.walks.iter().filter(|(walk, _)| *walk == direction);
            let walks: Vec<&Vec<RunFigures>> = walks.map(|(_, runs)| runs).collect();
            if walks.is_empty() {
                continue;
            }
            points.extend(loads.iter().enumerate().map(|(step, &load)| {
                let runs: Vec<&RunFigures> = walks.iter().map(|runs| &runs[step]).collect();
                SweepPoint::new(load, word, &runs)
            }));
        }
        let knee = |shape, figure: &dyn Fn(&RunFigures) -> Option<f64>| {
            let points_of = |(_, runs): &(Walk, Vec<RunFigures>)| {
                let points = std::iter::zip(loads, runs);
                let known = points.filter_map(|(load, run)| Some((*load, figure(run)?)));
                known.collect()
            };
            let points: Vec<Vec<(f64, f64)>> = record.walks.iter().map(points_of).collect();
            let directions = record.walks.iter().map(|(walk, _)| *walk);
            let knees = std::iter::zip(directions, knees_of_walks(&points, shape));
            Knee::over_walks(&knees.collect::<Vec<_>>()).map(SweepKnee::from)
        };
        SweepResult {
            name: record.contestant.name().to_owned(),
            variable: sweep.variable(),
            walks: record.walks.len(),
            reason: record.reason(),
            points,
            throughput_knee: knee(Shape::RiseThenFlat, &|run| Some(run.requests_per_second())),
            latency_knee: knee(Shape::FlatThenRise, &|run| {
                run.p99_ms.filter(|_| !run.is_lower_bound(99.0))
            }),
        }
        .with_own_knees_only()
    }
}

impl SweepPoint {
    fn new(load: f64, walk: &'static str, runs: &[&RunFigures]) -> SweepPoint {
        let figure = |of: &dyn Fn(&RunFigures) -> Option<f64>| {
            let values: Vec<f64> = runs.iter().filter_map(|run| of(run)).collect();
            GeometricMean::of(&values).map(SweepFigure::from)
        };
        let is_bound = |percent| runs.iter().any(|run| run.is_lower_bound(percent));
        // What is unknown above some walks has no bounds.
        let percentile = |percent, of: &dyn Fn(&RunFigures) -> Option<f64>| {
            figure(of).map(|figure| match is_bound(percent) {
                true => SweepFigure::without_bounds(figure.mean),
                false => figure,
            })
        };
        SweepPoint {
            load,
            walk,
            requests_per_second: figure(&|run| Some(run.requests_per_second())),
            p50_ms: percentile(50.0, &|run| run.p50_ms),
            p99_ms: percentile(99.0, &|run| run.p99_ms),
            lower_bounds_from: match (is_bound(50.0), is_bound(99.0)) {
                (true, _) => Some("p50"),
                (false, true) => Some("p99"),
                (false, false) => None,
            },
            errors: runs.iter().map(|run| run.errors).sum(),
            limits: own_knee::limits_of(runs),
        }
    }
}

impl SweepFigure {
    fn without_bounds(mean: f64) -> SweepFigure {
        SweepFigure {
            mean,
            low: None,
            high: None,
        }
    }
}

impl From<GeometricMean> for SweepFigure {
    fn from(mean: GeometricMean) -> SweepFigure {
        let bounds = mean.bounds();
        SweepFigure {
            mean: mean.mean,
            low: bounds.map(|bounds| bounds.low),
            high: bounds.map(|bounds| bounds.high),
        }
    }
}
