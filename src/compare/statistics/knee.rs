//! The knee of a sweep: the load from which throughput no longer rises.
//!
//! A line with one bend is fitted to each walk over the loads, in logarithms of both: throughput
//! rises and is then flat, latency is flat and then rises. Each walk gives one knee. The interval
//! comes from repeated walks, with rising and with falling load, because the points of one walk are
//! not independent. If falling load has another knee than rising load, the server shows hysteresis.
//!
//! Some line with a bend fits best to every curve. It counts only if, over all walks together, it
//! fits clearly better than a straight line and than a flat one.

use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use super::{Estimate, INTERVAL_ROUNDS_MIN, Interval, Uncertainty};

/// Fewer points cannot show a bend beside noise.
const POINTS_MIN: usize = 4;
/// Places of the knee that are tried between two neighbouring points.
const PLACES_BETWEEN_POINTS: usize = 40;
/// Level of each of the two tests. Their critical values are those of a knee whose place is known;
/// the search for it makes false knees more frequent, but not above 5 %.
const ALPHA: f64 = 0.01;
/// A smaller rise, in logarithms, is no rise to speak of, however sure it is.
const RISE_MIN: f64 = 0.05;

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

/// The knee of each of `walks`, in their order. All are `None` unless the walks together show a
/// bend between the second load and the last one but one: a broken line fits them better than a
/// straight and a flat one, each by an F test. One is `None` with fewer than four points, or if
/// it does not bend that way itself.
///
/// Walks are points (load, figure), both positive, in any order. With four loads, a single walk
/// shows a bend only almost without noise: it takes two walks or more, or more loads.
pub fn knees_of_walks(walks: &[Vec<(f64, f64)>], shape: Shape) -> Vec<Option<f64>> {
    let logs: Vec<Option<Curve>> = walks.iter().map(|points| curve_of(points)).collect();
    let known: Vec<&Curve> = logs.iter().flatten().collect();
    let is_shown = Fit::of(&known, shape).is_some_and(|fit| fit.is_shown());
    let knee = |curve: &Option<Curve>| {
        let fit = Fit::of(&[curve.as_ref()?], shape)?;
        (is_shown && fit.bends()).then(|| fit.best.knee.exp())
    };
    logs.iter().map(knee).collect()
}

/// Logarithms of the points of a walk, in the order of the loads.
type Curve = Vec<(f64, f64)>;

/// `None` with too few points, or if one is not positive.
fn curve_of(points: &[(f64, f64)]) -> Option<Curve> {
    let is_positive = |&(load, figure): &(f64, f64)| load > 0.0 && figure > 0.0;
    if points.len() < POINTS_MIN || !points.iter().all(is_positive) {
        return None;
    }
    let logs = points.iter().map(|(load, figure)| (load.ln(), figure.ln()));
    let mut logs: Curve = logs.collect();
    logs.sort_by(|one, other| one.0.total_cmp(&other.0));
    Some(logs)
}

/// The best broken line through some walks, beside the lines without a bend.
#[derive(Clone, Copy)]
struct Fit {
    best: BrokenLine,
    /// Sum of the squared distances of the points to a straight line.
    straight_squares: f64,
    /// The same to a flat line.
    flat_squares: f64,
    /// Points less the parameters of the broken line.
    degrees: f64,
}

impl Fit {
    /// `None` without walks.
    fn of(walks: &[&Curve], shape: Shape) -> Option<Fit> {
        let mut loads: Vec<f64> = walks
            .iter()
            .flat_map(|walk| walk.iter().map(|(x, _)| *x))
            .collect();
        loads.sort_by(f64::total_cmp);
        loads.dedup();
        let inner = loads.get(1..loads.len().checked_sub(1)?)?;
        let places = inner.windows(2).flat_map(|pair| {
            let share = |place| place as f64 / PLACES_BETWEEN_POINTS as f64;
            (0..=PLACES_BETWEEN_POINTS)
                .map(move |place| pair[0] + share(place) * (pair[1] - pair[0]))
        });
        let lines = places.map(|knee| BrokenLine::fit(walks, knee, shape));
        let best = lines.min_by(|one, other| one.squares.total_cmp(&other.squares))?;
        // A line with its bend at the end of the sloped part is straight.
        let end = match shape {
            Shape::RiseThenFlat => *loads.last()?,
            Shape::FlatThenRise => *loads.first()?,
        };
        let points = walks.iter().map(|walk| walk.len()).sum::<usize>();
        Some(Fit {
            best,
            straight_squares: BrokenLine::fit(walks, end, shape).squares,
            flat_squares: best.flat_squares,
            // A level of each walk, the slope and the knee.
            degrees: points as f64 - walks.len() as f64 - 2.0,
        })
    }

    /// It fits better than the lines without a bend, and rises.
    fn bends(&self) -> bool {
        let least = self.straight_squares.min(self.flat_squares);
        self.best.rise >= RISE_MIN && self.best.squares < least
    }

    /// It bends, and not by chance.
    fn is_shown(&self) -> bool {
        // Beyond a straight line, it has its knee; beyond a flat one, its slope as well.
        let is_better = |(squares, parameters): (f64, f64)| {
            let reduction = (squares - self.best.squares) / parameters;
            let ratio = reduction / (self.best.squares / self.degrees);
            let test = FisherSnedecor::new(parameters, self.degrees);
            test.is_ok_and(|test| ratio == f64::INFINITY || test.sf(ratio) < ALPHA)
        };
        let lines = [(self.straight_squares, 1.0), (self.flat_squares, 2.0)];
        self.bends() && lines.into_iter().all(is_better)
    }
}

/// A line that is flat on one side of its knee, with a level of its own for each walk.
#[derive(Clone, Copy)]
struct BrokenLine {
    knee: f64,
    /// Height of the end of the sloped part above the flat one, or below zero if it falls.
    rise: f64,
    /// Sum of the squared distances of the points.
    squares: f64,
    /// The same without a slope.
    flat_squares: f64,
}

impl BrokenLine {
    /// The best one with its bend at `knee`: least squares on the part beyond the bend.
    fn fit(walks: &[&Curve], knee: f64, shape: Shape) -> BrokenLine {
        let sloped = |x: f64| match shape {
            Shape::RiseThenFlat => (x - knee).min(0.0),
            Shape::FlatThenRise => (x - knee).max(0.0),
        };
        let (mut xx, mut xy, mut yy, mut length) = (0.0, 0.0, 0.0, 0.0);
        for points in walks {
            let count = points.len() as f64;
            let mean_x = points.iter().map(|(x, _)| sloped(*x)).sum::<f64>() / count;
            let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
            for (x, y) in *points {
                length = f64::max(length, sloped(*x).abs());
                let (x, y) = (sloped(*x) - mean_x, y - mean_y);
                (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
            }
        }
        let slope = if xx > 0.0 { xy / xx } else { 0.0 };
        BrokenLine {
            knee,
            rise: slope * length,
            squares: f64::max(yy - slope * xy, 0.0),
            flat_squares: yy,
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
        let (directions, walks): (Vec<_>, Vec<_>) = (0..12)
            .map(|number| match number % 2 {
                0 => (Walk::Up, walk(up, &mut random)),
                _ => (Walk::Down, walk(down, &mut random)),
            })
            .unzip();
        let knees = knees_of_walks(&walks, Shape::RiseThenFlat);
        Knee::over_walks(&std::iter::zip(directions, knees).collect::<Vec<_>>()).unwrap()
    }

    /// The knee of a single walk.
    fn knee_of_walk(points: &[(f64, f64)], shape: Shape) -> Option<f64> {
        knees_of_walks(&[points.to_vec()], shape)[0]
    }

    /// Of 400 sweeps, the number that find a knee: as many walks as told over `loads`, the curve
    /// with this noise on each point and a level of each walk.
    fn found(
        loads: &[f64],
        walks: usize,
        noise: f64,
        shape: Shape,
        curve: impl Fn(f64) -> f64,
    ) -> usize {
        let has_knee = |index: &u32| {
            let mut random = Random::new(2, Purpose::Mock, *index);
            let mut walk = || {
                let level = noise * random.normal();
                let mut figure = |load| curve(load) * (level + noise * random.normal()).exp();
                loads.iter().map(|&load| (load, figure(load))).collect()
            };
            let walks: Vec<Vec<(f64, f64)>> = (0..walks).map(|_| walk()).collect();
            let knees = knees_of_walks(&walks, shape);
            let knees: Vec<_> = knees.into_iter().map(|knee| (Walk::Up, knee)).collect();
            Knee::over_walks(&knees).is_some()
        };
        (0..400).filter(has_knee).count()
    }

    const SHAPES: [Shape; 2] = [Shape::RiseThenFlat, Shape::FlatThenRise];

    #[test]
    fn straight_and_flat_curves_have_a_knee_in_less_than_5_percent() {
        for loads in [&[1e3, 2e3, 5e3, 1e4][..], &LOADS[..6], &LOADS] {
            for walks in [1, 3, 6] {
                for noise in [0.01, 0.03, 0.1] {
                    for shape in SHAPES {
                        for exponent in [0.0, 0.1, 0.5, 1.0] {
                            let curve = |load: f64| load.powf(exponent);
                            let knees = found(loads, walks, noise, shape, curve);
                            let of = loads.len();
                            assert!(
                                knees < 20,
                                "{knees} of 400: {of} loads, {walks} walks, {noise}, {shape:?}, \
                                 {exponent}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn bends_at_the_middle_loads_are_found_in_90_percent() {
        for (loads, walks) in [
            (&[1.0, 2.0, 5.0, 10.0][..], 2),
            (&LOADS[..6], 1),
            (&LOADS[..6], 3),
            (&LOADS, 1),
            (&LOADS, 6),
        ] {
            for shape in SHAPES {
                let middle = &loads[1..loads.len() - 1];
                for &knee in middle {
                    let curve = |load: f64| match shape {
                        Shape::RiseThenFlat => load.min(knee),
                        Shape::FlatThenRise => load.max(knee),
                    };
                    let knees = found(loads, walks, 0.03, shape, curve);
                    let of = loads.len();
                    assert!(
                        knees >= 360,
                        "{knees} of 400: {of} loads, {walks} walks, {shape:?} at {knee}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_curve_without_noise_has_no_knee_unless_it_bends() {
        let rates = [1e3, 2e3, 5e3, 1e4];
        for shape in SHAPES {
            let kept_up = rates.map(|rate| (rate, rate));
            assert_eq!(knee_of_walk(&kept_up, shape), None);
            let flat = rates.map(|rate| (rate, 700.0));
            assert_eq!(knee_of_walk(&flat, shape), None);
        }
        // A rise of 1 % is none to speak of.
        let slight = LOADS.map(|load| (load, 100.0 * load.min(30.0).powf(0.003)));
        assert_eq!(knee_of_walk(&slight, Shape::RiseThenFlat), None);
    }

    #[test]
    fn a_walk_that_does_not_bend_has_no_knee_beside_others_that_do() {
        let bent = LOADS.map(|load| (load, load.min(30.0))).to_vec();
        let straight = LOADS.map(|load| (load, load)).to_vec();
        let walks = [
            bent.clone(),
            straight,
            bent.clone(),
            bent[..3].to_vec(),
            bent,
        ];
        let knees = knees_of_walks(&walks, Shape::RiseThenFlat);
        let has_knee: Vec<bool> = knees.iter().map(Option::is_some).collect();
        assert_eq!(has_knee, [true, false, true, false, true]);
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
