//! Scales: from a value to a place between 0 and 1, and the ticks along the way.

/// The spacing of values along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spacing {
    Linear,
    Log,
    /// A share p of all requests is at -log10(1 - p): each nine is as wide as the one before.
    Tail,
}

/// A scale with fixed ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    spacing: Spacing,
    first: f64,
    last: f64,
}

/// Quantiles that are worth a tick.
const TAIL_TICKS: [f64; 7] = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];

impl Axis {
    /// From 0 to a little above the largest value.
    pub(super) fn linear_from_zero(values: impl Iterator<Item = f64>) -> Axis {
        let max = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
        Axis {
            spacing: Spacing::Linear,
            first: 0.0,
            last: if max > 0.0 { max * 1.04 } else { 1.0 },
        }
    }

    /// Linear between `first` and `last`.
    pub(super) fn linear(first: f64, last: f64) -> Axis {
        Axis {
            spacing: Spacing::Linear,
            first,
            last: if last > first { last } else { first + 1.0 },
        }
    }

    /// Logarithmic, around all positive values with a margin of 4 % of its length at each end.
    /// Spans at least a factor of 1.02.
    pub(super) fn log_around(values: impl Iterator<Item = f64>) -> Axis {
        let logs = values.filter(|v| *v > 0.0 && v.is_finite()).map(f64::ln);
        let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| {
            (low.min(log), high.max(log))
        });
        let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
        let margin = ((high - low) * 0.04).max(0.01);
        Axis::log((low - margin).exp(), (high + margin).exp())
    }

    /// Logarithmic between `first` and `last`, both above 0.
    pub(super) fn log(first: f64, last: f64) -> Axis {
        Axis {
            spacing: Spacing::Log,
            first: first.ln(),
            last: last.ln(),
        }
    }

    /// Quantiles from 0 to `last` < 1.
    pub(super) fn tail(last: f64) -> Axis {
        Axis {
            spacing: Spacing::Tail,
            first: 0.0,
            last: nines(last).max(1.0),
        }
    }

    /// The last value of a linear axis.
    pub(super) fn end(&self) -> f64 {
        self.last
    }

    /// The place of `value`: 0 at the first end, 1 at the last; never outside.
    pub(super) fn place(&self, value: f64) -> f64 {
        let at = match self.spacing {
            Spacing::Linear => value,
            Spacing::Log => value.max(f64::MIN_POSITIVE).ln(),
            Spacing::Tail => nines(value),
        };
        ((at - self.first) / (self.last - self.first)).clamp(0.0, 1.0)
    }

    /// Round values inside the axis, at most `most` of them.
    pub(super) fn ticks(&self, most: usize) -> Vec<f64> {
        match self.spacing {
            Spacing::Linear => nice_ticks(self.first, self.last, most),
            Spacing::Tail => {
                let seen = |p: &f64| nines(*p) <= self.last + 1e-9;
                TAIL_TICKS.into_iter().filter(seen).take(most).collect()
            }
            Spacing::Log => self.log_ticks(most),
        }
    }

    fn log_ticks(&self, most: usize) -> Vec<f64> {
        let (first, last) = (self.first.exp(), self.last.exp());
        let every = |step: i32, mantissas: &[f64]| -> Vec<f64> {
            let decades = (first.log10().floor() as i32)..=(last.log10().ceil() as i32);
            decades
                .filter(|decade| decade.rem_euclid(step) == 0)
                .flat_map(|decade| mantissas.iter().map(move |m| m * 10f64.powi(decade)))
                .filter(|tick| *tick >= first * 0.999_999 && *tick <= last * 1.000_001)
                .collect()
        };
        let sets = [
            every(1, &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0]),
            every(1, &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0]),
            every(1, &[1.0, 2.0, 5.0]),
            every(1, &[1.0, 3.0]),
            every(1, &[1.0]),
            every(2, &[1.0]),
            every(3, &[1.0]),
        ];
        let widest = sets.into_iter().find(|set| set.len() <= most);
        match widest {
            Some(set) if set.len() >= 3 || last / first > 3.0 => set,
            _ => nice_ticks(first, last, most),
        }
    }
}

/// -log10(1 - p).
fn nines(share: f64) -> f64 {
    -(1.0 - share.min(0.999_999_99)).log10()
}

/// Multiples of 1, 2 or 5 times a power of ten between `first` and `last`.
fn nice_ticks(first: f64, last: f64, most: usize) -> Vec<f64> {
    let rough = (last - first) / most.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|m| m * power);
    for step in steps {
        let (low, high) = ((first / step - 1e-9).ceil(), (last / step + 1e-9).floor());
        if high - low + 1.0 <= most as f64 {
            // Divides by the reciprocal where that is exact: 3 x 0.1 is not 0.3, 3 / 10 is.
            let tick = |k: i64| match step < 1.0 {
                true => k as f64 / (1.0 / step).round(),
                false => k as f64 * step,
            };
            return (low as i64..=high as i64).map(tick).collect();
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_rise_with_values_on_every_axis() {
        let axes = [
            Axis::linear_from_zero([3.0, 9.0].into_iter()),
            Axis::log_around([0.02, 40.0].into_iter()),
            Axis::log_around([1.0].into_iter()),
        ];
        for axis in axes {
            let places: Vec<f64> = [0.02, 0.9, 1.0, 1.001, 8.0, 9.0]
                .map(|value| axis.place(value))
                .to_vec();
            assert!(places.is_sorted(), "{axis:?} {places:?}");
            assert!(places.iter().all(|place| (0.0..=1.0).contains(place)));
        }
        let tail = Axis::tail(0.9999);
        let places = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999].map(|p| tail.place(p));
        assert!(places.is_sorted());
        assert!((places[3] - 0.5).abs() < 1e-9, "p99 is half-way to p99.99");
    }

    #[test]
    fn ticks_are_round_inside_and_few() {
        for (axis, most, ticks) in [
            (
                Axis::linear(0.0, 10.4),
                6,
                vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0],
            ),
            (
                Axis::linear(0.0, 98_000.0),
                5,
                vec![0.0, 20e3, 40e3, 60e3, 80e3],
            ),
            (
                Axis::log(0.9, 120.0),
                8,
                vec![1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0],
            ),
            (Axis::log(0.9, 120.0), 5, vec![1.0, 3.0, 10.0, 30.0, 100.0]),
            (Axis::log(0.9, 120.0), 4, vec![1.0, 10.0, 100.0]),
            (Axis::log(0.965, 1.05), 5, vec![0.98, 1.0, 1.02, 1.04]),
            (Axis::tail(0.9995), 6, vec![0.5, 0.9, 0.99, 0.999]),
        ] {
            let got = axis.ticks(most);
            let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9 * b.abs().max(1.0);
            assert!(
                got.len() == ticks.len() && got.iter().zip(&ticks).all(close),
                "{axis:?}, at most {most}: {got:?}"
            );
        }
    }

    #[test]
    fn an_axis_without_values_is_still_an_axis() {
        for axis in [
            Axis::linear_from_zero(std::iter::empty()),
            Axis::log_around(std::iter::empty()),
            Axis::linear(2.0, 2.0),
        ] {
            assert!(axis.place(1.0).is_finite());
            assert!(axis.ticks(5).len() <= 5);
        }
    }
}
