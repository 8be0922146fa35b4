//! The line below the tables with the intervals of the percentiles.

use super::Detail;
use crate::format::milliseconds;
use crate::load::report::{Latency, LatencyInterval};

/// The 95 % intervals of the percentiles that the report shows; `None` without any of them.
pub(super) fn line(latency: &Latency, detail: Detail) -> Option<String> {
    let intervals = &latency.intervals;
    let shown = [
        (50.0, latency.p50, intervals.p50),
        (
            90.0,
            latency.p90.filter(|_| detail == Detail::Percentiles),
            intervals.p90,
        ),
        (97.5, latency.p97_5, intervals.p97_5),
        (99.0, latency.p99, intervals.p99),
        (
            99.9,
            latency.p99_9.filter(|_| detail == Detail::Percentiles),
            intervals.p99_9,
        ),
    ];
    let is_exact = |percent: f64| latency.bounded_percent.is_none_or(|first| percent < first);
    let told = shown
        .into_iter()
        .filter(|&(percent, ms, _)| ms.is_some() && is_exact(percent));
    let told: Vec<(f64, Option<LatencyInterval>)> = told.map(|(p, _, found)| (p, found)).collect();
    if told.is_empty() {
        return None;
    }
    if latency.intervals.too_short {
        return Some("No intervals: less than a second was measured.".to_owned());
    }
    let (known, unknown): (Vec<_>, Vec<_>) = told.into_iter().partition(|told| told.1.is_some());
    let known: Vec<String> = known.into_iter().filter_map(known_part).collect();
    let known = (!known.is_empty()).then(|| format!("With 95 % confidence: {}.", known.join(", ")));
    let unknown: Vec<String> = unknown.iter().map(|(p, _)| format!("p{p}")).collect();
    let unknown = (!unknown.is_empty()).then(|| {
        let names = unknown.join(" and ");
        format!("No interval for {names}: it varies too much within the run; run longer.")
    });
    let sentences: Vec<String> = [known, unknown].into_iter().flatten().collect();
    Some(sentences.join(" "))
}

fn known_part((percent, interval): (f64, Option<LatencyInterval>)) -> Option<String> {
    let LatencyInterval { low, high } = interval?;
    let low = milliseconds(low);
    Some(match high.map(milliseconds) {
        None => format!("p{percent} {low} or more (no upper bound from this run)"),
        Some(high) if high == low => format!("p{percent} {low}"),
        Some(high) => format!("p{percent} {low} to {high}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::report::LatencyIntervals;

    fn latency() -> Latency {
        let interval = |low, high| Some(LatencyInterval { low, high });
        Latency {
            p50: Some(0.8),
            p90: Some(0.9),
            p97_5: Some(1.5),
            p99: Some(2.5),
            p99_9: Some(9.0),
            intervals: LatencyIntervals {
                p50: interval(0.75, Some(0.82)),
                p90: interval(0.85, Some(0.95)),
                p97_5: interval(1.2, None),
                ..LatencyIntervals::default()
            },
            ..Latency::default()
        }
    }

    #[test]
    fn an_interval_an_open_end_and_none_are_told() {
        assert_eq!(
            line(&latency(), Detail::Plain).as_deref(),
            Some(
                "With 95 % confidence: p50 0.750 ms to 0.820 ms, p97.5 1.20 ms or more (no upper \
                 bound from this run). No interval for p99: it varies too much within the run; run longer."
            )
        );
        let all = line(&latency(), Detail::Percentiles).expect("percentiles");
        assert!(all.contains("p90 0.850 ms to 0.950 ms"), "{all}");
        assert!(all.contains("for p99 and p99.9:"), "{all}");
    }

    #[test]
    fn a_bound_has_no_interval_and_a_short_run_has_none() {
        let bounded = Latency {
            bounded_percent: Some(97.5),
            ..latency()
        };
        assert_eq!(
            line(&bounded, Detail::Plain).as_deref(),
            Some("With 95 % confidence: p50 0.750 ms to 0.820 ms.")
        );
        let mut short = latency();
        short.intervals.too_short = true;
        let told = line(&short, Detail::Plain).expect("a reason");
        assert!(told.contains("less than a second"), "{told}");
        assert_eq!(line(&Latency::default(), Detail::Plain), None);
    }
}
