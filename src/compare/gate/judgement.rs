//! The judgement of a gate: it compares the limit with the bounds of the figure.

use super::{Gate, GateFigure, GateOutcome, GateResult};
use crate::compare::report::{
    BaselineReport, ComparisonReport, ContestantResult, LatencyInterval, LoadLimit,
};
use crate::compare::statistics::GeometricMean;
use crate::load::objective::Answer;

/// A figure with its bounds; an open side is `None`.
#[derive(Clone, Copy)]
struct Bounded {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
}

impl Bounded {
    fn exact(value: f64) -> Bounded {
        Bounded::within(value, None)
    }

    /// Without an interval, as if it were exact.
    fn within(value: f64, interval: Option<(f64, f64)>) -> Bounded {
        let (low, high) = interval.unwrap_or((value, value));
        Bounded {
            value,
            low: Some(low),
            high: Some(high),
        }
    }

    /// A side beyond which the load was the limit is open.
    fn opened(self, limit: LoadLimit) -> Bounded {
        let open = limit.open_sides();
        Bounded {
            low: self.low.filter(|_| !open.low),
            high: self.high.filter(|_| !open.high),
            ..self
        }
    }

    fn of_rounds(rounds: &[f64]) -> Option<Bounded> {
        let mean = GeometricMean::of(rounds)?;
        let bounds = mean.bounds().map(|bounds| (bounds.low, bounds.high));
        Some(Bounded::within(mean.mean, bounds))
    }
}

impl Gate {
    /// Holds the gate against what the comparison found.
    pub fn judge(&self, report: &ComparisonReport) -> GateResult {
        let contestant = report.contestants.iter().find(|c| c.name == self.name);
        let baseline = report.baseline.as_ref();
        let bounded = contestant.and_then(|contestant| match self.figure {
            GateFigure::Change => change(baseline?, &self.name),
            figure => bounded(contestant, figure),
        });
        let limit = self.limit;
        let answer = bounded.map(|it| self.comparison.judge(limit, it.low, it.high));
        GateResult {
            gate: self.text.clone(),
            result: match answer {
                Some(Answer::Holds) => GateOutcome::Tripped,
                Some(Answer::Fails) => GateOutcome::Passed,
                Some(Answer::Undecided) => GateOutcome::Undecided,
                None => GateOutcome::NoFigure,
            },
            name: self.name.clone(),
            figure: self.figure,
            value: bounded.map(|it| it.value),
            low: bounded.and_then(|it| it.low),
            high: bounded.and_then(|it| it.high),
        }
    }
}

fn bounded(result: &ContestantResult, figure: GateFigure) -> Option<Bounded> {
    let has_run = result.requests_per_second.as_ref();
    match figure {
        GateFigure::Ratio => ratio(result),
        GateFigure::Change => None,
        GateFigure::Rate => Bounded::of_rounds(&has_run?.rounds),
        GateFigure::P50 => {
            let latency = result.latency_ms?;
            let is_bound = latency.lower_bounds_from == Some("p50");
            percentile(latency.p50?, latency.p50_interval, is_bound)
        }
        GateFigure::P99 => {
            let latency = result.latency_ms?;
            let is_bound = latency.lower_bounds_from.is_some();
            percentile(latency.p99?, latency.p99_interval, is_bound)
        }
        GateFigure::Cpu => Bounded::of_rounds(&result.cpu_micros_per_request.as_ref()?.rounds),
        GateFigure::Memory => result
            .peak_memory_bytes
            .map(|size| Bounded::exact(size as f64)),
        GateFigure::Errors => has_run.map(|_| Bounded::exact(result.errors as f64)),
    }
}

/// With a single round, a percentile that is only a lower bound, because requests had no reply, is
/// open above.
fn percentile(ms: f64, interval: Option<LatencyInterval>, is_lower_bound: bool) -> Option<Bounded> {
    let single = LatencyInterval {
        low: ms,
        high: Some(ms).filter(|_| !is_lower_bound),
    };
    let LatencyInterval { low, high } = interval.unwrap_or(single);
    Some(Bounded {
        value: ms,
        low: Some(low),
        high,
    })
}

fn ratio(result: &ContestantResult) -> Option<Bounded> {
    let ratio = result.ratio.as_ref()?;
    let measured = Bounded::within(ratio.mean, ratio.low.zip(ratio.high));
    Some(measured.opened(ratio.limit))
}

fn change(baseline: &BaselineReport, name: &str) -> Option<Bounded> {
    let change = baseline.changes.iter().find(|change| change.name == name)?;
    let measured = Bounded::within(change.change, change.low.zip(change.high));
    Some(measured.opened(change.limit))
}
