//! Self-tests of a comparison, over all its runs.

use serde::Serialize;

use crate::compare::report::{ComparisonReport, RunResult};
use crate::compare::{Limit, Warning};
use crate::format::plural;
use crate::load::report::CheckResult;

/// A self-test, as in the JSON of a single run.
#[derive(Serialize)]
pub(super) struct Check {
    name: &'static str,
    result: CheckResult,
    detail: String,
    advice: Option<&'static str>,
}

pub(super) fn of(report: &ComparisonReport) -> Vec<Check> {
    vec![
        limit(
            report,
            "load generator",
            Limit::Client,
            "take ratios as bounds, or compare with fewer requests in flight",
        ),
        limit(
            report,
            "machine",
            Limit::Machine,
            "end other processes, and repeat it",
        ),
        cores(report),
        replies(report),
        errors(report),
    ]
}

fn runs(report: &ComparisonReport) -> impl Iterator<Item = &RunResult> {
    report.contestants.iter().flat_map(|result| &result.runs)
}

fn failed_if(
    is_failed: bool,
    name: &'static str,
    detail: String,
    advice: Option<&'static str>,
) -> Check {
    Check {
        name,
        result: match is_failed {
            true => CheckResult::Failed,
            false => CheckResult::Passed,
        },
        detail,
        advice: advice.filter(|_| is_failed),
    }
}

fn limit(
    report: &ComparisonReport,
    name: &'static str,
    limit: Limit,
    advice: &'static str,
) -> Check {
    let limited = runs(report)
        .filter(|run| run.limits.contains(&limit))
        .count();
    let all = runs(report).count();
    let detail = format!(
        "was the limit in {limited} of {}",
        plural(all as u64, "run")
    );
    failed_if(limited > 0, name, detail, Some(advice))
}

fn cores(report: &ComparisonReport) -> Check {
    let is_divided = report.machine.pinned.is_some();
    Check {
        name: "cores",
        result: match is_divided {
            true => CheckResult::Passed,
            false => CheckResult::NotApplicable,
        },
        detail: match is_divided {
            true => "servers and load generator had cores of their own",
            false => "servers and load generator shared the cores",
        }
        .to_owned(),
        advice: None,
    }
}

fn replies(report: &ComparisonReport) -> Check {
    let is_wrong = |warnings: &[Warning]| warnings.iter().any(Warning::is_about_replies);
    let results = report.contestants.iter();
    let wrong: Vec<&str> = results
        .filter(|result| is_wrong(&result.warnings))
        .map(|result| &*result.name)
        .collect();
    let detail = match wrong.is_empty() {
        true => "every reply had an expected status and body".to_owned(),
        false => format!("unexpected ones from {}", wrong.join(", ")),
    };
    failed_if(!wrong.is_empty(), "replies", detail, None)
}

fn errors(report: &ComparisonReport) -> Check {
    let errors: u64 = report.contestants.iter().map(|result| result.errors).sum();
    let detail = match errors {
        0 => "none".to_owned(),
        errors => format!("{} in all runs", plural(errors, "error")),
    };
    failed_if(errors > 0, "errors", detail, None)
}
