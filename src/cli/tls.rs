//! The flags of https.

use std::path::PathBuf;

use clap::Args;

use crate::event_loop::tls::{TlsClient, Trust, TrustError};
use crate::load::Target;

/// The warning of certificates that are accepted unverified, after the name of the setting.
pub(super) const UNVERIFIED: &str =
    "anyone may answer in the server's place; its certificate is not verified";

/// The certificate authorities to trust.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "TLS")]
pub(super) struct TlsArgs {
    /// File with the certificate authorities to trust for https (PEM) [default: the public ones]
    #[arg(long, alias = "ca", value_name = "FILE")]
    pub(super) cacert: Option<PathBuf>,

    /// Accept any certificate for https, without verifying it
    #[arg(short = 'k', long, conflicts_with = "cacert")]
    pub(super) insecure: bool,
}

impl TlsArgs {
    /// The warning of a file with certificate authorities that a run without https does not use.
    pub(super) fn idle_authorities(&self, is_https: bool) -> Option<&'static str> {
        (!is_https && self.cacert.is_some())
            .then_some("--cacert: http has no certificates; write https://, or leave it out")
    }

    /// The warning of a run without https that accepts any certificate. In ab, -k is keep-alive.
    pub(super) fn idle_insecure(&self, is_https: bool) -> Option<&'static str> {
        (!is_https && self.insecure).then_some(
            "-k: http has no certificates; leave it out (connections are kept open without a flag)",
        )
    }

    /// The certificates to accept.
    ///
    /// # Errors
    /// The file with the certificate authorities cannot be used.
    pub(super) fn trust(&self) -> Result<Trust, TrustError> {
        match &self.cacert {
            Some(path) => Trust::in_file(path),
            None if self.insecure => Ok(Trust::Anyone),
            None => Ok(Trust::PublicAuthorities),
        }
    }

    /// TLS with `target`; `None` for http.
    ///
    /// # Errors
    /// A file that cannot be used, or a host that no certificate can be for.
    pub(super) fn client(&self, target: &Target) -> Result<Option<TlsClient>, String> {
        if !target.is_https() {
            return Ok(None);
        }
        let trust = self.trust().map_err(|error| format!("--cacert {error}"))?;
        target.tls(&trust).map_err(|error| error.to_string())
    }
}
