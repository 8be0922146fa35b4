//! The time of each run, and the time in which all of them ran.

use std::time::SystemTime;

use serde::Serialize;

use super::Source;
use super::span::{Span, ended};
use crate::event_loop::Time;
use crate::load::statistics::interval_log::Interval;

/// The time in which all processes ran.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Window {
    /// Its start: RFC 3339, UTC.
    pub start: String,
    /// Its length.
    pub seconds: f64,
    /// Replies per second of all sources together.
    #[serde(skip)]
    pub rate: f64,
}

/// The common time of all sources that measured anything, and the rate in it.
pub(super) fn window(sources: &[Source]) -> Option<Window> {
    let spans = sources.iter().filter_map(Source::span);
    let common = spans.reduce(Span::common)?;
    if common.ended <= common.began {
        return None;
    }
    let intervals = sources.iter().flat_map(|source| &source.intervals);
    let replies: f64 = intervals.map(|interval| replies_in(interval, common)).sum();
    Some(Window {
        start: rfc3339(common.began),
        seconds: common.seconds(),
        rate: replies / common.seconds(),
    })
}

/// The replies of an interval that lies in `span`; of one at its border, the part of its time.
fn replies_in(interval: &Interval, span: Span) -> f64 {
    let from = interval.began.max(span.began);
    let until = ended(interval).min(span.ended);
    let share = until.ns_since(from) as f64 / interval.length_ns.max(1) as f64;
    interval.answered.total() as f64 * share
}

/// A moment after 1970-01-01, UTC.
pub(super) fn rfc3339(at: Time) -> String {
    let time = SystemTime::UNIX_EPOCH + (at - Time::START);
    humantime::format_rfc3339_millis(time).to_string()
}
