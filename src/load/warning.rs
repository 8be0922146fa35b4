//! Reasons to doubt a run, as values with their figures.

mod wording;

use std::fmt;

use super::statistics::arrivals_check::LawBroken;
use super::statistics::stationarity::Change;
use wording::Message;
pub(super) use wording::codes;

/// One reason to doubt the figures of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// No reply was completed.
    NoReply {
        /// The first error, if any.
        first_error: Option<String>,
    },
    /// The run ended early because of its errors.
    BailedOut {
        /// Errors and wrong bodies.
        errors: u64,
        /// It was still in its warm-up.
        in_warm_up: bool,
    },
    /// A run for an amount ended without reaching it.
    GaveUp {
        /// Completed replies.
        replies: u64,
    },
    /// Replies whose status is not expected.
    UnexpectedStatus {
        /// Replies with such a status.
        replies: u64,
        /// Replies of any status.
        of: u64,
        /// These statuses with their counts.
        statuses: Vec<(u16, u64)>,
        /// Every status that came.
        seen: Vec<u16>,
        /// The statuses that were asked for; `None` if any but an error is expected.
        expected: Option<String>,
    },
    /// The server ends connections after a reply, and requests behind it are lost.
    NoKeepAlive {
        /// Requests lost.
        lost: u64,
        /// Requests sent.
        sent: u64,
        /// Replies that were the last on their connection.
        last_replies: u64,
        /// Replies in all.
        replies: u64,
    },
    /// Connections failed or requests timed out.
    Errors {
        /// Errors of connections and timeouts.
        errors: u64,
        /// The first of them.
        first_error: Option<String>,
    },
    /// Replies had a body other than the expected one.
    WrongBodies {
        /// Replies with such a body.
        replies: u64,
    },
    /// Fewer connections were open than asked for, or the last opened late.
    Connections {
        /// The most that were open at once.
        opened: usize,
        /// Connections asked for.
        asked: usize,
        /// Time at which that many were open, seconds after the start.
        last_after_s: f64,
    },
    /// Connections without a reply for half of the run or longer.
    Unserved {
        /// Such connections.
        unserved: usize,
        /// The most that were open at once.
        opened: usize,
    },
    /// The client's own CPU time was the limit.
    ClientBusy {
        /// Of one core, 0 to 1; that of its busiest worker.
        cpu_share: f64,
        /// Its workers.
        workers: u32,
    },
    /// The client did not read what had arrived.
    ClientStalls {
        /// Times of 20 ms or longer.
        pauses: u64,
        /// Their sum, milliseconds.
        total_ms: f64,
        /// The longest of them, milliseconds.
        longest_ms: f64,
        /// Its beginning, seconds after the start.
        longest_at_s: f64,
        /// Latencies include the pauses: not with the kernel's stamps.
        in_latencies: bool,
    },
    /// Too few replies for a distribution.
    FewReplies {
        /// Completed replies.
        replies: u64,
    },
    /// Connections were idle for a part of the run.
    IdleConnections {
        /// Share of the time for which requests were in flight (Little's law), 0 to 1.
        busy_share: f64,
    },
    /// Latencies add up to more than the time that there was.
    ExcessLatency {
        /// The sum of latencies, as a share of the time of all connections; more than 1.
        busy_share: f64,
    },
    /// No reply came on any connection for much longer than a request takes.
    Pause {
        /// Its length, milliseconds.
        ms: f64,
        /// Its beginning, seconds after the start.
        began_s: f64,
        /// The highest percentile that the run has, such as 99.
        percentile: f64,
        /// Its latency, milliseconds.
        percentile_ms: f64,
    },
    /// The start of the run is slower than the rest, and changes its figures.
    WarmUp {
        /// Its length.
        seconds: f64,
    },
    /// The end of the warm-up was looked for and not found.
    UnfinishedWarmUp {
        /// Length of the part that is left out, half of the run.
        seconds: f64,
    },
    /// The rate or the latency changed in the course of the run.
    Changed {
        /// The largest change.
        change: Change,
        /// Its time, seconds after the start.
        at_s: f64,
    },
    /// Requests were due and not sent before the end.
    NeverSent {
        /// Requests not sent.
        unsent: u64,
        /// Requests due.
        due: u64,
        /// The cause.
        cause: Backlog,
    },
    /// The client sent late though a slot was free.
    LateClient {
        /// The highest percentile that the run has, such as 99.
        percentile: f64,
        /// Its lateness, milliseconds.
        ms: f64,
    },
    /// The client's send times do not follow the planned arrivals.
    Arrivals {
        /// The property that is missing.
        law: LawBroken,
    },
}

/// Reasons for not sending a request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backlog {
    /// All connections waited for the server.
    Server,
    /// The same, and what was late was not to be sent.
    ServerBeyondDeadline,
    /// The client was late although a slot was free.
    Client,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Message { finding, advice } = self.message();
        match advice {
            None => f.write_str(&finding),
            Some(advice) => write!(f, "{finding}; {advice}"),
        }
    }
}

impl Warning {
    /// Returns the finding, in words.
    pub fn finding(&self) -> String {
        self.message().finding
    }

    /// The remedy, in words.
    pub fn advice(&self) -> Option<String> {
        self.message().advice
    }
}

impl serde::Serialize for Warning {
    /// As its sentence.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
