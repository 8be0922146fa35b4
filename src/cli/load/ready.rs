//! A run before its start: what the flags say, checked together.

use super::{LoadArgs, exports};
use crate::cli::{output, tls};
use crate::load::LoadPlan;
use crate::load::find_rate::FindRatePlan;

/// A run whose flags are valid, and whose files are open.
pub(super) struct Ready {
    pub(super) plan: LoadPlan,
    pub(super) search: Option<FindRatePlan>,
    pub(super) files: Vec<exports::Writing>,
}

impl Ready {
    /// The run that `args` describe. Warns of what may not have been meant.
    ///
    /// # Errors
    /// One line that names the flag and the remedy.
    pub(super) fn of(args: &LoadArgs) -> Result<Ready, String> {
        let requested = args.requests.read()?;
        let left_out = requested.left_out.clone();
        let plan = args.plan(requested)?;
        args.calibration.check(&plan)?;
        let search = args.find_rate.plan(&plan, args)?;
        let files = args.exports.open(args.json)?;
        if plan.target.assumed_http() {
            output::warn(&format!("no scheme given, assuming {}", plan.target));
        }
        if let Some(left_out) = left_out {
            output::warn(&left_out.to_string());
        }
        if plan.tls.as_ref().is_some_and(|tls| !tls.is_verified()) {
            output::warn(&format!("-k: {}", tls::UNVERIFIED));
        }
        let idle = [
            args.schedule.idle_seed(),
            args.tls.idle_authorities(plan.tls.is_some()),
            args.tls.idle_insecure(plan.tls.is_some()),
        ];
        idle.into_iter().flatten().for_each(output::warn);
        Ok(Ready {
            plan,
            search,
            files,
        })
    }
}
