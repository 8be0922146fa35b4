//! The certificate authorities to trust. The flags override the suite.

use super::CompareArgs;
use super::given::given_as;
use super::suite::RunSettings;
use crate::cli::tls::{self, TlsArgs};
use crate::compare::ComparisonPlan;
use crate::event_loop::tls::Trust;

impl CompareArgs {
    /// The certificates to accept, where there is an https server; `run` is of the suite.
    ///
    /// # Errors
    /// One line that names the flag or the key.
    pub(super) fn trust(&self, run: &RunSettings, is_https: bool) -> Result<Trust, String> {
        if run.insecure && run.cacert.is_some() {
            return Err("--suite: insecure and cacert: leave out one of the two".to_owned());
        }
        if !is_https {
            return Ok(Trust::default());
        }
        let by_flag = self.tls.insecure || self.tls.cacert.is_some();
        let of_suite = TlsArgs {
            cacert: run.cacert.clone(),
            insecure: run.insecure,
        };
        let given = if by_flag { &self.tls } else { &of_suite };
        let name = given_as("--cacert", "cacert", by_flag, run.cacert.is_some());
        given.trust().map_err(|error| format!("{name} {error}"))
    }

    /// Warnings of flags and keys for https; `run` is of the suite.
    pub(super) fn trust_warnings(&self, run: &RunSettings, plan: &ComparisonPlan) -> Vec<String> {
        let is_https = plan.contestants().iter().any(|server| server.is_https());
        let unverified = (plan.settings().trust == Trust::Anyone).then(|| {
            let name = given_as("-k", "insecure", self.tls.insecure, run.insecure);
            format!("{name}: {}", tls::UNVERIFIED)
        });
        let idle = [
            self.tls.idle_authorities(is_https),
            (self.tls.insecure && !is_https)
                .then_some("-k: no server has an https:// URL; leave it out"),
        ];
        let idle = idle.into_iter().flatten().map(str::to_owned);
        unverified.into_iter().chain(idle).collect()
    }
}
