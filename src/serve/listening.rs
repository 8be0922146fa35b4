//! Listening sockets of a server: every place, once for each copy of the event loop.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;

use super::Place;
use crate::event_loop::{Acceptor, Address};

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
            "that file is not a socket; choose another path with --bind unix:PATH"
        }
        io::ErrorKind::AddrNotAvailable => {
            "choose an address of this machine with --bind ADDR:PORT, such as 127.0.0.1:8080"
        }
        _ => "choose another address with --bind ADDR:PORT",
    }
}

/// Listening sockets.
pub struct Bound {
    /// Addresses, with the ports that the system chose.
    pub addresses: Vec<Address>,
    /// Sockets of each copy, one on each address.
    pub copies: Vec<Vec<Acceptor>>,
}

impl Bound {
    /// Listens on all `places`.
    ///
    /// # Errors
    /// One of them cannot be listened on.
    pub fn to(places: &[Place], copies: NonZeroUsize) -> Result<Bound, Error> {
        let mut bound = Bound {
            addresses: Vec::new(),
            copies: (0..copies.get()).map(|_| Vec::new()).collect(),
        };
        for place in places {
            match place {
                Place::Tcp(addresses) => bound.listen_tcp(addresses)?,
                #[cfg(unix)]
                Place::Unix(path) => bound.listen(Address::Unix(path.clone()))?,
            }
        }
        Ok(bound)
    }

    fn listen(&mut self, address: Address) -> Result<(), Error> {
        let acceptors = Acceptor::bind_copies(&address, self.copies.len());
        let listened = acceptors.and_then(|acceptors| {
            let actual = acceptors.first().map(Acceptor::local_address);
            self.addresses.extend(actual.transpose()?);
            Ok(acceptors)
        });
        match listened {
            Ok(acceptors) => {
                for (copy, acceptor) in self.copies.iter_mut().zip(acceptors) {
                    copy.push(acceptor);
                }
                Ok(())
            }
            Err(source) => Err(Error::Listen { address, source }),
        }
    }

    /// Listens on every address of a name, with one port for all if the port is 0. An address that
    /// this machine does not have (`localhost` without IPv6) is skipped if another works.
    fn listen_tcp(&mut self, addresses: &[SocketAddr]) -> Result<(), Error> {
        let bound_before = self.addresses.len();
        let mut absent = None;
        for &address in addresses {
            let chosen_port = match (address.port(), self.addresses.get(bound_before)) {
                (0, Some(Address::Tcp(first))) => first.port(),
                (port, _) => port,
            };
            let wanted = SocketAddr::new(address.ip(), chosen_port);
            let result = match self.listen(wanted.into()) {
                Err(Error::Listen { source, .. })
                    if source.kind() == io::ErrorKind::AddrInUse && wanted != address =>
                {
                    self.listen(address.into())
                }
                result => result,
            };
            match result {
                Err(Error::Listen { address, source }) if is_absent(&source) => {
                    absent = Some(Error::Listen { address, source });
                }
                result => result?,
            }
        }
        match absent {
            Some(error) if self.addresses.len() == bound_before => Err(error),
            _ => Ok(()),
        }
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
    use super::*;

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
        let places = [Place::Tcp(vec![address, address])];
        let bound = Bound::to(&places, NonZeroUsize::MIN).expect("ports are free");
        let bound = bound.addresses;
        assert_eq!(bound.len(), 2);
        assert_ne!(bound[0], bound[1]);
    }
}
