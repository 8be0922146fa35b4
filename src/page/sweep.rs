//! Latency and throughput of a server against load, with rising and with falling load.

use maud::{Markup, html};

use super::axis::Axis;
use super::figure::{Estimate, Figure, count, estimate_or_dash, or_dash};
use super::plot::{chart, colour, line_path, percent, round, stretched, x_axis, y_axis};
use crate::format;

const HEIGHT: f64 = 200.0;
/// Least distance of two labels, in pixels.
const LABEL_LINE: f64 = 14.0;

/// One contestant under rising and falling load.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Its name; `None` for a single server.
    pub name: Option<String>,
    /// Its number, for its colour.
    pub contestant: usize,
    /// The setting that was varied.
    pub variable: SweepVariable,
    /// In the order in which they were measured.
    pub points: Vec<SweepPoint>,
    /// The bars' name: `95 % intervals`.
    pub bars: String,
    /// The load above which the objective no longer holds.
    pub knee: Option<Estimate>,
    /// The name of the knee's bounds: `95 % interval`.
    pub knee_bounds: String,
}

/// The setting that a sweep varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepVariable {
    /// Requests due per second.
    OfferedPerSecond,
    /// Connections kept open at once.
    Connections,
    /// Requests in flight on each connection.
    Pipelining,
}

/// A step of a sweep.
#[derive(Clone, Debug)]
pub struct SweepPoint {
    /// The way the load went before this step.
    pub walk: Walk,
    /// The load, in the unit of the variable.
    pub load: Figure,
    /// Replies per second.
    pub achieved_per_second: Option<Estimate>,
    /// Median latency, milliseconds.
    pub p50_ms: Option<Estimate>,
    /// 99th percentile, milliseconds.
    pub p99_ms: Option<Estimate>,
    /// The first of the two that is only a lower bound.
    pub at_least_from: Option<SweepPercentile>,
    /// Errors; `None` if they were not counted.
    pub errors: Option<Figure>,
}

/// A percentile of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SweepPercentile {
    /// The median.
    P50,
    /// The 99th.
    P99,
}

/// The way the load went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// It rose.
    Up,
    /// It fell.
    Down,
}

impl SweepVariable {
    fn words(self) -> &'static str {
        match self {
            SweepVariable::OfferedPerSecond => "offered requests/s",
            SweepVariable::Connections => "connections",
            SweepVariable::Pipelining => "requests in flight per connection",
        }
    }
}

impl Walk {
    fn class(self) -> &'static str {
        match self {
            Walk::Up => "up",
            Walk::Down => "down",
        }
    }
}

fn ends(estimate: &Estimate) -> [f64; 3] {
    let end = |end: &Option<Figure>| end.as_ref().unwrap_or(&estimate.value).value();
    [
        estimate.value.value(),
        end(&estimate.low),
        end(&estimate.high),
    ]
}

impl Sweep {
    fn x(&self) -> Axis {
        let loads = self.points.iter().map(|point| point.load.value());
        match self.variable {
            SweepVariable::OfferedPerSecond => Axis::linear_from_zero(loads),
            SweepVariable::Connections | SweepVariable::Pipelining => Axis::log_around(loads),
        }
    }

    pub(super) fn render(&self, id: &str) -> Markup {
        html! {
            @if let Some(name) = &self.name { h3 class=(colour(self.contestant)) { (name) } }
            @if let Some(knee) = &self.knee {
                p {
                    "Knee: " strong { (knee.value.show(format::rate)) }
                    " " (self.variable.words())
                    @if knee.low.is_some() {
                        " (" (self.knee_bounds) " " (knee.show_interval(format::rate)) ")"
                    }
                    "."
                }
            }
            p.caption { "Bars: " (self.bars) "." }
            div.pair {
                div.plot-area { (self.latency_chart(&format!("{id}-latency"))) }
                div.plot-area { (self.achieved_chart(&format!("{id}-achieved"))) }
            }
            (self.table())
        }
    }

    fn latency_chart(&self, id: &str) -> Markup {
        let x = self.x();
        let both = self
            .points
            .iter()
            .flat_map(|p| [&p.p50_ms, &p.p99_ms])
            .flatten();
        let y = Axis::log_around(both.flat_map(ends));
        let content = html! {
            (y_axis(&y, HEIGHT, format::shortest))
            (x_axis(&x, HEIGHT, short))
            (self.knee_mark(&x, HEIGHT))
            (self.series(&x, &y, HEIGHT, |point| point.p50_ms.as_ref()))
            (self.series(&x, &y, HEIGHT, |point| point.p99_ms.as_ref()))
            (self.labels(&x, &y))
        };
        let title = format!("p50 and p99 in ms against {}", self.variable.words());
        html! {
            p.chart-title { (title) }
            (chart(id, HEIGHT, &title, "Both with rising and with falling load. The table \
                below holds the figures.", &content))
        }
    }

    fn achieved_chart(&self, id: &str) -> Markup {
        let x = self.x();
        let achieved = self
            .points
            .iter()
            .filter_map(|p| p.achieved_per_second.as_ref());
        let y = Axis::linear_from_zero(achieved.flat_map(ends));
        let diagonal = html! {
            @if self.variable == SweepVariable::OfferedPerSecond {
                @let end = f64::min(x.end(), y.end());
                path.diagonal d=(line_path([0.0, end].into_iter()
                    .map(|rate| (x.place(rate), y.place(rate))))) {}
            }
        };
        let content = html! {
            (y_axis(&y, HEIGHT, short))
            (x_axis(&x, HEIGHT, short))
            (stretched(HEIGHT, &diagonal))
            (self.knee_mark(&x, HEIGHT))
            (self.series(&x, &y, HEIGHT, |p| p.achieved_per_second.as_ref()))
        };
        let title = format!("Replies/s against {}", self.variable.words());
        html! {
            p.chart-title { (title) }
            (chart(id, HEIGHT, &title, "The thin diagonal is where every request is \
                answered in time.", &content))
        }
    }

    fn knee_mark(&self, x: &Axis, height: f64) -> Markup {
        html! {
            @if let Some(knee) = &self.knee {
                @let [value, low, high] = ends(knee).map(|rate| x.place(rate));
                rect.same x=(percent(low)) width=(percent(high - low)) y="0" height=(height) {}
                line.one x1=(percent(value)) x2=(percent(value)) y1="0" y2=(height) {}
            }
        }
    }

    /// One line and its dots and bars for each walk.
    fn series<'a>(
        &'a self,
        x: &Axis,
        y: &Axis,
        height: f64,
        of: impl Fn(&'a SweepPoint) -> Option<&'a Estimate>,
    ) -> Markup {
        let points = |walk: Walk| -> Vec<(f64, &Estimate)> {
            let walked = self.points.iter().filter(|point| point.walk == walk);
            walked
                .filter_map(|point| Some((x.place(point.load.value()), of(point)?)))
                .collect()
        };
        html! {
            @for walk in [Walk::Up, Walk::Down] {
                @let points = points(walk);
                g class=(walk.class()) {
                    @let places = points.iter().map(|(at, e)| (*at, y.place(e.value.value())));
                    (stretched(height, &html! { path.curve d=(line_path(places)) {} }))
                    @for (at, estimate) in &points { (point(*at, estimate, y, height)) }
                }
            }
        }
    }

    /// Names of the two lines at the first point: p99 above its bar and p50 below its own, so that
    /// they stay apart where the bars meet.
    fn labels(&self, x: &Axis, y: &Axis) -> Markup {
        let first = self.points.iter().find(|point| point.walk == Walk::Up);
        let Some(point) = first else {
            return html! {};
        };
        let at = percent(x.place(point.load.value()));
        let ends_of = |estimate: &Option<Estimate>| estimate.as_ref().map(ends);
        let pixels = |ms: f64| HEIGHT * (1.0 - y.place(ms));
        let p50 = ends_of(&point.p50_ms).map(|[_, low, _]| pixels(low) + 17.0);
        let p50 = p50.map(|place| place.min(HEIGHT - 4.0));
        let p99 = ends_of(&point.p99_ms).map(|[_, _, high]| pixels(high) - 9.0);
        let p99 = p99.map(|place| place.min(p50.unwrap_or(HEIGHT) - LABEL_LINE));
        html! {
            @for (name, place) in [("p50", p50), ("p99", p99)] {
                @if let Some(place) = place {
                    text.label.middle x=(at) y=(round(place)) { (name) }
                }
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            div.scroll tabindex="0" role="region" aria-label="Sweep, table" {
                table.figures {
                    thead { tr {
                        th scope="col" { (self.variable.words()) }
                        th scope="col" { "walk" }
                        th.number scope="col" { "replies/s" }
                        th.number scope="col" { "p50" }
                        th.number scope="col" { "p99" }
                        th.number scope="col" { "errors" }
                    } }
                    tbody {
                        @for point in &self.points {
                            tr {
                                th scope="row" { (point.load.show(format::rate)) }
                                td.words.(point.walk.class()) { (point.walk.class()) }
                                td { (estimate_or_dash(point.achieved_per_second.as_ref(), format::rate)) }
                                td { (point.percentile(SweepPercentile::P50)) }
                                td { (point.percentile(SweepPercentile::P99)) }
                                td { (or_dash(point.errors.as_ref(), count)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

impl SweepPoint {
    /// The cell of a percentile.
    fn percentile(&self, which: SweepPercentile) -> Markup {
        let figure = match which {
            SweepPercentile::P50 => &self.p50_ms,
            SweepPercentile::P99 => &self.p99_ms,
        };
        let is_bound = self.at_least_from.is_some_and(|first| which >= first);
        html! {
            @if is_bound && figure.is_some() { "≥ " }
            (estimate_or_dash(figure.as_ref(), format::milliseconds))
        }
    }
}

fn point(at: f64, estimate: &Estimate, y: &Axis, height: f64) -> Markup {
    let [value, low, high] = ends(estimate).map(|v| round(height * (1.0 - y.place(v))));
    let at = percent(at);
    html! {
        line.bar x1=(at) x2=(at) y1=(low) y2=(high) {}
        circle.point cx=(at) cy=(value) r="3.5" {}
    }
}

/// `20k` for 20,000.
fn short(value: f64) -> String {
    match value {
        1000.0.. => format::rounded_count(value.round() as u64),
        _ => format::shortest(value),
    }
}
