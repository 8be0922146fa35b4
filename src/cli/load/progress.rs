//! The progress line: share done, elapsed time, rate, errors and error replies so far; on a
//! terminal only.

use crate::cli::live::LiveBlock;
use crate::format::{plural, rate};
use crate::load::{Progress, RunPhase, Until};

const BAR_COLUMNS: usize = 20;

/// A line on stderr that is drawn in place, or nothing.
pub(super) struct ProgressLine {
    status: LiveBlock,
    until: Until,
}

impl ProgressLine {
    pub(super) fn new(until: Until, shown: bool) -> ProgressLine {
        ProgressLine {
            status: LiveBlock::new(shown),
            until,
        }
    }

    pub(super) fn show(&mut self, progress: Progress) {
        let done = match self.until {
            Until::Duration(duration) => progress.elapsed.as_secs_f64() / duration.as_secs_f64(),
            Until::Amount(amount) => progress.completed as f64 / amount as f64,
        };
        self.status.show_line(&match progress.phase {
            RunPhase::WarmUp => format!("warming up {}", message(progress)),
            RunPhase::Run => line(done, progress),
        });
    }

    pub(super) fn clear(&mut self) {
        self.status.clear();
    }
}

fn line(done: f64, progress: Progress) -> String {
    let done = done.clamp(0.0, 1.0);
    let filled = (done * BAR_COLUMNS as f64) as usize;
    format!(
        "running [{:<BAR_COLUMNS$}] {:.0}% {}",
        "=".repeat(filled),
        (done * 100.0).floor(),
        message(progress)
    )
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
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_bar_is_as_long_as_what_is_done() {
        let progress = Progress {
            phase: RunPhase::Run,
            elapsed: Duration::from_millis(2500),
            completed: 5000,
            errors: 0,
            unexpected_statuses: 0,
        };
        for (done, drawn) in [
            (0.0, "running [                    ] 0% 2.5 s, "),
            (0.259, "running [=====               ] 25% 2.5 s, "),
            (1.2, "running [====================] 100% 2.5 s, "),
        ] {
            let line = line(done, progress);
            assert!(line.starts_with(drawn), "{line}");
        }
    }

    #[test]
    fn the_message_has_time_rate_and_what_went_wrong() {
        let progress = |ms, completed, errors, unexpected_statuses| {
            message(Progress {
                phase: RunPhase::Run,
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
