//! Clients that send a head byte by byte and never end it.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::client::Client;
use super::figure::{Bound, Figures};
use super::paced;
use super::runner::{Bench, Result};
use crate::support::PATIENCE;

const CLIENTS: usize = 500;
const TIMEOUT: Duration = Duration::from_secs(2);
/// Time between two bytes of a client.
const DRIP: Duration = Duration::from_millis(100);
/// Time between two looks at the replies.
const LOOK: Duration = Duration::from_millis(5);

/// The client beside them is measured until the last of them is closed.
pub fn heads(bench: &Bench) -> Result<Vec<Figures>> {
    let timeout = TIMEOUT.as_secs().to_string();
    let server = bench.server(&["--header-timeout", &timeout])?;
    let address = server.address();
    let (latencies, lives) = thread::scope(|scope| {
        let dripping = scope.spawn(|| drip(address));
        let latencies = paced::beside(&server, TIMEOUT + Duration::from_secs(1));
        let lives = dripping.join().expect("dripping does not panic");
        Result::Ok((latencies?, lives?))
    })?;
    let earliest = lives.iter().min().ok_or("nobody was closed")?;
    let latest = lives.iter().max().ok_or("nobody was closed")?;
    let figures = Figures::new(5, "500 half heads, timeout 2 s")
        .all("closed with 408", lives.len() as u64, CLIENTS as u64)
        .add(
            "first end",
            earliest.as_secs_f64(),
            "s",
            Bound::AtLeast(2.0),
        )
        .add("last end", latest.as_secs_f64(), "s", Bound::AtMost(3.0));
    Ok(vec![latencies.p99(figures, 20.0)])
}

/// The times from a head's first byte to the end of its connection, of those closed with a 408.
fn drip(address: SocketAddr) -> Result<Vec<Duration>> {
    let clients = (0..CLIENTS)
        .map(|_| {
            let mut client = Client::connect(address)?;
            let started = Instant::now();
            client.send(b"GET / HTTP/1.1\r\nX: ")?;
            client.stream().set_nonblocking(true)?;
            Ok((client, started))
        })
        .collect::<Result<Vec<(Client, Instant)>>>();
    let mut clients = clients?;
    let mut lives = Vec::new();
    let mut drip_at = Instant::now();
    let give_up_at = drip_at + PATIENCE;
    while !clients.is_empty() && Instant::now() < give_up_at {
        let is_drip_due = Instant::now() >= drip_at;
        if is_drip_due {
            drip_at += DRIP;
        }
        let mut open = Vec::with_capacity(clients.len());
        for (mut client, started) in clients {
            if is_drip_due {
                // It fails if the server has closed; the reply shows that.
                let _ = client.send(b"a");
            }
            match client.reply_so_far()? {
                None => open.push((client, started)),
                Some(408) => {
                    client.stream().set_nonblocking(false)?;
                    if client.replies_to_end()? == 0 {
                        lives.push(started.elapsed());
                    }
                }
                Some(other) => return Err(format!("{other} for half a head").into()),
            }
        }
        clients = open;
        thread::sleep(LOOK);
    }
    Ok(lives)
}
