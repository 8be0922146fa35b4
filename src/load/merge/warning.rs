//! Reasons to doubt a merge, as values with their figures.

use std::collections::BTreeMap;
use std::fmt;

use super::overlap::Window;
use super::span::Span;
use super::{Source, settings};
use crate::format::{or_dash, plural};
use crate::load::plan::Share;

/// Starts that are further apart are named, seconds: two intervals.
const APART_MIN_S: f64 = 0.2;
/// A common window is named if it is a smaller part of the longest run.
const COMMON_MIN: f64 = 0.95;

/// One reason to doubt figures that were made of several runs.
#[derive(Clone, Debug, PartialEq)]
pub enum MergeWarning {
    /// A process died before it wrote its report, or its file was truncated.
    Died {
        /// Its file.
        file: String,
        /// Seconds that its log covers.
        seconds: f64,
    },
    /// A run was stopped before its planned end.
    Interrupted {
        /// Its file.
        file: String,
        /// Seconds that its log covers.
        seconds: f64,
    },
    /// Shares of the run without a file.
    AbsentShares {
        /// Their numbers, from 0.
        shares: Vec<u32>,
        /// Shares in all.
        of: u32,
    },
    /// Files that hold the same run.
    SameRun {
        /// These files.
        files: Vec<String>,
    },
    /// Files that have the same share, or the same Poisson stream.
    SameRequests {
        /// These files.
        files: Vec<String>,
    },
    /// A setting that differs.
    Setting {
        /// Its name.
        name: &'static str,
        /// Its values, with the number of files that have it.
        values: BTreeMap<String, usize>,
    },
    /// The runs did not start together by their clocks.
    StartsApart {
        /// Between the first and the last.
        seconds: f64,
        /// The file of the first.
        first: String,
        /// The file of the last.
        last: String,
    },
    /// All processes ran for a part of the time only.
    PartialOverlap {
        /// Time in which all processes ran.
        common_s: f64,
        /// Length of the longest run.
        longest_s: f64,
    },
    /// There was no moment in which all processes ran.
    NoOverlap,
    /// Logs that do not record requests without a reply.
    UnansweredUnknown {
        /// Their files.
        files: Vec<String>,
    },
    /// A reason to doubt one of the runs.
    OfSource {
        /// Its file.
        file: String,
        /// The reason, in words.
        reason: String,
    },
}

/// All reasons, those that matter most first.
pub(super) fn all(sources: &[Source], window: Option<&Window>) -> Vec<MergeWarning> {
    let mut warnings: Vec<MergeWarning> = sources.iter().filter_map(ended_early).collect();
    warnings.extend(absent_shares(sources));
    warnings.extend(same_runs(sources));
    warnings.extend(same_requests(sources));
    let differing = settings::differing(sources).into_iter();
    warnings.extend(differing.map(|(name, values)| MergeWarning::Setting { name, values }));
    warnings.extend(apart(sources, window));
    let silent = sources.iter().filter(|source| !source.tells_unanswered);
    let files: Vec<String> = silent.map(|source| source.file.clone()).collect();
    if !files.is_empty() {
        warnings.push(MergeWarning::UnansweredUnknown { files });
    }
    for source in sources {
        let reasons = source.facts.iter().flat_map(|facts| &facts.verdict.reasons);
        warnings.extend(reasons.map(|reason| MergeWarning::OfSource {
            file: source.file.clone(),
            reason: reason.clone(),
        }));
    }
    warnings
}

fn ended_early(source: &Source) -> Option<MergeWarning> {
    let file = source.file.clone();
    let seconds = source.span().map_or(0.0, Span::seconds);
    if !source.is_complete() {
        return Some(MergeWarning::Died { file, seconds });
    }
    let interrupted = source.facts.as_ref()?.interrupted;
    interrupted.then_some(MergeWarning::Interrupted { file, seconds })
}

fn absent_shares(sources: &[Source]) -> Option<MergeWarning> {
    let shares: Vec<Share> = sources.iter().filter_map(Source::share).collect();
    let of = shares.first()?.of();
    let is_present = |number: &u32| shares.iter().any(|share| share.number() == *number);
    let shares: Vec<u32> = (0..of).filter(|number| !is_present(number)).collect();
    (!shares.is_empty()).then_some(MergeWarning::AbsentShares { shares, of })
}

/// No two runs have the same latencies at the same times.
fn same_runs(sources: &[Source]) -> Vec<MergeWarning> {
    let mut groups: Vec<(&Source, Vec<String>)> = Vec::new();
    for source in sources.iter().filter(|source| !source.intervals.is_empty()) {
        let same = |(first, _): &&mut (&Source, _)| first.intervals == source.intervals;
        match groups.iter_mut().find(same) {
            Some((_, files)) => files.push(source.file.clone()),
            None => groups.push((source, vec![source.file.clone()])),
        }
    }
    let same = groups.into_iter().filter(|(_, files)| files.len() > 1);
    same.map(|(_, files)| MergeWarning::SameRun { files })
        .collect()
}

fn same_requests(sources: &[Source]) -> Vec<MergeWarning> {
    let mut streams: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for source in sources {
        let Some(facts) = &source.facts else { continue };
        let open_loop = facts.open_loop.as_ref();
        let seed = open_loop
            .filter(|open_loop| open_loop.arrivals == "poisson")
            .map(|open_loop| open_loop.seed);
        let share = facts.share.map(|share| (share.number(), share.of()));
        let key = match (share, seed) {
            (Some(share), _) => (Some(share), None),
            (None, Some(seed)) => (None, Some(seed)),
            (None, None) => continue,
        };
        streams.entry(key).or_default().push(source.file.clone());
    }
    let same = streams.into_values().filter(|files| files.len() > 1);
    same.map(|files| MergeWarning::SameRequests { files })
        .collect()
}

fn apart(sources: &[Source], window: Option<&Window>) -> Vec<MergeWarning> {
    let measured = || sources.iter().filter(|source| source.span().is_some());
    let starts = measured().filter_map(|source| Some((source.began()?, &source.file)));
    let first = starts.clone().min_by_key(|(began, _)| *began);
    let last = starts.max_by_key(|(began, _)| *began);
    let (Some((first, first_file)), Some((last, last_file))) = (first, last) else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    let seconds = (last - first).as_secs_f64();
    if seconds > APART_MIN_S {
        warnings.push(MergeWarning::StartsApart {
            seconds,
            first: first_file.clone(),
            last: last_file.clone(),
        });
    }
    let spans = measured().filter_map(Source::span);
    let longest_s = spans.map(Span::seconds).fold(0.0, f64::max);
    match window.map(|window| window.seconds) {
        None => warnings.push(MergeWarning::NoOverlap),
        Some(common_s) if common_s < COMMON_MIN * longest_s => {
            warnings.push(MergeWarning::PartialOverlap {
                common_s,
                longest_s,
            });
        }
        Some(_) => {}
    }
    warnings
}

impl fmt::Display for MergeWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use MergeWarning::*;
        match self {
            Died { file, seconds: 0.0 } => write!(
                f,
                "{file} ends without its last line: its process died, and none of its requests are \
                 in these figures"
            ),
            Died { file, seconds } => write!(
                f,
                "{file} ends after {seconds:.1} s without its last line: its process died, or the \
                 file was truncated"
            ),
            Interrupted { file, seconds } => {
                write!(f, "{file} was interrupted after {seconds:.1} s")
            }
            AbsentShares { shares, of } => {
                let names = shares.iter().map(|share| format!("{share}/{of}"));
                f.write_str(&absent(&names.collect::<Vec<String>>()))
            }
            SameRun { files } => write!(
                f,
                "{} hold the same run, which counts more than once; leave out the copies",
                listed(files)
            ),
            SameRequests { files } => write!(
                f,
                "{} have the same share or seed, so they sent the same requests",
                listed(files)
            ),
            Setting { name, values } => write!(f, "{name} differs: {}", with_files(values)),
            StartsApart {
                seconds,
                first,
                last,
            } => write!(
                f,
                "{last} started {seconds:.1} s after {first} by their clocks; start them together \
                 with --start-at, and set the clocks by NTP"
            ),
            PartialOverlap {
                common_s,
                longest_s,
            } => write!(
                f,
                "all processes ran together for {common_s:.1} s of {longest_s:.1} s; the rate is \
                 that of this time, the latencies are those of all of it"
            ),
            NoOverlap => {
                f.write_str("by their clocks the runs never overlapped, so there is no common rate")
            }
            UnansweredUnknown { files } => write!(
                f,
                "{} do not record requests without a reply; the tail may be longer",
                listed(files)
            ),
            OfSource { file, reason } => write!(f, "{file}: {reason}"),
        }
    }
}

/// Values of a setting, each with the number of files that have it.
fn with_files(values: &BTreeMap<String, usize>) -> String {
    let values = values.iter();
    let values =
        values.map(|(value, files)| format!("{value} in {}", plural(*files as u64, "file")));
    listed(&values.collect::<Vec<String>>())
}

fn absent(shares: &[String]) -> String {
    let names = listed(shares);
    match shares.len() {
        1 => format!("share {names} is missing: it has no complete file"),
        _ => format!("shares {names} are missing: they have no complete file"),
    }
}

/// `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => or_dash(None),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

impl serde::Serialize for MergeWarning {
    /// As its sentence.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
