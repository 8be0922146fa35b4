//! Parts that all charts share: places in per cent, grid lines with tick labels, marks.
//!
//! A chart has no `viewBox`. Its height is fixed, its width is that of the page, and places along
//! it are per cent, so that text and dots keep their size on a telephone and on a large screen.
//! Curves lie in a nested, stretched `svg` of [`UNITS`] by [`UNITS`].

use maud::{Markup, PreEscaped, html};

use super::axis::Axis;
use super::figure::Figure;

/// Width and height of the stretched area that curves are drawn in.
pub(super) const UNITS: f64 = 1000.0;

/// Labels at most along the width of a large screen, and of a telephone.
const X_TICKS_WIDE: usize = 9;
const X_TICKS_NARROW: usize = 4;
const Y_TICKS: usize = 6;

/// A place between 0 and 1 as per cent.
pub(super) fn percent(place: f64) -> String {
    format!("{:.2}%", place * 100.0)
}

/// A colour class for the contestant with this number.
pub(super) fn colour(contestant: usize) -> String {
    format!("c{}", contestant % COLOURS)
}

/// Colours of contestants in the style sheet, `c0` to `c7`.
const COLOURS: usize = 8;

/// Vertical grid lines, with their labels below.
pub(super) fn x_axis(axis: &Axis, height: f64, text: impl Fn(f64) -> String) -> Markup {
    html! {
        @for tick in axis.ticks(X_TICKS_WIDE) {
            @let x = percent(axis.place(tick));
            line.grid x1=(x) x2=(x) y1="0" y2=(height) {}
        }
        (labels(axis, height + 16.0, text))
    }
}

/// Short ticks below `y`, with their labels: for charts that grid lines would cover.
pub(super) fn ticks_below(axis: &Axis, y: f64, text: impl Fn(f64) -> String) -> Markup {
    html! {
        @for tick in axis.ticks(X_TICKS_WIDE) {
            @let x = percent(axis.place(tick));
            line.frame x1=(x) x2=(x) y1=(y) y2=(y + 5.0) {}
        }
        (labels(axis, y + 18.0, text))
    }
}

/// Some labels are for wide screens only.
fn labels(axis: &Axis, y: f64, text: impl Fn(f64) -> String) -> Markup {
    let narrow = axis.ticks(X_TICKS_NARROW);
    html! {
        @for tick in axis.ticks(X_TICKS_WIDE) {
            text.tick.middle.wide-only[!narrow.contains(&tick)]
                x=(percent(axis.place(tick))) y=(y) { (text(tick)) }
        }
    }
}

/// Horizontal grid lines, with their labels on the left.
pub(super) fn y_axis(axis: &Axis, height: f64, text: impl Fn(f64) -> String) -> Markup {
    html! {
        @for tick in axis.ticks(Y_TICKS) {
            @let y = height * (1.0 - axis.place(tick));
            line.grid x1="0" x2="100%" y1=(round(y)) y2=(round(y)) {}
            text.tick.end x="-8" y=(round(y + 4.0)) { (text(tick)) }
        }
    }
}

/// A stretched area of [`UNITS`] by [`UNITS`] for curves.
pub(super) fn stretched(height: f64, content: &Markup) -> Markup {
    html! {
        svg x="0" y="0" width="100%" height=(height) viewBox={ "0 0 " (UNITS) " " (UNITS) }
            preserveAspectRatio="none" { (content) }
    }
}

/// A dot for a round, which a pointer can read.
pub(super) fn dot(x: f64, y: f64, figure: &Figure, text: &str) -> Markup {
    html! {
        circle.round cx=(percent(x)) cy=(y) r="3" {
            title data-path=(figure.path()) { (text) }
        }
    }
}

/// Path through points of a stretched area, in whole units.
pub(super) fn line_path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        path.push(if path.is_empty() { 'M' } else { 'L' });
        path.push_str(&format!("{:.0} {:.0}", x * UNITS, (1.0 - y) * UNITS));
    }
    path
}

/// Places for labels of one line height each, as near to the wished places as they can be
/// without overlap; all in pixels from the top.
pub(super) fn spread(wished: &[f64], line: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wished.len()).collect();
    order.sort_by(|&a, &b| wished[a].total_cmp(&wished[b]));
    let mut places = vec![0.0; wished.len()];
    let mut next = f64::NEG_INFINITY;
    for &index in &order {
        places[index] = wished[index].max(next);
        next = places[index] + line;
    }
    let mut limit = bottom;
    for &index in order.iter().rev() {
        places[index] = f64::min(places[index], limit);
        limit = places[index] - line;
    }
    places
}

/// One decimal is enough for a pixel.
pub(super) fn round(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}

/// A chart with its title and description for those who cannot see it.
pub(super) fn chart(
    id: &str,
    height: f64,
    title: &str,
    description: &str,
    content: &Markup,
) -> Markup {
    let labelled = format!("{id}-title {id}-text");
    html! {
        svg.chart #(id) role="img" aria-labelledby=(labelled) width="100%" height=(height) {
            title id={ (id) "-title" } { (title) }
            desc id={ (id) "-text" } { (description) }
            (content)
        }
    }
}

/// JSON that may stand inside a `script` element.
pub(super) fn json(value: &impl serde::Serialize) -> Markup {
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    PreEscaped(
        text.replace('<', "\\u003c")
            .replace('\u{2028}', "\\u2028")
            .replace('\u{2029}', "\\u2029"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_distance_and_their_order() {
        let wished = [50.0, 52.0, 51.0, 10.0, 99.0, 98.0];
        let places = spread(&wished, 14.0, 100.0);
        let mut sorted = places.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 13.99));
        assert!(places.iter().all(|place| *place <= 100.0));
        assert!(places[0] < places[2] && places[2] < places[1]);
        assert_eq!(places[3], 10.0);
        assert_eq!(spread(&[0.0, 0.0, 0.0], 14.0, 100.0), [0.0, 14.0, 28.0]);
    }
}
