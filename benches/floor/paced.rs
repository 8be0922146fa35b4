//! The paced client: request k is due at k/R, on connection k mod c, and its latency counts from
//! then.
//!
//! Deliberately absent: sleep. It polls on a core of its own, so that no wake-up of its own is
//! part of a latency. A connection carries one request at a time: a request that is due on a busy
//! connection waits, and its latency grows.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use super::connection::{Connection, connect_all};
use super::exchange::{RECEIVE_BYTES, first_reply, request, send_whole};
use super::latencies::Recorder;
use super::sys::Epoll;
use crate::support::PATIENCE;

/// Requests due in this time are not recorded: connections are accepted and caches filled.
const WARM_UP: Duration = Duration::from_millis(100);

/// Due times.
struct Schedule {
    started: Instant,
    rate_per_second: NonZeroU64,
}

impl Schedule {
    fn due(&self, number: u64) -> Instant {
        let nanos = u128::from(number) * 1_000_000_000 / u128::from(self.rate_per_second.get());
        self.started + Duration::from_nanos(nanos as u64)
    }

    /// Requests that are due within `span`.
    fn requests_in(&self, span: Duration) -> u64 {
        (span.as_secs_f64() * self.rate_per_second.get() as f64) as u64
    }
}

/// A connection, and the request that it carries.
struct Lane {
    connection: Connection,
    phase: Phase,
}

enum Phase {
    /// Its next request is not due yet.
    Free,
    /// This request is in flight.
    Busy(u64),
}

/// Connects to `address`, loads it for `duration`, and prints the [`Latencies`].
///
/// [`Latencies`]: super::latencies::Latencies
pub fn load(
    address: SocketAddr,
    connections: usize,
    rate_per_second: NonZeroU64,
    duration: Duration,
) -> io::Result<()> {
    let reply_bytes = first_reply(address)?.len();
    let mut poll = Epoll::new()?;
    let mut lane_of_descriptor = Vec::new();
    let mut lanes = Vec::with_capacity(connections);
    for connection in connect_all(address, connections)? {
        poll.add(&connection.stream)?;
        let fd = connection.stream.as_raw_fd() as usize;
        lane_of_descriptor.resize(lane_of_descriptor.len().max(fd + 1), 0);
        lane_of_descriptor[fd] = lanes.len();
        lanes.push(Lane {
            connection,
            phase: Phase::Free,
        });
    }
    let schedule = Schedule {
        started: Instant::now(),
        rate_per_second,
    };
    let requests = schedule.requests_in(WARM_UP + duration);
    let first_recorded = schedule.requests_in(WARM_UP);
    let mut client = PacedClient {
        requests,
        first_recorded,
        schedule,
        request: request(address),
        lanes,
        fallen_due: 0,
        answered: 0,
        recorder: Recorder::new((requests - first_recorded) as usize),
    };
    let mut buffer = vec![0; RECEIVE_BYTES];
    let mut heard = Instant::now();
    while client.answered < client.requests {
        // At most one in each turn, so that replies are read while the client catches up.
        client.send_due()?;
        for event in poll.wait(Some(Duration::ZERO))? {
            let index = lane_of_descriptor[event.fd as usize];
            let connection = &mut client.lanes[index].connection;
            let replies = connection.receive(&mut buffer, reply_bytes)?;
            heard = Instant::now();
            for _ in 0..replies {
                client.take_reply(index, heard)?;
            }
        }
        if heard.elapsed() > PATIENCE {
            return Err(io::Error::other("no reply has come for too long"));
        }
    }
    let latencies = serde_json::to_string(&client.recorder.latencies())?;
    println!("{latencies}");
    Ok(())
}

struct PacedClient {
    schedule: Schedule,
    requests: u64,
    first_recorded: u64,
    request: Vec<u8>,
    lanes: Vec<Lane>,
    /// Requests that are due, sent or waiting for their connection; also the number of the next one.
    fallen_due: u64,
    answered: u64,
    recorder: Recorder,
}

impl PacedClient {
    /// Sends the next request if it is due, and its connection is free.
    fn send_due(&mut self) -> io::Result<()> {
        let number = self.fallen_due;
        let due = self.schedule.due(number);
        let now = Instant::now();
        if number == self.requests || now < due {
            return Ok(());
        }
        self.fallen_due += 1;
        let index = (number % self.lanes.len() as u64) as usize;
        if let Phase::Free = self.lanes[index].phase {
            if number >= self.first_recorded {
                self.recorder.lag((now - due).as_nanos() as u64);
            }
            self.send(index, number)?;
        }
        Ok(())
    }

    /// Records the reply to the request in flight, and sends the next one if it waits.
    fn take_reply(&mut self, index: usize, now: Instant) -> io::Result<()> {
        let Phase::Busy(number) = self.lanes[index].phase else {
            return Err(io::Error::other("more replies than requests"));
        };
        self.answered += 1;
        if number >= self.first_recorded {
            let latency = now - self.schedule.due(number);
            self.recorder.latency(latency.as_nanos() as u64);
        }
        self.lanes[index].phase = Phase::Free;
        let next = number + self.lanes.len() as u64;
        if next < self.fallen_due {
            self.send(index, next)?;
        }
        Ok(())
    }

    fn send(&mut self, index: usize, number: u64) -> io::Result<()> {
        let lane = &mut self.lanes[index];
        send_whole(&mut lane.connection.stream, &self.request)?;
        lane.phase = Phase::Busy(number);
        Ok(())
    }
}
