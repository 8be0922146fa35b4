//! Clients that pipeline as fast as they can, and read all their replies.

use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::client::{Client, GET};
use super::figure::{Bound, Figures};
use super::paced::Latencies;
use super::runner::{Bench, Result};

/// Requests in one send.
const BLOCK: u64 = 2_000;
const ROOM_BYTES: usize = 256 * 1024;
/// Rounds of the blaster alone and with the other client beside it.
const ROUNDS: u32 = 5;
const SEQUENTIAL: usize = 100;

/// One connection with a thread that sends and a thread that reads.
struct Blaster {
    replies: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    sending: JoinHandle<Result<u64>>,
    reading: JoinHandle<Result<()>>,
}

impl Blaster {
    fn start(address: SocketAddr) -> Result<Blaster> {
        let mut client = Client::with_room(address, ROOM_BYTES)?;
        let mut writer = client.writer()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let replies = Arc::new(AtomicU64::new(0));
        let must_stop = Arc::clone(&is_over);
        let send = move || {
            let requests = GET.repeat(BLOCK as usize);
            let mut sent = 0;
            while !must_stop.load(Ordering::Relaxed) {
                writer.write_all(&requests)?;
                sent += BLOCK;
            }
            writer.shutdown(Shutdown::Write)?;
            Ok(sent)
        };
        let count = Arc::clone(&replies);
        let read = move || {
            while let Some(status) = client.reply_or_end()? {
                if status != 200 {
                    return Err(format!("{status} for a good request").into());
                }
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        };
        Ok(Blaster {
            replies,
            is_over,
            sending: thread::spawn(send),
            reading: thread::spawn(read),
        })
    }

    fn replies(&self) -> u64 {
        self.replies.load(Ordering::Relaxed)
    }

    /// Stops sending, waits for all replies. The numbers of replies and requests.
    fn finish(self) -> Result<(u64, u64)> {
        self.is_over.store(true, Ordering::Relaxed);
        let sent = self.sending.join().expect("sending does not panic")?;
        self.reading.join().expect("reading does not panic")?;
        Ok((self.replies.load(Ordering::Relaxed), sent))
    }

    /// Replies per second while `work` runs.
    fn rate(&self, work: impl FnOnce() -> Result<()>) -> Result<f64> {
        let (before, started) = (self.replies(), Instant::now());
        work()?;
        Ok((self.replies() - before) as f64 / started.elapsed().as_secs_f64())
    }
}

/// One blaster, beside a client that sends one request after the other.
pub fn one(bench: &Bench) -> Result<Vec<Figures>> {
    let server = bench.server(&[])?;
    let mut client = Client::connect(server.address())?;
    let mut latencies = Latencies::new()?;
    let blaster = Blaster::start(server.address())?;
    thread::sleep(Duration::from_millis(200)); // Buffers and windows have grown by then.
    let span = bench.span / ROUNDS;
    let mut kept_percent = Vec::new();
    let mut solo = Vec::new();
    for _ in 0..ROUNDS {
        let alone = blaster.rate(|| {
            thread::sleep(span);
            Ok(())
        })?;
        let together = blaster.rate(|| latencies.record(&server, &mut client, span))?;
        kept_percent.push(100.0 * together / alone);
        solo.push(alone);
    }
    let (replies, requests) = blaster.finish()?;
    let alone = format!("alone {:.2} million a second", median(solo) / 1e6);
    let figures = Figures::new(10, "One blaster");
    let figures = latencies
        .p99(figures, 10.0)
        .time("another client's p99.9", latencies.at(0.999), 50.0)
        .add("rate kept", median(kept_percent), "%", Bound::AtLeast(80.0))
        .note(alone)
        .all("its replies", replies, requests);
    Ok(vec![figures])
}

/// Eight blasters, beside 100 clients that send one request after the other, without a pause.
pub fn eight(bench: &Bench) -> Result<Vec<Figures>> {
    let server = bench.server(&[])?;
    let blasters = (0..8)
        .map(|_| Blaster::start(server.address()))
        .collect::<Result<Vec<Blaster>>>()?;
    let address = server.address();
    let is_over = AtomicBool::new(false);
    let counts = thread::scope(|scope| {
        let ask = || {
            let mut client = Client::connect(address)?;
            let mut replies = 0.0;
            while !is_over.load(Ordering::Relaxed) {
                client.get()?;
                replies += 1.0;
            }
            Ok(replies)
        };
        let clients: Vec<_> = (0..SEQUENTIAL).map(|_| scope.spawn(ask)).collect();
        thread::sleep(bench.span);
        is_over.store(true, Ordering::Relaxed);
        let counts = clients.into_iter();
        let counts = counts.map(|client| client.join().expect("asking does not panic"));
        counts.collect::<Result<Vec<f64>>>()
    })?;
    let (mut replies, mut requests) = (0, 0);
    for blaster in blasters {
        let (answered, sent) = blaster.finish()?;
        replies += answered;
        requests += sent;
    }
    let slowest = counts.iter().copied().fold(f64::INFINITY, f64::min);
    let median = median(counts);
    let of_median = 100.0 * slowest / median;
    let figures = Figures::new(11, "8 blasters, 100 others")
        .add(
            "slowest other / median",
            of_median,
            "%",
            Bound::AtLeast(50.0),
        )
        .note(format!(
            "median {median:.0} replies in {} s",
            bench.span.as_secs()
        ))
        .all("blasters' replies", replies, requests);
    Ok(vec![figures])
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
