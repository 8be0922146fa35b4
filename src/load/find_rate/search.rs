//! The search of `--find-rate`, without the trials: it proposes a rate, takes the value of the trial
//! at it, and so on.
//!
//! One trial says little near the limit, where its percentile is noisy. A bisection that trusts
//! single trials returns a rate that is too high in a third of its searches. Here trials only
//! *propose* a rate; it is *signed* (confirmed) by fresh trials at that rate alone.
//!
//! 1. *Bracket*: double or halve the rate until one trial is within the limit and one beyond. The
//!    one beyond is repeated if it is far beyond: that may be a pause of the machine, which would end
//!    the search far below what the server can do.
//! 2. *Narrow*: fit a line to log(value) over log(rate) near the limit, and try where it crosses.
//! 3. *Verify*: at a rate near or below the crossing. The rate is signed if the one-sided upper
//!    bound of the mean of its fresh trials (of the logarithm of the value, by Student's t) is
//!    within the limit. An attempt that is not likely to pass is given up for one at a lower rate,
//!    and the last attempt, which is made well below the crossing, takes all trials that are left.
//!
//! A rate that is just too high passes one attempt with [`ERROR_CHANCE`]. Most attempts are made
//! below the limit, so that fewer than 5 % of whole searches sign a rate that is too high. That is
//! simulated below, for the percentile of a queue with its knee at 60 to 95 % of capacity.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Trials of a search, at most.
pub const TRIALS_MAX: usize = 25;
/// Chance that an attempt signs a rate that is too high, if its rate is.
pub const ERROR_CHANCE: f64 = 0.2;
/// Rates that are tried for a bracket, at most.
const BRACKET_RATES_MAX: usize = 8;
/// Trials that narrow a bracket.
const NARROW_TRIALS: usize = 4;
/// Fresh trials behind a signature, unless it is the last attempt.
const VERIFY_TRIALS: usize = 6;
/// Fresh trials behind a signature, at least.
const VERIFY_TRIALS_MIN: usize = 4;
/// An attempt is given up when it would pass only by an outcome this many standard errors away.
const HOPELESS: f64 = 1.3;
/// A later attempt is made where it passes by this many standard errors; the first, where it just
/// passes.
const RESERVE_NEXT: f64 = 0.8;
/// The same for the last.
const RESERVE_LAST: f64 = 2.5;
/// A later attempt is made at most at this part of the rate before.
const STEP_DOWN: f64 = 0.99;
/// Values beyond this factor from the limit do not count for the fit, and may be a pause.
const NEAR: f64 = 2.0;
/// Expected d log(value) / d log(rate), until trials show it: at 80 % of a queue's capacity.
const SLOPE_PRIOR: f64 = 4.0;
const SLOPE_PRIOR_WEIGHT: f64 = 0.1;
const SLOPES: std::ops::RangeInclusive<f64> = 1.0..=30.0;
/// Expected noise of log(value), with the weight of this many trials.
const NOISE_PRIOR: f64 = 0.2;
const NOISE_PRIOR_TRIALS: f64 = 2.0;

/// One trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// Its rate, requests per second.
    pub rate: f64,
    /// The value of the objective's metric; infinite if the trial had no such value.
    pub value: f64,
    /// Reason for making it.
    pub purpose: Purpose,
}

/// Reason for a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// To find rates on both sides of the limit.
    Bracket,
    /// To come near the limit.
    Narrow,
    /// To sign a rate.
    Verify,
}

/// The outcome of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The signed rate, with the upper bound of the value there; `None` if no attempt passed.
    pub signed: Option<Signed>,
    /// The highest rate with a trial within the limit below every failed one, and the lowest rate
    /// with a trial beyond it; `None` where there was no such trial.
    pub bracket: (Option<f64>, Option<f64>),
    /// A trial was within the limit.
    pub any_within: bool,
    /// A trial was beyond it.
    pub any_beyond: bool,
    /// Every trial, in order.
    pub trials: Vec<Trial>,
}

/// A rate within the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signed {
    /// Requests per second.
    pub rate: f64,
    /// One-sided upper bound of the value there; at most the limit.
    pub bound: f64,
}

/// A search under way.
#[derive(Clone, Debug)]
pub struct RateSearch {
    limit: f64,
    trials: Vec<Trial>,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Bracket { rate: f64 },
    Narrow { rate: f64, left: usize },
    Verify(Attempt),
    Done { signed: Option<Signed> },
}

/// An attempt to sign a rate.
#[derive(Clone, Debug)]
struct Attempt {
    rate: f64,
    /// Fresh trials that it takes.
    trials: usize,
    /// log(value / limit) of those that were made.
    logs: Vec<f64>,
}

impl RateSearch {
    /// A search for the highest rate whose value is at most `limit`, from `first_rate` on; both above
    /// 0.
    pub fn new(limit: f64, first_rate: f64) -> RateSearch {
        RateSearch {
            limit,
            trials: Vec::new(),
            phase: Phase::Bracket { rate: first_rate },
        }
    }

    /// The rate of the next trial and its purpose; `None` when the search is over.
    pub fn next(&self) -> Option<(f64, Purpose)> {
        match &self.phase {
            Phase::Bracket { rate } => Some((*rate, Purpose::Bracket)),
            Phase::Narrow { rate, .. } => Some((*rate, Purpose::Narrow)),
            Phase::Verify(attempt) => Some((attempt.rate, Purpose::Verify)),
            Phase::Done { .. } => None,
        }
    }

    /// Takes the value of the trial at [`RateSearch::next`]. Ignored when the search is over.
    pub fn take(&mut self, value: f64) {
        let Some((rate, purpose)) = self.next() else {
            return;
        };
        self.trials.push(Trial {
            rate,
            value,
            purpose,
        });
        let phase = std::mem::replace(&mut self.phase, Phase::Done { signed: None });
        self.phase = match phase {
            Phase::Bracket { .. } => self.after_bracket(),
            Phase::Narrow { left, .. } if left > 1 => self.narrow(left - 1),
            Phase::Narrow { .. } => self.first_attempt(),
            Phase::Verify(mut attempt) => {
                attempt.logs.push((value / self.limit).ln());
                self.after_verify(attempt)
            }
            done @ Phase::Done { .. } => done,
        };
    }

    /// The outcome so far; it is final when [`RateSearch::next`] is `None`.
    pub fn found(&self) -> Found {
        let signed = match self.phase {
            Phase::Done { signed } => signed,
            _ => None,
        };
        Found {
            signed,
            bracket: self.bracket(),
            any_within: self.trials.iter().any(|trial| trial.value <= self.limit),
            any_beyond: self.trials.iter().any(|trial| trial.value > self.limit),
            trials: self.trials.clone(),
        }
    }

    fn bracket(&self) -> (Option<f64>, Option<f64>) {
        let failed = self.trials.iter().filter(|trial| self.has_failed(trial));
        let high = failed.map(|trial| trial.rate).min_by(f64::total_cmp);
        let passed = self.trials.iter().filter(|trial| trial.value <= self.limit);
        let below = passed.filter(|trial| high.is_none_or(|high| trial.rate < high));
        (below.map(|trial| trial.rate).max_by(f64::total_cmp), high)
    }

    /// A trial beyond the limit counts for nothing if its repetition was within it.
    fn has_failed(&self, trial: &Trial) -> bool {
        let is_repeated = trial.purpose == Purpose::Bracket;
        let mut bracket = self.bracket_trials_at(trial.rate);
        let has_passed = is_repeated && bracket.any(|trial| trial.value <= self.limit);
        trial.value > self.limit && !has_passed
    }

    /// The only trial at a rate was far beyond the limit. A value near it is due to the server.
    fn may_be_a_pause(&self, rate: f64) -> bool {
        let mut trials = self.bracket_trials_at(rate);
        let first = trials.next().map(|trial| trial.value);
        trials.next().is_none() && first.is_some_and(|value| value > NEAR * self.limit)
    }

    fn bracket_trials_at(&self, rate: f64) -> impl Iterator<Item = &Trial> {
        let trials = self.trials.iter();
        trials.filter(move |trial| trial.rate == rate && trial.purpose == Purpose::Bracket)
    }

    fn after_bracket(&self) -> Phase {
        let mut rates: Vec<f64> = self.trials.iter().map(|trial| trial.rate).collect();
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        let is_last = rates.len() >= BRACKET_RATES_MAX;
        match self.bracket() {
            (Some(_), Some(high)) if self.may_be_a_pause(high) => Phase::Bracket { rate: high },
            (Some(_), Some(_)) => self.narrow(NARROW_TRIALS),
            // No trial shows where the limit is: the highest rate is as good as any.
            (Some(rate), None) if is_last => Phase::Verify(Attempt {
                rate,
                trials: VERIFY_TRIALS,
                logs: Vec::new(),
            }),
            (Some(low), None) => Phase::Bracket { rate: low * 2.0 },
            (None, _) if is_last => Phase::Done { signed: None },
            (None, high) => Phase::Bracket {
                rate: high.unwrap_or(1.0) / 2.0,
            },
        }
    }

    fn narrow(&self, left: usize) -> Phase {
        let rate = self.crossing(&self.fit());
        Phase::Narrow { rate, left }
    }

    /// Where the fitted line crosses the limit, within the bracket; the middle of the bracket as long
    /// as no trial is near the limit.
    fn crossing(&self, fit: &Option<Line>) -> f64 {
        let low = self.low_end();
        let high = self.bracket().1.unwrap_or(low);
        match fit {
            // Contradicting trials may leave the crossing a little outside.
            Some(line) => line.crossing.exp().clamp(low / 1.5, high * 1.5),
            None => (low * high).sqrt(),
        }
    }

    /// The highest rate that passed below every failed one; without one, half of the lowest that
    /// failed.
    fn low_end(&self) -> f64 {
        let (low, high) = self.bracket();
        let half = high.map_or(f64::MIN_POSITIVE, |high| high / 2.0);
        low.unwrap_or(half)
    }

    fn first_attempt(&self) -> Phase {
        self.attempt(0.0, f64::INFINITY)
    }

    /// An attempt at a rate below `rate_max`, where it is expected to pass by `reserve` standard
    /// errors; if it is the last, by more.
    fn attempt(&self, reserve: f64, rate_max: f64) -> Phase {
        let left = TRIALS_MAX - self.trials.len();
        if left < VERIFY_TRIALS_MIN {
            return Phase::Done { signed: None };
        }
        let (trials, reserve) = match left < VERIFY_TRIALS + VERIFY_TRIALS_MIN {
            true => (left, RESERVE_LAST),
            false => (VERIFY_TRIALS, reserve),
        };
        let line = self.fit().unwrap_or(Line {
            crossing: self.low_end().ln(),
            slope: SLOPE_PRIOR,
            noise: NOISE_PRIOR,
            weight: 1.0,
        });
        let error = (1.0 / trials as f64 + 1.0 / line.weight).sqrt();
        let margin = line.noise * (bound_factor(trials) + reserve * error) / line.slope;
        Phase::Verify(Attempt {
            rate: (line.crossing - margin).exp().min(rate_max),
            trials,
            logs: Vec::new(),
        })
    }

    fn after_verify(&self, attempt: Attempt) -> Phase {
        let bound = upper_bound(&attempt.logs);
        if attempt.logs.len() == attempt.trials && bound <= 0.0 {
            let signed = Some(Signed {
                rate: attempt.rate,
                bound: self.limit * bound.exp(),
            });
            return Phase::Done { signed };
        }
        if attempt.logs.len() == attempt.trials || self.is_hopeless(&attempt) {
            return self.attempt(RESERVE_NEXT, attempt.rate * STEP_DOWN);
        }
        Phase::Verify(attempt)
    }

    /// The trials that are left would have to be better than those that were made by too much.
    fn is_hopeless(&self, attempt: &Attempt) -> bool {
        let (made, all) = (attempt.logs.len() as f64, attempt.trials as f64);
        let mean = attempt.logs.iter().sum::<f64>() / made;
        if !mean.is_finite() {
            return mean > 0.0;
        }
        let left = all - made;
        let noise = self.fit().map_or(NOISE_PRIOR, |line| line.noise);
        let needed_of_all = -noise * bound_factor(attempt.trials);
        let needed_of_rest = (needed_of_all * all - mean * made) / left;
        let error = noise * (1.0 / left + 1.0 / made).sqrt();
        made >= 2.0 && mean - needed_of_rest > HOPELESS * error
    }

    /// A weighted line through the trials near the limit, in logarithms.
    fn fit(&self) -> Option<Line> {
        let near = self.trials.iter().filter_map(|trial| {
            let y = (trial.value / self.limit).ln();
            let distance = y / NEAR.ln();
            (distance.abs() < 1.0).then(|| (trial.rate.ln(), y, 1.0 - distance * distance))
        });
        let near: Vec<_> = near.collect();
        let weight: f64 = near.iter().map(|point| point.2).sum();
        if near.is_empty() {
            return None;
        }
        let mean = |of: fn(&(f64, f64, f64)) -> f64| {
            near.iter().map(|point| of(point) * point.2).sum::<f64>() / weight
        };
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let products = |point: &(f64, f64, f64)| point.2 * (point.0 - x) * (point.1 - y);
        let squares = |point: &(f64, f64, f64)| point.2 * (point.0 - x).powi(2);
        let product = near.iter().map(products).sum::<f64>() + SLOPE_PRIOR_WEIGHT * SLOPE_PRIOR;
        let square = near.iter().map(squares).sum::<f64>() + SLOPE_PRIOR_WEIGHT;
        let slope = (product / square).clamp(*SLOPES.start(), *SLOPES.end());
        let residual =
            |point: &(f64, f64, f64)| point.2 * (point.1 - y - slope * (point.0 - x)).powi(2);
        let residuals = near.iter().map(residual).sum::<f64>();
        let prior = NOISE_PRIOR * NOISE_PRIOR * NOISE_PRIOR_TRIALS;
        let freedom = (weight - 1.0).max(0.0) + NOISE_PRIOR_TRIALS;
        Some(Line {
            crossing: x - y / slope,
            slope,
            noise: ((residuals + prior) / freedom).sqrt(),
            weight,
        })
    }
}

/// log(value / limit) = slope (log(rate) - crossing), give or take the noise.
#[derive(Clone, Copy, Debug)]
struct Line {
    crossing: f64,
    slope: f64,
    noise: f64,
    /// Trials behind it.
    weight: f64,
}

/// The one-sided upper bound of the mean, wrong with [`ERROR_CHANCE`].
fn upper_bound(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let bound = mean + bound_factor(values.len()) * (squares / (n - 1.0)).sqrt();
    // An infinite value has no bound.
    if bound.is_nan() { f64::INFINITY } else { bound }
}

/// Distance of the upper bound from the mean of this many values, in standard deviations.
fn bound_factor(values: usize) -> f64 {
    let freedom = values.saturating_sub(1).max(1) as f64;
    let t = StudentsT::new(0.0, 1.0, freedom).expect("degrees of freedom are at least 1");
    t.inverse_cdf(1.0 - ERROR_CHANCE) / (values as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::statistics::test_queue::Random;

    const LIMIT: f64 = 5e6;

    /// The p99 of M/M/1 as a function of the rate, and where it is `LIMIT`.
    #[derive(Clone, Copy)]
    struct Server {
        knee: f64,
        capacity: f64,
    }

    impl Server {
        /// A server with its knee at this load.
        fn with_knee_at(load: f64) -> Server {
            Server {
                knee: 10_000.0,
                capacity: 10_000.0 / load,
            }
        }

        fn p99(&self, rate: f64) -> f64 {
            if rate >= self.capacity {
                return f64::INFINITY;
            }
            LIMIT * (self.capacity - self.knee) / (self.capacity - rate)
        }

        fn trial(&self, rate: f64, noise: f64, random: &mut Random) -> f64 {
            self.p99(rate) * (noise * random.normal()).exp()
        }
    }

    #[derive(Default)]
    struct Score {
        over: u32,
        unsigned: u32,
        share_of_knee: f64,
        trials_max: usize,
    }

    /// The outcomes of searches, of whose trials a share meets a pause of the machine.
    fn score(load: f64, noise: f64, pauses: f64, searches: u64) -> Score {
        let server = Server::with_knee_at(load);
        let mut score = Score::default();
        for seed in 0..searches {
            let mut random = Random::seeded(seed);
            // From a sixteenth of the knee to four times the knee.
            let first = server.knee * 2f64.powf(6.0 * random.uniform() - 4.0);
            let mut search = RateSearch::new(LIMIT, first);
            while let Some((rate, _)) = search.next() {
                let value = server.trial(rate, noise, &mut random);
                let is_paused = pauses > 0.0 && random.uniform() < pauses;
                search.take(if is_paused { f64::INFINITY } else { value });
            }
            let found = search.found();
            score.trials_max = score.trials_max.max(found.trials.len());
            let rate = found.signed.map_or(0.0, |signed| signed.rate);
            score.unsigned += u32::from(found.signed.is_none());
            score.over += u32::from(server.p99(rate) > LIMIT);
            score.share_of_knee += rate / server.knee / searches as f64;
        }
        println!(
            "knee at load {load}, noise {noise}, pauses {pauses}: over {}, unsigned {}, mean {:.3} of the knee, at most {} trials",
            score.over, score.unsigned, score.share_of_knee, score.trials_max
        );
        score
    }

    #[test]
    fn a_signed_rate_is_seldom_too_high_and_not_far_below() {
        // The flatter the curve at its knee, the more rate a margin in latency costs.
        for (load, share_min) in [(0.6, 0.7), (0.8, 0.9), (0.9, 0.9), (0.95, 0.9)] {
            for noise in [0.05, 0.15, 0.30] {
                let score = score(load, noise, 0.0, 1000);
                assert!(score.over <= 50, "{} of 1000 over", score.over);
                assert!(score.share_of_knee >= share_min, "{}", score.share_of_knee);
                assert!(score.trials_max <= TRIALS_MAX);
            }
        }
    }

    /// One trial in twenty is beyond any limit, at whatever rate.
    #[test]
    fn pauses_of_the_machine_cost_little_of_the_rate() {
        for noise in [0.05, 0.15, 0.30] {
            let score = score(0.9, noise, 0.05, 1000);
            assert!(score.over <= 50, "{} of 1000 over", score.over);
            assert!(score.share_of_knee >= 0.9, "{}", score.share_of_knee);
        }
    }

    /// At a rate that is just too high, an attempt signs with its error chance.
    #[test]
    fn the_bound_of_a_mean_is_wrong_as_often_as_it_says() {
        let mut random = Random::seeded(1);
        let wrong = (0..4000).filter(|_| {
            let values: Vec<f64> = (0..VERIFY_TRIALS).map(|_| 0.3 * random.normal()).collect();
            upper_bound(&values) <= 0.0
        });
        let wrong = wrong.count();
        // 800, within four standard errors.
        assert!((700..=900).contains(&wrong), "{wrong} of 4000");
        assert_eq!(upper_bound(&[0.1, f64::INFINITY, 0.1]), f64::INFINITY);
    }

    /// Mutilate's rule: bisection on single trials, then down by 2 % until a trial passes.
    #[test]
    fn the_rule_of_single_trials_is_often_too_high() {
        let server = Server::with_knee_at(0.9);
        for (noise, over_min) in [(0.15, 100), (0.30, 100)] {
            let over = (0..1000).filter(|&seed| {
                let mut random = Random::seeded(seed);
                let (mut low, mut high) = (server.knee / 4.0, server.knee * 2.0);
                while high / low > 1.01 {
                    let middle = (low + high) / 2.0;
                    match server.trial(middle, noise, &mut random) <= LIMIT {
                        true => low = middle,
                        false => high = middle,
                    }
                }
                let mut rate = low;
                while server.trial(rate, noise, &mut random) > LIMIT {
                    rate *= 0.98;
                }
                server.p99(rate) > LIMIT
            });
            let over = over.count();
            println!("mutilate's rule, noise {noise}: {over} of 1000 over");
            assert!(over >= over_min, "{over}");
        }
    }

    #[test]
    fn a_server_that_never_meets_the_objective_has_no_rate() {
        let mut search = RateSearch::new(LIMIT, 1000.0);
        while search.next().is_some() {
            search.take(f64::INFINITY);
        }
        let found = search.found();
        assert_eq!((found.signed, found.bracket.0), (None, None));
        assert_eq!(found.trials.len(), BRACKET_RATES_MAX);
    }

    #[test]
    fn a_server_that_always_meets_it_has_the_highest_rate_tried() {
        let mut search = RateSearch::new(LIMIT, 1000.0);
        while search.next().is_some() {
            search.take(1.0);
        }
        let found = search.found();
        let rate = found.signed.map(|signed| signed.rate);
        assert_eq!((rate, found.bracket), (Some(128_000.0), (rate, None)));
        let bound = found.signed.map_or(0.0, |signed| signed.bound);
        assert_near(bound, 1.0);
        assert_eq!(found.trials.len(), BRACKET_RATES_MAX + VERIFY_TRIALS);
    }

    /// Beyond the knee there is nothing near the limit: only a bracket.
    #[test]
    fn a_cliff_is_found_without_a_slope() {
        let mut search = RateSearch::new(LIMIT, 1000.0);
        while let Some((rate, _)) = search.next() {
            search.take(if rate < 10_000.0 { 1e5 } else { f64::INFINITY });
        }
        let found = search.found();
        let rate = found.signed.unwrap().rate;
        assert!((8500.0..10_000.0).contains(&rate), "{rate}");
        let narrow = |trial: &&Trial| trial.purpose == Purpose::Narrow;
        assert_eq!(found.trials.iter().filter(narrow).count(), NARROW_TRIALS);
    }

    #[track_caller]
    /// A pause at a rate below every other leaves no passed rate below the failed ones.
    #[test]
    fn a_pause_below_a_cliff_does_not_end_the_search_at_nothing() {
        let mut search = RateSearch::new(LIMIT, 9_700.0);
        let mut has_paused = false;
        while let Some((rate, purpose)) = search.next() {
            let is_pause = purpose == Purpose::Verify && !has_paused;
            has_paused |= is_pause;
            search.take(if is_pause || rate > 10_000.0 {
                f64::INFINITY
            } else {
                LIMIT / 10.0
            });
        }
        let rate = search.found().signed.expect("a rate").rate;
        assert!((4_000.0..10_000.0).contains(&rate), "{rate}");
    }

    fn assert_near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-4, "{found} {expected}");
    }

    /// A search with a limit of 1 after trials at these rates with these values.
    fn after(trials: &[(f64, f64)]) -> RateSearch {
        let trial = |&(rate, value): &(f64, f64)| Trial {
            rate,
            value,
            purpose: Purpose::Bracket,
        };
        RateSearch {
            trials: trials.iter().map(trial).collect(),
            ..RateSearch::new(1.0, 1000.0)
        }
    }

    /// The figures were computed apart from this code.
    #[test]
    fn the_line_is_fitted_to_the_trials_near_the_limit() {
        let far = [
            (50.0, 0.5),
            (90.0, 0.4),
            (300.0, 2.0),
            (400.0, f64::INFINITY),
        ];
        let near = [(100.0, 0.8), (150.0, 1.2), (200.0, 1.8)];
        let line = after(&[&far[..], &near].concat()).fit().expect("a line");
        assert_near(line.crossing, 4.849_342_454_5);
        assert_near(line.slope, 2.349_073_008_2);
        assert_near(line.noise, 0.304_020_599_4);
        assert_near(line.weight, 2.108_076_449_5);
        assert!(after(&far).fit().is_none());
    }

    #[test]
    fn a_fit_to_little_is_what_was_expected_before() {
        let line = after(&[(100.0, 1.0)]).fit().expect("a line");
        assert_near(line.crossing.exp(), 100.0);
        assert_eq!((line.slope, line.weight), (4.0, 1.0));
        assert_near(line.noise, 0.2);
        // The weight of these two is less than one trial's.
        let line = after(&[(100.0, 1.9), (110.0, 1.9)]).fit().expect("a line");
        assert_near(line.noise, 0.212_396_807_6);
    }

    /// Six trials with a noise of 0.2 need a mean of -0.0751 in all.
    #[test]
    fn an_attempt_is_hopeless_if_the_rest_would_have_to_be_much_better() {
        let search = after(&[]);
        let is_hopeless = |logs: &[f64]| {
            search.is_hopeless(&Attempt {
                rate: 1000.0,
                trials: 6,
                logs: logs.to_vec(),
            })
        };
        assert!(!is_hopeless(&[5.0]));
        // 1.5 x mean > 1.3 x 0.2 sqrt(1/4 + 1/2) - 0.1126.
        assert!(!is_hopeless(&[0.064, 0.084]));
        assert!(is_hopeless(&[0.066, 0.086]));
        // 2 x mean > 1.3 x 0.2 sqrt(1/3 + 1/3) - 0.1502.
        assert!(!is_hopeless(&[0.0, 0.03, 0.06]));
        assert!(is_hopeless(&[0.002, 0.032, 0.062]));
        assert!(is_hopeless(&[f64::INFINITY]));
        assert!(!is_hopeless(&[f64::NEG_INFINITY, 0.5]));
    }

    #[test]
    fn a_hopeless_attempt_is_given_up_for_a_lower_rate() {
        let mut search = after(&[(2000.0, 1.0)]);
        search.phase = Phase::Verify(Attempt {
            rate: 1000.0,
            trials: VERIFY_TRIALS,
            logs: Vec::new(),
        });
        search.take(3.0);
        assert_eq!(search.next(), Some((1000.0, Purpose::Verify)));
        search.take(3.0);
        // The trial at 2,000 would allow more.
        assert_eq!(search.next(), Some((990.0, Purpose::Verify)));
    }

    #[test]
    fn a_bound_is_the_mean_and_so_many_deviations() {
        assert_near(bound_factor(6), 0.919_544 / 6f64.sqrt());
        assert_near(bound_factor(4), 0.978_472 / 2.0);
        assert_near(upper_bound(&[1.0, 3.0]), 2.0 + 1.376_382);
    }

    #[test]
    fn a_bracket_lies_below_every_failed_trial() {
        let bracket = |trials: &[(f64, f64)]| after(trials).bracket();
        assert_eq!(
            bracket(&[(100.0, 1.0), (200.0, 1.1)]),
            (Some(100.0), Some(200.0))
        );
        // Other than in a bracket, a rate is tried again for its own sake.
        let mut narrowed = after(&[(100.0, 0.9), (100.0, 1.1)]);
        narrowed.trials[1].purpose = Purpose::Verify;
        narrowed.trials[0].purpose = Purpose::Verify;
        assert_eq!(narrowed.bracket(), (None, Some(100.0)));
        let crossed = [(50.0, 0.5), (100.0, 1.1), (200.0, 0.9)];
        assert_eq!(bracket(&crossed), (Some(50.0), Some(100.0)));
    }

    #[test]
    fn the_trial_that_closes_a_bracket_is_repeated() {
        let mut search = RateSearch::new(1.0, 1000.0);
        search.take(f64::INFINITY);
        search.take(0.5);
        assert_eq!(search.next(), Some((1000.0, Purpose::Bracket)));
        let mut confirmed = search.clone();
        confirmed.take(f64::INFINITY);
        assert_eq!(confirmed.bracket(), (Some(500.0), Some(1000.0)));
        assert!(matches!(confirmed.next(), Some((_, Purpose::Narrow))));
        search.take(0.5);
        assert_eq!(search.bracket(), (Some(1000.0), None));
        assert_eq!(search.next(), Some((2000.0, Purpose::Bracket)));
    }

    #[test]
    fn a_rate_that_is_too_high_is_halved() {
        let mut search = RateSearch::new(1.0, 1000.0);
        search.take(f64::INFINITY);
        assert_eq!(search.next(), Some((500.0, Purpose::Bracket)));
    }

    #[test]
    fn the_crossing_is_kept_near_the_bracket() {
        let search = after(&[(100.0, 0.1), (400.0, 9.0)]);
        let crossing = |rate: f64| {
            search.crossing(&Some(Line {
                crossing: rate.ln(),
                slope: 4.0,
                noise: 0.2,
                weight: 1.0,
            }))
        };
        assert_near(crossing(1.0), 100.0 / 1.5);
        assert_near(crossing(150.0), 150.0);
        assert_near(crossing(1e6), 600.0);
        assert_near(search.crossing(&None), 200.0);
    }

    /// Where no trial is near the limit, the prior's slope and noise count as one trial.
    #[test]
    fn an_attempt_is_made_below_the_crossing_and_the_last_with_all_that_is_left() {
        let attempt = |made: usize| match after(&vec![(1000.0, 0.1); made]).first_attempt() {
            Phase::Verify(attempt) => Some(attempt),
            _ => None,
        };
        let margin = |trials: f64, factor: f64, reserve: f64| {
            0.2 * (factor + reserve * (1.0 / trials + 1.0).sqrt()) / 4.0
        };
        let first = attempt(15).expect("ten trials are left");
        assert_eq!(first.trials, 6);
        assert_near(first.rate, 1000.0 * (-margin(6.0, 0.375_403, 0.0)).exp());
        let last = attempt(16).expect("nine are left");
        assert_eq!(last.trials, 9);
        assert_near(last.rate, 1000.0 * (-margin(9.0, 0.296_296, 2.5)).exp());
        assert_eq!(attempt(21).map(|attempt| attempt.trials), Some(4));
        assert!(attempt(22).is_none());
    }
}
