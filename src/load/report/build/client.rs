//! The client's own part in a run: CPU time, turns, pauses, and what the system withheld.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Circumstances, ms, rounded};
use crate::load::client::RunRecord;
use crate::load::report::{ClientCost, ClientDelay, ClientPause, TurnLength};
use crate::load::statistics::distribution::Distribution;
use crate::load::turns::Pauses;

pub(super) fn build(record: &RunRecord, around: &Circumstances, workers: NonZeroU32) -> ClientCost {
    let cost = around.cost.without(record.warmed);
    let cpu_seconds = cost.cpu.as_secs_f64();
    let available = cost.wall.as_secs_f64() * f64::from(workers.get());
    let share = cpu_seconds / available.max(f64::MIN_POSITIVE);
    let wall_s = around.cost.wall.as_secs_f64().max(f64::MIN_POSITIVE);
    let busiest_share = record.worker_cpu.as_secs_f64() / wall_s;
    let per_request = match record.accounting.completed {
        0 => 0.0,
        completed => cpu_seconds * 1e6 / completed as f64,
    };
    // Like the CPU time, it is known of the warm-up and the run together.
    let part_of_run = cost.wall.as_secs_f64() / wall_s;
    let withheld_ms = |withheld: Duration| duration_ms(withheld.mul_f64(part_of_run));
    let turns = &record.turns.lengths;
    let Pauses { kept, count, total } = &record.turns.pauses;
    let pauses = kept.iter().map(|pause| ClientPause {
        start_ms: duration_ms(pause.began - record.started),
        ms: duration_ms(pause.length),
    });
    ClientCost {
        cpu_seconds: rounded(cpu_seconds, 6),
        cpu_share: rounded(share, 4),
        busiest_worker_share: rounded(busiest_share.max(share), 4),
        cpu_micros_per_request: rounded(per_request, 3),
        turn_ms: TurnLength {
            p99: turns.told_quantile_ns(0.99).map(|ns| ms(ns as f64)),
            max: (turns.total() > 0).then(|| ms(turns.max_ns() as f64)),
        },
        delay_ms: delay_ms(&record.turns.delays),
        // The threads of the other workers have ended and cannot be asked any more.
        run_delay_ms: match workers.get() {
            1 => around.withheld.run_delay.map(withheld_ms),
            _ => None,
        },
        steal_ms: around.withheld.steal.map(withheld_ms),
        pauses: pauses.collect(),
        pause_count: *count,
        paused_ms: duration_ms(*total),
    }
}

fn delay_ms(delays: &Distribution) -> Option<ClientDelay> {
    let at = |quantile| delays.told_quantile_ns(quantile).map(|ns| ms(ns as f64));
    (delays.total() > 0).then(|| ClientDelay {
        p50: at(0.5),
        p99: at(0.99),
        max: ms(delays.max_ns() as f64),
    })
}

fn duration_ms(duration: Duration) -> f64 {
    ms(duration.as_nanos() as f64)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::load::client::LoadClient;
    use crate::load::report::build::Cost;
    use crate::load::withheld::Withheld;

    fn record() -> RunRecord {
        let plan = crate::load::tests::plan("http://localhost");
        LoadClient::new(&plan, &mut |_| {}).finish()
    }

    /// 123.4567895 ms of CPU time in 5 s, and 7 ms without a core.
    fn build_for(record: &RunRecord, workers: u32) -> ClientCost {
        let around = Circumstances {
            address: String::new(),
            start: SystemTime::UNIX_EPOCH,
            finish: SystemTime::UNIX_EPOCH,
            cost: Cost {
                cpu: Duration::from_nanos(123_456_789),
                wall: Duration::from_secs(5),
            },
            withheld: Withheld {
                run_delay: Some(Duration::from_millis(7)),
                steal: None,
            },
        };
        build(record, &around, NonZeroU32::new(workers).expect("not 0"))
    }

    #[test]
    fn the_cost_is_told_by_core_and_by_request() {
        let mut record = record();
        assert_eq!(build_for(&record, 1).cpu_micros_per_request, 0.0);
        record.accounting.completed = 7;
        let cost = build_for(&record, 1);
        // 123,456.789 us / 7, and 0.123456789 s / 5 s.
        assert_eq!(cost.cpu_micros_per_request, 17_636.684);
        assert_eq!((cost.cpu_seconds, cost.cpu_share), (0.123_457, 0.0247));
        assert_eq!(build_for(&record, 2).cpu_share, 0.0123);
    }

    #[test]
    fn the_waits_for_a_core_are_those_of_a_single_worker_after_the_warm_up() {
        let mut record = record();
        assert_eq!(build_for(&record, 1).run_delay_ms, Some(7.0));
        assert_eq!(build_for(&record, 2).run_delay_ms, None);
        record.warmed = Duration::from_secs(1);
        assert_eq!(build_for(&record, 1).run_delay_ms, Some(5.6));
    }

    #[test]
    fn turns_and_delays_are_told_if_there_are_any() {
        let mut record = record();
        let cost = build_for(&record, 1);
        assert_eq!((cost.turn_ms.max, cost.delay_ms), (None, None));
        record.turns.lengths.record(3_000_000, 1);
        record.turns.read_late(Duration::from_millis(5), 1);
        let cost = build_for(&record, 1);
        assert_eq!(cost.turn_ms.max, Some(3.0));
        assert_eq!(cost.delay_ms.map(|delay| delay.max), Some(5.0));
    }
}
