//! Many idle clients.

use std::time::Duration;

use bareloop::event_loop::raise_descriptor_limit;

use super::client::Client;
use super::figure::{Bound, Figures};
use super::paced;
use super::runner::{Bench, Result};

/// Fewer if the limit on descriptors leaves fewer.
const CLIENTS_MAX: usize = 10_000;
/// Descriptors of this process besides those of the clients.
const OTHER_DESCRIPTORS: usize = 100;
/// 2 KB for each.
const MEGABYTES_FOR_EACH: f64 = 0.002;
/// Time in which nothing happens and the CPU time is measured.
const SILENCE: Duration = Duration::from_secs(2);

/// Each client has had a reply, so that a buffer that is kept for no reason counts.
pub fn idle(bench: &Bench) -> Result<Vec<Figures>> {
    let clients = CLIENTS_MAX.min(raise_descriptor_limit().saturating_sub(OTHER_DESCRIPTORS));
    let ceiling = (clients + OTHER_DESCRIPTORS / 2).to_string();
    let server = bench.server(&["--connections-max", &ceiling])?;
    let before_bytes = server.resident_bytes()?;
    let crowd = Client::crowd(server.address(), clients)?;
    server.wait_until_idle()?;
    let growth_bytes = server.resident_bytes()?.saturating_sub(before_bytes);
    let cpu_percent = server.cpu_percent(SILENCE)?;
    let latencies = paced::beside(&server, bench.span)?;
    drop(crowd);
    let limit = Bound::AtMost(clients as f64 * MEGABYTES_FOR_EACH);
    let figures = Figures::new(1, format!("{clients} idle clients"))
        .memory(growth_bytes, limit)
        .cpu("CPU", cpu_percent, 0.1);
    Ok(vec![latencies.p99(figures, 10.0)])
}
