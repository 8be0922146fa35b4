//! Ratios to a reference: a row for each contestant, on one log axis.

use maud::{Markup, html};

use super::axis::Axis;
use super::figure::{Estimate, Figure, Text, or_dash};
use super::plot::{chart, colour, dot, percent, ticks_below};
use crate::format;

const ROW_HEIGHT: f64 = 40.0;
const DESCRIPTION: &str =
    "Interval and rounds on a log axis; the table beside it has their figures.";

/// Contestants against a reference.
#[derive(Clone, Debug)]
pub struct Forest {
    /// The compared quantity: `requests per second`.
    pub quantity: String,
    /// Name of the reference.
    pub reference: String,
    /// The bars' name: `95 % interval`.
    pub bar: String,
    /// Differences up to this share count as none: 0.02 for 2 %.
    pub same_within: Option<Figure>,
    /// In the order of the report, the reference among them.
    pub rows: Vec<ForestRow>,
}

/// One contestant against the reference.
#[derive(Clone, Debug)]
pub struct ForestRow {
    /// Its name.
    pub name: Text,
    /// Its number, for its colour; the same in every chart.
    pub contestant: usize,
    /// Median of its rounds.
    pub requests_per_second: Option<Figure>,
    /// Ratio with its 95 % interval; `None` for the reference and for a failed contestant.
    pub ratio: Option<Estimate>,
    /// The name of its own bar, which a contestant that failed may have alone.
    pub bar: String,
    /// The sides on which the true ratio is open.
    pub limit: RatioLimit,
    /// The ratio of each round.
    pub round_ratios: Vec<Figure>,
    /// The finding in words.
    pub finding: Text,
}

/// The bound on the true ratio where the load was the limit, and not the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatioLimit {
    /// The load limited neither server.
    None,
    /// The true ratio is at least this.
    AtLeast,
    /// The true ratio is at most this.
    AtMost,
    /// The client was at its limit with both servers: the true ratio is unknown.
    Client,
    /// Both kept up with the given rate: the true ratio is unknown.
    KeptUp,
}

impl RatioLimit {
    fn is_open_below(self) -> bool {
        !matches!(self, RatioLimit::None | RatioLimit::AtLeast)
    }

    fn is_open_above(self) -> bool {
        !matches!(self, RatioLimit::None | RatioLimit::AtMost)
    }
}

impl Forest {
    fn axis(&self) -> Axis {
        let margin = self.same_within.as_ref().map_or(0.0, Figure::value);
        let of_row = |row: &ForestRow| -> Vec<f64> {
            let estimate = row.ratio.iter().flat_map(|ratio| {
                let ends = [&ratio.low, &ratio.high].map(|end| end.as_ref().map(Figure::value));
                [Some(ratio.value.value()), ends[0], ends[1]]
            });
            let rounds = row.round_ratios.iter().map(|ratio| Some(ratio.value()));
            estimate.chain(rounds).flatten().collect()
        };
        let band = [1.0, 1.0 + margin, 1.0 / (1.0 + margin)];
        Axis::log_around(self.rows.iter().flat_map(of_row).chain(band))
    }

    pub(super) fn render(&self) -> Markup {
        let axis = self.axis();
        html! {
            p.caption {
                "Ratio of " (self.quantity) " to " strong { (self.reference) }
                ", on a log axis. Bar: " (self.bar) ", with a tick at the ratio. Dots: single rounds."
                @if self.rows.iter().any(|row| row.ratio.is_some() && row.limit != RatioLimit::None) {
                    " Arrow: open on that side, as the load was the limit."
                }
                @if let Some(margin) = &self.same_within {
                    " Grey band: within " (margin.show(per_cent)) ", counted as the same."
                }
            }
            table.forest role="table" {
                thead role="rowgroup" { tr role="row" {
                    th role="columnheader" scope="col" { "Server" }
                    th.number role="columnheader" scope="col" { "Requests/s" }
                    th.plot role="columnheader" scope="col" { span.hidden { "Chart of the ratio" } }
                    th.number role="columnheader" scope="col" { "Ratio (" (self.bar) ")" }
                    th role="columnheader" scope="col" { "Finding" }
                } }
                tbody role="rowgroup" {
                    @for (index, row) in self.rows.iter().enumerate() {
                        (self.row(index, row, &axis))
                    }
                    tr.axis role="row" aria-hidden="true" {
                        td {} td {}
                        td.plot { svg.chart width="100%" height="22" { (ticks(&axis)) } }
                        td {} td {}
                    }
                }
            }
        }
    }

    fn is_reference(&self, row: &ForestRow) -> bool {
        row.name.words() == self.reference
    }

    fn row(&self, index: usize, row: &ForestRow, axis: &Axis) -> Markup {
        let title = format!("{} against {}", row.name.words(), self.reference);
        html! {
            tr role="row" {
                th.name.(colour(row.contestant)) role="rowheader" scope="row" {
                    (row.name.show())
                }
                td.number.rate role="cell" data-label="requests/s" {
                    (or_dash(row.requests_per_second.as_ref(), format::rate))
                }
                td.plot role="cell" {
                    (chart(&format!("forest-{index}"), ROW_HEIGHT, &title, DESCRIPTION,
                        &self.marks(row, axis)))
                }
                td.number.ratio role="cell" { (self.ratio(row)) }
                td.finding role="cell" { (row.finding.show()) }
            }
        }
    }

    fn ratio(&self, row: &ForestRow) -> Markup {
        html! {
            @match &row.ratio {
                Some(ratio) => {
                    @match row.limit {
                        RatioLimit::None => {
                            (ratio.show(format::ratio))
                            @if row.bar != self.bar && ratio.low.is_some() {
                                " " span.interval { (row.bar) }
                            }
                        }
                        RatioLimit::AtLeast => {
                            "at least " (bound(ratio.low.as_ref(), &ratio.value))
                        }
                        RatioLimit::AtMost => {
                            "at most " (bound(ratio.high.as_ref(), &ratio.value))
                        }
                        RatioLimit::Client => { "client limit " (measured(&ratio.value)) }
                        RatioLimit::KeptUp => { "kept up " (measured(&ratio.value)) }
                    }
                }
                None if self.is_reference(row) => span.quiet { "reference" },
                None => (format::or_dash(None)),
            }
        }
    }

    fn marks(&self, row: &ForestRow, axis: &Axis) -> Markup {
        let margin = self.same_within.as_ref().map_or(0.0, Figure::value);
        let (left, right) = (axis.place(1.0 / (1.0 + margin)), axis.place(1.0 + margin));
        let one = percent(axis.place(1.0));
        html! {
            @if margin > 0.0 {
                rect.same x=(percent(left)) width=(percent(right - left)) y="0" height="100%" {}
            }
            line.one x1=(one) x2=(one) y1="0" y2="100%" {}
            g class=(colour(row.contestant)) {
                @if let Some(ratio) = &row.ratio {
                    (interval(ratio, row.limit, axis))
                }
                @for (number, ratio) in row.round_ratios.iter().enumerate() {
                    @let text = format!("round {}: {}", number + 1, format::ratio(ratio.value()));
                    (dot(axis.place(ratio.value()), 28.0, ratio, &text))
                }
            }
        }
    }
}

/// The end of the interval that bounds the ratio, or the ratio itself without one.
fn bound(end: Option<&Figure>, value: &Figure) -> Markup {
    html! { (end.unwrap_or(value).show(format::ratio)) " " (measured(value)) }
}

fn measured(value: &Figure) -> Markup {
    html! { span.interval { "measured " (value.show(format::ratio)) } }
}

fn interval(ratio: &Estimate, limit: RatioLimit, axis: &Axis) -> Markup {
    let place = |figure: &Figure| axis.place(figure.value());
    let middle = place(&ratio.value);
    let low = ratio.low.as_ref().map_or(middle, place);
    let high = ratio.high.as_ref().map_or(middle, place);
    html! {
        line.bar x1=(percent(low)) x2=(percent(high)) y1="14" y2="14" {}
        line.median x1=(percent(middle)) x2=(percent(middle)) y1="7" y2="21" {}
        @if limit.is_open_below() {
            text.mark x=(percent(low)) dx="-6" y="19" text-anchor="end" { "←" }
        }
        @if limit.is_open_above() {
            text.mark x=(percent(high)) dx="6" y="19" { "→" }
        }
    }
}

fn ticks(axis: &Axis) -> Markup {
    html! {
        line.frame x1="0" x2="100%" y1="0.5" y2="0.5" {}
        (ticks_below(axis, 0.0, format::shortest))
    }
}

fn per_cent(share: f64) -> String {
    format!("{} %", format::shortest(share * 100.0))
}
