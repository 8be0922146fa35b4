//! Latency by percentile: the tail gets as much room as the middle.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::axis::Axis;
use super::figure::{Estimate, Text, estimate_or_dash};
use super::plot::{chart, colour, line_path, percent, round, spread, stretched, x_axis, y_axis};
use crate::format;

const HEIGHT: f64 = 280.0;
const LABEL_LINE: f64 = 15.0;

/// Curves, and the figures behind them.
#[derive(Clone, Debug, Default)]
pub struct Percentiles {
    /// One for each contestant.
    pub curves: Vec<Curve>,
    /// The bands' name: `95 % interval`.
    pub band: String,
    /// Heads of the table's columns: `p50`, `p99`.
    pub columns: Vec<String>,
    /// One for each contestant.
    pub rows: Vec<PercentileRow>,
}

/// Latency of one contestant by percentile.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Its name.
    pub name: String,
    /// Its number, for its colour.
    pub contestant: usize,
    /// Rising in share and in latency, some forty of them. The curve ends where the samples end.
    pub points: Vec<CurvePoint>,
}

/// A point of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Share of all requests that took at most this long; at least 0, less than 1.
    pub share: f64,
    /// Latency, milliseconds.
    pub ms: f64,
    /// Lower end of its interval; `None` if there is no interval.
    pub low_ms: Option<f64>,
    /// Upper end of its interval; `None` if it has no bound, or if there is no interval.
    pub high_ms: Option<f64>,
    /// Requests without a reply lie at or before this share: the latency is a lower bound.
    pub at_least: bool,
}

/// Percentiles of one contestant as figures.
#[derive(Clone, Debug)]
pub struct PercentileRow {
    /// Its name.
    pub name: Text,
    /// Its number, for its colour.
    pub contestant: usize,
    /// One for each column; `None` with too few samples.
    pub cells: Vec<Option<Estimate>>,
    /// The first column that is only a lower bound.
    pub at_least_from: Option<usize>,
}

impl Percentiles {
    fn x(&self) -> Axis {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        Axis::tail(points.map(|point| point.share).fold(0.9, f64::max))
    }

    fn y(&self) -> Axis {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        Axis::log_around(
            points
                .flat_map(|p| [Some(p.ms), p.low_ms, p.high_ms])
                .flatten(),
        )
    }

    pub(super) fn render(&self) -> Markup {
        let (x, y) = (self.x(), self.y());
        html! {
            @if !self.curves.is_empty() {
                p.caption {
                    "Latency in ms, on a log axis. Each nine of the percentile has the same width. "
                    "Band: " (self.band) ". "
                    @if self.has_open_bands() {
                        "Where it reaches the top edge, there is no upper bound. "
                    }
                    "Dashed: a lower bound, because requests had no reply. "
                    "A curve ends where its samples end."
                }
                p.key aria-hidden="true" {
                    @for curve in &self.curves {
                        span class=(colour(curve.contestant)) { (curve.name) }
                    }
                }
                div.plot-area.named data-hover="percentiles" data-height=(HEIGHT) {
                    (chart("percentiles", HEIGHT, "Latency by percentile", &self.description(),
                        &self.marks(&x, &y)))
                }
            }
            (self.table())
        }
    }

    fn has_open_bands(&self) -> bool {
        let mut points = self.curves.iter().flat_map(|curve| &curve.points);
        points.any(|point| point.low_ms.is_some() && point.high_ms.is_none())
    }

    fn description(&self) -> String {
        let names: Vec<&str> = self.curves.iter().map(|curve| &*curve.name).collect();
        format!(
            "Curves for {}. The table below holds their main figures.",
            names.join(", ")
        )
    }

    fn marks(&self, x: &Axis, y: &Axis) -> Markup {
        let curves = html! {
            @for curve in &self.curves { (curve.marks(x, y)) }
        };
        html! {
            (y_axis(y, HEIGHT, format::shortest))
            (x_axis(x, HEIGHT, percentile))
            (stretched(HEIGHT, &curves))
            (self.names(x, y))
        }
    }

    /// The curves' names, right of where they end.
    fn names(&self, x: &Axis, y: &Axis) -> Markup {
        let end = |curve: &Curve| curve.points.last().map_or(0.0, |point| y.place(point.ms));
        let ends: Vec<f64> = self
            .curves
            .iter()
            .map(|c| HEIGHT * (1.0 - end(c)))
            .collect();
        let right = |curve: &Curve| {
            curve
                .points
                .last()
                .map_or(1.0, |point| x.place(point.share))
        };
        let rights = self.curves.iter().map(right);
        let places = rights.zip(spread(&ends, LABEL_LINE, HEIGHT));
        html! {
            @for (curve, place) in std::iter::zip(&self.curves, places) {
                text.label.wide-only.(colour(curve.contestant)) x=(percent(place.0)) dx="8"
                    y=(round(place.1 + 4.0)) { (curve.name) }
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            @if !self.rows.is_empty() {
                div.scroll tabindex="0" role="region" aria-label="Latency by percentile, table" {
                    table.figures {
                        thead { tr {
                            th scope="col" { "Latency" }
                            @for column in &self.columns { th.number scope="col" { (column) } }
                        } }
                        tbody {
                            @for row in &self.rows { (row.render()) }
                        }
                    }
                }
            }
        }
    }

    /// Readings for a pointer: the nearest percentile of every curve.
    pub(super) fn readings(&self) -> Value {
        let x = self.x();
        let mut shares: Vec<f64> = self
            .curves
            .iter()
            .flat_map(|c| &c.points)
            .map(|p| p.share)
            .collect();
        shares.sort_by(f64::total_cmp);
        shares.dedup();
        let reading = |share: f64| {
            let of = |curve: &Curve| {
                let point = curve.points.iter().find(|point| point.share == share)?;
                let bound = if point.at_least { "≥ " } else { "" };
                Some(format!(
                    "{} {bound}{}",
                    curve.name,
                    format::milliseconds(point.ms)
                ))
            };
            let texts: Vec<String> = self.curves.iter().filter_map(of).collect();
            format!("{}: {}", percentile(share), texts.join(" · "))
        };
        let places: Vec<f64> = shares
            .iter()
            .map(|share| thousandth(x.place(*share)))
            .collect();
        json!({ "x": places, "form": "{}", "text": shares.into_iter().map(reading).collect::<Vec<_>>() })
    }
}

impl Curve {
    fn marks(&self, x: &Axis, y: &Axis) -> Markup {
        let place = |point: &CurvePoint| (x.place(point.share), y.place(point.ms));
        let first_bound = self.points.iter().position(|point| point.at_least);
        let solid = &self.points[..first_bound.unwrap_or(self.points.len())];
        // The dashed part starts at the last solid point.
        let dashed = first_bound.map(|first| &self.points[first.saturating_sub(1)..]);
        html! {
            g class=(colour(self.contestant)) {
                path.band d=(self.band(x, y)) {}
                path.curve d=(line_path(solid.iter().map(place))) {}
                @if let Some(points) = dashed {
                    path.curve.bound d=(line_path(points.iter().map(place))) {}
                }
            }
        }
    }

    /// Out along the lower ends, back along the upper ones; a point without an interval is a gap.
    fn band(&self, x: &Axis, y: &Axis) -> String {
        let parts = self.points.split(|point| point.low_ms.is_none());
        let part = |points: &[CurvePoint]| {
            let lower = points
                .iter()
                .map(|p| (x.place(p.share), y.place(p.low_ms.unwrap_or(p.ms))));
            let upper = points.iter().rev().map(|p| {
                (
                    x.place(p.share),
                    y.place(p.high_ms.unwrap_or(f64::INFINITY)),
                )
            });
            format!("{}Z", line_path(lower.chain(upper)))
        };
        parts.filter(|points| points.len() > 1).map(part).collect()
    }
}

impl PercentileRow {
    fn render(&self) -> Markup {
        let bound_from = self.at_least_from.unwrap_or(usize::MAX);
        html! {
            tr {
                th.name.(colour(self.contestant)) scope="row" { (self.name.show()) }
                @for (column, cell) in self.cells.iter().enumerate() {
                    td {
                        @if column >= bound_from && cell.is_some() { "≥ " }
                        (estimate_or_dash(cell.as_ref(), format::milliseconds))
                    }
                }
            }
        }
    }
}

/// `p99.9` for 0.999: two digits of what lies beyond it.
fn percentile(share: f64) -> String {
    let beyond = (1.0 - share) * 100.0;
    let decimals = (1.0 - beyond.log10()).ceil().clamp(0.0, 4.0);
    let scale = 10f64.powf(decimals);
    format!(
        "p{}",
        format::shortest((share * 100.0 * scale).round() / scale)
    )
}

fn thousandth(place: f64) -> f64 {
    (place * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(share: f64, low_ms: Option<f64>, high_ms: Option<f64>) -> CurvePoint {
        CurvePoint {
            share,
            ms: 2.0,
            low_ms,
            high_ms,
            at_least: false,
        }
    }

    fn percentiles(points: &[CurvePoint]) -> Percentiles {
        Percentiles {
            curves: vec![Curve {
                name: "one".to_owned(),
                contestant: 0,
                points: points.to_vec(),
            }],
            band: "95 % interval".to_owned(),
            ..Percentiles::default()
        }
    }

    #[test]
    fn an_open_end_of_an_interval_is_drawn_up_to_the_edge() {
        let caption = "no upper bound";
        let closed = [
            point(0.5, Some(1.0), Some(3.0)),
            point(0.9, Some(1.0), Some(90.0)),
        ];
        assert!(
            !percentiles(&closed)
                .render()
                .into_string()
                .contains(caption)
        );
        let open = [closed[0], closed[1], point(0.99, Some(1.0), None)];
        let open = percentiles(&open);
        let (x, y) = (open.x(), open.y());
        let band = open.curves[0].band(&x, &y);
        let top = line_path([(x.place(0.99), 1.0)].into_iter());
        assert!(band.contains(&top.replace('M', "L")), "{band}");
        assert!(open.render().into_string().contains(caption));
    }

    #[test]
    fn a_point_without_an_interval_interrupts_the_band() {
        let banded = |share| point(share, Some(1.0), Some(3.0));
        let points = [0.1, 0.2, 0.3, 0.5, 0.6].map(banded);
        let parts = |points: &[CurvePoint]| {
            let percentiles = percentiles(points);
            let band = percentiles.curves[0].band(&percentiles.x(), &percentiles.y());
            band.matches('Z').count()
        };
        assert_eq!(parts(&points), 1);
        let mut refused = points;
        refused[2].low_ms = None;
        assert_eq!(parts(&refused), 2);
        refused[3].low_ms = None;
        assert_eq!(parts(&refused), 1);
    }
}
