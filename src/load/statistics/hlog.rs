//! The interval log as a file: HdrHistogram's log format (`.hlog`), version 1.3, which its tools for
//! merging and plotting read. Values are nanoseconds; the maximum of each line is in milliseconds.
//!
//! The format has no place for requests without a reply. Their ages are in comments, which its tools
//! skip: each comment is a line of the format with the tag `bareloop-censored` or `bareloop-lost`.
//! The last line is a comment too: the report of the run as JSON. A log without it is incomplete.

mod reading;

pub use reading::{BadLog, Recording, read_hlog};

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, IntervalLogWriterError};
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};

use super::buckets::highest;
use super::distribution::Packed;
use super::interval_log::Interval;
use crate::event_loop::Time;

const SIGNIFICANT_DIGITS: u8 = 3;
const NS_PER_MS: f64 = 1e6;
/// Tag of requests that were watched no longer while they waited.
const CENSORED: &str = "bareloop-censored";
/// Tag of requests that were lost with their connection.
const LOST: &str = "bareloop-lost";
/// Start of the comment with the report.
const REPORT: &str = "bareloop-report ";

/// Writes the intervals of a run that began at `start`, or at `start_time` by the calendar, and its
/// `report`, which is one line of JSON.
///
/// # Errors
/// Those of `out`.
pub fn write_hlog(
    out: &mut impl Write,
    intervals: &[Interval],
    start: Time,
    start_time: SystemTime,
    report: &str,
) -> io::Result<()> {
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment(concat!("bareloop ", env!("CARGO_PKG_VERSION")))
        .with_start_time(start_time)
        .with_base_time(start_time)
        .with_max_value_divisor(NS_PER_MS)
        .begin_log_with(out, &mut serializer)?;
    for interval in intervals {
        let began = interval.began - start;
        let length = Duration::from_nanos(interval.length_ns);
        let histogram = histogram(&interval.answered);
        log.write_histogram(&histogram, began, length, None)
            .map_err(|error| match error {
                IntervalLogWriterError::IoError(error) => error,
                other => io::Error::other(format!("{other:?}")),
            })?;
        for (tag, unanswered) in [(CENSORED, &interval.censored), (LOST, &interval.lost)] {
            if unanswered.total() > 0 {
                let histogram = encoded(unanswered)?;
                let (began, length) = (began.as_secs_f64(), length.as_secs_f64());
                let max = unanswered.max_ns() as f64 / NS_PER_MS;
                let line = format!("Tag={tag},{began:.3},{length:.3},{max:.3},{histogram}");
                log.write_comment(&line)?;
            }
        }
    }
    log.write_comment(&format!("{REPORT}{report}"))
}

/// A distribution as the last field of a line.
fn encoded(packed: &Packed) -> io::Result<String> {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(&histogram(packed), &mut bytes)
        .map_err(|error| io::Error::other(format!("{error:?}")))?;
    Ok(BASE64_STANDARD.encode(bytes))
}

/// The same distribution in HdrHistogram's own type.
pub fn histogram(packed: &Packed) -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1, i64::MAX as u64, SIGNIFICANT_DIGITS)
        .expect("the bounds are constants, and valid");
    for (index, count) in packed.buckets() {
        // The buckets are the same, so any value of one will do.
        histogram.saturating_record_n(highest(index).min(i64::MAX as u64), count);
    }
    histogram
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::super::interval_log::IntervalLog;
    use super::*;

    #[test]
    fn what_is_written_is_read_back_bucket_for_bucket() {
        let start = Time::from_ns(70_000_000);
        let mut log = IntervalLog::starting(start);
        for step in 0..1000u64 {
            log.record(
                start + Duration::from_micros(step * 250),
                1000 + step * step * 7,
                1 + step % 3,
            );
        }
        log.finish(start + Duration::from_millis(250));
        let mut file = Vec::new();
        let start_time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        write_hlog(&mut file, log.intervals(), start, start_time, "{}").unwrap();
        let mut read = 0;
        for entry in IntervalLogIterator::new(&file) {
            let LogEntry::Interval(entry) = entry.unwrap() else {
                continue;
            };
            let interval = &log.intervals()[read];
            assert_eq!(entry.start_timestamp(), interval.began - start);
            assert_eq!(entry.duration(), Duration::from_nanos(interval.length_ns));
            let bytes = base64::Engine::decode(
                &base64::prelude::BASE64_STANDARD,
                entry.encoded_histogram(),
            );
            let histogram: Histogram<u64> = Deserializer::new()
                .deserialize(&mut &bytes.unwrap()[..])
                .unwrap();
            let found: Vec<_> = histogram
                .iter_recorded()
                .map(|value| {
                    (
                        value.value_iterated_to(),
                        value.count_since_last_iteration(),
                    )
                })
                .collect();
            let expected: Vec<_> = interval
                .answered
                .buckets()
                .map(|(index, count)| (highest(index), count))
                .collect();
            assert_eq!(found, expected);
            read += 1;
        }
        assert_eq!(read, 3);
        let text = String::from_utf8(file).unwrap();
        assert!(text.starts_with("#bareloop"), "{}", &text[..80]);
        assert!(
            text.contains("#[StartTime: 1700000000.000"),
            "{}",
            &text[..200]
        );
    }
}
