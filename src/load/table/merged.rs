//! The report of several runs as one: each of them, all together, and reasons for doubt.

use super::lines::wrap;
use super::{
    Detail, boxed, fitting, intervals, latency_rows, missing_percentiles, percentile,
    percentile_box,
};
use crate::format::{count, or_dash, plural, rate};
use crate::load::merge::{MergedReport, MergedSource};
use crate::load::report::Accounting;

/// The whole report, for a terminal with this number of `columns`.
pub fn render(report: &MergedReport, detail: Detail, columns: usize) -> String {
    let sources = plural(report.sources.len() as u64, "run");
    let mut parts = vec![
        format!("Merged {sources}"),
        sources_box(&report.sources),
        "Latency of all requests together:".to_owned(),
        fitting(latency_rows(&report.latency), columns),
    ];
    if detail == Detail::Percentiles {
        parts.push(percentile_box(&report.latency));
    }
    let notes = [
        missing_percentiles(&report.latency, detail),
        intervals::line(&report.latency, detail),
    ];
    let mut lines: Vec<String> = notes.into_iter().flatten().collect();
    lines.push(String::new());
    lines.push(rate_line(report));
    lines.push(accounting_line(report.accounting.as_ref()));
    if report.errors > 0 {
        lines.push(plural(report.errors, "error"));
    }
    lines.extend(verdict_lines(report));
    parts.extend(lines.iter().map(|line| wrap(line, columns)));
    parts.join("\n") + "\n"
}

fn sources_box(sources: &[MergedSource]) -> String {
    let titles = [
        "File",
        "Share",
        "Start (UTC)",
        "Length",
        "Req/Sec",
        "50%",
        "99%",
    ];
    let rows = sources.iter().map(|source| {
        let latency = &source.latency;
        // The time of day.
        let start = source.start.as_ref().and_then(|start| start.get(11..23));
        vec![
            source.file.clone(),
            or_dash(source.share.clone()),
            or_dash(start.map(str::to_owned)),
            format!("{:.2} s", source.seconds),
            rate(source.rate),
            percentile(latency, 50.0, latency.p50),
            percentile(latency, 99.0, latency.p99),
        ]
    });
    let titles = titles.map(str::to_owned).to_vec();
    boxed(std::iter::once(titles).chain(rows))
}

fn rate_line(report: &MergedReport) -> String {
    let total = plural(report.requests.total, "reply");
    match &report.window {
        Some(window) => format!(
            "{total}; {} req/sec in the {:.2} s in which all processes ran.",
            rate(window.rate),
            window.seconds
        ),
        None => format!("{total}; no rate: there is no time in which all processes ran."),
    }
}

fn accounting_line(accounting: Option<&Accounting>) -> String {
    let Some(accounting) = accounting else {
        return "Requests without a reply are unknown.".to_owned();
    };
    format!(
        "Due {} = {} completed + {} timed out + {} lost + {} in flight + {} never sent.",
        count(accounting.due),
        count(accounting.completed),
        count(accounting.timed_out),
        count(accounting.lost),
        count(accounting.in_flight),
        count(accounting.never_sent)
    )
}

fn verdict_lines(report: &MergedReport) -> Vec<String> {
    if report.verdict.valid {
        return vec!["No reason to doubt these figures was found.".to_owned()];
    }
    let reasons = report.verdict.reasons.iter();
    let reasons = reasons.map(|reason| format!("  - {reason}"));
    std::iter::once("Reasons to doubt these figures:".to_owned())
        .chain(reasons)
        .collect()
}
