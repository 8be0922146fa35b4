//! Runs of several processes or machines, joined from their interval logs: the latencies of all
//! requests together, bucket by bucket, and rates of the time in which all of them ran.
//!
//! Deliberately absent: a mean of percentiles, which is not a percentile of anything; and a
//! correction of clocks, for which the files hold too little. Runs that do not fit together give a
//! [`MergeWarning`].

mod overlap;
mod settings;
mod source;
mod span;
mod warning;

pub use overlap::Window;
pub use source::{BadSource, Source};
pub use warning::MergeWarning;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::report::{Accounting, Latency, StatusCount};
use super::statistics::distribution::Distribution;
use super::statistics::interval_log::{Interval, all_answered};

/// Several runs as one.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MergedReport {
    /// The runs, in the order in which they were named.
    pub sources: Vec<MergedSource>,
    /// Of all requests of all sources; mean, spread and ends have three digits too.
    pub latency: Latency,
    /// Replies.
    pub requests: MergedRequests,
    /// The time in which all processes ran; `null` if there is none.
    pub window: Option<Window>,
    /// Sums over the sources that record it; `null` if none does.
    pub accounting: Option<Accounting>,
    /// Failed connections, and requests that timed out, of the sources that record them.
    pub errors: u64,
    /// Replies by status code, of the sources that record them.
    pub status_code_stats: BTreeMap<u16, StatusCount>,
    /// The judgement of the figures.
    pub verdict: MergedVerdict,
    /// Of this program.
    pub version: String,
}

/// One of the runs.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MergedSource {
    /// Its file.
    pub file: String,
    /// Its part of a run that was shared, such as `0/4`.
    pub share: Option<String>,
    /// Its start: RFC 3339, UTC. `null` if nothing was measured.
    pub start: Option<String>,
    /// Seconds that its intervals cover.
    pub seconds: f64,
    /// Replies per second over all of its time.
    pub rate: f64,
    /// Its own latencies.
    pub latency: Latency,
    /// Its log is complete.
    pub complete: bool,
}

/// Replies of all sources.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MergedRequests {
    /// Per second, over the common window; `null` without one.
    pub average: Option<f64>,
    /// All of them.
    pub total: u64,
}

/// The judgement of the figures.
#[derive(Clone, Debug, Serialize)]
pub struct MergedVerdict {
    /// No reason for doubt was found.
    pub valid: bool,
    /// Reasons for doubt.
    pub reasons: Vec<MergeWarning>,
}

/// Joins the runs.
pub fn merge(sources: &[Source]) -> MergedReport {
    let intervals = joined(sources);
    let window = overlap::window(sources);
    let reasons = warning::all(sources, window.as_ref());
    let facts = || sources.iter().filter_map(|source| source.facts.as_ref());
    let accounting = facts().map(|facts| facts.accounting);
    let mut statuses: BTreeMap<u16, StatusCount> = BTreeMap::new();
    for (code, status) in facts().flat_map(|facts| &facts.status_code_stats) {
        statuses.entry(*code).or_default().count += status.count;
    }
    MergedReport {
        sources: sources.iter().map(MergedSource::of).collect(),
        latency: Latency::of(&intervals),
        requests: MergedRequests {
            average: window.as_ref().map(|window| window.rate),
            total: all_answered(&intervals).total(),
        },
        window,
        accounting: accounting.reduce(|mut all, one| {
            all.add(one);
            all
        }),
        errors: facts().map(|facts| facts.errors).sum(),
        status_code_stats: statuses,
        verdict: MergedVerdict {
            valid: reasons.is_empty(),
            reasons,
        },
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

impl MergedSource {
    fn of(source: &Source) -> MergedSource {
        let seconds = source.span().map_or(0.0, |span| span.seconds());
        let latency = Latency::of(&source.intervals);
        MergedSource {
            file: source.file.clone(),
            share: source.share().map(|share| share.to_string()),
            start: source.span().map(|span| overlap::rfc3339(span.began)),
            seconds,
            rate: latency.total_count as f64 / seconds.max(f64::MIN_POSITIVE),
            latency,
            complete: source.is_complete(),
        }
    }
}

/// The intervals of all sources on one grid, as long as the longest of them. Each belongs where its
/// middle lies. Empty places are left out.
fn joined(sources: &[Source]) -> Vec<Interval> {
    let all = || sources.iter().flat_map(|source| &source.intervals);
    let length_ns = all()
        .map(|interval| interval.length_ns)
        .max()
        .unwrap_or(1)
        .max(1);
    let origin = all()
        .map(|interval| interval.began)
        .min()
        .unwrap_or_default();
    let mut places: BTreeMap<u64, Vec<&Interval>> = BTreeMap::new();
    for interval in all() {
        let began_ns = interval.began.ns_since(origin);
        let middle_ns = began_ns.saturating_add(interval.length_ns / 2);
        places
            .entry(middle_ns / length_ns)
            .or_default()
            .push(interval);
    }
    let mut dense = Distribution::default();
    let mut sum = |intervals: &[&Interval], of: fn(&Interval) -> &_| {
        intervals
            .iter()
            .for_each(|interval| dense.add(of(interval)));
        dense.take_packed()
    };
    let join = |(place, intervals): (u64, Vec<&Interval>)| Interval {
        began: origin + Duration::from_nanos(place * length_ns),
        length_ns,
        sent: intervals.iter().map(|interval| interval.sent).sum(),
        answered: sum(&intervals, |interval| &interval.answered),
        censored: sum(&intervals, |interval| &interval.censored),
        lost: sum(&intervals, |interval| &interval.lost),
    };
    places.into_iter().map(join).collect()
}

#[cfg(test)]
mod tests;
