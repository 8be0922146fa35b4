//! A soak: clients that check every reply, beside clients with every kind of fault.
//!
//! `BARELOOP_SOAK_SECONDS=300 cargo test --release --test it soak -- --ignored`

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::harness::{Client, GET, PATIENCE, Random, Server, seed};

/// Limit on the growth of memory after the first quarter, in which each fault has happened.
const GROWTH_BYTES_MAX: u64 = 1 << 20;

/// Sends requests and checks replies until it is over, and waits half of the time, so that the
/// server is not saturated. The number of replies.
fn steady(address: SocketAddr, is_over: &AtomicBool) -> u64 {
    let mut replies = 0;
    while !is_over.load(Ordering::Relaxed) {
        let mut client = Client::connect(address);
        for _ in 0..100 {
            let started = Instant::now();
            client.send(GET.repeat(10));
            for _ in 0..10 {
                let reply = client.reply();
                assert_eq!((reply.status, &reply.body[..]), (200, &b"Hello World!"[..]));
                replies += 1;
            }
            thread::sleep(started.elapsed());
        }
    }
    replies
}

/// One client with a fault.
fn fault(address: SocketAddr, random: &mut Random) {
    let mut client = Client::connect(address);
    let noise: Vec<u8> = (0..random.below(2000))
        .map(|_| random.bits() as u8)
        .collect();
    match random.below(8) {
        0 => drop(client.try_send(&noise)),
        1 => drop(client.try_send(&GET[..random.below(GET.len())])),
        2 => {
            let _ = client.try_send(GET.repeat(random.below(1000)));
            let _ = SockRef::from(client.stream()).set_linger(Some(Duration::ZERO));
        }
        3 => {
            // Sends as much as the kernel takes, and reads no reply.
            let _ = client.stream().set_nonblocking(true);
            let requests = GET.repeat(1000);
            while client
                .stream()
                .write(&requests)
                .is_ok_and(|bytes| bytes == requests.len())
            {}
        }
        4 => {
            let asked = random.below(2000);
            client.send(GET.repeat(asked));
            client.shut_write();
            (0..asked).for_each(|_| drop(client.reply()));
            client.expect_end();
        }
        5 => {
            let _ = client.try_send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
            let _ = client.try_send(&noise[..noise.len().min(999)]);
        }
        6 => {
            let _ = client.try_send("BAD\r\n\r\n");
            let _ = client.try_send(&noise);
            assert_eq!(client.reply().status, 400);
        }
        _ => drop(client),
    }
}

#[test]
#[ignore = "a minute, or BARELOOP_SOAK_SECONDS"]
fn a_soak_leaves_memory_constant_descriptors_closed_and_all_replies_right() {
    let seconds = std::env::var("BARELOOP_SOAK_SECONDS").unwrap_or_else(|_| "60".to_owned());
    let seconds: u64 = seconds.parse().expect("BARELOOP_SOAK_SECONDS is a number");
    let seed = seed();
    println!("BARELOOP_TEST_SEED={seed}");
    // Long enough that a client of this test that gets no CPU time for a while is not timed out.
    let limits = [
        "--send-timeout",
        "--header-timeout",
        "--body-timeout",
        "--linger",
    ];
    let mut flags: Vec<&str> = limits.iter().flat_map(|limit| [limit, "5s"]).collect();
    // The probe's connection is idle for the whole soak.
    flags.extend(["--idle-timeout", "24h"]);
    let server = Server::http(&flags);
    let address = server.address();
    let mut probe = server.connect();
    probe.get();
    let baseline = server.descriptors();
    let is_over = AtomicBool::new(false);
    let quarter = Duration::from_secs(seconds.div_ceil(4));
    thread::scope(|scope| {
        let is_over = &is_over;
        let steady: Vec<_> = (0..4)
            .map(|_| scope.spawn(move || steady(address, is_over)))
            .collect();
        for number in 0..4 {
            scope.spawn(move || {
                let mut random = Random::seeded(seed.wrapping_add(number));
                while !is_over.load(Ordering::Relaxed) {
                    fault(address, &mut random);
                }
            });
        }
        thread::sleep(quarter);
        let mut highest_bytes = server.memory_bytes();
        println!("after a quarter: {highest_bytes} bytes");
        let bound_bytes = highest_bytes + GROWTH_BYTES_MAX;
        for _ in 0..3 {
            thread::sleep(quarter);
            highest_bytes = highest_bytes.max(server.memory_bytes());
            println!("highest so far: {highest_bytes} bytes");
        }
        is_over.store(true, Ordering::Relaxed);
        let replies: u64 = steady
            .into_iter()
            .map(|client| client.join().expect("every reply is right"))
            .sum();
        println!("{replies} replies checked");
        assert!(
            highest_bytes <= bound_bytes,
            "{highest_bytes} bytes, more than {bound_bytes}"
        );
    });
    let until = Instant::now() + PATIENCE;
    while server.descriptors() > baseline {
        assert!(
            Instant::now() < until,
            "{} descriptors are left open",
            server.descriptors() - baseline
        );
        probe.get();
    }
}
