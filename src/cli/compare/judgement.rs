//! Flags for the required certainty of an answer, and for the cores that are used.

use std::num::NonZeroUsize;

use super::given::given_as;
use crate::compare::process::cores::CoreDivision;
use crate::compare::statistics::Margin;

/// The most rounds that are run to reach a precision.
const AUTO_ROUNDS_MAX: NonZeroUsize = NonZeroUsize::new(60).expect("not 0");
/// The precision of `--rounds auto`, in the words of its flag.
const PRECISION: &str = "2%";

/// Flags for the certainty of an answer.
#[derive(Clone, Debug, clap::Args)]
pub struct JudgementArgs {
    /// With '--rounds auto': stop when the 95 % interval of each ratio reaches no further than this
    /// to either side [default: 2%]
    #[arg(long, value_name = "PERCENT", value_parser = margin)]
    precision: Option<Margin>,
    /// Call two servers the same if the 90 % interval of their ratio lies within this margin around
    /// 1 [default: 2%]
    #[arg(long, value_name = "PERCENT", value_parser = margin)]
    same_within: Option<Margin>,
    /// Run each server beside the reference, and switch the load between the two every 50 to 200
    /// ms. This gives narrower intervals in the same time. Both are restarted in each round
    #[arg(long)]
    pub duet: bool,
    /// Run the load generator and the servers on different cores, where the system can do that
    /// (Linux) [default: on]
    #[arg(long, value_name = "WHEN")]
    pin: Option<Pin>,
}

/// Runs of each contestant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounds {
    /// A fixed number.
    Fixed(NonZeroUsize),
    /// Until each ratio is known to a precision.
    Auto,
}

/// Use of the division of the cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Pin {
    On,
    Off,
}

impl Rounds {
    /// The number of rounds, at most.
    pub fn at_most(self) -> NonZeroUsize {
        match self {
            Rounds::Fixed(rounds) => rounds,
            Rounds::Auto => AUTO_ROUNDS_MAX,
        }
    }
}

impl JudgementArgs {
    /// The flag, then the suite's margin, then the default.
    pub fn same_within(&self, suite: Option<Margin>) -> Margin {
        let given = self.same_within.or(suite);
        given.unwrap_or_else(|| Margin::new(0.02).expect("positive"))
    }

    /// The precision that ends the rounds, from the flag or else from the suite; `None` for a fixed
    /// number of rounds.
    ///
    /// # Errors
    /// A precision is given for a fixed number of rounds.
    pub fn precision(
        &self,
        rounds: Rounds,
        suite: Option<Margin>,
    ) -> Result<Option<Margin>, String> {
        match (rounds, self.precision.or(suite)) {
            (Rounds::Auto, None) => margin(PRECISION).map(Some),
            (Rounds::Auto, precision) => Ok(precision),
            (Rounds::Fixed(_), None) => Ok(None),
            (Rounds::Fixed(_), Some(_)) => {
                let (by_flag, by_suite) = (self.precision.is_some(), suite.is_some());
                let name = given_as("--precision", "precision", by_flag, by_suite);
                Err(format!(
                    "{name}: needs --rounds auto; with a fixed number of rounds the precision \
                     cannot be chosen"
                ))
            }
        }
    }

    /// The division of the cores, if there is to be one and can be: the flag, then the suite.
    pub(super) fn core_division(&self, suite: Option<Pin>) -> Option<CoreDivision> {
        match self.pin.or(suite).unwrap_or(Pin::On) {
            Pin::On => CoreDivision::of_this_machine(),
            Pin::Off => None,
        }
    }
}

/// A number of at least 1, or `auto`.
pub fn rounds(text: &str) -> Result<Rounds, String> {
    match text {
        "auto" => Ok(Rounds::Auto),
        text => match text.parse() {
            Ok(rounds) => Ok(Rounds::Fixed(rounds)),
            Err(_) => Err(format!(
                "'{text}' is not a whole number of at least 1, or auto"
            )),
        },
    }
}

/// A share of more than 0 and less than 100 %, such as `2%` or `0.5 %`.
///
/// # Errors
/// A sentence with the remedy.
pub(super) fn margin(text: &str) -> Result<Margin, String> {
    let remedy = || format!("'{text}' is not a percentage between 0 and 100; write 2% or 0.5%");
    let number = text.strip_suffix('%').ok_or_else(remedy)?;
    let percent: f64 = number.trim_end().parse().map_err(|_| remedy())?;
    let share = Some(percent / 100.0).filter(|&share| share < 1.0);
    share.and_then(Margin::new).ok_or_else(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_a_number_or_auto() {
        let six = NonZeroUsize::new(6).unwrap();
        assert_eq!(rounds("6"), Ok(Rounds::Fixed(six)));
        assert_eq!(rounds("auto"), Ok(Rounds::Auto));
        for text in ["0", "-1", "1.5", "AUTO", ""] {
            assert!(rounds(text).unwrap_err().contains("or auto"), "{text}");
        }
    }

    #[test]
    fn a_precision_goes_with_auto_only() {
        let of = |precision| JudgementArgs {
            precision,
            same_within: None,
            pin: Some(Pin::Off),
            duet: false,
        };
        let six = Rounds::Fixed(NonZeroUsize::new(6).unwrap());
        let one = margin("1%").ok();
        assert_eq!(
            of(None).precision(Rounds::Auto, None),
            Ok(margin("2%").ok())
        );
        assert_eq!(of(one).precision(Rounds::Auto, margin("3%").ok()), Ok(one));
        assert_eq!(of(None).precision(Rounds::Auto, one), Ok(one));
        assert_eq!(of(None).precision(six, None), Ok(None));
        assert!(
            of(one)
                .precision(six, None)
                .unwrap_err()
                .contains("--rounds auto")
        );
    }

    #[test]
    fn a_margin_is_a_percentage_between_0_and_100() {
        assert_eq!(margin("2%").unwrap().share(), 0.02);
        assert_eq!(margin("0.5 %").unwrap().share(), 0.005);
        for text in ["2", "0%", "-1%", "100%", "x%", "%", "NaN%", ""] {
            let error = margin(text).unwrap_err();
            assert!(error.contains("write 2%"), "{text}: {error}");
        }
    }
}
