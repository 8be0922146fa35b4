//! Reasons for which there is no TLS connection, each with its remedy.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// The reason for which a handshake or an open connection failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// The server's first bytes were no TLS record.
    #[error("the server does not answer in TLS on this port; write http:// or another port")]
    NoTls,
    /// The connection ended before the handshake did.
    #[error("the server closed the connection during the TLS handshake; is this its https port?")]
    Closed,
    /// The names in the certificate are others.
    #[error("the certificate is for another name{0}; use a name that it is for, or -k")]
    WrongName(String),
    /// The certificate is no longer valid.
    #[error("the certificate has expired; renew it, or use -k")]
    Expired,
    /// The certificate is not valid yet.
    #[error("the certificate is not valid yet; check the clocks, or use -k")]
    NotValidYet,
    /// Its issuer is not among those that are trusted.
    #[error("the issuer of the certificate is not trusted; name it with --cacert FILE, or use -k")]
    UnknownIssuer,
    /// Any other objection to the certificate.
    #[error("the certificate is not accepted: {0}; use -k to accept any")]
    Certificate(String),
    /// The server refused the handshake.
    #[error("the server refused the TLS handshake: {0}")]
    Refused(String),
    /// Any other reason.
    #[error("TLS failed: {0}")]
    Other(String),
}

impl TlsFault {
    /// The reason in an error of a stream, if it is one of TLS.
    pub fn in_error(error: &io::Error) -> Option<&TlsFault> {
        error.get_ref()?.downcast_ref()
    }
}

/// The error of a stream for an error of rustls.
pub(super) fn io_error(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, TlsFault::from(error))
}

/// The error of a stream that failed before its handshake was complete.
pub(in crate::event_loop) fn reset_in_handshake(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::ConnectionReset => io::Error::new(error.kind(), TlsFault::Closed),
        _ => error,
    }
}

impl From<Error> for TlsFault {
    fn from(error: Error) -> TlsFault {
        match error {
            Error::InvalidMessage(_) => TlsFault::NoTls,
            Error::InvalidCertificate(why) => certificate(why),
            Error::AlertReceived(AlertDescription::UnrecognisedName) => {
                TlsFault::Refused("it has no certificate for this name".to_owned())
            }
            Error::AlertReceived(alert) => TlsFault::Refused(format!("{alert:?}")),
            Error::PeerIncompatible(why) => TlsFault::Refused(format!("{why:?}")),
            other => TlsFault::Other(other.to_string()),
        }
    }
}

fn certificate(why: CertificateError) -> TlsFault {
    match why {
        CertificateError::NotValidForName => TlsFault::WrongName(String::new()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            TlsFault::WrongName(named(&presented))
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsFault::NotValidYet
        }
        CertificateError::UnknownIssuer => TlsFault::UnknownIssuer,
        other => TlsFault::Certificate(other.to_string()),
    }
}

/// `: DnsName("a.test")` and so on, as far as they are known.
fn named(presented: &[String]) -> String {
    match presented {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    }
}
