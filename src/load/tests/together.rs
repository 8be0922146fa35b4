//! Several clients that make one run: they begin together, and take turns.

use super::*;
use crate::load::client::RunEnd;
use crate::load::plan::Worker;

fn bench<'a>(
    plan: &LoadPlan,
    worker: Worker,
    start_ms: u64,
    ignore: &'a mut dyn FnMut(crate::load::Progress),
) -> Bench<'a> {
    Bench {
        client: LoadClient::new(plan, ignore)
            .as_worker(worker)
            .starting_at(Some(ms(start_ms))),
        request_bytes: plan.requests[0].render(&plan.target).len(),
    }
}

impl Bench<'_> {
    /// As the loop does when a request may be due on a connection.
    fn caught_up(&mut self, line: &mut Line, at: u64) -> usize {
        let flow = self.client.caught_up(&mut line.conn, ms(at), &mut line.out);
        assert_eq!(flow, Flow::Keep);
        self.requests(line)
    }
}

#[test]
fn connections_are_open_before_the_start_and_send_at_it() {
    let two = LoadPlan {
        connections: 2,
        ..plan("http://localhost")
    };
    let mut ignore = |_| {};
    let mut bench = bench(&two, Worker::ONLY, 1000, &mut ignore);
    let wake = |result| match result {
        TurnResult::Run { wake } => wake,
        TurnResult::Stop => panic!("the run is over"),
    };
    assert_eq!(wake(bench.turn(0)), ms(10));
    let mut line = bench.open(5);
    let gone = bench.open(6);
    assert_eq!(bench.requests(&mut line), 0);
    assert_eq!(bench.client.send_at(), ms(1000));
    bench.close(gone, Closed::Done, 7);
    assert_eq!(wake(bench.turn(995)), ms(1000));
    assert_eq!(bench.caught_up(&mut line, 995), 0);
    bench.turn(1001);
    assert_eq!(bench.client.send_at(), ms(1000));
    assert_eq!(bench.caught_up(&mut line, 1001), 10);
    assert_eq!(bench.client.send_at(), Time::NEVER);
    // Five seconds from the planned start.
    assert!(matches!(bench.turn(5999), TurnResult::Run { .. }));
    assert!(matches!(bench.turn(6000), TurnResult::Stop));
}

/// The other processes have begun: the run would not be the one that its report describes.
#[test]
fn a_start_that_passed_while_the_run_was_made_ready_fails_it() {
    let late = LoadPlan {
        start_at: Some(SystemTime::UNIX_EPOCH),
        ..plan("http://localhost")
    };
    let ready = crate::load::ReadyRun {
        plan: &late,
        peer: std::net::SocketAddr::from(([127, 0, 0, 1], 1)).into(),
    };
    let signal = crate::event_loop::StopSignal::new();
    let error = ready.run(&signal, &mut |_| {}).expect_err("no run");
    assert!(
        error.to_string().starts_with("the start passed "),
        "{error}"
    );
}

/// Evenly spaced requests stay evenly spaced when two processes of two threads each share them.
#[test]
fn the_phases_of_all_workers_are_staggered() {
    let shared = |share: &str| LoadPlan {
        connections: 4,
        pipelining: 1,
        workers: NonZeroU32::new(2).expect("not 0"),
        share: Some(share.parse().expect("a share")),
        open_loop: Some(OpenLoopPlan {
            rate: Rate::Constant(1000.0),
            arrivals: Arrivals::Constant,
            seed: 0,
            deadline: None,
        }),
        ..plan("http://localhost")
    };
    let mut sent_at = Vec::new();
    for (share, number) in [("0/2", 0), ("0/2", 1), ("1/2", 0), ("1/2", 1)] {
        let whole = shared(share);
        let worker = whole.worker(number);
        let plan = whole.share_of(worker);
        assert_eq!(plan.connections, 1);
        let mut ignore = |_| {};
        let mut bench = bench(&plan, worker, 100, &mut ignore);
        bench.turn(0);
        let mut line = bench.open(50);
        for at in 51..140 {
            bench.turn(at);
            if bench.client.send_at() <= ms(at) && bench.caught_up(&mut line, at) > 0 {
                sent_at.push(at);
                let _ = bench.receive(&mut line, REPLY, at);
            }
        }
        bench.close(line, Closed::Stopped, 140);
    }
    sent_at.sort_unstable();
    assert_eq!(sent_at, (100..140).collect::<Vec<u64>>());
}

#[test]
fn the_parts_of_all_processes_are_the_whole() {
    let whole = LoadPlan {
        connections: 11,
        workers: NonZeroU32::new(2).expect("not 0"),
        ..amount(1001)
    };
    let parts = ["0/3", "1/3", "2/3"].map(|share| {
        let share = Some(share.parse().expect("a share"));
        LoadPlan {
            share,
            ..whole.clone()
        }
        .own_part()
    });
    assert_eq!(parts.iter().map(|part| part.connections).sum::<usize>(), 11);
    let amounts = parts.iter().map(|part| match part.until {
        Until::Amount(amount) => amount,
        Until::Duration(_) => 0,
    });
    assert_eq!(amounts.sum::<u64>(), 1001);
}

#[test]
fn the_records_of_workers_are_that_of_one_run() {
    let record = |ended_ms| {
        let mut ignore = |_| {};
        let mut bench = Bench {
            client: LoadClient::new(&open_loop(), &mut ignore),
            request_bytes: 1,
        };
        bench.turn(0);
        let mut line = bench.open(0);
        bench.client.waited(Wait {
            began: ms(0),
            due: ms(4),
            ended: ms(54),
        });
        bench.receive(&mut line, REPLY, 54);
        bench.turn(ended_ms);
        bench.close(line, Closed::Stopped, ended_ms);
        bench.client.finish()
    };
    let (planned, interrupted) = (|| record(2000), || record(1500));
    assert_eq!(planned().end, RunEnd::Planned);
    for (mut all, other) in [(planned(), interrupted()), (interrupted(), planned())] {
        let sent = all.accounting.sent + other.accounting.sent;
        all.add(other);
        assert_eq!((all.ended, all.end), (ms(2000), RunEnd::Interrupted));
        assert_eq!((all.accounting.completed, all.accounting.sent), (2, sent));
        assert_eq!((all.connects.opened, all.counters.reads), (2, 2));
        assert_eq!(all.recorder.bytes(), 2 * REPLY.len() as u64);
        assert_eq!(all.turns.pauses.count, 2);
        let lag = all.open_loop.expect("an open loop").lag;
        assert_eq!(lag.total(), sent);
    }
}

/// Connections are opened a second before the start.
#[test]
fn a_stop_ends_the_wait_for_a_start_which_lasts_until_a_second_before_it() {
    let signal = crate::event_loop::StopSignal::new();
    signal.raise();
    let wait_for = |seconds| {
        let start = SystemTime::now() + Duration::from_secs_f64(seconds);
        crate::load::await_start(Some(start), &signal)
    };
    let stopped = wait_for(3600.0);
    let is_interrupted = matches!(stopped, Err(crate::load::Error::InterruptedBeforeStart));
    assert!(is_interrupted, "{stopped:?}");
    assert!(wait_for(0.9).is_ok());
    assert!(crate::load::await_start(None, &signal).is_ok());
}

#[test]
fn the_connect_check_lasts_no_longer_than_a_timeout_or_a_run() {
    let check_s = |timeout_s, until| {
        let plan = LoadPlan {
            timeout: Duration::from_secs(timeout_s),
            until,
            ..plan("http://localhost")
        };
        crate::load::check_timeout(&plan).as_secs()
    };
    let five_s = Until::Duration(Duration::from_secs(5));
    assert_eq!((check_s(3, five_s), check_s(8, five_s)), (3, 5));
    let amount = Until::Amount(1);
    assert_eq!((check_s(3, amount), check_s(60, amount)), (3, 10));
}
