//! Highest rates within an objective, as a table.

use maud::{Markup, html};

use super::figure::{Figure, Text, or_dash};
use super::plot::colour;
use crate::format;

/// One server's search for its highest rate.
#[derive(Clone, Debug)]
pub struct Search {
    /// Its name.
    pub name: Text,
    /// Its number, for its colour.
    pub contestant: usize,
    /// The objective; `None` if the search could not begin.
    pub objective: Option<Text>,
    /// The highest rate; `None` if none was found.
    pub rate: Option<Figure>,
    /// Upper bound of the objective's latency there, milliseconds.
    pub bound_ms: Option<Figure>,
    /// The highest rate with a single trial within the objective.
    pub within: Option<Figure>,
    /// The lowest rate with a single trial beyond it.
    pub beyond: Option<Figure>,
    /// The part that kept the search from a higher rate, if not the server.
    pub limit: Option<Text>,
    /// Reason why no rate was found.
    pub reason: Option<Text>,
    /// The trials, in order; none where they are not shown.
    pub trials: Vec<SearchTrial>,
}

/// A short run of a search.
#[derive(Clone, Debug)]
pub struct SearchTrial {
    /// Requests due per second.
    pub rate: Figure,
    /// The latency that the objective limits, milliseconds; `None` if it has no upper bound.
    pub value_ms: Option<Figure>,
    /// The reason for making it.
    pub purpose: Text,
    /// The client was late.
    pub client_late: bool,
}

pub(super) fn render(searches: &[Search]) -> Markup {
    html! {
        p.caption {
            "The latency there is at most the bound, by fresh trials at that rate alone. 'At least': "
            "the client, or the number of trials, was the limit."
        }
        div.scroll tabindex="0" role="region" aria-label="Highest rates, table" {
            table.figures {
                thead { tr {
                    th scope="col" { "Server" }
                    th scope="col" { "objective" }
                    th.number scope="col" { "requests/s" }
                    th.number scope="col" { "bound" }
                    th.number scope="col" { "trials within, up to" }
                    th.number scope="col" { "beyond, from" }
                    th scope="col" { "remark" }
                } }
                tbody { @for search in searches { (search.row()) } }
            }
        }
        @for search in searches.iter().filter(|search| !search.trials.is_empty()) {
            (search.trials())
        }
    }
}

impl Search {
    fn trials(&self) -> Markup {
        html! {
            div.scroll tabindex="0" role="region" aria-label="Trials, table" {
                table.figures.trials {
                    thead { tr {
                        th.number scope="col" { "Trial" }
                        th.number scope="col" { "requests/s" }
                        th.number scope="col" { "latency" }
                        th scope="col" { "purpose" }
                    } }
                    tbody {
                        @for (index, trial) in self.trials.iter().enumerate() {
                            (trial.row(index + 1))
                        }
                    }
                }
            }
        }
    }

    fn row(&self) -> Markup {
        html! {
            tr {
                th.name.(colour(self.contestant)) scope="row" { (self.name.show()) }
                td.words { @if let Some(objective) = &self.objective { (objective.show()) } }
                td {
                    @if self.limit.is_some() { "at least " }
                    (or_dash(self.rate.as_ref(), format::rate))
                }
                td { (or_dash(self.bound_ms.as_ref(), format::milliseconds)) }
                td { (or_dash(self.within.as_ref(), format::rate)) }
                td { (or_dash(self.beyond.as_ref(), format::rate)) }
                td.words {
                    @if let Some(limit) = &self.limit { "limit: " (limit.show()) }
                    @if let Some(reason) = &self.reason { (reason.show()) }
                }
            }
        }
    }
}

impl SearchTrial {
    fn row(&self, number: usize) -> Markup {
        html! {
            tr {
                td { (number) }
                td { (self.rate.show(format::rate)) }
                td {
                    @match &self.value_ms {
                        Some(value_ms) => (value_ms.show(format::milliseconds)),
                        None => "unbounded",
                    }
                }
                td.words {
                    (self.purpose.show())
                    @if self.client_late { ", client late" }
                }
            }
        }
    }
}
