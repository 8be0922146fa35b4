//! Reasons to doubt a run, as values with their figures. They are worded here and nowhere else.

use std::fmt;

use crate::format::{percent, plural, rate};

/// One reason to doubt the figures of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// No reply was completed.
    NoReply {
        /// The first error, if any.
        first_error: Option<String>,
    },
    /// A run for an amount ended without reaching it.
    GaveUp,
    /// Connections failed or requests timed out.
    Errors {
        /// Errors of connections and timeouts.
        errors: u64,
        /// The first of them.
        first_error: Option<String>,
    },
    /// Replies had another body than the expected one.
    WrongBodies {
        /// Replies with such a body.
        replies: u64,
    },
    /// The client's own CPU time was the limit.
    ClientBusy {
        /// Of one core, 0 to 1.
        cpu_share: f64,
    },
    /// Too few replies for a distribution.
    FewReplies {
        /// Completed replies.
        replies: u64,
    },
    /// Little's law does not hold: slots were empty for a part of the run.
    IdleSlots {
        /// Mean latency times rate, divided by the number of slots.
        little_ratio: f64,
    },
    /// The first and the second half of the run differ.
    Drift {
        /// Mean rate of the first half, replies per second.
        first_half: f64,
        /// Mean rate of the second half, replies per second.
        second_half: f64,
    },
    /// Latencies beyond the histogram's range of one hour.
    BeyondRange {
        /// Replies that took longer.
        replies: u64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::NoReply { first_error: None } => {
                f.write_str("no reply was completed; the server sent none before the end")
            }
            Warning::NoReply {
                first_error: Some(error),
            } => write!(f, "no reply was completed; first error: {error}"),
            Warning::GaveUp => f.write_str("gave up: errors and no reply for three timeouts"),
            Warning::Errors {
                errors,
                first_error,
            } => {
                f.write_str(&plural(*errors, "error"))?;
                match first_error {
                    Some(first) => write!(f, "; the first: {first}"),
                    None => Ok(()),
                }
            }
            Warning::WrongBodies { replies } => {
                write!(f, "{} had a wrong body", plural(*replies, "reply"))
            }
            Warning::ClientBusy { cpu_share } => write!(
                f,
                "the client was busy {} of the time: the server may be faster than this",
                percent(*cpu_share)
            ),
            Warning::FewReplies { replies } => {
                write!(f, "only {}; run longer", plural(*replies, "reply"))
            }
            Warning::IdleSlots { little_ratio } => write!(
                f,
                "mean latency x rate / slots is {little_ratio:.2}, not 1: slots were empty \
                 (reconnects, errors), or latency is not what it seems"
            ),
            Warning::Drift {
                first_half,
                second_half,
            } => write!(
                f,
                "the rate drifted from {} to {} replies a second between the halves",
                rate(first_half.round()),
                rate(second_half.round())
            ),
            Warning::BeyondRange { replies } => {
                write!(f, "{} took over an hour", plural(*replies, "reply"))
            }
        }
    }
}

impl serde::Serialize for Warning {
    /// As its sentence.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
