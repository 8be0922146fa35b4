//! `--rounds auto`: rounds until every ratio is known to a precision.
//!
//! The rule looks at the interval after every pair of rounds, from the sixth on, and stops when
//! it is narrow enough. These repeated looks have a price: a spread that happens to look small
//! stops the rule too early, and a nominal 95 % interval would then contain the true ratio in only
//! 93 % of cases. So the rule uses 97 %, and its intervals contain it in 95 % or more
//! (`tests::stopping` counts).
//!
//! Once the noise is known, runs become longer if that helps more than further restarts. Rounds of
//! different lengths are weighted in inverse proportion to their variances.
//!
//! A pure state machine: rounds go in, the next step comes out.

use std::time::Duration;

use super::drift::{DriftFit, LogRatio};
use super::estimate::t_upper_tail;
use super::{Estimate, INTERVAL_ROUNDS_MIN, Interval, Margin, Variances};

/// Probability of an error for which the rule works, over all contestants; see the module's head.
pub const ALPHA_WORKING: f64 = 0.03;
/// Runs are lengthened only if the best length is this many times the present one.
const LENGTHENING_MIN: f64 = 1.5;
/// ... and by no more than this at a time: the variances are only estimates.
const LENGTHENING_MAX: f64 = 4.0;

/// The limits of a comparison that decides itself how long it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AutoRounds {
    /// Half of the width that the interval of each ratio has to reach.
    pub precision: Margin,
    /// The rule gives up after this many rounds.
    pub rounds_max: usize,
    /// Length of a run at the start; not zero.
    pub run_length: Duration,
    /// No run is longer.
    pub run_length_max: Duration,
    /// Time that a run takes on top of its length: start, warm-up, stop.
    pub overhead: Duration,
}

/// The evidence of one round about one contestant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundEvidence {
    /// ln(contestant / reference).
    pub log_ratio: f64,
    /// Runs from the reference's place in the round to the contestant's; 0 if unknown.
    pub slots_apart: i32,
    /// Variance of `log_ratio` as far as the windows within the two runs show it: the sum of
    /// their squared relative errors. `None` if there were too few windows.
    pub within_variance: Option<f64>,
}

/// The step that follows a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NextStep {
    /// Another round like the last one.
    AnotherRound,
    /// Another round, with runs of this length from now on.
    LongerRuns(Duration),
    /// Every ratio is known to the precision asked for.
    Precise,
    /// The largest number of rounds was reached before.
    RoundsMax,
}

/// The rule, fed with one round after another.
pub struct StoppingRule {
    limits: AutoRounds,
    contestants: Vec<Series>,
    rounds: usize,
    run_length: Duration,
    /// The number of rounds at which the length of runs is considered next.
    next_review: usize,
}

/// The rounds of one contestant.
#[derive(Default)]
struct Series {
    rounds: Vec<(RoundEvidence, Duration)>,
    fit: DriftFit,
    /// Of a round at the present run length; known from the first review on.
    variances: Option<Variances>,
}

impl StoppingRule {
    /// A rule for `contestants` that are compared with one reference.
    pub fn new(contestants: usize, limits: AutoRounds) -> StoppingRule {
        StoppingRule {
            limits,
            contestants: std::iter::repeat_with(Series::default)
                .take(contestants)
                .collect(),
            rounds: 0,
            run_length: limits.run_length,
            next_review: INTERVAL_ROUNDS_MIN,
        }
    }

    /// Takes the evidence of a round, in the order of the contestants; `None` for one that has
    /// failed, which no longer counts.
    pub fn record(&mut self, round: &[Option<RoundEvidence>]) -> NextStep {
        self.rounds += 1;
        for (series, evidence) in std::iter::zip(&mut self.contestants, round) {
            match evidence {
                Some(evidence) => series.add(*evidence, self.run_length),
                None => *series = Series::default(),
            }
        }
        // An odd number of rounds is not balanced against drift.
        if self.rounds.is_multiple_of(2) && self.rounds >= INTERVAL_ROUNDS_MIN && self.is_precise()
        {
            return NextStep::Precise;
        }
        if self.rounds >= self.limits.rounds_max {
            return NextStep::RoundsMax;
        }
        if self.rounds < self.next_review {
            return NextStep::AnotherRound;
        }
        self.next_review *= 2;
        match self.review_run_length() {
            Some(length) => NextStep::LongerRuns(length),
            None => NextStep::AnotherRound,
        }
    }

    /// The mean log ratio of a contestant; `None` with fewer than two rounds.
    pub fn estimate(&self, contestant: usize) -> Option<Estimate> {
        self.contestants.get(contestant)?.fit.estimate()
    }

    /// The 95 % interval of a contestant's ratio, which allows for the stopping and holds
    /// simultaneously with those of the others.
    pub fn interval(&self, contestant: usize) -> Option<Interval> {
        let confidence = 1.0 - self.alpha_each();
        Some(self.estimate(contestant)?.interval(confidence).exp())
    }

    /// The two sources of noise in a round of a contestant at the present run length, for the
    /// report; `None` before six rounds, or without windows.
    pub fn variances(&self, contestant: usize) -> Option<Variances> {
        self.contestants.get(contestant)?.split(self.run_length)
    }

    fn alpha_each(&self) -> f64 {
        let running = self.contestants.iter().filter(|s| !s.rounds.is_empty());
        ALPHA_WORKING / running.count().max(1) as f64
    }

    fn is_precise(&self) -> bool {
        let alpha = self.alpha_each();
        let half_width = self.limits.precision.log();
        let running = self.contestants.iter().filter(|s| !s.rounds.is_empty());
        let mut running = running.peekable();
        // Of no ratio at all, nothing is known.
        let is_any = running.peek().is_some();
        is_any
            && running.all(|series| {
                let estimate = series.fit.estimate();
                // The same as a half-width of at most that, without an inverse.
                estimate.is_some_and(|e| {
                    let t = half_width / e.standard_error;
                    e.standard_error == 0.0 || t_upper_tail(t, e.degrees) <= alpha / 2.0
                })
            })
    }

    /// The new run length, if longer runs pay for a contestant that is the hardest to measure.
    fn review_run_length(&mut self) -> Option<Duration> {
        let length = self.run_length;
        for series in &mut self.contestants {
            series.variances = series.split(length);
            series.weigh(length);
        }
        let total = |variances: &Variances| variances.with_runs(1.0);
        let split = self
            .contestants
            .iter()
            .filter_map(|series| series.variances);
        let hardest = split.max_by(|one, other| total(one).total_cmp(&total(other)))?;
        let overhead = self.limits.overhead.as_secs_f64() / length.as_secs_f64();
        let factor = hardest.best_length_factor(overhead).min(LENGTHENING_MAX);
        let longer = length.mul_f64(factor).min(self.limits.run_length_max);
        if longer < length.mul_f64(LENGTHENING_MIN) {
            return None;
        }
        self.run_length = longer;
        for series in &mut self.contestants {
            let times = longer.as_secs_f64() / length.as_secs_f64();
            series.variances = series.variances.map(|variances| Variances {
                within_runs: variances.within_runs / times,
                ..variances
            });
            series.weigh(longer);
        }
        Some(longer)
    }
}

impl Series {
    fn add(&mut self, evidence: RoundEvidence, length: Duration) {
        self.rounds.push((evidence, length));
        self.fit.add(&LogRatio {
            log_ratio: evidence.log_ratio,
            slots_apart: evidence.slots_apart,
            weight: 1.0,
        });
    }

    /// The two variances of a round with runs of `length`, from the rounds of about that length.
    fn split(&self, length: Duration) -> Option<Variances> {
        let alike: Vec<_> = self.rounds.iter().filter(|(_, l)| *l == length).collect();
        if alike.len() < INTERVAL_ROUNDS_MIN {
            return self.variances;
        }
        let mut fit = DriftFit::default();
        for (evidence, _) in &alike {
            fit.add(&LogRatio {
                log_ratio: evidence.log_ratio,
                slots_apart: evidence.slots_apart,
                weight: 1.0,
            });
        }
        let within: Option<Vec<f64>> = alike.iter().map(|(e, _)| e.within_variance).collect();
        let within = within?.iter().sum::<f64>() / alike.len() as f64;
        let of_rounds = fit.estimate()?.standard_error.powi(2) * alike.len() as f64;
        Some(Variances::split(of_rounds, within))
    }

    /// Weighs the rounds so that one with runs of `length` counts 1.
    fn weigh(&mut self, length: Duration) {
        let Some(variances) = self.variances.filter(|v| v.with_runs(1.0) > 0.0) else {
            return;
        };
        self.fit = DriftFit::default();
        for (evidence, own) in &self.rounds {
            let times = own.as_secs_f64() / length.as_secs_f64();
            self.fit.add(&LogRatio {
                log_ratio: evidence.log_ratio,
                slots_apart: evidence.slots_apart,
                weight: variances.with_runs(1.0) / variances.with_runs(times),
            });
        }
    }
}
