//! The flags of https.

use std::path::PathBuf;

use clap::Args;

use crate::event_loop::tls::{TlsClient, Trust};
use crate::load::{LoadPlan, Target};

/// The authorities whose certificates are accepted.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "TLS")]
pub(super) struct TlsArgs {
    /// File with the authorities to trust for https (PEM) [default: the public ones]
    #[arg(long, alias = "ca", value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// Accept any certificate for https, unverified
    #[arg(short = 'k', long, conflicts_with = "cacert")]
    insecure: bool,
}

impl TlsArgs {
    /// The warning of a file with authorities that `plan` has no use for.
    pub(super) fn idle_authorities(&self, plan: &LoadPlan) -> Option<&'static str> {
        (plan.tls.is_none() && self.cacert.is_some())
            .then_some("--cacert: http has no certificates; write https://, or leave it out")
    }

    /// TLS with `target`; `None` for http.
    ///
    /// # Errors
    /// A file that cannot be used, or a host that no certificate can be for.
    pub(super) fn client(&self, target: &Target) -> Result<Option<TlsClient>, String> {
        let trust = match &self.cacert {
            Some(path) => Trust::File(path.clone()),
            None if self.insecure => Trust::Anyone,
            None => Trust::PublicAuthorities,
        };
        let flag = match trust {
            Trust::File(_) => "--cacert ",
            _ => "",
        };
        let client = target.tls(&trust);
        client.map_err(|error| format!("{flag}{error}"))
    }
}
