//! TLS for dialled connections, by rustls: what stands between a plain stream and the protocol.
//!
//! A dialled stream counts as connected when its handshake is complete, so the protocol sees the
//! same as over TCP: bytes and times. Deliberately absent: TLS for servers, and the resumption of
//! sessions; each connection is that of a new client.

mod fault;
mod stream;
mod trust;

pub use fault::TlsFault;
pub(super) use fault::reset_in_handshake;
pub use stream::TlsStream;
pub use trust::{Trust, TrustError};

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

/// The protocol that is offered in the handshake (RFC 7301).
const ALPN: &[u8] = b"http/1.1";

/// Settings that the connections to one server share: its name, and the trusted certificate
/// authorities.
#[derive(Clone, Debug)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    is_verified: bool,
}

impl TlsClient {
    /// TLS 1.2 or 1.3 with the server `host`, a name or an address without brackets. A name is
    /// also sent to the server (SNI, RFC 6066 3).
    ///
    /// # Errors
    /// A host that no certificate can be for.
    pub fn new(host: &str, trust: &Trust) -> Result<TlsClient, TrustError> {
        let name = ServerName::try_from(host.to_owned());
        let mut config = trust.config()?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        Ok(TlsClient {
            is_verified: *trust != Trust::Anyone,
            config: Arc::new(config),
            name: name.map_err(|_| TrustError::Name(host.to_owned()))?,
        })
    }

    /// Returns true if the certificates of servers are verified.
    pub fn is_verified(&self) -> bool {
        self.is_verified
    }

    /// A stream whose handshake is still to come.
    ///
    /// # Errors
    /// The configuration is of no use.
    pub(super) fn wrap<S: io::Read + io::Write>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone());
        Ok(TlsStream::new(stream, connection.map_err(fault::io_error)?))
    }
}

#[cfg(test)]
mod tests;
