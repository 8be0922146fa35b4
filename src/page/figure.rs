//! Figures with their place in the report's JSON.

use maud::{Markup, html};
use serde_json::Value;

use crate::format;

/// A place in the report's JSON. A place that does not exist reads as `null`.
#[derive(Clone, Debug)]
pub struct At<'a> {
    value: &'a Value,
    path: String,
}

/// A number of the report, with its path in the JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    value: f64,
    path: String,
}

/// A figure and its interval. An end that is `None` is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The figure itself.
    pub value: Figure,
    /// Lower end.
    pub low: Option<Figure>,
    /// Upper end.
    pub high: Option<Figure>,
}

/// Words: with their path if they are in the JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    words: String,
    path: Option<String>,
}

const NULL: Value = Value::Null;

impl<'a> At<'a> {
    /// The whole report.
    pub fn root(report: &'a Value) -> At<'a> {
        At {
            value: report,
            path: String::new(),
        }
    }

    /// The member `key` of an object.
    pub fn key(&self, key: &str) -> At<'a> {
        let dot = if self.path.is_empty() { "" } else { "." };
        At {
            value: self.value.get(key).unwrap_or(&NULL),
            path: format!("{}{dot}{key}", self.path),
        }
    }

    /// The element `index` of an array.
    pub fn index(&self, index: usize) -> At<'a> {
        At {
            value: self.value.get(index).unwrap_or(&NULL),
            path: format!("{}[{index}]", self.path),
        }
    }

    /// The elements of an array; empty for anything else.
    pub fn elements(&self) -> impl Iterator<Item = At<'a>> + use<'_, 'a> {
        let length = self.value.as_array().map_or(0, Vec::len);
        (0..length).map(|index| self.index(index))
    }

    /// The number that stands here.
    pub fn figure(&self) -> Option<Figure> {
        Some(Figure {
            value: self.value.as_f64()?,
            path: self.path.clone(),
        })
    }

    /// The numbers of an array; others in it are left out.
    pub fn figures(&self) -> Vec<Figure> {
        self.elements().filter_map(|at| at.figure()).collect()
    }

    /// The figure under `key`, with an interval from `low` and `high` beside it.
    pub fn estimate(&self, key: &str, low: &str, high: &str) -> Option<Estimate> {
        Some(Estimate {
            value: self.key(key).figure()?,
            low: self.key(low).figure(),
            high: self.key(high).figure(),
        })
    }

    /// The string that stands here.
    pub fn text(&self) -> Option<Text> {
        Some(Text {
            words: self.value.as_str()?.to_owned(),
            path: Some(self.path.clone()),
        })
    }
}

impl Figure {
    /// The number.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The place of the number in the JSON.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn show(&self, text: impl Fn(f64) -> String) -> Markup {
        html! { span data-path=(self.path) { (text(self.value)) } }
    }
}

impl Estimate {
    /// The figure, then its interval in brackets.
    pub(super) fn show(&self, text: impl Fn(f64) -> String) -> Markup {
        html! {
            (self.value.show(&text))
            @if self.low.is_some() || self.high.is_some() {
                " " span.interval { (self.show_interval(&text)) }
            }
        }
    }

    /// The unit stands once: `2.31 to 2.49 ms`.
    pub(super) fn show_interval(&self, text: impl Fn(f64) -> String) -> Markup {
        let unit = self.high.as_ref().and_then(|high| {
            let text = text(high.value);
            text.rsplit_once(' ').map(|(_, unit)| format!(" {unit}"))
        });
        let bare = |value: f64| match (text(value), &unit) {
            (text, Some(unit)) => text.trim_end_matches(unit.as_str()).to_owned(),
            (text, None) => text,
        };
        html! {
            @match (&self.low, &self.high) {
                (Some(low), Some(high)) => { (low.show(bare)) " to " (high.show(&text)) }
                (Some(low), None) => { "at least " (low.show(&text)) }
                (None, Some(high)) => { "at most " (high.show(&text)) }
                (None, None) => {}
            }
        }
    }
}

impl Text {
    /// The words themselves.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// The words of a command, which break at spaces only.
    pub(super) fn show_command(&self) -> Markup {
        html! {
            span data-path=[&self.path] {
                @for (index, word) in self.words.split(' ').enumerate() {
                    @if index > 0 { " " }
                    span.word { (word) }
                }
            }
        }
    }

    pub(super) fn show(&self) -> Markup {
        html! {
            @match &self.path {
                Some(path) => span data-path=(path) { (self.words) },
                None => (self.words),
            }
        }
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(words: T) -> Text {
        Text {
            words: words.into(),
            path: None,
        }
    }
}

/// An optional estimate, or a dash.
pub(super) fn estimate_or_dash(
    estimate: Option<&Estimate>,
    text: impl Fn(f64) -> String,
) -> Markup {
    html! { @match estimate { Some(estimate) => (estimate.show(text)), None => (format::or_dash(None)) } }
}

/// An optional figure, or a dash.
pub(super) fn or_dash(figure: Option<&Figure>, text: impl Fn(f64) -> String) -> Markup {
    html! { @match figure { Some(figure) => (figure.show(text)), None => (format::or_dash(None)) } }
}

/// Microseconds of CPU time.
pub(super) fn microseconds(micros: f64) -> String {
    format!("{} µs", format::three_digits(micros))
}

/// An exact count.
pub(super) fn count(value: f64) -> String {
    format::count(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_figure_keeps_its_path() {
        let report = json!({"contestants": [{"ratio": {"median": 1.5, "low": null}}]});
        let ratio = At::root(&report).key("contestants").index(0).key("ratio");
        let estimate = ratio.estimate("median", "low", "high").unwrap();
        assert_eq!(estimate.value.value(), 1.5);
        assert_eq!(estimate.value.path(), "contestants[0].ratio.median");
        assert_eq!((estimate.low, estimate.high), (None, None));
        assert_eq!(ratio.key("median").text(), None);
        assert_eq!(ratio.key("absent").key("deeper").figure(), None);
        assert_eq!(ratio.elements().count(), 0);
    }

    #[test]
    fn the_unit_of_an_interval_stands_once() {
        let report = json!({"ms": 2.3, "low": 2.1, "high": 2.5});
        let shown = At::root(&report)
            .estimate("ms", "low", "high")
            .unwrap()
            .show(format::milliseconds)
            .into_string();
        assert_eq!(shown.matches(" ms<").count(), 2, "{shown}");
        assert!(shown.contains(">2.10</span> to "), "{shown}");
    }
}
