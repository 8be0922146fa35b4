//! Figures beside their bounds: the rows of the table.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// Bound of a figure.
#[derive(Clone, Copy)]
pub enum Bound {
    Below(f64),
    AtMost(f64),
    AtLeast(f64),
    /// Any other value is a failure, also on a busy machine.
    Exactly(f64),
}

struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    bound: Bound,
    /// Printed behind it.
    note: String,
}

/// The figures for one goal under one strain. The goals are numbered, with gaps for those that are
/// no figures.
pub struct Figures {
    goal: u8,
    strain: String,
    figures: Vec<Figure>,
}

/// The head of the table.
pub fn header() -> String {
    format!("goal  {:<64} {:>9}     bound", "", "measured")
}

impl Figures {
    pub fn new(goal: u8, strain: impl Into<String>) -> Figures {
        Figures {
            goal,
            strain: strain.into(),
            figures: Vec::new(),
        }
    }

    pub fn add(mut self, what: &str, value: f64, unit: &'static str, bound: Bound) -> Figures {
        self.figures.push(Figure {
            what: format!("{}: {what}", self.strain),
            value,
            unit,
            bound,
            note: String::new(),
        });
        self
    }

    pub fn time(self, what: &str, time: Duration, limit_ms: f64) -> Figures {
        self.add(what, time.as_secs_f64() * 1e3, "ms", Bound::Below(limit_ms))
    }

    pub fn memory(self, growth_bytes: u64, bound: Bound) -> Figures {
        self.add("memory", growth_bytes as f64 / 1e6, "MB", bound)
    }

    pub fn cpu(self, what: &str, percent: f64, limit: f64) -> Figures {
        self.add(what, percent, "%", Bound::Below(limit))
    }

    /// The number of right ones, which must be all.
    pub fn all(self, what: &str, right: u64, of: u64) -> Figures {
        self.add(what, right as f64, "", Bound::Exactly(of as f64))
    }

    /// Adds a note to the last figure.
    pub fn note(mut self, note: String) -> Figures {
        if let Some(last) = self.figures.last_mut() {
            last.note = note;
        }
        self
    }

    pub fn missed(&self) -> usize {
        self.figures.iter().filter(|one| !one.is_met()).count()
    }

    /// Figures that are a failure.
    pub fn wrong(&self) -> usize {
        self.figures.iter().filter(|one| one.is_wrong()).count()
    }
}

impl Figure {
    fn is_met(&self) -> bool {
        match self.bound {
            Bound::Below(limit) => self.value < limit,
            Bound::AtMost(limit) => self.value <= limit,
            Bound::AtLeast(limit) => self.value >= limit,
            Bound::Exactly(right) => self.value == right,
        }
    }

    fn is_wrong(&self) -> bool {
        matches!(self.bound, Bound::Exactly(_)) && !self.is_met()
    }
}

impl Display for Figures {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let line = |figure: &Figure| writeln!(f, "{:>4}  {figure}", self.goal);
        self.figures.iter().try_for_each(line)
    }
}

impl Display for Figure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (relation, limit) = match self.bound {
            Bound::Below(limit) => ("<", limit),
            Bound::AtMost(limit) => ("<=", limit),
            Bound::AtLeast(limit) => (">=", limit),
            Bound::Exactly(right) => ("=", right),
        };
        let verdict = match self.is_met() {
            true => "met",
            false if self.is_wrong() => "WRONG",
            false => "MISSED",
        };
        let digits = match self.bound {
            Bound::Exactly(_) => 0,
            _ if self.value >= 100.0 => 0,
            _ if self.value >= 10.0 => 1,
            _ => 2,
        };
        let (value, unit) = (self.value, self.unit);
        let limit = format!("{limit} {unit}");
        write!(
            f,
            "{:<64} {value:>9.digits$} {unit:<2}  {relation:>2} {limit:<11}  {verdict:<6}  {}",
            self.what, self.note
        )
    }
}
