//! Warnings of a server, at a rate that a log can take.

use std::time::Duration;

use crate::event_loop::{ServerWarning, Time};

/// Time between two warnings, at least.
const INTERVAL: Duration = Duration::from_secs(1);
/// Remedy when no descriptor is left, where there is a limit.
const REMEDY: &str = if cfg!(unix) {
    " (raise the limit with ulimit -n)"
} else {
    ""
};

/// Passes warnings on, at most one a second.
pub struct Warnings {
    sink: Box<dyn FnMut(&str)>,
    quiet_until: Time,
}

impl Warnings {
    /// Passes warnings to `sink`.
    pub fn to(sink: impl FnMut(&str) + 'static) -> Warnings {
        Warnings {
            sink: Box::new(sink),
            quiet_until: Time::START,
        }
    }

    /// Discards warnings.
    pub fn discarded() -> Warnings {
        Warnings::to(|_| {})
    }

    /// Passes `warning` on, unless another was passed on less than a second ago.
    pub fn report(&mut self, warning: &ServerWarning, now: Time) {
        if now < self.quiet_until {
            return;
        }
        self.quiet_until = now + INTERVAL;
        match warning {
            ServerWarning::CannotAccept(e) => (self.sink)(&format!(
                "cannot accept more connections: {e}; clients wait until one closes{REMEDY}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_warning_that_persists_is_passed_on_once_a_second() {
        let passed_on = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&passed_on);
        let mut warnings = Warnings::to(move |text| sink.borrow_mut().push(text.to_owned()));
        for at_ms in [0, 100, 999, 1000, 1999, 2000] {
            let warning = ServerWarning::CannotAccept(io::Error::other(at_ms.to_string()));
            warnings.report(&warning, Time::START + Duration::from_millis(at_ms));
        }
        let passed_on = passed_on.borrow();
        assert_eq!(passed_on.len(), 3, "{passed_on:?}");
        for (text, at_ms) in passed_on.iter().zip(["0", "1000", "2000"]) {
            assert!(text.contains(&format!(": {at_ms};")), "{text}");
        }
    }
}
