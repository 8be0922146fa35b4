//! Settings that the sources of one run have in common.

use std::collections::BTreeMap;

use super::Source;
use super::source::Facts;

/// A setting and its values, each with the number of sources that have it.
pub(super) type Differing = (&'static str, BTreeMap<String, usize>);

/// A setting and its value.
type Setting = (&'static str, fn(&Facts) -> String);

/// Those that differ.
pub(super) fn differing(sources: &[Source]) -> Vec<Differing> {
    let facts: Vec<&Facts> = sources.iter().filter_map(|s| s.facts.as_ref()).collect();
    let settings: [Setting; 10] = [
        ("URL", |facts| facts.url.clone()),
        ("pipelining", |facts| facts.pipelining.to_string()),
        ("requests in turn", |facts| {
            facts.requests_in_turn.to_string()
        }),
        ("length", length),
        ("refill", |facts| facts.refill.clone()),
        ("workers", |facts| facts.workers.to_string()),
        ("number of shares", |facts| {
            facts
                .share
                .map_or_else(|| "none".to_owned(), |share| share.of().to_string())
        }),
        ("rate", rate),
        ("arrivals", |facts| match &facts.open_loop {
            Some(open_loop) => open_loop.arrivals.clone(),
            None => "none".to_owned(),
        }),
        ("version", |facts| facts.version.clone()),
    ];
    let mut differing: Vec<Differing> = settings
        .into_iter()
        .map(|(name, value)| (name, values(&facts, value)))
        .filter(|(_, values)| values.len() > 1)
        .collect();
    // Each worker has its share of them, and these differ by one at most.
    let connections = facts.iter().map(|facts| facts.connections);
    let workers = facts.iter().map(|facts| u64::from(facts.workers)).max();
    let least = connections.clone().min();
    if connections.max() > least.zip(workers).map(|(least, workers)| least + workers) {
        let values = values(&facts, |facts| facts.connections.to_string());
        differing.push(("connections", values));
    }
    differing
}

fn values(facts: &[&Facts], value: fn(&Facts) -> String) -> BTreeMap<String, usize> {
    let mut values = BTreeMap::new();
    for facts in facts {
        *values.entry(value(facts)).or_default() += 1;
    }
    values
}

/// `10s`; the shares of an amount differ, and are not compared.
fn length(facts: &Facts) -> String {
    let is_amount = facts.until.contains("request");
    match facts.share {
        Some(_) if is_amount => "an amount".to_owned(),
        _ => facts.until.clone(),
    }
}

/// `1000`, `100:10000`, or `closed loop`.
fn rate(facts: &Facts) -> String {
    match &facts.open_loop {
        None => "closed loop".to_owned(),
        Some(open_loop) if open_loop.rate.from == open_loop.rate.to => {
            open_loop.rate.from.to_string()
        }
        Some(open_loop) => format!("{}:{}", open_loop.rate.from, open_loop.rate.to),
    }
}
