//! A run as files that other tools read: HdrHistogram's interval log (`.hlog`) and percentile
//! distribution (`.hgrm`), and its intervals as comma-separated values.

use std::fmt::Write;
use std::io;

use super::report::{LoadReport, Timeline};
use super::statistics::hlog::{histogram, write_hlog};
use super::statistics::interval_log::{Interval, all_answered, all_censored, all_lost};

/// Steps for each halving of the distance to 100 %, as HdrHistogram's own tools print.
const TICKS_PER_HALF_DISTANCE: u32 = 5;
const NS_PER_MS: f64 = 1e6;

/// The latencies of each interval as HdrHistogram's log, with the report in a comment.
///
/// # Errors
/// A histogram cannot be encoded.
pub fn hlog(report: &LoadReport) -> io::Result<String> {
    let Timeline {
        intervals,
        started,
        start,
        ..
    } = &report.timeline;
    let mut text = Vec::new();
    let json = serde_json::to_string(report)?;
    write_hlog(&mut text, intervals, *started, *start, &json)?;
    String::from_utf8(text).map_err(io::Error::other)
}

/// The distribution of the latencies of all replies in milliseconds, as HdrHistogram prints it.
/// Requests without a reply are not in it; a line at its end counts them.
pub fn hgrm(report: &LoadReport) -> String {
    let mut all = all_answered(&report.timeline.intervals);
    let (mean, stdev) = (all.mean_ns() / NS_PER_MS, all.stdev_ns() / NS_PER_MS);
    let (max, total) = (all.max_ns() as f64 / NS_PER_MS, all.total());
    let histogram = histogram(&all.take_packed());
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut below = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF_DISTANCE) {
        below += step.count_since_last_iteration();
        let ms = (step.value_iterated_to() as f64 / NS_PER_MS).min(max);
        let share = step.quantile_iterated_to();
        let line = match share < 1.0 {
            true => format!(
                "{ms:12.3} {share:.12} {below:10} {:14.2}",
                1.0 / (1.0 - share)
            ),
            false => format!("{ms:12.3} {share:.12} {below:10}"),
        };
        text.push_str(&line);
        text.push('\n');
    }
    let buckets = "#[Buckets =           53, SubBuckets     =         2048]";
    // Writing to a String does not fail.
    let _ = write!(
        text,
        "#[Mean    = {mean:12.3}, StdDeviation   = {stdev:12.3}]\n\
         #[Max     = {max:12.3}, Total count    = {total:12}]\n{buckets}\n"
    );
    let intervals = &report.timeline.intervals;
    let unanswered = all_censored(intervals).total() + all_lost(intervals).total();
    if unanswered > 0 {
        let _ = writeln!(
            text,
            "#[Without a reply, and not in these percentiles: {unanswered}]"
        );
    }
    text
}

/// One line for each interval: seconds after the start, its length, what was done in it.
pub fn csv(report: &LoadReport) -> String {
    let Timeline {
        intervals, started, ..
    } = &report.timeline;
    let mut text = "start_s,length_s,replies,replies_per_second,unanswered,p50_ms,p90_ms,p99_ms,\
                    max_ms\n"
        .to_owned();
    for interval in intervals {
        let Interval {
            began,
            length_ns,
            answered,
            censored,
            lost,
            ..
        } = interval;
        let at = |quantile| {
            let ns = answered.quantile_ns(quantile);
            ns.map_or_else(String::new, |ns| format!("{:.6}", ns as f64 / NS_PER_MS))
        };
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{:.3},{:.3},{},{:.1},{},{},{},{},{}",
            (*began - *started).as_secs_f64(),
            *length_ns as f64 / 1e9,
            answered.total(),
            interval.rate(),
            censored.total() + lost.total(),
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::event_loop::Time;
    use crate::load::statistics::interval_log::IntervalLog;

    /// 1,000 replies in 250 ms of 1 us to 1 ms, and one request without a reply.
    fn report() -> LoadReport {
        let started = Time::from_ns(5_000);
        let mut log = IntervalLog::starting(started);
        for step in 1..=1000u64 {
            let now = started + Duration::from_micros(step * 249);
            log.record(now, step * 1000, 1);
        }
        log.record_lost(started + Duration::from_millis(249), 7, 1);
        log.finish(started + Duration::from_millis(250));
        LoadReport {
            timeline: Timeline {
                intervals: log.into_intervals(),
                due: Vec::new(),
                started,
                start: SystemTime::UNIX_EPOCH,
            },
            ..LoadReport::default()
        }
    }

    #[test]
    fn the_interval_log_adds_up_to_every_reply() {
        let file = hlog(&report()).expect("text");
        let mut all = Histogram::<u64>::new(3).expect("three digits");
        let mut intervals = 0;
        for entry in IntervalLogIterator::new(file.as_bytes()) {
            let LogEntry::Interval(entry) = entry.expect("a line of the format") else {
                continue;
            };
            let encoded = entry.encoded_histogram();
            let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, encoded);
            let histogram = Deserializer::new().deserialize(&mut &bytes.expect("base64")[..]);
            let histogram: Histogram<u64> = histogram.expect("a histogram");
            all.add(histogram).expect("the same range");
            intervals += 1;
        }
        assert_eq!((intervals, all.len()), (3, 1000));
        assert_eq!(all.value_at_quantile(0.5) / 1000, 500);
    }

    /// The rules of the format: values, shares and counts rise, and the last share is 1.
    #[test]
    fn the_percentile_distribution_is_as_hdrhistogram_prints_it() {
        let text = hgrm(&report());
        let mut lines = text.lines();
        let header = lines.next().expect("a header");
        assert_eq!(
            header.split_whitespace().collect::<Vec<_>>(),
            ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
        );
        assert_eq!(lines.next(), Some(""));
        let rows = lines.clone().take_while(|line| !line.starts_with('#'));
        let rows: Vec<Vec<f64>> = rows
            .map(|row| {
                row.split_whitespace()
                    .map(|cell| cell.parse().expect("a number"))
            })
            .map(Iterator::collect)
            .collect();
        for pair in rows.windows(2) {
            assert!(
                (0..3).all(|column| pair[0][column] <= pair[1][column]),
                "{pair:?}"
            );
        }
        for row in &rows[..rows.len() - 1] {
            assert!((row[3] * (1.0 - row[1]) - 1.0).abs() < 0.01, "{row:?}");
        }
        assert_eq!(
            rows.last().map(Vec::as_slice),
            Some(&[1.0, 1.0, 1000.0][..])
        );
        let median = rows.iter().find(|row| row[1] >= 0.5).expect("a median");
        assert_eq!((median[0], median[2]), (0.5, 500.0));
        let footer: Vec<&str> = text.lines().filter(|line| line.starts_with("#[")).collect();
        assert_eq!(footer.len(), 4);
        assert!(footer[3].contains("percentiles: 1]"), "{text}");
        assert!(
            footer[1].contains("Total count    =         1000"),
            "{text}"
        );
    }

    #[test]
    fn the_intervals_are_rows_of_a_table() {
        let text = csv(&report());
        let rows: Vec<Vec<&str>> = text.lines().map(|row| row.split(',').collect()).collect();
        assert_eq!(rows.len(), 4);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        assert_eq!(rows[1][..2], ["0.000", "0.100"]);
        let replies: u64 = rows[1..]
            .iter()
            .map(|row| row[2].parse::<u64>().expect("a count"))
            .sum();
        assert_eq!(replies, 1000);
        assert_eq!(
            (rows[3][0], rows[3][1], rows[3][4]),
            ("0.200", "0.050", "1")
        );
        assert_eq!(rows[3][8], "1.000000");
    }
}
