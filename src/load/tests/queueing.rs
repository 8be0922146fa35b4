//! The open loop of the real client against servers whose latency is known from queueing theory, on a
//! clock of our own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;
use crate::load::statistics::interval_log::all_answered;
use crate::load::statistics::test_queue::{QueuePlan, Random};

const RATE: f64 = 1000.0;
const RUN_S: u64 = 10;
const END_NS: u64 = RUN_S * 1_000_000_000;
const SEEDS: u64 = 20;
const LOADS: [f64; 3] = [0.3, 0.5, 0.8];

/// Replies that are under way: when they arrive, and on which connection.
type Replies = BinaryHeap<Reverse<(u64, usize)>>;

/// Poisson arrivals over this many connections. A request that is sent at some time on a connection
/// is answered at the time that `answered_at` tells.
fn run(
    connections: usize,
    seed: u64,
    mut answered_at: impl FnMut(u64, usize) -> u64,
) -> LoadReport {
    let open = LoadPlan {
        connections,
        pipelining: 1,
        until: Until::Duration(Duration::from_secs(RUN_S)),
        open_loop: Some(OpenLoopPlan {
            rate: Rate::Constant(RATE),
            arrivals: Arrivals::Poisson,
            seed,
            deadline: None,
        }),
        ..plan("http://localhost")
    };
    play(open, |bench| {
        let mut lines: Vec<Line> = (0..connections).map(|_| bench.open(0)).collect();
        let mut busy = vec![false; connections];
        let mut replies = Replies::new();
        loop {
            let due = bench.client.send_at().as_ns();
            let reply = replies.peek().map_or(u64::MAX, |Reverse((at, _))| *at);
            let now = due.min(reply);
            if now >= END_NS {
                break;
            }
            bench
                .client
                .turn(Time::from_ns(now), SystemTime::UNIX_EPOCH);
            let number = match (reply <= due).then(|| replies.pop()).flatten() {
                Some(Reverse((_, number))) => {
                    let Line { conn, out } = &mut lines[number];
                    let flow = bench.client.received(conn, REPLY, Time::from_ns(now), out);
                    assert_eq!(flow, Flow::Keep);
                    number
                }
                None => busy.iter().position(|&busy| !busy).expect("a free slot"),
            };
            let Line { conn, out } = &mut lines[number];
            bench.client.caught_up(conn, Time::from_ns(now), out);
            busy[number] = bench.requests(&mut lines[number]) == 1;
            if busy[number] {
                replies.push(Reverse((answered_at(now, number), number)));
            }
        }
        assert_eq!(bench.turn(RUN_S * 1000), TurnResult::Stop);
        for line in lines {
            bench.close(line, Closed::Stopped, RUN_S * 1000);
        }
    })
}

/// One server, first come first served, with service times from `length` times the mean.
fn queue(connections: usize, load: f64, seed: u64, length: fn(&mut Random) -> f64) -> LoadReport {
    let mut random = Random::seeded(seed);
    let mut free_at = 0;
    run(connections, seed, |now, _| {
        let service_ns = (length(&mut random) * load / RATE * 1e9) as u64;
        free_at = now.max(free_at) + service_ns;
        free_at
    })
}

/// The percentiles of M/M/1 are -ln(1 - p) / (mu - lambda).
#[test]
fn percentiles_agree_with_an_m_m_1_queue_within_their_intervals() {
    let (mut right, mut asked) = (0, 0);
    for load in LOADS {
        let truth = QueuePlan::mm1(load, RATE, RUN_S as f64);
        for seed in 0..SEEDS {
            let report = queue(16, load, seed, Random::exponential);
            let found = report.latency.intervals;
            for (quantile, interval) in [(0.5, found.p50), (0.9, found.p90), (0.99, found.p99)] {
                let Some(interval) = interval else { continue };
                let truth = truth.mm1_quantile_ns(quantile) / 1e6;
                asked += 1;
                right += u32::from(
                    interval.low <= truth && interval.high.is_none_or(|high| truth <= high),
                );
            }
        }
    }
    println!("{right} of {asked} percentiles within their intervals");
    assert!(
        asked >= 140 && right * 100 >= asked * 90,
        "{right} of {asked}"
    );
}

/// The mean wait of M/D/1 is rho S / (2 (1 - rho)).
#[test]
fn the_mean_wait_agrees_with_an_m_d_1_queue() {
    for (load, error_max) in [(0.3, 0.03), (0.5, 0.03), (0.8, 0.06)] {
        let service_ms = load / RATE * 1e3;
        let wait = |seed| queue(16, load, seed, |_| 1.0).latency.mean - service_ms;
        let found = (0..SEEDS).map(wait).sum::<f64>() / SEEDS as f64;
        let truth = load * service_ms / (2.0 * (1.0 - load));
        println!("M/D/1 {load}: mean wait {:.4} of theory", found / truth);
        assert!(
            (found / truth - 1.0).abs() < error_max,
            "{load}: {found} for {truth}"
        );
    }
}

#[test]
fn the_number_of_connections_does_not_change_the_answer() {
    let of = |connections| {
        let latency = queue(connections, 0.8, 1, Random::exponential).latency;
        (latency.p50, latency.p90, latency.p99, latency.max)
    };
    let one = of(1);
    for connections in [4, 64] {
        assert_eq!(of(connections), one, "{connections} connections");
    }
}

/// One connection stalls for a second; each request takes 0.2 ms otherwise.
#[test]
fn a_stalled_connection_delays_only_the_request_that_was_sent_on_it() {
    let mut stalled = false;
    let report = run(4, 1, |now, number| {
        let stalls = number == 0 && now >= 2_000_000_000 && !stalled;
        stalled |= stalls;
        now + if stalls { 1_000_000_000 } else { 200_000 }
    });
    assert!(stalled);
    assert!(report.latency.max >= 1000.0, "{:?}", report.latency.max);
    let all = all_answered(&report.timeline.intervals).take_packed();
    assert_eq!(all.count_above(10_000_000), 1);
    assert!(
        report.latency.p99_9 < Some(1.0),
        "{:?}",
        report.latency.p99_9
    );
}
