//! The comparison that is about to run, what follows it, and the time that each takes.

use std::time::Duration;

use super::notes;
use crate::compare::follow_up::FollowUp;
use crate::compare::search::SearchPlan;
use crate::compare::{ComparisonPlan, TIME_MAX, verdict};
use crate::format::plural;
use crate::load::find_rate::search::TRIALS_MAX;

/// The comparison that is about to run, what follows it, and the time that each takes.
pub fn heading(plan: &ComparisonPlan, follow_up: &FollowUp) -> String {
    let settings = plan.settings();
    let names: Vec<_> = plan.contestants().iter().map(|c| c.name()).collect();
    let load = notes::load(&settings.into());
    let duet = match settings.duet {
        true => "; in slices, in turn with the reference",
        false => "",
    };
    let mut lines = vec![
        format!("Comparing {}", names.join(", ")),
        format!("{load}{duet}"),
        rounds(plan),
    ];
    lines.extend(sweeps(plan, follow_up));
    lines.extend(
        (follow_up.search.as_ref()).map(|search| searches(search, follow_up.search_time_max(plan))),
    );
    lines.join("\n")
}

fn rounds(plan: &ComparisonPlan) -> String {
    let settings = plan.settings();
    let rounds = match settings.precision {
        None => plural(settings.rounds.get() as u64, "round"),
        Some(precision) => format!(
            "until each ratio is known to {}, at most {} rounds and {} minutes: rounds",
            verdict::margin(precision.share()),
            settings.rounds,
            TIME_MAX.as_secs() / 60,
        ),
    };
    format!(
        "{rounds} of {} s after {} s of warm-up: {}about {} s; seed {}",
        settings.duration.as_secs_f64(),
        settings.warmup.as_secs_f64(),
        at_least(plan),
        whole_seconds(plan.duration()),
        settings.seed,
    )
}

fn sweeps(plan: &ComparisonPlan, follow_up: &FollowUp) -> Option<String> {
    let variables: Vec<_> = (follow_up.sweeps.iter())
        .map(|sweep| sweep.variable().words())
        .collect();
    let time = follow_up.sweep_time(plan, plan.rounds_min());
    (!variables.is_empty()).then(|| {
        format!(
            "then sweeps over {}: {}about {} s",
            variables.join(", "),
            at_least(plan),
            whole_seconds(time)
        )
    })
}

fn searches(search: &SearchPlan, time_max: Duration) -> String {
    format!(
        "then searches for {}, at most {TRIALS_MAX} runs of {} s each: at most about {} s, more at low \
         rates",
        search.objective,
        search.trial_duration.as_secs_f64(),
        whole_seconds(time_max)
    )
}

/// The number of rounds may have to be found out.
fn at_least(plan: &ComparisonPlan) -> &'static str {
    match plan.settings().precision {
        Some(_) => "at least ",
        None => "",
    }
}

fn whole_seconds(time: Duration) -> f64 {
    time.as_secs_f64().ceil()
}
