//! Rates per second: windows of one second, each divided by its real length.
//!
//! A window without a reply counts as 0. The last window may be shorter. If it is shorter than half
//! a second, it is merged into the one before, so that a few replies in a few milliseconds do not
//! count as a second.

use std::time::Duration;

use crate::event_loop::Time;

/// Nominal length of a window.
pub(crate) const WINDOW: Duration = Duration::from_secs(1);
const NS_PER_SECOND: f64 = 1e9;

/// Replies and bytes of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    ns: u64,
    replies: u64,
    bytes: u64,
}

/// The windows of a run: 24 bytes a second.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    closed: Vec<Window>,
    began: Time,
    /// Totals of the run when the open window began.
    replies_before: u64,
    bytes_before: u64,
}

impl Windows {
    pub(super) fn starting(now: Time) -> Windows {
        Windows {
            closed: Vec::new(),
            began: now,
            replies_before: 0,
            bytes_before: 0,
        }
    }

    /// End of the open window.
    pub(super) fn due(&self) -> Time {
        self.began + WINDOW
    }

    /// Closes the open window if it is full; takes the run's totals so far.
    pub(super) fn turn(&mut self, now: Time, replies: u64, bytes: u64) {
        if now >= self.due() {
            self.close(now, replies, bytes);
        }
    }

    /// Closes the open window as it is.
    pub(super) fn finish(&mut self, now: Time, replies: u64, bytes: u64) {
        if now > self.began || !self.closed.is_empty() {
            self.close(now, replies, bytes);
        }
    }

    /// Adds the windows of another worker of the same run, one by one. Their ends differ by a turn
    /// of the loop; the longer of two counts for both.
    pub(super) fn add(&mut self, other: &Windows) {
        for (window, others) in self.closed.iter_mut().zip(&other.closed) {
            window.ns = window.ns.max(others.ns);
            window.replies += others.replies;
            window.bytes += others.bytes;
        }
        let more = other.closed.iter().skip(self.closed.len());
        self.closed.extend(more);
    }

    fn close(&mut self, now: Time, replies: u64, bytes: u64) {
        self.closed.push(Window {
            ns: now.ns_since(self.began),
            replies: replies - self.replies_before,
            bytes: bytes - self.bytes_before,
        });
        self.begin(now, replies, bytes);
    }

    fn begin(&mut self, now: Time, replies: u64, bytes: u64) {
        self.began = now;
        self.replies_before = replies;
        self.bytes_before = bytes;
    }

    /// The windows, with a last one that is short as a part of the one before it.
    fn whole(&self) -> Vec<Window> {
        let mut windows = self.closed.clone();
        if let [.., before, last] = &mut windows[..]
            && u128::from(last.ns) * 2 < WINDOW.as_nanos()
        {
            before.ns += last.ns;
            before.replies += last.replies;
            before.bytes += last.bytes;
            windows.pop();
        }
        windows
    }

    /// Leaves out the windows that began before `start`, but never all of them.
    pub(crate) fn without_start(&mut self, start: Duration) {
        self.closed = self.whole();
        let mut began_ns = 0;
        let before = self.closed.iter().take_while(|window| {
            let is_before = began_ns < start.as_nanos() as u64;
            began_ns += window.ns;
            is_before
        });
        let left_out = before.count().min(self.closed.len().saturating_sub(1));
        self.closed.drain(..left_out);
    }

    /// Replies per second, window by window.
    pub(crate) fn reply_rates(&self) -> Vec<f64> {
        self.rates(|window| window.replies)
    }

    /// Bytes per second, window by window.
    pub(crate) fn byte_rates(&self) -> Vec<f64> {
        self.rates(|window| window.bytes)
    }

    fn rates(&self, what: impl Fn(&Window) -> u64) -> Vec<f64> {
        let rate = |window: &Window| what(window) as f64 * NS_PER_SECOND / window.ns.max(1) as f64;
        self.whole().iter().map(rate).collect()
    }
}

/// Summary of a few rates. All zero for none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    sorted: Vec<f64>,
    pub(crate) mean: f64,
    /// Standard deviation of the population.
    pub(crate) stdev: f64,
}

impl Summary {
    pub(crate) fn of(mut values: Vec<f64>) -> Summary {
        values.sort_by(f64::total_cmp);
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        Summary {
            sorted: values,
            mean,
            stdev: variance.sqrt(),
        }
    }

    /// The least value with at least `quantile` of all values at or below it.
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        let rank = (quantile * self.sorted.len() as f64 - 1e-9).ceil() as usize;
        self.sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
    }

    pub(crate) fn min(&self) -> f64 {
        self.sorted.first().copied().unwrap_or(0.0)
    }

    pub(crate) fn max(&self) -> f64 {
        self.sorted.last().copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: u64) -> Time {
        Time::from_ns(ms * 1_000_000)
    }

    #[test]
    fn a_window_is_divided_by_its_real_length() {
        let mut windows = Windows::starting(at_ms(500));
        windows.turn(at_ms(1499), 90, 900);
        windows.turn(at_ms(1750), 100, 1000);
        windows.turn(at_ms(2750), 150, 1100);
        assert_eq!(windows.reply_rates(), [80.0, 50.0]);
        assert_eq!(windows.byte_rates(), [800.0, 100.0]);
    }

    /// Both reply 10,000 times a second. The rest of one is short, that of the other is not.
    #[test]
    fn the_ends_of_two_workers_may_lie_on_both_sides_of_half_a_second() {
        let worker = |ended_ms: u64| {
            let mut windows = Windows::starting(at_ms(0));
            windows.turn(at_ms(1000), 10_000, 0);
            windows.turn(at_ms(2000), 20_000, 0);
            windows.finish(at_ms(ended_ms), ended_ms * 10, 0);
            windows
        };
        for (one, other) in [(2450, 2550), (2550, 2450)] {
            let mut all = worker(one);
            all.add(&worker(other));
            let rates = all.reply_rates();
            assert_eq!(rates.len(), 3);
            // 4,500 and 5,500 replies in 0.55 s.
            assert!((rates[2] - 18_181.8).abs() < 0.1, "{rates:?}");
        }
    }

    #[test]
    fn a_silent_second_counts_as_zero() {
        let mut windows = Windows::starting(at_ms(0));
        windows.turn(at_ms(1000), 10, 1);
        windows.turn(at_ms(2000), 10, 1);
        windows.turn(at_ms(3000), 20, 2);
        assert_eq!(windows.reply_rates(), [10.0, 0.0, 10.0]);
    }

    #[test]
    fn a_short_rest_is_merged_and_a_long_one_stands_alone() {
        let mut short = Windows::starting(at_ms(0));
        short.turn(at_ms(1000), 100, 0);
        short.finish(at_ms(1250), 150, 0);
        assert_eq!(short.reply_rates(), [120.0]);
        let mut long = Windows::starting(at_ms(0));
        long.turn(at_ms(1000), 100, 0);
        long.finish(at_ms(1500), 125, 0);
        assert_eq!(long.reply_rates(), [100.0, 50.0]);
        let mut only = Windows::starting(at_ms(0));
        only.finish(at_ms(100), 5, 0);
        assert_eq!(only.reply_rates(), [50.0]);
    }

    #[test]
    fn a_summary_is_exact() {
        let summary = Summary::of(vec![9.0, 2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0]);
        assert_eq!((summary.mean, summary.stdev), (5.0, 2.0));
        assert_eq!((summary.min(), summary.max()), (2.0, 9.0));
        assert_eq!(summary.quantile(0.5), 4.0);
        assert_eq!(summary.quantile(0.01), 2.0);
        assert_eq!(summary.quantile(0.975), 9.0);
        assert_eq!(Summary::of(Vec::new()).quantile(0.5), 0.0);
    }

    #[test]
    fn a_start_that_is_left_out_takes_whole_windows_with_it() {
        let windows = || {
            let mut windows = Windows::starting(at_ms(0));
            (1..=4).for_each(|second| windows.turn(at_ms(second * 1000), second * second, 0));
            windows
        };
        for (start_ms, rates) in [
            (0, &[1.0, 3.0, 5.0, 7.0][..]),
            (500, &[3.0, 5.0, 7.0]),
            (1000, &[3.0, 5.0, 7.0]),
            (1001, &[5.0, 7.0]),
            (9000, &[7.0]),
        ] {
            let mut windows = windows();
            windows.without_start(Duration::from_millis(start_ms));
            assert_eq!(windows.reply_rates(), rates, "{start_ms} ms");
        }
    }

    #[test]
    fn a_short_rest_brings_its_replies_and_bytes_to_the_last_window() {
        let mut windows = Windows::starting(at_ms(0));
        windows.turn(at_ms(1000), 100, 10);
        windows.turn(at_ms(2000), 150, 30);
        windows.finish(at_ms(2250), 200, 40);
        assert_eq!(windows.reply_rates(), [100.0, 80.0]);
        assert_eq!(windows.byte_rates(), [10.0, 24.0]);
    }

    #[test]
    fn the_windows_of_workers_add_up_one_by_one() {
        let run = |ends: [u64; 3]| {
            let mut windows = Windows::starting(at_ms(0));
            for (n, end) in (1_u64..).zip(ends) {
                windows.turn(at_ms(end), n * 100, n * 1000);
            }
            windows
        };
        let mut all = run([1000, 2010, 2010]);
        all.add(&run([1010, 2010, 3010]));
        let window = |ms: u64, replies: u64| Window {
            ns: ms * 1_000_000,
            replies,
            bytes: replies * 10,
        };
        let expected = [window(1010, 200), window(1010, 200), window(1000, 100)];
        assert_eq!(all.closed, expected);
    }
}
