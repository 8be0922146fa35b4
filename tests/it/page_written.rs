//! Pages of real runs and comparisons.

use std::fs;
use std::path::Path;

use scraper::Html;
use serde_json::Value;

use crate::harness::{Finished, Server, bareloop, run};
use crate::load_harness::Peer;
use crate::page::{BYTES_MAX, all, assert_figures_equal_json, embedded_report, text};

/// The page that `bareloop` writes with these words, whatever its exit code.
fn written(words: &[&str]) -> (Finished, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("page.html");
    let finished = run(bareloop().args(words).arg("--export-html").arg(&path));
    let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {finished:?}"));
    (finished, page)
}

/// What holds for every page.
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
            "doubts",
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
    let job = ["load", "http://127.0.0.1:9"];
    let refused = run(bareloop().args(job).args(["--export-html", nowhere]));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let start = "error: --export-html: cannot write /nowhere/at.all";
    assert!(refused.stderr.starts_with(start), "{refused:?}");
}
