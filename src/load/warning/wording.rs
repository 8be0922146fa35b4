//! The text of all warnings: first what happened, then what to do about it.

use super::Warning::*;
use super::{Backlog, Warning};
use crate::format::{count, milliseconds, percent, plural, rate, three_digits};
use crate::load::statistics::arrivals_check::LawBroken;
use crate::load::statistics::stationarity::{Change, Series, Shape};

/// A warning in words.
pub(super) struct Message {
    pub(super) finding: String,
    pub(super) advice: Option<String>,
}

/// A finding without advice: the user can do nothing about it, or the remedy is obvious.
fn finding(finding: impl Into<String>) -> Message {
    Message {
        finding: finding.into(),
        advice: None,
    }
}

impl Message {
    fn advice(self, advice: impl Into<String>) -> Message {
        Message {
            advice: Some(advice.into()),
            ..self
        }
    }
}

impl Warning {
    pub(super) fn message(&self) -> Message {
        match self {
            NoReply { first_error } => no_reply(first_error.as_deref()),
            BailedOut { errors, in_warm_up } => bailed_out(*errors, *in_warm_up),
            GaveUp { replies } => gave_up(*replies),
            UnexpectedStatus {
                replies,
                of,
                statuses,
                seen,
                expected,
            } => unexpected_status(*replies, *of, statuses, seen, expected.as_deref()),
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
            ClientBusy { cpu_share, workers } => client_busy(*cpu_share, *workers),
            ClientStalls {
                pauses,
                total_ms,
                longest_ms,
                longest_at_s,
                in_latencies,
            } => client_stalls(
                *pauses,
                *total_ms,
                *longest_ms,
                *longest_at_s,
                *in_latencies,
            ),
            FewReplies { replies } => few_replies(*replies),
            IdleConnections { busy_share } => idle_connections(*busy_share),
            ExcessLatency { busy_share } => excess_latency(*busy_share),
            Pause {
                ms,
                began_s,
                percentile,
                percentile_ms,
            } => pause(*ms, *began_s, *percentile, *percentile_ms),
            WarmUp { seconds } => warm_up(*seconds),
            UnfinishedWarmUp { seconds } => unfinished_warm_up(*seconds),
            Changed { change, at_s } => changed(change, *at_s),
            NeverSent { unsent, due, cause } => never_sent(*unsent, *due, *cause),
            LateClient { percentile, ms } => late_client(*percentile, *ms),
            Arrivals { law } => arrivals(*law),
        }
    }
}

fn no_reply(first_error: Option<&str>) -> Message {
    match first_error {
        None => finding("no reply was completed").advice("run longer, or see what the server does"),
        Some(error) => finding(format!("no reply was completed; first error: {error}")),
    }
}

fn bailed_out(errors: u64, in_warm_up: bool) -> Message {
    let errors = plural(errors, "error");
    let when = if in_warm_up {
        "in its warm-up"
    } else {
        "early"
    };
    finding(format!("the run ended {when}, after {errors}"))
        .advice("see what the server does, or raise --bailout")
}

fn gave_up(replies: u64) -> Message {
    let replies = plural(replies, "reply");
    finding(format!(
        "gave up after {replies}: there were errors, and no reply came for three times the timeout"
    ))
}

fn wrong_bodies(replies: u64) -> Message {
    let replies = plural(replies, "reply");
    finding(format!("{replies} had a body other than the expected one"))
}

fn unexpected_status(
    replies: u64,
    of: u64,
    statuses: &[(u16, u64)],
    seen: &[u16],
    expected: Option<&str>,
) -> Message {
    let share = match (replies == of, of) {
        (true, 1) => "the only reply".to_owned(),
        (true, _) => format!("all {}", plural(of, "reply")),
        (false, _) => format!("{} of {}", count(replies), plural(of, "reply")),
    };
    let codes = codes(statuses);
    match expected {
        Some(expected) => finding(format!(
            "{share} had a status other than {expected} ({codes})"
        )),
        None => {
            // The flag replaces the default, so it must name all statuses.
            let expected = seen.iter().map(u16::to_string);
            let expected = expected.collect::<Vec<_>>().join(",");
            finding(format!("{share} had an error status ({codes})")).advice(format!(
                "if that is expected, add --expect-status {expected}"
            ))
        }
    }
}

/// `500` alone, or `404: 3, 500: 1,200`.
pub(in crate::load) fn codes(statuses: &[(u16, u64)]) -> String {
    match statuses {
        [(code, _)] => code.to_string(),
        _ => {
            let codes = statuses.iter();
            let codes = codes.map(|(code, replies)| format!("{code}: {}", count(*replies)));
            codes.collect::<Vec<_>>().join(", ")
        }
    }
}

fn no_keep_alive(lost: u64, sent: u64, last_replies: u64, replies: u64) -> Message {
    let (lost, sent) = (count(lost), count(sent));
    // Some servers keep a connection for a number of requests.
    match last_replies * 2 > replies {
        true => finding(format!(
            "the server does not keep connections open: it closed them after {}, and {lost} of \
             {sent} requests that had been sent behind these replies were lost",
            plural(last_replies, "reply")
        ))
        .advice("measure it with -p 1"),
        false => finding(format!(
            "the server closed {}, and {lost} of {sent} requests that were in flight on them were \
             lost",
            plural(last_replies, "connection")
        ))
        .advice("raise its limit of requests on a connection, or measure it with -p 1"),
    }
}

fn errors(errors: u64, first_error: Option<&str>) -> Message {
    let number = plural(errors, "error");
    finding(match first_error {
        None => number,
        Some(error) if errors == 1 => format!("{number}: {error}"),
        Some(error) => format!("{number}; the first: {error}"),
    })
}

fn connections(opened: usize, asked: usize, last_after_s: f64) -> Message {
    let remedy = match opened < asked {
        true => "lower -c, or raise the server's limit on connections",
        false => "lower -c, raise the server's backlog, or run longer",
    };
    let [opened, asked] = [opened, asked].map(|number| count(number as u64));
    finding(format!(
        "connected {opened} of {asked}, the last after {last_after_s:.1} s"
    ))
    .advice(remedy)
}

fn unserved(unserved: usize, opened: usize) -> Message {
    finding(format!(
        "{} of {} got no reply for half of the run or longer",
        count(unserved as u64),
        plural(opened as u64, "connection")
    ))
    .advice("lower -c, or raise the server's limit on connections")
}

fn client_busy(cpu_share: f64, workers: u32) -> Message {
    let client = match workers {
        1 => "the client".to_owned(),
        _ => format!("the busiest of the client's {workers} workers"),
    };
    finding(format!(
        "{client} was busy {} of the time: the server may be faster than this",
        percent(cpu_share)
    ))
    .advice("take the rate as a lower bound")
}

fn client_stalls(
    pauses: u64,
    total_ms: f64,
    longest_ms: f64,
    longest_at_s: f64,
    in_latencies: bool,
) -> Message {
    let effect = match in_latencies {
        true => "the latencies include it",
        false => "it sent nothing in that time",
    };
    let longest = milliseconds(longest_ms);
    let pauses = match pauses {
        1 => format!("paused for {longest} at {longest_at_s:.1} s"),
        _ => format!(
            "paused {} times, {} in total (longest {longest}, at {longest_at_s:.1} s)",
            count(pauses),
            milliseconds(total_ms)
        ),
    };
    finding(format!("this client {pauses}, and {effect}"))
        .advice("give it a core of its own, and stop what else runs on this machine")
}

fn few_replies(replies: u64) -> Message {
    finding(format!("only {}", plural(replies, "reply"))).advice("run longer")
}

fn never_sent(unsent: u64, due: u64, cause: Backlog) -> Message {
    let (cause, advice) = match cause {
        Backlog::Server => (
            "all connections were waiting for the server",
            "lower -R, or raise -c",
        ),
        Backlog::ServerBeyondDeadline => (
            "all connections were waiting for the server until the end, or past --deadline",
            "lower -R, or raise -c",
        ),
        Backlog::Client => (
            "this client could not send them in time",
            "use more workers (-w), or lower -R",
        ),
    };
    finding(format!(
        "{} of {} that were due were never sent: {cause}",
        count(unsent),
        plural(due, "request")
    ))
    .advice(advice)
}

fn late_client(percentile: f64, ms: f64) -> Message {
    finding(format!(
        "this client sent requests up to {} late ({percentile} %), which the latencies include",
        milliseconds(ms)
    ))
    .advice("give it a core of its own, or lower -R")
}

fn arrivals(law: LawBroken) -> Message {
    let what = match law {
        LawBroken::Count { sent, asked } => format!(
            "this client sent {} where {} were due",
            plural(sent, "request"),
            count(asked.round() as u64)
        ),
        LawBroken::Dispersion { found, law } => format!(
            "this client sent in bursts or too evenly: the dispersion of its requests is {}, and \
             that of the planned arrivals is {}",
            three_digits(found),
            three_digits(law)
        ),
        LawBroken::Gaps {
            distance,
            distance_max,
        } => format!(
            "the gaps between the requests that this client sent are not those of the planned \
             arrivals: they differ by {}, and chance explains at most {}",
            percent(distance),
            percent(distance_max)
        ),
    };
    finding(what).advice("give it a core of its own, or lower -R")
}

fn idle_connections(busy_share: f64) -> Message {
    finding(format!(
        "connections had a request in flight only {} of the time: this client refilled them late",
        percent(busy_share)
    ))
    .advice("give it a core of its own, or use more workers (-w)")
}

fn excess_latency(busy_share: f64) -> Message {
    finding(format!(
        "the latencies add up to {} of the connections' time, which is impossible",
        percent(busy_share)
    ))
    .advice("if the clock was not set during the run, please report a bug")
}

fn pause(ms: f64, began_s: f64, percentile: f64, percentile_ms: f64) -> Message {
    finding(format!(
        "no reply came for {} at {began_s:.1} s, where {percentile} % of requests took at most {}",
        milliseconds(ms),
        milliseconds(percentile_ms)
    ))
    .advice(
        "measure with -R: a closed loop sends little in such a silence, so its percentiles hide it",
    )
}

fn warm_up(seconds: f64) -> Message {
    finding(format!(
        "the first {seconds:.1} s were slower than the rest: the server was warming up"
    ))
    .advice("add -W auto, or -W with a time")
}

fn unfinished_warm_up(seconds: f64) -> Message {
    finding(format!(
        "the end of the warm-up was not found, and the first half of the run ({seconds:.1} s) is left \
         out"
    ))
    .advice("run longer, or give the warm-up a time, such as -W 3")
}

fn changed(change: &Change, at_s: f64) -> Message {
    let what = match change.series {
        Series::Rate => "the rate",
        Series::Median => "the median latency",
        Series::Tail => "the latency (90 %)",
    };
    let figure = |level: f64| match change.series {
        Series::Rate => rate(level.round()),
        Series::Median | Series::Tail => milliseconds(level / 1e6),
    };
    let unit = match change.series {
        Series::Rate => " replies a second",
        Series::Median | Series::Tail => "",
    };
    let (before, after) = (figure(change.before), figure(change.after));
    let course = match change.shape {
        Shape::Trend => format!("drifted from {before} to {after}{unit}"),
        Shape::Shift => format!("went from {before} to {after}{unit} at {at_s:.1} s"),
    };
    finding(format!("{what} {course}"))
        .advice("look for what changed on the server; if it was warming up, add -W auto")
}
