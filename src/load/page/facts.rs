//! The circumstances of a run: what was asked for, what was sent, and where.

use crate::page::{At, Fact, FactValue, Figure};

/// Facts that the report holds; those that it does not are left out.
pub(super) fn of_run(root: &At) -> Vec<Fact> {
    [of_plan(root), of_requests(root), of_machine(root)].concat()
}

fn of_plan(root: &At) -> Vec<Fact> {
    let open_loop = root.key("openLoop");
    let rate = open_loop.key("rate");
    let in_turn = root.key("requestsInTurn");
    [
        Fact::text("URL", &root.key("url")),
        Fact::text("address", &root.key("address")),
        count("connections", &root.key("connections")),
        count("requests in flight on each", &root.key("pipelining")),
        count("requests in turn", &in_turn).filter(|_| in_turn.figure().is_some_and(are_several)),
        Fact::text("planned", &root.key("until")),
        Fact::number("lasted", &root.key("duration"), FactValue::Seconds),
        Fact::text("began", &root.key("start")),
        Fact::text("ended", &root.key("finish")),
        Fact::text("refill", &root.key("refill")),
        Fact::number("rate at the start", &rate.key("from"), FactValue::PerSecond),
        Fact::number("rate at the end", &rate.key("to"), FactValue::PerSecond),
        Fact::text("arrivals", &open_loop.key("arrivals")),
        count("seed", &open_loop.key("seed")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_requests(root: &At) -> Vec<Fact> {
    let accounting = root.key("accounting");
    let kinds = root.key("errorKinds");
    let of_kind = |label: &str, key: &str| {
        count(label, &kinds.key(key)).filter(|_| kinds.key(key).figure().is_some_and(is_some))
    };
    [
        count("requests due", &accounting.key("due")),
        count("sent", &accounting.key("sent")),
        count("never sent", &accounting.key("neverSent")),
        count("completed", &accounting.key("completed")),
        count("timed out", &accounting.key("timedOut")),
        count("lost with a connection", &accounting.key("lost")),
        count("in flight at the stop", &accounting.key("inFlight")),
        of_kind("connections refused", "refused"),
        of_kind("unreachable", "unreachable"),
        of_kind("connections reset", "reset"),
        of_kind("connections closed early", "closedEarly"),
        of_kind("bad replies", "badReply"),
        of_kind("wrong bodies", "wrongBody"),
        of_kind("no local port left (this client's limit)", "noLocalPort"),
        of_kind("no descriptor left (this client's limit)", "noDescriptor"),
        of_kind("other errors", "other"),
        count("replies other than 2xx", &root.key("non2xx")),
        Fact::text("first error", &root.key("firstError")),
        Fact::number(
            "bytes received",
            &root.key("throughput").key("total"),
            FactValue::Bytes,
        ),
        Fact::number(
            "longest silence",
            &root.key("longestSilenceMs"),
            FactValue::Milliseconds,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn is_some(figure: Figure) -> bool {
    figure.value() > 0.0
}

fn are_several(figure: Figure) -> bool {
    figure.value() > 1.0
}

/// The machine, and the version of this program.
pub fn of_machine(root: &At) -> Vec<Fact> {
    let machine = root.key("machine");
    [
        Fact::text("system", &machine.key("os")),
        Fact::text("processor", &machine.key("cpu")),
        count("cores", &machine.key("cores")),
        Fact::number("memory", &machine.key("memoryBytes"), FactValue::Bytes),
        Fact::number(
            "CPU time of the client",
            &root.key("client").key("cpuSeconds"),
            FactValue::Seconds,
        ),
        Fact::text("version of bareloop", &root.key("version")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn count(label: &str, at: &At) -> Option<Fact> {
    Fact::number(label, at, FactValue::Count)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Each error is reported with its kind, also those that are not the server's.
    #[test]
    fn every_kind_of_error_is_a_fact() {
        let kinds = crate::load::report::ErrorKinds::default();
        let json = serde_json::to_value(kinds).expect("JSON");
        let kinds = json.as_object().expect("an object");
        // It has a fact of its own.
        for kind in kinds.keys().filter(|kind| *kind != "timeout") {
            let report = json!({ "errorKinds": { kind: 3 } });
            assert_eq!(of_requests(&At::root(&report)).len(), 1, "{kind}");
        }
    }
}
