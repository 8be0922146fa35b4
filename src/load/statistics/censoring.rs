//! Percentiles of requests of which some have no reply.
//!
//! There are two kinds of requests without a reply, and they are treated differently:
//!
//! - *Censored*: the run stopped watching while the request waited (in flight at the stop, never
//!   sent, timed out). It is known only to have taken at least its age, and why the watching ended
//!   has nothing to do with how long it would have taken. The Kaplan-Meier estimate (Kaplan and
//!   Meier, 1958) uses it as long as it was waiting.
//! - *Lost*: its connection ended, so it never gets a reply. It counts as slower than every reply.
//!   Treating it as censored would be wrong: a server that closes after each reply loses young
//!   requests, and the few replies that came late would then represent all of them.
//!
//! Where the estimate ends below a percentile, there is still a lower bound: the percentile in
//! which each lost request counts with its age. Where that does not reach the percentile either,
//! every request without a reply counts with its age, which needs no assumption.

use std::collections::BTreeMap;

use super::buckets::highest;
use super::distribution::Distribution;
use super::interval_log::{Interval, all_answered, all_censored, all_lost};

/// A percentile, or what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Percentile {
    /// The least latency with at least that share of all requests at or below it, to three digits.
    Exactly(u64),
    /// It is not less than this latency.
    AtLeast(u64),
}

impl Percentile {
    /// The figure in nanoseconds, be it the percentile or its bound.
    pub fn ns(self) -> u64 {
        match self {
            Percentile::Exactly(ns) | Percentile::AtLeast(ns) => ns,
        }
    }
}

/// The distribution of latencies as far as it is known.
#[derive(Clone, Debug)]
pub struct Survival {
    steps: Vec<Step>,
    /// The greatest latency of a reply.
    max_ns: u64,
    /// The greatest age of a request without a reply.
    max_age_ns: u64,
}

/// One bucket that is not empty.
#[derive(Clone, Copy, Debug)]
struct Step {
    bucket: usize,
    /// Kaplan-Meier estimate of the share of requests that take no longer.
    done: f64,
    /// The same, had lost requests been answered when they were lost.
    done_or_lost: f64,
    /// The share of requests that were answered, lost or censored no later.
    gone: f64,
}

impl Survival {
    /// The distribution of the replies' latencies and of the ages of requests without one.
    pub fn new(answered: &Distribution, censored: &Distribution, lost: &Distribution) -> Survival {
        Survival {
            steps: steps(answered, censored, lost),
            max_ns: answered.max_ns(),
            max_age_ns: censored.max_ns().max(lost.max_ns()),
        }
    }

    /// The distribution in these intervals.
    pub fn of(intervals: &[Interval]) -> Survival {
        let [answered, censored, lost] = [all_answered, all_censored, all_lost];
        Survival::new(&answered(intervals), &censored(intervals), &lost(intervals))
    }

    /// The latency that the share `quantile` of all requests does not exceed; `None` without
    /// requests.
    pub fn quantile(&self, quantile: f64) -> Option<Percentile> {
        // The share of 990 of 1,000 must reach 0.99, whatever the last bits are.
        let reached = quantile - 1e-9;
        let first = |share: fn(&Step) -> f64| {
            let below = self.steps.partition_point(|step| share(step) < reached);
            self.steps.get(below).map(|step| highest(step.bucket))
        };
        if let Some(ns) = first(|step| step.done) {
            return Some(Percentile::Exactly(ns.min(self.max_ns)));
        }
        if let Some(ns) = first(|step| step.done_or_lost) {
            let max_ns = self.max_ns.max(self.max_age_ns);
            return Some(Percentile::AtLeast(ns.min(max_ns)));
        }
        let last = highest(self.steps.last()?.bucket);
        let ns = first(|step| step.gone).unwrap_or(last);
        // Without losses, the estimate ends at the last reply, and the percentile lies beyond.
        Some(Percentile::AtLeast(
            ns.min(self.max_age_ns).max(self.max_ns),
        ))
    }
}

/// Kaplan-Meier estimates over buckets. In a bucket with both, the replies come first.
fn steps(answered: &Distribution, censored: &Distribution, lost: &Distribution) -> Vec<Step> {
    let total = answered.total() + censored.total() + lost.total();
    // A lost request waits forever in the one estimate, and until it was lost in the other.
    let (mut waiting, mut waiting_or_lost) = (total, total);
    let (mut surviving, mut surviving_loss) = (1.0, 1.0);
    let mut steps = Vec::new();
    for (bucket, [answered, censored, lost]) in merged([answered, censored, lost]) {
        surviving *= 1.0 - ratio(answered, waiting);
        surviving_loss *= 1.0 - ratio(answered + lost, waiting_or_lost);
        waiting -= answered + censored;
        waiting_or_lost -= answered + censored + lost;
        steps.push(Step {
            bucket,
            done: 1.0 - surviving,
            done_or_lost: 1.0 - surviving_loss,
            gone: 1.0 - ratio(waiting_or_lost, total),
        });
    }
    steps
}

/// The counts of each bucket that is not empty in all of them.
fn merged(distributions: [&Distribution; 3]) -> BTreeMap<usize, [u64; 3]> {
    let mut merged: BTreeMap<usize, [u64; 3]> = BTreeMap::new();
    for (which, distribution) in distributions.into_iter().enumerate() {
        for (bucket, count) in distribution.buckets() {
            merged.entry(bucket).or_default()[which] = count;
        }
    }
    merged
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_loop::Time;
    use crate::load::schedule::{Arrivals, Rate, Schedule, SchedulePlan};

    const RUN_S: f64 = 10.0;
    const SECOND: u64 = 1_000_000_000;

    fn distribution(values: &[(u64, u64)]) -> Distribution {
        let mut distribution = Distribution::default();
        values
            .iter()
            .for_each(|&(ns, times)| distribution.record(ns, times));
        distribution
    }

    fn schedule(arrivals: Arrivals) -> Schedule {
        Schedule::new(&SchedulePlan {
            rate: Rate::Constant(2000.0),
            arrivals,
            seed: 1,
            worker: 0,
            workers: 1,
            start: Time::START,
            end: Time::from_ns(10 * SECOND),
        })
    }

    fn close(found: Option<Percentile>, ns: f64) {
        let Some(Percentile::Exactly(found)) = found else {
            panic!("{found:?}");
        };
        assert!((found as f64 / ns - 1.0).abs() < 0.01, "{found} for {ns}");
    }

    #[test]
    fn without_censoring_a_percentile_is_a_rank() {
        let answered = distribution(&(1..=1000).map(|ns| (ns, 1)).collect::<Vec<_>>());
        let survival = Survival::new(
            &answered,
            &Distribution::default(),
            &Distribution::default(),
        );
        for (quantile, ns) in [(0.5, 500), (0.9, 900), (0.99, 990), (0.999, 999)] {
            assert_eq!(survival.quantile(quantile), Some(Percentile::Exactly(ns)));
        }
        let none = Distribution::default();
        assert_eq!(Survival::new(&none, &none, &none).quantile(0.5), None);
    }

    /// The textbook example of the Kaplan-Meier estimator: remission in weeks of 21 leukaemia
    /// patients (Freireich et al., 1963), `6*3 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+
    /// 32+ 34+ 35+`.
    #[test]
    fn the_estimate_is_that_of_kaplan_and_meier() {
        let answered = [(6, 3), (7, 1), (10, 1), (13, 1), (16, 1), (22, 1), (23, 1)];
        let censored = [(6, 1), (9, 1), (10, 1), (11, 1), (17, 1), (19, 1), (20, 1)];
        let later = [(25, 1), (32, 2), (34, 1), (35, 1)];
        let survival = Survival::new(
            &distribution(&answered),
            &distribution(&[&censored[..], &later[..]].concat()),
            &Distribution::default(),
        );
        let at = |week| {
            survival
                .steps
                .iter()
                .find(|step| step.bucket == week)
                .map(|step| 1.0 - step.done)
        };
        for (week, surviving) in [
            (6, 0.857),
            (7, 0.807),
            (10, 0.753),
            (13, 0.690),
            (16, 0.627),
            (22, 0.538),
            (23, 0.448),
        ] {
            assert!((at(week).unwrap() - surviving).abs() < 5e-4, "week {week}");
        }
        assert_eq!(survival.quantile(0.5), Some(Percentile::Exactly(23)));
        assert_eq!(survival.quantile(0.6), Some(Percentile::AtLeast(23)));
    }

    /// Server frozen from 2 s to 7 s of a run of 10 s: F - (1 - q) D.
    #[test]
    fn a_freeze_is_in_the_tail() {
        let mut schedule = schedule(Arrivals::Constant);
        let (frozen, thawed) = (2 * SECOND, 7 * SECOND);
        let mut answered = Distribution::default();
        while let Some(due) = schedule.take(Time::NEVER) {
            let due = due.as_ns();
            let wait = if (frozen..thawed).contains(&due) {
                thawed - due
            } else {
                0
            };
            answered.record(wait + 50_000, 1);
        }
        let survival = Survival::new(
            &answered,
            &Distribution::default(),
            &Distribution::default(),
        );
        for quantile in [0.75, 0.9, 0.99] {
            close(
                survival.quantile(quantile),
                (5.0 - (1.0 - quantile) * RUN_S) * 1e9,
            );
        }
    }

    /// Server hung for good from half time: ten requests in flight, the rest never sent.
    #[test]
    fn a_hang_until_the_end_is_in_the_tail() {
        for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
            let mut schedule = schedule(arrivals);
            let (hang, stop) = (Time::from_ns(5 * SECOND), Time::from_ns(10 * SECOND));
            let (mut answered, mut censored) = (Distribution::default(), Distribution::default());
            while schedule.take(hang).is_some() {
                answered.record(50_000, 1);
            }
            for _ in 0..10 {
                let due = schedule.take(stop).unwrap();
                censored.record(stop.ns_since(due), 1);
            }
            for due in schedule.untaken(stop) {
                censored.record(stop.ns_since(due), 1);
            }
            let due = schedule.due_by(stop);
            assert_eq!(answered.total() + censored.total(), due);
            let survival = Survival::new(&answered, &censored, &Distribution::default());
            let p99 = survival.quantile(0.99);
            assert!(matches!(p99, Some(Percentile::AtLeast(_))), "{p99:?}");
            let bound = p99.unwrap().ns() as f64 / 1e9;
            assert!((bound / (0.49 * RUN_S) - 1.0).abs() < 0.01, "{bound}");
            // By chance, more or fewer than half of Poisson requests are due in the second half.
            assert!(
                arrivals == Arrivals::Poisson || bound >= 0.49 * RUN_S,
                "{bound}"
            );
            assert_eq!(survival.quantile(0.25), Some(Percentile::Exactly(50_000)));
            let p75 = survival.quantile(0.75);
            assert!(matches!(p75, Some(Percentile::AtLeast(_))), "{p75:?}");
        }
    }

    /// A few requests in flight at the stop change nothing; a naive percentile would call them fast.
    #[test]
    fn requests_in_flight_at_the_stop_do_not_lower_a_percentile() {
        let answered = distribution(&[(1_000_000, 900), (9_000_000, 100)]);
        let censored = distribution(&[(1000, 500)]);
        let survival = Survival::new(&answered, &censored, &Distribution::default());
        close(survival.quantile(0.95), 9e6);
        close(survival.quantile(0.85), 1e6);
    }

    /// A server that closes after each reply, with ten requests in flight: nine are lost.
    #[test]
    fn a_lost_request_is_slower_than_every_reply() {
        let answered = distribution(&[(900_000, 990), (831_000_000, 10)]);
        let (lost, none) = (distribution(&[(900_000, 9000)]), Distribution::default());
        let survival = Survival::new(&answered, &none, &lost);
        close(survival.quantile(0.05), 900_000.0);
        let Some(Percentile::AtLeast(bound)) = survival.quantile(0.5) else {
            panic!("nine of ten requests have no reply");
        };
        assert!(bound < 901_000, "{bound}");
        // As if they were only watched no longer, the late replies would stand for all.
        let independent = Survival::new(&answered, &lost, &none);
        close(independent.quantile(0.5), 831_000_000.0);
    }

    #[test]
    fn a_few_lost_requests_leave_the_percentiles_below_them() {
        let answered = distribution(&[(1_000_000, 980)]);
        let (lost, none) = (distribution(&[(7_000_000, 20)]), Distribution::default());
        let survival = Survival::new(&answered, &none, &lost);
        close(survival.quantile(0.975), 1e6);
        assert_eq!(
            survival.quantile(0.99),
            Some(Percentile::AtLeast(7_000_000))
        );
    }
}
