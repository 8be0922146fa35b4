//! The flag of the warm-up.

use clap::Args;

use super::schedule::ScheduleArgs;
use crate::cli::values;
use crate::load::WarmUp;

/// A warm-up.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct WarmUpArgs {
    /// Load the server for this time before the run, on the same connections. With 'auto', find the
    /// end of the warm-up in the run itself, and leave the warm-up out of latencies and rates
    #[arg(
        short = 'W',
        long = "warm-up",
        alias = "warmup",
        value_name = "TIME",
        value_parser = warm_up,
        conflicts_with = "amount"
    )]
    warm_up: Option<WarmUp>,
}

impl WarmUpArgs {
    /// The warm-up that was asked for.
    ///
    /// # Errors
    /// It is to be found in a run whose rate changes by plan.
    pub(super) fn plan(self, schedule: &ScheduleArgs) -> Result<WarmUp, String> {
        match self.warm_up.unwrap_or(WarmUp::None) {
            WarmUp::Auto if schedule.is_ramp() => Err(
                "--warm-up auto: the rate of a ramp changes by plan; give a time, such as -W 3"
                    .to_owned(),
            ),
            warm_up => Ok(warm_up),
        }
    }
}

/// `2`, `500ms`, or `auto`. In autocannon, the value is a list of flags: `[ -c 1 -d 3 ]`.
fn warm_up(text: &str) -> Result<WarmUp, String> {
    if text.starts_with('[') {
        return Err(
            "the warm-up has the connections of the run; write its time alone, such as -W 3"
                .to_owned(),
        );
    }
    match text {
        "auto" => Ok(WarmUp::Auto),
        _ => values::duration(text).map(WarmUp::For),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_warm_up_is_a_time_or_found() {
        assert_eq!(warm_up("auto"), Ok(WarmUp::Auto));
        assert_eq!(
            warm_up("500ms"),
            Ok(WarmUp::For(Duration::from_millis(500)))
        );
        assert!(warm_up("soon").is_err());
        let message = warm_up("[").expect_err("a list of flags");
        assert!(message.contains("-W 3"), "{message}");
    }
}
