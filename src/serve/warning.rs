//! Warnings of a server, at a rate that a log can take.

use std::time::Duration;

use crate::event_loop::{ServerWarning, Time};

/// No more than one warning in this time.
const INTERVAL: Duration = Duration::from_secs(1);
/// What helps against a want of descriptors, where there is a limit.
const REMEDY: &str = if cfg!(unix) {
    " (raise the limit with ulimit -n)"
} else {
    ""
};

/// Passes warnings on, one a second at the most.
pub struct Warn<'a> {
    sink: &'a mut dyn FnMut(&str),
    quiet_until: Time,
}

impl<'a> Warn<'a> {
    /// Warnings go to `sink`.
    pub fn new(sink: &'a mut dyn FnMut(&str)) -> Warn<'a> {
        Warn {
            sink,
            quiet_until: Time::START,
        }
    }

    /// Says what is wrong, unless something was said a moment ago.
    pub fn warn(&mut self, trouble: &ServerWarning, now: Time) {
        if now < self.quiet_until {
            return;
        }
        self.quiet_until = now + INTERVAL;
        match trouble {
            ServerWarning::CannotAccept(e) => (self.sink)(&format!(
                "cannot accept more connections: {e}; clients wait until one closes{REMEDY}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_trouble_that_lasts_is_told_once_a_second() {
        let mut told = Vec::new();
        let mut sink = |text: &str| told.push(text.to_owned());
        let mut warn = Warn::new(&mut sink);
        for at_ms in [0, 100, 999, 1000, 1999, 2000] {
            let trouble = ServerWarning::CannotAccept(io::Error::other(at_ms.to_string()));
            warn.warn(&trouble, Time::START + Duration::from_millis(at_ms));
        }
        let said = |text: &&str| told.iter().any(|told| told.contains(&format!(": {text};")));
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(["0", "1000", "2000"].iter().all(said), "{told:?}");
    }
}
