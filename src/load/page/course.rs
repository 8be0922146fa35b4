//! A run over time: its slices for the heat map and the strip, and the pauses above them.

use crate::load::report::Timeline;
use crate::load::statistics::buckets::highest;
use crate::load::statistics::interval_log::Interval;
use crate::page::{At, LatencyCount, Pause, Side, Slice, TimelineRound};

const NS_PER_MS: f64 = 1e6;
const NS_PER_S: f64 = 1e9;
/// The longest silence of a server is marked if it is longer than this ...
const SILENCE_MS_MIN: f64 = 10.0;
/// ... and longer than the median latency by this factor.
const SILENCE_FACTOR: f64 = 5.0;

/// The slices of a run, with these pauses above them.
pub fn round_over_time(timeline: &Timeline, pauses: Vec<Pause>) -> TimelineRound {
    let intervals = timeline.intervals.iter().enumerate();
    let mut slices: Vec<Slice> = intervals
        .map(|(index, interval)| slice(interval, timeline.due.get(index).copied()))
        .collect();
    join_short_end(&mut slices);
    TimelineRound { slices, pauses }
}

fn slice(interval: &Interval, due: Option<u64>) -> Slice {
    let latency = |(bucket, count)| LatencyCount {
        ms: highest(bucket) as f64 / NS_PER_MS,
        count,
    };
    Slice {
        seconds: interval.length_ns as f64 / NS_PER_S,
        due,
        sent: interval.sent,
        answered: interval.answered.total(),
        latencies: interval.answered.buckets().map(latency).collect(),
    }
}

/// A run seldom ends on the border of a slice. The rate in a very short one would be noise.
fn join_short_end(slices: &mut Vec<Slice>) {
    let is_short = match slices.as_slice() {
        [first, .., last] => last.seconds < first.seconds / 2.0,
        _ => false,
    };
    if !is_short {
        return;
    }
    if let (Some(end), Some(last)) = (slices.pop(), slices.last_mut()) {
        *last = Slice {
            seconds: last.seconds + end.seconds,
            due: last.due.zip(end.due).map(|(last, end)| last + end),
            sent: last.sent + end.sent,
            answered: last.answered + end.answered,
            latencies: [std::mem::take(&mut last.latencies), end.latencies].concat(),
        };
    }
}

/// The pauses of the client, and the longest silence of the server if it is worth a mark.
pub fn pauses(report: &At) -> Vec<Pause> {
    let of_client = report.key("client").key("pauses");
    let client = of_client.elements().filter_map(|pause| {
        Some(Pause {
            side: Side::Client,
            start_seconds: pause.key("startMs").figure()?.value() / 1000.0,
            ms: pause.key("ms").figure()?,
        })
    });
    client.chain(silence(report)).collect()
}

fn silence(report: &At) -> Option<Pause> {
    let ms = report.key("longestSilenceMs").figure()?;
    let p50 = report.key("latency").key("p50").figure();
    let usual_ms = p50.map_or(0.0, |p50| p50.value());
    let is_marked = ms.value() >= SILENCE_MS_MIN.max(SILENCE_FACTOR * usual_ms);
    Some(Pause {
        side: Side::Server,
        start_seconds: report.key("longestSilenceBegan").figure()?.value(),
        ms,
    })
    .filter(|_| is_marked)
}
