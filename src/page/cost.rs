//! The cost of a request to the server: CPU time, split into user and system, and memory.

use maud::{Markup, html};

use super::axis::Axis;
use super::figure::{Estimate, Figure, Text, estimate_or_dash, microseconds, or_dash};
use super::plot::{chart, colour, dot, percent};
use crate::format;

const BAR_HEIGHT: f64 = 34.0;

/// Cost of one contestant.
#[derive(Clone, Debug)]
pub struct Cost {
    /// Its name.
    pub name: Text,
    /// Its number, for its colour.
    pub contestant: usize,
    /// CPU time of the server's process tree per reply: the median of its rounds, with the
    /// smallest and the largest as ends.
    pub cpu_micros: Option<Estimate>,
    /// Its part in user mode.
    pub user_micros: Option<Figure>,
    /// Its part in the kernel.
    pub system_micros: Option<Figure>,
    /// CPU time per reply of each round.
    pub round_micros: Vec<Figure>,
    /// CPU time of the load generator per reply.
    pub client_micros: Option<Figure>,
    /// The largest of all rounds.
    pub peak_memory_bytes: Option<Figure>,
}

impl Cost {
    fn largest_micros(&self) -> f64 {
        let estimate = self.cpu_micros.iter().flat_map(|cpu| {
            let high = cpu.high.as_ref().unwrap_or(&cpu.value);
            [cpu.value.value(), high.value()]
        });
        let rounds = self.round_micros.iter().map(Figure::value);
        estimate.chain(rounds).fold(0.0, f64::max)
    }

    fn row(&self, index: usize, axis: &Axis) -> Markup {
        let title = format!("CPU time per request of {}", self.name.words());
        let description = "Bar: user and system time. Dots: single rounds.";
        html! {
            tr role="row" {
                th.name.(colour(self.contestant)) role="rowheader" scope="row" {
                    (self.name.show())
                }
                td.plot role="cell" {
                    (chart(&format!("cost-{index}"), BAR_HEIGHT, &title, description,
                        &self.bar(axis)))
                }
                td.number role="cell" data-label="CPU per request (range)" {
                    (estimate_or_dash(self.cpu_micros.as_ref(), microseconds))
                }
                td.number role="cell" data-label="user" {
                    (or_dash(self.user_micros.as_ref(), microseconds))
                }
                td.number role="cell" data-label="system" {
                    (or_dash(self.system_micros.as_ref(), microseconds))
                }
                td.number role="cell" data-label="client" {
                    (or_dash(self.client_micros.as_ref(), microseconds))
                }
                td.number role="cell" data-label="peak memory" {
                    (or_dash(self.peak_memory_bytes.as_ref(), format::bytes))
                }
            }
        }
    }

    /// User time first, then system time; one plain bar if they are not known apart.
    fn bar(&self, axis: &Axis) -> Markup {
        let total = self
            .cpu_micros
            .as_ref()
            .map_or(0.0, |cpu| cpu.value.value());
        let user = self.user_micros.as_ref().map_or(total, Figure::value);
        let (middle, end) = (axis.place(user.min(total)), axis.place(total));
        html! {
            g class=(colour(self.contestant)) {
                rect.user x="0" width=(percent(middle)) y="6" height="12" {}
                rect.system x=(percent(middle)) width=(percent(end - middle)) y="6" height="12" {}
                @for (number, micros) in self.round_micros.iter().enumerate() {
                    @let text = format!("round {}: {}", number + 1, microseconds(micros.value()));
                    (dot(axis.place(micros.value()), 26.0, micros, &text))
                }
            }
            line.frame x1="0" x2="0" y1="0" y2="100%" {}
        }
    }
}

pub(super) fn render(costs: &[Cost]) -> Markup {
    let axis = Axis::linear_from_zero(costs.iter().map(Cost::largest_micros));
    html! {
        p.caption {
            "CPU time of the server's processes for each reply. Full colour: user; light: system. "
            "Dots: single rounds, whose range is in the table."
        }
        table.cost role="table" {
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Server" }
                th.plot role="columnheader" scope="col" {
                    span.hidden { "Chart of the CPU time" }
                }
                th.number role="columnheader" scope="col" { "CPU per request (range)" }
                th.number role="columnheader" scope="col" { "user" }
                th.number role="columnheader" scope="col" { "system" }
                th.number role="columnheader" scope="col" { "client" }
                th.number role="columnheader" scope="col" { "peak memory" }
            } }
            tbody role="rowgroup" {
                @for (index, cost) in costs.iter().enumerate() { (cost.row(index, &axis)) }
            }
        }
    }
}
