//! The strip: requests due, sent and answered for each slice, as rates.

use std::fmt::Write;

use maud::{Markup, html};

use super::super::axis::Axis;
use super::super::plot::{UNITS, round, stretched};
use super::{STRIP_HEIGHT, Slice, Timeline};
use crate::format;

pub(super) fn render(timeline: &Timeline) -> Markup {
    let rate = |slice: &Slice, count: u64| match slice.seconds > 0.0 {
        true => count as f64 / slice.seconds,
        false => 0.0,
    };
    let answered = |slice: &Slice| rate(slice, slice.answered);
    let sent = |slice: &Slice| rate(slice, slice.sent);
    let due = |slice: &Slice| rate(slice, slice.due.unwrap_or(0));
    let all = timeline
        .slices()
        .flat_map(|(_, slice)| [answered(slice), sent(slice), due(slice)]);
    let axis = Axis::linear_from_zero(all);
    let curves = html! {
        path.answered d={ (steps(timeline, &axis, answered)) "V" (UNITS) "H0Z" } {}
        path.sent d=(steps(timeline, &axis, sent)) {}
        @if timeline.is_open_loop() { path.due d=(steps(timeline, &axis, due)) {} }
    };
    let top = axis.ticks(3).last().copied().unwrap_or(0.0);
    let y = round(STRIP_HEIGHT * (1.0 - axis.place(top)));
    html! {
        (stretched(STRIP_HEIGHT, &curves))
        line.frame x1="0" x2="100%" y1=(STRIP_HEIGHT) y2=(STRIP_HEIGHT) {}
        @if top > 0.0 {
            line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
            text.tick.end x="-8" y=(y + 4.0) { (format::rounded_count(top as u64)) "/s" }
        }
    }
}

/// A line with one step for each slice, in whole units; a level that stays is one step.
fn steps(timeline: &Timeline, axis: &Axis, rate: impl Fn(&Slice) -> f64) -> String {
    let time = timeline.axis();
    let mut path = String::new();
    let mut level = None;
    for (start, slice) in timeline.slices() {
        let y = ((1.0 - axis.place(rate(slice))) * UNITS).round();
        if level == Some(y) {
            continue;
        }
        let x = (time.place(start) * UNITS).round();
        // Writing to a string cannot fail.
        let _ = match level {
            None => write!(path, "M{x} {y}"),
            Some(_) => write!(path, "H{x}V{y}"),
        };
        level = Some(y);
    }
    match level {
        None => "M0 1000".to_owned(),
        Some(_) => format!("{path}H{UNITS}"),
    }
}
