//! An interval log read from its file: ours, or that of another HdrHistogram.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogHistogram, IntervalLogIterator, LogEntry,
};

use super::{CENSORED, LOST, REPORT};
use crate::event_loop::Time;
use crate::load::statistics::distribution::{Distribution, Packed};
use crate::load::statistics::interval_log::Interval;

/// A log without a BaseTime has times of day if they lie less than this before its StartTime, as in
/// HdrHistogram's own reader; if not, they count from the StartTime.
const TIMES_OF_DAY_WITHIN: Duration = Duration::from_secs(365 * 86_400);

/// A log of more requests is none: sums of those of several logs stay exact.
const REQUESTS_MAX: u64 = 1 << 53;

/// Intervals from a file. Their times count from 1970-01-01, UTC.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// In the order of the file. Latencies have three digits, also mean and maximum.
    pub intervals: Vec<Interval>,
    /// The report as JSON: in our logs only, and the last line of those that are complete.
    pub report: Option<String>,
    /// The program that wrote the log records the requests without a reply.
    pub is_ours: bool,
    /// The last line ends in its middle.
    pub is_cut: bool,
}

/// The number of a line, from 1, that is no line of an interval log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} does not belong to an HdrHistogram log")]
pub struct BadLog {
    /// Its number.
    pub line: usize,
}

/// Reads a log. Lines of a program's other output, which a container's log has among them, are
/// skipped: JSON, and our own warnings and errors.
///
/// # Errors
/// A line of it is neither, unless it is the last one and has no end.
pub fn read_hlog(text: &str) -> Result<Recording, BadLog> {
    let mut recording = Recording::default();
    let mut times = Times::default();
    let mut answered = Distribution::default();
    let mut requests_left = REQUESTS_MAX;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let Some(read) = read_line(line.trim_end(), &mut answered) else {
            recording.is_cut = !line.ends_with('\n');
            match recording.is_cut {
                true => break,
                false => return Err(BadLog { line: number + 1 }),
            }
        };
        let left = requests_left.checked_sub(read.requests());
        requests_left = left.ok_or(BadLog { line: number + 1 })?;
        match read {
            Line::Skipped => {}
            Line::Ours => recording.is_ours = true,
            Line::StartTime(start) => times.start = Some(start),
            Line::BaseTime(base) => times.base = Some(base),
            Line::Report(report) => recording.report = Some(report),
            Line::Answered { at, length, packed } => recording.intervals.push(Interval {
                began: Time::START + times.since_epoch(at),
                length_ns: u64::try_from(length.as_nanos()).unwrap_or(u64::MAX),
                sent: 0,
                answered: packed,
                censored: answered.take_packed(),
                lost: answered.take_packed(),
            }),
            Line::Censored(packed) => {
                let last = recording.intervals.last_mut();
                last.ok_or(BadLog { line: number + 1 })?.censored = packed;
            }
            Line::Lost(packed) => {
                let last = recording.intervals.last_mut();
                last.ok_or(BadLog { line: number + 1 })?.lost = packed;
            }
        }
    }
    Ok(recording)
}

/// Meaning of a line.
enum Line {
    Skipped,
    Ours,
    StartTime(Duration),
    BaseTime(Duration),
    Report(String),
    Answered {
        at: Duration,
        length: Duration,
        packed: Packed,
    },
    /// Of the interval before it.
    Censored(Packed),
    /// Of the interval before it.
    Lost(Packed),
}

impl Line {
    fn requests(&self) -> u64 {
        match self {
            Line::Answered { packed, .. } | Line::Censored(packed) | Line::Lost(packed) => {
                packed.total()
            }
            _ => 0,
        }
    }
}

/// Reads one line, with the help of an `empty` distribution.
fn read_line(line: &str, empty: &mut Distribution) -> Option<Line> {
    if let Some(comment) = line.strip_prefix('#') {
        if let Some(report) = comment.strip_prefix(REPORT) {
            return report
                .ends_with('}')
                .then(|| Line::Report(report.to_owned()));
        }
        if comment.starts_with("bareloop ") {
            return Some(Line::Ours);
        }
        if comment.starts_with("Tag=bareloop-") {
            return read_entry(comment, empty);
        }
        let is_time = ["[StartTime: ", "[BaseTime: "].map(|name| comment.starts_with(name));
        return match is_time.contains(&true) {
            true => read_entry(line, empty),
            false => Some(Line::Skipped),
        };
    }
    let skipped = ["{", "\"StartTimestamp\"", "warning: ", "error: "];
    if line.is_empty() || skipped.iter().any(|start| line.starts_with(start)) {
        return Some(Line::Skipped);
    }
    read_entry(line, empty)
}

fn read_entry(line: &str, empty: &mut Distribution) -> Option<Line> {
    // The parser wants whole lines.
    let line = format!("{line}\n");
    match IntervalLogIterator::new(line.as_bytes()).next()?.ok()? {
        LogEntry::StartTime(start) => Some(Line::StartTime(start)),
        LogEntry::BaseTime(base) => Some(Line::BaseTime(base)),
        LogEntry::Interval(entry) => {
            let packed = decoded(&entry, empty)?;
            match entry.tag().map(|tag| tag.as_str().to_owned()).as_deref() {
                Some(CENSORED) => Some(Line::Censored(packed)),
                Some(LOST) => Some(Line::Lost(packed)),
                _ => Some(Line::Answered {
                    at: entry.start_timestamp(),
                    length: entry.duration(),
                    packed,
                }),
            }
        }
    }
}

fn decoded(entry: &IntervalLogHistogram<'_>, empty: &mut Distribution) -> Option<Packed> {
    let bytes = BASE64_STANDARD.decode(entry.encoded_histogram()).ok()?;
    let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).ok()?;
    if histogram.len() > REQUESTS_MAX {
        return None;
    }
    for step in histogram.iter_recorded() {
        // The highest of its bucket, or of several of ours in a log with fewer digits.
        empty.record(step.value_iterated_to(), step.count_since_last_iteration());
    }
    Some(empty.take_packed())
}

/// The times that the intervals of a log count from.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    start: Option<Duration>,
    base: Option<Duration>,
}

impl Times {
    fn since_epoch(self, at: Duration) -> Duration {
        let base = self.base.or_else(|| {
            let start = self.start?;
            (at < start.saturating_sub(TIMES_OF_DAY_WITHIN)).then_some(start)
        });
        base.unwrap_or_default().saturating_add(at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::super::write_hlog;
    use super::*;
    use crate::load::statistics::interval_log::IntervalLog;

    fn written() -> (Vec<Interval>, String) {
        let start = Time::from_ns(70_000_000);
        let mut log = IntervalLog::starting(start);
        for step in 0..1000u64 {
            let now = start + Duration::from_micros(step * 250);
            log.record(now, 1000 + step * step * 7, 1 + step % 3);
        }
        log.record_censored(start + Duration::from_millis(249), 81_000, 3);
        log.record_lost(start + Duration::from_millis(249), 9_000_000, 2);
        log.finish(start + Duration::from_millis(250));
        let mut file = Vec::new();
        let start_time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);
        let intervals = log.into_intervals();
        write_hlog(&mut file, &intervals, start, start_time, "{\"a\":1}").expect("a Vec");
        (intervals, String::from_utf8(file).expect("text"))
    }

    fn buckets(packed: &Packed) -> Vec<(usize, u64)> {
        packed.buckets().collect()
    }

    #[test]
    fn our_own_log_is_read_bucket_for_bucket_with_its_unanswered_requests() {
        let (intervals, text) = written();
        // As a container's log has it.
        let text = format!("warning: no scheme given\n{{\"url\":1}}\n{text}");
        let read = read_hlog(&text).expect("our own log");
        assert_eq!(read.report.as_deref(), Some("{\"a\":1}"));
        assert_eq!((read.is_ours, read.is_cut), (true, false));
        assert_eq!(read.intervals.len(), intervals.len());
        for (read, written) in read.intervals.iter().zip(&intervals) {
            let began = written.began.ns_since(intervals[0].began);
            let start_ns = 1_700_000_000_250_000_000;
            assert_eq!(read.began, Time::from_ns(start_ns + began));
            assert_eq!(read.length_ns, written.length_ns);
            for of in [
                |interval: &Interval| interval.answered.clone(),
                |interval: &Interval| interval.censored.clone(),
                |interval: &Interval| interval.lost.clone(),
            ] {
                assert_eq!(buckets(&of(read)), buckets(&of(written)));
            }
        }
        assert_eq!(read.intervals[2].censored.total(), 3);
        assert_eq!(read.intervals[2].lost.total(), 2);
    }

    /// A log that ends anywhere is read as far as it goes, and never taken for a complete one.
    #[test]
    fn a_log_that_was_cut_short_is_known_as_such() {
        let (_, text) = written();
        let whole = read_hlog(&text).expect("our own log");
        for cut in 0..text.trim_end().len() {
            let read = read_hlog(&text[..cut]).unwrap_or_else(|error| panic!("{cut}: {error}"));
            assert_eq!(read.report, None, "{cut}");
            assert!(whole.intervals.len() >= read.intervals.len(), "{cut}");
        }
    }

    #[test]
    fn what_is_no_log_is_refused_by_its_line() {
        let (_, text) = written();
        for (text, line) in [
            ("hello\n".to_owned(), 1),
            (
                text.clone() + "0.1,0.1,1.0,AAAA\n",
                text.lines().count() + 1,
            ),
            (format!("#Tag={LOST},0.000,0.1,1.0,x\n"), 1),
        ] {
            assert_eq!(read_hlog(&text), Err(BadLog { line }), "{text}");
        }
    }

    /// Each of three latencies this many times, in each of two intervals.
    fn counted(times: u64) -> String {
        let mut histogram = Histogram::<u64>::new(3).expect("three digits");
        for ns in [1_000, 2_000, 3_000] {
            histogram.record_n(ns, times).expect("in range");
        }
        let mut bytes = Vec::new();
        let mut serializer = hdrhistogram::serialization::V2Serializer::new();
        hdrhistogram::serialization::Serializer::serialize(&mut serializer, &histogram, &mut bytes)
            .expect("a Vec");
        let encoded = BASE64_STANDARD.encode(bytes);
        format!("0.000,0.100,0.001,{encoded}\n1.000,0.100,0.001,{encoded}\n")
    }

    #[test]
    fn more_requests_than_a_run_can_have_are_refused() {
        let most = REQUESTS_MAX / 6;
        assert_eq!(
            read_hlog(&counted(most)).map(|read| read.intervals.len()),
            Ok(2)
        );
        assert_eq!(read_hlog(&counted(most + 1)), Err(BadLog { line: 2 }));
        assert_eq!(read_hlog(&counted(u64::MAX / 2)), Err(BadLog { line: 1 }));
    }

    #[test]
    fn a_time_beyond_any_clock_is_the_end_of_time() {
        let base = format!("#[BaseTime: {}.000 (seconds since epoch)]\n", u64::MAX);
        let read = read_hlog(&(base + &counted(1))).expect("a log");
        assert_eq!(read.intervals[1].began, Time::NEVER);
    }

    #[test]
    fn times_count_from_the_base_the_start_or_the_epoch() {
        let second = Duration::from_secs;
        let (start, base) = (Some(second(1_700_000_000)), Some(second(1_600_000_000)));
        for (start, base, at, expected) in [
            (None, None, 5, 5),
            (start, None, 5, 1_700_000_005),
            (start, None, 1_700_000_007, 1_700_000_007),
            (start, base, 5, 1_600_000_005),
        ] {
            let times = Times { start, base };
            assert_eq!(times.since_epoch(second(at)), second(expected));
        }
    }
}
