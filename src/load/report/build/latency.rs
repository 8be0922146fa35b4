//! Latency figures: those of replies, with the ages of requests without one in the percentiles.

use super::ms;
use crate::load::recorder::{Recorder, samples_needed};
use crate::load::report::Latency;
use crate::load::statistics::censoring::{Percentile, Survival};

/// The percentiles of a report, in percent.
const PERCENTS: [f64; 15] = [
    0.001, 0.01, 0.1, 1.0, 2.5, 10.0, 25.0, 50.0, 75.0, 90.0, 97.5, 99.0, 99.9, 99.99, 99.999,
];

pub(super) fn build(recorder: &Recorder) -> Latency {
    let found = &recorder.latencies;
    let requests = found.count() + recorder.censored.total();
    let survival = Survival::new(&found.distribution(), &recorder.censored);
    let quantile = |percent: f64| -> Option<Percentile> {
        if recorder.censored.total() == 0 {
            return found.quantile_ns(percent / 100.0).map(Percentile::Exactly);
        }
        let enough = found.count() > 0 && requests >= samples_needed(percent / 100.0);
        survival.quantile(percent / 100.0).filter(|_| enough)
    };
    let at =
        |percent| quantile(percent).map(|found_at| ms(found_at.ns().max(found.min_ns()) as f64));
    let bounded = |percent: &f64| matches!(quantile(*percent), Some(Percentile::AtLeast(_)));
    let bounded_percent = PERCENTS.into_iter().find(bounded);
    let mean = ms(found.mean_ns());
    Latency {
        average: mean,
        mean,
        stddev: ms(found.stdev_ns()),
        min: ms(found.min_ns() as f64),
        max: ms(found.max_ns() as f64),
        p0_001: at(0.001),
        p0_01: at(0.01),
        p0_1: at(0.1),
        p1: at(1.0),
        p2_5: at(2.5),
        p10: at(10.0),
        p25: at(25.0),
        p50: at(50.0),
        p75: at(75.0),
        p90: at(90.0),
        p97_5: at(97.5),
        p99: at(99.0),
        p99_9: at(99.9),
        p99_99: at(99.99),
        p99_999: at(99.999),
        total_count: found.count(),
        censored: recorder.censored.total(),
        lower_bounds_from: bounded_percent.map(|percent| format!("p{percent}").replace('.', "_")),
        bounded_percent,
        max_age_ms: ms(recorder.censored.max_ns() as f64),
    }
}
