//! A comparison for a reader: a line as each run ends, then the table and what it means.

use std::fmt;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};

use super::report::{ContestantResult, Published, Report, Status};
use super::{Failure, Plan, Run, verdict};
use crate::format::{
    bytes, count, milliseconds, or_dash, plural, rate, rounded_count, three_digits,
};

/// A reason inside the table is broken at about this width.
const REASON_COLUMNS: usize = 36;
/// ... and cut after so many lines; the full one stands below.
const REASON_LINES_MAX: usize = 3;

/// What is about to happen, and how long it takes.
pub fn heading(plan: &Plan) -> String {
    let settings = plan.settings();
    let names: Vec<_> = plan.contestants().iter().map(|c| c.name()).collect();
    format!(
        "Comparing {}\n{} connections with {} pipelining factor, {} of {} s after {} s of warm-up: \
         about {:.0} s",
        names.join(", "),
        settings.connections,
        settings.pipelining,
        match settings.rounds.get() {
            1 => "1 round".to_owned(),
            rounds => format!("{rounds} rounds"),
        },
        settings.duration.as_secs_f64(),
        settings.warmup.as_secs_f64(),
        plan.duration().as_secs_f64().ceil(),
    )
}

/// The line that says how one run ended. `round` counts from 0.
pub fn result_line(plan: &Plan, name: &str, round: usize, result: &Result<Run, Failure>) -> String {
    let names = plan.contestants().iter().map(|c| c.name().chars().count());
    let width = names.max().unwrap_or(0);
    let round = format!("round {}/{}", round + 1, plan.settings().rounds);
    let run = match result {
        Ok(run) => run,
        Err(failure) => return format!("{round}  {name:<width$}  {failure}"),
    };
    let cpu = run.cpu_micros_per_request().map(three_digits);
    format!(
        "{round}  {name:<width$}  {:>9} requests/s  p50 {:>7}  p99 {:>7}  {}  {} µs CPU/request  {}",
        rate(run.requests_per_second()),
        or_dash(run.p50_ms.map(milliseconds)),
        or_dash(run.p99_ms.map(milliseconds)),
        plural(run.errors, "error"),
        or_dash(cpu),
        or_dash(run.peak_memory_bytes.map(|size| bytes(size as f64))),
    )
}

impl fmt::Display for Report {
    /// The table, the sentences below it, and the published figures of those that took part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", table(self).trim_fmt())?;
        if self.interrupted {
            writeln!(f, "\nInterrupted: these are the runs that had ended.")?;
        }
        write_block(f, "", verdict::sentences(self))?;
        write_block(f, "Failed:", failures(self))?;
        write_block(f, "Warnings:", warnings(self))?;
        write_block(f, "", [machine(self)])?;
        let takes_part = |figure: &&Published| {
            let mut names = self.contestants.iter().map(|result| &result.name);
            names.any(|name| name == figure.name)
        };
        let published = self.published.iter().filter(takes_part).map(published);
        write_block(f, "Published, for reference only:", published)
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    let versus = match &report.reference {
        Some(name) => format!("Ratio to\n{name}"),
        None => "Ratio".to_owned(),
    };
    table.set_header([
        "Server",
        "Requests/s\nmedian (range)",
        &versus,
        "Latency\np50",
        "Latency\np99",
        "Errors",
        "Server CPU\nµs/request",
        "Peak\nmemory",
    ]);
    for result in &report.contestants {
        let is_reference = report.reference.as_ref() == Some(&result.name);
        table.add_row(row(result, is_reference));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(result: &ContestantResult, is_reference: bool) -> Vec<Cell> {
    let latency = result.latency_ms;
    let errors = match result.requests_per_second {
        Some(_) => count(result.errors),
        None => "-".to_owned(),
    };
    let cpu = result.cpu_micros_per_request.as_ref();
    let figures = [
        speed(result),
        match is_reference {
            true => "1".to_owned(),
            false => ratio(result),
        },
        or_dash(latency.and_then(|latency| latency.p50).map(milliseconds)),
        or_dash(latency.and_then(|latency| latency.p99).map(milliseconds)),
        errors,
        or_dash(cpu.map(|figure| three_digits(figure.median))),
        or_dash(result.peak_memory_bytes.map(|size| bytes(size as f64))),
    ];
    let mut cells: Vec<Cell> = std::iter::once(&result.name)
        .chain(&figures)
        .map(Cell::new)
        .collect();
    if result.requests_per_second.is_none() {
        // A sentence in place of a figure.
        cells[1] = Cell::new(&figures[0]).set_alignment(CellAlignment::Left);
    }
    cells
}

/// Median and range; or why there is none.
fn speed(result: &ContestantResult) -> String {
    let figure = result.requests_per_second.as_ref().map(|figure| {
        let (min, max) = (rate(figure.min), rate(figure.max));
        match figure.rounds.len() {
            1 => rate(figure.median),
            _ => format!("{} ({min} - {max})", rate(figure.median)),
        }
    });
    let reason = result.reason.as_deref().map(broken);
    match result.status {
        Status::NotRun => "not run".to_owned(),
        Status::Ran | Status::Failed => {
            let lines: Vec<String> = figure.into_iter().chain(reason).collect();
            lines.join("\n")
        }
    }
}

fn ratio(result: &ContestantResult) -> String {
    let Some(ratio) = result.ratio else {
        return "-".to_owned();
    };
    let median = three_digits(ratio.median);
    match ratio.low.zip(ratio.high) {
        Some((low, high)) => {
            format!("{median} ({} - {})", three_digits(low), three_digits(high))
        }
        None => median,
    }
}

/// `text` in lines of about [`REASON_COLUMNS`], broken between words.
fn broken(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + word.chars().count() < REASON_COLUMNS {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    if lines.len() > REASON_LINES_MAX {
        lines.truncate(REASON_LINES_MAX);
        lines[REASON_LINES_MAX - 1].push_str(" ...");
    }
    lines.join("\n")
}

fn failures(report: &Report) -> Vec<String> {
    let line = |result: &ContestantResult| {
        let reason = result.reason.as_ref()?;
        Some(format!("{}: {reason}", result.name))
    };
    report.contestants.iter().filter_map(line).collect()
}

fn warnings(report: &Report) -> Vec<String> {
    let lines = |result: &ContestantResult| -> Vec<String> {
        let warnings = result.warnings.iter();
        warnings.map(|w| format!("{}: {w}", result.name)).collect()
    };
    report.contestants.iter().flat_map(lines).collect()
}

fn machine(report: &Report) -> String {
    let machine = &report.machine;
    let cpu = match machine.cpu.as_str() {
        "" => "unnamed CPU",
        cpu => cpu,
    };
    format!(
        "Measured by bareloop {} on {}, {cpu}, {} cores, {}.",
        report.version,
        machine.os,
        machine.cores,
        bytes(machine.memory_bytes as f64)
    )
}

fn published(figure: &Published) -> String {
    format!(
        "{}: {} requests/s, {} errors ({})",
        figure.name,
        rate(figure.requests_per_second),
        rounded_count(figure.errors),
        figure.conditions,
    )
}

/// An empty line, a title unless it is empty, and the lines; nothing without lines.
fn write_block(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    lines: impl IntoIterator<Item = String>,
) -> fmt::Result {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        return Ok(());
    }
    writeln!(f)?;
    if !title.is_empty() {
        writeln!(f, "{title}")?;
    }
    lines.try_for_each(|line| writeln!(f, "{line}"))
}
