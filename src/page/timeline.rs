//! Latency over time as a heat map, pauses above it, and a strip of due, sent, answered below.

mod heat;
mod strip;

use maud::{Markup, html};
use serde_json::{Value, json};

use self::heat::HeatMap;
pub(super) use self::heat::SHADES;
use super::axis::Axis;
use super::figure::Figure;
use super::plot::{chart, colour, percent, ticks_below};
use crate::format;

/// Columns of all heat maps of a page together, which bounds its size.
const COLUMNS_TOTAL: usize = 480;
const COLUMNS_MAX: usize = 240;
/// Bytes of all heat maps of a page together: noise is dear to draw.
const HEAT_BYTES_TOTAL: usize = 22_000;

/// Height of a lane of pauses above the heat map.
const LANE: f64 = 16.0;
const LANES_GAP: f64 = 8.0;
const HEAT_HEIGHT: f64 = 170.0;
const STRIP_GAP: f64 = 12.0;
const STRIP_HEIGHT: f64 = 48.0;

/// A run, or the rounds of one contestant side by side.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Its name; `None` for a single run.
    pub name: Option<String>,
    /// Its number, for its colour.
    pub contestant: usize,
    /// In the order in which they were held.
    pub rounds: Vec<TimelineRound>,
}

/// One run of a server.
#[derive(Clone, Debug, Default)]
pub struct TimelineRound {
    /// Of equal length but for the last, without gaps.
    pub slices: Vec<Slice>,
    /// In which the client or the server stood still.
    pub pauses: Vec<Pause>,
}

/// Events of a slice of time.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    /// Length, seconds.
    pub seconds: f64,
    /// Requests due; `None` in a closed loop.
    pub due: Option<u64>,
    /// Requests sent.
    pub sent: u64,
    /// Replies received.
    pub answered: u64,
    /// Latencies of those replies, in any order: recorded values of an interval histogram.
    pub latencies: Vec<LatencyCount>,
}

/// Replies with one latency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyCount {
    /// Latency, milliseconds.
    pub ms: f64,
    /// Replies.
    pub count: u64,
}

/// A time in which one side stood still.
#[derive(Clone, Debug)]
pub struct Pause {
    /// The side that stood still.
    pub side: Side,
    /// Seconds after the start of the round.
    pub start_seconds: f64,
    /// Length, milliseconds.
    pub ms: Figure,
}

/// A side of the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The load generator.
    Client,
    /// The server: no reply on any connection.
    Server,
}

impl Timeline {
    fn seconds(&self) -> f64 {
        self.rounds.iter().map(TimelineRound::seconds).sum()
    }

    pub(super) fn is_open_loop(&self) -> bool {
        self.slices().any(|(_, slice)| slice.due.is_some())
    }

    /// Start of each round on the common axis, seconds.
    fn starts(&self) -> Vec<f64> {
        let mut start = 0.0;
        let next = |round: &TimelineRound| {
            let this = start;
            start += round.seconds();
            this
        };
        self.rounds.iter().map(next).collect()
    }

    fn axis(&self) -> Axis {
        Axis::linear(0.0, self.seconds())
    }

    /// All slices with their starts on the common axis.
    fn slices(&self) -> impl Iterator<Item = (f64, &Slice)> {
        let mut start = 0.0;
        self.rounds
            .iter()
            .flat_map(|round| &round.slices)
            .map(move |slice| {
                let this = start;
                start += slice.seconds;
                (this, slice)
            })
    }

    /// The same with neighbours joined, so that `maps` of them keep the page small.
    pub(super) fn reduced(&self, maps: usize) -> Timeline {
        let maps = maps.max(1);
        let columns = (COLUMNS_TOTAL / maps).min(COLUMNS_MAX);
        let longest = self.rounds.iter().map(|round| round.slices.len()).max();
        let mut joined = self.slices().count().div_ceil(columns.max(1)).max(1);
        loop {
            let reduced = self.joined(joined);
            let is_small = HeatMap::new(&reduced).bytes() <= HEAT_BYTES_TOTAL / maps;
            if is_small || longest.is_none_or(|longest| joined >= longest) {
                return reduced;
            }
            joined += joined.div_ceil(4);
        }
    }

    fn joined(&self, slices: usize) -> Timeline {
        let rounds = self.rounds.iter().map(|round| TimelineRound {
            slices: round.slices.chunks(slices).map(Slice::join).collect(),
            pauses: round.pauses.clone(),
        });
        Timeline {
            rounds: rounds.collect(),
            ..self.clone()
        }
    }

    /// Sides that paused; each has a lane.
    fn lanes(&self) -> Vec<Side> {
        let mut sides = vec![Side::Client, Side::Server];
        sides.retain(|side| !self.pauses_of(*side).is_empty());
        sides
    }

    fn heat_top(&self) -> f64 {
        match self.lanes().len() {
            0 => 0.0,
            lanes => lanes as f64 * LANE + LANES_GAP,
        }
    }

    fn strip_top(&self) -> f64 {
        self.heat_top() + HEAT_HEIGHT + STRIP_GAP
    }

    fn height(&self) -> f64 {
        self.strip_top() + STRIP_HEIGHT
    }

    /// Call it on a reduced timeline.
    pub(super) fn render(&self, id: &str) -> Markup {
        let heat = HeatMap::new(self);
        let title = match &self.name {
            Some(name) => format!("Latency over time: {name}"),
            None => "Latency over time".to_owned(),
        };
        let description = "Heat map: time to the right, latency upward on a log axis, darker where \
            more replies lie. Above it the pauses of client and server. Below it requests due, \
            sent and answered in each slice.";
        html! {
            @if let Some(name) = &self.name {
                h3 class=(colour(self.contestant)) { (name) }
            }
            div.plot-area data-hover=(id) data-height=(self.height()) {
                (chart(id, self.height(), &title, description, &html! {
                    (self.pauses())
                    g transform={ "translate(0 " (self.heat_top()) ")" } { (heat.render()) }
                    g transform={ "translate(0 " (self.strip_top()) ")" } { (strip::render(self)) }
                    (self.time_axis())
                }))
            }
        }
    }

    fn time_axis(&self) -> Markup {
        let axis = self.axis();
        html! {
            @if self.rounds.len() == 1 {
                (ticks_below(&axis, self.height(), |s| format!("{} s", format::shortest(s))))
            } @else {
                @for (index, start) in self.starts().into_iter().enumerate() {
                    @let middle = start + self.rounds[index].seconds() / 2.0;
                    @if index > 0 {
                        @let x = percent(axis.place(start));
                        line.cut x1=(x) x2=(x) y1=(self.heat_top()) y2=(self.height()) {}
                    }
                    text.tick.middle x=(percent(axis.place(middle))) y=(self.height() + 16.0) {
                        tspan.wide-only { "round " } (index + 1)
                    }
                }
            }
        }
    }

    /// A lane for each side; the longest pause of each is labelled.
    fn pauses(&self) -> Markup {
        html! {
            @for (lane, side) in self.lanes().into_iter().enumerate() {
                @let middle = lane as f64 * LANE + LANE / 2.0;
                @let pauses = self.pauses_of(side);
                text.tick.end x="-8" y=(middle + 4.0) { (side.name()) }
                @for (start, pause) in &pauses {
                    (self.pause(*start, pause, middle))
                }
                @if let Some((start, pause)) = longest(&pauses) {
                    (self.pause_label(start, pause, middle))
                }
            }
        }
    }

    fn pauses_of(&self, side: Side) -> Vec<(f64, &Pause)> {
        let starts = self.starts();
        std::iter::zip(&self.rounds, starts)
            .flat_map(|(round, start)| {
                let pauses = round.pauses.iter();
                pauses.map(move |pause| (start + pause.start_seconds, pause))
            })
            .filter(|(_, pause)| pause.side == side)
            .collect()
    }

    fn pause(&self, start: f64, pause: &Pause, middle: f64) -> Markup {
        let axis = self.axis();
        let (left, right) = (axis.place(start), axis.place(pause.end(start)));
        html! {
            rect.pause.(pause.side.name()) x=(percent(left)) width=(percent(right - left))
                y=(middle - 4.0) height="8" {
                title data-path=(pause.ms.path()) { (format::milliseconds(pause.ms.value())) }
            }
        }
    }

    fn pause_label(&self, start: f64, pause: &Pause, middle: f64) -> Markup {
        let axis = self.axis();
        let (left, right) = (axis.place(start), axis.place(pause.end(start)));
        let (x, dx, anchor) = match right < 0.7 {
            true => (right, "6", "start"),
            false => (left, "-6", "end"),
        };
        html! {
            text.mark.(pause.side.name()) x=(percent(x)) dx=(dx) y=(middle + 4.0)
                text-anchor=(anchor) data-path=(pause.ms.path()) {
                (format::milliseconds(pause.ms.value()))
            }
        }
    }

    /// Readings for a pointer: the slice under it.
    pub(super) fn readings(&self) -> Value {
        let axis = self.axis();
        let middle = |(start, slice): (f64, &Slice)| {
            let place = axis.place(start + slice.seconds / 2.0);
            (place * 10_000.0).round() / 10_000.0
        };
        let x: Vec<f64> = self.slices().map(middle).collect();
        let text: Vec<String> = self
            .slices()
            .map(|(start, slice)| slice.reading(start))
            .collect();
        let form = "{} s: {} due, {} answered, p50 {}, p99 {}, max {} ms";
        let form = match self.is_open_loop() {
            true => form.to_owned(),
            false => form.replace(" {} due,", ""),
        };
        json!({ "x": x, "form": form, "text": text })
    }
}

fn longest<'a>(pauses: &[(f64, &'a Pause)]) -> Option<(f64, &'a Pause)> {
    let by_length =
        |a: &&(f64, &Pause), b: &&(f64, &Pause)| a.1.ms.value().total_cmp(&b.1.ms.value());
    pauses.iter().max_by(by_length).copied()
}

impl TimelineRound {
    fn seconds(&self) -> f64 {
        self.slices.iter().map(|slice| slice.seconds).sum()
    }
}

impl Pause {
    fn end(&self, start: f64) -> f64 {
        start + self.ms.value() / 1000.0
    }
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Side::Client => "client",
            Side::Server => "server",
        }
    }
}

impl Slice {
    fn join(slices: &[Slice]) -> Slice {
        Slice {
            seconds: slices.iter().map(|slice| slice.seconds).sum(),
            due: slices.iter().map(|slice| slice.due).sum(),
            sent: slices.iter().map(|slice| slice.sent).sum(),
            answered: slices.iter().map(|slice| slice.answered).sum(),
            latencies: slices
                .iter()
                .flat_map(|slice| slice.latencies.clone())
                .collect(),
        }
    }

    /// Values that fill the form of the readings, between bars.
    fn reading(&self, start: f64) -> String {
        let mut sorted = self.latencies.clone();
        sorted.sort_by(|a, b| a.ms.total_cmp(&b.ms));
        let latency = |share: f64| {
            let text = quantile(&sorted, share).map(format::milliseconds);
            format::or_dash(text.map(|text| text.trim_end_matches(" ms").to_owned()))
        };
        let mut parts = vec![format!("{start:.2}")];
        parts.extend(self.due.map(format::count));
        parts.push(format::count(self.answered));
        parts.extend([0.5, 0.99, 1.0].map(latency));
        parts.join("|")
    }
}

/// By nearest rank.
fn quantile(sorted: &[LatencyCount], share: f64) -> Option<f64> {
    let total: u64 = sorted.iter().map(|latency| latency.count).sum();
    let rank = (share * total as f64).ceil().max(1.0) as u64;
    let mut seen = 0;
    sorted
        .iter()
        .find(|latency| {
            seen += latency.count;
            seen >= rank
        })
        .map(|latency| latency.ms)
}
