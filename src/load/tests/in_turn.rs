//! Requests that take turns: the order in which they are sent, and each reply with its own request.

use super::*;
use crate::load::RequestList;
use crate::load::plan::Worker;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
const OTHER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother";
const REFUSED: &[u8] =
    b"HTTP/1.1 405 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno\n\r\n0\r\n\r\n";

/// A plan with these requests, given as methods and paths.
fn in_turn(requests: &[(&str, &str)], plan: LoadPlan) -> LoadPlan {
    let request = |&(method, path): &(&str, &str)| Request {
        method: method.to_owned(),
        request_target: path.to_owned(),
        ..plan.requests[0].clone()
    };
    let requests = requests.iter().map(request).collect();
    LoadPlan {
        requests: RequestList::new(requests).expect("at least one"),
        ..plan
    }
}

/// Five requests whose replies begin alike, are framed differently, or have other bodies.
fn mixed() -> LoadPlan {
    let requests = [
        ("HEAD", "/a"),
        ("GET", "/a"),
        ("GET", "/b"),
        ("POST", "/"),
        ("HEAD", "/b"),
    ];
    in_turn(&requests, plan("http://localhost"))
}

/// The replies to two laps of [`mixed`] that begin with the first request.
fn two_laps() -> Vec<u8> {
    [HEAD, REPLY, OTHER, REFUSED, HEAD].concat().repeat(2)
}

/// Paths of the requests that are queued, one after the other; takes them.
fn paths(line: &mut Line) -> String {
    let mut sink = Vec::new();
    line.out.flush(&mut sink).expect("a Vec takes everything");
    let text = String::from_utf8(sink).expect("text");
    let lines = text.lines().filter(|line| line.ends_with(" HTTP/1.1"));
    lines.filter_map(|line| line.split(' ').nth(1)).collect()
}

fn three(plan: LoadPlan) -> LoadPlan {
    in_turn(&[("GET", "/a"), ("GET", "/bb"), ("GET", "/c")], plan)
}

#[test]
fn each_connection_goes_through_the_list_from_another_request_on() {
    let plan = LoadPlan {
        connections: 4,
        pipelining: 2,
        ..three(plan("http://localhost"))
    };
    play(plan, |bench| {
        let mut lines = [0, 1, 2, 3].map(|at| bench.open(at));
        assert_eq!(
            lines.each_mut().map(paths),
            ["/a/bb", "/bb/c", "/c/a", "/a/bb"]
        );
        let [first, second, ..] = &mut lines;
        bench.receive(first, REPLY, 10);
        assert_eq!(paths(first), "/c");
        bench.receive(first, &REPLY.repeat(2), 11);
        assert_eq!(paths(first), "/a/bb");
        bench.receive(second, &REPLY.repeat(2), 12);
        assert_eq!(paths(second), "/a/bb");
        assert_eq!(bench.turn(5000), TurnResult::Stop);
        for line in lines {
            bench.close(line, Closed::Stopped, 5000);
        }
    });
}

#[test]
fn a_server_that_closes_after_each_reply_gets_each_request_in_its_turn() {
    let plan = LoadPlan {
        pipelining: 1,
        ..three(plan("http://localhost"))
    };
    play(plan, |bench| {
        for expected in ["/a", "/bb", "/c", "/a"] {
            let mut line = bench.open(1);
            assert_eq!(paths(&mut line), expected);
            assert_eq!(bench.receive(&mut line, LAST_REPLY, 2), Flow::Abort);
            bench.close(line, Closed::Done, 2);
        }
        assert_eq!(bench.turn(5000), TurnResult::Stop);
    });
}

#[test]
fn workers_begin_with_different_requests() {
    let plan = LoadPlan {
        connections: 2,
        pipelining: 1,
        ..three(plan("http://localhost"))
    };
    let first_paths = |number| {
        let mut ignore = |_| {};
        let client = LoadClient::new(&plan, &mut ignore).as_worker(Worker { number, of: 2 });
        let mut bench = Bench {
            client,
            request_bytes: 0,
        };
        bench.turn(0);
        [0, 1].map(|at| paths(&mut bench.open(at)))
    };
    assert_eq!(first_paths(0), ["/a", "/bb"]);
    assert_eq!(first_paths(1), ["/c", "/a"]);
}

#[test]
fn requests_that_are_due_take_turns_too() {
    let plan = LoadPlan {
        open_loop: Some(OpenLoopPlan {
            rate: Rate::Constant(100.0),
            arrivals: Arrivals::Constant,
            seed: 0,
            deadline: None,
        }),
        ..three(plan("http://localhost"))
    };
    play(plan, |bench| {
        let mut line = bench.open(25);
        assert_eq!(paths(&mut line), "/a/bb/c");
        bench.receive(&mut line, REPLY, 45);
        assert_eq!(paths(&mut line), "/a/bb");
        stop(bench, line, 5000);
    });
}

#[test]
fn replies_are_paired_with_their_requests_however_they_are_cut() {
    let replies = two_laps();
    let pieces_of = |cut: usize| [&replies[..cut], &replies[cut..]];
    let one_by_one = replies.chunks(1).collect::<Vec<_>>();
    let cuts = (0..replies.len()).map(|cut| pieces_of(cut).to_vec());
    for pieces in cuts.chain([one_by_one]) {
        let what = pieces.first().map(|piece| piece.len());
        let report = play(mixed(), |bench| {
            let mut line = bench.open(0);
            for piece in pieces {
                bench.receive(&mut line, piece, 1);
            }
            // Once more, by what was learned.
            bench.receive(&mut line, &replies, 2);
            stop(bench, line, 5000);
        });
        let counts = (report.accounting.completed, report.accounting.lost);
        assert_eq!(counts, (20, 0), "{what:?}: {:?}", report.first_error);
        assert_eq!((report.status_2xx, report.status_4xx), (16, 4), "{what:?}");
        assert_eq!((report.errors, report.varied_bodies), (0, 0), "{what:?}");
    }
}

#[test]
fn a_body_is_compared_with_the_first_one_of_its_request() {
    let swapped = [HEAD, OTHER, REPLY, REFUSED, HEAD].concat();
    let report = play(mixed(), |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, &two_laps(), 1);
        bench.receive(&mut line, &swapped, 2);
        bench.receive(&mut line, &two_laps(), 3);
        stop(bench, line, 5000);
    });
    assert_eq!((report.varied_bodies, report.accounting.completed), (2, 25));
}

#[test]
fn an_expected_body_is_that_of_all_requests() {
    let expecting = LoadPlan {
        expected_body: Some(b"hello".to_vec()),
        ..mixed()
    };
    let report = play(expecting, |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, &two_laps(), 1);
        stop(bench, line, 5000);
    });
    // Those of GET /b and POST; HEAD has none.
    assert_eq!((report.mismatches, report.varied_bodies), (4, 0));
}

#[test]
fn a_reply_that_ends_with_its_connection_is_that_of_the_oldest_request() {
    let requests = [("GET", "/a"), ("HEAD", "/a")];
    let plan = in_turn(&requests, plan("http://localhost"));
    let report = play(plan, |bench| {
        let mut line = bench.open(0);
        bench.receive(&mut line, REPLY, 1);
        // Without a body, this reply is complete at its head, and keeps its connection.
        bench.receive(&mut line, b"HTTP/1.1 200 OK\r\n\r\n", 2);
        bench.receive(&mut line, b"HTTP/1.1 200 OK\r\n\r\nhel", 3);
        bench.receive(&mut line, b"lo", 4);
        bench.peer_ends(line, 5);
        assert_eq!(bench.turn(5000), TurnResult::Stop);
    });
    let counts = (report.accounting.completed, report.varied_bodies);
    assert_eq!(counts, (3, 0), "{:?}", report.first_error);
}

#[test]
fn requests_of_different_lengths_are_stamped_when_the_kernel_takes_them() {
    let long = "/".repeat(1 + 500);
    let paths = [("GET", "/a"), ("GET", &long), ("GET", "/c")];
    let report = play(in_turn(&paths, plan("http://localhost")), |bench| {
        let mut line = bench.open(0);
        let one = bench.request_bytes;
        let bytes = |from: usize, to: usize| -> usize {
            let more = |n| if n % 3 == 1 { 499 } else { 0 };
            (from..to).map(|n| one + more(n)).sum()
        };
        // Ten requests: the kernel took three, and a byte of the fourth.
        let left = bytes(3, 10) - 1;
        bench.client.unsent(&mut line.conn, left, ms(0));
        // It took two more, all but a byte of the next.
        let left = bytes(6, 10) + 1;
        bench.client.unsent(&mut line.conn, left, ms(50));
        bench.receive(&mut line, &REPLY.repeat(4), 60);
        let left = left + bytes(10, 14);
        bench.client.unsent(&mut line.conn, left, ms(60));
        bench.client.unsent(&mut line.conn, 0, ms(100));
        bench.receive(&mut line, &REPLY.repeat(6), 110);
        stop(bench, line, 5000);
    });
    // Four took 60 ms, two 60 ms since they were taken, and four 10 ms.
    assert_eq!((report.latency.min, report.latency.max), (10.0, 60.0));
    assert_eq!(report.latency.mean, 40.0);
    assert_eq!(report.accounting.sent, 20);
}
