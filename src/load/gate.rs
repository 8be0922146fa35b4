//! Gates: conditions that fail a run if they are true (`--fail-if 'p99>5ms'`). A figure with an
//! interval trips a gate if the gate holds in all of the interval; if it holds in a part of it
//! only, the run does not decide.

use std::fmt;

use super::objective::{Answer, Metric, Objective};
use super::report::LoadReport;
use super::statistics::censoring::{Percentile, Survival};
use super::statistics::distribution::Distribution;
use super::statistics::interval_log::{Interval, all_answered, all_censored, all_lost, slices};
use super::statistics::quantile_interval::QuantileIntervals;
use super::statistics::stationarity;
use crate::format::{milliseconds, percent, plural, rate};

/// Parts of a run whose rates are compared.
const SLICES: usize = 10;
/// Student's t for nine degrees of freedom, 95 %, two-sided.
const T_NINE: f64 = 2.262;

/// Ages make a mean a lower bound if it is greater than that of the replies by this factor; those of
/// the requests that are in flight at the end of any run do not.
const AGES_FACTOR_MIN: f64 = 1.01;

/// A gate that did not pass.
#[derive(Clone, Debug, PartialEq)]
pub struct GateResult {
    /// The gate.
    pub objective: Objective,
    /// The judgement: passed, tripped, or not decided by the run.
    pub answer: Answer,
    figure: Figure,
}

/// A figure of a run, in the unit of its objective.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Figure {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
}

impl Figure {
    /// Known as it is.
    fn exact(value: f64) -> Figure {
        Figure {
            value,
            low: Some(value),
            high: Some(value),
        }
    }

    /// Known to be no less.
    fn at_least(value: f64) -> Figure {
        Figure {
            high: None,
            ..Figure::exact(value)
        }
    }
}

/// Judges `objective` as a gate; [`Answer::Holds`] trips it. `None` if it passed.
pub fn judge(objective: Objective, report: &LoadReport) -> Option<GateResult> {
    let figure = figure(objective.metric, report);
    let answer = objective.judge(figure.low, figure.high);
    (answer != Answer::Fails).then_some(GateResult {
        objective,
        answer,
        figure,
    })
}

/// The mean or the longest latency of a run in nanoseconds, with the ages of requests that had no
/// reply.
pub(super) fn latency_ns(metric: Metric, report: &LoadReport) -> f64 {
    figure(metric, report).value
}

fn figure(metric: Metric, report: &LoadReport) -> Figure {
    let intervals = &report.timeline.intervals;
    match metric {
        Metric::Percentile(quantile) => percentile(quantile, intervals),
        Metric::Mean => mean_with_ages(intervals),
        Metric::Max => {
            let (max_ms, max_age_ms) = (report.latency.max, report.latency.max_age_ms);
            match max_age_ms > max_ms {
                true => Figure::at_least(max_age_ms * 1e6),
                false => Figure::exact(max_ms * 1e6),
            }
        }
        Metric::Rate => mean_rate(report),
        Metric::Errors => Figure::exact(report.errors as f64),
        Metric::ErrorShare => {
            let requests = report.accounting.sent.max(report.errors).max(1);
            Figure::exact(report.errors as f64 / requests as f64)
        }
        Metric::Suspect => Figure::exact(f64::from(u8::from(!report.verdict.valid))),
    }
}

/// The mean, with each request without a reply counted with its age: a lower bound of the mean that
/// the run would have had if it had waited.
fn mean_with_ages(intervals: &[Interval]) -> Figure {
    let answered = all_answered(intervals);
    let all = [&answered, &all_censored(intervals), &all_lost(intervals)];
    let sum_ns: u128 = all.into_iter().map(Distribution::sum_ns).sum();
    let requests: u64 = all.into_iter().map(Distribution::total).sum();
    let mean = sum_ns as f64 / requests.max(1) as f64;
    match mean > answered.mean_ns() * AGES_FACTOR_MIN {
        true => Figure::at_least(mean),
        false => Figure::exact(mean),
    }
}

/// Without an interval, the figure itself decides: a gate must not pass because a run is short.
fn percentile(quantile: f64, intervals: &[Interval]) -> Figure {
    let survival = Survival::of(intervals);
    let Some(found) = survival.quantile(quantile) else {
        return Figure {
            value: f64::INFINITY,
            low: None,
            high: None,
        };
    };
    let value = found.ns() as f64;
    let figure = Figure::exact(value);
    if matches!(found, Percentile::AtLeast(_)) {
        return Figure::at_least(value);
    }
    match QuantileIntervals::new(intervals, &survival).of(quantile) {
        Err(_) => figure,
        Ok(interval) => Figure {
            value,
            low: Some(interval.low_ns as f64),
            high: interval.high_ns.map(|ns| ns as f64),
        },
    }
}

/// The rate of the run, with an interval from its tenths.
fn mean_rate(report: &LoadReport) -> Figure {
    let intervals = &report.timeline.intervals;
    let value = stationarity::rate(intervals);
    let rates: Vec<f64> = slices(intervals, SLICES).map(stationarity::rate).collect();
    if rates.len() < SLICES {
        return Figure::exact(value);
    }
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    let squares: f64 = rates.iter().map(|rate| (rate - mean).powi(2)).sum();
    let slices = rates.len() as f64;
    let half = T_NINE * (squares / (slices - 1.0) / slices).sqrt();
    Figure {
        value,
        low: Some(value - half),
        high: Some(value + half),
    }
}

impl fmt::Display for GateResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GateResult {
            objective,
            answer,
            figure,
        } = self;
        let metric = objective.metric;
        write!(f, "--fail-if '{objective}': ")?;
        if metric == Metric::Suspect {
            return f.write_str("the verdict is SUSPECT");
        }
        let text = |value: f64| match metric {
            Metric::Rate => format!("{}/s", rate(value.round())),
            Metric::ErrorShare => percent(value),
            _ => milliseconds(value / 1e6),
        };
        if figure.value.is_infinite() {
            return write!(f, "{metric} has no value: no request");
        }
        let value = text(figure.value);
        match (metric, figure.low, figure.high) {
            (Metric::Errors, ..) => f.write_str(&plural(figure.value as u64, "error"))?,
            (Metric::ErrorShare, ..) => write!(f, "{value} errors")?,
            (_, Some(low), Some(high)) if low != high => {
                let (low, high) = (text(low), text(high));
                write!(
                    f,
                    "{metric} is {value} ({low} to {high} with 95 % confidence)"
                )?;
            }
            (_, Some(low), None) if low < figure.value => {
                let low = text(low);
                write!(
                    f,
                    "{metric} is {value} ({low} or more with 95 % confidence)"
                )?;
            }
            (_, Some(_), None) => write!(f, "{metric} is at least {value}")?,
            _ => write!(f, "{metric} is {value}")?,
        }
        match answer {
            Answer::Undecided => {
                f.write_str("; the limit lies within the interval: run longer to decide")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_loop::Time;
    use crate::load::report::{Timeline, Verdict};
    use crate::load::statistics::interval_log::IntervalLog;

    /// Two seconds of 1,000 replies each; one of 50 takes 9 ms to 11 ms, by turns, and the others
    /// take 1 ms.
    fn report() -> LoadReport {
        let mut log = IntervalLog::starting(Time::START);
        for step in 0..2000u64 {
            let now = Time::from_ns(step * 1_000_000);
            let slow = 9_000_000 + step / 50 % 3 * 1_000_000;
            log.record(now, if step % 50 == 7 { slow } else { 1_000_000 }, 1);
        }
        log.finish(Time::from_ns(2_000_000_000));
        LoadReport {
            timeline: Timeline {
                intervals: log.into_intervals(),
                ..Timeline::default()
            },
            errors: 3,
            verdict: Verdict {
                valid: true,
                reasons: Vec::new(),
            },
            ..LoadReport::default()
        }
    }

    fn answer(gate: &str, report: &LoadReport) -> Answer {
        let objective = gate.parse().expect("an objective");
        judge(objective, report).map_or(Answer::Fails, |result| result.answer)
    }

    #[test]
    fn a_gate_trips_where_it_holds_in_all_of_the_interval() {
        let report = report();
        for (gate, expected) in [
            ("p50>0.5ms", Answer::Holds),
            ("p50>2ms", Answer::Fails),
            ("p99>8ms", Answer::Holds),
            ("p99>20ms", Answer::Fails),
            ("p99>10ms", Answer::Undecided),
            ("rate<900", Answer::Fails),
            ("rate<1100", Answer::Holds),
            ("errors>2", Answer::Holds),
            ("errors>3", Answer::Fails),
            ("suspect", Answer::Fails),
        ] {
            assert_eq!(answer(gate, &report), expected, "{gate}");
        }
        let suspect = LoadReport {
            verdict: Verdict::default(),
            ..report
        };
        assert_eq!(answer("suspect", &suspect), Answer::Holds);
    }

    /// An interval of 20 us with one reply has a rate of 50,000/s, and says next to nothing.
    #[test]
    fn a_short_interval_weighs_as_little_as_it_lasts() {
        let mut report = report();
        let mut sliver = IntervalLog::starting(Time::from_ns(2_000_000_000));
        sliver.record(Time::from_ns(2_000_010_000), 1_000_000, 1);
        sliver.finish(Time::from_ns(2_000_020_000));
        report.timeline.intervals.extend(sliver.into_intervals());
        assert_eq!(answer("rate<900", &report), Answer::Fails);
        assert_eq!(answer("rate<1100", &report), Answer::Holds);
    }

    /// A server that hangs answers few requests, and those fast.
    #[test]
    fn the_mean_counts_a_request_without_a_reply_with_its_age() {
        let mut log = IntervalLog::starting(Time::START);
        let end = Time::from_ns(1_000_000_000);
        log.record(Time::from_ns(1_000_000), 1_000_000, 60);
        log.record_censored(end, 9_000_000, 20);
        log.record_lost(end, 11_000_000, 20);
        log.finish(end);
        let mut report = report();
        report.timeline.intervals = log.into_intervals();
        let mean = figure(Metric::Mean, &report);
        assert_eq!(mean, Figure::at_least(4_600_000.0));
        assert_eq!(answer("mean>4.5ms", &report), Answer::Holds);
        assert_eq!(answer("mean<4.5ms", &report), Answer::Fails);
        assert_eq!(answer("mean>4.7ms", &report), Answer::Undecided);
        // Younger than the replies, as those in flight at the end of a run are.
        let mut log = IntervalLog::starting(Time::START);
        log.record(Time::from_ns(1_000_000), 1_000_000, 60);
        log.record_censored(end, 500_000, 20);
        log.finish(end);
        report.timeline.intervals = log.into_intervals();
        assert_eq!(figure(Metric::Mean, &report), Figure::exact(875_000.0));
        report.timeline.intervals.clear();
        assert_eq!(latency_ns(Metric::Mean, &report), 0.0);
    }

    #[test]
    fn a_maximum_is_a_lower_bound_if_a_request_without_a_reply_is_older() {
        let mut report = report();
        report.latency.max = 3.0;
        report.latency.max_age_ms = 2.0;
        assert_eq!(figure(Metric::Max, &report), Figure::exact(3e6));
        report.latency.max_age_ms = 4.0;
        assert_eq!(figure(Metric::Max, &report), Figure::at_least(4e6));
    }

    #[test]
    fn without_an_interval_the_figure_decides_and_without_a_figure_nothing() {
        let mut short = report();
        short.timeline.intervals.truncate(5);
        assert_eq!(answer("p50>0.5ms", &short), Answer::Holds);
        short.timeline.intervals.clear();
        assert_eq!(answer("p50>0.5ms", &short), Answer::Undecided);
    }

    #[test]
    fn a_result_names_its_gate_and_its_figure() {
        let told = |gate: &str| {
            let objective = gate.parse().expect("an objective");
            judge(objective, &report())
                .expect("it does not pass")
                .to_string()
        };
        assert_eq!(told("errors>2"), "--fail-if 'errors>2': 3 errors");
        let undecided = told("p99>10ms");
        assert!(
            undecided.starts_with("--fail-if 'p99>10ms': p99 is 10.0 ms ("),
            "{undecided}"
        );
        assert!(
            undecided.ends_with("; the limit lies within the interval: run longer to decide"),
            "{undecided}"
        );
    }

    #[test]
    fn a_figure_without_an_upper_end_is_told_as_such() {
        let told = |low, answer, value| {
            let result = GateResult {
                objective: "p99>5ms".parse().expect("an objective"),
                answer,
                figure: Figure {
                    value,
                    low,
                    high: None,
                },
            };
            result.to_string().replace("--fail-if 'p99>5ms': ", "")
        };
        assert_eq!(
            told(Some(8e6), Answer::Holds, 10e6),
            "p99 is 10.0 ms (8.00 ms or more with 95 % confidence)"
        );
        assert_eq!(
            told(Some(10e6), Answer::Holds, 10e6),
            "p99 is at least 10.0 ms"
        );
        assert_eq!(
            told(None, Answer::Undecided, f64::INFINITY),
            "p99 has no value: no request"
        );
    }

    /// 90/s and 110/s by turns: a standard error of sqrt(1000 / 9 / 10), by Student's t.
    #[test]
    fn a_rate_has_the_interval_of_its_tenths() {
        let mut log = IntervalLog::starting(Time::START);
        for tenth in 0..10 {
            let now = Time::from_ns(tenth * 100_000_000);
            log.record(now, 1_000_000, 9 + tenth % 2 * 2);
        }
        log.finish(Time::from_ns(1_000_000_000));
        let mut report = report();
        report.timeline.intervals = log.into_intervals();
        let found = figure(Metric::Rate, &report);
        let half = 2.262 * 10.0 / 3.0;
        assert_eq!(found.value, 100.0);
        assert!((found.low.expect("a low end") - (100.0 - half)).abs() < 1e-9);
        assert!((found.high.expect("a high end") - (100.0 + half)).abs() < 1e-9);
        report.timeline.intervals.pop();
        let found = figure(Metric::Rate, &report);
        assert_eq!(found, Figure::exact(found.value));
    }

    #[test]
    fn a_share_of_errors_is_of_all_requests_and_never_more_than_all() {
        let share = |sent, errors| {
            let mut report = report();
            (report.accounting.sent, report.errors) = (sent, errors);
            figure(Metric::ErrorShare, &report).value
        };
        assert_eq!(share(8, 2), 0.25);
        assert_eq!(share(0, 3), 1.0);
        assert_eq!((share(1, 1), share(0, 0)), (1.0, 0.0));
    }
}
