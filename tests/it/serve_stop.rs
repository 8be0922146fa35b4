//! Starts, stops and restarts: SIGTERM, SIGINT, SIGKILL, ports in use.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use rustix::process::Signal;

use crate::harness::{
    Body, Client, GET, LARGE_REPLIES, NoReply, PATIENCE, Server, bareloop, has_ipv6, large_body,
    output_of, replies_in,
};

/// Waits until connections to this address are refused.
fn await_refusal(address: SocketAddr) {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        match TcpStream::connect(address) {
            Err(e) if e.kind() == ErrorKind::ConnectionRefused => return,
            _ => thread::yield_now(),
        }
    }
    panic!("{address} still accepts connections");
}

#[test]
fn an_idle_server_stops_at_either_signal_without_output() {
    for start in [Server::http, Server::tcp] {
        for signal in [Signal::TERM, Signal::INT] {
            let server = start(&[]);
            let mut idle = server.connect();
            idle.send("\r\n");
            server.signal(signal);
            idle.expect_end();
            drop(idle);
            let exited = server.wait();
            assert_eq!((exited.code, exited.stderr.as_str()), (Some(0), ""));
        }
    }
}

#[test]
fn a_stop_closes_half_sent_heads_and_idle_connections_without_a_reply() {
    let server = Server::http(&[]);
    let mut half = server.connect();
    half.send(&GET[..10]);
    let mut served = server.connect();
    assert_eq!(served.get().status, 200);
    server.signal(Signal::TERM);
    half.expect_end();
    served.expect_end();
    drop((half, served));
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_stop_does_not_wait_for_clients_that_keep_their_side_open() {
    // The grace is longer than this test waits.
    let server = Server::http(&["--shutdown-timeout", "1h", "--linger", "1h"]);
    let idle: Vec<Client> = (0..10).map(|_| server.connect()).collect();
    server.connect().get();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code, Some(0));
    drop(idle);
}

#[test]
fn a_stop_under_load_ends_every_connection_between_two_replies() {
    const CLIENTS: usize = 30;
    const DEPTH: usize = 10;
    let server = Server::http(&[]);
    let address = server.address();
    let (busy, is_busy) = channel();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let busy = busy.clone();
            thread::spawn(move || {
                let mut client = Client::connect(address);
                let mut replies = 0;
                while client.try_send(GET.repeat(DEPTH)).is_ok() {
                    for _ in 0..DEPTH {
                        match client.next_reply(Body::Sent) {
                            Ok(reply) => assert_eq!(reply.status, 200),
                            Err(NoReply::End) => return replies,
                            Err(e) => panic!("after {replies} replies: {e:?}"),
                        }
                        replies += 1;
                    }
                    let _ = busy.send(number);
                }
                replies
            })
        })
        .collect();
    let mut idle: HashSet<usize> = (0..CLIENTS).collect();
    while !idle.is_empty() {
        let client = is_busy.recv_timeout(PATIENCE);
        idle.remove(&client.expect("clients are answered"));
    }
    server.signal(Signal::TERM);
    for client in clients {
        assert!(client.join().expect("replies are whole") > 0);
    }
    let exited = server.wait();
    assert_eq!((exited.code, exited.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_stop_sends_what_is_owed_to_a_client_that_reads_late() {
    let server = Server::http(&["--body", &large_body(), "--shutdown-timeout", "30s"]);
    let mut client = server.connect();
    client.send(GET.repeat(LARGE_REPLIES));
    let first = client.reply();
    server.signal(Signal::TERM);
    await_refusal(server.address());
    let rest = client.read_to_end().expect("the end");
    let rest = replies_in(&rest).expect("whole replies");
    assert_eq!(rest.len(), LARGE_REPLIES - 1);
    assert!(rest.iter().all(|reply| reply.body == first.body));
    drop(client);
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_stop_answers_clients_that_still_wait_to_be_accepted() {
    let server = Server::http(&[]);
    server.signal(Signal::STOP);
    let mut waiting: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    for client in &mut waiting {
        client.send(GET);
    }
    server.signal(Signal::TERM);
    server.signal(Signal::CONT);
    for client in &mut waiting {
        assert_eq!(client.reply().status, 200);
        client.expect_end();
    }
    drop(waiting);
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_client_that_does_not_read_cannot_delay_a_stop_beyond_the_grace() {
    let server = Server::http(&["--body", &large_body(), "--shutdown-timeout", "300ms"]);
    let _stuck = server.connect_stuck();
    server.signal(Signal::TERM);
    // The send timeout of 30 s is longer than this test waits.
    let exited = server.wait();
    assert_eq!((exited.code, exited.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_second_signal_stops_at_once() {
    for second in [Signal::TERM, Signal::INT] {
        let server = Server::http(&["--body", &large_body(), "--shutdown-timeout", "1h"]);
        let _stuck = server.connect_stuck();
        server.signal(Signal::TERM);
        await_refusal(server.address());
        server.signal(second);
        assert_eq!(server.wait().code, Some(0));
    }
}

#[test]
fn two_signals_in_one_turn_stop_at_once() {
    let server = Server::http(&["--body", &large_body(), "--shutdown-timeout", "1h"]);
    let _stuck = server.connect_stuck();
    // The server sees both when it runs again. Two equal signals would be one to the kernel.
    server.signal(Signal::STOP);
    server.signal(Signal::TERM);
    server.signal(Signal::INT);
    server.signal(Signal::CONT);
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_new_server_gets_the_port_while_clients_of_the_old_one_are_connected() {
    for signal in [Signal::TERM, Signal::KILL] {
        let old = Server::http(&[]);
        let address = old.address();
        let mut clients: Vec<Client> = (0..100).map(|_| old.connect()).collect();
        for client in &mut clients {
            client.get();
        }
        old.signal(signal);
        old.wait();
        let new = Server::start(&["serve", "http", "--bind", &address.to_string()]);
        assert_eq!(new.address(), address);
        assert_eq!(new.connect().get().status, 200);
        drop(clients);
    }
}

#[test]
fn a_port_in_use_is_one_line_that_names_address_and_cause() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = holder.local_addr().expect("an address").to_string();
    for args in [
        &["serve", "http", "--bind", &taken][..],
        &["serve", "tcp", "--bind", &taken],
        &["serve", "http", "--bind", "127.0.0.1:0", "--bind", &taken],
    ] {
        let output = output_of(args);
        let stderr = &output.stderr;
        assert_eq!(output.code, Some(1), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        let start = format!("error: cannot listen on {taken}: Address already in use");
        assert!(stderr.starts_with(&start), "{stderr}");
        assert!(stderr.contains("--bind"), "{stderr}");
        assert!(output.stdout.is_empty(), "an address was announced");
    }
}

#[test]
fn two_servers_do_not_share_a_port() {
    let first = Server::http(&[]);
    let output = output_of(&["serve", "http", "--bind", &first.address().to_string()]);
    assert_eq!(output.code, Some(1));
    assert_eq!(first.connect().get().status, 200);
}

#[test]
fn it_listens_on_every_given_address() {
    let both = ["--bind", "127.0.0.1:0", "--bind", "127.0.0.1:0"];
    let server = Server::start(&[&["serve", "http"], &both[..]].concat());
    let addresses = server.addresses();
    assert_eq!(addresses.len(), 2);
    assert_ne!(addresses[0].port(), addresses[1].port());
    for &address in addresses {
        assert_ne!(address.port(), 0);
        assert_eq!(Client::connect(address).get().status, 200);
    }
}

#[test]
fn localhost_means_all_its_addresses_with_one_port() {
    let server = Server::start(&["serve", "http", "--bind", "localhost:0"]);
    let port = server.address().port();
    let resolved = ("localhost", port).to_socket_addrs().expect("localhost");
    for address in server.addresses() {
        assert!(address.ip().is_loopback(), "{address}");
        assert_eq!(address.port(), port);
        assert_eq!(Client::connect(*address).get().status, 200);
    }
    for address in resolved {
        let is_listened_on = server.addresses().contains(&address);
        let is_ours = TcpListener::bind((address.ip(), 0)).is_ok();
        assert_eq!(is_listened_on, is_ours, "{address}");
    }
}

#[test]
fn the_unspecified_ipv6_address_does_not_include_ipv4() {
    if !has_ipv6() {
        return;
    }
    let held = TcpListener::bind("0.0.0.0:0").expect("a free port");
    let port = held.local_addr().expect("it is bound").port();
    let server = Server::start(&["serve", "http", "--bind", &format!("[::]:{port}")]);
    let address = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    assert_eq!(
        server.addresses(),
        [SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))]
    );
    assert_eq!(Client::connect(address).get().status, 200);
}

#[test]
fn a_server_with_a_closed_stdout_serves() {
    let mut server = Server::on_free_port(|address| {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = bareloop();
        command.args(["serve", "http", "--bind", &address.to_string()]);
        command.stdout(writer);
        command
    });
    assert_eq!(server.connect().get().status, 200);
    assert!(server.is_running());
}

#[test]
fn a_stop_before_the_first_client_is_immediate() {
    // The grace is longer than this test waits.
    let server = Server::http(&["--shutdown-timeout", "1h"]);
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code, Some(0));
}
