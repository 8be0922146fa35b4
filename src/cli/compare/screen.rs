//! The streams of a comparison under way: result lines on stdout; on stderr what runs, and the
//! standings so far.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use super::time_to_go::TimeToGo;
use crate::cli::live::LiveBlock;
use crate::cli::output;
use crate::compare::follow_up::FollowUp;
use crate::compare::sweep::SweepVariable;
use crate::compare::{
    ComparisonPlan, ComparisonReport, Contestant, Failure, Observer, RunFigures, table,
};
use crate::event_loop::{Clock, StopSignal, Time};
use crate::format::{plural, rate};
use crate::load;
use crate::load::find_rate::TrialProgress;
use crate::load::table::trial_line;

/// The streams, and what became of stdout.
pub(super) struct Screen<'a> {
    plan: &'a ComparisonPlan,
    /// Stdout is for a report that a program reads, and for nothing else.
    is_stdout_for_report: bool,
    /// Raised when stdout takes no more, unless the results also go elsewhere.
    stop_without_reader: Option<&'a StopSignal>,
    /// On stderr, and on a terminal only.
    live: LiveBlock,
    clock: Clock,
    to_go: TimeToGo<'a>,
    current: String,
    /// A line for each contestant, since the first round's end.
    standings: Vec<String>,
    stdout: StdoutState,
}

/// State of stdout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StdoutState {
    /// It takes what is written.
    Open,
    /// Its reader has gone away, as `head` does when it has seen enough.
    Closed,
    /// It took something for the last time, for this reason.
    Failed(String),
}

impl<'a> Screen<'a> {
    pub(super) fn new(
        (plan, follow_up): (&'a ComparisonPlan, &'a FollowUp),
        is_stdout_for_report: bool,
        stop_without_reader: Option<&'a StopSignal>,
    ) -> Screen<'a> {
        Screen {
            plan,
            is_stdout_for_report,
            stop_without_reader,
            live: LiveBlock::new(io::stderr().is_terminal()),
            clock: Clock::start(),
            to_go: TimeToGo::new(plan, follow_up),
            current: String::new(),
            standings: Vec::new(),
            stdout: StdoutState::Open,
        }
    }

    pub(super) fn stdout(&self) -> &StdoutState {
        &self.stdout
    }

    /// Takes away what is drawn in place.
    pub(super) fn clear(&mut self) {
        self.live.clear();
    }

    /// A line for people: on stderr if stdout is for the report only.
    pub(super) fn print(&mut self, line: &str) {
        self.live.clear();
        match self.is_stdout_for_report {
            // Without stderr there is no place left for it, and the report may still be wanted.
            true => {
                let _ = writeln!(io::stderr(), "{line}");
            }
            false => {
                let result = output::print(&format!("{line}\n"));
                self.note(result);
            }
        }
    }

    /// The report, in whichever form.
    pub(super) fn print_report(&mut self, report: &str) {
        let result = output::print(report);
        self.note(result);
    }

    fn note(&mut self, result: io::Result<()>) {
        let Err(error) = result else { return };
        if self.stdout == StdoutState::Open {
            self.stdout = match output::refusal(Err(error)) {
                None => StdoutState::Closed,
                Some(message) => StdoutState::Failed(message),
            };
        }
        if let Some(signal) = self.stop_without_reader {
            signal.raise();
        }
    }

    /// A walk of a sweep starts, in this round of this many.
    pub(super) fn walk(
        &mut self,
        variable: SweepVariable,
        contestant: &Contestant,
        (round, rounds): (usize, usize),
    ) {
        self.to_go.walk_started(rounds, self.elapsed());
        self.current = format!(
            "sweep over {}, walk {}/{rounds}  {}",
            variable.words(),
            round + 1,
            contestant.name()
        );
        self.show("");
    }

    /// A walk has ended.
    pub(super) fn walk_ended(&mut self) {
        self.to_go.walk_ended();
    }

    /// A trial of a search is under way.
    pub(super) fn trial(&mut self, contestant: &Contestant, trial: TrialProgress) {
        self.to_go.trial(trial);
        let line = trial_line(trial.number, trial.rate, trial.purpose);
        self.current = format!("search  {}  {line}", contestant.name());
        self.show("");
    }

    /// The search of a contestant has ended.
    pub(super) fn search_ended(&mut self) {
        self.to_go.search_ended();
    }

    fn elapsed(&self) -> Duration {
        self.clock.now() - Time::START
    }

    fn show(&mut self, load: &str) {
        let elapsed = self.elapsed();
        let to_go = self.to_go.words(elapsed);
        let elapsed = elapsed.as_secs();
        self.draw(&format!("{}{load}  {elapsed} s{to_go}", self.current));
    }

    /// The standings after a round.
    pub(super) fn stand(&mut self, report: &ComparisonReport) {
        self.standings = table::standings(report);
    }

    fn draw(&mut self, now: &str) {
        let standings = self.standings.iter().map(String::as_str);
        self.live.show(std::iter::once(now).chain(standings));
    }
}

impl Observer for Screen<'_> {
    fn started(&mut self, contestant: &Contestant, round: usize) {
        let round = table::round_of(self.plan, round);
        self.current = format!("{round}  {}", contestant.name());
        self.show("");
    }

    fn progress(&mut self, progress: load::Progress) {
        let seconds = progress.elapsed.as_secs_f64();
        let mut load = match seconds > 0.0 {
            true => format!(
                "  {} requests/s",
                rate((progress.completed as f64 / seconds).round())
            ),
            false => String::new(),
        };
        for (number, what) in [
            (progress.errors, "error"),
            (progress.unexpected_statuses, "error reply"),
        ] {
            if number > 0 {
                load.push_str(", ");
                load.push_str(&plural(number, what));
            }
        }
        self.show(&load);
    }

    fn ended(
        &mut self,
        contestant: &Contestant,
        round: usize,
        result: &Result<RunFigures, Failure>,
    ) {
        self.to_go.run_ended();
        let line = table::result_line(self.plan, contestant.name(), round, result);
        self.print(&line);
    }
}
