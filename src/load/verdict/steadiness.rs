//! Self-tests of the course of a run: no long silence, no warm-up left, and no change.

use super::{Evidence, Outcome, Pause};
use crate::format::milliseconds;
use crate::load::Warning;
use crate::load::statistics::interval_log::{Interval, all_answered};
use crate::load::statistics::stationarity::{Change, LATENCY_CHANGE_NS_MIN, TooShort, find_change};
use crate::load::statistics::warmup::find_warmup;

/// A pause is one if it is longer than the highest percentile by this factor ...
const PAUSE_FACTOR: f64 = 10.0;
/// ... and lasts for this share of the run: that many requests of a steady stream would have met
/// it, so their 99th percentile would show it ...
const PAUSE_SHARE_MIN: f64 = 0.01;
/// ... and is longer than what a busy machine does to any process.
const PAUSE_MS_MIN: f64 = 100.0;
/// A warm-up that makes the run slower by less than this is none.
const WARM_UP_EFFECT_MIN: f64 = 0.05;

/// The course of a run.
#[derive(Clone, Copy, Debug)]
pub(in crate::load) struct Steadiness {
    /// Seconds at the start that are slower than the rest, and matter; `None` without them.
    pub(in crate::load) warm_up_s: Option<f64>,
    /// The largest change in what follows it.
    pub(in crate::load) change: Result<Option<Change>, TooShort>,
    /// The rate changes by plan.
    pub(in crate::load) is_ramp: bool,
}

impl Steadiness {
    /// Finds both in a run. A start whose end is not found is a change, and no warm-up.
    pub(in crate::load) fn of(intervals: &[Interval], is_ramp: bool) -> Steadiness {
        let found = find_warmup(intervals);
        let (start, rest) = intervals.split_at(found.intervals);
        let matters = !start.is_empty()
            && !found.unfinished
            && slowdown(intervals, rest) > WARM_UP_EFFECT_MIN;
        Steadiness {
            warm_up_s: matters.then(|| seconds(start)),
            change: find_change(if matters { rest } else { intervals }),
            is_ramp,
        }
    }
}

/// Slowness of the whole against the rest, by its rate or by its median: 0.05 for 5 %.
fn slowdown(all: &[Interval], rest: &[Interval]) -> f64 {
    let rate = |intervals: &[Interval]| all_answered(intervals).total() as f64 / seconds(intervals);
    let median = |intervals: &[Interval]| {
        let median = all_answered(intervals).quantile_ns(0.5);
        median.map_or(1.0, |ns| ns.max(1) as f64)
    };
    let slower_rate = rate(rest) / rate(all).max(f64::MIN_POSITIVE);
    let longer_median = match median(all) - median(rest) > LATENCY_CHANGE_NS_MIN {
        true => median(all) / median(rest),
        false => 1.0,
    };
    slower_rate.max(longer_median) - 1.0
}

fn seconds(intervals: &[Interval]) -> f64 {
    let ns: u64 = intervals.iter().map(|interval| interval.length_ns).sum();
    ns as f64 / 1e9
}

/// No long time without a reply. A closed loop sends nothing while the server pauses, so that few
/// latencies show it.
pub(super) fn silence(evidence: &Evidence) -> Outcome {
    let Some((percentile, percentile_ms)) = evidence.top_percentile else {
        return Outcome::NotApplicable("too few replies");
    };
    if evidence.schedule.is_some() {
        return Outcome::NotApplicable("the latencies of an open loop show it");
    }
    let Some(Pause {
        ms,
        client_ms,
        began_s,
    }) = evidence.pause
    else {
        return Outcome::Passed("none of 20 ms or longer on all workers".to_owned());
    };
    // The rest is reported as a stall of the client.
    let server_ms = ms - client_ms;
    let is_long = server_ms >= PAUSE_MS_MIN
        && server_ms >= evidence.duration_s * 1e3 * PAUSE_SHARE_MIN
        && server_ms > percentile_ms * PAUSE_FACTOR;
    let warning = is_long.then_some(Warning::Pause {
        ms,
        began_s,
        percentile,
        percentile_ms,
    });
    Outcome::of(warning, || format!("the longest took {}", milliseconds(ms)))
}

/// The start of the run does not change its figures.
pub(super) fn warm_up(evidence: &Evidence) -> Outcome {
    let Steadiness {
        warm_up_s, is_ramp, ..
    } = evidence.steadiness;
    if is_ramp {
        return Outcome::NotApplicable("the rate is a ramp");
    }
    let unfinished = evidence.unfinished_warm_up_s;
    let unfinished = unfinished.map(|seconds| Warning::UnfinishedWarmUp { seconds });
    let warning = unfinished.or(warm_up_s.map(|seconds| Warning::WarmUp { seconds }));
    Outcome::of(warning, || "the start is like the rest".to_owned())
}

/// The rate and the latency are the same throughout.
pub(super) fn stationarity(evidence: &Evidence) -> Outcome {
    let Steadiness {
        change, is_ramp, ..
    } = evidence.steadiness;
    if is_ramp {
        return Outcome::NotApplicable("the rate is a ramp");
    }
    match change {
        Err(TooShort) => Outcome::NotApplicable("the run is too short to tell"),
        Ok(change) => {
            let warning = change.map(|change| Warning::Changed {
                change,
                at_s: (change.at - evidence.started).as_secs_f64(),
            });
            Outcome::of(warning, || "no trend and no level shift".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_loop::Time;
    use crate::load::statistics::interval_log::IntervalLog;

    /// The course of 20 s of a closed loop of ten slots, whose server has this speed at each second.
    fn of(speed: impl Fn(f64) -> f64) -> Steadiness {
        let mut log = IntervalLog::starting(Time::START);
        for tenth in 0..200 {
            let rate = 20_000.0 * speed(tenth as f64 / 10.0);
            let now = Time::from_ns(tenth * 100_000_000 + 50_000_000);
            log.record(now, (10.0 / rate * 1e9) as u64, (rate / 10.0) as u64);
        }
        log.finish(Time::from_ns(20_000_000_000));
        Steadiness::of(log.intervals(), false)
    }

    #[test]
    fn a_slow_start_is_a_warm_up_and_no_change() {
        let found = of(|at| if at < 3.0 { 0.5 } else { 1.0 });
        let warm_up_s = found.warm_up_s.expect("it matters");
        assert!((2.9..4.0).contains(&warm_up_s), "{warm_up_s}");
        assert_eq!(found.change, Ok(None));
    }

    #[test]
    fn a_start_that_changes_no_figure_is_no_warm_up() {
        assert_eq!(of(|_| 1.0).warm_up_s, None);
        let short = of(|at| if at < 1.0 { 0.5 } else { 1.0 });
        assert_eq!(short.warm_up_s, None);
    }

    #[test]
    fn a_start_without_an_end_is_a_change() {
        let found = of(|at| 0.5 + at / 40.0);
        assert_eq!(found.warm_up_s, None);
        assert!(matches!(found.change, Ok(Some(_))), "{found:?}");
    }

    /// Tenths of a second with this many replies of this many milliseconds.
    fn tenths(replies: &[(u64, u64)]) -> Vec<Interval> {
        let mut log = IntervalLog::starting(Time::START);
        for (tenth, &(count, ms)) in replies.iter().enumerate() {
            let now = Time::from_ns(tenth as u64 * 100_000_000);
            log.record(now, ms * 1_000_000, count);
        }
        log.finish(Time::from_ns(replies.len() as u64 * 100_000_000));
        log.into_intervals()
    }

    #[test]
    fn a_start_slows_a_run_by_its_rate_or_by_its_median() {
        let slowdown_of = |replies: &[(u64, u64)]| {
            let all = tenths(replies);
            slowdown(&all, &all[1..])
        };
        // 20/s against 25/s in all.
        let slow_rate = slowdown_of(&[(1, 10), (2, 10), (2, 10), (3, 10)]);
        assert!(
            (slow_rate - (7.0 / 3.0 / 2.0 - 1.0)).abs() < 1e-9,
            "{slow_rate}"
        );
        let long_median = slowdown_of(&[(9, 20), (1, 10), (1, 10)]);
        assert!((long_median - 1.0).abs() < 0.01, "{long_median}");
        // No reply at all.
        assert_eq!(slowdown_of(&[(0, 1), (0, 1)]), 0.0);
        assert_eq!(seconds(&tenths(&[(1, 1); 12])), 1.2);
    }
}
