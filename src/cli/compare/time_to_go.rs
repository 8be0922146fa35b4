//! The time that a comparison under way still takes: from the plan at first, then from the time
//! that it has taken so far.

use std::time::Duration;

use crate::compare::ComparisonPlan;
use crate::compare::follow_up::FollowUp;
use crate::load::find_rate::TrialProgress;
use crate::load::find_rate::search::TRIALS_MAX;

/// The time to go.
pub(super) struct TimeToGo<'a> {
    plan: &'a ComparisonPlan,
    follow_up: &'a FollowUp,
    part: Part,
}

/// The part under way; times count from the start of the comparison.
#[derive(Clone, Copy)]
enum Part {
    Rounds {
        runs_ended: usize,
    },
    Sweeps {
        began: Duration,
        rounds: usize,
        walks_ended: usize,
    },
    Searches {
        ended: usize,
        trial: Option<TrialProgress>,
    },
}

impl<'a> TimeToGo<'a> {
    pub(super) fn new(plan: &'a ComparisonPlan, follow_up: &'a FollowUp) -> TimeToGo<'a> {
        TimeToGo {
            plan,
            follow_up,
            part: Part::Rounds { runs_ended: 0 },
        }
    }

    pub(super) fn run_ended(&mut self) {
        if let Part::Rounds { runs_ended } = &mut self.part {
            *runs_ended += 1;
        }
    }

    /// A walk starts, one of those for this many rounds.
    pub(super) fn walk_started(&mut self, rounds: usize, elapsed: Duration) {
        if let Part::Rounds { .. } = self.part {
            self.part = Part::Sweeps {
                began: elapsed,
                rounds,
                walks_ended: 0,
            };
        }
    }

    pub(super) fn walk_ended(&mut self) {
        if let Part::Sweeps { walks_ended, .. } = &mut self.part {
            *walks_ended += 1;
        }
    }

    pub(super) fn trial(&mut self, now: TrialProgress) {
        match &mut self.part {
            Part::Searches { trial, .. } => *trial = Some(now),
            part => {
                *part = Part::Searches {
                    ended: 0,
                    trial: Some(now),
                }
            }
        }
    }

    pub(super) fn search_ended(&mut self) {
        let so_far = match self.part {
            Part::Searches { ended, .. } => ended,
            _ => 0,
        };
        self.part = Part::Searches {
            ended: so_far + 1,
            trial: None,
        };
    }

    /// `, about 12 s to go`; nothing where the number of rounds is what is being found out.
    pub(super) fn words(&self, elapsed: Duration) -> String {
        let bound = match self.follow_up.search {
            Some(_) => "at most ",
            None => "",
        };
        self.seconds(elapsed).map_or_else(String::new, |seconds| {
            format!(", {bound}about {seconds} s to go")
        })
    }

    fn seconds(&self, elapsed: Duration) -> Option<u64> {
        let settings = self.plan.settings();
        let to_go = match self.part {
            Part::Rounds { .. } if settings.precision.is_some() => return None,
            Part::Rounds { runs_ended } => {
                let rounds = settings.rounds.get();
                let runs = self.plan.contestants().len() * rounds;
                rest(self.plan.duration(), (runs_ended, runs), elapsed)
                    + self.follow_up.sweep_time(self.plan, rounds)
                    + self.follow_up.search_time_max(self.plan)
            }
            Part::Sweeps {
                began,
                rounds,
                walks_ended,
            } => {
                let planned = self.follow_up.sweep_time(self.plan, rounds);
                let walks = self.follow_up.walks(self.plan, rounds);
                let elapsed = elapsed.saturating_sub(began);
                rest(planned, (walks_ended, walks), elapsed)
                    + self.follow_up.search_time_max(self.plan)
            }
            Part::Searches { ended, trial } => self.searches(ended, trial),
        };
        Some(to_go.as_secs())
    }

    /// The time of the trials that are left, at most. They are taken to be as long as the present
    /// one: trials at low rates are longer.
    fn searches(&self, ended: usize, trial: Option<TrialProgress>) -> Duration {
        let searches = self.plan.contestants().len();
        let share_left = |trials_made: usize| {
            let made = (ended * TRIALS_MAX + trials_made) as f64;
            (1.0 - made / (searches * TRIALS_MAX) as f64).max(0.0)
        };
        let planned = self.follow_up.search_time_max(self.plan);
        match (trial, self.follow_up.search) {
            (Some(trial), Some(search)) => {
                let longer = trial.duration.as_secs_f64() / search.trial_duration.as_secs_f64();
                planned
                    .mul_f64(share_left(trial.number - 1) * longer)
                    .saturating_sub(trial.progress.elapsed)
            }
            _ => planned.mul_f64(share_left(0)),
        }
    }
}

/// The rest of a part in which this many of this many steps have ended.
fn rest(planned: Duration, (ended, of): (usize, usize), elapsed: Duration) -> Duration {
    let whole = match ended {
        0 => planned,
        ended => elapsed.mul_f64(of as f64 / ended as f64).max(planned),
    };
    whole.saturating_sub(elapsed)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::path::Path;

    use super::*;
    use crate::compare::search::SearchPlan;
    use crate::compare::statistics::Margin;
    use crate::compare::sweep::SweepPlan;
    use crate::compare::{Contestant, RequestSettings, Settings};
    use crate::event_loop::tls::Trust;
    use crate::load;
    use crate::load::find_rate::search::Purpose;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn count(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).expect("not 0")
    }

    /// Two servers, 6 rounds of 2 s after 1 s: 36 s.
    fn plan(precision: Option<Margin>) -> ComparisonPlan {
        let settings = Settings {
            connections: count(1),
            pipelining: count(1),
            rate: None,
            duration: s(2),
            warmup: s(1),
            timeout: s(1),
            trust: Trust::default(),
            start_timeout: s(1),
            request: RequestSettings::default(),
            rounds: count(6),
            precision,
            duet: false,
            same_within: Margin::new(0.02).expect("positive"),
            seed: 1,
        };
        let servers = Contestant::defaults(Path::new("bareloop"));
        let only = ["bareloop-http", "bareloop-tcp"].map(str::to_owned);
        ComparisonPlan::new(servers, &only, None, settings).expect("a plan")
    }

    fn sweep() -> Vec<SweepPlan> {
        vec![SweepPlan::Rate(vec![1.0, 2.0])]
    }

    fn search() -> Option<SearchPlan> {
        Some(SearchPlan {
            objective: "p99<5ms".parse().expect("an objective"),
            trial_duration: s(2),
        })
    }

    fn trial(number: usize, duration: Duration, elapsed: Duration) -> TrialProgress {
        TrialProgress {
            number,
            rate: 1.0,
            purpose: Purpose::Bracket,
            duration,
            progress: load::Progress {
                phase: load::RunPhase::Run,
                elapsed,
                completed: 0,
                errors: 0,
                unexpected_statuses: 0,
            },
        }
    }

    #[test]
    fn runs_that_take_longer_than_planned_move_the_end() {
        let (plan, nothing) = (plan(None), FollowUp::default());
        let mut to_go = TimeToGo::new(&plan, &nothing);
        assert_eq!(to_go.words(s(1)), ", about 35 s to go");
        (0..6).for_each(|_| to_go.run_ended());
        assert_eq!(to_go.words(s(20)), ", about 20 s to go");
    }

    #[test]
    fn what_follows_the_rounds_counts() {
        let plan = plan(None);
        // 2 loads, 2 servers, 6 walks with each, 3 s.
        let mut follow_up = FollowUp {
            sweeps: sweep(),
            search: None,
        };
        let to_go = TimeToGo::new(&plan, &follow_up);
        assert_eq!(to_go.words(s(0)), ", about 108 s to go");
        // 2 servers, 1 s of warm-up and 25 trials of 2.2 s with each.
        follow_up.search = search();
        let mut to_go = TimeToGo::new(&plan, &follow_up);
        assert_eq!(to_go.words(s(0)), ", at most about 220 s to go");
        to_go.walk_started(6, s(40));
        assert_eq!(to_go.words(s(42)), ", at most about 182 s to go");
        (0..6).for_each(|_| to_go.walk_ended());
        to_go.walk_started(6, s(80));
        assert_eq!(to_go.words(s(80)), ", at most about 152 s to go");
        to_go.trial(trial(1, s(2), s(0)));
        assert_eq!(to_go.words(s(130)), ", at most about 112 s to go");
        to_go.trial(trial(26 / 2, s(4), s(3)));
        assert_eq!(to_go.words(s(130)), ", at most about 167 s to go");
        to_go.search_ended();
        assert_eq!(to_go.words(s(150)), ", at most about 56 s to go");
        to_go.search_ended();
        assert_eq!(to_go.words(s(150)), ", at most about 0 s to go");
    }

    #[test]
    fn rounds_of_an_unknown_number_have_no_end_and_their_walks_have_one() {
        let plan = plan(Margin::new(0.02));
        let follow_up = FollowUp {
            sweeps: sweep(),
            search: None,
        };
        let mut to_go = TimeToGo::new(&plan, &follow_up);
        assert_eq!(to_go.words(s(1)), "");
        to_go.walk_started(3, s(20));
        assert_eq!(to_go.words(s(20)), ", about 36 s to go");
    }
}
