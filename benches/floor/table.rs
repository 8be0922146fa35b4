//! The tables of servers and of clients: requests per CPU-second of each program, over the floor's
//! in the same round.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::rounds::Row;
use super::spread::Spread;

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
    pub fn per_cpu_second(&self) -> f64 {
        self.requests as f64 / self.cpu.as_secs_f64()
    }

    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.wall.as_secs_f64()
    }

    pub fn busy_percent(&self) -> f64 {
        100.0 * self.cpu.as_secs_f64() / self.wall.as_secs_f64()
    }
}

/// The rows for one depth of pipelining.
pub struct Table<'a> {
    pub title: String,
    pub rows: Vec<Row<'a, Sample>>,
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

impl Display for Row<'_, Sample> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let per_cpu_second = self.samples.iter().map(Sample::per_cpu_second);
        let floor = self.floor.iter().map(Sample::per_cpu_second);
        let ratios = per_cpu_second.clone().zip(floor);
        write!(
            f,
            "  {:<12} {} {:>18.0} {:>12.0} {:>4.0} %",
            self.name,
            Spread::of(ratios.map(|(own, floor)| own / floor)),
            Spread::of(per_cpu_second).median,
            Spread::of(self.samples.iter().map(Sample::per_second)).median,
            Spread::of(self.samples.iter().map(Sample::busy_percent)).median,
        )
    }
}
