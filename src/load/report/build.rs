//! A report from what was recorded: units, rounding, and nothing else.

mod client;
mod course;
mod latency;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::{
    Bundling, ConnectLatency, ConnectStats, ErrorKinds, LoadReport, OpenLoop, Rate, ScheduleLag,
    ScheduledRate, StatusCount, Timeline, Tls,
};
use crate::event_loop::Time;
use crate::load::client::{RunEnd, RunRecord};
use crate::load::connects::Connects;
use crate::load::counters::Counters;
use crate::load::open_loop;
use crate::load::plan::OpenLoopPlan;
use crate::load::recorder::Recorder;
use crate::load::schedule;
use crate::load::statistics::distribution::Distribution;
use crate::load::statistics::interval_log::{all_answered, all_censored, all_lost};
use crate::load::verdict::{
    self, ClientPauses, Connections, Evidence, Pause, Schedule, Steadiness,
};
use crate::load::windows::{Summary, WINDOW};
use crate::load::withheld::Withheld;
use crate::load::{LoadPlan, Until, WarmUp};
use course::Course;

const NS_PER_MS: f64 = 1e6;
/// Percentiles that a self-test judges: the first that the run has.
const TOP_PERCENTILES: [f64; 4] = [99.0, 97.5, 90.0, 75.0];

/// Facts that the top of the job knows and a protocol does not.
#[derive(Clone, Debug)]
pub(in crate::load) struct Circumstances {
    pub(in crate::load) address: String,
    pub(in crate::load) start: SystemTime,
    pub(in crate::load) finish: SystemTime,
    pub(in crate::load) cost: Cost,
    pub(in crate::load) withheld: Withheld,
}

/// The cost of the run to this process.
#[derive(Clone, Copy, Debug)]
pub(in crate::load) struct Cost {
    pub(in crate::load) cpu: Duration,
    /// Of the same interval, a little longer than the run: connections are closed in it too.
    pub(in crate::load) wall: Duration,
}

impl Cost {
    /// The part after a warm-up, which cost as much as the rest.
    fn without(self, warmed: Duration) -> Cost {
        let wall = self.wall.saturating_sub(warmed);
        let share = wall.as_secs_f64() / self.wall.as_secs_f64().max(f64::MIN_POSITIVE);
        Cost {
            cpu: self.cpu.mul_f64(share),
            wall,
        }
    }
}

impl LoadReport {
    pub(in crate::load) fn new(
        plan: &LoadPlan,
        record: &RunRecord,
        around: Circumstances,
    ) -> LoadReport {
        let RunRecord {
            accounting,
            recorder,
            counters,
            ..
        } = record;
        let exact_duration = record.ended - record.started;
        let duration = exact_duration.as_secs_f64();
        let client = client::build(record, &around, plan.workers);
        let course = Course::of(plan, record);
        let evidence = evidence(plan, record, &course, duration, client.busiest_worker_share);
        let (checks, verdict) = verdict::judge(&evidence);
        let silence = recorder.longest_silence();
        let start = around.start + record.warmed;
        let statuses = Statuses::of(recorder);
        LoadReport {
            title: plan.title.clone(),
            url: plan.target.to_string(),
            tls: plan.tls.as_ref().map(|tls| Tls {
                verified: tls.is_verified(),
            }),
            address: around.address,
            connections: plan.connections,
            workers: plan.workers.get(),
            share: plan.share,
            pipelining: plan.pipelining,
            requests_in_turn: plan.requests.len(),
            until: describe(plan.until),
            duration: rounded(duration, 3),
            exact_duration,
            warm_up: course.warm_up,
            samples: course.windows.reply_rates().len(),
            sample_int: WINDOW.as_millis() as u64,
            start: humantime::format_rfc3339_millis(start).to_string(),
            finish: humantime::format_rfc3339_millis(around.finish).to_string(),
            gave_up: record.end == RunEnd::GaveUp,
            bailed_out: record.end == RunEnd::BailedOut,
            interrupted: record.end == RunEnd::Interrupted,
            refill: plan.refill.as_str().to_owned(),
            latency: latency::build(course.intervals, &course.answered),
            requests: Rate {
                total: accounting.completed,
                sent: Some(accounting.sent),
                ..Rate::new(course.windows.reply_rates())
            },
            throughput: Rate {
                total: recorder.bytes(),
                ..Rate::new(course.windows.byte_rates())
            },
            errors: counters.errors.total() + accounting.timed_out,
            timeouts: accounting.timed_out,
            mismatches: counters.wrong_bodies,
            varied_bodies: counters.varied_bodies,
            non2xx: accounting.completed - statuses.classes[2],
            resets: counters.resets,
            status_1xx: counters.interim,
            status_2xx: statuses.classes[2],
            status_3xx: statuses.classes[3],
            status_4xx: statuses.classes[4],
            status_5xx: statuses.classes[5],
            other_status: statuses.other,
            status_code_stats: statuses.codes,
            accounting: *accounting,
            error_kinds: ErrorKinds::new(counters, accounting.timed_out),
            first_error: counters.first_error.clone(),
            bundling: Bundling::new(record),
            connects: ConnectStats::new(&record.connects, record.started),
            longest_silence_ms: silence.map(|silence| ms(silence.ns as f64)),
            longest_silence_began: silence
                .map(|silence| rounded((silence.began - record.started).as_secs_f64(), 3)),
            little_ratio: verdict::little_ratio(&evidence).map(|ratio| rounded(ratio, 3)),
            checks,
            verdict,
            client,
            timeline: Timeline {
                intervals: course.intervals.to_vec(),
                due: record
                    .open_loop
                    .as_ref()
                    .map_or_else(Vec::new, |open_loop| open_loop.due_in(course.intervals)),
                started: record.started,
                start,
            },
            open_loop: plan
                .open_loop
                .zip(record.open_loop.as_ref())
                .map(|(plan, found)| OpenLoop::new(&plan, found)),
            find_rate: None,
            calibration: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

fn evidence(
    plan: &LoadPlan,
    record: &RunRecord,
    course: &Course<'_>,
    duration_s: f64,
    cpu_share: f64,
) -> Evidence {
    let RunRecord {
        accounting,
        recorder,
        counters,
        ..
    } = record;
    let silence = recorder.longest_silence();
    let intervals = recorder.log.intervals();
    let pauses = &record.turns.pauses;
    Evidence {
        accounting: *accounting,
        errors: counters.errors.total() + accounting.timed_out,
        lost_behind_last_reply: counters.lost_behind_last_reply,
        last_replies: counters.last_replies,
        wrong_bodies: counters.wrong_bodies,
        gave_up: record.end == RunEnd::GaveUp,
        bailed_out: record.end == RunEnd::BailedOut,
        in_warm_up: matches!(plan.warm_up, WarmUp::For(_)) && record.warmed.is_zero(),
        first_error: counters.first_error.clone(),
        cpu_share,
        workers: plan.workers.get(),
        // With the kernel's stamps, latencies end before that.
        answered_s: sum_s(&all_answered(intervals)) + sum_s(&record.turns.delays),
        started: record.started,
        duration_s,
        connections: connections(plan, record),
        schedule: schedule_kept(plan, record),
        unanswered_s: sum_s(&all_censored(intervals)) + sum_s(&all_lost(intervals)),
        connecting_s: record.connects.unopened(record.ended).as_secs_f64(),
        unfinished_warm_up_s: course.unfinished_warm_up_s(),
        steadiness: Steadiness::of(course.intervals, is_ramp(plan)),
        pipelining: plan.pipelining,
        refill: plan.refill,
        until: plan.until,
        statuses: recorder.statuses().collect(),
        expected_statuses: plan.expected_statuses.clone(),
        pause: silence.map(|silence| Pause {
            ms: silence.ns as f64 / NS_PER_MS,
            client_ms: ms(pauses.within(silence.began, silence.ended()).as_nanos() as f64),
            began_s: (silence.began - record.started).as_secs_f64(),
        }),
        client_pauses: client_pauses(plan, record, duration_s),
        top_percentile: top_percentile(&course.answered),
    }
}

/// The highest of the percentiles with enough samples, and its value in ms.
fn top_percentile(samples: &Distribution) -> Option<(f64, f64)> {
    TOP_PERCENTILES.into_iter().find_map(|percent| {
        let ns = samples.told_quantile_ns(percent / 100.0)?;
        Some((percent, ns as f64 / NS_PER_MS))
    })
}

fn connections(plan: &LoadPlan, record: &RunRecord) -> Connections {
    Connections {
        unserved: record.counters.unserved,
        asked: plan.connections,
        opened: record.connects.peak,
        reconnects: record.connects.reconnects(),
        last_after_s: (record.connects.peak_at - record.started).as_secs_f64(),
    }
}

fn schedule_kept(plan: &LoadPlan, record: &RunRecord) -> Option<Schedule> {
    let found = record.open_loop.as_ref()?;
    Some(Schedule {
        client_lag: top_percentile(&found.client_lag),
        has_deadline: plan.open_loop.is_some_and(|plan| plan.deadline.is_some()),
        laws_broken: found.laws_broken(record.ended),
    })
}

fn client_pauses(plan: &LoadPlan, record: &RunRecord, duration_s: f64) -> Option<ClientPauses> {
    let pauses = &record.turns.pauses;
    let longest = pauses.longest()?;
    Some(ClientPauses {
        in_latencies: !plan.kernel_timestamps,
        count: pauses.count,
        total_ms: ms(pauses.total.as_nanos() as f64),
        share: pauses.total.as_secs_f64() / (duration_s * f64::from(plan.workers.get())),
        longest_ms: ms(longest.length.as_nanos() as f64),
        longest_at_s: (longest.began - record.started).as_secs_f64(),
    })
}

fn is_ramp(plan: &LoadPlan) -> bool {
    let rate = plan.open_loop.map(|open_loop| open_loop.rate);
    matches!(rate, Some(schedule::Rate::Ramp { .. }))
}

fn sum_s(distribution: &Distribution) -> f64 {
    distribution.sum_ns() as f64 / 1e9
}

/// `5s`, `1m 30s`, `500ms`; or `1000 requests`.
fn describe(until: Until) -> String {
    match until {
        Until::Duration(duration) => humantime::format_duration(duration).to_string(),
        Until::Amount(1) => "1 request".to_owned(),
        Until::Amount(amount) => format!("{amount} requests"),
    }
}

/// Replies by status code and by class.
struct Statuses {
    classes: [u64; 6],
    /// Outside 100 to 599.
    other: u64,
    codes: BTreeMap<u16, StatusCount>,
}

impl Statuses {
    fn of(recorder: &Recorder) -> Statuses {
        let mut statuses = Statuses {
            classes: [0; 6],
            other: 0,
            codes: BTreeMap::new(),
        };
        for (code, count) in recorder.statuses() {
            statuses.codes.insert(code, StatusCount { count });
            match code {
                100..=599 => statuses.classes[usize::from(code / 100)] += count,
                _ => statuses.other += count,
            }
        }
        statuses
    }
}

impl Rate {
    fn new(windows: Vec<f64>) -> Rate {
        let summary = Summary::of(windows);
        let mean = rounded(summary.mean, 2);
        Rate {
            average: mean,
            mean,
            stddev: rounded(summary.stdev, 2),
            min: rounded(summary.min(), 2),
            max: rounded(summary.max(), 2),
            p1: rounded(summary.quantile(0.01), 2),
            p2_5: rounded(summary.quantile(0.025), 2),
            p50: rounded(summary.quantile(0.5), 2),
            p97_5: rounded(summary.quantile(0.975), 2),
            total: 0,
            sent: None,
        }
    }
}

impl ErrorKinds {
    fn new(counters: &Counters, timed_out: u64) -> ErrorKinds {
        let errors = &counters.errors;
        ErrorKinds {
            refused: errors.refused,
            unreachable: errors.unreachable,
            reset: errors.reset,
            closed_early: errors.closed_early,
            timeout: timed_out,
            bad_reply: errors.bad_reply,
            wrong_body: counters.wrong_bodies,
            no_local_port: errors.no_local_port,
            no_descriptor: errors.no_descriptor,
            other: errors.other,
        }
    }
}

impl Bundling {
    fn new(record: &RunRecord) -> Bundling {
        let mean = |total: u64, times: u64| rounded(total as f64 / times.max(1) as f64, 2);
        let (accounting, counters) = (&record.accounting, &record.counters);
        Bundling {
            requests_per_write: mean(accounting.sent, counters.writes),
            replies_per_read: mean(accounting.completed, counters.reads),
            connects: record.connects.opened,
        }
    }
}

impl ConnectStats {
    fn new(connects: &Connects, started: Time) -> ConnectStats {
        let latencies = &connects.latencies;
        let at = |quantile| latencies.told_quantile_ns(quantile).map(|ns| ms(ns as f64));
        ConnectStats {
            asked: connects.asked,
            opened: connects.peak,
            last_after_ms: ms(connects.peak_at.ns_since(started) as f64),
            latency_ms: ConnectLatency {
                p50: at(0.5),
                p99: at(0.99),
                max: ms(latencies.max_ns() as f64),
            },
        }
    }
}

impl OpenLoop {
    fn new(plan: &OpenLoopPlan, found: &open_loop::OpenLoop) -> OpenLoop {
        let at = |quantile| found.lag.told_quantile_ns(quantile).map(|ns| ms(ns as f64));
        OpenLoop {
            rate: match plan.rate {
                schedule::Rate::Constant(rate) => ScheduledRate {
                    from: rate,
                    to: rate,
                },
                schedule::Rate::Ramp { from, to, .. } => ScheduledRate { from, to },
            },
            arrivals: plan.arrivals.as_str(),
            seed: plan.seed,
            schedule_lag_ms: ScheduleLag {
                p50: at(0.5),
                p99: at(0.99),
                max: ms(found.lag.max_ns() as f64),
            },
        }
    }
}

/// Milliseconds of nanoseconds, to the nanosecond.
fn ms(ns: f64) -> f64 {
    rounded(ns / NS_PER_MS, 6)
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::event_loop::Wait;
    use crate::load::client::LoadClient;
    use crate::load::plan::Worker;
    use crate::load::schedule::Arrivals;

    const SECOND: Duration = Duration::from_secs(1);

    /// Two workers at this rate.
    fn plan(rate: schedule::Rate) -> LoadPlan {
        LoadPlan {
            workers: NonZeroU32::new(2).expect("not 0"),
            open_loop: Some(OpenLoopPlan {
                rate,
                arrivals: Arrivals::Constant,
                seed: 1,
                deadline: None,
            }),
            ..crate::load::tests::plan("http://localhost")
        }
    }

    /// Ten seconds in which nothing happened.
    fn record(plan: &LoadPlan) -> RunRecord {
        let (start, end) = (Time::START + SECOND, Time::START + SECOND * 11);
        let worker = Worker { number: 0, of: 1 };
        RunRecord {
            recorder: Recorder::starting(start),
            open_loop: plan
                .open_loop
                .map(|plan| open_loop::OpenLoop::new(&plan, start, end, worker)),
            started: start,
            ended: end,
            ..LoadClient::new(plan, &mut |_| {}).finish()
        }
    }

    fn evidence_of(plan: &LoadPlan, record: &RunRecord) -> Evidence {
        evidence(plan, record, &Course::of(plan, record), 10.0, 0.5)
    }

    #[test]
    fn rates_are_told_by_their_percentiles() {
        let rate = Rate::new((1..=1000).map(f64::from).collect());
        assert_eq!((rate.min, rate.p1, rate.p2_5), (1.0, 10.0, 25.0));
        assert_eq!((rate.p50, rate.p97_5, rate.max), (500.0, 975.0, 1000.0));
        assert_eq!((rate.mean, rate.average), (500.5, 500.5));
        // sqrt((1000^2 - 1) / 12).
        assert_eq!((rate.stddev, rate.total), (288.67, 0));
        let rate = Rate::new(vec![1.2378]);
        let figures = [rate.min, rate.p1, rate.p2_5, rate.p50, rate.p97_5, rate.max];
        assert_eq!((figures, rate.mean), ([1.24; 6], 1.24));
    }

    #[test]
    fn littles_law_gets_the_time_of_every_request() {
        let plan = plan(schedule::Rate::Constant(100.0));
        let mut record = record(&plan);
        let log = &mut record.recorder.log;
        log.record(record.started, 1_000_000_000, 2);
        log.record_censored(record.ended, 3_000_000_000, 1);
        log.record_lost(record.ended, 4_000_000_000, 2);
        log.finish(record.ended + SECOND);
        record.turns.read_late(SECOND / 2, 3);
        let evidence = evidence_of(&plan, &record);
        assert_eq!((evidence.answered_s, evidence.unanswered_s), (3.5, 11.0));
    }

    #[test]
    fn pauses_are_a_share_of_the_time_of_all_workers() {
        let mut plan = plan(schedule::Rate::Constant(100.0));
        let mut record = record(&plan);
        record.turns.waited(Wait {
            began: record.started,
            due: record.started + SECOND * 2,
            ended: record.started + SECOND * 3,
        });
        let pauses = evidence_of(&plan, &record).client_pauses.expect("one");
        assert_eq!(
            (pauses.count, pauses.total_ms, pauses.share),
            (1, 1000.0, 0.05)
        );
        assert_eq!((pauses.longest_ms, pauses.longest_at_s), (1000.0, 2.0));
        assert!(pauses.in_latencies);
        plan.kernel_timestamps = true;
        let pauses = evidence_of(&plan, &record).client_pauses.expect("one");
        assert!(!pauses.in_latencies);
    }

    #[test]
    fn the_clients_lag_is_judged_at_the_highest_percentile_it_has() {
        let plan = plan(schedule::Rate::Constant(100.0));
        let mut record = record(&plan);
        let lag = &mut record.open_loop.as_mut().expect("a schedule").client_lag;
        lag.record(2_000_000, 999);
        let lag_of = |record: &RunRecord| {
            let schedule = evidence_of(&plan, record).schedule.expect("a schedule");
            schedule.client_lag
        };
        let near_2_ms = |ms: f64| (ms - 2.0).abs() < 0.01;
        assert!(matches!(lag_of(&record), Some((97.5, ms)) if near_2_ms(ms)));
        let lag = &mut record.open_loop.as_mut().expect("a schedule").client_lag;
        lag.record(2_000_000, 1);
        assert!(matches!(lag_of(&record), Some((99.0, ms)) if near_2_ms(ms)));
    }

    #[test]
    fn only_a_rate_that_grows_is_a_ramp() {
        let ramp = schedule::Rate::Ramp {
            from: 1.0,
            to: 2.0,
            over: SECOND,
        };
        assert!(is_ramp(&plan(ramp)));
        assert!(!is_ramp(&plan(schedule::Rate::Constant(1.0))));
        assert!(!is_ramp(&crate::load::tests::plan("http://localhost")));
    }

    #[test]
    fn a_warm_up_cost_as_much_as_the_rest() {
        let cost = Cost {
            cpu: SECOND,
            wall: SECOND * 10,
        };
        let rest = cost.without(SECOND * 4);
        assert_eq!((rest.cpu, rest.wall), (SECOND * 6 / 10, SECOND * 6));
    }

    #[test]
    fn bundling_is_a_mean_to_two_decimals() {
        let plan = plan(schedule::Rate::Constant(100.0));
        let mut record = record(&plan);
        assert_eq!(Bundling::new(&record).requests_per_write, 0.0);
        (record.accounting.sent, record.counters.writes) = (5, 1);
        (record.accounting.completed, record.counters.reads) = (5, 3);
        let bundling = Bundling::new(&record);
        assert_eq!(bundling.requests_per_write, 5.0);
        assert_eq!(bundling.replies_per_read, 1.67);
    }
}
