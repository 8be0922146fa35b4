//! Percentiles of requests of which some have no reply.
//!
//! A request without a reply (timed out, lost, in flight at the stop, never sent) is known only to
//! have taken at least its age: it is *right-censored*. The Kaplan-Meier estimate (Kaplan and Meier,
//! 1958) uses it as long as it was waiting. Where the estimate ends below a percentile, there is
//! still a lower bound that needs no assumption: the percentile if every censored request had been
//! answered at its age.

use super::buckets::highest;
use super::distribution::Distribution;
use crate::event_loop::Time;
use crate::load::schedule::Schedule;

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

/// Records the ages at `stop` of all requests that were due by then and not taken.
pub fn censor_backlog(schedule: &Schedule, stop: Time, ages: &mut Distribution) {
    for due in schedule.untaken(stop) {
        ages.record(stop.ns_since(due), 1);
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
    /// Kaplan-Meier's estimate of the share of requests that take no longer.
    done: f64,
    /// The share of requests that were answered or censored no later.
    gone: f64,
}

impl Survival {
    /// Kaplan-Meier's estimate over buckets. In a bucket with both, the replies come first.
    pub fn new(answered: &Distribution, censored: &Distribution) -> Survival {
        let total = answered.total() + censored.total();
        let (mut waiting, mut surviving) = (total, 1.0);
        let mut steps = Vec::new();
        let mut replies = answered.buckets().peekable();
        let mut ages = censored.buckets().peekable();
        while waiting > 0 {
            let next = [replies.peek(), ages.peek()];
            let Some(bucket) = next.into_iter().flatten().map(|&(bucket, _)| bucket).min() else {
                break;
            };
            let answered = replies
                .next_if(|&(at, _)| at == bucket)
                .map_or(0, |(_, n)| n);
            let censored = ages.next_if(|&(at, _)| at == bucket).map_or(0, |(_, n)| n);
            surviving *= 1.0 - answered as f64 / waiting as f64;
            waiting -= answered + censored;
            steps.push(Step {
                bucket,
                done: 1.0 - surviving,
                gone: 1.0 - waiting as f64 / total as f64,
            });
        }
        Survival {
            steps,
            max_ns: answered.max_ns(),
            max_age_ns: censored.max_ns(),
        }
    }

    /// The latency that the share `quantile` of all requests does not exceed; `None` without
    /// requests.
    pub fn quantile(&self, quantile: f64) -> Option<Percentile> {
        // The share of 990 of 1,000 must reach 0.99, whatever the last bits are.
        let reached = quantile - 1e-9;
        let done = self.steps.partition_point(|step| step.done < reached);
        if let Some(step) = self.steps.get(done) {
            return Some(Percentile::Exactly(highest(step.bucket).min(self.max_ns)));
        }
        let gone = self.steps.partition_point(|step| step.gone < reached);
        let step = self.steps.get(gone).or(self.steps.last())?;
        // The estimate ends at the last reply, so the percentile lies beyond that, too.
        Some(Percentile::AtLeast(
            highest(step.bucket).min(self.max_age_ns).max(self.max_ns),
        ))
    }

    /// The least percentile among `quantiles` that is only bounded from below.
    pub fn first_bounded(&self, quantiles: &[f64]) -> Option<f64> {
        let bounded =
            |&quantile: &f64| matches!(self.quantile(quantile), Some(Percentile::AtLeast(_)));
        quantiles
            .iter()
            .copied()
            .filter(bounded)
            .min_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::schedule::{Arrivals, Rate, SchedulePlan};

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
        let survival = Survival::new(&answered, &Distribution::default());
        for (quantile, ns) in [(0.5, 500), (0.9, 900), (0.99, 990), (0.999, 999)] {
            assert_eq!(survival.quantile(quantile), Some(Percentile::Exactly(ns)));
        }
        let none = Distribution::default();
        assert_eq!(Survival::new(&none, &none).quantile(0.5), None);
    }

    /// The textbook example of Kaplan and Meier's estimator: remission in weeks of 21 leukaemia
    /// patients (Freireich et al., 1963), `6*3 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+
    /// 32+ 34+ 35+`.
    #[test]
    fn the_estimate_is_kaplan_and_meiers() {
        let answered = [(6, 3), (7, 1), (10, 1), (13, 1), (16, 1), (22, 1), (23, 1)];
        let censored = [(6, 1), (9, 1), (10, 1), (11, 1), (17, 1), (19, 1), (20, 1)];
        let later = [(25, 1), (32, 2), (34, 1), (35, 1)];
        let survival = Survival::new(
            &distribution(&answered),
            &distribution(&[&censored[..], &later[..]].concat()),
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
        let survival = Survival::new(&answered, &Distribution::default());
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
            censor_backlog(&schedule, stop, &mut censored);
            let due = schedule.due_by(stop);
            assert_eq!(answered.total() + censored.total(), due);
            let survival = Survival::new(&answered, &censored);
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
            assert_eq!(survival.first_bounded(&[0.99, 0.25, 0.75]), Some(0.75));
        }
    }

    /// A few requests in flight at the stop change nothing; a naive percentile would call them fast.
    #[test]
    fn requests_in_flight_at_the_stop_do_not_lower_a_percentile() {
        let answered = distribution(&[(1_000_000, 900), (9_000_000, 100)]);
        let censored = distribution(&[(1000, 500)]);
        let survival = Survival::new(&answered, &censored);
        close(survival.quantile(0.95), 9e6);
        close(survival.quantile(0.85), 1e6);
    }

    #[test]
    fn a_backlog_is_censored_at_its_ages() {
        let mut schedule = Schedule::new(&SchedulePlan {
            rate: Rate::Constant(1e6),
            arrivals: Arrivals::Constant,
            seed: 0,
            worker: 0,
            workers: 1,
            start: Time::START,
            end: Time::NEVER,
        });
        let stop = Time::START + Duration::from_secs(1);
        assert_eq!(schedule.backlog(stop), 1_000_001);
        let mut ages = Distribution::default();
        censor_backlog(&schedule, stop, &mut ages);
        assert_eq!((ages.total(), ages.max_ns()), (1_000_001, SECOND));
    }
}
