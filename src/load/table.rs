//! The report for people: autocannon's two boxes and closing lines, then what it does not say.

use std::fmt::Write as _;

use comfy_table::{ContentLineStyle, LineStyle, Table, TableStyle};

use super::report::{Latency, LoadReport, Rate};
use crate::format::{bytes, count, milliseconds, or_dash, plural, rate, rounded_count};

const BOX: TableStyle = TableStyle::new()
    .top_border(LineStyle::new('┌', '─', '┬', '┐'))
    .header_lines(ContentLineStyle::new('│', '│', '│'))
    .header_separator(LineStyle::new('├', '─', '┼', '┤'))
    .content_lines(ContentLineStyle::new('│', '│', '│'))
    .row_separator(LineStyle::new('├', '─', '┼', '┤'))
    .bottom_border(LineStyle::new('└', '─', '┴', '┘'));

/// How much a report is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The boxes and the lines below them.
    Plain,
    /// Also a box with fifteen latency percentiles.
    Percentiles,
}

/// The whole report, with a line break at its end.
pub fn render(report: &LoadReport, detail: Detail) -> String {
    let mut text = header(report);
    text.push('\n');
    line(&mut text, &latency_box(&report.latency));
    line(&mut text, &rate_box(&report.requests, &report.throughput));
    line(&mut text, "");
    line(&mut text, "Req/Bytes counts sampled once per second.");
    line(&mut text, &format!("# of samples: {}", report.samples));
    line(&mut text, "");
    if detail == Detail::Percentiles {
        line(&mut text, &percentile_box(&report.latency));
        line(&mut text, "");
    }
    closing_lines(&mut text, report);
    line(&mut text, "");
    method_lines(&mut text, report);
    verdict_lines(&mut text, report);
    text
}

/// What is run, and against whom.
fn header(report: &LoadReport) -> String {
    let mut text = String::new();
    let test = format!("Running {} test @ {}", report.until, report.url);
    line(&mut text, &format!("{test} ({})", report.address));
    let mut slots = plural(report.connections as u64, "connection");
    if report.pipelining > 1 {
        let _ = write!(slots, " with {} pipelining factor", report.pipelining);
    }
    line(&mut text, &slots);
    text
}

fn latency_box(latency: &Latency) -> String {
    let mut table = boxed(&["Stat", "2.5%", "50%", "97.5%", "99%", "Avg", "Stdev", "Max"]);
    table.add_row([
        "Latency".to_owned(),
        or_dash(latency.p2_5.map(milliseconds)),
        or_dash(latency.p50.map(milliseconds)),
        or_dash(latency.p97_5.map(milliseconds)),
        or_dash(latency.p99.map(milliseconds)),
        milliseconds(latency.mean),
        milliseconds(latency.stddev),
        milliseconds(latency.max),
    ]);
    table.to_string()
}

fn rate_box(requests: &Rate, throughput: &Rate) -> String {
    let mut table = boxed(&["Stat", "1%", "2.5%", "50%", "97.5%", "Avg", "Stdev", "Min"]);
    let whole = |value: f64| rate(value.round());
    table.add_row(rate_row("Req/Sec", requests, whole, rate));
    table.add_row(rate_row("Bytes/Sec", throughput, bytes, bytes));
    table.to_string()
}

fn rate_row(
    name: &str,
    figures: &Rate,
    sample: impl Fn(f64) -> String,
    derived: impl Fn(f64) -> String,
) -> [String; 8] {
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

fn percentile_box(latency: &Latency) -> String {
    let mut table = boxed(&["Percentile", "Latency"]);
    for (percent, ms) in [
        ("0.001", latency.p0_001),
        ("0.01", latency.p0_01),
        ("0.1", latency.p0_1),
        ("1", latency.p1),
        ("2.5", latency.p2_5),
        ("10", latency.p10),
        ("25", latency.p25),
        ("50", latency.p50),
        ("75", latency.p75),
        ("90", latency.p90),
        ("97.5", latency.p97_5),
        ("99", latency.p99),
        ("99.9", latency.p99_9),
        ("99.99", latency.p99_99),
        ("99.999", latency.p99_999),
    ] {
        table.add_row([percent.to_owned(), or_dash(ms.map(milliseconds))]);
    }
    table.to_string()
}

fn boxed(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(BOX).set_header(header.to_vec());
    table
}

/// autocannon's last lines, each only if it says something.
fn closing_lines(text: &mut String, report: &LoadReport) {
    if report.non2xx > 0 {
        let (good, other) = (report.status_2xx, report.non2xx);
        line(
            text,
            &format!("{good} 2xx responses, {other} non 2xx responses"),
        );
        let codes: Vec<String> = report
            .status_code_stats
            .iter()
            .map(|(code, status)| format!("{code}: {}", count(status.count)))
            .collect();
        line(text, &format!("by status: {}", codes.join(", ")));
    }
    line(
        text,
        &format!(
            "{} requests in {:.2}s, {} read",
            rounded_count(report.requests.total),
            report.duration,
            bytes(report.throughput.total as f64)
        ),
    );
    if report.errors > 0 {
        let (errors, timeouts) = (report.errors, report.timeouts);
        let errors = rounded_count(errors);
        line(
            text,
            &format!("{errors} errors ({} timeouts)", rounded_count(timeouts)),
        );
    }
    if report.mismatches > 0 {
        let wrong = rounded_count(report.mismatches);
        line(text, &format!("{wrong} requests with mismatched body"));
    }
    if report.resets > 0 {
        let resets = rounded_count(report.resets);
        line(text, &format!("request pipeline was reset {resets} times"));
    }
}

/// How it was measured, and what became of every request.
fn method_lines(text: &mut String, report: &LoadReport) {
    let bundling = &report.bundling;
    line(
        text,
        &format!(
            "Closed loop: latency is service time. Refill {}: {:.1} requests per write, {:.1} replies per read.",
            report.refill, bundling.requests_per_write, bundling.replies_per_read
        ),
    );
    let client = &report.client;
    line(
        text,
        &format!(
            "Client: {:.0} % of a core, {:.2} µs of CPU per request. Longest silence: {} at {:.1}s.",
            client.cpu_share * 100.0,
            client.cpu_micros_per_request,
            milliseconds(report.longest_silence_ms),
            report.longest_silence_began
        ),
    );
    let accounting = &report.accounting;
    if accounting.sent != accounting.completed {
        line(text, &accounting_line(report));
    }
    if let Some(kinds) = error_line(report) {
        line(text, &kinds);
    }
    if report.varied_bodies > 0 {
        let varied = plural(report.varied_bodies, "reply");
        line(
            text,
            &format!("{varied} had a body other than the first one's."),
        );
    }
    if report.timeouts > 0 {
        line(
            text,
            "Timed out requests have no latency here: the tail is cut at the timeout.",
        );
    }
}

fn accounting_line(report: &LoadReport) -> String {
    let accounting = &report.accounting;
    format!(
        "Sent {} = {} completed + {} timed out + {} lost + {} in flight at the stop.",
        count(accounting.sent),
        count(accounting.completed),
        count(accounting.timed_out),
        count(accounting.lost),
        count(accounting.in_flight)
    )
}

/// Every kind of error that occurred; the client's own limits are named as such.
fn error_line(report: &LoadReport) -> Option<String> {
    let kinds = &report.error_kinds;
    let named: Vec<String> = [
        ("refused", kinds.refused),
        ("unreachable", kinds.unreachable),
        ("reset", kinds.reset),
        ("closed early", kinds.closed_early),
        ("timed out", kinds.timeout),
        ("bad reply", kinds.bad_reply),
        ("wrong body", kinds.wrong_body),
        (
            "no local port left (this client's limit)",
            kinds.no_local_port,
        ),
        (
            "no descriptor left (this client's limit)",
            kinds.no_descriptor,
        ),
        ("other", kinds.other),
    ]
    .into_iter()
    .filter(|&(_, times)| times > 0)
    .map(|(kind, times)| format!("{} {kind}", count(times)))
    .collect();
    (!named.is_empty()).then(|| format!("Errors: {}.", named.join(", ")))
}

fn verdict_lines(text: &mut String, report: &LoadReport) {
    if report.interrupted {
        line(
            text,
            "Interrupted: the figures are of what was measured so far.",
        );
    }
    if report.verdict.valid {
        line(text, "Verdict: VALID");
        return;
    }
    line(text, "Verdict: SUSPECT");
    for reason in &report.verdict.reasons {
        line(text, &format!("  - {reason}"));
    }
}

fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::super::Warning;
    use super::super::report::{
        Accounting, Bundling, ClientCost, ErrorKinds, StatusCount, Verdict,
    };
    use super::*;

    /// The seed's own first run, as far as it was published.
    fn seed() -> LoadReport {
        LoadReport {
            url: "http://localhost:8080".into(),
            address: "127.0.0.1:8080".into(),
            connections: 100,
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
                mean: 0.760_96,
                stddev: 0.0849,
                max: 4146.0,
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
            longest_silence_ms: 3.2,
            longest_silence_began: 1.25,
            client: ClientCost {
                cpu_seconds: 0.5,
                cpu_share: 0.104,
                cpu_micros_per_request: 0.654,
            },
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
            render(&seed(), Detail::Plain),
            "\
Running 5s test @ http://localhost:8080 (127.0.0.1:8080)
100 connections with 10 pipelining factor

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

Req/Bytes counts sampled once per second.
# of samples: 5

26k requests in 5.03s, 3.24 MB read

Closed loop: latency is service time. Refill rolling: 10.0 requests per write, 9.5 replies per read.
Client: 10 % of a core, 0.65 µs of CPU per request. Longest silence: 3.20 ms at 1.2s.
Verdict: VALID
"
        );
    }

    #[test]
    fn what_went_wrong_is_said_line_by_line() {
        let report = LoadReport {
            non2xx: 3,
            status_2xx: 26_319,
            status_code_stats: [
                (200, StatusCount { count: 26_319 }),
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
                reasons: vec![Warning::GaveUp, Warning::FewReplies { replies: 1 }],
            },
            ..seed()
        };
        let text = render(&report, Detail::Plain);
        let (_, tail) = text.split_once("# of samples: 5\n\n").expect("a tail");
        assert_eq!(
            tail,
            "\
26319 2xx responses, 3 non 2xx responses
by status: 200: 26,319, 503: 3
26k requests in 5.03s, 3.24 MB read
14k errors (20 timeouts)
2 requests with mismatched body
request pipeline was reset 14k times

Closed loop: latency is service time. Refill rolling: 10.0 requests per write, 9.5 replies per read.
Client: 10 % of a core, 0.65 µs of CPU per request. Longest silence: 3.20 ms at 1.2s.
Sent 152,442 = 26,322 completed + 20 timed out + 126,000 lost + 100 in flight at the stop.
Errors: 13,999 closed early, 20 timed out, 2 wrong body, 1 no local port left (this client's limit).
1 reply had a body other than the first one's.
Timed out requests have no latency here: the tail is cut at the timeout.
Interrupted: the figures are of what was measured so far.
Verdict: SUSPECT
  - gave up: errors and no reply for three timeouts
  - only 1 reply; run longer
"
        );
    }

    #[test]
    fn the_percentile_box_is_drawn_on_request_only() {
        let plain = render(&seed(), Detail::Plain);
        let detailed = render(&seed(), Detail::Percentiles);
        assert!(!plain.contains("Percentile"));
        assert!(detailed.contains("│ Percentile │ Latency  │\n"));
        assert!(detailed.contains("│ 97.5       │ 3,540 ms │\n"));
        assert!(detailed.contains("│ 99.999     │ -        │\n"));
    }
}
