//! Before a run: which of the target's addresses answers.
//!
//! `localhost` is two addresses as a rule, and a server often listens on one of them only. A run
//! against the wrong one would report nothing but refusals, so the first that answers is used.

use std::io;
use std::net::{SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::Target;
use crate::event_loop::Peer;

/// Why there is nobody to send to.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// The name has no address.
    #[error("cannot resolve the host of {url}: {cause}")]
    Unresolved {
        /// As it would be requested.
        url: String,
        /// What the resolver says.
        cause: String,
    },
    /// Every address was tried.
    #[error("cannot connect to {url}: {causes}; is the server running there?")]
    NoAnswer {
        /// As it would be requested.
        url: String,
        /// Each address with what it said.
        causes: String,
    },
    /// Windows.
    #[error("unix domain sockets are not supported on this system")]
    NoUnixSockets,
}

/// The first address, in the resolver's order, that accepts a connection.
pub(super) fn find_peer(target: &Target, timeout: Duration) -> Result<Peer, PreflightError> {
    if let Some(path) = target.socket_path() {
        return find_unix(target, path);
    }
    let unresolved = |cause: String| PreflightError::Unresolved {
        url: target.to_string(),
        cause,
    };
    let addresses = target
        .resolve()
        .map_err(|error| unresolved(error.to_string()))?;
    if addresses.is_empty() {
        return Err(unresolved("it has no address".to_owned()));
    }
    let mut causes = Vec::new();
    for address in addresses {
        match knock(address, timeout) {
            Ok(()) => return Ok(Peer::Tcp(address)),
            Err(error) => causes.push(cause(&address, &error)),
        }
    }
    Err(PreflightError::NoAnswer {
        url: target.to_string(),
        causes: causes.join("; "),
    })
}

/// Connects to `address` and hangs up.
///
/// # Errors
/// Nobody accepts. Our own socket does not count: a port that nobody listens on may be the one
/// that the system lets the connect come from, and then TCP connects it to itself (RFC 9293 3.5,
/// simultaneous open).
pub fn knock(address: SocketAddr, timeout: Duration) -> io::Result<()> {
    let stream = TcpStream::connect_timeout(&address, timeout)?;
    if stream.local_addr()? == address {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(())
}

fn cause(address: &SocketAddr, error: &io::Error) -> String {
    format!("{address}: {error}")
}

#[cfg(unix)]
fn find_unix(target: &Target, path: &std::path::Path) -> Result<Peer, PreflightError> {
    match UnixStream::connect(path) {
        Ok(_) => Ok(Peer::Unix(path.to_owned())),
        Err(error) => Err(PreflightError::NoAnswer {
            url: target.to_string(),
            causes: format!("{}: {error}", path.display()),
        }),
    }
}

#[cfg(not(unix))]
fn find_unix(_target: &Target, _path: &std::path::Path) -> Result<Peer, PreflightError> {
    Err(PreflightError::NoUnixSockets)
}

/// The address as a reader writes it.
pub(super) fn display(peer: &Peer) -> String {
    match peer {
        Peer::Tcp(address) => address.to_string(),
        #[cfg(unix)]
        Peer::Unix(path) => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_address_that_answers_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let target = Target::parse(&format!("http://{address}")).expect("a URL");
        let peer = find_peer(&target, Duration::from_secs(5)).expect("it listens");
        assert_eq!(peer, Peer::Tcp(address));
        assert_eq!(display(&peer), address.to_string());
    }

    #[test]
    fn a_refusal_names_address_and_cause() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        drop(listener);
        let target = Target::parse(&format!("http://{address}")).expect("a URL");
        let error = find_peer(&target, Duration::from_secs(5)).expect_err("nobody listens");
        let words = error.to_string();
        assert!(words.contains(&format!("{address}: ")), "{words}");
        assert!(matches!(error, PreflightError::NoAnswer { .. }));
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_that_is_not_there_is_named() {
        let target = Target::parse("http://localhost").expect("a URL");
        let target = target.through_socket("/nowhere/at.all".into());
        let error = find_peer(&target, Duration::from_secs(5)).expect_err("no such file");
        assert!(error.to_string().contains("/nowhere/at.all"), "{error}");
    }
}
