//! Latencies of a run and their 95 % intervals.

use serde::Serialize;

/// Latency figures in milliseconds. Mean, spread and ends are exact; percentiles have three
/// digits, and are `None` if fewer than ten samples lie beyond them.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the fields are percentiles by name")]
pub struct Latency {
    pub average: f64,
    pub mean: f64,
    pub stddev: f64,
    pub min: f64,
    pub max: f64,
    pub p0_001: Option<f64>,
    pub p0_01: Option<f64>,
    pub p0_1: Option<f64>,
    pub p1: Option<f64>,
    pub p2_5: Option<f64>,
    pub p10: Option<f64>,
    pub p25: Option<f64>,
    pub p50: Option<f64>,
    pub p75: Option<f64>,
    pub p90: Option<f64>,
    pub p97_5: Option<f64>,
    pub p99: Option<f64>,
    pub p99_9: Option<f64>,
    pub p99_99: Option<f64>,
    pub p99_999: Option<f64>,
    /// Replies.
    #[serde(rename = "totalCount")]
    pub total_count: u64,
    /// Requests without a reply; they count in the percentiles with their age.
    pub censored: u64,
    /// Of five percentiles, in milliseconds.
    pub intervals: LatencyIntervals,
    /// The first percentile that is only a lower bound, such as `p99`; `None` if each is exact.
    #[serde(rename = "lowerBoundsFrom")]
    pub lower_bounds_from: Option<String>,
    /// The same as a number.
    #[serde(skip)]
    pub bounded_percent: Option<f64>,
    /// Age of the oldest request without a reply; the maximum is a lower bound if it is less.
    #[serde(rename = "maxAgeMs")]
    pub max_age_ms: f64,
}

impl Latency {
    /// Returns true for a percentile that is only a lower bound; the maximum is that of 100 %.
    pub(in crate::load) fn is_bounded(&self, percent: f64) -> bool {
        let bounded = self.bounded_percent;
        let is_longest_bounded = percent == 100.0 && self.max_age_ms > self.max;
        bounded.is_some_and(|bounded| percent >= bounded) || is_longest_bounded
    }

    /// The JSON key of the longest latency, or of its lower bound.
    pub(in crate::load) fn longest_key(&self) -> &'static str {
        match self.max_age_ms > self.max {
            true => "maxAgeMs",
            false => "max",
        }
    }
}

/// 95 % intervals of percentiles, which hold although latencies that follow each other are alike.
/// `None`: too little of the run reached the percentile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are percentiles by name")]
pub struct LatencyIntervals {
    pub p50: Option<LatencyInterval>,
    pub p90: Option<LatencyInterval>,
    pub p97_5: Option<LatencyInterval>,
    pub p99: Option<LatencyInterval>,
    pub p99_9: Option<LatencyInterval>,
    /// The run is too short for any interval.
    #[serde(skip)]
    pub too_short: bool,
}

/// Milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LatencyInterval {
    /// The lower end.
    pub low: f64,
    /// The upper end; `None` if the run does not bound the percentile from above.
    pub high: Option<f64>,
}
