//! Before a run: the first address of the target that accepts a connection.
//!
//! `localhost` usually has two addresses, and a server often listens on one of them only. A run
//! against the other one would report nothing but refusals. Each address is dialled by an event
//! loop, so that the connect timeout and a stop signal hold here as they do in the run, for TCP
//! and for unix sockets.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::Target;
use crate::event_loop::tls::{TlsClient, TlsFault};
use crate::event_loop::{
    Address, AfterClose, Closed, ConnectionLimits, EventLoop, Flow, Protocol, StopSignal, Time,
    WriteQueue,
};

/// Reason for having no address to send requests to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address.
    #[error("cannot resolve the host of {url}: {cause}")]
    Unresolved {
        /// As it would be requested.
        url: String,
        /// The resolver's message.
        cause: String,
    },
    /// No address accepted a connection.
    #[error("cannot connect to {url}: {causes}; is the server running there?")]
    NoAnswer {
        /// As it would be requested.
        url: String,
        /// Each address with its error.
        causes: String,
    },
    /// It accepted one, and TLS failed on it.
    #[error("cannot connect to {url}: {cause}")]
    Tls {
        /// As it would be requested.
        url: String,
        /// The reason, with its remedy.
        cause: TlsFault,
    },
    /// A stop signal came first.
    #[error("interrupted before {url} accepted a connection")]
    Interrupted {
        /// As it would be requested.
        url: String,
    },
    /// The system gives no event loop.
    #[error("the event loop failed: {0}")]
    Loop(io::Error),
    /// Windows.
    #[error("unix domain sockets are not supported on this system")]
    NoUnixSockets,
}

/// Finds the first address of `target`, in the resolver's order, that accepts a connection within
/// `timeout`.
///
/// # Errors
/// There is none, or `signal` was raised.
pub(super) fn find_peer(
    target: &Target,
    tls: Option<&TlsClient>,
    timeout: Duration,
    signal: &StopSignal,
) -> Result<Address, ConnectError> {
    let url = || target.to_string();
    let mut causes = Vec::new();
    let mut fault = None;
    for peer in candidates(target)? {
        match dial_once(&peer, tls, timeout, signal).map_err(ConnectError::Loop)? {
            Some(Ok(())) => return Ok(peer),
            Some(Err(error)) => {
                fault = fault.or_else(|| TlsFault::in_error(&error).cloned());
                causes.push(format!("{peer}: {error}"));
            }
            None => return Err(ConnectError::Interrupted { url: url() }),
        }
    }
    let url = url();
    Err(match fault {
        Some(cause) => ConnectError::Tls { url, cause },
        None => ConnectError::NoAnswer {
            url,
            causes: causes.join("; "),
        },
    })
}

/// Connects to `address` and closes the connection; blocks for up to `timeout`.
///
/// # Errors
/// No server accepts. Our own socket does not count: a port without a listener may be the one
/// that the system picks as the local port of the connect, and then TCP connects it to itself
/// (RFC 9293 3.5, simultaneous open).
pub fn probe(address: SocketAddr, timeout: Duration) -> io::Result<()> {
    let stream = TcpStream::connect_timeout(&address, timeout)?;
    if stream.local_addr()? == address {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(())
}

fn candidates(target: &Target) -> Result<Vec<Address>, ConnectError> {
    if let Some(path) = target.socket_path() {
        return Ok(vec![unix_peer(path)?]);
    }
    let unresolved = |cause: String| ConnectError::Unresolved {
        url: target.to_string(),
        cause,
    };
    let addresses = target.resolve().map_err(|e| unresolved(e.to_string()))?;
    if addresses.is_empty() {
        return Err(unresolved("it has no address".to_owned()));
    }
    Ok(addresses.into_iter().map(Address::Tcp).collect())
}

#[cfg(unix)]
fn unix_peer(path: &std::path::Path) -> Result<Address, ConnectError> {
    Ok(Address::Unix(path.to_owned()))
}

#[cfg(not(unix))]
fn unix_peer(_path: &std::path::Path) -> Result<Address, ConnectError> {
    Err(ConnectError::NoUnixSockets)
}

/// The result of one dial; `None` if `signal` came first.
fn dial_once(
    peer: &Address,
    tls: Option<&TlsClient>,
    timeout: Duration,
    signal: &StopSignal,
) -> io::Result<Option<io::Result<()>>> {
    let limits = ConnectionLimits {
        connections_max: 1,
        send_timeout: timeout,
        linger: Duration::ZERO,
        grace: Duration::ZERO,
    };
    let check = ConnectCheck { result: None };
    let mut event_loop = EventLoop::new(check, limits, signal)?.over_tls(tls.cloned());
    event_loop.dial(peer.clone(), 1, timeout);
    Ok(event_loop.run()?.result)
}

/// Opens one connection, sends nothing, and stops.
struct ConnectCheck {
    result: Option<io::Result<()>>,
}

impl Protocol for ConnectCheck {
    type Conn = ();

    fn opened(&mut self, _now: Time, _out: &mut WriteQueue) {
        self.result = Some(Ok(()));
    }

    fn received(&mut self, _: &mut (), _bytes: &[u8], _now: Time, _: &mut WriteQueue) -> Flow {
        Flow::Abort
    }

    fn caught_up(&mut self, _: &mut (), _now: Time, _: &mut WriteQueue) -> Flow {
        Flow::Abort
    }

    fn closed(&mut self, _: Option<()>, why: Closed, _now: Time) -> AfterClose {
        if let Closed::NotConnected(error) = why {
            self.result = Some(Err(error));
        }
        AfterClose::Stop
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    fn find(target: &Target) -> Result<Address, ConnectError> {
        find_peer(target, None, TIMEOUT, &StopSignal::new())
    }

    fn target(address: SocketAddr) -> Target {
        Target::parse(&format!("http://{address}")).expect("a URL")
    }

    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        (listener, address)
    }

    #[test]
    fn an_address_that_accepts_is_found() {
        let (_listener, address) = listener();
        let peer = find(&target(address)).expect("it listens");
        assert_eq!(peer, Address::Tcp(address));
        assert_eq!(peer.to_string(), address.to_string());
        probe(address, TIMEOUT).expect("it listens");
    }

    #[test]
    fn a_refusal_names_address_and_cause() {
        let (listener, address) = listener();
        drop(listener);
        let error = find(&target(address)).expect_err("nothing listens");
        let words = error.to_string();
        assert!(words.contains(&format!("{address}: ")), "{words}");
        assert!(matches!(error, ConnectError::NoAnswer { .. }));
        probe(address, TIMEOUT).expect_err("nothing listens");
    }

    #[test]
    fn a_signal_ends_the_check_before_a_dial() {
        let (_listener, address) = listener();
        let signal = StopSignal::new();
        signal.raise();
        let error =
            find_peer(&target(address), None, TIMEOUT, &signal).expect_err("it was stopped");
        assert!(matches!(error, ConnectError::Interrupted { .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_that_does_not_exist_is_named() {
        let target = Target::parse("http://localhost").expect("a URL");
        let target = target.through_socket("/nowhere/at.all".into());
        let error = find(&target).expect_err("no such file");
        assert!(error.to_string().contains("/nowhere/at.all"), "{error}");
    }
}
