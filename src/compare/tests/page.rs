//! The page of scripted rounds: what its first sentence says.

use super::super::page::of_comparison;
use super::*;
use crate::load::report::{ClientPause, Timeline};
use crate::load::statistics::interval_log::IntervalLog;
use crate::page;

/// The verdict and the findings of six rounds in which `python-http` has 1000 requests/s and the
/// others these.
fn verdict(rates: &[(&'static str, [u64; 6])]) -> (String, usize) {
    let names: Vec<&str> = std::iter::once("python-http")
        .chain(rates.iter().map(|(name, _)| *name))
        .collect();
    let plan = plan(&names, 6);
    let script = Script::default();
    let mut script = rates
        .iter()
        .fold(script, |script, (name, rates)| script.rates(name, rates));
    let (outcome, report, _) = held(&plan, &mut script);
    let page = of_comparison(&report, &outcome, "bareloop compare").unwrap();
    (page.verdict.words().to_owned(), page.findings.len())
}

const FASTER: [u64; 6] = [3960, 3960, 4040, 4040, 3960, 4040];
const ABOUT_AS_FAST: [u64; 6] = [3950, 3960, 4040, 4040, 3950, 4040];
const SLOWER: [u64; 6] = [505, 505, 495, 495, 505, 495];
const NOISY: [u64; 6] = [700, 1500, 900, 1300, 1400, 800];

#[test]
fn the_first_sentence_says_which_is_faster_as_far_as_that_is_shown() {
    for (rates, start, findings) in [
        (&[("bareloop-http", FASTER)][..], "bareloop-http is 4.0", 0),
        (
            &[("bareloop-http", FASTER), ("bareloop-tcp", SLOWER)],
            "Highest rate of 3: bareloop-http is 4.0",
            1,
        ),
        // Neither of the two fastest is shown to be faster than the other.
        (
            &[("bareloop-http", FASTER), ("bareloop-tcp", ABOUT_AS_FAST)],
            "Highest measured rate of 3, not shown to be the fastest: bareloop-http is 4.0",
            1,
        ),
        (
            &[("bareloop-http", SLOWER), ("bareloop-tcp", SLOWER)],
            "python-http is faster than each of the other 2.",
            2,
        ),
        (
            &[("bareloop-http", NOISY), ("bareloop-tcp", SLOWER)],
            "None of the other 2 is shown to be faster than python-http.",
            2,
        ),
        (&[], "python-http ran, and there is no other server", 0),
    ] {
        let (verdict, found) = verdict(rates);
        assert!(verdict.starts_with(start), "{verdict}");
        assert_eq!(found, findings, "{verdict}");
    }
}

#[test]
fn a_server_that_the_client_limited_may_be_faster_than_the_one_with_the_highest_rate() {
    let plan = plan(&["python-http", "bareloop-http", "bareloop-tcp"], 6);
    let runs = |rate, client_cpu_share| {
        let run = RunFigures {
            client_cpu_share,
            ..measured(rate)
        };
        std::iter::repeat_n(run, 6).map(Ok).collect()
    };
    for (clients, start) in [
        ([0.99, 0.2], "Highest rate of 3: bareloop-http is at least"),
        (
            [0.2, 0.99],
            "Highest measured rate of 3, not shown to be the fastest: bareloop-http is 9.00",
        ),
    ] {
        let mut script = Script::default()
            .with("bareloop-http", runs(9000, clients[0]))
            .with("bareloop-tcp", runs(4000, clients[1]));
        let (outcome, report, _) = held(&plan, &mut script);
        let page = of_comparison(&report, &outcome, "bareloop compare").unwrap();
        let verdict = page.verdict.words();
        assert!(verdict.starts_with(start), "{verdict}");
    }
}

#[test]
fn a_silence_in_which_the_client_paused_has_no_mark_of_the_server() {
    let plan = plan(&["python-http"], 1);
    let sides = |pause_ms| {
        let course = RunCourse {
            client_pauses: vec![ClientPause {
                start_ms: 510.0,
                ms: pause_ms,
            }],
            longest_silence: Some(Silence {
                ms: 145.0,
                began_seconds: 0.5,
            }),
            ..course_of_a_second()
        };
        let run = RunFigures {
            course,
            ..measured(1000)
        };
        let mut script = Script::default().with("python-http", vec![Ok(run)]);
        let (outcome, report, _) = held(&plan, &mut script);
        let page = of_comparison(&report, &outcome, "bareloop compare").unwrap();
        let pauses = page.timelines[0].rounds[0].pauses.iter();
        pauses.map(|pause| pause.side).collect::<Vec<_>>()
    };
    assert_eq!(sides(130.0), [page::Side::Client]);
    assert_eq!(sides(30.0), [page::Side::Client, page::Side::Server]);
}

/// 100 replies at each tenth of a second.
fn course_of_a_second() -> RunCourse {
    let mut log = IntervalLog::starting(Time::START);
    for tenth in 0..10 {
        log.record(Time::from_ns(tenth * 100_000_000), 1_000_000, 100);
    }
    log.finish(Time::from_ns(1_000_000_000));
    RunCourse {
        timeline: Timeline {
            intervals: log.into_intervals(),
            ..Timeline::default()
        },
        ..RunCourse::default()
    }
}

#[test]
fn pauses_of_the_client_and_silences_of_the_server_are_marked_on_the_heat_map() {
    let plan = plan(&["python-http"], 2);
    let course = RunCourse {
        client_pauses: vec![ClientPause {
            start_ms: 250.0,
            ms: 61.0,
        }],
        longest_silence: Some(Silence {
            ms: 145.0,
            began_seconds: 0.5,
        }),
        ..course_of_a_second()
    };
    let quiet = RunCourse {
        client_pauses: Vec::new(),
        longest_silence: None,
        ..course.clone()
    };
    let run = |course| {
        Ok(RunFigures {
            course,
            ..measured(1000)
        })
    };
    let mut script = Script::default().with("python-http", vec![run(course), run(quiet)]);
    let (outcome, report, _) = held(&plan, &mut script);
    let page = of_comparison(&report, &outcome, "bareloop compare").unwrap();
    let [noisy, quiet] = &page.timelines[0].rounds[..] else {
        panic!("{:?}", page.timelines);
    };
    let marks: Vec<_> = noisy
        .pauses
        .iter()
        .map(|pause| (pause.side, pause.start_seconds, pause.ms.value()))
        .collect();
    assert_eq!(
        marks,
        [
            (page::Side::Client, 0.25, 61.0),
            (page::Side::Server, 0.5, 145.0)
        ]
    );
    assert!(quiet.pauses.is_empty());
    let html = page.to_html();
    for side in ["client", "server"] {
        let class = format!("class=\"pause {side}\"");
        assert_eq!(html.matches(&class).count(), 1, "{side}");
    }
}

#[test]
fn the_page_shows_each_limit_of_a_ratio_as_the_table_does() {
    let plan = plan(&["python-http", "bareloop-http"], 6);
    let busy = |rate, client_cpu_share| {
        let run = RunFigures {
            client_cpu_share,
            ..measured(rate)
        };
        std::iter::repeat_n(run, 6).map(Ok).collect()
    };
    let kept_up = |rate| {
        let mut run: RunFigures = measured(rate);
        run.course = course_of_a_second();
        run.course.timeline.due = vec![100; run.course.timeline.intervals.len()];
        std::iter::repeat_n(run, 6).map(Ok).collect()
    };
    let cases: [(Vec<_>, Vec<_>, &str, [usize; 2]); 5] = [
        (
            busy(1000, 0.2),
            busy(9000, 0.2),
            "role=\"cell\"><span",
            [0, 0],
        ),
        (busy(1000, 0.2), busy(9000, 0.99), ">at least <span", [0, 1]),
        (busy(1000, 0.99), busy(9000, 0.2), ">at most <span", [1, 0]),
        (
            busy(1000, 0.99),
            busy(9000, 0.99),
            ">client limit <span",
            [1, 1],
        ),
        (kept_up(1000), kept_up(1000), ">kept up <span", [1, 1]),
    ];
    for (reference, contestant, cell, arrows) in cases {
        let mut script = Script::default()
            .with("python-http", reference)
            .with("bareloop-http", contestant);
        let (outcome, report, _) = held(&plan, &mut script);
        let html = of_comparison(&report, &outcome, "").unwrap().to_html();
        assert!(html.contains(cell), "{cell}: {html}");
        assert_eq!(
            ["←", "→"].map(|arrow| html.matches(arrow).count()),
            arrows,
            "{cell}"
        );
    }
}

#[test]
fn a_contestant_that_died_does_not_name_the_bars_of_the_others() {
    let plan = plan(&["python-http", "python-tcp", "bareloop-http"], 6);
    let mut runs = Vec::from([500, 510, 490].map(|rate| Ok(measured(rate))));
    runs.push(Err(died()));
    let mut script = Script::default()
        .with("python-tcp", runs)
        .rates("bareloop-http", &FASTER);
    let (outcome, report, _) = held(&plan, &mut script);
    let page = of_comparison(&report, &outcome, "").unwrap();
    let forest = page.forest.as_ref().unwrap();
    assert_eq!(forest.bar, "95 % interval");
    let html = page.to_html();
    assert_eq!(html.matches("range of the rounds").count(), 1, "{html}");
}
