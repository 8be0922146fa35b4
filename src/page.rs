//! A report as one HTML file: complete without network and without scripts.
//!
//! The page knows neither `load` nor `compare`. They fill [`Page`], one plain struct for each
//! chart; parts without data are left out. Each figure in the text was read from the
//! report's JSON with [`At`], which keeps its path: the page shows no figure that its embedded
//! JSON does not hold.
//!
//! Deliberately absent: external fonts, styles, scripts and pictures; a chart library.

mod axis;
mod cost;
mod document;
mod figure;
mod forest;
mod percentiles;
mod plot;
mod search;
mod sweep;
mod tables;
mod timeline;

pub use cost::Cost;
pub use figure::{At, Estimate, Figure, Text};
pub use forest::{Forest, ForestRow, RatioLimit};
pub use percentiles::{Curve, CurvePoint, PercentileRow, Percentiles};
pub use search::{Search, SearchTrial};
pub use sweep::{Sweep, SweepPercentile, SweepPoint, SweepVariable, Walk};
pub use tables::{Fact, FactValue, Quantity, Round, SelfTest, SelfTestResult, Warning};
pub use timeline::{LatencyCount, Pause, Side, Slice, Timeline, TimelineRound};

use serde_json::Value;

/// The content of a page, in its order.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Heading and title of the window.
    pub title: String,
    /// One line under the heading: when and how it was measured.
    pub subtitle: Text,
    /// The verdict, in one sentence.
    pub verdict: Text,
    /// Further findings, one sentence each.
    pub findings: Vec<Text>,
    /// The main figures of a single run.
    pub quantities: Vec<Quantity>,
    /// Reasons to doubt the figures.
    pub warnings: Vec<Warning>,
    /// Ratios to a reference.
    pub forest: Option<Forest>,
    /// Latency by percentile.
    pub percentiles: Option<Percentiles>,
    /// Latency over time, one for each contestant.
    pub timelines: Vec<Timeline>,
    /// Throughput and latency against load.
    pub sweeps: Vec<Sweep>,
    /// Highest rates within an objective.
    pub searches: Vec<Search>,
    /// CPU time and memory.
    pub costs: Vec<Cost>,
    /// Checks of the instrument.
    pub self_tests: Vec<SelfTest>,
    /// Every run as it was measured.
    pub rounds: Vec<Round>,
    /// Machine, settings, seed, versions.
    pub facts: Vec<Fact>,
    /// The command that repeats the measurement.
    pub command: Option<Text>,
    /// The report that [`At`] read the figures from; embedded as it is.
    pub report: Value,
}

impl Page {
    /// The page as an HTML document.
    pub fn to_html(&self) -> String {
        document::render(self).into_string()
    }
}
