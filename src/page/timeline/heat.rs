//! The heat map: cells of time and latency, drawn as runs of equal shade.

use std::fmt::Write;

use maud::{Markup, html};

use super::super::axis::Axis;
use super::super::plot::{round, y_axis};
use super::{HEAT_HEIGHT, LatencyCount, Slice, Timeline};
use crate::format;

/// Shades in the style sheet, `h1` to `h7`. A single reply has the first, which can be seen.
pub(in crate::page) const SHADES: usize = 7;

/// Rows of a map: as many for each factor of 10 in latency, but not more than `ROWS_MAX` in all.
const ROWS_PER_DECADE: [f64; 5] = [40.0, 20.0, 10.0, 5.0, 2.0];
const ROWS_MAX: usize = 36;

/// Cells of one timeline.
pub(in crate::page) struct HeatMap {
    /// `10^(row / per_decade)` is the lower edge of a row, counted from `first_row`.
    per_decade: f64,
    first_row: i64,
    rows: usize,
    /// Edges of the columns in lengths of the first, one more than there are columns.
    edges: Vec<f64>,
    /// Replies by column, then by row.
    counts: Vec<Vec<u64>>,
}

impl HeatMap {
    pub(in crate::page) fn new(timeline: &Timeline) -> HeatMap {
        let first = timeline.slices().next();
        let unit = first.map_or(1.0, |(_, slice)| slice.seconds.max(f64::MIN_POSITIVE));
        let starts = timeline.slices().map(|(start, _)| start);
        let ends = std::iter::once(timeline.seconds());
        let edges = starts.chain(ends).map(|seconds| round(seconds / unit));
        let (per_decade, first_row, rows) = rows_of(timeline);
        let row = |ms: f64| (row_of(ms, per_decade) - first_row).clamp(0, rows as i64 - 1);
        let column = |(_, slice): (f64, &Slice)| {
            let mut counts = vec![0; rows];
            for latency in &slice.latencies {
                counts[row(latency.ms) as usize] += latency.count;
            }
            counts
        };
        HeatMap {
            per_decade,
            first_row,
            rows,
            edges: edges.collect(),
            counts: timeline.slices().map(column).collect(),
        }
    }

    fn most(&self) -> u64 {
        self.counts.iter().flatten().copied().max().unwrap_or(0)
    }

    /// 0 for none, else 1 to [`SHADES`], by the logarithm of the count.
    fn shade(count: u64, most: u64) -> usize {
        match (count, most) {
            (0, _) => 0,
            (_, 0..=1) => SHADES,
            (count, most) => {
                let share = (count as f64).ln() / (most as f64).ln();
                1 + (share * (SHADES - 1) as f64).round() as usize
            }
        }
    }

    /// For each shade, the path of its runs: one row high, with the edges of columns as ends.
    fn paths(&self) -> Vec<String> {
        let mut paths = vec![String::new(); SHADES + 1];
        let most = self.most();
        for row in 0..self.rows {
            let shade = |counts: &Vec<u64>| HeatMap::shade(counts[row], most);
            let shades: Vec<usize> = self.counts.iter().map(shade).collect();
            let mut column = 0;
            for run in shades.chunk_by(|a, b| a == b) {
                let (left, right) = (self.edges[column], self.edges[column + run.len()]);
                let y = self.rows - 1 - row;
                // Writing to a string cannot fail.
                let _ = write!(paths[run[0]], "M{left} {y}h{}", round(right - left));
                column += run.len();
            }
        }
        paths
    }

    /// Bytes of the drawing.
    pub(super) fn bytes(&self) -> usize {
        self.paths().iter().map(String::len).sum()
    }

    fn width(&self) -> f64 {
        self.edges.last().copied().unwrap_or(1.0)
    }

    pub(in crate::page) fn render(&self) -> Markup {
        let edge = |row: i64| 10f64.powf(row as f64 / self.per_decade);
        let axis = Axis::log(
            edge(self.first_row),
            edge(self.first_row + self.rows as i64),
        );
        html! {
            (y_axis(&axis, HEAT_HEIGHT, format::shortest))
            svg.heat x="0" y="0" width="100%" height=(HEAT_HEIGHT) preserveAspectRatio="none"
                viewBox={ "0 -0.5 " (self.width()) " " (self.rows) } {
                @for (shade, path) in self.paths().iter().enumerate().skip(1) {
                    @if !path.is_empty() { path class={ "h" (shade) } d=(path) {} }
                }
            }
        }
    }
}

fn row_of(ms: f64, per_decade: f64) -> i64 {
    (ms.max(1e-6).log10() * per_decade).floor() as i64
}

/// Rows for each decade, the first row, and the number of rows.
fn rows_of(timeline: &Timeline) -> (f64, i64, usize) {
    let latencies = || timeline.slices().flat_map(|(_, slice)| &slice.latencies);
    let milliseconds = || latencies().map(|LatencyCount { ms, .. }| *ms);
    let low = milliseconds().fold(f64::INFINITY, f64::min);
    let high = milliseconds().fold(0.0, f64::max);
    if high == 0.0 {
        return (ROWS_PER_DECADE[0], 0, 1);
    }
    let span = |per_decade: f64| {
        let first = row_of(low, per_decade);
        (first, (row_of(high, per_decade) - first + 1) as usize)
    };
    let coarsest = ROWS_PER_DECADE[ROWS_PER_DECADE.len() - 1];
    let fits = |per_decade: &f64| span(*per_decade).1 <= ROWS_MAX;
    let per_decade = ROWS_PER_DECADE.into_iter().find(fits).unwrap_or(coarsest);
    let (first, rows) = span(per_decade);
    (per_decade, first, rows)
}

#[cfg(test)]
mod tests {
    use super::super::TimelineRound;
    use super::*;

    fn timeline(slices: usize, latencies: impl Fn(usize) -> Vec<(f64, u64)>) -> Timeline {
        let slice = |index| Slice {
            seconds: 0.1,
            latencies: latencies(index)
                .into_iter()
                .map(|(ms, count)| LatencyCount { ms, count })
                .collect(),
            ..Slice::default()
        };
        Timeline {
            rounds: vec![TimelineRound {
                slices: (0..slices).map(slice).collect(),
                pauses: Vec::new(),
            }],
            ..Timeline::default()
        }
    }

    /// The row with most replies, for each column; `None` where there is no reply.
    fn ridge(map: &HeatMap) -> Vec<Option<usize>> {
        let top = |column: &Vec<u64>| {
            let row = (0..column.len()).max_by_key(|&row| (column[row], row))?;
            (column[row] > 0).then_some(row)
        };
        map.counts.iter().map(top).collect()
    }

    #[test]
    fn a_stall_is_a_gap_with_a_tall_column_after_it() {
        let map = HeatMap::new(&timeline(40, |slice| match slice {
            20..25 => vec![],
            25 => vec![(1.0, 900), (500.0, 100)],
            _ => vec![(1.0, 1000)],
        }));
        let ridge = ridge(&map);
        assert!(ridge[20..25].iter().all(Option::is_none), "{ridge:?}");
        assert!(map.counts[25][map.rows - 1] > 0);
        assert!(ridge[..20].iter().all(|row| *row == Some(0)));
    }

    #[test]
    fn two_modes_are_two_bands_with_nothing_between() {
        let map = HeatMap::new(&timeline(30, |_| vec![(1.0, 900), (12.0, 90)]));
        let paths = map.paths();
        let drawn = paths.iter().skip(1).filter(|path| !path.is_empty());
        let runs: Vec<&String> = drawn.collect();
        let last = map.rows - 1;
        assert_eq!(runs, ["M0 0h30", &format!("M0 {last}h30")]);
    }

    #[test]
    fn a_drift_is_a_slope() {
        let map = HeatMap::new(&timeline(30, |slice| vec![(1.0 + slice as f64, 1000)]));
        let rows: Vec<usize> = ridge(&map).into_iter().flatten().collect();
        assert!(rows.is_sorted() && rows[0] + 10 < rows[29], "{rows:?}");
    }

    #[test]
    fn a_single_reply_can_be_seen_and_the_most_have_the_last_shade() {
        let most = HeatMap::new(&timeline(2, |_| vec![(1.0, 1), (3.0, 10_000)])).most();
        assert_eq!(HeatMap::shade(0, most), 0);
        assert_eq!(HeatMap::shade(1, most), 1);
        assert_eq!(HeatMap::shade(10_000, most), SHADES);
        assert!(
            (0..10_000)
                .map(|count| HeatMap::shade(count, most))
                .is_sorted()
        );
    }

    #[test]
    fn the_widest_range_keeps_to_the_rows() {
        let map = HeatMap::new(&timeline(2, |_| vec![(0.001, 1), (3_600_000.0, 1)]));
        assert!(map.rows <= ROWS_MAX, "{}", map.rows);
    }
}
