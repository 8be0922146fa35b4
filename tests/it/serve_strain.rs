//! `serve` under strain: bounded memory, CPU time, descriptors, and fairness to other clients.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use socket2::{Domain, SockRef, Socket, Type};

use crate::harness::{Body, Client, Complaints, GET, NoReply, PATIENCE, Random, Server, seed};

/// Raises the limit on descriptors of this process as far as the system allows, and returns it.
fn raise_own_limit() -> usize {
    bareloop::event_loop::raise_descriptor_limit()
}

/// Sends one request after another on `probe` until `is_done`. Each takes at least one turn of the
/// server's loop.
fn probe_until(probe: &mut Client, what: &str, mut is_done: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_done() {
        assert!(Instant::now() < until, "never: {what}");
        assert_eq!(probe.get().status, 200);
    }
}

/// A connection that does not block, with the smallest buffers of the kernel.
fn narrow(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("it can be set");
    socket.set_send_buffer_size(4096).expect("it can be set");
    socket.connect(&address.into()).expect("the server accepts");
    socket.set_nonblocking(true).expect("it can be set");
    socket.into()
}

/// Sends requests over and over on each connection, and reads no replies, until the server reads from
/// none of them. The number of bytes sent. `turn` has to take a turn of the server's loop.
fn fill(clients: &mut [TcpStream], requests: &[u8], mut turn: impl FnMut()) -> usize {
    // Whole turns of the loop in which the server read from no connection.
    const QUIET_ROUNDS: usize = 200;
    let mut offsets = vec![0; clients.len()];
    let (mut sent, mut quiet_rounds) = (0, 0);
    let until = Instant::now() + PATIENCE;
    while quiet_rounds < QUIET_ROUNDS {
        assert!(Instant::now() < until, "the server never stops reading");
        quiet_rounds += 1;
        for (client, offset) in clients.iter_mut().zip(&mut offsets) {
            if let Ok(bytes) = client.write(&requests[*offset..]) {
                *offset = (*offset + bytes) % requests.len();
                sent += bytes;
                quiet_rounds = 0;
            }
        }
        turn();
    }
    sent
}

#[test]
fn clients_that_pipeline_and_never_read_cost_bounded_memory() {
    const CLIENTS: usize = 60;
    for args in [&[][..], &["--body", &"x".repeat(10_000)]] {
        let server = Server::http(args);
        let mut probe = server.connect();
        probe.get();
        let before_bytes = server.memory_bytes();
        let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| narrow(server.address())).collect();
        fill(&mut clients, &GET.repeat(1000), || drop(probe.get()));
        let growth_bytes = server.memory_bytes().saturating_sub(before_bytes);
        assert!(
            growth_bytes < 16 << 20,
            "{growth_bytes} bytes for {CLIENTS} clients"
        );
    }
}

#[test]
fn a_client_that_reads_late_gets_one_reply_for_each_request() {
    const REQUESTS: usize = 200_000;
    let server = Server::http(&[]);
    let mut probe = server.connect();
    let reply_bytes = {
        let reply = probe.get();
        reply.head.len() + reply.body.len()
    };
    let before_bytes = server.memory_bytes();
    let mut reader = Client::over(narrow(server.address()));
    reader.set_nonblocking(true);
    let mut stream = [reader.stream().try_clone().expect("a handle can be cloned")];
    let sent_bytes = fill(&mut stream, &GET.repeat(1000), || drop(probe.get()));
    assert!(
        sent_bytes < REQUESTS * GET.len(),
        "the server has read all of it"
    );
    let growth_bytes = server.memory_bytes().saturating_sub(before_bytes);
    assert!(growth_bytes < 1 << 20, "{growth_bytes} bytes");
    reader.set_nonblocking(false);
    let mut writer = reader.twin();
    let sending = thread::spawn(move || {
        let rest = GET.repeat(REQUESTS);
        writer.send(&rest[sent_bytes..]);
        writer.shut_write();
    });
    // The Date may change meanwhile, the length does not.
    let all = reader.read_to_end().expect("the end");
    sending.join().expect("all is sent");
    assert_eq!(all.len(), REQUESTS * reply_bytes);
    for reply in all.chunks(reply_bytes) {
        assert!(reply.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert!(reply.ends_with(b"\r\n\r\nHello World!"));
    }
}

#[test]
fn a_half_closed_client_that_does_not_read_costs_no_cpu_time() {
    let server = Server::http(&["--body", &"x".repeat(100_000)]);
    let mut client = server.connect();
    client.send(GET.repeat(300));
    client.shut_write();
    client.reply();
    assert_idle(&server);
    for _ in 1..300 {
        assert_eq!(client.reply().status, 200);
    }
    client.expect_end();
    assert_idle(&server);
}

/// Asserts that the server uses no CPU time. A loop that spins is busy in each of the spans.
fn assert_idle(server: &Server) {
    const SPAN: Duration = Duration::from_millis(200);
    const SPANS: usize = 3;
    let busy = || {
        let (before, started) = (server.busy_time(), Instant::now());
        thread::sleep(SPAN);
        let busy = server.busy_time() - before;
        busy.as_secs_f64() / started.elapsed().as_secs_f64()
    };
    let is_idle = (0..SPANS).any(|_| busy() < 0.5);
    assert!(is_idle, "busy with nothing to do");
}

#[test]
fn connections_that_never_pause_do_not_starve_the_others() {
    let server = Server::http(&[]);
    let address = server.address();
    let is_over = Arc::new(AtomicBool::new(false));
    let blasters: Vec<_> = (0..4)
        .map(|_| {
            let mut reader = Client::connect(address);
            let mut writer = reader.twin();
            let is_over = Arc::clone(&is_over);
            let reading = thread::spawn(move || {
                let mut received_bytes = 0;
                let mut piece = vec![0; 1 << 20];
                while let Ok(bytes @ 1..) = (&mut reader.stream()).read(&mut piece) {
                    received_bytes += bytes;
                }
                let _ = reader.read_to_end();
                received_bytes
            });
            let writing = thread::spawn(move || {
                let requests = GET.repeat(10_000);
                while !is_over.load(Ordering::Relaxed) {
                    writer.send(&requests);
                }
                writer.shut_write();
            });
            (reading, writing)
        })
        .collect();
    let mut kept = server.connect();
    for _ in 0..100 {
        assert_eq!(kept.get().status, 200);
        assert_eq!(server.connect().get().status, 200);
    }
    is_over.store(true, Ordering::Relaxed);
    for (reading, writing) in blasters {
        writing.join().expect("the server takes what is sent");
        assert!(reading.join().expect("reading does not panic") > 0);
    }
}

/// Lets the server open only `left` more descriptors.
fn leave_descriptors(server: &Server, left: usize) {
    let id = Pid::from_raw(i32::try_from(server.id()).expect("an id")).expect("not 0");
    let all = (server.descriptors() + left) as u64;
    let limit = Rlimit {
        current: Some(all),
        maximum: Some(all),
    };
    prlimit(Some(id), Resource::Nofile, limit).expect("a child's limit can be lowered");
}

#[test]
fn without_descriptors_it_serves_on_does_not_spin_and_recovers_without_a_new_connect() {
    const FITTING: usize = 5;
    const WAITING: usize = 20;
    let mut server = Server::http(&[]);
    leave_descriptors(&server, FITTING);
    let mut served: Vec<Client> = (0..FITTING).map(|_| server.connect()).collect();
    for client in &mut served {
        assert_eq!(client.get().status, 200);
    }
    let waiting: Vec<Client> = (0..WAITING)
        .map(|_| {
            let mut client = server.connect();
            client.send(GET);
            client
        })
        .collect();
    let warning = server.stderr_line();
    assert!(
        warning.starts_with("warning: cannot accept more connections: "),
        "{warning}"
    );
    assert!(warning.contains("ulimit -n"), "{warning}");
    assert_idle(&server);
    for client in &mut served {
        assert_eq!(client.get().status, 200);
    }
    // For each that is dropped, one is accepted.
    for mut client in waiting {
        drop(served.remove(0));
        assert_eq!(client.reply().status, 200);
        served.push(client);
    }
    server.signal(Signal::TERM);
    drop(served);
    let exited = server.wait();
    assert_eq!(exited.code, Some(0));
    assert!(
        exited.stderr.lines().count() < 60,
        "a line a second at most: {}",
        exited.stderr
    );
}

#[test]
fn clients_beyond_connections_max_wait_until_others_close() {
    let server = Server::http(&["--connections-max", "3"]);
    let mut served: Vec<Client> = (0..3).map(|_| server.connect()).collect();
    for client in &mut served {
        assert_eq!(client.get().status, 200);
    }
    let mut waiting: Vec<Client> = (0..5)
        .map(|_| {
            let mut client = server.connect();
            client.send(GET);
            client
        })
        .collect();
    for _ in 0..100 {
        assert_eq!(served[0].get().status, 200);
    }
    for client in &mut waiting {
        client.set_nonblocking(true);
        let seen = client.next_reply(Body::Sent);
        assert!(matches!(seen, Err(NoReply::Broken(_))), "{seen:?}");
        client.set_nonblocking(false);
    }
    assert_idle(&server);
    for mut client in waiting {
        drop(served.remove(0));
        assert_eq!(client.reply().status, 200);
        served.push(client);
    }
}

fn crowd(clients: usize) {
    let clients = clients.min(raise_own_limit() - 1000);
    let server = Server::http(&[]);
    let mut probe = server.connect();
    probe.get();
    let before_bytes = server.memory_bytes();
    let mut idle: Vec<Client> = (0..clients).map(|_| server.connect()).collect();
    for client in &mut idle {
        assert_eq!(client.get().status, 200);
    }
    let each_bytes = server.memory_bytes().saturating_sub(before_bytes) / clients as u64;
    assert!(
        each_bytes <= 2048,
        "{each_bytes} bytes for each of {clients} connections"
    );
    assert_idle(&server);
    for client in idle.iter_mut().step_by(97) {
        assert_eq!(client.get().status, 200);
    }
}

#[test]
fn two_thousand_idle_connections_cost_nothing() {
    crowd(2_000);
}

#[test]
#[ignore = "needs 10,000 descriptors here and in the server"]
fn nine_thousand_nine_hundred_idle_connections_cost_nothing() {
    crowd(9_900);
}

/// Connects, sends, and closes with a reset.
fn reset_after(server: &Server, sent: &[u8]) {
    let mut client = server.connect();
    let _ = client.try_send(sent);
    // SO_LINGER with no time makes the close a reset.
    let reset = SockRef::from(client.stream()).set_linger(Some(Duration::ZERO));
    reset.expect("it can be set");
}

fn resets(times: usize) {
    let server = Server::http(&[]);
    let mut probe = server.connect();
    probe.get();
    let baseline = server.descriptors();
    let stages: &[&[u8]] = &[
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
        GET,
        &GET.repeat(1000),
        b"BAD\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ];
    // The first round fills the buffers that are kept.
    let mut before_bytes = 0;
    for round in 0..2 {
        for stage in stages {
            for _ in 0..times {
                reset_after(&server, stage);
            }
        }
        probe_until(&mut probe, "descriptors back to the baseline", || {
            server.descriptors() <= baseline
        });
        match round {
            0 => before_bytes = server.memory_bytes(),
            _ => {
                let growth_bytes = server.memory_bytes().saturating_sub(before_bytes);
                assert!(growth_bytes < 1 << 20, "{growth_bytes} bytes");
            }
        }
    }
    assert_eq!(server.kill().stderr, "", "a reset is not reported");
}

#[test]
fn resets_at_every_stage_leave_no_descriptor_and_no_memory_behind() {
    resets(50);
}

#[test]
#[ignore = "20,000 connections"]
fn a_thousand_resets_at_every_stage_leave_no_descriptor_and_no_memory_behind() {
    resets(1_000);
}

#[test]
fn a_refused_client_that_never_closes_is_closed_after_the_linger() {
    let server = Server::http(&["--linger", "100ms"]);
    let mut probe = server.connect();
    probe.get();
    let baseline = server.descriptors();
    let mut refused: Vec<Client> = (0..20).map(|_| server.connect()).collect();
    for client in &mut refused {
        client.send("BAD\r\n\r\n");
        assert_eq!(client.reply().status, 400);
        client.expect_end();
    }
    probe_until(&mut probe, "lingering connections closed", || {
        server.descriptors() <= baseline
    });
}

#[test]
fn many_clients_connect_at_once_while_the_server_is_busy() {
    const CLIENTS: usize = 1_000;
    raise_own_limit();
    let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn").expect("Linux");
    let most: usize = most.trim().parse().expect("a number");
    let server = Server::http(&[]);
    server.signal(Signal::STOP);
    // Beyond the backlog a client would wait a second, then two, then four.
    let mut clients: Vec<Client> = (0..CLIENTS.min(most))
        .map(|_| {
            let address = server.address().into();
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            let connected = socket.connect_timeout(&address, Duration::from_secs(1));
            connected.expect("the backlog holds a thousand clients");
            Client::over(socket.into())
        })
        .collect();
    server.signal(Signal::CONT);
    for client in &mut clients {
        client.send(GET);
    }
    for client in &mut clients {
        assert_eq!(client.reply().status, 200);
    }
}

#[test]
fn dripping_clients_are_all_closed_with_408_while_others_are_served() {
    const CLIENTS: usize = 200;
    let server = Server::http(&["--header-timeout", "700ms"]);
    let mut probe = server.connect();
    let mut dripping: Vec<Client> = (0..CLIENTS).map(|_| server.connect()).collect();
    for client in &mut dripping {
        client.send("GET / HTTP/1.1\r\nX: ");
        client.set_nonblocking(true);
    }
    let until = Instant::now() + PATIENCE;
    while !dripping.is_empty() {
        assert!(
            Instant::now() < until,
            "{} are still waited for",
            dripping.len()
        );
        assert_eq!(probe.get().status, 200);
        dripping.retain_mut(|client| {
            let _ = client.try_send("a");
            match client.next_reply(Body::Sent) {
                Ok(reply) => {
                    assert_eq!(reply.status, 408);
                    false
                }
                Err(NoReply::End) => panic!("closed without a word"),
                Err(NoReply::Broken(_)) => true,
            }
        });
    }
}

#[test]
fn a_body_is_not_kept_in_memory_whatever_its_length() {
    let server = Server::http(&["--body-max", "10000000000"]);
    let mut probe = server.connect();
    probe.get();
    let before_bytes = server.memory_bytes();
    for start in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4294967296\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100000000\r\n",
    ] {
        let mut client = server.connect();
        client.send(start);
        client.send(vec![b'x'; 10_000_000]);
        probe.get();
        let growth_bytes = server.memory_bytes().saturating_sub(before_bytes);
        assert!(growth_bytes < 512 << 10, "{growth_bytes} bytes");
    }
}

/// Random bytes, or a valid request with a few bytes changed.
fn noise(random: &mut Random) -> Vec<u8> {
    const START: &[u8] = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    let mut bytes = if random.below(2) == 0 {
        (0..1 + random.below(400))
            .map(|_| random.bits() as u8)
            .collect()
    } else {
        START.to_vec()
    };
    for _ in 0..1 + random.below(3) {
        let at = random.below(bytes.len());
        bytes[at] = random.bits() as u8;
    }
    bytes
}

fn noise_from(connections: usize) {
    let seed = seed();
    println!("BARELOOP_TEST_SEED={seed}");
    let mut random = Random::seeded(seed);
    let server = Server::http(&[]);
    let mut complaints = Complaints::default();
    for _ in 0..connections {
        let bytes = noise(&mut random);
        let mut client = server.connect();
        let _ = client.try_send(&bytes);
        client.shut_write();
        let shown = bytes.escape_ascii();
        loop {
            match client.next_reply(Body::Sent) {
                Ok(reply) if reply.status >= 400 => {}
                Err(NoReply::End) => break,
                seen => {
                    complaints.add(format_args!("seed {seed}: {seen:?} to {shown}"));
                    break;
                }
            }
        }
    }
    complaints.settle();
    assert_eq!(server.connect().get().status, 200);
    assert_eq!(server.kill().stderr, "", "noise is not reported");
}

#[test]
fn noise_is_refused_or_not_answered() {
    noise_from(2_000);
}

#[test]
#[ignore = "50,000 connections"]
fn much_noise_is_refused_or_not_answered() {
    noise_from(50_000);
}

#[test]
fn serve_tcp_bounds_memory_too() {
    const CLIENTS: usize = 60;
    let server = Server::tcp(&[]);
    let mut probe = server.connect();
    let mut answered = || {
        probe.send("\r\n\r\n");
        probe.read_exactly(48);
    };
    answered();
    let before_bytes = server.memory_bytes();
    let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| narrow(server.address())).collect();
    fill(&mut clients, &b"\r\n\r\n".repeat(1000), answered);
    let growth_bytes = server.memory_bytes().saturating_sub(before_bytes);
    assert!(
        growth_bytes < 16 << 20,
        "{growth_bytes} bytes for {CLIENTS} clients"
    );
}
