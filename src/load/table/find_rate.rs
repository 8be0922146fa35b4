//! A search for a rate: its trials and its outcome.

use crate::format::{four_digits, milliseconds, plural};
use crate::load::find_rate::search::Purpose;
use crate::load::find_rate::{FindRateReport, TrialReport};

use super::{boxed, lines};

/// The trials as a box, the outcome below it, and the errors of the trial that the report is of, for a
/// terminal with this number of `columns`.
pub fn render(found: &FindRateReport, errors: u64, columns: usize) -> String {
    let header = ["Trial", "Req/s", "Latency", "Purpose"].map(str::to_owned);
    let trials = found.trials.iter().enumerate();
    let rows = trials.map(|(index, trial)| row(index + 1, trial));
    let mut text = format!(
        "\n{}\n",
        boxed(std::iter::once(header.to_vec()).chain(rows))
    );
    let errors = (errors > 0).then(|| format!("{} in the last trial.", plural(errors, "error")));
    for line in found.sentences().into_iter().chain(errors) {
        text += &lines::wrap(&line, columns);
        text.push('\n');
    }
    text
}

/// One trial under way: `trial 7: 1,200 requests/s (narrow)`.
pub fn trial_line(number: usize, trial_rate: f64, purpose: Purpose) -> String {
    let trial_rate = four_digits(trial_rate);
    format!(
        "trial {number}: {trial_rate} requests/s ({})",
        purpose.word()
    )
}

fn row(number: usize, trial: &TrialReport) -> Vec<String> {
    let latency = trial.value_ms.map_or("unbounded".to_owned(), milliseconds);
    let late = if trial.client_late {
        ", client late"
    } else {
        ""
    };
    vec![
        number.to_string(),
        four_digits(trial.rate),
        latency,
        format!("{}{late}", trial.purpose.word()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::find_rate::{Limit, Outcome};

    fn found(outcome: Outcome) -> FindRateReport {
        let trial = |trial_rate, value_ms, purpose, client_late| TrialReport {
            rate: trial_rate,
            value_ms,
            purpose,
            client_late,
        };
        FindRateReport {
            objective: "p99<5ms".to_owned(),
            seed: 7,
            rate: Some(1843.21),
            bound_ms: Some(4.5),
            bound_confidence: 0.8,
            bracket: [Some(1900.0), Some(2000.0)],
            any_beyond: true,
            outcome,
            trials: vec![
                trial(1000.0, Some(1.25), Purpose::Bracket, false),
                trial(2000.0, None, Purpose::Bracket, true),
                trial(1843.21, Some(4.4), Purpose::Verify, false),
            ],
        }
    }

    #[test]
    fn a_search_is_told_by_its_trials_and_its_outcome() {
        let text = render(&found(Outcome::Found), 0, 200);
        for part in [
            "│ 2     │ 2,000 │ unbounded │ bracket, client late │",
            "│ 3     │ 1,843 │ 4.40 ms   │ verify               │",
            "within p99<5ms up to 1,900 requests/s, and beyond it from 2,000 on",
            "p99<5ms: 1,843 requests/s (at most 4.50 ms there with 80 % confidence",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("error"), "{text}");
        let text = render(&found(Outcome::Found), 3, 200);
        assert!(text.ends_with("\n3 errors in the last trial.\n"), "{text}");
    }

    #[test]
    fn a_limit_other_than_the_server_is_told() {
        for (limit, remedy) in [(Limit::Client, "-w"), (Limit::Trials, "-R")] {
            let text = render(&found(Outcome::AtLeast { limit }), 0, 200);
            assert!(text.contains(": at least 1,843 requests/s"), "{text}");
            assert!(text.contains(remedy), "{text}");
        }
    }
}
