//! The cost of a request as a table of its own: the server's, and the client's beside it.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

use crate::compare::Limit;
use crate::compare::report::{ComparisonReport, ContestantResult, Cost, Figure, SideCost};
use crate::format::{bytes, or_dash, three_digits};

/// The table below an empty line, or the same as lines where it does not fit; empty if the system
/// reports no more than the main table has.
pub(super) fn render(report: &ComparisonReport, columns: usize) -> String {
    let with_cost = report
        .contestants
        .iter()
        .filter_map(|result| Some((result, result.cost.as_ref()?)));
    let rows: Vec<(&ContestantResult, &Cost)> = with_cost
        .filter(|(_, cost)| cost.server.user_micros_per_request.is_some())
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let table = table(&rows).trim_fmt();
    let fits = table.lines().all(|line| line.chars().count() <= columns);
    match fits {
        true => format!("\n{table}\n"),
        false => format!("\n{}", list(&rows)),
    }
}

fn table(rows: &[(&ContestantResult, &Cost)]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "Cost",
        "Server CPU,\nµs/request\nuser + kernel",
        "Context switches\n/request, voluntary\n+ involuntary",
        "Steady\nmemory",
        "Client CPU,\nµs/request\nuser + kernel",
        "Limited by",
    ]);
    for (result, cost) in rows {
        table.add_row([
            result.name.clone(),
            by_mode(&cost.server),
            switches(&cost.server),
            steady(&cost.server),
            by_mode(&cost.client),
            limits(result),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn list(rows: &[(&ContestantResult, &Cost)]) -> String {
    let mut text = String::new();
    for (result, cost) in rows {
        text.push_str(&format!("Cost of {}\n", result.name));
        for (name, value) in [
            (
                "CPU, user + kernel",
                format!("{} µs", by_mode(&cost.server)),
            ),
            ("context switches", switches(&cost.server)),
            ("steady memory", steady(&cost.server)),
            ("client's CPU", format!("{} µs", by_mode(&cost.client))),
            ("limited by", limits(result)),
        ] {
            text.push_str(&format!("  {name:<18}  {value}\n"));
        }
    }
    text
}

/// By mode where that is known, else the sum.
fn by_mode(side: &SideCost) -> String {
    if side.user_micros_per_request.is_none() {
        let cpu = side.cpu_micros_per_request.as_ref();
        return or_dash(cpu.map(|figure| three_digits(figure.median)));
    }
    sum(
        side.user_micros_per_request.as_ref(),
        side.system_micros_per_request.as_ref(),
    )
}

fn switches(side: &SideCost) -> String {
    sum(
        side.voluntary_switches_per_request.as_ref(),
        side.involuntary_switches_per_request.as_ref(),
    )
}

fn sum(one: Option<&Figure>, other: Option<&Figure>) -> String {
    let median = |figure: &Figure| three_digits(figure.median);
    or_dash(
        one.zip(other)
            .map(|(one, other)| format!("{} + {}", median(one), median(other))),
    )
}

fn steady(side: &SideCost) -> String {
    or_dash(side.steady_memory_bytes.map(|size| bytes(size as f64)))
}

/// Names the parts at their limit, with the number of rounds unless that is all of them.
fn limits(result: &ContestantResult) -> String {
    let all = result.runs.len();
    let named = [
        (Limit::Rate, "given rate"),
        (Limit::Client, "client"),
        (Limit::Server, "server"),
        (Limit::Machine, "machine"),
    ]
    .into_iter()
    .filter_map(|(limit, name)| {
        let rounds = result.runs.iter().filter(|run| run.limits.contains(&limit));
        match rounds.count() {
            0 => None,
            rounds if rounds == all => Some(name.to_owned()),
            rounds => Some(format!("{name} ({rounds} of {all})")),
        }
    });
    let named: Vec<String> = named.collect();
    match named.is_empty() {
        true => "none".to_owned(),
        false => named.join("\n"),
    }
}
