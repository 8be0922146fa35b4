//! Search for a change in the course of a run.
//!
//! Three series of slices are tested: the rate, and the shares of replies above the run's median
//! and above its 90th percentile. Each is tested for a trend (Spearman's rank correlation with the
//! slice number) and for a level shift (the largest two-sample t statistic over all splits, that is,
//! CUSUM scaled by its standard error). Successive slices may be correlated in a steady run, so the
//! statistics are reduced by the autocorrelation of the residuals.
//!
//! A finding must be significant and large: it is normal that a server becomes one per cent slower
//! in a run.

use super::interval_log::{Interval, all_answered, slices};
use crate::event_loop::Time;

/// Slices of a run.
const SLICES: usize = 20;
/// With fewer, nothing can be said.
const SLICES_MIN: usize = 10;
/// A rate or a latency has to change by this share.
const CHANGE_MIN: f64 = 0.10;
/// A latency also has to change by this many nanoseconds: by less, the time varies that a machine
/// takes to wake a sleeping server.
pub const LATENCY_CHANGE_NS_MIN: f64 = 20_000.0;
/// Critical value of the trend's t statistic, for six tests at 1 % together (simulated).
const TREND_T_MAX: f64 = 4.0;
/// Critical value of the largest t statistic over all splits, likewise.
const SHIFT_T_MAX: f64 = 5.0;
/// A level shift has at least this many slices on each side.
const SIDE_SLICES_MIN: usize = 3;

/// The series that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// Replies per second.
    Rate,
    /// The median of the latency.
    Median,
    /// The 90th percentile of the latency.
    Tail,
}

/// The shape of the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Steadily.
    Trend,
    /// At once.
    Shift,
}

/// A change in the course of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The series that changed.
    pub series: Series,
    /// The shape of the change.
    pub shape: Shape,
    /// The level before (for a trend, in the first quarter): replies per second, or nanoseconds.
    pub before: f64,
    /// The level after (for a trend, in the last quarter).
    pub after: f64,
    /// Time of the shift; for a trend, the middle.
    pub at: Time,
}

/// The largest significant change of a run, or `None` if it is stationary. `Err` if the run is too
/// short to say.
///
/// # Errors
/// Fewer than ten intervals or none with a reply.
pub fn find_change(intervals: &[Interval]) -> Result<Option<Change>, TooShort> {
    let slices: Vec<&[Interval]> = slices(intervals, SLICES).collect();
    let all = all_answered(intervals);
    let (Some(median), Some(tail)) = (all.quantile_ns(0.5), all.quantile_ns(0.9)) else {
        return Err(TooShort);
    };
    if slices.len() < SLICES_MIN {
        return Err(TooShort);
    }
    let share_above = |ns| move |slice: &&[Interval]| share_above(slice, ns);
    let rates: Vec<f64> = slices.iter().map(|slice| rate(slice)).collect();
    let series = [
        (Series::Rate, rates),
        (
            Series::Median,
            slices.iter().map(share_above(median)).collect(),
        ),
        (Series::Tail, slices.iter().map(share_above(tail)).collect()),
    ];
    let suspects = series.iter().flat_map(|(series, values)| {
        let trend = suspect(Shape::Trend, trend(values), TREND_T_MAX);
        let shift = suspect(Shape::Shift, shift(values), SHIFT_T_MAX);
        [trend, shift]
            .into_iter()
            .flatten()
            .map(|suspect| (*series, suspect))
    });
    let changes = suspects.filter_map(|(series, suspect)| {
        let change = suspect.measure(series, &slices);
        is_large(&change).then_some((suspect.excess, change))
    });
    let strongest = changes.max_by(|a, b| a.0.total_cmp(&b.0));
    Ok(strongest.map(|(_, change)| change))
}

/// The run has too few intervals, or no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort;

/// Replies per second in a run of neighbours.
pub fn rate(slice: &[Interval]) -> f64 {
    let replies: u64 = slice.iter().map(|interval| interval.answered.total()).sum();
    let ns: u64 = slice.iter().map(|interval| interval.length_ns).sum();
    replies as f64 * 1e9 / ns.max(1) as f64
}

/// Requests given up count as above, however young they were: they were not answered in time.
fn share_above(slice: &[Interval], ns: u64) -> f64 {
    let replies = |interval: &Interval| interval.answered.total();
    let given_up: u64 = slice
        .iter()
        .map(|interval| interval.censored.total() + interval.lost.total())
        .sum();
    let above: u64 = slice
        .iter()
        .map(|interval| interval.answered.count_above(ns))
        .sum();
    let all = slice.iter().map(replies).sum::<u64>() + given_up;
    (above + given_up) as f64 / all.max(1) as f64
}

/// A significant change, not yet measured.
struct Suspect {
    shape: Shape,
    /// Slices before it.
    split: usize,
    /// The statistic divided by its critical value.
    excess: f64,
}

impl Suspect {
    fn measure(&self, series: Series, slices: &[&[Interval]]) -> Change {
        let quarter = slices.len() / 4;
        let (before, after) = match self.shape {
            Shape::Trend => (&slices[..quarter], &slices[slices.len() - quarter..]),
            Shape::Shift => slices.split_at(self.split),
        };
        Change {
            series,
            shape: self.shape,
            before: level(series, before),
            after: level(series, after),
            at: slices[self.split][0].began,
        }
    }
}

fn suspect(shape: Shape, (t, split): (f64, usize), t_max: f64) -> Option<Suspect> {
    let excess = t.abs() / t_max;
    (excess > 1.0).then_some(Suspect {
        shape,
        split,
        excess,
    })
}

fn level(series: Series, slices: &[&[Interval]]) -> f64 {
    let intervals = slices.concat();
    let quantile = |quantile| {
        all_answered(&intervals)
            .quantile_ns(quantile)
            .map_or(0.0, |ns| ns as f64)
    };
    match series {
        Series::Rate => rate(&intervals),
        Series::Median => quantile(0.5),
        Series::Tail => quantile(0.9),
    }
}

fn is_large(change: &Change) -> bool {
    let (low, high) = (
        change.before.min(change.after),
        change.before.max(change.after),
    );
    let is_noticeable = match change.series {
        Series::Rate => true,
        Series::Median | Series::Tail => high - low > LATENCY_CHANGE_NS_MIN,
    };
    is_noticeable && high - low > CHANGE_MIN * low
}

/// The t statistic of Spearman's correlation of the values with their order.
fn trend(values: &[f64]) -> (f64, usize) {
    let n = values.len() as f64;
    let ranks = ranks(values);
    let centre = (n - 1.0) / 2.0;
    let (mut product, mut order) = (0.0, 0.0);
    for (index, rank) in ranks.iter().enumerate() {
        product += (index as f64 - centre) * (rank - centre);
        order += (index as f64 - centre).powi(2);
    }
    let slope = product / order;
    let residuals: Vec<f64> = ranks
        .iter()
        .enumerate()
        .map(|(index, rank)| rank - centre - slope * (index as f64 - centre))
        .collect();
    let error = standard_error(&residuals, 2) * (n / order).sqrt();
    (slope / error, values.len() / 2)
}

/// The largest t statistic of the difference of means before and after a split, and the split.
fn shift(values: &[f64]) -> (f64, usize) {
    let splits = SIDE_SLICES_MIN..=values.len() - SIDE_SLICES_MIN;
    let statistic = |split: usize| {
        let (before, after) = values.split_at(split);
        let (low, high) = (mean(before), mean(after));
        let residuals: Vec<f64> = before
            .iter()
            .map(|value| value - low)
            .chain(after.iter().map(|value| value - high))
            .collect();
        let n = values.len() as f64;
        let sides = n / before.len() as f64 + n / after.len() as f64;
        (
            (high - low) / (standard_error(&residuals, 2) * sides.sqrt()),
            split,
        )
    };
    let found = splits.map(statistic).filter(|found| found.0.is_finite());
    found
        .max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))
        .unwrap_or((0.0, values.len() / 2))
}

/// Standard error of a mean of all residuals, that a model with this many parameters leaves,
/// widened by their first autocorrelation r as by sqrt((1 + r) / (1 - r)).
fn standard_error(residuals: &[f64], parameters: usize) -> f64 {
    let n = residuals.len() as f64;
    let squares: f64 = residuals.iter().map(|residual| residual * residual).sum();
    let products: f64 = residuals.windows(2).map(|pair| pair[0] * pair[1]).sum();
    // Residuals of a fitted model are alike by about -parameters / n too little.
    let alike = (products / squares + parameters as f64 / n).clamp(0.0, 0.8);
    let variance = squares / (n - parameters as f64) * (1.0 + alike) / (1.0 - alike);
    // A series without any noise changes only by what it changes.
    (variance / n).sqrt().max(f64::MIN_POSITIVE)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Ranks from 0; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        below as f64 + (equal - 1) as f64 / 2.0
    };
    values.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::super::interval_log::IntervalLog;
    use super::super::test_queue::{self, QueuePlan};
    use super::*;

    fn plan(load: f64, slowdown: fn(f64) -> f64) -> QueuePlan {
        QueuePlan {
            slowdown,
            ..QueuePlan::mm1(load, 2000.0, 20.0)
        }
    }

    fn found(plan: &QueuePlan, runs: u64) -> usize {
        let changes = (0..runs).filter_map(|seed| {
            let change = find_change(&test_queue::run(plan, seed)).unwrap();
            println!("{seed} {change:?}");
            change
        });
        changes.count()
    }

    #[test]
    fn a_ramp_is_found() {
        assert!(found(&plan(0.5, |at| 1.0 + 0.5 * at), 20) >= 19);
    }

    #[test]
    fn a_step_is_found() {
        assert!(found(&plan(0.5, |at| if at < 0.6 { 1.0 } else { 1.3 }), 20) >= 19);
    }

    #[test]
    fn a_slow_leak_in_the_second_half_is_found() {
        assert!(found(&plan(0.5, |at| 1.0 + (at - 0.5).max(0.0)), 20) >= 19);
    }

    #[test]
    fn a_steady_queue_does_not_alarm() {
        for (load, alarms_max) in [(0.3, 5), (0.5, 5), (0.8, 5)] {
            let alarms = found(&plan(load, |_| 1.0), 100);
            println!("load {load}: {alarms} false alarms of 100");
            assert!(
                alarms <= alarms_max,
                "load {load}: {alarms} false alarms of 100"
            );
        }
    }

    /// A closed loop, as even as they come, whose latency grows from this by `growth` in its course.
    fn even(start_ns: f64, growth: f64) -> Option<Change> {
        let mut log = IntervalLog::starting(Time::START);
        for ms in 0..20_000u64 {
            let course = ms as f64 / 20_000.0;
            let noise = (ms % 7) as f64 / 1000.0;
            let latency = start_ns * (1.0 + growth * course + noise);
            log.record(Time::from_ns(ms * 1_000_000), latency as u64, 5);
        }
        log.finish(Time::from_ns(20_000_000_000));
        find_change(log.intervals()).unwrap()
    }

    #[test]
    fn a_change_must_be_large_and_not_only_certain() {
        assert_eq!(even(1e6, 0.05), None);
        let change = even(1e6, 0.3).expect("a change of 30 %");
        assert!(change.after > 1.1 * change.before, "{change:?}");
        // From 50 to 65 us.
        assert_eq!(even(5e4, 0.3), None);
        assert!(even(5e4, 1.0).is_some());
    }

    #[test]
    fn a_shift_is_told_at_its_time_by_the_clock_of_the_run() {
        let start_ms = 5_000;
        let mut log = IntervalLog::starting(Time::from_ns(start_ms * 1_000_000));
        for ms in start_ms..20_000 {
            let replies = if ms < 12_500 { 5 } else { 4 };
            let noise = u64::from(ms % 13 == 0);
            log.record(Time::from_ns(ms * 1_000_000), 1_000_000, replies + noise);
        }
        log.finish(Time::from_ns(20_000_000_000));
        let change = find_change(log.intervals()).unwrap().expect("a shift");
        assert_eq!(change.shape, Shape::Shift);
        assert_eq!(change.at, Time::from_ns(12_500_000_000));
    }

    #[test]
    fn a_slow_steady_queue_does_not_alarm_although_its_slices_are_alike() {
        for (load, rate) in [(0.8, 100.0), (0.85, 200.0)] {
            let alarms = found(&QueuePlan::mm1(load, rate, 20.0), 100);
            println!("load {load} at {rate}/s: {alarms} false alarms of 100");
            assert!(alarms <= 5, "{alarms} false alarms of 100");
        }
    }

    #[test]
    fn the_level_of_a_series_is_a_rate_or_one_of_two_percentiles() {
        let mut log = IntervalLog::starting(Time::START);
        for (latency_ns, replies) in [(1_000_000, 5), (2_000_000, 4), (3_000_000, 1)] {
            log.record(Time::START, latency_ns, replies);
        }
        log.finish(Time::from_ns(200_000_000));
        let (first, second) = log.intervals().split_at(1);
        for (series, expected) in [
            (Series::Rate, 100.0),
            (Series::Median, 1e6),
            (Series::Tail, 2e6),
        ] {
            let found = level(series, &[first]);
            assert!((found / expected - 1.0).abs() < 1e-3, "{series:?} {found}");
            assert_eq!(level(series, &[second]), 0.0);
        }
        assert_eq!(level(Series::Rate, &[first, second]), 50.0);
    }

    #[track_caller]
    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    #[test]
    fn equal_values_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
        assert_eq!(ranks(&[5.0, 5.0, 5.0]), [1.0, 1.0, 1.0]);
    }

    /// Spearman's rho is 0.9, and the residuals show no autocorrelation: rho sqrt(3 / (1 - rho^2)).
    #[test]
    fn a_trend_is_spearmans_t() {
        let (t, split) = trend(&[1.0, 2.0, 4.0, 3.0, 5.0]);
        assert_near(t, 0.9 * (3.0f64 / 0.19).sqrt());
        assert_eq!(split, 2);
        // Ranks with ties and residuals that are alike; computed apart from this code.
        let alike = [1.0, 2.0, 3.0, 3.0, 2.0, 1.0, 4.0, 6.0, 5.0, 5.0];
        assert_near(trend(&alike).0, 2.026_282_328_674_404_7);
        assert_eq!(trend(&[7.0; 10]), (0.0, 5));
    }

    #[test]
    fn a_shift_is_the_largest_t_of_two_means() {
        let values = [1.0, 3.0, 2.0, 1.0, 7.0, 8.0, 6.0, 8.0, 7.0, 8.0];
        let (t, split) = shift(&values);
        assert_near(t, 9.919_125_016_647_909);
        assert_eq!(split, 4);
        assert_eq!(shift(&[7.0; 10]).0, 0.0);
    }

    #[test]
    fn an_error_grows_with_the_likeness_of_neighbours_up_to_a_bound() {
        let neighbours = [1.0, 1.0, -1.0, -1.0];
        // r = 1/4 + 1/4 and 1/4 + 2/4.
        assert_near(standard_error(&neighbours, 1), 1.0);
        assert_near(standard_error(&neighbours, 2), 3.5f64.sqrt());
        // 5/8 + 2/8, of which 0.8 counts; -3/4 + 2/4, which is none.
        let long = [1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0];
        assert_near(standard_error(&long, 2), 1.5f64.sqrt());
        assert_near(standard_error(&[1.0, -1.0, 1.0, -1.0], 2), 0.5f64.sqrt());
    }

    /// Tenths of a second, one for each of these numbers of replies of 1 ms.
    fn tenths(replies: &[u64]) -> Vec<Interval> {
        let mut log = IntervalLog::starting(Time::START);
        for (tenth, &replies) in replies.iter().enumerate() {
            log.record(
                Time::from_ns(tenth as u64 * 100_000_000),
                1_000_000,
                replies,
            );
        }
        log.finish(Time::from_ns(replies.len() as u64 * 100_000_000));
        log.into_intervals()
    }

    #[test]
    fn a_rate_is_replies_over_time() {
        assert_eq!(rate(&tenths(&[10, 30, 50])), 300.0);
        assert_eq!(rate(&[]), 0.0);
    }

    #[test]
    fn ten_intervals_are_enough() {
        assert_eq!(find_change(&tenths(&[10; 9])), Err(TooShort));
        assert_eq!(find_change(&tenths(&[10; 10])), Ok(None));
        assert_eq!(find_change(&tenths(&[0; 10])), Err(TooShort));
    }

    #[test]
    fn requests_that_were_given_up_are_above_every_latency() {
        let mut log = IntervalLog::starting(Time::START);
        log.record(Time::START, 1_000_000, 3);
        log.record(Time::START, 9_000_000, 1);
        log.record_censored(Time::START, 1_000, 2);
        log.record_lost(Time::START, 1_000, 1);
        log.finish(Time::from_ns(100_000_000));
        assert_eq!(share_above(log.intervals(), 5_000_000), 4.0 / 7.0);
        assert_eq!(share_above(&[], 5_000_000), 0.0);
    }

    /// The slowest 15 % become twice as slow; the rate and the median stay.
    #[test]
    fn a_change_of_the_tail_alone_is_found_and_measured() {
        let mut log = IntervalLog::starting(Time::START);
        for ms in 0..20_000u64 {
            let (now, slow) = (Time::from_ns(ms * 1_000_000), 1 + u64::from(ms >= 8_000));
            log.record(now, 1_000_000, 17);
            log.record(now, slow * 10_000_000, 3 + u64::from(ms % 13 == 0));
        }
        log.finish(Time::from_ns(20_000_000_000));
        let change = find_change(log.intervals()).unwrap().expect("a shift");
        assert_eq!((change.series, change.shape), (Series::Tail, Shape::Shift));
        assert!((change.before / 10e6 - 1.0).abs() < 0.01, "{change:?}");
        assert!((change.after / 20e6 - 1.0).abs() < 0.01, "{change:?}");
    }

    #[test]
    fn a_trend_is_measured_from_its_first_quarter_to_its_last() {
        let intervals = tenths(&[
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
        ]);
        let slices: Vec<&[Interval]> = slices(&intervals, SLICES).collect();
        let trend = Suspect {
            shape: Shape::Trend,
            split: 10,
            excess: 2.0,
        };
        let change = trend.measure(Series::Rate, &slices);
        assert_eq!((change.before, change.after), (30.0, 180.0));
        assert_eq!(change.at, Time::from_ns(1_000_000_000));
    }
}
