//! The parts of a page that are plain tables and lists.

use maud::{Markup, html};

use super::figure::{At, Figure, Text, count, microseconds, or_dash};
use super::plot::colour;
use crate::format;

/// A main figure of a single run.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// Its name: `requests per second`.
    pub label: String,
    /// The figure.
    pub value: FactValue,
    /// It is a lower bound.
    pub is_lower_bound: bool,
    /// Its interval, or another remark.
    pub note: Option<Text>,
}

/// A reason to doubt the figures.
#[derive(Clone, Debug)]
pub struct Warning {
    /// The contestant it concerns; `None` if it concerns all.
    pub about: Option<Text>,
    /// The reason.
    pub reason: Text,
    /// The remedy.
    pub advice: Option<Text>,
}

/// A check of the instrument.
#[derive(Clone, Debug)]
pub struct SelfTest {
    /// Its name.
    pub name: Text,
    /// Its result.
    pub result: SelfTestResult,
    /// Its finding.
    pub detail: Text,
    /// The remedy.
    pub advice: Option<Text>,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTestResult {
    /// No reason for doubt.
    Passed,
    /// A reason for doubt.
    Failed,
    /// The run was not of the kind that it checks.
    NotApplicable,
}

/// One run of one contestant.
#[derive(Clone, Debug)]
pub struct Round {
    /// Counted from 1.
    pub round: usize,
    /// The contestant's name.
    pub name: Text,
    /// The contestant's number, for its colour.
    pub contestant: usize,
    /// Replies per second.
    pub requests_per_second: Option<Figure>,
    /// Median latency, milliseconds.
    pub p50_ms: Option<Figure>,
    /// 99th percentile, milliseconds.
    pub p99_ms: Option<Figure>,
    /// Longest latency, milliseconds.
    pub max_ms: Option<Figure>,
    /// CPU time of the server per reply.
    pub cpu_micros: Option<Figure>,
    /// Peak memory of the server.
    pub peak_memory_bytes: Option<Figure>,
    /// Failed connections, and requests that timed out.
    pub errors: Option<Figure>,
    /// Client, server or machine.
    pub limited_by: Option<Text>,
}

/// A circumstance of the measurement.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its name: `cores`.
    pub label: String,
    /// Its value.
    pub value: FactValue,
}

/// The value of a fact, with its unit.
#[derive(Clone, Debug)]
pub enum FactValue {
    /// Words.
    Text(Text),
    /// An exact count.
    Count(Figure),
    /// Seconds.
    Seconds(Figure),
    /// Milliseconds.
    Milliseconds(Figure),
    /// A rate per second.
    PerSecond(Figure),
    /// A size in bytes.
    Bytes(Figure),
    /// A share of one.
    Share(Figure),
    /// A small share of one, to as many digits as it has: `0.5 %`.
    Percent(Figure),
    /// A number without a unit.
    Number(Figure),
}

impl Fact {
    /// A number, if there is one.
    pub fn number(label: &str, at: &At, value: fn(Figure) -> FactValue) -> Option<Fact> {
        Some(Fact {
            label: label.to_owned(),
            value: value(at.figure()?),
        })
    }

    /// Words, if there are any.
    pub fn text(label: &str, at: &At) -> Option<Fact> {
        let words = at.text().filter(|text| !text.words().is_empty())?;
        Some(Fact {
            label: label.to_owned(),
            value: FactValue::Text(words),
        })
    }
}

impl FactValue {
    fn show(&self) -> Markup {
        match self {
            FactValue::Text(text) => text.show(),
            FactValue::Count(figure) => figure.show(count),
            FactValue::Seconds(figure) => figure.show(|s| format!("{} s", format::shortest(s))),
            FactValue::Milliseconds(figure) => figure.show(format::milliseconds),
            FactValue::PerSecond(figure) => figure.show(|rate| format!("{}/s", format::rate(rate))),
            FactValue::Bytes(figure) => figure.show(format::bytes),
            FactValue::Share(figure) => figure.show(format::percent),
            FactValue::Percent(figure) => {
                figure.show(|share| format!("{} %", format::shortest(share * 100.0)))
            }
            FactValue::Number(figure) => figure.show(format::shortest),
        }
    }
}

impl SelfTestResult {
    /// Its class in the style sheet, and its words.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            SelfTestResult::Passed => ("passed", "passed"),
            SelfTestResult::Failed => ("failed", "failed"),
            SelfTestResult::NotApplicable => ("not-applicable", "not applicable"),
        }
    }
}

pub(super) fn quantities(quantities: &[Quantity]) -> Markup {
    html! {
        dl.quantities {
            @for quantity in quantities {
                div {
                    dt { (quantity.label) }
                    dd {
                        @if quantity.is_lower_bound { "≥ " }
                        (quantity.value.show())
                    }
                    @if let Some(note) = &quantity.note { dd.note { (note.show()) } }
                }
            }
        }
    }
}

pub(super) fn warnings(warnings: &[Warning]) -> Markup {
    html! {
        @if warnings.is_empty() {
            p { "No check found a reason to doubt these figures." }
        } @else {
            ul.warnings {
                @for warning in warnings {
                    li {
                        @if let Some(about) = &warning.about { strong { (about.show()) } ": " }
                        (warning.reason.show())
                        @if let Some(advice) = &warning.advice { "; " span.quiet { (advice.show()) } }
                    }
                }
            }
        }
    }
}

pub(super) fn self_tests(tests: &[SelfTest]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Self-tests, table" {
            table {
                thead { tr {
                    th scope="col" { "Check" }
                    th scope="col" { "Result" }
                    th scope="col" { "Detail" }
                } }
                tbody {
                    @for test in tests {
                        @let (class, words) = test.result.words();
                        tr {
                            th scope="row" { (test.name.show()) }
                            td.result.(class) { (words) }
                            td {
                                (test.detail.show())
                                @if let Some(advice) = &test.advice {
                                    "; " span.quiet { (advice.show()) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn rounds(rounds: &[Round]) -> Markup {
    let has_limit = rounds.iter().any(|round| round.limited_by.is_some());
    html! {
        div.scroll tabindex="0" role="region" aria-label="Rounds, table" {
            table.figures.rounds {
                thead { tr {
                    th.number scope="col" { "Round" }
                    th scope="col" { "Server" }
                    th.number scope="col" { "Requests/s" }
                    th.number scope="col" { "p50" }
                    th.number scope="col" { "p99" }
                    th.number scope="col" { "max" }
                    th.number scope="col" { "CPU per request" }
                    th.number scope="col" { "memory" }
                    th.number scope="col" { "errors" }
                    @if has_limit { th scope="col" { "limited by" } }
                } }
                tbody {
                    @for (index, round) in rounds.iter().enumerate() {
                        @let first = index == 0 || rounds[index - 1].round != round.round;
                        (round.row(first, has_limit))
                    }
                }
            }
        }
    }
}

impl Round {
    /// The number of the round, in its first row only.
    fn row(&self, first: bool, has_limit: bool) -> Markup {
        html! {
            tr.first[first] {
                td.ordinal { @if first { (self.round) } }
                th.name.(colour(self.contestant)) scope="row" { (self.name.show()) }
                td { (or_dash(self.requests_per_second.as_ref(), format::rate)) }
                td { (or_dash(self.p50_ms.as_ref(), format::milliseconds)) }
                td { (or_dash(self.p99_ms.as_ref(), format::milliseconds)) }
                td { (or_dash(self.max_ms.as_ref(), format::milliseconds)) }
                td { (or_dash(self.cpu_micros.as_ref(), microseconds)) }
                td { (or_dash(self.peak_memory_bytes.as_ref(), format::bytes)) }
                td { (or_dash(self.errors.as_ref(), count)) }
                @if has_limit {
                    td.words { @if let Some(limit) = &self.limited_by { (limit.show()) } }
                }
            }
        }
    }
}

pub(super) fn facts(facts: &[Fact], command: Option<&Text>) -> Markup {
    html! {
        @if let Some(command) = command {
            p { "The command that repeats it:" }
            pre.command tabindex="0" { code { (command.show_command()) } }
        }
        dl.facts {
            @for fact in facts {
                dt { (fact.label) }
                dd { (fact.value.show()) }
            }
        }
    }
}
