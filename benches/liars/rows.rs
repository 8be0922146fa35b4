//! The scripted servers, and what is true of each.

use std::net::{TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use socket2::SockRef;

use crate::support::peer::{Peer, Visit};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const WRONG: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno";
const LAST: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
const MS: Duration = Duration::from_millis(1);
/// One request in so many is treated badly.
const BAD_EVERY: usize = 10;

/// A server with known behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Row {
    /// Answers at once, but for a fifth of the run nothing
    Freeze,
    /// Answers nothing in the second half of the run
    Hang,
    /// 90 % after 1 ms, 10 % after 20 ms
    TwoModes,
    /// The first connection answers after 100 ms, the others after 1 ms
    SlowConnection,
    /// Every reply after 1 ms
    FixedTime,
    /// 500 requests a second at most, in one queue
    Overload,
    /// A reset in place of each tenth reply
    Resets,
    /// A close in place of each tenth reply
    SilentClose,
    /// A close after each reply, announced
    CloseAfterReply,
    /// Every tenth reply has a wrong body
    WrongBodies,
    /// From 10 ms to 1 ms, exponentially, over by half of the run
    SlowWarmUp,
    /// From 1 ms to 3 ms in the course of the run
    Drift,
}

/// The figure that a truth is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    P50Ms,
    P99Ms,
    MaxMs,
    /// Requests without a right reply, percent.
    BadPercent,
}

/// The truth about a row.
pub struct Truth {
    pub text: String,
    /// The figure, and the values of it that are true; `None` if no one figure is.
    pub figure: Option<(Figure, RangeInclusive<f64>)>,
    /// Self-tests of `load` that name the trouble.
    pub checks: &'static [&'static str],
    /// Flags that the user of `load` would give.
    pub flags: &'static [&'static str],
}

impl Row {
    /// The name that `--rows` takes.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The truth about a run of `run`, with ten connections.
    pub fn truth(self, run: Duration) -> Truth {
        use Figure::*;
        let run_ms = run.as_secs_f64() * 1e3;
        let near = |value: f64| value * 0.95..=value * 1.05;
        let (text, figure, checks, flags): (_, _, &[&str], &[&str]) = match self {
            Row::Freeze => {
                let p99_ms = (0.2 - 0.01) * run_ms;
                let text = format!("p99 {p99_ms:.0} ms");
                (text, Some((P99Ms, near(p99_ms))), &[], &["-R", "500"])
            }
            Row::Hang => {
                let p99_ms = 0.49 * run_ms;
                let text = format!("p99 >= {p99_ms:.0} ms");
                let at_least = 0.98 * p99_ms..=f64::INFINITY;
                (text, Some((P99Ms, at_least)), &[], &["-R", "500"])
            }
            Row::TwoModes => ("p99 20 ms".to_owned(), Some((P99Ms, 20.0..=25.0)), &[], &[]),
            Row::SlowConnection => {
                let flags = &["-R", "1000"];
                (
                    "max 100 ms".to_owned(),
                    Some((MaxMs, 100.0..=125.0)),
                    &[],
                    flags,
                )
            }
            Row::FixedTime => ("p50 1 ms".to_owned(), Some((P50Ms, 1.0..=1.25)), &[], &[]),
            Row::Overload => {
                // In a closed loop ten requests wait for each other; users wait longer and longer.
                let p99_ms = 0.5 * 0.99 * run_ms;
                let text = format!("p99 {p99_ms:.0} ms");
                let range = 0.9 * p99_ms..=1.1 * p99_ms;
                (text, Some((P99Ms, range)), &["backlog"], &["-R", "1000"])
            }
            Row::Resets | Row::SilentClose => {
                let text = "10 % without a reply".to_owned();
                (text, Some((BadPercent, 9.0..=11.0)), &["errors"], &[])
            }
            Row::CloseAfterReply => (
                "no request is lost".to_owned(),
                Some((BadPercent, 0.0..=0.0)),
                &[],
                &[],
            ),
            Row::WrongBodies => {
                let text = "10 % wrong".to_owned();
                (
                    text,
                    Some((BadPercent, 9.0..=11.0)),
                    &["bodies"],
                    &["-E", "ok"],
                )
            }
            Row::SlowWarmUp => {
                let text = "p99 1 ms once warm".to_owned();
                let checks = &["warmUp", "stationarity"];
                (text, Some((P99Ms, 1.0..=2.0)), checks, &["-W", "auto"])
            }
            Row::Drift => (
                "1 to 3 ms, no one figure".to_owned(),
                None,
                &["stationarity"],
                &[],
            ),
        };
        Truth {
            text,
            figure,
            checks,
            flags,
        }
    }

    /// Starts the server for one run of this length. Its time begins with the first request.
    pub fn serve(self, run: Duration) -> std::io::Result<Peer> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let script = Arc::new(Script {
            row: self,
            run,
            began: OnceLock::new(),
            queue_free_at: Mutex::new(None),
        });
        let wrap = move |stream: TcpStream| {
            if self == Row::Resets {
                // A close is then a reset. If it fails it is a close, and still no reply.
                let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
            }
            stream
        };
        Ok(Peer::wrapping(listener, wrap, move |visit| {
            script.serve(visit)
        }))
    }
}

struct Script {
    row: Row,
    run: Duration,
    began: OnceLock<Instant>,
    /// The end of the last request's service, in a server with one queue.
    queue_free_at: Mutex<Option<Instant>>,
}

impl Script {
    fn serve(&self, visit: &mut Visit) {
        let mut is_slow = false;
        while visit.request().is_some() {
            let now = Instant::now();
            let began = *self.began.get_or_init(|| now);
            is_slow |= visit.before == 0;
            let is_bad = visit.before % BAD_EVERY == BAD_EVERY - 1;
            let Some(wait) = self.wait(now - began, now, is_slow, is_bad) else {
                return visit.read_to_end();
            };
            thread::sleep(wait);
            let reply = match (self.row, is_bad) {
                (Row::Resets | Row::SilentClose, true) => return,
                (Row::WrongBodies, true) => WRONG,
                (Row::CloseAfterReply, _) => LAST,
                _ => OK,
            };
            if !visit.answer(reply) || self.row == Row::CloseAfterReply {
                return;
            }
        }
    }

    /// Time until the reply to a request that came at `age`; `None` for never.
    fn wait(&self, age: Duration, now: Instant, is_slow: bool, is_bad: bool) -> Option<Duration> {
        let part = age.as_secs_f64() / self.run.as_secs_f64();
        Some(match self.row {
            Row::Freeze if (0.4..0.6).contains(&part) => self.run.mul_f64(0.6) - age,
            Row::Hang if part >= 0.5 => return None,
            Row::Freeze | Row::Hang => Duration::ZERO,
            Row::TwoModes if is_bad => 20 * MS,
            Row::SlowConnection if is_slow => 100 * MS,
            Row::Overload => {
                let mut free_at = self.queue_free_at.lock().expect("no thread panicked");
                let done = free_at.unwrap_or(now).max(now) + 2 * MS;
                *free_at = Some(done);
                done - now
            }
            Row::SlowWarmUp => MS.mul_f64(1.0 + 9.0 * (-10.0 * part).exp()),
            Row::Drift => MS.mul_f64(1.0 + 2.0 * part.min(1.0)),
            _ => MS,
        })
    }
}
