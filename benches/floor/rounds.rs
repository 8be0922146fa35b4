//! Rounds. Each measures every program once under the same load, in a fresh process and in an order
//! that rotates.

use super::options::{Load, Options};
use super::runner::{Bench, Result};

/// One program under measurement: a row of a table.
pub trait Program: Copy + PartialEq {
    /// Result of one measurement.
    type Sample;

    fn name(self) -> &'static str;
    /// The program that it is compared with; a floor is its own.
    fn floor(self) -> Self;
    fn installed(self) -> bool;
    /// Measures it once, in a process of its own.
    fn measure(self, bench: &Bench, load: Load) -> Result<Self::Sample>;
}

/// A program's samples, one for each round, and those of its floor in the same rounds.
pub struct Row<'a, S> {
    pub name: &'static str,
    pub samples: &'a [S],
    pub floor: &'a [S],
}

/// The installed programs that `only` names (all, if it is empty), and their floors.
pub fn selected<P: Program>(all: &[P], only: &[String]) -> Vec<P> {
    let named = |program: &P| only.is_empty() || only.iter().any(|name| name == program.name());
    let (wanted, missing): (Vec<P>, Vec<P>) = all
        .iter()
        .copied()
        .filter(named)
        .partition(|program| program.installed());
    for program in missing {
        println!("{} is not installed, and left out", program.name());
    }
    let needed = |program: &P| {
        wanted
            .iter()
            .any(|other| *program == *other || *program == other.floor())
    };
    all.iter().copied().filter(needed).collect()
}

/// The results of all rounds under one load.
pub struct Rounds<P: Program> {
    series: Vec<Series<P>>,
}

/// One program's samples, a sample for each round, until it fails.
struct Series<P: Program> {
    program: P,
    samples: Vec<P::Sample>,
    failure: Option<String>,
}

impl<P: Program> Rounds<P> {
    /// Measures. A program that fails is left out, and the others go on. A floor that fails is an
    /// error, because the others are compared with it.
    pub fn run(options: &Options, bench: &Bench, programs: &[P], load: Load) -> Result<Rounds<P>> {
        let begin = |&program| Series {
            program,
            samples: Vec::new(),
            failure: None,
        };
        let mut series: Vec<Series<P>> = programs.iter().map(begin).collect();
        for round in 0..options.rounds.get() {
            // Rotated, so that a machine that becomes faster or slower favours no row.
            for turn in 0..programs.len() {
                series[(round + turn) % programs.len()].measure(bench, load)?;
            }
        }
        Ok(Rounds { series })
    }

    /// A row for every program that went through all rounds.
    pub fn rows(&self) -> Vec<Row<'_, P::Sample>> {
        let mut rows = Vec::new();
        for series in self.series.iter().filter(|series| series.failure.is_none()) {
            let floor = self
                .series
                .iter()
                .find(|other| other.program == series.program.floor());
            let Some(Series { samples: floor, .. }) = floor else {
                continue;
            };
            rows.push(Row {
                name: series.program.name(),
                samples: &series.samples,
                floor,
            });
        }
        rows
    }

    /// The failures, as sentences.
    pub fn into_failures(self) -> impl Iterator<Item = String> {
        self.series.into_iter().filter_map(|series| series.failure)
    }
}

impl<P: Program> Series<P> {
    fn measure(&mut self, bench: &Bench, load: Load) -> Result<()> {
        if self.failure.is_some() {
            return Ok(());
        }
        let name = self.program.name();
        match self.program.measure(bench, load) {
            Ok(sample) => self.samples.push(sample),
            Err(error) if self.program.floor() == self.program => {
                return Err(format!("{name}: {error}").into());
            }
            Err(error) => {
                self.failure = Some(format!("{name}, p={}: {error}", load.pipelining));
            }
        }
        Ok(())
    }
}
