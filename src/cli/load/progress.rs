//! The progress line: elapsed time, rate, errors and error replies so far; on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::format::{plural, rate};
use crate::load::{Progress, Until};

/// A line on stderr that is drawn in place, or nothing.
pub(super) struct ProgressLine {
    bar: ProgressBar,
    until: Until,
}

impl ProgressLine {
    pub(super) fn new(until: Until, shown: bool) -> ProgressLine {
        let bar = if shown {
            ProgressBar::new(length(until))
        } else {
            ProgressBar::hidden()
        };
        // The template is constant; if it were wrong, indicatif's own would do.
        if let Ok(style) = ProgressStyle::with_template("running [{bar:20}] {percent}% {msg}") {
            bar.set_style(style.progress_chars("== "));
        }
        ProgressLine { bar, until }
    }

    pub(super) fn show(&mut self, progress: Progress) {
        self.bar.set_position(match self.until {
            Until::Duration(_) => millis(progress.elapsed),
            Until::Amount(_) => progress.completed,
        });
        self.bar.set_message(message(progress));
    }

    pub(super) fn clear(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn length(until: Until) -> u64 {
    match until {
        Until::Duration(duration) => millis(duration),
        Until::Amount(amount) => amount,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn message(progress: Progress) -> String {
    let seconds = progress.elapsed.as_secs_f64();
    let per_second = if seconds > 0.0 {
        progress.completed as f64 / seconds
    } else {
        0.0
    };
    let mut message = format!("{seconds:.1} s, {} req/s", rate(per_second.round()));
    for (number, one) in [
        (progress.errors, "error"),
        (progress.unexpected_statuses, "error reply"),
    ] {
        if number > 0 {
            message += &format!(", {}", plural(number, one));
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_has_time_rate_and_what_went_wrong() {
        let progress = |ms, completed, errors, unexpected_statuses| {
            message(Progress {
                elapsed: Duration::from_millis(ms),
                completed,
                errors,
                unexpected_statuses,
            })
        };
        assert_eq!(progress(2500, 5000, 0, 0), "2.5 s, 2,000 req/s");
        assert_eq!(
            progress(2500, 5000, 1, 1400),
            "2.5 s, 2,000 req/s, 1 error, 1,400 error replies"
        );
        assert_eq!(progress(0, 0, 0, 0), "0.0 s, 0 req/s");
    }
}
