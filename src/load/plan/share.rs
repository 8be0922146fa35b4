//! The part of a run that one of several processes takes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// More processes than this are a slip of the hand; with as many workers, their numbers stay within
/// 32 bits.
const SHARES_MAX: u32 = 10_000;

/// Part `number` of a run that `of` processes share; written `0/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Share {
    number: u32,
    of: u32,
}

/// Reason for not taking a text as a [`Share`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a share; write K/N with K from 0 to N - 1, as in 0/4")]
pub struct BadShare(String);

impl Share {
    /// All of a run.
    pub const WHOLE: Share = Share { number: 0, of: 1 };

    /// Its number, from 0.
    pub fn number(self) -> u32 {
        self.number
    }

    /// Processes in all; above the number.
    pub fn of(self) -> u32 {
        self.of
    }
}

impl FromStr for Share {
    type Err = BadShare;

    fn from_str(text: &str) -> Result<Share, BadShare> {
        let parse = || {
            let (number, of) = text.split_once('/')?;
            let (number, of) = (number.parse().ok()?, of.parse().ok()?);
            (number < of && of <= SHARES_MAX).then_some(Share { number, of })
        };
        parse().ok_or_else(|| BadShare(text.to_owned()))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl From<Share> for String {
    fn from(share: Share) -> String {
        share.to_string()
    }
}

impl TryFrom<String> for Share {
    type Error = BadShare;

    fn try_from(text: String) -> Result<Share, BadShare> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_written_as_a_fraction_from_0() {
        for text in ["0/1", "0/4", "3/4", "9999/10000"] {
            let share: Share = text.parse().expect("a share");
            assert_eq!(share.to_string(), text);
        }
        for text in ["", "1", "4/4", "-1/4", "1/0", "a/4", "1/4/2", "0/10001"] {
            let error = text.parse::<Share>().expect_err("no share");
            assert!(error.to_string().contains("K from 0"), "{error}");
        }
    }
}
