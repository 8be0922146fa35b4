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
    let slices =
        intervals.map(|(index, interval)| slice(interval, timeline.due.get(index).copied()));
    let first = timeline.intervals.first();
    let cut = first.map_or(0.0, |first| (first.began - timeline.started).as_secs_f64());
    TimelineRound {
        slices: slices.collect(),
        pauses: pauses
            .into_iter()
            .filter_map(|pause| without_warm_up(pause, cut))
            .collect(),
    }
}

/// Pauses count from the start of the run, slices from the end of its warm-up.
fn without_warm_up(pause: Pause, cut_seconds: f64) -> Option<Pause> {
    let start_seconds = pause.start_seconds - cut_seconds;
    (start_seconds >= 0.0).then_some(Pause {
        start_seconds,
        ..pause
    })
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

/// The pauses of the client, and the longest silence of the server if it is worth a mark beside
/// the usual latency. One that is mostly a pause of the client is none of the server.
pub fn pauses(report: &At, usual_ms: Option<f64>) -> Vec<Pause> {
    let of_client = report.key("client").key("pauses");
    let client = of_client.elements().filter_map(|pause| {
        Some(Pause {
            side: Side::Client,
            start_seconds: pause.key("startMs").figure()?.value() / 1000.0,
            ms: pause.key("ms").figure()?,
        })
    });
    let mut pauses: Vec<Pause> = client.collect();
    let silence = silence(report, usual_ms);
    pauses
        .extend(silence.filter(|silence| covered_ms(silence, &pauses) * 2.0 < silence.ms.value()));
    pauses
}

/// The part of `silence` that lies in these pauses, which are in order and may overlap.
fn covered_ms(silence: &Pause, pauses: &[Pause]) -> f64 {
    let end_of = |pause: &Pause| pause.start_seconds * 1e3 + pause.ms.value();
    let mut from_ms = silence.start_seconds * 1e3;
    let mut covered_ms = 0.0;
    for pause in pauses {
        let until_ms = end_of(pause).min(end_of(silence));
        covered_ms += (until_ms - from_ms.max(pause.start_seconds * 1e3)).max(0.0);
        from_ms = from_ms.max(until_ms);
    }
    covered_ms
}

fn silence(report: &At, usual_ms: Option<f64>) -> Option<Pause> {
    let ms = report.key("longestSilenceMs").figure()?;
    let is_marked = ms.value() >= SILENCE_MS_MIN.max(SILENCE_FACTOR * usual_ms.unwrap_or(0.0));
    Some(Pause {
        side: Side::Server,
        start_seconds: report.key("longestSilenceBegan").figure()?.value(),
        ms,
    })
    .filter(|_| is_marked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_loop::Time;
    use crate::load::statistics::interval_log::IntervalLog;

    fn at_ms(ms: u64) -> Time {
        Time::from_ns(ms * 1_000_000)
    }

    /// Ten replies in each tenth of a second, each after the latency that `of` gives for its time
    /// in ms and its number; none where that is 0.
    fn round(ms: u64, of: impl Fn(u64, u64) -> u64) -> TimelineRound {
        let mut log = IntervalLog::starting(at_ms(0));
        for now in (5..ms).step_by(10) {
            for number in 0..10 {
                match of(now, number) {
                    0 => {}
                    latency => log.record(at_ms(now), latency * 1_000_000, 1),
                }
            }
        }
        log.finish(at_ms(ms));
        let timeline = Timeline {
            intervals: log.into_intervals(),
            ..Timeline::default()
        };
        round_over_time(&timeline, Vec::new())
    }

    /// The least and the greatest latency of a slice, ms.
    fn ends(slice: &Slice) -> (f64, f64) {
        let latencies = || slice.latencies.iter().map(|latency| latency.ms.floor());
        (
            latencies().fold(f64::INFINITY, f64::min),
            latencies().fold(0.0, f64::max),
        )
    }

    #[test]
    fn a_stall_is_an_empty_slice_and_a_long_latency_after_it() {
        let round = round(2000, |now, number| match now {
            500..900 => 0,
            900..910 if number == 0 => 400,
            _ => 1,
        });
        let answered: Vec<u64> = round.slices.iter().map(|slice| slice.answered).collect();
        assert_eq!(answered[3..11], [100, 100, 0, 0, 0, 0, 100, 100]);
        assert_eq!(ends(&round.slices[9]), (1.0, 400.0));
        assert_eq!(ends(&round.slices[10]), (1.0, 1.0));
    }

    #[test]
    fn a_second_mode_is_in_every_slice_beside_the_first() {
        let round = round(1000, |_, number| if number == 0 { 40 } else { 1 });
        assert_eq!(round.slices.len(), 10);
        for slice in &round.slices {
            let counts: Vec<u64> = slice.latencies.iter().map(|l| l.count).collect();
            assert_eq!((ends(slice), counts), ((1.0, 40.0), vec![90, 10]));
        }
    }

    #[test]
    fn a_drift_rises_from_slice_to_slice() {
        let round = round(1000, |now, _| 10 + now / 100);
        let least: Vec<f64> = round.slices.iter().map(|slice| ends(slice).0).collect();
        let rising: Vec<f64> = (10..20).map(f64::from).collect();
        assert_eq!(least, rising);
    }

    #[test]
    fn a_pause_stands_where_its_slice_stands_without_the_warm_up() {
        let report = serde_json::json!({"longestSilenceMs": 250.0, "longestSilenceBegan": 1.5,
            "client": {"pauses": [{"startMs": 200.0, "ms": 30.0}]}});
        let found = pauses(&At::root(&report), Some(1.0));
        assert_eq!(found.len(), 2);
        let moved = found
            .into_iter()
            .filter_map(|pause| without_warm_up(pause, 1.0));
        let moved: Vec<(Side, f64)> = moved.map(|p| (p.side, p.start_seconds)).collect();
        assert_eq!(moved, [(Side::Server, 0.5)]);
    }

    #[test]
    fn a_silence_in_which_the_client_paused_is_not_the_servers() {
        let sides = |paused: &[(f64, f64)]| {
            let paused = paused.iter();
            let paused = paused.map(|(start, ms)| serde_json::json!({"startMs": start, "ms": ms}));
            let report = serde_json::json!({"longestSilenceMs": 50.0, "longestSilenceBegan": 1.5,
                "client": {"pauses": paused.collect::<Vec<_>>()}});
            let found = pauses(&At::root(&report), Some(0.1)).into_iter();
            found.map(|pause| pause.side).collect::<Vec<_>>()
        };
        use Side::{Client, Server};
        assert_eq!(sides(&[(1_500.0, 50.0)]), [Client]);
        assert_eq!(sides(&[(1_490.0, 20.0), (1_530.0, 30.0)]), [Client, Client]);
        assert_eq!(sides(&[(1_490.0, 20.0)]), [Client, Server]);
        // Two workers paused at the same time.
        let both = [(1_500.0, 20.0), (1_500.0, 20.0)];
        assert_eq!(sides(&both), [Client, Client, Server]);
        assert_eq!(sides(&[(1_400.0, 50.0)]), [Client, Server]);
    }

    #[test]
    fn a_silence_as_long_as_a_usual_latency_has_no_mark() {
        let marked = |ms: f64, p50: f64| {
            let report = serde_json::json!({"longestSilenceMs": ms, "longestSilenceBegan": 1.5});
            !pauses(&At::root(&report), Some(p50)).is_empty()
        };
        assert!(marked(250.0, 40.0) && marked(12.0, 0.1));
        assert!(!marked(250.0, 60.0) && !marked(8.0, 0.1));
    }
}
