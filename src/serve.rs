//! `serve`: the two reference servers, the smallest correct reply on the bare loop.

pub mod http;
mod request_cache;
pub mod tcp;
mod warning;

pub use warning::Warnings;

use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::PathBuf;
use std::time::Duration;

use crate::event_loop::{
    Address, Clock, ConnectionLimits, EventLoop, Kernel, Protocol, StopSignal,
};
use http::{HttpServer, HttpSettings};
use tcp::TcpServer;

/// Settings of both servers.
#[derive(Clone, Debug)]
pub struct ServePlan {
    /// Places to listen on; at least one.
    pub places: Vec<Place>,
    /// Bounds and timeouts of connections.
    pub limits: ConnectionLimits,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Connections accepted.
    pub connections: u64,
    /// Requests answered, refused ones included.
    pub requests: u64,
    /// Requests answered with an error status; always 0 for `serve tcp`.
    pub refused: u64,
    /// Time from the first accept to the stop.
    pub elapsed: Duration,
}

/// Error of a server that could not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address is taken, privileged, or not one of this machine's.
    #[error("cannot listen on {address}: {source}; {}", remedy(source))]
    Listen {
        /// The address.
        address: Address,
        /// The system's error.
        source: io::Error,
    },
    /// The event loop could not be made, or failed.
    #[error("the event loop failed: {0}")]
    EventLoop(#[from] io::Error),
}

/// Remedy for an address that cannot be listened on.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "stop what listens there, or choose another address with --bind (port 0 takes a free \
             one)"
        }
        io::ErrorKind::PermissionDenied => {
            "choose a port from 1024 on with --bind ADDR:PORT, or allow this program lower ones; \
             a unix socket needs a folder that it may write to"
        }
        io::ErrorKind::AlreadyExists => {
            "that file is no socket; choose another path with --bind unix:PATH"
        }
        io::ErrorKind::AddrNotAvailable => {
            "choose an address of this machine with --bind ADDR:PORT, such as 127.0.0.1:8080"
        }
        _ => "choose another address with --bind ADDR:PORT",
    }
}

/// Receives the addresses that a server is bound to.
pub type Listening = Box<dyn FnOnce(&[Address])>;

/// Functions that a server calls.
pub struct ServeCallbacks {
    /// Called once, when all addresses are bound and before the first accept.
    pub listening: Listening,
    /// Receives warnings about more than one connection.
    pub warnings: Warnings,
}

/// Serves HTTP until `signal` stops it.
///
/// # Errors
/// An address cannot be listened on.
pub fn http(
    plan: &ServePlan,
    settings: HttpSettings,
    signal: &StopSignal,
    callbacks: ServeCallbacks,
) -> Result<Served, Error> {
    let server = HttpServer::new(settings, callbacks.warnings);
    let (server, elapsed) = serve(plan, server, signal, callbacks.listening)?;
    Ok(Served {
        elapsed,
        ..server.served()
    })
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
    let server = TcpServer::new(idle_timeout, callbacks.warnings);
    let (server, elapsed) = serve(plan, server, signal, callbacks.listening)?;
    Ok(Served {
        elapsed,
        ..server.served()
    })
}

/// Serves until the stop; returns the server and how long that was.
fn serve<P: Protocol>(
    plan: &ServePlan,
    server: P,
    signal: &StopSignal,
    listening: Listening,
) -> Result<(P, Duration), Error> {
    let mut event_loop = EventLoop::new(server, plan.limits.clone(), signal)?;
    let mut bound = Vec::new();
    for place in &plan.places {
        match place {
            Place::Tcp(addresses) => listen_tcp(&mut event_loop, addresses, &mut bound)?,
            #[cfg(unix)]
            Place::Unix(path) => {
                bound.push(listen(&mut event_loop, Address::Unix(path.clone()))?);
            }
        }
    }
    listening(&bound);
    let clock = Clock::start();
    let start = clock.now();
    let server = event_loop.run()?;
    Ok((server, clock.now() - start))
}

fn listen<P: Protocol, K: Kernel>(
    event_loop: &mut EventLoop<P, K>,
    address: Address,
) -> Result<Address, Error> {
    match event_loop.listen(&address) {
        Ok(actual) => Ok(actual),
        Err(source) => Err(Error::Listen { address, source }),
    }
}

/// Listens on every address of a name, with one port for all if the port is 0. An address that
/// this machine does not have (`localhost` without IPv6) is skipped if another works.
fn listen_tcp<P: Protocol, K: Kernel>(
    event_loop: &mut EventLoop<P, K>,
    addresses: &[SocketAddr],
    bound: &mut Vec<Address>,
) -> Result<(), Error> {
    let bound_before = bound.len();
    let mut absent = None;
    for &address in addresses {
        let chosen_port = match (address.port(), bound.get(bound_before)) {
            (0, Some(Address::Tcp(first))) => first.port(),
            (port, _) => port,
        };
        let wanted = SocketAddr::new(address.ip(), chosen_port);
        let result = match listen(event_loop, wanted.into()) {
            Err(Error::Listen { source, .. })
                if source.kind() == io::ErrorKind::AddrInUse && wanted != address =>
            {
                listen(event_loop, address.into())
            }
            result => result,
        };
        match result {
            Ok(address) => bound.push(address),
            Err(Error::Listen { address, source }) if is_absent(&source) => {
                absent = Some(Error::Listen { address, source });
            }
            Err(error) => return Err(error),
        }
    }
    match absent {
        Some(error) if bound.len() == bound_before => Err(error),
        _ => Ok(()),
    }
}

/// Returns true if an address failed because this machine does not have it or its whole family,
/// and not because it is taken.
fn is_absent(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    /// Longer than a server takes to end. Reaching it is a failure.
    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn the_remedy_is_that_of_the_cause() {
        use io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied, Unsupported};
        for (kind, part) in [
            (AddrInUse, "stop what listens there"),
            (PermissionDenied, "a port from 1024 on"),
            (AddrNotAvailable, "an address of this machine"),
            (Unsupported, "choose another address"),
        ] {
            let error = Error::Listen {
                address: SocketAddr::from(([127, 0, 0, 1], 80)).into(),
                source: kind.into(),
            };
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn a_port_that_is_taken_on_a_second_address_is_replaced_by_a_free_one() {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        // The same address twice: the port of the first is taken for the second.
        let server = TcpServer::new(None, Warnings::discarded());
        let limits = ConnectionLimits::default();
        let event_loop = EventLoop::new(server, limits, &StopSignal::new());
        let mut bound = Vec::new();
        let mut event_loop = event_loop.expect("a poll");
        listen_tcp(&mut event_loop, &[address, address], &mut bound).expect("ports are free");
        assert_eq!(bound.len(), 2);
        assert_ne!(bound[0], bound[1]);
    }

    #[test]
    fn a_stop_that_was_raised_before_the_start_is_obeyed() {
        let (sender, ended) = channel();
        thread::spawn(move || {
            let plan = ServePlan {
                places: vec![Place::Tcp(vec![SocketAddr::from(([127, 0, 0, 1], 0))])],
                limits: ConnectionLimits {
                    connections_max: 10,
                    connect_timeout: Duration::ZERO,
                    send_timeout: PATIENCE,
                    linger: PATIENCE,
                    grace: PATIENCE,
                },
            };
            let signal = StopSignal::new();
            signal.raise();
            let callbacks = ServeCallbacks {
                listening: Box::new(|_| {}),
                warnings: Warnings::discarded(),
            };
            sender.send(tcp(&plan, None, &signal, callbacks).is_ok())
        });
        assert_eq!(ended.recv_timeout(PATIENCE), Ok(true));
    }
}
