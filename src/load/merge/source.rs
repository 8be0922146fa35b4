//! One run from its file.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;

use super::span::Span;
use crate::event_loop::Time;
use crate::load::plan::Share;
use crate::load::report::{Accounting, StatusCount};
use crate::load::statistics::hlog::{BadLog, read_hlog};
use crate::load::statistics::interval_log::Interval;

/// A run of one process.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name of its file.
    pub file: String,
    /// Its course. Times count from 1970-01-01, UTC.
    pub(super) intervals: Vec<Interval>,
    /// Its report; `None` if the process ended before it wrote one, or is another program.
    pub(super) facts: Option<Facts>,
    /// The log records requests without a reply.
    pub(super) tells_unanswered: bool,
    is_cut: bool,
}

/// The part of a report that a merge needs.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    pub(super) url: String,
    pub(super) connections: u64,
    pub(super) workers: u32,
    pub(super) pipelining: u64,
    pub(super) requests_in_turn: u64,
    pub(super) until: String,
    pub(super) refill: String,
    pub(super) share: Option<Share>,
    pub(super) open_loop: Option<OpenLoopFacts>,
    pub(super) accounting: Accounting,
    pub(super) errors: u64,
    pub(super) status_code_stats: BTreeMap<u16, StatusCount>,
    /// RFC 3339.
    pub(super) start: String,
    pub(super) interrupted: bool,
    pub(super) verdict: VerdictFacts,
    pub(super) version: String,
}

/// The schedule of a run.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct OpenLoopFacts {
    pub(super) rate: RateFacts,
    pub(super) arrivals: String,
    pub(super) seed: u64,
}

/// Requests due per second.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(super) struct RateFacts {
    pub(super) from: f64,
    pub(super) to: f64,
}

/// The judgement of a run.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct VerdictFacts {
    pub(super) reasons: Vec<String>,
}

/// Reasons for not reading a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSource {
    /// It is a report as JSON.
    #[error("is JSON, which has no histograms; merge the files of --export-hlog")]
    Json,
    /// It is something else.
    #[error(transparent)]
    Log(#[from] BadLog),
    /// The report in it is not as this version writes it.
    #[error("its last line is not a report of this version: {0}")]
    Report(String),
}

impl Source {
    /// The run in `text`, the content of the file `file`.
    ///
    /// # Errors
    /// It is no interval log.
    pub fn read(file: String, text: &str) -> Result<Source, BadSource> {
        let log = read_hlog(text)?;
        if log.intervals.is_empty() && text.starts_with('{') {
            return Err(BadSource::Json);
        }
        let facts = log.report.map(|report| serde_json::from_str(&report));
        let facts = facts.transpose();
        Ok(Source {
            file,
            // An empty file is that of a process that died: of another program it would say
            // nothing.
            tells_unanswered: log.is_ours || log.intervals.is_empty(),
            intervals: log.intervals,
            facts: facts.map_err(|error| BadSource::Report(error.to_string()))?,
            is_cut: log.is_cut,
        })
    }

    /// Nothing is missing at its end, as far as can be seen.
    pub(super) fn is_complete(&self) -> bool {
        match self.tells_unanswered {
            true => self.facts.is_some(),
            false => !self.is_cut,
        }
    }

    /// Its part of a run that was shared.
    pub(super) fn share(&self) -> Option<Share> {
        self.facts.as_ref()?.share
    }

    /// Its start, which the intervals leave out together with a warm-up that was found.
    pub(super) fn began(&self) -> Option<Time> {
        let facts = self.facts.as_ref();
        let start = facts.and_then(|facts| humantime::parse_rfc3339(&facts.start).ok());
        let start = start.and_then(|start| start.duration_since(SystemTime::UNIX_EPOCH).ok());
        let told = start.map(|after_epoch| Time::START + after_epoch);
        told.or(self.span().map(|span| span.began))
    }

    /// Its time; `None` if nothing was measured.
    pub(super) fn span(&self) -> Option<Span> {
        Span::of(&self.intervals)
    }
}
