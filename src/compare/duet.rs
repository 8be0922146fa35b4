//! `--duet`: each contestant and the reference run at once, and the load alternates between them.
//!
//! A round is one restart of both. Its evidence is the mean of the log ratios of its pairs of
//! slices, which takes the place of the ratio of two runs; all that follows is the same.

use std::mem::discriminant;
use std::ops::ControlFlow;

use super::statistics::{Side, SliceSchedule};
use super::{ContestantRuns, RoundUnderWay, RunFigures, schedule};

impl RoundUnderWay<'_> {
    /// Every contestant once beside the reference, in random order. Breaks if it was interrupted.
    ///
    /// The figures of the reference itself are those of its last duet in the round, but that errors
    /// and wrong replies are those of all its duets.
    pub(super) fn hold_duets(&mut self, records: &mut [ContestantRuns]) -> ControlFlow<()> {
        let mut of_reference = None;
        let held = self.hold_each_duet(records, &mut of_reference);
        // The duets before one that was interrupted are complete.
        if let Some(run) = of_reference {
            let reference = self.plan.reference_expected();
            self.conclude(&mut records[reference], Ok(run))?;
        }
        held
    }

    fn hold_each_duet(
        &mut self,
        records: &mut [ContestantRuns],
        of_reference: &mut Option<RunFigures>,
    ) -> ControlFlow<()> {
        let reference = self.plan.reference_expected();
        for index in schedule::order(records.len(), self.round, self.plan.settings().seed) {
            let has_failed = |index: usize| records[index].failure.is_some();
            if index == reference || has_failed(index) || has_failed(reference) {
                continue;
            }
            if self.signal.times_raised() > 0 {
                return ControlFlow::Break(());
            }
            let both = [index, reference];
            self.observer
                .started(&records[index].contestant, self.round);
            let settings = self.plan.settings();
            let duet = self.round * records.len() + index;
            let result = self.bench.run_duet(
                both.map(|index| &records[index].contestant),
                both.map(|index| self.conditions(index)),
                SliceSchedule::new(settings.seed, u32::try_from(duet).unwrap_or(u32::MAX)),
                settings,
                self.signal,
                &mut |progress| self.observer.progress(progress),
            );
            match result {
                Ok([ours, theirs]) => {
                    self.conclude(&mut records[index], Ok(ours))?;
                    *of_reference = Some(match of_reference.take() {
                        Some(before) => after(before, theirs),
                        None => theirs,
                    });
                }
                Err((Side::Contestant, stopped)) => {
                    self.conclude(&mut records[index], Err(stopped))?;
                }
                Err((Side::Reference, stopped)) => {
                    // Its duets before this one count.
                    if let Some(run) = of_reference.take() {
                        self.conclude(&mut records[reference], Ok(run))?;
                    }
                    self.conclude(&mut records[reference], Err(stopped))?;
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// The figures of `later`, with the errors and the wrong replies of `earlier` too. Of two warnings of
/// one kind the first stays.
fn after(earlier: RunFigures, later: RunFigures) -> RunFigures {
    let mut warnings = earlier.warnings;
    for warning in later.warnings {
        let kind = discriminant(&warning);
        if !warnings.iter().any(|first| discriminant(first) == kind) {
            warnings.push(warning);
        }
    }
    RunFigures {
        errors: earlier.errors + later.errors,
        non2xx: earlier.non2xx + later.non2xx,
        warnings,
        ..later
    }
}
