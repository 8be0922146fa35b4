//! `Connection::pump` under `HttpServer`: any stream in any pieces into any room gives the bytes
//! that it gives one byte at a time.
//!
//! The input is a length, so many bytes of script, and the stream. Each byte of the script is a
//! piece of the stream to deliver (even) or room to make in the send buffer (odd).

#![no_main]

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::time::{Duration, UNIX_EPOCH};

use bareloop::event_loop::connection::{Connection, Hint, Pumped};
use bareloop::event_loop::{Clock, ConnectionLimits, Protocol, Shared, ShortRead, Time, Transport};
use bareloop::http::request;
use bareloop::serve::Warnings;
use bareloop::serve::http::{HttpServer, HttpSettings, Timeouts};
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Wire {
    inbound: VecDeque<u8>,
    ended: bool,
    room: usize,
    outbound: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.inbound.is_empty(), self.ended) {
            (true, false) => Err(io::ErrorKind::WouldBlock.into()),
            _ => self.inbound.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        self.outbound.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Wire {
    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn server() -> HttpServer {
    let seconds = Duration::from_secs;
    let settings = HttpSettings {
        body: b"Hello World!".to_vec(),
        fields: Vec::new(),
        limits: request::Limits::default(),
        timeouts: Timeouts {
            header: seconds(10),
            body_gap: seconds(10),
            body_total: seconds(60),
            idle: seconds(60),
        },
    };
    let mut server = HttpServer::new(settings, Warnings::discarded());
    server.turn(Time::START, UNIX_EPOCH);
    server
}

/// The bytes that are sent for `stream` when `script` says how it comes.
fn converse(script: &[u8], stream: &[u8]) -> Vec<u8> {
    let seconds = Duration::from_secs;
    let limits = ConnectionLimits {
        connections_max: 1,
        send_timeout: seconds(1),
        linger: seconds(1),
        grace: seconds(1),
    };
    let mut shared = Shared::new(server(), limits, Clock::manual().0, ShortRead::Drained);
    let (mut connection, _) = Connection::open(Wire::default(), &mut shared);
    let mut rest = stream;
    let mut closed = false;
    for &step in script {
        let amount = usize::from(step / 2);
        let wire: &mut Wire = connection.stream_mut();
        if step % 2 == 0 {
            let (piece, later) = rest.split_at(amount.min(rest.len()));
            wire.inbound.extend(piece);
            rest = later;
        } else {
            wire.room += amount;
        }
        if !closed {
            closed = matches!(connection.pump(&mut shared, Hint::Ready), Pumped::Closed(_));
        }
    }
    let wire = connection.stream_mut();
    wire.inbound.extend(rest);
    wire.room = usize::MAX;
    wire.ended = true;
    while !closed {
        let pumped = connection.pump(&mut shared, Hint::ReadClosed);
        assert!(!matches!(pumped, Pumped::Wait));
        closed = matches!(pumped, Pumped::Closed(_));
    }
    std::mem::take(&mut connection.stream_mut().outbound)
}

fuzz_target!(|input: &[u8]| {
    let Some((&length, rest)) = input.split_first() else {
        return;
    };
    let (script, stream) = rest.split_at(usize::from(length).min(rest.len()));
    let one_by_one: Vec<u8> = stream.iter().flat_map(|_| [2, 255]).collect();
    assert_eq!(converse(script, stream), converse(&one_by_one, stream));
});
