//! The lines below the boxes, wrapped to the terminal.

use crate::format::{bytes, count, milliseconds, or_dash, percent, plural, rate};
use crate::load::report::{
    CheckResult, ClientCost, ClientDelay, LoadReport, OpenLoop, WarmUpFound, WarmUpReport,
};
use crate::load::status::is_redirect;
use crate::load::warning::codes;
use crate::load::{Calibration, Warning};

/// All of them, each with a line break at its end.
pub(super) fn render(report: &LoadReport, columns: usize) -> String {
    let mut lines = closing_lines(report);
    lines.push(String::new());
    lines.extend(method_lines(report));
    lines.extend(verdict_lines(report));
    let wrapped = lines.iter().map(|line| wrap(line, columns) + "\n");
    wrapped.collect()
}

/// The text in lines of at most this number of `columns`.
pub(super) fn wrap(text: &str, columns: usize) -> String {
    let indent = match text.starts_with("  - ") {
        true => "    ",
        false => "",
    };
    let options = textwrap::Options::new(columns).subsequent_indent(indent);
    textwrap::fill(text, options)
}

/// autocannon's last lines, each only if there is something to report.
fn closing_lines(report: &LoadReport) -> Vec<String> {
    let total = plural(report.requests.total, "request");
    let read = bytes(report.throughput.total as f64);
    let mut lines = vec![format!("{total} in {:.2} s, {read} read", report.duration)];
    lines.extend(status_lines(report));
    if report.errors > 0 {
        let errors = plural(report.errors, "error");
        lines.push(format!("{errors} ({})", error_kinds(report).join(", ")));
    }
    match report.resets {
        0 => {}
        1 => lines.push("request pipeline was reset once".to_owned()),
        resets => lines.push(format!(
            "request pipeline was reset {} times",
            count(resets)
        )),
    }
    lines
}

/// Replies other than 2xx that the verdict does not state: redirects, and what was asked for.
fn status_lines(report: &LoadReport) -> Vec<String> {
    let stated = report
        .verdict
        .reasons
        .iter()
        .find_map(|reason| match reason {
            Warning::UnexpectedStatus { statuses, .. } => Some(statuses.as_slice()),
            _ => None,
        });
    let stated = stated.unwrap_or_default();
    let statuses = report.status_code_stats.iter();
    let statuses = statuses.map(|(&code, status)| (code, status.count));
    let unstated = statuses.filter(|status| !stated.contains(status));
    let (redirects, others): (Vec<_>, Vec<_>) = unstated
        .filter(|(code, _)| !(200..300).contains(code))
        .partition(|&(code, _)| is_redirect(code));
    let line = |statuses: &[(u16, u64)], what: &str| {
        let replies = statuses.iter().map(|(_, replies)| replies).sum();
        let replies = plural(replies, "reply");
        (!statuses.is_empty()).then(|| format!("{replies} {what}: {}", codes(statuses)))
    };
    let redirects = line(&redirects, "with a redirect, which load does not follow");
    let others = line(&others, "with a status other than 2xx, as expected");
    redirects.into_iter().chain(others).collect()
}

/// Every kind of error that occurred; the client's own limits are named as such.
fn error_kinds(report: &LoadReport) -> Vec<String> {
    let kinds = &report.error_kinds;
    [
        ("refused", kinds.refused),
        ("unreachable", kinds.unreachable),
        ("reset", kinds.reset),
        ("closed early", kinds.closed_early),
        ("timed out", kinds.timeout),
        ("bad reply", kinds.bad_reply),
        (
            "no local port left: this client's limit",
            kinds.no_local_port,
        ),
        (
            "no descriptor left: this client's limit",
            kinds.no_descriptor,
        ),
        ("other", kinds.other),
    ]
    .into_iter()
    .filter(|&(_, times)| times > 0)
    .map(|(kind, times)| format!("{} {kind}", count(times)))
    .collect()
}

/// The method of measurement, and the account of every request.
fn method_lines(report: &LoadReport) -> Vec<String> {
    let (bundling, client) = (&report.bundling, &report.client);
    let law = match &report.open_loop {
        None => format!(
            "Closed loop: latency is service time. Refill {}",
            report.refill
        ),
        Some(open_loop) => law(open_loop),
    };
    let mut lines = vec![
        format!(
            "{law}: {:.1} requests per write, {:.1} replies per read.",
            bundling.requests_per_write, bundling.replies_per_read
        ),
        format!(
            "Client: {} of a core, {:.2} µs of CPU per request. Longest silence: {}.",
            percent(client.cpu_share),
            client.cpu_micros_per_request,
            silence(report)
        ),
    ];
    lines.extend(delays_line(client));
    lines.extend(client.delay_ms.map(arrivals_line));
    lines.extend(report.calibration.map(calibration_line));
    lines.extend(connects_line(report));
    lines.extend(report.warm_up.map(warm_up_line));
    if report.tls.is_some_and(|tls| !tls.verified) {
        lines.push("The server's certificate was not verified (-k).".to_owned());
    }
    if let Some(open_loop) = &report.open_loop {
        lines.push(lateness_line(open_loop));
    }
    let accounting = &report.accounting;
    if accounting.never_sent > 0 {
        lines.push(format!(
            "Due {} = {} sent + {} never sent.",
            count(accounting.due),
            count(accounting.sent),
            count(accounting.never_sent)
        ));
    }
    if accounting.sent != accounting.completed {
        lines.push(accounting_line(report));
    }
    lines.extend(varied_bodies_line(report));
    let latency = &report.latency;
    if latency.lower_bounds_from.is_some() || latency.max_age_ms > latency.max {
        let requests = plural(latency.censored, "request");
        lines.push(format!(
            "{requests} without a reply took at least their age; >= marks a lower bound."
        ));
    }
    lines
}

fn varied_bodies_line(report: &LoadReport) -> Option<String> {
    let first = match report.requests_in_turn {
        0..=1 => "the first one's",
        _ => "that of the first reply to the same request",
    };
    let varied = plural(report.varied_bodies, "reply");
    (report.varied_bodies > 0).then(|| format!("{varied} had a body other than {first}."))
}

/// The kind of latency and the law of the arrivals.
fn law(open_loop: &OpenLoop) -> String {
    let arrivals = match open_loop.arrivals {
        "poisson" => format!("Poisson arrivals (seed {})", open_loop.seed),
        law => format!("{law} arrivals"),
    };
    let ends = open_loop.rate;
    let rate = match ends.from == ends.to {
        true => format!("{}/s", rate(ends.from)),
        false => format!("{}/s to {}/s", rate(ends.from), rate(ends.to)),
    };
    format!("Open loop: latency is response time, from the due time. Rate {rate}, {arrivals}")
}

/// The client's own delays, which latencies include.
fn delays_line(client: &ClientCost) -> Option<String> {
    let turn_ms = &client.turn_ms;
    let max = milliseconds(turn_ms.max?);
    let mut line = format!(
        "The client's own delays: turns of its loop took {} (99 %), {max} at most",
        or_dash(turn_ms.p99.map(milliseconds))
    );
    for (ms, what) in [
        (client.run_delay_ms, "waiting for a core"),
        (client.steal_ms, "stolen by the host"),
    ] {
        if let Some(ms) = ms.filter(|&ms| ms > 0.0) {
            line += &format!(", {} {what}", milliseconds(ms));
        }
    }
    if client.pause_count > 0 {
        line += &format!(
            "; {}, {} in all",
            plural(client.pause_count, "pause"),
            milliseconds(client.paused_ms)
        );
    }
    Some(line + ".")
}

/// The delays of reading, which latencies do not include.
fn arrivals_line(delay_ms: ClientDelay) -> String {
    let told = |ms: Option<f64>| or_dash(ms.map(milliseconds));
    format!(
        "Latency ends when the kernel receives a reply. The client read it {} (50 %), {} (99 %), {} \
         at most after that.",
        told(delay_ms.p50),
        told(delay_ms.p99),
        milliseconds(delay_ms.max)
    )
}

fn calibration_line(calibration: Calibration) -> String {
    format!(
        "Calibration: with these settings this client reaches {} requests/s against a minimal server \
         on this machine; this run reached {} of that.",
        rate(calibration.requests_per_second),
        percent(calibration.share)
    )
}

/// The time that connecting took, which no latency includes.
fn connects_line(report: &LoadReport) -> Option<String> {
    let latency = &report.connects.latency_ms;
    let percentiles = [(latency.p50, "50 %"), (latency.p99, "99 %")];
    let known = percentiles.iter().filter_map(|(ms, name)| {
        let ms = milliseconds((*ms)?);
        Some(format!("{ms} ({name}), "))
    });
    let known: String = known.collect();
    (report.bundling.connects > 0).then(|| {
        let connections = plural(report.bundling.connects, "connection");
        let max = milliseconds(latency.max);
        format!("{connections} opened in {known}{max} at most.")
    })
}

fn silence(report: &LoadReport) -> String {
    match (report.longest_silence_ms, report.longest_silence_began) {
        (Some(ms), Some(began)) => format!("{} at {began:.1} s", milliseconds(ms)),
        _ => "less than 20 ms".to_owned(),
    }
}

fn warm_up_line(warm_up: WarmUpReport) -> String {
    let seconds = warm_up.seconds;
    match warm_up.found {
        WarmUpFound::Given => format!("Warm-up: {seconds:.1} s before the run."),
        WarmUpFound::Auto if seconds == 0.0 => "Warm-up: none was found in the run.".to_owned(),
        WarmUpFound::Auto => format!(
            "Warm-up: the first {seconds:.1} s of the run are left out of latencies and rates."
        ),
        WarmUpFound::Unfinished => format!(
            "Warm-up: its end was not found; the first half of the run ({seconds:.1} s) is left out \
             of latencies and rates."
        ),
    }
}

fn lateness_line(open_loop: &OpenLoop) -> String {
    let lag = &open_loop.schedule_lag_ms;
    let figure = |ms: Option<f64>| or_dash(ms.map(milliseconds));
    format!(
        "Requests were sent late by {} (50 %), {} (99 %), {} at most.",
        figure(lag.p50),
        figure(lag.p99),
        milliseconds(lag.max)
    )
}

fn accounting_line(report: &LoadReport) -> String {
    let accounting = &report.accounting;
    let parts = [
        (accounting.completed, "completed"),
        (accounting.timed_out, "timed out"),
        (accounting.lost, "lost"),
        (accounting.in_flight, "in flight at the stop"),
    ];
    let parts = parts.iter().filter(|(requests, _)| *requests > 0);
    let parts: Vec<String> = parts
        .map(|(requests, what)| format!("{} {what}", count(*requests)))
        .collect();
    format!("Sent {} = {}.", count(accounting.sent), parts.join(" + "))
}

fn verdict_lines(report: &LoadReport) -> Vec<String> {
    let mut lines = Vec::new();
    if report.interrupted {
        lines.push("Interrupted: the figures are of what was measured so far.".to_owned());
    }
    let judgement = if report.verdict.valid {
        "VALID"
    } else {
        "SUSPECT"
    };
    let number = |result| {
        let checks = report.checks.iter();
        checks.filter(|check| check.result == result).count()
    };
    let (passed, failed) = (number(CheckResult::Passed), number(CheckResult::Failed));
    lines.push(format!(
        "Verdict: {judgement} ({passed} of {} passed)",
        plural((passed + failed) as u64, "self-test")
    ));
    let reasons = report.verdict.reasons.iter();
    lines.extend(reasons.map(|reason| format!("  - {reason}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::report::{Accounting, ClientDelay, Tls, TurnLength, WarmUpFound};

    /// A run with everything that can be reported.
    fn full() -> LoadReport {
        let mut report = LoadReport {
            tls: Some(Tls { verified: false }),
            warm_up: Some(WarmUpReport {
                seconds: 1.5,
                found: WarmUpFound::Auto,
            }),
            calibration: Some(Calibration {
                requests_per_second: 2000.0,
                share: 0.5,
            }),
            accounting: Accounting {
                due: 12,
                sent: 10,
                never_sent: 2,
                completed: 7,
                timed_out: 3,
                ..Accounting::default()
            },
            ..LoadReport::default()
        };
        report.client.turn_ms = TurnLength {
            p99: Some(1.0),
            max: Some(2.0),
        };
        report.client.delay_ms = Some(ClientDelay {
            p50: Some(0.5),
            p99: None,
            max: 3.0,
        });
        (report.client.run_delay_ms, report.client.steal_ms) = (Some(4.0), Some(0.0));
        (report.client.pause_count, report.client.paused_ms) = (1, 25.0);
        (report.latency.max, report.latency.max_age_ms) = (1.0, 9.0);
        report.latency.censored = 3;
        report
    }

    #[test]
    fn the_method_tells_the_delays_and_the_account_of_a_run() {
        let lines = method_lines(&full());
        assert_eq!(
            lines[2..],
            [
                "The client's own delays: turns of its loop took 1.00 ms (99 %), 2.00 ms at most, \
                 4.00 ms waiting for a core; 1 pause, 25.0 ms in all.",
                "Latency ends when the kernel receives a reply. The client read it 0.500 ms (50 %), \
                 - (99 %), 3.00 ms at most after that.",
                "Calibration: with these settings this client reaches 2,000 requests/s against a \
                 minimal server on this machine; this run reached 50 % of that.",
                "Warm-up: the first 1.5 s of the run are left out of latencies and rates.",
                "The server's certificate was not verified (-k).",
                "Due 12 = 10 sent + 2 never sent.",
                "Sent 10 = 7 completed + 3 timed out.",
                "3 requests without a reply took at least their age; >= marks a lower bound.",
            ]
        );
        // Of a run without any of it there are the first two.
        assert_eq!(method_lines(&LoadReport::default()).len(), 2);
    }
}
