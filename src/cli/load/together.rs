//! The flags of a run that several processes share.

use std::time::{Duration, SystemTime};

use clap::Args;

use crate::load::Share;

/// A start that is further away is taken for a mistake.
const START_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// RFC 3339 has years of four digits.
const YEAR_10000_S: f64 = 253_402_300_800.0;

/// The part of this process, and the moment at which all begin.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Several processes")]
pub(super) struct TogetherArgs {
    /// Run part K of N of the run; K counts from 0. Connections, rate and amount are divided among
    /// N processes, all with the same other flags
    #[arg(long, value_name = "K/N", conflicts_with = "find_rate")]
    pub(super) share: Option<Share>,

    /// Send the first request at this time: RFC 3339 (2026-01-31T12:00:00Z) or Unix seconds;
    /// connections are opened in the second before it
    #[arg(long, value_name = "TIME", value_parser = start_time, conflicts_with = "find_rate")]
    pub(super) start_at: Option<SystemTime>,
}

impl TogetherArgs {
    /// The least that this process has of `shared` connections or requests.
    pub(super) fn own_part(&self, shared: u64) -> u64 {
        shared / self.share.map_or(1, |share| u64::from(share.of()))
    }

    /// Refuses `shared` connections or requests that are fewer than the `workers` of all shares.
    pub(super) fn check_share(&self, shared: u64, workers: u32) -> Result<(), String> {
        match self.share {
            Some(share) if shared < u64::from(share.of()) * u64::from(workers) => Err(format!(
                "--share {share}: each worker of each share needs a connection, and a request of \
                 --amount; raise --connections"
            )),
            _ => Ok(()),
        }
    }

    /// Refuses a start that has passed, or is more than a day away.
    pub(super) fn check(
        &self,
        time_until: impl Fn(SystemTime) -> Result<Duration, Duration>,
    ) -> Result<(), String> {
        let Some(start_at) = self.start_at else {
            return Ok(());
        };
        let named = |length: Duration| {
            let seconds = Duration::from_secs(length.as_secs_f64().ceil() as u64);
            let at = humantime::format_rfc3339_seconds(start_at);
            format!("--start-at {at}: {}", humantime::format_duration(seconds))
        };
        match time_until(start_at) {
            Err(passed) => Err(format!(
                "{} ago by this machine's clock; give a later time to all processes",
                named(passed)
            )),
            Ok(wait) if wait > START_WITHIN => Err(format!(
                "{} from now; give a time within a day",
                named(wait)
            )),
            Ok(_) => Ok(()),
        }
    }
}

/// `2026-01-31T12:00:00Z`, `1769860800`, or `1769860800.5`.
fn start_time(text: &str) -> Result<SystemTime, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds < YEAR_10000_S);
    let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let unix = seconds.map(|seconds| SystemTime::UNIX_EPOCH + seconds);
    let time = unix.or_else(|| humantime::parse_rfc3339(text).ok());
    time.ok_or_else(|| {
        format!("'{text}' is not a time; write 2026-01-31T12:00:00Z, or seconds since 1970")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_769_860_800;

    fn check(text: &str) -> Result<(), String> {
        let args = TogetherArgs {
            share: None,
            start_at: Some(start_time(text)?),
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW_S);
        args.check(|at| at.duration_since(now).map_err(|passed| passed.duration()))
    }

    #[test]
    fn a_start_is_a_time_within_the_next_day() {
        for text in [
            "2026-01-31T12:00:00Z",
            "2026-02-01T12:00:00Z",
            "1769860800.5",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for (text, remedy) in [
            ("noon", "'noon' is not a time; write 2026"),
            ("-5", "seconds since 1970"),
            ("inf", "seconds since 1970"),
            (
                "2026-01-31T11:59:00Z",
                "--start-at 2026-01-31T11:59:00Z: 1m ago",
            ),
            ("5", "later time"),
            (
                "2026-02-02T12:00:00Z",
                "2days from now; give a time within a day",
            ),
            ("2769860800", "from now"),
            ("1769860800000", "is not a time"),
        ] {
            let message = check(text).expect_err("no start");
            assert!(message.contains(remedy), "{text}: {message}");
        }
    }
}
