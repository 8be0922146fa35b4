//! A line on the terminal that is drawn in place.
//!
//! It leaves room for the `^C` that a terminal echoes: a line that reached the edge would wrap, and
//! clearing it would leave its first part.

use console::Term;

/// For what the terminal echoes.
const COLUMNS_LEFT_FREE: usize = 4;

/// A line on stderr, or nothing.
pub(super) struct StatusLine {
    /// `None` if nothing is shown.
    term: Option<Term>,
}

impl StatusLine {
    pub(super) fn new(shown: bool) -> StatusLine {
        StatusLine {
            term: shown.then(Term::buffered_stderr),
        }
    }

    /// Draws `text`, as much of it as fits, in place of what was there.
    pub(super) fn show(&self, text: &str) {
        let Some(term) = &self.term else { return };
        let (_, columns) = term.size();
        let columns = usize::from(columns).saturating_sub(COLUMNS_LEFT_FREE);
        let text: String = text.chars().take(columns).collect();
        // Without a terminal there is nothing to show, and the run goes on.
        let _ = term.clear_line();
        let _ = term.write_str(&text);
        let _ = term.flush();
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if let Some(term) = &self.term {
            let _ = term.clear_line();
            let _ = term.flush();
        }
    }
}
