//! The circumstances of a comparison.

use crate::load::page::of_machine;
use crate::page::{At, Fact, FactValue};

/// Facts that the report holds; those that it does not are left out.
pub(super) fn of(root: &At, contestants: &[At]) -> Vec<Fact> {
    let servers = contestants.iter().filter_map(|at| {
        let name = at.key("name").text()?;
        Fact::text(name.words(), &at.key("command"))
    });
    let machine = root.key("machine");
    let of_machine_now = [
        Fact::text("CPU frequency governor", &machine.key("governor")),
        Fact::number(
            "cores that the container may use",
            &machine.key("cpuLimitCores"),
            FactValue::Count,
        ),
        Fact::number(
            "load average before",
            &machine.key("loadAverage"),
            FactValue::Number,
        ),
    ];
    settings(root)
        .into_iter()
        .chain(of_machine(root))
        .chain(of_machine_now.into_iter().flatten())
        .chain(servers)
        .collect()
}

fn settings(root: &At) -> Vec<Fact> {
    let settings = root.key("settings");
    let number = |label: &str, key: &str, value| Fact::number(label, &settings.key(key), value);
    [
        number("connections", "connections", FactValue::Count),
        number("requests in flight on each", "pipelining", FactValue::Count),
        number("requests due", "rate", FactValue::PerSecond),
        number("rounds planned", "rounds", FactValue::Count),
        Fact::number("rounds run", &root.key("roundsDone"), FactValue::Count),
        number("length of a run", "durationSeconds", FactValue::Seconds),
        number("warm-up", "warmupSeconds", FactValue::Seconds),
        number(
            "time limit for a reply",
            "timeoutSeconds",
            FactValue::Seconds,
        ),
        number("the same within", "sameWithin", FactValue::Percent),
        number("precision", "precision", FactValue::Percent),
        number("seed", "seed", FactValue::Count),
        Fact::text("certificates", &settings.key("certificates")),
        Fact::text("method", &settings.key("method")),
        Fact::text("path", &settings.key("path")),
        Fact::text("reference", &root.key("reference")),
    ]
    .into_iter()
    .flatten()
    .collect()
}
