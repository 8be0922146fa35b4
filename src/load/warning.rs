//! Reasons to doubt a run, as values with their figures. They are worded here and nowhere else:
//! first what happened, then what to do about it.

use std::fmt;

use crate::format::{count, milliseconds, percent, plural, rate};

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
    },
    /// A run for an amount ended without reaching it.
    GaveUp {
        /// Completed replies.
        replies: u64,
    },
    /// Replies whose status is not wanted.
    UnexpectedStatus {
        /// Replies with such a status.
        replies: u64,
        /// Replies of any status.
        of: u64,
        /// These statuses with their counts.
        statuses: Vec<(u16, u64)>,
        /// The statuses that were asked for; `None` if any but an error is wanted.
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
    /// Replies had another body than the expected one.
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
        /// When that many were open, seconds after the start.
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
        /// Of one core, 0 to 1.
        cpu_share: f64,
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
        /// Connections opened beyond the first ones.
        reconnects: u64,
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
        /// When it began, seconds after the start.
        began_s: f64,
        /// The highest percentile that the run has, such as 99.
        percentile: f64,
        /// Its latency, milliseconds.
        percentile_ms: f64,
    },
    /// The first and the second half of the run differ.
    Drift {
        /// Mean rate of the first half, replies per second.
        first_half: f64,
        /// Mean rate of the second half, replies per second.
        second_half: f64,
    },
    /// Requests were due and not sent before the end.
    NeverSent {
        /// Requests not sent.
        never_sent: u64,
        /// Requests due.
        due: u64,
    },
    /// The client sent late though a slot was free.
    LateClient {
        /// 99 % of requests were at most this late, milliseconds.
        ms: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl Warning {
    fn sentence(&self) -> String {
        use Warning::*;
        match self {
            NoReply { first_error } => no_reply(first_error.as_deref()),
            BailedOut { errors } => bailed_out(*errors),
            GaveUp { replies } => {
                let replies = plural(*replies, "reply");
                format!("gave up after {replies}: errors, and no reply for three timeouts")
            }
            UnexpectedStatus {
                replies,
                of,
                statuses,
                expected,
            } => unexpected_status(*replies, *of, statuses, expected.as_deref()),
            NoKeepAlive {
                lost,
                sent,
                last_replies,
                replies,
            } => no_keep_alive(*lost, *sent, *last_replies, *replies),
            Errors {
                errors,
                first_error,
            } => self::errors(*errors, first_error.as_deref()),
            WrongBodies { replies } => wrong_bodies(*replies),
            Connections {
                opened,
                asked,
                last_after_s,
            } => connections(*opened, *asked, *last_after_s),
            Unserved { unserved, opened } => self::unserved(*unserved, *opened),
            ClientBusy { cpu_share } => client_busy(*cpu_share),
            FewReplies { replies } => format!("only {}; run longer", plural(*replies, "reply")),
            IdleConnections {
                busy_share,
                reconnects,
            } => idle_connections(*busy_share, *reconnects),
            ExcessLatency { busy_share } => excess_latency(*busy_share),
            Pause {
                ms,
                began_s,
                percentile,
                percentile_ms,
            } => pause(*ms, *began_s, *percentile, *percentile_ms),
            Drift {
                first_half,
                second_half,
            } => drift(*first_half, *second_half),
            NeverSent { never_sent, due } => self::never_sent(*never_sent, *due),
            LateClient { ms } => format!(
                "this client sent requests up to {} late (99 %), which the latencies include; give \
                 it a core of its own, or lower -R",
                milliseconds(*ms)
            ),
        }
    }
}

fn no_reply(first_error: Option<&str>) -> String {
    match first_error {
        None => "no reply was completed; run longer, or see what the server does".to_owned(),
        Some(error) => format!("no reply was completed; first error: {error}"),
    }
}

fn bailed_out(errors: u64) -> String {
    let errors = plural(errors, "error");
    format!("the run ended early, after {errors}; see what the server does, or raise --bailout")
}

fn wrong_bodies(replies: u64) -> String {
    let replies = plural(replies, "reply");
    format!("{replies} had another body than the expected one")
}

fn unexpected_status(
    replies: u64,
    of: u64,
    statuses: &[(u16, u64)],
    expected: Option<&str>,
) -> String {
    let share = match replies == of {
        true => format!("all {}", plural(of, "reply")),
        false => format!("{} of {}", count(replies), plural(of, "reply")),
    };
    let codes = codes(statuses);
    match expected {
        Some(expected) => format!("{share} had a status other than {expected} ({codes})"),
        None => {
            let wanted = statuses.iter().map(|(code, _)| code.to_string());
            let wanted = wanted.collect::<Vec<_>>().join(",");
            format!(
                "{share} had an error status ({codes}); if that is wanted, add --expect-status \
                 {wanted}"
            )
        }
    }
}

/// `500` alone, or `404: 3, 500: 1,200`.
pub(super) fn codes(statuses: &[(u16, u64)]) -> String {
    match statuses {
        [(code, _)] => code.to_string(),
        _ => {
            let codes = statuses.iter();
            let codes = codes.map(|(code, replies)| format!("{code}: {}", count(*replies)));
            codes.collect::<Vec<_>>().join(", ")
        }
    }
}

fn no_keep_alive(lost: u64, sent: u64, last_replies: u64, replies: u64) -> String {
    let (lost, sent) = (count(lost), count(sent));
    // Some servers keep a connection for a number of requests.
    match last_replies * 2 > replies {
        true => format!(
            "the server does not keep connections open, so {lost} of {sent} requests were lost \
             behind its {}; measure it with -p 1",
            plural(last_replies, "reply")
        ),
        false => format!(
            "the server ended {}, and {lost} of {sent} requests were lost behind them; raise its \
             limit of requests on a connection, or measure it with -p 1",
            plural(last_replies, "connection")
        ),
    }
}

fn errors(errors: u64, first_error: Option<&str>) -> String {
    let number = plural(errors, "error");
    match first_error {
        None => number,
        Some(error) if errors == 1 => format!("{number}: {error}"),
        Some(error) => format!("{number}; the first: {error}"),
    }
}

fn connections(opened: usize, asked: usize, last_after_s: f64) -> String {
    let remedy = match opened < asked {
        true => "lower -c, or raise the server's limit on connections",
        false => "lower -c, raise the server's backlog, or run longer",
    };
    let [opened, asked] = [opened, asked].map(|number| count(number as u64));
    format!("connected {opened} of {asked}, the last after {last_after_s:.1} s; {remedy}")
}

fn unserved(unserved: usize, opened: usize) -> String {
    format!(
        "{} of {} got no reply for half of the run or longer; lower -c, or raise the server's \
         limit on connections",
        count(unserved as u64),
        plural(opened as u64, "connection")
    )
}

fn client_busy(cpu_share: f64) -> String {
    format!(
        "the client was busy {} of the time: the server may be faster than this; take the rate as \
         a lower bound",
        percent(cpu_share)
    )
}

fn never_sent(never_sent: u64, due: u64) -> String {
    format!(
        "{} of {} that were due were never sent: the server does not keep up with this rate on so \
         few connections; lower -R, or raise -c",
        count(never_sent),
        plural(due, "request")
    )
}

fn idle_connections(busy_share: f64, reconnects: u64) -> String {
    let rest = match reconnects {
        0 => "before they were open, or into this client; run longer".to_owned(),
        _ => format!(
            "into {}, which the rate includes and the latency does not",
            plural(reconnects, "connect")
        ),
    };
    let busy = percent(busy_share);
    format!("connections were busy {busy} of the time; the rest went {rest}")
}

fn excess_latency(busy_share: f64) -> String {
    format!(
        "the latencies add up to {} of the time that the connections had; the clock or this \
         program is wrong",
        percent(busy_share)
    )
}

fn pause(ms: f64, began_s: f64, percentile: f64, percentile_ms: f64) -> String {
    format!(
        "no reply came for {} at {began_s:.1} s, where {percentile} % of requests took at most \
         {}; a closed loop sends little in such a pause, so its percentiles hide it",
        milliseconds(ms),
        milliseconds(percentile_ms)
    )
}

fn drift(first_half: f64, second_half: f64) -> String {
    let [first, second] = [first_half, second_half].map(|rps| rate(rps.round()));
    format!(
        "the rate drifted from {first} to {second} replies a second between the halves; warm the \
         server up first, or run longer"
    )
}

impl serde::Serialize for Warning {
    /// As its sentence.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
