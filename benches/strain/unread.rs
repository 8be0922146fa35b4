//! Clients that send requests and do not read.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::client::{Client, GET};
use super::figure::{Bound, Figures};
use super::paced;
use super::runner::{Bench, Result};

const REQUESTS: usize = 200_000;
const FLOODERS: usize = 100;
/// Time between two attempts of a client to send more.
const TRY: Duration = Duration::from_millis(1);

/// A client sends 200,000 requests, and reads once the server has stopped reading from it.
pub fn late_reader(bench: &Bench) -> Result<Vec<Figures>> {
    let server = bench.server(&[])?;
    let before_bytes = server.resident_bytes()?;
    let requests = GET.repeat(REQUESTS);
    let mut client = Client::narrow(server.address())?;
    let sent_bytes = client.send_until_stuck(&requests, requests.len())?;
    server.wait_until_idle()?;
    let growth_bytes = server.resident_bytes()?.saturating_sub(before_bytes);
    let sent_percent = 100.0 * sent_bytes as f64 / requests.len() as f64;
    let mut writer = client.writer()?;
    let sending = thread::spawn(move || {
        writer.write_all(&requests[sent_bytes..])?;
        writer.shutdown(Shutdown::Write)
    });
    let replies = client.replies_to_end()?;
    sending.join().expect("sending does not panic")?;
    let figures = Figures::new(3, "200,000 requests unread")
        .memory(growth_bytes, Bound::Below(1.0))
        .add("sent until stuck", sent_percent, "%", Bound::Below(100.0))
        .all("replies when read at last", replies, REQUESTS as u64);
    Ok(vec![figures])
}

/// 100 clients that send without end.
pub fn flood(bench: &Bench) -> Result<Vec<Figures>> {
    let server = bench.server(&[])?;
    let before_bytes = server.resident_bytes()?;
    let address = server.address();
    let is_over = AtomicBool::new(false);
    let (latencies, after_bytes) = thread::scope(|scope| {
        let flooding = scope.spawn(|| pour(address, &is_over));
        let latencies = paced::beside(&server, bench.span);
        let after_bytes = server.resident_bytes();
        is_over.store(true, Ordering::Relaxed);
        flooding.join().expect("flooding does not panic")?;
        Result::Ok((latencies?, after_bytes?))
    })?;
    let figures = Figures::new(4, "100 clients pipelining unread")
        .memory(after_bytes.saturating_sub(before_bytes), Bound::Below(16.0));
    Ok(vec![latencies.p99(figures, 50.0)])
}

/// Sends on all connections, as much as the kernel takes, until `is_over`. None may be closed.
fn pour(address: SocketAddr, is_over: &AtomicBool) -> Result<()> {
    let requests = GET.repeat(1_000);
    let connect = |_| {
        let client = Client::narrow(address)?;
        client.stream().set_nonblocking(true)?;
        Ok((client, 0))
    };
    let flooders: Result<Vec<(Client, usize)>> = (0..FLOODERS).map(connect).collect();
    let mut flooders = flooders?;
    while !is_over.load(Ordering::Relaxed) {
        for (client, offset) in &mut flooders {
            match client.stream().write(&requests[*offset..]) {
                Ok(bytes) => *offset = (*offset + bytes) % requests.len(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
        thread::sleep(TRY);
    }
    Ok(())
}
