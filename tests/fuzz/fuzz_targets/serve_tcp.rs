//! `TcpServer`: any stream in any pieces, on two connections that share what the server has learned,
//! gets one reply for each terminator.
//!
//! The input is a length, so many lengths of pieces, and the stream.

#![no_main]

use bareloop::event_loop::{Protocol, Time, WriteQueue};
use bareloop::serve::Warnings;
use bareloop::serve::tcp::{REPLY, TcpServer};
use libfuzzer_sys::fuzz_target;

/// Terminators, found byte by byte.
fn terminators(stream: &[u8]) -> usize {
    let (mut found, mut start) = (0, 0);
    for end in 0..=stream.len() {
        if stream[start..end].ends_with(b"\r\n\r\n") {
            found += 1;
            start = end;
        }
    }
    found
}

fuzz_target!(|input: &[u8]| {
    let Some((&length, rest)) = input.split_first() else {
        return;
    };
    let (lengths, stream) = rest.split_at(usize::from(length).min(rest.len()));
    let mut server = TcpServer::new(None, Warnings::discarded());
    let mut outputs = [WriteQueue::new(), WriteQueue::new()];
    let [first, second] = &mut outputs;
    let mut connections = [
        (server.opened(Time::START, first), first, stream),
        (server.opened(Time::START, second), second, stream),
    ];
    for (turn, &length) in lengths.iter().chain([&255, &255]).enumerate() {
        let (connection, out, rest) = &mut connections[turn % 2];
        let is_last = turn >= lengths.len();
        let piece_bytes = if is_last {
            rest.len()
        } else {
            usize::from(length)
        };
        let (piece, later) = rest.split_at(piece_bytes.min(rest.len()));
        *rest = later;
        server.received(connection, piece, Time::START, out);
    }
    for out in outputs {
        assert_eq!(out.len_bytes(), terminators(stream) * REPLY.len());
    }
});
