//! A comparison for a reader: a line as each run ends, then the table and what it means.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

use super::gate::GateResult;
use super::report::{
    BaselineReport, Bounds, ComparisonReport, ContestantResult, ContestantStatus, LoadLimit,
    Published,
};
use super::search::SearchResult;
use super::sweep::SweepResult;
use super::{ComparisonPlan, Failure, RunFigures, verdict};
use crate::format::{
    bound, bytes, count, milliseconds, or_dash, plural, rate, short_rate, three_digits,
};

mod cost;
mod heading;
mod notes;
mod standings;

pub use heading::heading;
pub(super) use notes::{load, machine};
pub use standings::standings;

/// Columns before a figure in the list.
const LIST_INDENT: usize = 15;

/// `round 1/6`; the number of rounds is left out where it is not known beforehand.
pub fn round_of(plan: &ComparisonPlan, round: usize) -> String {
    match plan.settings().precision {
        None => format!("round {}/{}", round + 1, plan.settings().rounds),
        Some(_) => format!("round {}", round + 1),
    }
}

/// The line that says how one run ended. `round` counts from 0.
pub fn result_line(
    plan: &ComparisonPlan,
    name: &str,
    round: usize,
    result: &Result<RunFigures, Failure>,
) -> String {
    let names = plan.contestants().iter().map(|c| c.name().chars().count());
    let width = names.max().unwrap_or(0);
    let round = round_of(plan, round);
    let run = match result {
        Ok(run) => run,
        Err(failure) => return format!("{round}  {name:<width$}  {failure}"),
    };
    let mut line = format!(
        "{round}  {name:<width$}  {:>9} requests/s  p99 {:>8}  {:>5} µs CPU/request",
        rate(run.requests_per_second()),
        or_dash(
            run.p99_ms
                .map(|ms| { bound(run.is_lower_bound(99.0), milliseconds(ms)) })
        ),
        or_dash(run.cpu_micros_per_request().map(three_digits)),
    );
    for (number, what) in [(run.errors, "error"), (run.non2xx, "non-2xx reply")] {
        if number > 0 {
            line.push_str("  ");
            line.push_str(&plural(number, what));
        }
    }
    line
}

/// The table, the sentences below it, and the published figures of those that took part, at most
/// `columns` wide where words can be broken.
pub fn render(report: &ComparisonReport, columns: usize) -> String {
    let table = table(report).trim_fmt();
    let fits = table.lines().all(|line| line.chars().count() <= columns);
    let mut text = match fits {
        true => table + "\n",
        false => list(report, columns),
    };
    text.push_str(&cost::render(report, columns));
    if let Some(line) = interruption(report).or_else(|| notes::rounds_end(report)) {
        text.push_str(&format!("\n{line}\n"));
    }
    let takes_part = |figure: &&Published| {
        let mut names = report.contestants.iter().map(|result| &result.name);
        names.any(|name| name == figure.name)
    };
    let published = report.published.iter().filter(takes_part).map(published);
    let searched = search_title(report) + ":";
    for (title, lines) in [
        ("", verdict::sentences(report)),
        (&searched, searches(report)),
        ("Since the baseline:", baseline(report)),
        ("Gates:", gates(report)),
        ("Failed:", failures(report)),
        ("Noise of a round's ratio:", notes::noise(report)),
        ("Warnings:", warnings(report)),
        ("", machine(report)),
        ("Published, for reference only:", published.collect()),
    ] {
        add_block(&mut text, title, &lines, columns);
    }
    if !report.sweeps.is_empty() {
        text.push_str(&format!(
            "\nSweeps:\n{}\n",
            sweeps(report, columns).join("\n")
        ));
    }
    text
}

fn table(report: &ComparisonReport) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    let has_non2xx = report.contestants.iter().any(|result| result.non2xx > 0);
    let errors = match has_non2xx {
        true => "Errors,\nnon-2xx",
        false => "Errors",
    };
    let versus = match &report.reference {
        Some(name) => format!("Speed against\n{name}"),
        None => "Speed".to_owned(),
    };
    table.set_header([
        "Server",
        "Requests/s\nmean (range)",
        &versus,
        "Latency\np50, p99",
        errors,
        "CPU, µs\n/request",
        "Peak\nmemory",
    ]);
    for result in &report.contestants {
        let cells = Cells::new(result, report);
        table.add_row([
            result.name.clone(),
            cells.speed.join("\n"),
            cells.versus.join("\n"),
            match result.latency_ms {
                Some(_) => cells.latency.join("\n"),
                None => "-".to_owned(),
            },
            match has_non2xx {
                true => cells.errors.join("\n"),
                false => cells.errors[0].clone(),
            },
            cells.cpu,
            cells.memory,
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The same, one figure a line, for a terminal that the table does not fit.
fn list(report: &ComparisonReport, columns: usize) -> String {
    let mut text = String::new();
    for result in &report.contestants {
        let cells = Cells::new(result, report);
        let versus = cells.versus_in_one_line();
        let [p50, p99] = cells.latency;
        let [errors, non2xx] = cells.errors;
        text.push_str(&result.name);
        text.push('\n');
        for (name, value) in [
            ("requests/s", cells.speed.join(" ")),
            ("speed", versus),
            ("p50", p50),
            ("p99", p99),
            ("errors", errors),
            ("non-2xx", non2xx),
            ("CPU/request", format!("{} µs", cells.cpu)),
            ("peak memory", cells.memory),
        ] {
            let value = wrapped(&value, columns.saturating_sub(LIST_INDENT));
            text.push_str(&format!("  {name:<11}  {value}\n"));
        }
    }
    text
}

/// One contestant's figures as text; cells with two lines are two.
pub(super) struct Cells {
    pub speed: Vec<String>,
    pub versus: Vec<String>,
    pub latency: [String; 2],
    pub errors: [String; 2],
    pub cpu: String,
    pub memory: String,
}

impl Cells {
    pub fn new(result: &ContestantResult, report: &ComparisonReport) -> Cells {
        let is_reference = report.reference.as_ref() == Some(&result.name);
        let cpu = result.cpu_micros_per_request.as_ref();
        let has_run = result.requests_per_second.is_some();
        let counted = |number| or_dash(has_run.then(|| count(number)));
        Cells {
            speed: speed(result),
            versus: match is_reference {
                true => vec!["reference".to_owned()],
                false => versus(result),
            },
            latency: result.percentiles(),
            errors: [counted(result.errors), counted(result.non2xx)],
            cpu: or_dash(cpu.map(|figure| three_digits(figure.median))),
            memory: or_dash(result.peak_memory_bytes.map(|size| bytes(size as f64))),
        }
    }

    /// `2.31 times faster (2.08 - 2.57), different`.
    pub fn versus_in_one_line(&self) -> String {
        self.versus.join(", ").replace('\n', " ")
    }
}

/// Mean and range, or what there is in their place.
fn speed(result: &ContestantResult) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(figure) = &result.requests_per_second {
        lines.push(rate(figure.mean));
        if figure.rounds.len() > 1 {
            let (min, max) = (short_rate(figure.min), short_rate(figure.max));
            lines.push(format!("({min} - {max})"));
        }
    }
    match result.status {
        ContestantStatus::Ran => {}
        ContestantStatus::NotRun => lines.push("not run".to_owned()),
        ContestantStatus::Failed => lines.push("failed".to_owned()),
    }
    lines
}

/// The ratio in words with its interval, or its range, and the answer. A line break within one of
/// them is for a narrow cell.
fn versus(result: &ContestantResult) -> Vec<String> {
    let Some(ratio) = &result.ratio else {
        return vec!["-".to_owned()];
    };
    let mut lines = match ratio.limit {
        LoadLimit::None => vec![verdict::pace(ratio.mean)],
        LoadLimit::AtLeast | LoadLimit::AtMost => {
            let (word, pace) = verdict::bound(ratio);
            return vec![format!("{word}\n{pace}"), verdict::answer(ratio)];
        }
        LoadLimit::Unknown => return vec!["client limit".to_owned()],
        LoadLimit::Rate => return vec![verdict::answer(ratio)],
    };
    if let Some((low, high)) = ratio.low.zip(ratio.high) {
        let (low, high) = (three_digits(low), three_digits(high));
        match ratio.bounds {
            Bounds::Interval => lines[0].push_str(&format!("\n({low} - {high})")),
            Bounds::Range | Bounds::Unknown => lines.push(format!("range {low} - {high}")),
        }
    }
    lines.push(verdict::answer(ratio));
    lines
}

pub(super) fn interruption(report: &ComparisonReport) -> Option<String> {
    let line = "Interrupted: only completed runs are shown.";
    report.interrupted.then(|| line.to_owned())
}

pub(super) fn baseline(report: &ComparisonReport) -> Vec<String> {
    let baseline = report.baseline.as_ref();
    baseline.map(BaselineReport::sentences).unwrap_or_default()
}

/// `Highest rate with p99<5ms`.
pub(super) fn search_title(report: &ComparisonReport) -> String {
    let mut searches = report
        .contestants
        .iter()
        .filter_map(|c| c.find_rate.as_ref());
    let found = searches.find_map(|search| search.found.as_ref());
    let objective = found.map(|found| format!(" with {}", found.objective));
    format!("Highest rate{}", objective.unwrap_or_default())
}

/// A line for each search.
pub(super) fn searches(report: &ComparisonReport) -> Vec<String> {
    let searches = report
        .contestants
        .iter()
        .filter_map(|c| c.find_rate.as_ref());
    searches.map(SearchResult::line).collect()
}

/// Columns that do not fit the terminal are broken as words are.
fn sweeps(report: &ComparisonReport, columns: usize) -> Vec<String> {
    let fit = |line: String| match line.chars().count() <= columns {
        true => line,
        false => {
            let words: Vec<&str> = line.split_whitespace().collect();
            wrapped(&words.join(" "), columns)
        }
    };
    let lines = report.sweeps.iter().flat_map(SweepResult::lines);
    lines.map(fit).collect()
}

pub(super) fn gates(report: &ComparisonReport) -> Vec<String> {
    report.gates.iter().map(GateResult::to_string).collect()
}

pub(super) fn failures(report: &ComparisonReport) -> Vec<String> {
    let line = |result: &ContestantResult| {
        let reason = result.reason.as_ref()?;
        Some(format!("{}: {reason}", result.name))
    };
    report.contestants.iter().filter_map(line).collect()
}

pub(super) fn warnings(report: &ComparisonReport) -> Vec<String> {
    let lines = |result: &ContestantResult| -> Vec<String> {
        let warnings = result.warnings.iter();
        // Unexpected statuses are the reason of a failure.
        let told = warnings.filter(|warning| !warning.is_about_replies());
        told.map(|w| format!("{}: {w}", result.name)).collect()
    };
    report.contestants.iter().flat_map(lines).collect()
}

fn published(figure: &Published) -> String {
    format!(
        "{}: {} requests/s, {} ({})",
        figure.name,
        rate(figure.requests_per_second),
        plural(figure.errors, "error"),
        figure.conditions,
    )
}

/// Adds an empty line, a title unless it is empty, and the lines; nothing without lines.
fn add_block(text: &mut String, title: &str, lines: &[String], columns: usize) {
    if lines.is_empty() {
        return;
    }
    text.push('\n');
    if !title.is_empty() {
        text.push_str(title);
        text.push('\n');
    }
    for line in lines {
        text.push_str(&wrapped(line, columns));
        text.push('\n');
    }
}

/// `text` broken between words, so that lines have at most `columns`; all but the first are
/// indented.
fn wrapped(text: &str, columns: usize) -> String {
    let mut wrapped = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > columns {
            wrapped.push_str("\n  ");
            used = 2;
        } else if used > 0 {
            wrapped.push(' ');
            used += 1;
        }
        wrapped.push_str(word);
        used += length;
    }
    wrapped
}
