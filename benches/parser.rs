//! The request parser and the reply reader alone, without sockets, beside httparse.
//!
//! ```text
//! cargo bench --bench parser
//! ```
//!
//! Each row is a message in one piece, read over and over. `ns` is the time for one message, the
//! median of the rounds; `GB/s` is its bytes over that time. httparse finds the ends of fields and
//! leaves their meaning to its caller, so it does less: no limits, no Host, no framing.

mod support;

#[path = "parser"]
mod parser {
    pub mod messages;
    pub mod rivals;
}

use std::hint::black_box;
use std::time::{Duration, Instant};

use parser::messages::{Message, replies, requests};
use parser::rivals;

/// Measurements of each row, interleaved with those of the others.
const ROUNDS: usize = 7;
const MEASUREMENT: Duration = Duration::from_millis(40);

/// Reads a message, or panics if it is not what it should be.
type Reader = Box<dyn FnMut(&[u8])>;

fn main() {
    // `cargo bench` says so, and `cargo test` does not: it must not measure anything.
    let measures = std::env::args().any(|argument| argument == "--bench");
    table(
        "Requests",
        &requests(),
        rivals::request,
        rivals::httparse_request,
        measures,
    );
    table(
        "Replies",
        &replies(),
        rivals::reply,
        rivals::httparse_reply,
        measures,
    );
}

fn table(
    title: &str,
    messages: &[Message],
    own: fn() -> Reader,
    httparse: fn() -> Reader,
    measures: bool,
) {
    println!(
        "\n{title:<34} {:>7} {:>9} {:>6} {:>12} {:>6}",
        "bytes", "bareloop", "GB/s", "httparse", "GB/s"
    );
    for message in messages {
        let (mut own, mut httparse) = (own(), httparse());
        for variant in &message.variants {
            own(variant);
            httparse(variant);
        }
        if !measures {
            continue;
        }
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            times[0].push(nanoseconds(&mut own, &message.variants));
            times[1].push(nanoseconds(&mut httparse, &message.variants));
        }
        let bytes = message.variants[0].len();
        let [own, httparse] = times.map(median);
        println!(
            "{:<34} {bytes:>7} {own:>6.1} ns {:>6.2} {httparse:>9.1} ns {:>6.2}",
            message.name,
            bytes as f64 / own,
            bytes as f64 / httparse,
        );
    }
}

/// Time for one message.
fn nanoseconds(read: &mut Reader, variants: &[Vec<u8>]) -> f64 {
    let mut passes = 0;
    let started = Instant::now();
    loop {
        for variant in variants {
            read(black_box(variant));
        }
        passes += 1;
        if passes % 16 == 0 && started.elapsed() >= MEASUREMENT {
            return started.elapsed().as_nanos() as f64 / (passes * variants.len()) as f64;
        }
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
