//! The value of a trial: the latency that the objective limits.
//!
//! A percentile of a short run is too low on average, because a queue is seldom long: by 22 % for
//! the 99th percentile of 770 requests at 77 % of capacity. The error is about inversely
//! proportional to the length, so it follows from the halves of the trial (Quenouille, 1956).

use crate::load::gate;
use crate::load::objective::Metric;
use crate::load::statistics::censoring::{Percentile, Survival};
use crate::load::statistics::interval_log::{Interval, all_answered, all_censored, all_lost};
use crate::load::warning::Backlog;
use crate::load::{LoadReport, Warning};

/// Largest correction of a logarithm: more comes from a single event in one half.
const CORRECTION_MAX: f64 = 0.1;

/// A percentile of fewer requests beyond it is no figure of the server.
const REQUESTS_BEYOND_MIN: f64 = 5.0;

/// A latency of a trial in nanoseconds; infinite if requests without a latency may exceed it.
pub(super) fn latency_ns(metric: Metric, report: &LoadReport) -> f64 {
    let intervals = &report.timeline.intervals;
    match metric {
        Metric::Percentile(quantile) => percentile_ns(quantile, intervals),
        _ if has_requests_without_latency(report) => f64::INFINITY,
        _ => gate::latency_ns(metric, report),
    }
}

/// Requests were lost, however young, or timed out, or were shed before they could become old. All
/// others that have no reply have their age.
fn has_requests_without_latency(report: &LoadReport) -> bool {
    let mut reasons = report.verdict.reasons.iter();
    let is_shed = |reason: &Warning| {
        let cause = Backlog::ServerBeyondDeadline;
        matches!(reason, Warning::NeverSent { cause: found, .. } if *found == cause)
    };
    all_lost(&report.timeline.intervals).total() > 0
        || report.accounting.timed_out > 0
        || reasons.any(is_shed)
}

/// The percentile of a longer run: its logarithm is twice that of the trial less the mean of those of
/// its halves. Infinite if too few requests are beyond it.
pub(super) fn percentile_ns(quantile: f64, intervals: &[Interval]) -> f64 {
    let requests: u64 = [all_answered, all_censored, all_lost]
        .map(|of| of(intervals).total())
        .iter()
        .sum();
    if (1.0 - quantile) * (requests as f64) < REQUESTS_BEYOND_MIN {
        return f64::INFINITY;
    }
    corrected_ns(quantile, intervals)
}

fn corrected_ns(quantile: f64, intervals: &[Interval]) -> f64 {
    let log_of = |part: &[Interval]| match Survival::of(part).quantile(quantile) {
        Some(Percentile::Exactly(ns)) => (ns.max(1) as f64).ln(),
        Some(Percentile::AtLeast(_)) | None => f64::INFINITY,
    };
    let whole = log_of(intervals);
    let (first, second) = intervals.split_at(intervals.len() / 2);
    let of_halves = f64::midpoint(log_of(first), log_of(second));
    match of_halves.is_finite() {
        true => (whole + (whole - of_halves).clamp(-CORRECTION_MAX, CORRECTION_MAX)).exp(),
        // Too few replies in a half to correct it.
        false => whole.exp(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_loop::Time;
    use crate::load::statistics::interval_log::IntervalLog;

    /// Two intervals with a reply in each: of this many nanoseconds, or none in time.
    fn halves(replies: [Option<u64>; 2]) -> Vec<Interval> {
        let mut log = IntervalLog::starting(Time::START);
        for (index, reply) in replies.into_iter().enumerate() {
            let now = Time::from_ns(index as u64 * 100_000_000);
            match reply {
                Some(ns) => log.record(now, ns, 1),
                None => log.record_censored(now, 1, 1),
            }
        }
        log.finish(Time::from_ns(200_000_000));
        log.into_intervals()
    }

    #[test]
    fn the_halves_of_a_trial_tell_how_much_too_low_its_percentile_is() {
        let of = |replies| corrected_ns(0.99, &halves(replies));
        let is_about = |found: f64, ns: f64| (found / ns - 1.0).abs() < 0.01;
        assert!(is_about(of([Some(1000), Some(1000)]), 1000.0));
        // 2 ln 1.1 - (ln 1 + ln 1.1) / 2 = ln 1.154.
        assert!(is_about(of([Some(1000), Some(1100)]), 1154.0));
        // One event makes no more than 10 %.
        assert!(is_about(of([Some(1000), Some(4000)]), 4421.0));
        assert_eq!(of([None, None]), f64::INFINITY);
    }

    #[test]
    fn a_percentile_needs_five_requests_beyond_it() {
        let of = |replies| {
            let mut log = IntervalLog::starting(Time::START);
            (0..replies).for_each(|_| log.record(Time::START, 1000, 1));
            log.finish(Time::from_ns(100_000_000));
            percentile_ns(0.99, log.intervals())
        };
        assert_eq!(of(499), f64::INFINITY);
        assert!((of(501) / 1000.0 - 1.0).abs() < 0.01);
    }
}
