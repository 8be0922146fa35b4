//! The HTML page, read back as a browser reads it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bareloop::page::{LatencyCount, Page, Slice};
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;

use crate::page_sample::{close_comparison, comparison, run};

pub const BYTES_MAX: usize = 150_000;
/// Slices that all heat maps of a page show together.
const COLUMNS_MAX: usize = 480;

fn samples() -> [(&'static str, Page); 3] {
    [
        ("comparison", comparison()),
        ("close", close_comparison()),
        ("run", run()),
    ]
}

pub fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).unwrap()).collect()
}

pub fn text(element: ElementRef) -> String {
    element.text().collect()
}

/// The value at a path such as `contestants[0].ratio.median`.
fn at<'a>(report: &'a Value, path: &str) -> &'a Value {
    let pointer = path.replace(['.', '['], "/").replace(']', "");
    report
        .pointer(&format!("/{pointer}"))
        .unwrap_or_else(|| panic!("the report has no {path}"))
}

/// The last number of `text` in the unit of the JSON, and half a unit of its last digit.
fn number(text: &str) -> (f64, f64) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let index = words.iter().rposition(is_number).unwrap();
    let digits: String = words[index]
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let decimals = digits.split_once('.').map_or(0, |(_, after)| after.len());
    let scale = match words.get(index + 1) {
        Some(&"%") => 0.01,
        Some(&"kB") => 1e3,
        Some(&"MB") => 1e6,
        Some(&"GB") => 1e9,
        _ => 1.0,
    };
    let value: f64 = digits.parse().unwrap();
    (
        value * scale,
        0.500_001 * 10f64.powi(-(decimals as i32)) * scale,
    )
}

fn embedded_text(html: &Html) -> String {
    text(all(html, "script#report")[0])
}

pub fn embedded_report(html: &Html) -> Value {
    serde_json::from_str(&embedded_text(html)).unwrap()
}

#[test]
fn each_figure_equals_the_embedded_json() {
    for (name, page) in samples() {
        let html = Html::parse_document(&page.to_html());
        let report = embedded_report(&html);
        // As text: reading a number may move its last bit.
        let embedded = embedded_text(&html).replace("\\u003c", "<");
        let report_text = page.report.to_string();
        assert!(embedded == report_text, "{name}");
        assert_figures_equal_json(name, &html, &report);
    }
}

/// Every figure and every word with a place in the report's JSON is what stands there.
pub fn assert_figures_equal_json(name: &str, html: &Html, report: &Value) {
    let figures = all(html, "[data-path]");
    assert!(figures.len() > 20, "{name}");
    for figure in figures {
        let path = figure.attr("data-path").unwrap();
        let shown = text(figure);
        match at(report, path) {
            Value::String(words) => assert_eq!(*words, shown, "{name}: {path}"),
            value => {
                let (number, tolerance) = number(&shown);
                let value = value.as_f64().unwrap();
                // Three digits of a latency above 1 s are rounded to whole milliseconds.
                assert!(
                    (number - value).abs() <= tolerance,
                    "{name}: {path}: {shown}, {value}"
                );
            }
        }
    }
}

#[test]
fn every_number_in_a_cell_has_its_path() {
    for (name, page) in samples() {
        let html = Html::parse_document(&page.to_html());
        for cell in all(&html, "tr:not(.axis) td, dd, .verdict, .warnings li") {
            let has_path = |element: ElementRef| element.attr("data-path").is_some();
            let own: String = cell
                .descendants()
                .filter_map(|node| Some((node.parent()?, node.value().as_text()?)))
                .filter(|(parent, _)| {
                    let ancestors = std::iter::once(*parent).chain(parent.ancestors());
                    !ancestors.filter_map(ElementRef::wrap).any(has_path)
                })
                .map(|(_, text)| &**text)
                .collect();
            let is_round = cell.attr("class") == Some("ordinal");
            let is_note = cell.attr("class") == Some("note");
            assert!(
                is_round || is_note || !own.contains(|c: char| c.is_ascii_digit()),
                "{name}: {own:?} without a path"
            );
        }
    }
}

#[test]
fn a_page_of_four_contestants_and_six_rounds_is_small() {
    for (name, page) in samples() {
        let bytes = page.to_html().len();
        assert!(bytes <= BYTES_MAX, "{name}: {bytes} bytes");
    }
}

/// A comparison in slices of 10 ms, with replies of so many latencies in each.
fn finely_sliced(latencies: u64) -> Page {
    let mut page = comparison();
    // Neighbours have different shades, also where ten slices make one column.
    let noise = |slice: u64| Slice {
        seconds: 0.01,
        due: Some(1_234),
        sent: 1_234_567 - slice,
        answered: 1_234_567 + slice,
        latencies: (0..latencies)
            .map(|step| LatencyCount {
                ms: 0.01 * 1.2f64.powf(step as f64),
                count: 10u64.pow((slice / 10 * 7 + step * 5) as u32 % 6),
            })
            .collect(),
    };
    for timeline in &mut page.timelines {
        for round in &mut timeline.rounds {
            round.slices = (0..200).map(noise).collect();
        }
    }
    page
}

#[test]
fn neither_fine_slices_nor_noise_make_the_page_large() {
    for latencies in [1, 60] {
        let html = finely_sliced(latencies).to_html();
        let bytes = html.len();
        assert!(bytes <= BYTES_MAX, "{latencies} latencies: {bytes} bytes");
        let html = Html::parse_document(&html);
        let readings: Value = serde_json::from_str(&text(all(&html, "#readings")[0])).unwrap();
        let columns = |index: usize| {
            let x = &readings[format!("timeline-{index}")]["x"];
            x.as_array().unwrap().len()
        };
        assert!((0..4).map(columns).sum::<usize>() <= COLUMNS_MAX);
    }
}

#[test]
fn parts_stand_in_their_order_and_are_left_out_without_data() {
    let order = |page: &Page| -> Vec<String> {
        let html = Html::parse_document(&page.to_html());
        let sections = all(&html, "section");
        sections
            .iter()
            .map(|s| s.attr("id").unwrap().to_owned())
            .collect()
    };
    let all = [
        "verdict",
        "warnings",
        "ratios",
        "latency",
        "time",
        "cost",
        "checks",
        "rounds",
        "circumstances",
    ];
    assert_eq!(order(&comparison()), all);
    let of_run = [
        "verdict",
        "warnings",
        "latency",
        "time",
        "load",
        "checks",
        "circumstances",
    ];
    assert_eq!(order(&run()), of_run);
    assert_eq!(order(&Page::default()), ["verdict", "warnings"]);
}

#[test]
fn hostile_names_stay_text() {
    let hostile = "</script><script>alert(1)</script><!-- \u{2028} & \"' <b>";
    let mut page = comparison();
    page.title = hostile.to_owned();
    page.verdict = hostile.into();
    page.timelines[0].name = Some(hostile.to_owned());
    page.percentiles.as_mut().unwrap().curves[0].name = hostile.to_owned();
    page.report["version"] = hostile.into();
    let html = Html::parse_document(&page.to_html());
    assert_eq!(all(&html, "script").len(), 3);
    assert!(all(&html, "b").is_empty());
    assert_eq!(text(all(&html, ".verdict")[0]), hostile);
    assert_eq!(embedded_report(&html)["version"], hostile);
}

#[test]
fn the_markup_has_no_error() {
    for (name, page) in samples() {
        let html = Html::parse_document(&page.to_html());
        assert!(html.errors.is_empty(), "{name}: {:?}", html.errors);
    }
}

#[test]
fn every_chart_has_a_title_and_a_description() {
    for (name, page) in samples() {
        let html = Html::parse_document(&page.to_html());
        for chart in all(&html, "svg[role=img]") {
            let labels = chart.attr("aria-labelledby").unwrap();
            for id in labels.split(' ') {
                let label = all(&html, &format!("#{id}"));
                assert_eq!(label.len(), 1, "{name}: {id}");
                assert!(!text(label[0]).trim().is_empty(), "{name}: {id}");
            }
        }
    }
}

#[test]
fn labels_of_a_sweep_keep_apart_where_its_percentiles_meet() {
    let mut page = run();
    for point in &mut page.sweeps[0].points {
        point.p99_ms = point.p50_ms.clone();
    }
    let html = Html::parse_document(&page.to_html());
    let labels = all(&html, "#sweep-0-latency text.label.middle");
    let texts: Vec<String> = labels.iter().map(|label| text(*label)).collect();
    assert_eq!(texts, ["p50", "p99"]);
    let places = labels.iter().map(|label| label.attr("y").unwrap());
    let places: Vec<f64> = places.map(|y| y.parse().unwrap()).collect();
    assert!(places[0] - places[1] >= 14.0, "{places:?}");
    assert!(places[0] <= 200.0, "{places:?}");
}

#[test]
fn the_page_names_no_address_to_load_from() {
    let html = comparison().to_html();
    for mark in [
        "src=", "href=", "url(", "@import", "fetch(", "<link", "<img",
    ] {
        assert!(!html.contains(mark), "{mark}");
    }
}

#[test]
fn text_has_contrast_in_both_schemes() {
    let style = include_str!("../../src/page/style.css");
    let (light, rest) = style.split_once("@media screen").unwrap();
    let dark = &rest[..rest.find("\n}\n").unwrap()];
    for scheme in [light, dark] {
        let colour = |name: &str| luminance(scheme, name);
        for name in [
            "ink", "quiet", "good", "bad", "client", "server", "up", "down",
        ]
        .map(str::to_owned)
        .into_iter()
        .chain((0..8).map(|number| format!("c{number}")))
        {
            let (a, b) = (colour(&name), colour("paper"));
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(contrast >= 4.5, "--{name}: {contrast:.2}");
        }
    }
}

/// Relative luminance of a colour of the style sheet (WCAG 2.2).
fn luminance(scheme: &str, name: &str) -> f64 {
    let declaration = format!("--{name}: #");
    let from = scheme
        .find(&declaration)
        .unwrap_or_else(|| panic!("{name}"))
        + declaration.len();
    let hex = scheme[from..].split(';').next().unwrap();
    let hex = match hex.len() {
        3 => hex.chars().flat_map(|c| [c, c]).collect(),
        _ => hex.to_owned(),
    };
    let channel = |index: usize| {
        let value = u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).unwrap();
        match f64::from(value) / 255.0 {
            v if v <= 0.04045 => v / 12.92,
            v => ((v + 0.055) / 1.055).powf(2.4),
        }
    };
    0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
}

/// Where the samples are written for the browser.
fn written() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("page");
    fs::create_dir_all(&folder).unwrap();
    samples()
        .into_iter()
        .map(|(name, page)| {
            let path = folder.join(format!("{name}.html"));
            fs::write(&path, page.to_html()).unwrap();
            path
        })
        .collect()
}

/// `PAGE_SCREENSHOTS` names a folder for pictures at both widths, in both schemes.
#[test]
#[ignore = "needs node with playwright-core (NODE_PATH), and chromium (CHROMIUM, or in the path)"]
fn a_browser_shows_the_page_without_network_and_without_scripts() {
    for path in written() {
        assert_browser_shows(&path);
    }
}

/// Opens the page in Chromium, at both widths and in both schemes, without network and scripts.
pub fn assert_browser_shows(page: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/page_browser.js");
    let status = Command::new("node").arg(script).arg(page).status().unwrap();
    assert!(status.success());
}
