//! Lines around the tables: the load, why the rounds ended, where the noise is, and the machine.

use crate::compare::machine::Machine;
use crate::compare::process::cores::CoreDivision;
use crate::compare::report::{ComparisonReport, ContestantResult, SettingsUsed};
use crate::compare::{RoundsEnd, TIME_MAX, verdict};
use crate::format::{bytes, plural, rate};

/// A load average of at least this share of the cores means that something else was running.
const LOAD_SHARE_MIN: f64 = 0.25;

/// The load on each contestant.
pub(in crate::compare) fn load(settings: &SettingsUsed) -> String {
    let connections = plural(settings.connections as u64, "connection");
    let in_flight = plural(settings.pipelining as u64, "request");
    match settings.rate {
        None => format!("{connections}, {in_flight} in flight on each"),
        Some(due) => format!(
            "{} requests/s due on {connections}, at most {in_flight} in flight on each",
            rate(due)
        ),
    }
}

/// Reason for the end of the rounds, unless all planned rounds were run.
pub(super) fn rounds_end(report: &ComparisonReport) -> Option<String> {
    let precision = verdict::margin(report.settings.precision.unwrap_or_default());
    match report.rounds_end? {
        RoundsEnd::Planned | RoundsEnd::Interrupted => None,
        RoundsEnd::Precise => Some(format!("Each ratio is known to {precision}.")),
        RoundsEnd::RoundsMax => Some(format!(
            "Stopped at {} rounds, the limit, before each ratio was known to {precision}.",
            report.settings.rounds
        )),
        RoundsEnd::TimeMax => Some(format!(
            "Stopped after {} minutes, the limit, before each ratio was known to {precision}.",
            TIME_MAX.as_secs() / 60
        )),
        RoundsEnd::NothingToJudge => Some(format!(
            "Stopped after {}: no two servers are left to compare.",
            plural(report.rounds_done as u64, "round")
        )),
    }
}

/// A line for each ratio whose two sources of noise are known.
pub(super) fn noise(report: &ComparisonReport) -> Vec<String> {
    let line = |result: &ContestantResult| {
        let noise = result.ratio.as_ref()?.noise?;
        let (between, within) = (noise.between_restarts, noise.within_runs);
        let advice = match between >= within {
            true => "more rounds help; longer runs hardly help",
            false => "longer runs (-d) help as much as more rounds",
        };
        Some(format!(
            "{}: between restarts {:.1} %, within runs {:.1} %: {advice}",
            result.name,
            between * 100.0,
            within * 100.0
        ))
    };
    report.contestants.iter().filter_map(line).collect()
}

/// The machine, and what limits or changes its speed.
pub(in crate::compare) fn machine(report: &ComparisonReport) -> Vec<String> {
    let machine = &report.machine;
    let cpu = match machine.cpu.as_str() {
        "" => "unnamed CPU",
        cpu => cpu,
    };
    let mut lines = vec![format!(
        "Measured by bareloop {} on {}, {cpu}, {} cores, {}; {}.",
        report.version,
        machine.os,
        machine.cores,
        bytes(machine.memory_bytes as f64),
        pinned(machine),
    )];
    if let Some(governor) = machine
        .governor
        .as_ref()
        .filter(|name| *name != "performance")
    {
        lines.push(format!(
            "The CPU frequency governor is '{governor}', so the frequency may change during a run; \
             'performance' prevents that."
        ));
    }
    if let Some(limit) = machine
        .cpu_limit_cores
        .filter(|&limit| limit < machine.cores as f64)
    {
        lines.push(format!(
            "The container may use {limit} of {} cores, which load generator and server share.",
            machine.cores
        ));
    }
    if report.settings.certificates.is_some() {
        lines.push("The certificates of https servers were not verified (-k).".to_owned());
    }
    let load = machine.load_average;
    if let Some(load) = load.filter(|load| *load >= LOAD_SHARE_MIN * machine.cores as f64) {
        lines.push(format!(
            "The load average was {load:.2} in the minute before the start: the machine was not \
             idle."
        ));
    }
    lines
}

fn pinned(machine: &Machine) -> String {
    let list = |cores: &[usize]| {
        let cores: Vec<String> = cores.iter().map(usize::to_string).collect();
        cores.join(",")
    };
    let named = |cores: &[usize]| match cores.len() {
        1 => format!("core {}", list(cores)),
        number => format!("{number} cores ({})", list(cores)),
    };
    match &machine.pinned {
        Some(CoreDivision { servers, client }) => format!(
            "servers on {}, load generator on {}",
            named(servers),
            named(client)
        ),
        None => format!(
            "servers and load generator on the same {}",
            plural(machine.cores as u64, "core")
        ),
    }
}
