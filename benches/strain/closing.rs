//! Half-closed connections, and refused requests.

use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use super::client::{BODY, Client, GET};
use super::figure::Figures;
use super::runner::{Bench, Result};

const WATCH: Duration = Duration::from_secs(1);
const TRIES: u64 = 1_000;
const SENT_BEHIND: usize = 1_000_000;
/// The default limit on the length of a head.
const HEAD_MAX: usize = 16 * 1024;

/// A client sends its requests, ends its side, and reads a second later. With many requests the
/// server holds replies that the kernel's buffers have no room for.
pub fn half(bench: &Bench) -> Result<Vec<Figures>> {
    let body = String::from_utf8(BODY.repeat(1000))?;
    let server = bench.server(&["--body", &body])?;
    let mut figures = Vec::new();
    for requests in [1, 2_000] {
        let mut client = Client::narrow(server.address())?;
        client.send(&GET.repeat(requests))?;
        client.shut_write()?;
        server.wait_until_idle()?;
        let cpu_percent = server.cpu_percent(WATCH)?;
        let started = Instant::now();
        let replies = client.replies_to_end()?;
        let took = started.elapsed();
        figures.push(
            Figures::new(16, format!("Half-close after {requests}"))
                .cpu("CPU before the read", cpu_percent, 0.1)
                .all("replies", replies, requests as u64)
                .time("from the read to the end", took, 1000.0),
        );
    }
    Ok(figures)
}

/// Requests that are refused, each sent 1,000 times and with 1 MB behind it.
pub fn refused(bench: &Bench) -> Result<Vec<Figures>> {
    let server = bench.server(&[])?;
    let too_long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(HEAD_MAX));
    let refused = [
        (400, "BAD REQUEST\r\n\r\n"),
        (
            413,
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n",
        ),
        (431, &too_long),
    ];
    let mut figures = Figures::new(17, "1 MB sent behind a refused request");
    for (status, request) in refused {
        let sent = [request.as_bytes(), &[b'x'; SENT_BEHIND]].concat();
        let mut whole = 0;
        for _ in 0..TRIES {
            // Anything else is counted as not whole.
            if refuse(server.address(), &sent).is_ok_and(|seen| seen == status) {
                whole += 1;
            }
        }
        figures = figures.all(&format!("whole {status}s"), whole, TRIES);
    }
    Ok(vec![figures])
}

/// The status of the only reply before the end.
fn refuse(address: SocketAddr, sent: &[u8]) -> Result<u16> {
    let mut client = Client::connect(address)?;
    let mut writer = client.writer()?;
    thread::scope(|scope| {
        // The server need not take all of it.
        scope.spawn(move || drop(writer.write_all(sent)));
        let status = client.reply();
        let end = client.reply_or_end();
        // Ends the sending thread.
        let _ = client.stream().shutdown(Shutdown::Both);
        match (status?, end?) {
            (status, None) => Ok(status),
            (first, Some(second)) => Err(format!("{first} and then {second}").into()),
        }
    })
}
