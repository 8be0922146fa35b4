//! Lines on the terminal that are drawn in place.
//!
//! A line leaves room for the `^C` that a terminal echoes: one that reached the edge would wrap, and
//! clearing it would leave its first part.

use console::Term;

/// For what the terminal echoes.
const COLUMNS_LEFT_FREE: usize = 4;

/// A block on stderr, or nothing.
pub(super) struct LiveBlock {
    /// `None` if nothing is shown.
    term: Option<Term>,
    /// Lines that stand on the terminal; the cursor is at the end of the last.
    drawn: usize,
}

impl LiveBlock {
    pub(super) fn new(shown: bool) -> LiveBlock {
        LiveBlock {
            term: shown.then(Term::buffered_stderr),
            drawn: 0,
        }
    }

    /// Draws as much of `lines` as fits, in place of what was there.
    pub(super) fn show<'l>(&mut self, lines: impl IntoIterator<Item = &'l str>) {
        let Some(term) = &self.term else { return };
        let (rows, columns) = term.size();
        let block = fitting(lines, usize::from(rows), usize::from(columns));
        // Without a terminal there is nothing to show, and the run goes on.
        let _ = take_away(term, self.drawn);
        let _ = term.write_str(&block.join("\n"));
        let _ = term.flush();
        self.drawn = block.len();
    }

    /// Draws one line.
    pub(super) fn show_line(&mut self, text: &str) {
        self.show(std::iter::once(text));
    }

    /// Takes the block away.
    pub(super) fn clear(&mut self) {
        if let Some(term) = &self.term {
            let _ = take_away(term, self.drawn);
            let _ = term.flush();
        }
        self.drawn = 0;
    }
}

fn take_away(term: &Term, drawn: usize) -> std::io::Result<()> {
    term.clear_line()?;
    match drawn.saturating_sub(1) {
        0 => Ok(()),
        above => term.clear_last_lines(above),
    }
}

/// A block that filled the terminal would scroll, and could not be taken away.
fn fitting<'l>(
    lines: impl IntoIterator<Item = &'l str>,
    rows: usize,
    columns: usize,
) -> Vec<String> {
    let columns = columns.saturating_sub(COLUMNS_LEFT_FREE);
    let fit = |line: &str| line.chars().take(columns).collect();
    lines
        .into_iter()
        .take(rows.saturating_sub(1).max(1))
        .map(fit)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_fits_the_terminal() {
        let lines = ["round 1/6  nginx", "nginx  100", "node  20"];
        assert_eq!(fitting(lines, 24, 80), lines);
        assert_eq!(fitting(lines, 3, 14), ["round 1/6 ", "nginx  100"]);
        assert_eq!(fitting(lines, 1, 5), ["r"]);
    }
}
