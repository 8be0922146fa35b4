//! Pages of real runs and comparisons.

use std::fs;
use std::path::Path;

use scraper::Html;
use serde_json::Value;

use crate::harness::{Finished, Server, bareloop, run};
use crate::load_harness::Peer;
use crate::page::{
    BYTES_MAX, all, assert_browser_shows, assert_figures_equal_json, embedded_report, text,
};

/// The page that `bareloop` writes with these words, whatever its exit code.
fn written(words: &[&str]) -> (Finished, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("page.html");
    let finished = run(bareloop().args(words).arg("--export-html").arg(&path));
    let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {finished:?}"));
    (finished, page)
}

/// Asserts the rules for every page.
fn assert_is_whole(page: &str) -> Html {
    assert!(page.len() <= BYTES_MAX, "{} bytes", page.len());
    let html = Html::parse_document(page);
    assert!(html.errors.is_empty(), "{:?}", html.errors);
    assert_figures_equal_json("page", &html, &embedded_report(&html));
    html
}

/// Values under the pointer, column by column: the words between bars.
fn columns(html: &Html, timeline: usize) -> Vec<Vec<String>> {
    let readings = text(all(html, "#readings")[0]);
    let readings: Value = serde_json::from_str(&readings).unwrap();
    let texts = readings[format!("timeline-{timeline}")]["text"].as_array();
    let split = |text: &Value| {
        text.as_str()
            .unwrap()
            .split('|')
            .map(str::to_owned)
            .collect()
    };
    texts.unwrap().iter().map(split).collect()
}

fn sections(html: &Html) -> Vec<String> {
    let sections = all(html, "section");
    sections
        .iter()
        .map(|section| section.attr("id").unwrap().to_owned())
        .collect()
}

#[test]
fn a_run_is_a_page_whose_figures_are_those_of_its_json() {
    let server = Server::http(&[]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let json = folder.path().join("run.json");
    let (finished, page) = written(&[
        "load",
        "-c",
        "4",
        "-d",
        "1.2",
        "-R",
        "500",
        "--arrivals",
        "poisson",
        "--export-json",
        json.to_str().unwrap(),
        &server.url(),
    ]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let html = assert_is_whole(&page);
    assert_eq!(
        sections(&html),
        [
            "verdict",
            "warnings",
            "latency",
            "time",
            "checks",
            "circumstances"
        ]
    );
    let embedded = embedded_report(&html);
    let exported: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    for (key, value) in exported.as_object().unwrap() {
        assert_eq!(embedded[key], *value, "{key}");
    }
    let seed = exported["openLoop"]["seed"].to_string();
    let command = text(all(&html, ".command")[0]);
    assert!(
        command.starts_with(&format!("bareloop load --seed {seed} -c 4")),
        "{command}"
    );
    assert!(!text(all(&html, ".verdict")[0]).is_empty());
}

#[test]
fn a_search_is_a_page_with_its_trials() {
    let server = Server::http(&[]);
    let url = server.url();
    let search = ["load", "--find-rate", "max<60s", "--trial-duration", "50ms"];
    let (finished, page) = written(&[&search[..], &["-c", "2", "-R", "20", &url]].concat());
    let html = assert_is_whole(&page);
    assert!(sections(&html).contains(&"capacity".to_owned()));
    let found = &embedded_report(&html)["findRate"];
    let verdict = text(all(&html, ".verdict")[0]);
    // A busy machine may keep up with no rate.
    match found["rate"].is_number() {
        true => assert!(
            verdict.starts_with("Highest rate with max<60s: "),
            "{verdict}"
        ),
        false => assert_eq!(finished.code, Some(1), "{finished:?}"),
    }
    let tables = all(&html, "#capacity table");
    assert_eq!(tables.len(), 2);
    let trials = all(&html, "#capacity .trials tbody tr");
    assert_eq!(Some(trials.len()), found["trials"].as_array().map(Vec::len));
    let command = text(all(&html, ".command")[0]);
    let start = format!("bareloop load --seed {} --find-rate", found["seed"]);
    assert!(command.starts_with(&start), "{command}");
}

#[test]
fn a_stall_and_a_second_mode_are_seen_over_time() {
    let reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    // One of two connections: every tenth reply takes long, and the 30th takes very long.
    let peer = Peer::serving(move |visit| {
        let mut replies = 0;
        while visit.request().is_some() {
            replies += 1;
            let wait_ms = match replies {
                30 => 400,
                _ if replies % 10 == 0 => 30,
                _ => 1,
            };
            std::thread::sleep(std::time::Duration::from_millis(wait_ms));
            if !visit.answer(reply.as_bytes()) {
                return;
            }
        }
    });
    let (finished, page) = written(&["load", "-c", "1", "-d", "1", &peer.url()]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let html = assert_is_whole(&page);
    let columns = columns(&html, 0);
    // Start, answered, p50, p99, max.
    let silent = columns.iter().filter(|column| column[1] == "0").count();
    assert!(silent >= 2, "{columns:?}");
    let max_ms = |column: &Vec<String>| column[4].replace(',', "").parse::<f64>().ok();
    let longest = columns.iter().filter_map(max_ms).fold(0.0, f64::max);
    assert!(longest >= 400.0, "{columns:?}");
    let marks = all(&html, "rect.pause.server");
    assert_eq!(marks.len(), 1, "{page}");
    let second_mode = columns.iter().filter_map(max_ms).filter(|ms| *ms >= 30.0);
    assert!(second_mode.count() >= 3, "{columns:?}");
}

#[test]
fn a_page_goes_to_stdout_alone() {
    let server = Server::http(&[]);
    let url = server.url();
    let load = ["load", "-a", "100", &url, "--export-html", "-"];
    let finished = run(bareloop().args(load));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.stdout.starts_with("<!DOCTYPE html>"),
        "{finished:?}"
    );
    assert_is_whole(&finished.stdout);
    let refused = run(bareloop().args(load).arg("--json"));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("--export-html"), "{refused:?}");
}

#[test]
fn a_page_that_cannot_be_written_is_refused_before_the_run() {
    let nowhere = Path::new("/nowhere/at.all").to_str().unwrap();
    for job in [&["load", "http://127.0.0.1:9"][..], &["compare"]] {
        let refused = run(bareloop().args(job).args(["--export-html", nowhere]));
        assert_eq!(refused.code, Some(2), "{refused:?}");
        let start = "error: --export-html: cannot write /nowhere/at.all";
        assert!(refused.stderr.starts_with(start), "{refused:?}");
    }
}

/// Two rounds of two servers, one of which may be another than ours.
const SHORT: [&str; 9] = [
    "compare", "-c", "2", "-d", "0.5", "--warmup", "0", "-r", "2",
];

#[test]
fn a_comparison_is_a_page_whose_figures_are_those_of_its_json() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let json = folder.path().join("result.json");
    let only = ["--only", "bareloop-http,bareloop-tcp"];
    let export = ["--export-json", json.to_str().unwrap()];
    let search = ["--find-rate", "max<60s", "--trial-duration", "50ms"];
    let (finished, page) = written(&[&SHORT[..], &only, &search, &export].concat());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let html = assert_is_whole(&page);
    let all_sections = [
        "verdict",
        "warnings",
        "ratios",
        "latency",
        "time",
        "capacity",
        "cost",
        "checks",
        "rounds",
        "circumstances",
    ];
    assert_eq!(sections(&html), all_sections);
    assert_eq!(all(&html, "#capacity tbody tr").len(), 2);
    let embedded = embedded_report(&html);
    let exported: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    for (key, value) in exported.as_object().unwrap() {
        assert_eq!(embedded[key], *value, "{key}");
    }
    // One row for each run, and one heat map for each contestant with all its slices.
    assert_eq!(all(&html, ".rounds tbody tr").len(), 4);
    for contestant in 0..2 {
        let columns = columns(&html, contestant);
        assert!((8..=12).contains(&columns.len()), "{columns:?}");
        let answered = |column: &Vec<String>| column[1].replace(',', "").parse::<u64>().unwrap();
        assert!(columns.iter().map(answered).sum::<u64>() > 0);
    }
    let seed = exported["settings"]["seed"].to_string();
    let command = text(all(&html, ".command")[0]);
    let start = format!("bareloop compare --seed {seed} -c 2");
    assert!(command.starts_with(&start), "{command}");
}

#[test]
fn a_server_that_fails_is_a_doubt_and_a_row_without_figures() {
    let broken = [
        "--only",
        "bareloop-http,broken",
        "--server",
        "broken=exit 3 # {port}",
    ];
    let (finished, page) = written(&[&SHORT[..], &broken].concat());
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let html = assert_is_whole(&page);
    let warnings = text(all(&html, "#warnings")[0]);
    assert!(
        warnings.contains("broken: ended before it was ready"),
        "{warnings}"
    );
    assert_eq!(all(&html, ".rounds tbody tr").len(), 2);
}

#[cfg(unix)]
#[test]
fn a_comparison_that_is_interrupted_leaves_the_page_of_its_rounds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("page.html");
    let mut long = bareloop();
    long.args([
        "compare", "-c", "2", "-d", "0.2", "--warmup", "0", "-r", "500",
    ]);
    long.args(["--only", "bareloop-http", "--export-html"])
        .arg(&path);
    let mut job = crate::harness::Job::start(&mut long);
    while !job.stdout_line().starts_with("round 2/") {}
    // The first round is on disk before the second run ends; later ones may be by now.
    let under_way = fs::read_to_string(&path).unwrap();
    let verdict = text(all(&assert_is_whole(&under_way), ".verdict")[0]);
    assert!(verdict.starts_with("Under way, "), "{verdict}");
    job.signal(rustix::process::Signal::INT);
    let finished = job.finish();
    assert_eq!(finished.code, Some(130), "{finished:?}");
    let page = fs::read_to_string(&path).unwrap();
    let verdict = text(all(&assert_is_whole(&page), ".verdict")[0]);
    assert!(verdict.starts_with("Interrupted after "), "{verdict}");
}

#[test]
#[ignore = "needs node with playwright-core (NODE_PATH), and chromium (CHROMIUM, or in the path)"]
fn a_browser_shows_the_pages_of_a_run_and_of_a_comparison() {
    let server = Server::http(&[]);
    let url = server.url();
    let run = ["load", "-c", "4", "-d", "2", "-R", "1000", &url];
    let only = [
        "--only",
        "bareloop-http,bareloop-tcp",
        "--sweep-connections",
        "1,2,4,8",
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, words) in [
        ("run", &run[..]),
        ("compared", &[&SHORT[..], &only].concat()),
    ] {
        let path = folder.path().join(format!("{name}.html"));
        fs::write(&path, written(words).1).expect("room");
        assert_browser_shows(&path);
    }
}
