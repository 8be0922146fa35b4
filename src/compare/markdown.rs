//! A comparison as Markdown, for a pull request.

use super::report::ComparisonReport;
use super::table::{self, Cells};
use super::verdict;
use crate::format::{count, shortest};

/// The table, what it means, and under which conditions it was measured.
pub fn render(report: &ComparisonReport) -> String {
    let versus = match &report.reference {
        Some(name) => format!("Speed against {name}"),
        None => "Speed".to_owned(),
    };
    let header = [
        "Server",
        "Requests/s, mean (range)",
        &versus,
        "p50",
        "p99",
        "Errors",
        "CPU, µs/request",
        "Peak memory",
    ];
    let mut text = row(header.map(str::to_owned));
    text.push_str("|:---|---:|---:|---:|---:|---:|---:|---:|\n");
    for result in &report.contestants {
        let cells = Cells::new(result, report);
        let versus = cells.versus_in_one_line();
        let [p50, p99] = cells.latency;
        let [errors, _] = cells.errors;
        text.push_str(&row([
            result.name.clone(),
            cells.speed.join(" "),
            versus,
            p50,
            p99,
            errors,
            cells.cpu,
            cells.memory,
        ]));
    }
    list(&mut text, "", table::interruption(report).as_slice());
    list(&mut text, "", &verdict::sentences(report));
    text.push_str(&sweeps(report));
    for (title, lines) in [
        (&*table::search_title(report), table::searches(report)),
        ("Since the baseline", table::baseline(report)),
        ("Gates", table::gates(report)),
        ("Failed", table::failures(report)),
        ("Warnings", table::warnings(report)),
        (
            "",
            [vec![settings(report)], table::machine(report)].concat(),
        ),
    ] {
        list(&mut text, title, &lines);
    }
    text
}

/// A table with a row for each load of each walk, and the knees below it; empty without sweeps.
fn sweeps(report: &ComparisonReport) -> String {
    if report.sweeps.is_empty() {
        return String::new();
    }
    let header = [
        "Sweep",
        "Load",
        "Walk",
        "Requests/s",
        "p50",
        "p99",
        "Errors",
    ];
    let mut text = format!("\n{}", row(header.map(str::to_owned)));
    text.push_str("|:---|---:|:---|---:|---:|---:|---:|\n");
    for sweep in &report.sweeps {
        for point in &sweep.points {
            let [speed, p50, p99] = point.cells();
            let load = format!("{} {}", shortest(point.load), sweep.variable.words());
            let walk = point.walk.to_owned();
            let errors = count(point.errors);
            text.push_str(&row([
                sweep.name.clone(),
                load,
                walk,
                speed,
                p50,
                p99,
                errors,
            ]));
        }
    }
    let notes = report.sweeps.iter().flat_map(|sweep| {
        let notes = sweep.failure_line().into_iter().chain(sweep.knee_lines());
        notes.map(|note| format!("{}: {note}", sweep.name))
    });
    list(&mut text, "", &notes.collect::<Vec<_>>());
    text
}

fn settings(report: &ComparisonReport) -> String {
    let settings = &report.settings;
    format!(
        "{}, {} of {} rounds of {} s after {} s of warm-up, seed {}.",
        table::load(settings),
        report.rounds_done,
        settings.rounds,
        settings.duration_seconds,
        settings.warmup_seconds,
        settings.seed
    )
}

fn row<const COLUMNS: usize>(cells: [String; COLUMNS]) -> String {
    format!("| {} |\n", cells.map(|cell| escaped(&cell)).join(" | "))
}

/// Adds a paragraph with the title unless that is empty, and the lines as a list.
fn list(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    text.push('\n');
    if !title.is_empty() {
        text.push_str(&format!("**{title}**\n\n"));
    }
    for line in lines {
        text.push_str(&format!("- {}\n", escaped(line)));
    }
}

/// Without meaning for Markdown, and on one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '#' | '@' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' | '\r' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
