//! The progress line: elapsed time, rate so far, errors; on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::load::{Progress, Until};

/// A line on stderr that overwrites itself, or nothing.
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
        // The template is ours; were it wrong, indicatif's own would do.
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
    let rate = if seconds > 0.0 {
        progress.completed as f64 / seconds
    } else {
        0.0
    };
    let errors = progress.errors;
    format!("{seconds:.1}s, {rate:.0} req/s, {errors} errors")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_elapsed_rate_and_errors() {
        let progress = |ms, completed| Progress {
            elapsed: Duration::from_millis(ms),
            completed,
            errors: 3,
        };
        assert_eq!(message(progress(2500, 5000)), "2.5s, 2000 req/s, 3 errors");
        assert_eq!(message(progress(0, 0)), "0.0s, 0 req/s, 3 errors");
    }
}
