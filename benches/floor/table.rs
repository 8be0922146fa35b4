//! What the rounds found, as text: each program's ratio to the floor of the same round.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// One program in one round.
#[derive(Clone, Copy)]
pub struct Sample {
    pub requests: u64,
    /// Of the process under measurement.
    pub cpu: Duration,
    /// Of the load (with clients: of their whole run).
    pub wall: Duration,
}

impl Sample {
    fn per_cpu_second(&self) -> f64 {
        self.requests as f64 / self.cpu.as_secs_f64()
    }

    fn per_second(&self) -> f64 {
        self.requests as f64 / self.wall.as_secs_f64()
    }

    fn busy_percent(&self) -> f64 {
        100.0 * self.cpu.as_secs_f64() / self.wall.as_secs_f64()
    }
}

/// One program, a sample for each round, and those of its floor in the same rounds.
pub struct Row<'a> {
    pub name: &'static str,
    pub samples: &'a [Sample],
    pub floor: &'a [Sample],
}

/// The rows for one depth of pipelining.
pub struct Table<'a> {
    pub title: String,
    pub rows: Vec<Row<'a>>,
}

impl Display for Table<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14} {:>8} {:>16} {:>18} {:>12} {:>6}",
            self.title, "of floor", "min .. max", "requests/CPU-s", "requests/s", "busy"
        )?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

impl Display for Row<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let per_cpu_second = self.samples.iter().map(Sample::per_cpu_second);
        let floor = self.floor.iter().map(Sample::per_cpu_second);
        let ratios = Spread::of(
            per_cpu_second
                .clone()
                .zip(floor)
                .map(|(own, floor)| own / floor),
        );
        write!(
            f,
            "  {:<12} {:>8.3} {:>16} {:>18.0} {:>12.0} {:>4.0} %",
            self.name,
            ratios.median,
            format!("{:.3} .. {:.3}", ratios.min, ratios.max),
            Spread::of(per_cpu_second).median,
            Spread::of(self.samples.iter().map(Sample::per_second)).median,
            Spread::of(self.samples.iter().map(Sample::busy_percent)).median,
        )
    }
}

struct Spread {
    min: f64,
    median: f64,
    max: f64,
}

impl Spread {
    /// Of at least one figure: there is at least one round.
    fn of(figures: impl Iterator<Item = f64>) -> Spread {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len() - 1;
        let median = (sorted[last / 2] + sorted[sorted.len() / 2]) / 2.0;
        Spread {
            min: sorted[0],
            median,
            max: sorted[last],
        }
    }
}
