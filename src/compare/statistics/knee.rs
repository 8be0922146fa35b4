//! The knee of a sweep: the load from which more load no longer brings more.
//!
//! A broken line is fitted to each walk over the loads, in logarithms of both: throughput rises
//! and is then flat, latency is flat and then rises. Each walk gives one knee. The interval comes
//! from repeated walks, up and down, for the points of one walk share its luck. Walks down that
//! have another knee than the walks up show hysteresis.

use super::{Estimate, INTERVAL_ROUNDS_MIN, Interval, Uncertainty};

/// Fewer points cannot show a bend beside noise.
const POINTS_MIN: usize = 4;
/// Places of the knee that are tried between two neighbouring points.
const PLACES_BETWEEN_POINTS: usize = 40;

/// The shape of the broken line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Throughput against load.
    RiseThenFlat,
    /// Latency against load.
    FlatThenRise,
}

/// The direction in which a walk went over the loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// From the smallest load to the largest.
    Up,
    /// From the largest load to the smallest.
    Down,
}

/// The knee of one walk; `None` with fewer than four points, without a bend between the second
/// and the last one but one, or if it bends the other way.
///
/// `points` are (load, figure), both positive, in any order.
pub fn knee_of_walk(points: &[(f64, f64)], shape: Shape) -> Option<f64> {
    let is_positive = |&(load, figure): &(f64, f64)| load > 0.0 && figure > 0.0;
    if points.len() < POINTS_MIN || !points.iter().all(is_positive) {
        return None;
    }
    let logs = points.iter().map(|(load, figure)| (load.ln(), figure.ln()));
    let mut logs: Vec<(f64, f64)> = logs.collect();
    logs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut best: Option<(f64, BrokenLine)> = None;
    for pair in logs[1..logs.len() - 1].windows(2) {
        for place in 0..=PLACES_BETWEEN_POINTS {
            let share = place as f64 / PLACES_BETWEEN_POINTS as f64;
            let knee = pair[0].0 + share * (pair[1].0 - pair[0].0);
            let line = BrokenLine::fit(&logs, knee, shape);
            if best.is_none_or(|(_, best)| line.squares < best.squares) {
                best = Some((knee, line));
            }
        }
    }
    let (knee, line) = best?;
    (line.slope > 0.0).then(|| knee.exp())
}

/// A line that is flat on one side of its knee.
#[derive(Clone, Copy)]
struct BrokenLine {
    slope: f64,
    /// Sum of the squared distances of the points.
    squares: f64,
}

impl BrokenLine {
    /// The best one with its bend at `knee`: least squares on the part beyond the bend.
    fn fit(points: &[(f64, f64)], knee: f64, shape: Shape) -> BrokenLine {
        let sloped = |x: f64| match shape {
            Shape::RiseThenFlat => (x - knee).min(0.0),
            Shape::FlatThenRise => (x - knee).max(0.0),
        };
        let count = points.len() as f64;
        let mean_x = points.iter().map(|(x, _)| sloped(*x)).sum::<f64>() / count;
        let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for (x, y) in points {
            let (x, y) = (sloped(*x) - mean_x, y - mean_y);
            (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
        }
        let slope = if xx > 0.0 { xy / xx } else { 0.0 };
        BrokenLine {
            slope,
            squares: yy - slope * xy,
        }
    }
}

/// A knee over several walks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knee {
    /// Geometric mean of the walks' knees.
    pub load: f64,
    /// Agreement of the walks.
    pub uncertainty: Uncertainty,
    /// 95 % interval of the knee on the way up divided by the one on the way down; an interval
    /// without 1 is hysteresis. `None` with fewer than six of each.
    pub up_to_down: Option<Interval>,
    /// Walks that had a knee.
    pub walks: usize,
}

impl Knee {
    /// `None` without any knee, or if fewer than half of the walks have one.
    pub fn over_walks(walks: &[(Walk, Option<f64>)]) -> Option<Knee> {
        let logs_of = |direction: Option<Walk>| -> Vec<f64> {
            let taken = walks
                .iter()
                .filter(|(walk, _)| direction.is_none_or(|direction| direction == *walk));
            taken
                .filter_map(|(_, knee)| Some(knee.as_ref()?.ln()))
                .collect()
        };
        let logs = logs_of(None);
        if logs.len() * 2 < walks.len() {
            return None;
        }
        let range = Interval {
            low: logs.iter().copied().reduce(f64::min)?,
            high: logs.iter().copied().reduce(f64::max)?,
        };
        let uncertainty = match logs.len() {
            1 => Uncertainty::Unknown,
            2..INTERVAL_ROUNDS_MIN => Uncertainty::Range(range.exp()),
            _ => Uncertainty::Confidence(Estimate::of_mean(&logs)?.interval(0.95).exp()),
        };
        let (up, down) = (logs_of(Some(Walk::Up)), logs_of(Some(Walk::Down)));
        let enough = up.len().min(down.len()) >= INTERVAL_ROUNDS_MIN;
        let difference = || {
            let difference = Estimate::of_mean(&up)?.minus(&Estimate::of_mean(&down)?);
            Some(difference.interval(0.95).exp())
        };
        Some(Knee {
            load: (logs.iter().sum::<f64>() / logs.len() as f64).exp(),
            uncertainty,
            up_to_down: enough.then(difference).flatten(),
            walks: logs.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::random::{Purpose, Random};

    const LOADS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

    /// A server that makes 1000 a second per connection up to its knee.
    fn walk(knee: f64, random: &mut Random) -> Vec<(f64, f64)> {
        // A knee of its own, as it depends on the start of the process, and noise on each point.
        let knee = knee * (0.05 * random.normal()).exp();
        let mut figure = |load: f64| 1000.0 * load.min(knee) * (0.03 * random.normal()).exp();
        LOADS.map(|load| (load, figure(load))).to_vec()
    }

    fn knee(up: f64, down: f64, index: u32) -> Knee {
        let mut random = Random::new(1, Purpose::Mock, index);
        let walks: Vec<_> = (0..12)
            .map(|number| {
                let (direction, knee) = match number % 2 {
                    0 => (Walk::Up, up),
                    _ => (Walk::Down, down),
                };
                let points = walk(knee, &mut random);
                (direction, knee_of_walk(&points, Shape::RiseThenFlat))
            })
            .collect();
        Knee::over_walks(&walks).unwrap()
    }

    #[test]
    fn a_bend_without_noise_is_found_where_it_is() {
        let throughput = LOADS.map(|load| (load, 100.0 * load.min(30.0)));
        let found = knee_of_walk(&throughput, Shape::RiseThenFlat).unwrap();
        assert!((found / 30.0 - 1.0).abs() < 0.03, "{found}");
        let latency = LOADS.map(|load| (load, 2.0 * load.max(70.0)));
        let found = knee_of_walk(&latency, Shape::FlatThenRise).unwrap();
        assert!((found / 70.0 - 1.0).abs() < 0.03, "{found}");
    }

    #[test]
    fn falling_few_or_silent_points_have_no_knee() {
        let falling = LOADS.map(|load| (load, 1.0 / load.min(30.0)));
        assert_eq!(knee_of_walk(&falling, Shape::RiseThenFlat), None);
        let three = [(1.0, 1.0), (2.0, 2.0), (3.0, 2.0)];
        assert_eq!(knee_of_walk(&three, Shape::RiseThenFlat), None);
        let silent = [(1.0, 1.0), (2.0, 0.0), (3.0, 2.0), (4.0, 2.0)];
        assert_eq!(knee_of_walk(&silent, Shape::RiseThenFlat), None);
    }

    #[test]
    fn the_interval_over_walks_holds_the_knee_in_95_percent() {
        let holds = |index: &u32| match knee(40.0, 40.0, *index).uncertainty {
            Uncertainty::Confidence(interval) => interval.contains(40.0),
            other => panic!("{other:?}"),
        };
        let coverage = (0..300).filter(holds).count();
        println!("{coverage} of 300");
        assert!((273..=294).contains(&coverage), "{coverage}");
    }

    #[test]
    fn hysteresis_is_found_and_not_invented() {
        let hysteresis = |up, down| {
            let found = |index: &u32| !knee(up, down, *index).up_to_down.unwrap().contains(1.0);
            (0..300).filter(found).count()
        };
        let (none, some) = (hysteresis(40.0, 40.0), hysteresis(44.0, 36.0));
        println!("{none} and {some} of 300");
        assert!(none <= 24 && some >= 285, "{none} {some}");
    }

    #[test]
    fn few_walks_have_a_range_and_most_must_have_a_knee() {
        let two = [(Walk::Up, Some(10.0)), (Walk::Down, Some(40.0))];
        let knee = Knee::over_walks(&two).unwrap();
        assert!((knee.load - 20.0).abs() < 1e-9);
        let Uncertainty::Range(range) = knee.uncertainty else {
            panic!("{knee:?}");
        };
        assert!((range.low - 10.0).abs() < 1e-9 && (range.high - 40.0).abs() < 1e-9);
        assert_eq!(knee.up_to_down, None);
        let few = [(Walk::Up, Some(10.0)), (Walk::Down, None), (Walk::Up, None)];
        assert_eq!(Knee::over_walks(&few), None);
    }
}
