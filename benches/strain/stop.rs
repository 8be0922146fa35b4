//! Stops, restarts, and a port that is in use.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::client::{Client, GET, is_kind};
use super::figure::Figures;
use super::runner::{Bench, Result};
use super::server::{Server, any_port, refusal};
use crate::support::PATIENCE;

const BUSY: usize = 30;
const DEPTH: usize = 10;
/// Time from SIGTERM to the late client's first read.
const LATE: Duration = Duration::from_secs(1);
/// Time between the first SIGTERM, once the server no longer listens, and the second.
const BETWEEN: Duration = Duration::from_millis(200);

/// SIGTERM under load, with a client that never reads and one that reads late, and when idle.
pub fn once(bench: &Bench) -> Result<Vec<Figures>> {
    let mut server = bench.server(&[])?;
    let busy = stop_busy(&mut server)?;
    let mut server = bench.server(&[])?;
    let crowd = Client::crowd(server.address(), 100)?;
    let took = stop(&mut server)?;
    drop(crowd);
    let idle = Figures::new(12, "SIGTERM, 100 idle").time("to the exit, 0", took, 200.0);
    Ok(vec![busy, idle])
}

fn stop_busy(server: &mut Server) -> Result<Figures> {
    let address = server.address();
    let (mut never, mut late) = (stuck(server)?, stuck(server)?);
    let (busy, is_busy) = channel();
    let ask = |_| {
        let busy = busy.clone();
        thread::spawn(move || ask_until_end(address, || busy.send(()).is_ok()))
    };
    let mut clients: Vec<_> = (0..BUSY).map(ask).collect();
    for _ in 0..BUSY {
        is_busy.recv_timeout(PATIENCE)?;
    }
    clients.push(thread::spawn(move || {
        thread::sleep(LATE);
        late.replies_to_end().map(drop)
    }));
    let took = stop(server)?;
    let all = clients.len() as u64;
    let mut ended = 0;
    for client in clients {
        client.join().expect("asking does not panic")?;
        ended += 1;
    }
    // What it has not read by the end of the grace is lost.
    let cut = match never.replies_to_end() {
        Ok(_) => "between replies",
        Err(error) if is_kind(error.as_ref(), ErrorKind::ConnectionReset) => "by a reset",
        Err(error) => return Err(error),
    };
    Ok(Figures::new(12, "SIGTERM, 30 busy, 2 unread")
        .all("ended between replies", ended, all)
        .note(format!("besides, the one that never reads: {cut}"))
        .time("to the exit, 0", took, 4500.0))
}

/// A client that has sent requests and does not read.
fn stuck(server: &Server) -> Result<Client> {
    let mut client = Client::narrow(server.address())?;
    client.send_until_stuck(&GET.repeat(1000), usize::MAX)?;
    Ok(client)
}

/// Sends ten requests at once, over and over, until the server ends the connection. An end within
/// a reply is an error.
fn ask_until_end(address: SocketAddr, begun: impl FnOnce() -> bool) -> Result<()> {
    let mut client = Client::connect(address)?;
    let requests = GET.repeat(DEPTH);
    client.get()?;
    begun();
    loop {
        // It fails if the server has closed; the end is then read.
        let _ = client.send(&requests);
        for _ in 0..DEPTH {
            match client.reply_or_end()? {
                Some(200) => {}
                Some(other) => return Err(format!("{other} for a good request").into()),
                None => return Ok(()),
            }
        }
    }
}

/// Sends SIGTERM. The time to the exit, whose code must be 0.
fn stop(server: &mut Server) -> Result<Duration> {
    let started = Instant::now();
    server.signal(Signal::TERM)?;
    match server.wait()? {
        Some(0) => Ok(started.elapsed()),
        other => Err(format!("exit code {other:?} after SIGTERM").into()),
    }
}

/// Sends a second SIGTERM while a client that does not read delays the end after the first one.
pub fn twice(bench: &Bench) -> Result<Vec<Figures>> {
    let mut server = bench.server(&[])?;
    let unread = stuck(&server)?;
    server.signal(Signal::TERM)?;
    let started = Instant::now();
    while TcpStream::connect(server.address()).is_ok() {
        if started.elapsed() > PATIENCE {
            return Err("it listens after SIGTERM".into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(BETWEEN);
    let took = stop(&mut server)?;
    drop(unread);
    let figures = Figures::new(13, "SIGTERM twice, 1 unread");
    let figures = figures.time("from the second to the exit, 0", took, 100.0);
    Ok(vec![figures])
}

/// Time from the start of a new server to its first reply, while clients of the old server are still
/// connected.
pub fn restart(bench: &Bench) -> Result<Vec<Figures>> {
    let mut figures = Vec::new();
    for (name, signal) in [("SIGTERM", Signal::TERM), ("SIGKILL", Signal::KILL)] {
        let mut old = bench.server(&[])?;
        let clients = Client::crowd(old.address(), 1000)?;
        old.signal(signal)?;
        old.wait()?;
        let started = Instant::now();
        let new = Server::start_at(bench.cores, old.address(), &[])?;
        Client::connect(new.address())?.get()?;
        let took = started.elapsed();
        drop(clients);
        let name = format!("Restart after {name}, 1,000 connected");
        figures.push(Figures::new(14, name).time("to its first answer", took, 200.0));
    }
    Ok(figures)
}

/// A server on a port that is in use prints one line and exits with 1.
pub fn port_taken(bench: &Bench) -> Result<Vec<Figures>> {
    let holder = TcpListener::bind(any_port())?;
    let taken = holder.local_addr()?;
    let (refusal, took) = refusal(bench.cores, taken)?;
    let is_clear = refusal.stderr.lines().count() == 1
        && refusal.stderr.contains(&taken.to_string())
        && refusal.stderr.contains("in use");
    if !is_clear {
        return Err(format!("a taken port is told as {:?}", refusal.stderr).into());
    }
    let is_one = u64::from(refusal.code == Some(1));
    let figures = Figures::new(15, "Port taken: one line")
        .time("to the exit", took, 100.0)
        .all("exits with 1", is_one, 1);
    Ok(vec![figures])
}
