//! Latency by percentile: the curve with its band, and the row of its main figures.

use crate::load::report::{Latency, Timeline};
use crate::load::statistics::censoring::Percentile;
use crate::load::statistics::run_percentiles::RunPercentiles;
use crate::page::{At, Curve, CurvePoint, Estimate, PercentileRow, Text};

const NS_PER_MS: f64 = 1e6;
/// Points of a curve for each nine.
const POINTS_PER_NINE: u32 = 8;
const NINES_MAX: u32 = 5;

/// Columns of the table: key in the JSON, head, percent.
const COLUMNS: [(&str, &str, f64); 6] = [
    ("p50", "p50", 50.0),
    ("p90", "p90", 90.0),
    ("p97_5", "p97.5", 97.5),
    ("p99", "p99", 99.0),
    ("p99_9", "p99.9", 99.9),
    ("max", "max", 100.0),
];

/// Shares at which a curve is drawn, rising.
pub fn curve_shares() -> impl Iterator<Item = f64> {
    (0..=NINES_MAX * POINTS_PER_NINE)
        .map(|step| 1.0 - 10f64.powf(-f64::from(step) / f64::from(POINTS_PER_NINE)))
}

pub(super) fn curve(timeline: &Timeline, name: &str, contestant: usize) -> Curve {
    let percentiles = RunPercentiles::of(&timeline.intervals);
    let intervals = percentiles.intervals(&timeline.intervals);
    let ms = |ns: u64| ns as f64 / NS_PER_MS;
    let point = |share: f64| {
        let percentile = percentiles.at(share)?;
        let interval = intervals.of(share).ok();
        Some(CurvePoint {
            share,
            ms: ms(percentile.ns()),
            low_ms: interval.map(|interval| ms(interval.low_ns)),
            high_ms: interval.and_then(|interval| interval.high_ns).map(ms),
            at_least: matches!(percentile, Percentile::AtLeast(_)),
        })
    };
    Curve {
        name: name.to_owned(),
        contestant,
        // The ends of a distribution are single replies.
        points: curve_shares().skip(1).map_while(point).collect(),
    }
}

pub(super) fn columns() -> Vec<String> {
    COLUMNS.map(|(_, head, _)| head.to_owned()).to_vec()
}

/// `bounds`: the latencies of `report`, which say what is only a lower bound.
pub(super) fn row(report: &At, bounds: &Latency, contestant: usize) -> PercentileRow {
    let latency = report.key("latency");
    let cell = |&(key, ..): &(&str, &str, f64)| {
        let interval = latency.key("intervals").key(key);
        let key = match key {
            "max" => bounds.longest_key(),
            _ => key,
        };
        Some(Estimate {
            value: latency.key(key).figure()?,
            low: interval.key("low").figure(),
            high: interval.key("high").figure(),
        })
    };
    PercentileRow {
        name: Text::from("this run"),
        contestant,
        cells: COLUMNS.iter().map(cell).collect(),
        at_least_from: COLUMNS
            .iter()
            .position(|(.., percent)| bounds.is_bounded(*percent)),
    }
}
