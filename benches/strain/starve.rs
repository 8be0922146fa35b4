//! More clients than descriptors.

use std::time::{Duration, Instant};

use super::client::{Client, GET};
use super::figure::Figures;
use super::runner::{Bench, Result};
use super::server::Server;

const CLIENTS: usize = 500;
const DESCRIPTORS: usize = 64;
const WATCH: Duration = Duration::from_secs(1);

/// With `ulimit -n 64` the server knows at its start how many clients fit. A limit that is lowered
/// later shows only when an accept fails.
pub fn descriptors(bench: &Bench) -> Result<Vec<Figures>> {
    let told = Server::start_with_descriptors(bench.cores, DESCRIPTORS)?;
    let told_figures = overcrowd(&told, "500 clients, ulimit -n 64")?;
    drop(told);
    let surprised = bench.server(&[])?;
    surprised.limit_descriptors(DESCRIPTORS as u64)?;
    let surprised_figures = overcrowd(&surprised, "500 clients, 64 at run time")?;
    Ok(vec![told_figures, surprised_figures])
}

fn overcrowd(server: &Server, name: &str) -> Result<Figures> {
    let connect = |_| {
        let mut client = Client::connect(server.address())?;
        client.send(GET)?;
        Ok(client)
    };
    // The kernel hands them over in the order in which they connected.
    let mut waiting = (0..CLIENTS).map(connect).collect::<Result<Vec<Client>>>()?;
    server.wait_until_idle()?;
    let mut kept = Vec::new();
    while !waiting.is_empty() {
        waiting[0].stream().set_nonblocking(true)?;
        let Some(_) = waiting[0].reply_so_far()? else {
            break;
        };
        waiting[0].stream().set_nonblocking(false)?;
        kept.push(waiting.remove(0));
    }
    let cpu_percent = server.cpu_percent(WATCH)?;
    let mut served = 0;
    for client in &mut kept {
        client.get()?;
        served += 1;
    }
    let (kept_count, waiting_count) = (kept.len() as u64, waiting.len() as u64);
    let released = Instant::now();
    drop(kept);
    let mut first = None;
    let mut answered = 0;
    for mut client in waiting {
        client.stream().set_nonblocking(false)?;
        client.ok()?;
        first.get_or_insert_with(|| released.elapsed());
        answered += 1;
        // It is dropped, and makes room for the next one.
    }
    let last = released.elapsed();
    let first = first.ok_or("nobody had to wait")?;
    Ok(Figures::new(7, name)
        .cpu("CPU", cpu_percent, 5.0)
        .all("kept ones served", served, kept_count)
        .all("waiting ones answered", answered, waiting_count)
        .time("from release to first answer", first, 200.0)
        .time("from release to last answer", last, 1000.0))
}
