//! The report for people: autocannon's two tables and closing lines, then further figures and the
//! verdict. Each fact is reported once: the lines above the verdict do not repeat it.

mod find_rate;
mod intervals;
mod lines;
mod merged;

pub use find_rate::{render as render_search, trial_line};
pub use merged::render as render_merged;

use std::collections::BTreeMap;

use comfy_table::{ContentLineStyle, LineStyle, Table, TableStyle};

use super::plan::{LoadPlan, Until};
use super::report::{Latency, LoadReport, Rate};
use super::statistics::distribution::samples_needed;
use crate::format::{bound, bytes, count, milliseconds, or_dash, plural, rate};

const BOX: TableStyle = TableStyle::new()
    .top_border(LineStyle::new('┌', '─', '┬', '┐'))
    .header_lines(ContentLineStyle::new('│', '│', '│'))
    .header_separator(LineStyle::new('├', '─', '┼', '┤'))
    .content_lines(ContentLineStyle::new('│', '│', '│'))
    .row_separator(LineStyle::new('├', '─', '┼', '┤'))
    .bottom_border(LineStyle::new('└', '─', '┴', '┘'));

/// The amount of detail in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The boxes and the lines below them.
    Plain,
    /// Also a box with fifteen latency percentiles.
    Percentiles,
}

/// The first lines, which are known before the run: what is run against which address.
pub fn heading(plan: &LoadPlan, address: &str) -> String {
    let until = match plan.until {
        Until::Duration(duration) => humantime::format_duration(duration).to_string(),
        Until::Amount(amount) => plural(amount, "request"),
    };
    let mut slots = plural(plan.connections as u64, "connection");
    if plan.pipelining > 1 {
        slots += &format!(" with {} pipelining factor", count(plan.pipelining as u64));
    }
    if plan.workers.get() > 1 {
        slots += &format!("\n{} workers", plan.workers);
    }
    slots += &in_turn(plan);
    let title = plan.title.iter().map(|title| format!("{title}\n"));
    let title: String = title.collect();
    format!(
        "{title}Running {until} test @ {} ({address})\n{slots}\n",
        plan.target
    )
}

/// The first lines of a search.
pub fn search_heading(trial: &LoadPlan, objective: &str) -> String {
    let connections = plural(trial.connections as u64, "connection");
    format!(
        "Finding the highest rate with {objective} @ {}\n{connections}{}\n",
        trial.target,
        in_turn(trial)
    )
}

/// A line about requests that take turns; nothing if there is only one.
fn in_turn(plan: &LoadPlan) -> String {
    match plan.requests.len() {
        1 => String::new(),
        requests => format!("\n{} requests in turn", count(requests as u64)),
    }
}

/// The rest of the report, for a terminal with this number of `columns`.
pub fn render(report: &LoadReport, detail: Detail, columns: usize) -> String {
    let latency = &report.latency;
    let mut text = String::new();
    let mut line = |content: &str| {
        text.push_str(content);
        text.push('\n');
    };
    line("");
    line(&fitting(latency_rows(latency), columns));
    line(&fitting(rate_rows(report), columns));
    if detail == Detail::Percentiles {
        line(&percentile_box(latency));
    }
    for note in [
        missing_percentiles(latency, detail),
        intervals::line(latency, detail),
    ]
    .into_iter()
    .flatten()
    {
        line(&lines::wrap(&note, columns));
    }
    line("");
    line("Req/Bytes counts sampled once per second.");
    line(&format!("# of samples: {}", count(report.samples as u64)));
    line("");
    text + &lines::render(report, columns)
}

/// A row of a box: its title and its figures.
type Row = [String; 8];

fn latency_rows(latency: &Latency) -> Vec<Row> {
    let has_samples = latency.total_count > 0;
    let exact = |ms: f64| or_dash(has_samples.then(|| milliseconds(ms)));
    let max_is_bound = latency.max_age_ms > latency.max;
    let max = milliseconds(latency.max.max(latency.max_age_ms));
    let max = or_dash(has_samples.then(|| bound(max_is_bound, max)));
    vec![
        ["Stat", "2.5%", "50%", "97.5%", "99%", "Avg", "Stdev", "Max"].map(str::to_owned),
        [
            "Latency".to_owned(),
            percentile(latency, 2.5, latency.p2_5),
            percentile(latency, 50.0, latency.p50),
            percentile(latency, 97.5, latency.p97_5),
            percentile(latency, 99.0, latency.p99),
            exact(latency.mean),
            exact(latency.stddev),
            max,
        ],
    ]
}

/// `>= x` for a lower bound.
fn percentile(latency: &Latency, percent: f64, ms: Option<f64>) -> String {
    let is_bound = latency
        .bounded_percent
        .is_some_and(|first| percent >= first);
    or_dash(ms.map(|ms| bound(is_bound, milliseconds(ms))))
}

fn rate_rows(report: &LoadReport) -> Vec<Row> {
    let whole = |value: f64| rate(value.round());
    vec![
        ["Stat", "1%", "2.5%", "50%", "97.5%", "Avg", "Stdev", "Min"].map(str::to_owned),
        rate_row("Req/Sec", &report.requests, whole, rate),
        rate_row("Bytes/Sec", &report.throughput, bytes, bytes),
    ]
}

fn rate_row(
    name: &str,
    figures: &Rate,
    sample: impl Fn(f64) -> String,
    derived: impl Fn(f64) -> String,
) -> Row {
    [
        name.to_owned(),
        sample(figures.p1),
        sample(figures.p2_5),
        sample(figures.p50),
        sample(figures.p97_5),
        derived(figures.mean),
        derived(figures.stddev),
        sample(figures.min),
    ]
}

/// The rows as a box; where that is too wide, its rows become columns.
fn fitting(rows: Vec<Row>, columns: usize) -> String {
    let wide = boxed(rows.iter().map(|row| row.to_vec()));
    let width = wide.lines().next().map_or(0, |line| line.chars().count());
    if width <= columns {
        return wide;
    }
    let titles = 0..rows.first().map_or(0, |row| row.len());
    boxed(titles.map(|column| rows.iter().map(|row| row[column].clone()).collect()))
}

/// A box whose first row is its header.
fn boxed(mut rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(BOX);
    table.set_header(rows.next().unwrap_or_default());
    table.add_rows(rows);
    table.to_string()
}

fn percentile_box(latency: &Latency) -> String {
    let header = vec!["Percentile".to_owned(), "Latency".to_owned()];
    let rows = percentiles(latency)
        .into_iter()
        .map(|(percent, ms)| vec![format!("{percent}"), self::percentile(latency, percent, ms)]);
    boxed(std::iter::once(header).chain(rows))
}

fn percentiles(latency: &Latency) -> [(f64, Option<f64>); 15] {
    [
        (0.001, latency.p0_001),
        (0.01, latency.p0_01),
        (0.1, latency.p0_1),
        (1.0, latency.p1),
        (2.5, latency.p2_5),
        (10.0, latency.p10),
        (25.0, latency.p25),
        (50.0, latency.p50),
        (75.0, latency.p75),
        (90.0, latency.p90),
        (97.5, latency.p97_5),
        (99.0, latency.p99),
        (99.9, latency.p99_9),
        (99.99, latency.p99_99),
        (99.999, latency.p99_999),
    ]
}

/// Note on percentiles that are shown as `-`: each needs ten samples on either side.
fn missing_percentiles(latency: &Latency, detail: Detail) -> Option<String> {
    if latency.total_count == 0 {
        return None;
    }
    let is_shown = |percent: &f64| match detail {
        Detail::Plain => [2.5, 50.0, 97.5, 99.0].contains(percent),
        Detail::Percentiles => true,
    };
    let mut by_need: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for (percent, ms) in percentiles(latency) {
        if ms.is_none() && is_shown(&percent) {
            let needed = samples_needed(percent / 100.0);
            by_need
                .entry(needed)
                .or_default()
                .push(format!("p{percent}"));
        }
    }
    let needs = by_need.iter().map(|(&needed, names)| {
        let verb = if names.len() == 1 { "needs" } else { "need" };
        format!("{} {verb} {}", names.join(" and "), count(needed))
    });
    let needs: Vec<String> = needs.collect();
    (!needs.is_empty()).then(|| format!("\"-\" means too few replies: {}.", needs.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::report::{
        Accounting, Bundling, Check, CheckResult, ClientCost, ConnectLatency, ConnectStats,
        ErrorKinds, LatencyInterval, LatencyIntervals, StatusCount, Verdict,
    };
    use super::super::{RequestList, Warning};
    use super::*;

    /// The seed's own first run, as far as it was published.
    fn seed() -> LoadReport {
        LoadReport {
            url: "http://localhost:8080".into(),
            address: "127.0.0.1:8080".into(),
            connections: 100,
            workers: 1,
            pipelining: 10,
            until: "5s".into(),
            duration: 5.03,
            samples: 5,
            refill: "rolling".into(),
            latency: Latency {
                p2_5: Some(62.04),
                p50: Some(558.2),
                p97_5: Some(3540.1),
                p99: None,
                total_count: 999,
                mean: 0.760_96,
                stddev: 0.0849,
                max: 4146.0,
                intervals: LatencyIntervals {
                    p50: Some(LatencyInterval {
                        low: 550.4,
                        high: Some(566.0),
                    }),
                    p97_5: Some(LatencyInterval {
                        low: 3391.0,
                        high: None,
                    }),
                    ..LatencyIntervals::default()
                },
                ..Latency::default()
            },
            requests: Rate {
                p1: 4519.0,
                p2_5: 4519.0,
                p50: 5395.2,
                p97_5: 5591.0,
                mean: 5264.4,
                stddev: 385.32,
                min: 4518.0,
                total: 26_322,
                ..Rate::default()
            },
            throughput: Rate {
                p1: 556_000.0,
                p2_5: 556_000.0,
                p50: 664_000.0,
                p97_5: 688_000.0,
                mean: 648_000.0,
                stddev: 47_400.0,
                min: 556_000.0,
                total: 3_240_000,
                ..Rate::default()
            },
            accounting: Accounting {
                due: 26_322,
                sent: 26_322,
                completed: 26_322,
                ..Accounting::default()
            },
            bundling: Bundling {
                requests_per_write: 9.96,
                replies_per_read: 9.5,
                connects: 100,
            },
            connects: ConnectStats {
                latency_ms: ConnectLatency {
                    p50: Some(0.21),
                    p99: None,
                    max: 1.9,
                },
                ..ConnectStats::default()
            },
            longest_silence_ms: Some(3.2),
            longest_silence_began: Some(1.25),
            client: ClientCost {
                cpu_seconds: 0.5,
                cpu_share: 0.104,
                cpu_micros_per_request: 0.654,
                ..ClientCost::default()
            },
            checks: vec![Check {
                name: "errors",
                result: CheckResult::Passed,
                detail: "none".into(),
                advice: None,
            }],
            verdict: Verdict {
                valid: true,
                reasons: Vec::new(),
            },
            ..LoadReport::default()
        }
    }

    #[test]
    fn a_report_has_autocannons_boxes_and_closing_lines() {
        assert_eq!(
            render(&seed(), Detail::Plain, 100),
            "
┌─────────┬─────────┬────────┬──────────┬─────┬──────────┬──────────┬──────────┐
│ Stat    │ 2.5%    │ 50%    │ 97.5%    │ 99% │ Avg      │ Stdev    │ Max      │
├─────────┼─────────┼────────┼──────────┼─────┼──────────┼──────────┼──────────┤
│ Latency │ 62.0 ms │ 558 ms │ 3,540 ms │ -   │ 0.761 ms │ 0.085 ms │ 4,146 ms │
└─────────┴─────────┴────────┴──────────┴─────┴──────────┴──────────┴──────────┘
┌───────────┬────────┬────────┬────────┬────────┬─────────┬─────────┬────────┐
│ Stat      │ 1%     │ 2.5%   │ 50%    │ 97.5%  │ Avg     │ Stdev   │ Min    │
├───────────┼────────┼────────┼────────┼────────┼─────────┼─────────┼────────┤
│ Req/Sec   │ 4,519  │ 4,519  │ 5,395  │ 5,591  │ 5,264.4 │ 385.32  │ 4,518  │
├───────────┼────────┼────────┼────────┼────────┼─────────┼─────────┼────────┤
│ Bytes/Sec │ 556 kB │ 556 kB │ 664 kB │ 688 kB │ 648 kB  │ 47.4 kB │ 556 kB │
└───────────┴────────┴────────┴────────┴────────┴─────────┴─────────┴────────┘
\"-\" means too few replies: p99 needs 1,000.
With 95 % confidence: p50 550 ms to 566 ms, p97.5 3,391 ms or more (no upper bound from this run).

Req/Bytes counts sampled once per second.
# of samples: 5

26,322 requests in 5.03 s, 3.24 MB read

Closed loop: latency is service time. Refill rolling: 10.0 requests per write, 9.5 replies per read.
Client: 10 % of a core, 0.65 µs of CPU per request. Longest silence: 3.20 ms at 1.2 s.
100 connections opened in 0.210 ms (50 %), 1.90 ms at most.
Verdict: VALID (1 of 1 self-test passed)
"
        );
    }

    #[test]
    fn a_percentile_that_is_only_bounded_is_marked() {
        let latency = Latency {
            bounded_percent: Some(97.5),
            ..Latency::default()
        };
        assert_eq!(percentile(&latency, 50.0, Some(2.0)), "2.00 ms");
        assert_eq!(percentile(&latency, 97.5, Some(2.0)), ">= 2.00 ms");
        assert_eq!(percentile(&latency, 99.0, None), "-");
    }

    #[test]
    fn what_went_wrong_is_said_line_by_line() {
        let report = LoadReport {
            non2xx: 15,
            status_2xx: 26_307,
            status_code_stats: [
                (200, StatusCount { count: 26_307 }),
                (301, StatusCount { count: 4 }),
                (302, StatusCount { count: 1 }),
                (404, StatusCount { count: 7 }),
                (503, StatusCount { count: 3 }),
            ]
            .into(),
            errors: 14_020,
            timeouts: 20,
            mismatches: 2,
            resets: 14_002,
            varied_bodies: 1,
            interrupted: true,
            accounting: Accounting {
                due: 152_442,
                sent: 152_442,
                never_sent: 0,
                completed: 26_322,
                timed_out: 20,
                lost: 126_000,
                in_flight: 100,
            },
            error_kinds: ErrorKinds {
                closed_early: 13_999,
                timeout: 20,
                wrong_body: 2,
                no_local_port: 1,
                ..ErrorKinds::default()
            },
            verdict: Verdict {
                valid: false,
                reasons: vec![
                    Warning::GaveUp { replies: 26_322 },
                    Warning::UnexpectedStatus {
                        replies: 3,
                        of: 26_322,
                        statuses: vec![(503, 3)],
                        seen: vec![503],
                        expected: None,
                    },
                    Warning::FewReplies { replies: 1 },
                ],
            },
            ..seed()
        };
        let text = render(&report, Detail::Plain, 100);
        let (_, tail) = text.split_once("# of samples: 5\n\n").expect("a tail");
        assert_eq!(
            tail,
            "\
26,322 requests in 5.03 s, 3.24 MB read
5 replies with a redirect, which load does not follow: 301: 4, 302: 1
7 replies with a status other than 2xx, as expected: 404
14,020 errors (13,999 closed early, 20 timed out, 1 no local port left: this client's limit)
request pipeline was reset 14,002 times

Closed loop: latency is service time. Refill rolling: 10.0 requests per write, 9.5 replies per read.
Client: 10 % of a core, 0.65 µs of CPU per request. Longest silence: 3.20 ms at 1.2 s.
100 connections opened in 0.210 ms (50 %), 1.90 ms at most.
Sent 152,442 = 26,322 completed + 20 timed out + 126,000 lost + 100 in flight at the stop.
1 reply had a body other than the first one's.
Interrupted: the figures are of what was measured so far.
Verdict: SUSPECT (1 of 1 self-test passed)
  - gave up after 26,322 replies: there were errors, and no reply came for three times the timeout
  - 3 of 26,322 replies had an error status (503); if that is expected, add --expect-status 503
  - only 1 reply; run longer
"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_rows_for_columns_and_wrapped_lines() {
        let text = render(&seed(), Detail::Plain, 60);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(60), "{text}");
        for line in [
            "│ Stat  │ Latency  │",
            "│ 97.5% │ 3,540 ms │",
            "│ Stat  │ Req/Sec │ Bytes/Sec │",
            "│ 97.5% │ 5,591   │ 688 kB    │",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn without_a_reply_every_latency_is_a_dash() {
        let report = LoadReport {
            latency: Latency::default(),
            ..seed()
        };
        let text = render(&report, Detail::Percentiles, 100);
        let row = text
            .lines()
            .find(|line| line.contains("Latency "))
            .expect("a row");
        let cells: Vec<&str> = row.split('│').skip(2).map(str::trim).collect();
        assert_eq!(cells, ["-", "-", "-", "-", "-", "-", "-", ""]);
        assert!(!text.contains("too few replies"), "{text}");
    }

    #[test]
    fn what_a_missing_percentile_needs_is_told_once() {
        let few = Latency {
            total_count: 300,
            p50: Some(1.0),
            ..Latency::default()
        };
        let note = |detail| missing_percentiles(&few, detail).expect("some are missing");
        assert_eq!(
            note(Detail::Plain),
            "\"-\" means too few replies: p2.5 and p97.5 need 400, p99 needs 1,000."
        );
        assert!(note(Detail::Percentiles).ends_with("p0.001 and p99.999 need 1,000,000."));
    }

    #[test]
    fn the_heading_names_the_end_the_target_and_the_slots() {
        let mut plan = crate::load::tests::plan("http://localhost:8080");
        plan.connections = 1000;
        let one = "Running 5s test @ http://localhost:8080 (127.0.0.1:8080)\n\
             1,000 connections with 10 pipelining factor\n";
        assert_eq!(heading(&plan, "127.0.0.1:8080"), one);
        let request = plan.requests[0].clone();
        plan.requests = RequestList::new(vec![request; 3]).expect("three");
        let three = format!("{one}3 requests in turn\n");
        assert_eq!(heading(&plan, "127.0.0.1:8080"), three);
        assert_eq!(
            search_heading(&plan, "p99<5ms"),
            "Finding the highest rate with p99<5ms @ http://localhost:8080\n\
             1,000 connections\n3 requests in turn\n"
        );
    }

    #[test]
    fn the_percentile_box_is_drawn_on_request_only() {
        let plain = render(&seed(), Detail::Plain, 100);
        let detailed = render(&seed(), Detail::Percentiles, 100);
        assert!(!plain.contains("Percentile"));
        assert!(detailed.contains("│ Percentile │ Latency  │\n"));
        assert!(detailed.contains("│ 97.5       │ 3,540 ms │\n"));
        assert!(detailed.contains("│ 99.999     │ -        │\n"));
    }
}
