//! CPU time that the system withheld from this client. Only Linux reports it.

use std::fs;
use std::time::Duration;

/// Length of a tick of /proc/stat: 1 / `USER_HZ`, which is 100 on nearly every architecture.
const TICK_MS: u64 = 10;

/// Time for which this client could have run and did not. `None` where the system does not report
/// it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::load) struct Withheld {
    /// This thread was ready to run, and waited for a core.
    pub(in crate::load) run_delay: Option<Duration>,
    /// The host of this virtual machine ran something else: the sum over all cores.
    pub(in crate::load) steal: Option<Duration>,
}

impl Withheld {
    /// The sums since the start of this thread and of the system.
    pub(in crate::load) fn so_far() -> Withheld {
        let read = |path| fs::read_to_string(path).ok();
        Withheld {
            run_delay: read("/proc/thread-self/schedstat").and_then(|text| run_delay(&text)),
            steal: read("/proc/stat").and_then(|text| steal(&text)),
        }
    }

    /// The part of it since `earlier`.
    pub(in crate::load) fn since(self, earlier: Withheld) -> Withheld {
        let part = |now: Option<Duration>, then: Option<Duration>| Some(now?.saturating_sub(then?));
        Withheld {
            run_delay: part(self.run_delay, earlier.run_delay),
            steal: part(self.steal, earlier.steal),
        }
    }
}

/// The second field of a schedstat file (proc(5)), in nanoseconds.
fn run_delay(schedstat: &str) -> Option<Duration> {
    let ns = schedstat.split_ascii_whitespace().nth(1)?;
    ns.parse().ok().map(Duration::from_nanos)
}

/// The eighth number of the first line of /proc/stat (proc(5)), in ticks.
fn steal(stat: &str) -> Option<Duration> {
    let mut fields = stat.lines().next()?.split_ascii_whitespace();
    let ticks: u64 = match fields.next()? {
        "cpu" => fields.nth(7)?.parse().ok()?,
        _ => return None,
    };
    Some(Duration::from_millis(ticks * TICK_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_delay_and_steal_are_read_from_proc() {
        assert_eq!(
            run_delay("500 46340 1\n"),
            Some(Duration::from_nanos(46_340))
        );
        let stat = "cpu  1 2 3 4 5 6 7 250 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(steal(stat), Some(Duration::from_millis(2_500)));
    }

    #[test]
    fn what_the_system_does_not_tell_is_unknown() {
        for text in [
            "",
            "1",
            "a b c",
            "cpu",
            "cpu 1 2 3 4 5 6 7",
            "intr 1 2 3 4 5 6 7 8 9",
        ] {
            assert_eq!(steal(text), None, "{text:?}");
        }
        assert_eq!(run_delay("500"), None);
        let known = Withheld {
            run_delay: Some(Duration::from_secs(3)),
            steal: Some(Duration::from_secs(1)),
        };
        assert_eq!(known.since(Withheld::default()), Withheld::default());
        let later = Withheld {
            run_delay: Some(Duration::from_secs(5)),
            steal: Some(Duration::from_secs(1)),
        };
        let since = later.since(known);
        assert_eq!(since.run_delay, Some(Duration::from_secs(2)));
        assert_eq!(since.steal, Some(Duration::ZERO));
    }
}
