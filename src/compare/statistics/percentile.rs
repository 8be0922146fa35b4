//! The interval of a percentile over rounds.
//!
//! Each round has its own p99. These values have a skewed distribution, and some are only lower
//! bounds (because of requests without a reply). So the interval is that of their median, by ranks
//! alone. It assumes no shape of the distribution, and its upper end may be open.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::INTERVAL_ROUNDS_MIN;

/// A latency in one round, in any unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RoundLatency {
    /// Measured.
    Exactly(f64),
    /// At least so much: too many requests had no reply.
    AtLeast(f64),
}

/// Bounds of which the upper one may be unknown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenInterval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound; `None` if these rounds do not bound it.
    pub high: Option<f64>,
}

/// The uncertainty of a percentile, by the number of its rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PercentileUncertainty {
    /// A single round.
    Unknown,
    /// Smallest and largest of too few rounds.
    Range(OpenInterval),
    /// The true median of rounds lies within, with a confidence of at least 95 %.
    Confidence(OpenInterval),
}

/// A percentile over rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PercentileOverRounds {
    /// The median of the rounds, `AtLeast` if it depends on open values.
    pub median: RoundLatency,
    /// The bounds by the rounds.
    pub uncertainty: PercentileUncertainty,
}

impl PercentileOverRounds {
    /// `None` without rounds.
    pub fn of_rounds(rounds: &[RoundLatency]) -> Option<PercentileOverRounds> {
        // An open value counts as its bound below, and as infinite above.
        let least = sorted(rounds, |latency| match latency {
            RoundLatency::Exactly(value) | RoundLatency::AtLeast(value) => value,
        });
        let most = sorted(rounds, |latency| match latency {
            RoundLatency::Exactly(value) => value,
            RoundLatency::AtLeast(_) => f64::INFINITY,
        });
        let middle = |sorted: &[f64]| {
            let (low, high) = ((sorted.len() - 1) / 2, sorted.len() / 2);
            f64::midpoint(sorted[low], sorted[high])
        };
        let last = rounds.len().checked_sub(1)?;
        let median = match middle(&most) {
            value if value.is_finite() && value == middle(&least) => RoundLatency::Exactly(value),
            _ => RoundLatency::AtLeast(middle(&least)),
        };
        let bounds = |rank: usize| OpenInterval {
            low: least[rank],
            high: Some(most[last - rank]).filter(|value| value.is_finite()),
        };
        let uncertainty = match rounds.len() {
            1 => PercentileUncertainty::Unknown,
            2..INTERVAL_ROUNDS_MIN => PercentileUncertainty::Range(bounds(0)),
            count => PercentileUncertainty::Confidence(bounds(rank_of_bound(count))),
        };
        Some(PercentileOverRounds {
            median,
            uncertainty,
        })
    }
}

fn sorted(rounds: &[RoundLatency], value: impl Fn(RoundLatency) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = rounds.iter().map(|&latency| value(latency)).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The largest rank (from 0) that leaves at most 2.5 % on its side: the number of rounds below
/// the true median is binomial with probability 1/2.
fn rank_of_bound(count: usize) -> usize {
    let Ok(below) = Binomial::new(0.5, count as u64) else {
        return 0;
    };
    let fits = |rank: &usize| below.cdf(*rank as u64) <= 0.025;
    (0..count / 2).take_while(fits).last().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::RoundLatency::{AtLeast, Exactly};
    use super::*;
    use crate::compare::random::{Purpose, Random};

    fn of(rounds: &[RoundLatency]) -> PercentileOverRounds {
        PercentileOverRounds::of_rounds(rounds).unwrap()
    }

    /// From printed tables of the sign test.
    #[test]
    fn ranks_are_those_of_the_sign_test() {
        let ranks = [6, 8, 9, 12, 15, 20, 100].map(rank_of_bound);
        assert_eq!(ranks, [0, 0, 1, 2, 3, 5, 39]);
    }

    #[test]
    fn few_rounds_have_a_range() {
        assert_eq!(PercentileOverRounds::of_rounds(&[]), None);
        assert_eq!(
            of(&[Exactly(1.0)]).uncertainty,
            PercentileUncertainty::Unknown
        );
        let three = of(&[Exactly(3.0), Exactly(1.0), AtLeast(2.0)]);
        let (low, high) = (1.0, None);
        assert_eq!(
            three.uncertainty,
            PercentileUncertainty::Range(OpenInterval { low, high })
        );
        assert_eq!(three.median, AtLeast(2.0));
    }

    #[test]
    fn an_open_value_opens_the_upper_end_only_where_it_decides() {
        let mut rounds = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0].map(Exactly);
        rounds[8] = AtLeast(0.5);
        let one_open = of(&rounds);
        // Ranked as 0.5 below, as infinite above.
        let (low, high) = (1.0, Some(8.0));
        assert_eq!(
            one_open.uncertainty,
            PercentileUncertainty::Confidence(OpenInterval { low, high })
        );
        assert_eq!(one_open.median, AtLeast(4.0));
        rounds[7] = AtLeast(8.0);
        let (low, high) = (1.0, None);
        assert_eq!(
            of(&rounds).uncertainty,
            PercentileUncertainty::Confidence(OpenInterval { low, high })
        );
        let high_open = of(&[1.0, 2.0, 3.0, 4.0, 5.0].map(Exactly));
        assert_eq!(high_open.median, Exactly(3.0));
    }

    /// Skewed latencies: e^(2 z), with a true median of 1.
    #[test]
    fn the_interval_holds_the_median_of_skewed_rounds_in_95_percent() {
        for count in [6, 9, 12, 20] {
            let holds = |index: &u32| {
                let mut random = Random::new(1, Purpose::Mock, *index);
                let rounds: Vec<_> = (0..count)
                    .map(|_| Exactly((2.0 * random.normal()).exp()))
                    .collect();
                match of(&rounds).uncertainty {
                    PercentileUncertainty::Confidence(interval) => {
                        interval.low <= 1.0 && interval.high.is_some_and(|high| high >= 1.0)
                    }
                    other => panic!("{other:?}"),
                }
            };
            let coverage = (0..1000).filter(holds).count();
            println!("{count} rounds: {coverage} of 1000");
            assert!((945..=985).contains(&coverage), "{count}: {coverage}");
        }
    }
}
