//! `serve`: the two reference servers, the smallest correct reply on the bare loop.

mod copies;
pub mod http;
mod listening;
mod request_cache;
pub mod tcp;
mod warning;

pub use listening::Error;
pub use warning::Warnings;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
#[cfg(unix)]
use std::path::PathBuf;
use std::time::Duration;

use crate::event_loop::{Address, Clock, ConnectionLimits, Protocol, StopSignal};
use http::{HttpServer, HttpSettings};
use listening::Bound;
use tcp::TcpServer;

/// Settings of both servers.
#[derive(Clone, Debug)]
pub struct ServePlan {
    /// Places to listen on; at least one.
    pub places: Vec<Place>,
    /// Bounds and timeouts of connections, for all copies together.
    pub limits: ConnectionLimits,
    /// Copies of the event loop, on a thread each.
    pub copies: NonZeroUsize,
}

/// One `--bind`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The addresses that a name resolved to, at least one; all are listened on.
    Tcp(Vec<SocketAddr>),
    /// The path of a unix domain socket.
    #[cfg(unix)]
    Unix(PathBuf),
}

/// The work of a server, from its first accept to its stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Work of each copy of the event loop; at least one.
    pub copies: Vec<Counters>,
    /// Time from the first accept to the stop.
    pub elapsed: Duration,
}

impl Served {
    /// Work of all copies.
    pub fn total(&self) -> Counters {
        let mut total = Counters::default();
        for copy in &self.copies {
            total.connections += copy.connections;
            total.requests += copy.requests;
            total.refused += copy.refused;
        }
        total
    }
}

/// Work of one copy of an event loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Requests answered, refused ones included.
    pub requests: u64,
    /// Requests answered with an error status; always 0 for `serve tcp`.
    pub refused: u64,
}

/// Receives the addresses that a server is bound to.
pub type Listening = Box<dyn FnOnce(&[Address])>;

/// Functions that a server calls.
pub struct ServeCallbacks {
    /// Called once, when all addresses are bound and before the first accept.
    pub listening: Listening,
    /// Receives warnings about more than one connection, at most one a second from each copy.
    pub warn: fn(&str),
}

/// Serves HTTP until `signal` stops it.
///
/// # Errors
/// An address cannot be listened on.
pub fn http(
    plan: &ServePlan,
    settings: &HttpSettings,
    signal: &StopSignal,
    callbacks: ServeCallbacks,
) -> Result<Served, Error> {
    let warn = callbacks.warn;
    let new_server = || HttpServer::new(settings.clone(), Warnings::to(warn));
    serve(plan, new_server, HttpServer::counters, signal, callbacks)
}

/// Answers terminators until `signal` stops it. A connection that is silent for `idle_timeout`
/// is closed.
///
/// # Errors
/// An address cannot be listened on.
pub fn tcp(
    plan: &ServePlan,
    idle_timeout: Option<Duration>,
    signal: &StopSignal,
    callbacks: ServeCallbacks,
) -> Result<Served, Error> {
    let warn = callbacks.warn;
    let new_server = || TcpServer::new(idle_timeout, Warnings::to(warn));
    serve(plan, new_server, TcpServer::counters, signal, callbacks)
}

/// Serves with all copies until the stop.
fn serve<P: Protocol>(
    plan: &ServePlan,
    new_server: impl Fn() -> P + Sync,
    counters: impl Fn(&P) -> Counters + Sync,
    signal: &StopSignal,
    callbacks: ServeCallbacks,
) -> Result<Served, Error> {
    let Bound { addresses, copies } = Bound::to(&plan.places, plan.copies)?;
    let clock = Clock::start();
    let start = clock.now();
    let on_start = || (callbacks.listening)(&addresses);
    let copies = copies::run(copies, &plan.limits, new_server, counters, signal, on_start)?;
    Ok(Served {
        copies,
        elapsed: clock.now() - start,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    /// Longer than a server takes to end. Reaching it is a failure.
    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn a_stop_that_was_raised_before_the_start_is_obeyed() {
        let (sender, ended) = channel();
        thread::spawn(move || {
            let plan = ServePlan {
                places: vec![Place::Tcp(vec![SocketAddr::from(([127, 0, 0, 1], 0))])],
                limits: ConnectionLimits {
                    connections_max: 10,
                    send_timeout: PATIENCE,
                    linger: PATIENCE,
                    grace: PATIENCE,
                },
                copies: NonZeroUsize::MIN,
            };
            let signal = StopSignal::new();
            signal.raise();
            let callbacks = ServeCallbacks {
                listening: Box::new(|_| {}),
                warn: |_| {},
            };
            sender.send(tcp(&plan, None, &signal, callbacks).is_ok())
        });
        assert_eq!(ended.recv_timeout(PATIENCE), Ok(true));
    }
}
