//! The flags of an open loop.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use clap::Args;

use crate::cli::values;
use crate::load::OpenLoopPlan;
use crate::load::objective;
use crate::load::schedule::{Arrivals, Rate};

/// Beyond what a client can send: what it does not send, it records one by one.
const RATE_MAX: f64 = 1e7;

/// Due times of requests.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Open loop")]
pub(super) struct ScheduleArgs {
    /// Send this number of requests per second in all (1000, 1k), or FROM:TO for a ramp: an open
    /// loop
    #[arg(
        short = 'R',
        long,
        alias = "overallRate",
        value_name = "RATE",
        value_parser = rate,
        conflicts_with_all = ["amount", "refill"]
    )]
    rate: Option<Ends>,

    /// Arrival process: requests are due at even intervals (constant), or as from many independent
    /// users (poisson)
    #[arg(
        long,
        value_name = "PROCESS",
        default_value = "constant",
        value_parser = arrivals,
        requires = "open_loop"
    )]
    arrivals: Arrivals,

    /// Seed of poisson arrivals [default: random, named in the report]
    #[arg(long, value_name = "N", requires = "open_loop")]
    seed: Option<u32>,

    /// Do not send a request at all once it is late by more than this: seconds, or with a unit
    #[arg(long, value_name = "TIME", value_parser = values::duration, requires = "open_loop")]
    deadline: Option<Duration>,
}

/// Rates at the start and at the end.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ends {
    from: f64,
    to: f64,
}

impl ScheduleArgs {
    /// The warning of a seed from which nothing is drawn.
    pub(super) fn idle_seed(&self) -> Option<&'static str> {
        (self.seed.is_some() && self.arrivals == Arrivals::Constant).then_some(
            "--seed: constant arrivals have no use for it; write --arrivals poisson, or leave it out",
        )
    }

    /// Returns true for a rate that changes by plan.
    pub(super) fn is_ramp(&self) -> bool {
        self.rate.is_some_and(|ends| ends.from != ends.to)
    }

    /// The schedule of a run of this length; `None` for a closed loop.
    pub(super) fn plan(&self, over: Duration) -> Option<OpenLoopPlan> {
        self.rate.map(|ends| self.plan_at(ends, over))
    }

    /// The same, with a rate if none is given.
    pub(super) fn plan_from(&self, rate: f64, over: Duration) -> OpenLoopPlan {
        let default = Ends {
            from: rate,
            to: rate,
        };
        self.plan_at(self.rate.unwrap_or(default), over)
    }

    fn plan_at(&self, Ends { from, to }: Ends, over: Duration) -> OpenLoopPlan {
        OpenLoopPlan {
            rate: match from == to {
                true => Rate::Constant(from),
                false => Rate::Ramp { from, to, over },
            },
            arrivals: self.arrivals,
            seed: u64::from(self.seed.unwrap_or_else(random)),
            deadline: self.deadline,
        }
    }
}

/// The only source of randomness in the standard library.
fn random() -> u32 {
    RandomState::new().hash_one(0) as u32
}

/// `1000`, `0.5`, `1k`, or `100:10k`.
fn rate(text: &str) -> Result<Ends, String> {
    let remedy = || {
        format!("'{text}' is not a rate; write requests per second (1000), or a ramp (100:10000)")
    };
    let (from, to) = text.split_once(':').unwrap_or((text, text));
    let [from, to] = [from, to].map(objective::rate);
    let (Some(from), Some(to)) = (from, to) else {
        return Err(remedy());
    };
    let highest = from.max(to);
    if highest > RATE_MAX && highest.is_finite() {
        return Err(format!(
            "'{text}' is more than one client can send; write at most {RATE_MAX}"
        ));
    }
    let is_rate = |rate: f64| (0.0..=RATE_MAX).contains(&rate);
    match is_rate(from) && is_rate(to) && from + to > 0.0 {
        true => Ok(Ends { from, to }),
        false => Err(remedy()),
    }
}

/// `constant` or `poisson`.
fn arrivals(text: &str) -> Result<Arrivals, String> {
    [Arrivals::Constant, Arrivals::Poisson]
        .into_iter()
        .find(|arrivals| arrivals.as_str() == text)
        .ok_or_else(|| format!("'{text}' is not an arrival process; write constant or poisson"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        load: crate::cli::load::LoadArgs,
    }

    fn plan(flags: &[&str]) -> Result<Option<OpenLoopPlan>, String> {
        let argv = [&["load", "-d", "5", "http://localhost"], flags].concat();
        let cli = Cli::try_parse_from(argv).map_err(|error| error.to_string())?;
        Ok(cli.load.schedule.plan(Duration::from_secs(5)))
    }

    #[test]
    fn without_a_rate_the_loop_is_closed() {
        assert_eq!(plan(&[]), Ok(None));
    }

    #[test]
    fn a_rate_a_ramp_a_law_a_seed_and_a_deadline_make_a_schedule() {
        let constant = plan(&["-R", "1000", "--deadline", "500ms"]).expect("valid");
        let constant = constant.expect("an open loop");
        assert_eq!(constant.rate, Rate::Constant(1000.0));
        assert_eq!(constant.arrivals, Arrivals::Constant);
        assert_eq!(constant.deadline, Some(Duration::from_millis(500)));
        let thousands = plan(&["-R", "1k"]).expect("valid").expect("an open loop");
        assert_eq!(thousands.rate, constant.rate);
        let flags = ["-R", "100:2k", "--arrivals", "poisson", "--seed", "7"];
        let ramp = plan(&flags).expect("valid").expect("an open loop");
        let over = Duration::from_secs(5);
        let (from, to) = (100.0, 2000.0);
        assert_eq!(ramp.rate, Rate::Ramp { from, to, over });
        assert_eq!((ramp.arrivals, ramp.seed), (Arrivals::Poisson, 7));
    }

    #[test]
    fn what_is_no_schedule_names_the_flag_and_the_remedy() {
        for (flags, flag, remedy) in [
            (&["-R", "0"][..], "--rate", "requests per second"),
            (&["-R", "1:x"], "--rate", "100:10000"),
            (&["-R", "inf"], "--rate", "requests per second"),
            (&["-R", "9", "--arrivals", "even"], "--arrivals", "poisson"),
            (&["--deadline", "1"], "--rate", ""),
            (&["-R", "2e7"], "--rate", "write at most 10000000"),
            (&["-R", "1:11M"], "--rate", "write at most 10000000"),
            (&["-R", "9", "-a", "5"], "--rate", "cannot be used with"),
        ] {
            let message = plan(flags).expect_err("no schedule");
            assert!(message.contains(flag), "{flags:?}: {message}");
            assert!(message.contains(remedy), "{flags:?}: {message}");
        }
    }
}
