//! The flags of a search for the highest rate, and the search.

use std::time::Duration;

use clap::Args;

use super::{LoadArgs, Unmeasured};
use crate::cli::live::LiveBlock;
use crate::cli::output;
use crate::cli::values;
use crate::event_loop::StopSignal;
use crate::load::find_rate::{FindRatePlan, RateObjective, TrialProgress, find_rate};
use crate::load::schedule::Rate;
use crate::load::{LoadPlan, LoadReport, WarmUp, table};

/// The rate of the first trial without -R, requests per second.
const FIRST_RATE: f64 = 1000.0;

/// A search.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Open loop")]
pub(super) struct FindRateArgs {
    /// Find the highest rate at which the server meets an objective such as 'p99<5ms' (a
    /// percentile, mean or max), with up to 25 short open-loop runs. The first is at the rate of -R
    /// [default: 1000]
    #[arg(
        long,
        value_name = "OBJECTIVE",
        conflicts_with_all = ["amount", "duration", "refill"]
    )]
    find_rate: Option<RateObjective>,

    /// Length of each of these runs: seconds, or with a unit. It is up to ten times as long where
    /// the rate is too low to measure the percentile in that time
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1",
        value_parser = values::duration,
        requires = "find_rate"
    )]
    trial_duration: Duration,
}

impl FindRateArgs {
    /// The search whose trials are like `trial`; `None` without `--find-rate`.
    ///
    /// # Errors
    /// The first rate is a ramp, or the warm-up is to be found in each trial.
    pub(super) fn plan(
        &self,
        trial: &LoadPlan,
        args: &LoadArgs,
    ) -> Result<Option<FindRatePlan>, String> {
        let Some(objective) = self.find_rate else {
            return Ok(None);
        };
        if trial.warm_up == WarmUp::Auto {
            return Err(
                "--find-rate: its trials are too short for -W auto; give a time, such as -W 0.2"
                    .to_owned(),
            );
        }
        let open_loop = args.schedule.plan_from(FIRST_RATE, self.trial_duration);
        let Rate::Constant(first_rate) = open_loop.rate else {
            return Err("--find-rate: starts at one rate, not a ramp; write -R 1000".to_owned());
        };
        Ok(Some(FindRatePlan {
            trial: trial.clone(),
            open_loop,
            first_rate,
            trial_duration: self.trial_duration,
            objective,
        }))
    }
}

/// Prints the heading and searches.
pub(super) fn search(
    plan: &FindRatePlan,
    args: &LoadArgs,
    signal: &StopSignal,
) -> Result<LoadReport, Unmeasured> {
    if !args.owns_stdout() {
        let heading = table::search_heading(&plan.trial, &plan.objective.to_string());
        if let Some(message) = output::refusal(output::print(&heading)) {
            return Err(Unmeasured::Stdout(message));
        }
    }
    let mut line = LiveBlock::new(args.shows_progress());
    let result = find_rate(plan, signal, &mut |trial| {
        line.show_line(&trial_text(trial))
    });
    line.clear();
    Ok(result?)
}

fn trial_text(trial: TrialProgress) -> String {
    format!(
        "{}, {:.1} of {:.1} s",
        table::trial_line(trial.number, trial.rate, trial.purpose),
        trial.progress.elapsed.as_secs_f64(),
        trial.duration.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        load: LoadArgs,
    }

    fn plan(flags: &[&str]) -> Result<Option<FindRatePlan>, String> {
        let argv = [&["load", "http://localhost"], flags].concat();
        let cli = Cli::try_parse_from(argv).map_err(|error| error.to_string())?;
        let load = cli.load;
        let plan = load.plan(load.requests.read()?)?;
        load.find_rate.plan(&plan, &load)
    }

    #[test]
    fn a_search_begins_at_the_rate_that_is_given() {
        assert!(plan(&[]).expect("valid").is_none());
        let of = |flags: &[&str]| plan(flags).expect("valid").expect("a search");
        let default = of(&["--find-rate", "p99<5ms"]);
        assert_eq!(default.first_rate, FIRST_RATE);
        assert_eq!(default.trial_duration, Duration::from_secs(1));
        let flags = ["--find-rate", "p50<1s", "-R", "20", "--trial-duration", "3"];
        let given = of(&[&flags[..], &["--arrivals", "poisson", "--seed", "7"]].concat());
        assert_eq!(given.first_rate, 20.0);
        assert_eq!(given.trial_duration, Duration::from_secs(3));
        // Each trial draws anew.
        let seeds = [1, 2].map(|number| given.trial(50.0, number).open_loop.map(|plan| plan.seed));
        assert_eq!(seeds, [Some(8), Some(9)]);
    }

    #[test]
    fn what_is_no_search_names_the_flag_and_the_remedy() {
        for (flags, flag, remedy) in [
            (&["--find-rate", "p99>5ms"][..], "--find-rate", "'p99<5ms'"),
            (
                &["--find-rate", "p99<5ms", "-R", "1:9"],
                "--find-rate",
                "-R 1000",
            ),
            (
                &["--find-rate", "p99<5ms", "-d", "5"],
                "--duration",
                "cannot be used with",
            ),
            (
                &["--find-rate", "p99<5ms", "-a", "5"],
                "--amount",
                "cannot be used with",
            ),
            (&["--trial-duration", "5"], "--find-rate", ""),
            (
                &["--find-rate", "p99<5ms", "-W", "auto"],
                "--find-rate",
                "-W 0.2",
            ),
            (
                &["--find-rate", "p99<5ms", "-l"],
                "--latency",
                "cannot be used with",
            ),
            (
                &["--find-rate", "p99<5ms", "--calibrate"],
                "--calibrate",
                "cannot be used with",
            ),
        ] {
            let message = plan(flags).expect_err("no search");
            assert!(message.contains(flag), "{flags:?}: {message}");
            assert!(message.contains(remedy), "{flags:?}: {message}");
        }
    }
}
