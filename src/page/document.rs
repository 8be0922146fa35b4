//! The document around the charts: head, sections in their order, data, script.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Map, Value};

use super::timeline::Timeline;
use super::{Page, cost, plot, search, tables};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Nothing is loaded from anywhere, whatever the report holds.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'";

pub(super) fn render(page: &Page) -> Markup {
    let timelines: Vec<Timeline> = page
        .timelines
        .iter()
        .map(|timeline| timeline.reduced(page.timelines.len()))
        .collect();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (page.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        h1 { (page.title) }
                        p.quiet { (page.subtitle.show()) }
                    }
                    (verdict(page))
                    (charts(page, &timelines))
                    (records(page))
                }
                script type="application/json" id="report" { (plot::json(&page.report)) }
                script type="application/json" id="readings" {
                    (plot::json(&readings(page, &timelines)))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn section(id: &str, heading: &str, content: &Markup) -> Markup {
    let labelled = format!("{id}-heading");
    html! {
        section #(id) aria-labelledby=(labelled) {
            h2 id=(labelled) { (heading) }
            (content)
        }
    }
}

fn verdict(page: &Page) -> Markup {
    html! {
        section #verdict aria-label="Verdict" {
            p.verdict { (page.verdict.show()) }
            @if !page.findings.is_empty() {
                ul.findings { @for finding in &page.findings { li { (finding.show()) } } }
            }
            @if !page.quantities.is_empty() { (tables::quantities(&page.quantities)) }
        }
        (section("warnings", "Reasons for doubt", &tables::warnings(&page.warnings)))
    }
}

fn charts(page: &Page, timelines: &[Timeline]) -> Markup {
    html! {
        @if let Some(forest) = &page.forest {
            (section("ratios", "Speed ratios and their certainty", &forest.render()))
        }
        @if let Some(percentiles) = &page.percentiles {
            (section("latency", "Latency by percentile", &percentiles.render()))
        }
        @if !timelines.is_empty() {
            (section("time", "Latency over time", &html! {
                (timeline_key(timelines))
                @for (index, timeline) in timelines.iter().enumerate() {
                    (timeline.render(&timeline_id(index)))
                }
            }))
        }
        @if !page.sweeps.is_empty() {
            (section("load", "Behaviour under rising and falling load", &html! {
                p.caption {
                    span.up { "Blue: load rising." } " "
                    span.down { "Orange: load falling." }
                    " Grey band: the knee with its bounds."
                }
                @for (index, sweep) in page.sweeps.iter().enumerate() {
                    (sweep.render(&format!("sweep-{index}")))
                }
            }))
        }
        @if !page.searches.is_empty() {
            (section("capacity", "Highest rate within an objective", &search::render(&page.searches)))
        }
        @if !page.costs.is_empty() {
            (section("cost", "Cost per request", &cost::render(&page.costs)))
        }
    }
}

fn records(page: &Page) -> Markup {
    html! {
        @if !page.self_tests.is_empty() {
            (section("checks", "Self-tests", &tables::self_tests(&page.self_tests)))
        }
        @if !page.rounds.is_empty() {
            (section("rounds", "Every round", &tables::rounds(&page.rounds)))
        }
        @if !page.facts.is_empty() || page.command.is_some() {
            (section("circumstances", "Circumstances",
                &tables::facts(&page.facts, page.command.as_ref())))
        }
        footer.quiet {
            p {
                "Every figure on this page is also in the JSON report inside this file, "
                "in the element with the id " code { "report" } "."
            }
        }
    }
}

fn timeline_key(timelines: &[Timeline]) -> Markup {
    html! {
        p.caption {
            "Each column is a slice of time, each cell the replies of one latency in ms, on a log axis. "
            span.ramp role="img" aria-label="From few replies, light, to many, strong" {
                "few " @for shade in 1..=super::timeline::SHADES { i class={ "h" (shade) } {} } " many replies"
            }
            ". Above: " span.client { "pauses of the client" } ", " span.server { "silences of the server" }
            "; the longest is named. Below, per second: "
            span.key-answered { "answered" } ", " span.key-sent { "sent" }
            @if timelines.iter().any(Timeline::is_open_loop) { ", " span.key-due { "due" } }
            "."
        }
    }
}

fn timeline_id(index: usize) -> String {
    format!("timeline-{index}")
}

/// Values that the script shows beside the pointer, by chart.
fn readings(page: &Page, timelines: &[Timeline]) -> Value {
    let mut readings = Map::new();
    if let Some(percentiles) = &page.percentiles {
        readings.insert("percentiles".to_owned(), percentiles.readings());
    }
    for (index, timeline) in timelines.iter().enumerate() {
        readings.insert(timeline_id(index), timeline.readings());
    }
    Value::Object(readings)
}
