//! Objectives, the values of `--find-rate` and `--fail-if`: `p99<5ms`, `errors>0`, `rate<1000`.

use std::fmt;
use std::str::FromStr;

/// A metric of a run, a comparison, and a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// The compared figure.
    pub metric: Metric,
    /// The comparison.
    pub comparison: Comparison,
    /// The limit: nanoseconds for a latency, requests per second for a rate, a number of errors, or
    /// a share of all requests from 0 to 1.
    pub limit: f64,
}

/// A figure of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// A percentile of the latency; between 0 and 1.
    Percentile(f64),
    /// The mean latency.
    Mean,
    /// The greatest latency.
    Max,
    /// Replies per second.
    Rate,
    /// Errors, timeouts among them.
    Errors,
    /// Errors as a share of all requests.
    ErrorShare,
    /// The verdict is SUSPECT. Has no limit.
    Suspect,
}

impl Metric {
    /// Returns true if its limit is a time.
    pub fn is_latency(self) -> bool {
        matches!(self, Metric::Percentile(_) | Metric::Mean | Metric::Max)
    }
}

/// Comparison of a metric with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Returns true if it holds between these two.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Comparison::Below => value < limit,
            Comparison::AtMost => value <= limit,
            Comparison::Above => value > limit,
            Comparison::AtLeast => value >= limit,
        }
    }

    /// Returns true if it holds between a figure that is somewhere in an interval and a limit. An open
    /// side of the interval is `None`.
    pub fn judge(self, limit: f64, low: Option<f64>, high: Option<f64>) -> Answer {
        let low = self.holds(low.unwrap_or(f64::NEG_INFINITY), limit);
        let high = self.holds(high.unwrap_or(f64::INFINITY), limit);
        match (low, high) {
            (true, true) => Answer::Holds,
            (false, false) => Answer::Fails,
            _ => Answer::Undecided,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Comparison::Below => "<",
            Comparison::AtMost => "<=",
            Comparison::Above => ">",
            Comparison::AtLeast => ">=",
        }
    }
}

/// Splits `p99 < 5ms` into the text before the sign, the comparison, and the text behind it.
pub fn split_comparison(text: &str) -> Option<(&str, Comparison, &str)> {
    let (before, rest) = text.split_at(text.find(['<', '>'])?);
    // The longer signs first.
    let comparisons = [
        Comparison::AtMost,
        Comparison::AtLeast,
        Comparison::Below,
        Comparison::Above,
    ];
    comparisons.into_iter().find_map(|comparison| {
        let behind = rest.strip_prefix(comparison.as_str())?;
        Some((before.trim(), comparison, behind.trim()))
    })
}

/// An answer in the face of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds in all of the interval.
    Holds,
    /// It holds in none of it.
    Fails,
    /// The limit is within the interval.
    Undecided,
}

impl Objective {
    /// Returns true if it holds for a figure that is somewhere in an interval. An end that the run
    /// does not bound is `None`.
    pub fn judge(&self, low: Option<f64>, high: Option<f64>) -> Answer {
        self.comparison.judge(self.limit, low, high)
    }
}

/// Reason why a text is no objective.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectiveError {
    /// No `<` or `>`.
    #[error("'{0}' compares nothing: write a metric, < or >, and a limit, such as 'p99<5ms'")]
    NoComparison(String),
    /// Not a metric.
    #[error(
        "'{0}' is not a metric: use p50, p99, p99.9 or another percentile, mean, max, rate, \
         errors or suspect"
    )]
    UnknownMetric(String),
    /// A percentile outside of 0 to 100, or with more digits than are read.
    #[error("'{0}' is not a percentile: it must be from 0.0001 to 99.9999")]
    BadPercentile(String),
    /// Not a number before the unit.
    #[error("'{0}' is not a limit: it must be a number of at least 0 with its unit, such as '5ms'")]
    BadNumber(String),
    /// A latency needs a unit.
    #[error("'{0}' has no unit of time: write {0}ms, {0}us or {0}s")]
    NoUnit(String),
    /// Another unit than the metric's.
    #[error("'{unit}' is not a unit of '{metric}': use {units}")]
    BadUnit {
        /// The unit given.
        unit: String,
        /// The metric.
        metric: String,
        /// The allowed values.
        units: &'static str,
    },
    /// `suspect` is compared with something.
    #[error("'suspect' is a verdict and has no limit: write it alone")]
    SuspectWithLimit,
}

impl FromStr for Objective {
    type Err = ObjectiveError;

    fn from_str(text: &str) -> Result<Objective, ObjectiveError> {
        let text = text.trim();
        let Some((name, comparison, limit)) = split_comparison(text) else {
            if text == "suspect" {
                return Ok(Objective {
                    metric: Metric::Suspect,
                    comparison: Comparison::Above,
                    limit: 0.0,
                });
            }
            return Err(ObjectiveError::NoComparison(text.to_owned()));
        };
        let (metric, limit) = limit_of(metric(name)?, name, limit)?;
        Ok(Objective {
            metric,
            comparison,
            limit,
        })
    }
}

fn metric(name: &str) -> Result<Metric, ObjectiveError> {
    match name {
        "mean" | "average" | "avg" => return Ok(Metric::Mean),
        "max" => return Ok(Metric::Max),
        "rate" => return Ok(Metric::Rate),
        "errors" => return Ok(Metric::Errors),
        "suspect" => return Err(ObjectiveError::SuspectWithLimit),
        _ => {}
    }
    let unknown = || ObjectiveError::UnknownMetric(name.to_owned());
    let digits = name.strip_prefix('p').ok_or_else(unknown)?;
    let percentile: f64 = digits.replace('_', ".").parse().map_err(|_| unknown())?;
    // Not 0.999 plus an error in the last bit.
    let quantile = (percentile * 1e4).round() / 1e6;
    if quantile > 0.0 && quantile < 1.0 {
        Ok(Metric::Percentile(quantile))
    } else {
        Err(ObjectiveError::BadPercentile(name.to_owned()))
    }
}

/// The limit in its unit. A share of errors is another metric than their number.
fn limit_of(metric: Metric, name: &str, text: &str) -> Result<(Metric, f64), ObjectiveError> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let bad_number = || ObjectiveError::BadNumber(text.to_owned());
    let number: f64 = number.parse().map_err(|_| bad_number())?;
    let unit = unit.trim();
    let bad_unit = |units| ObjectiveError::BadUnit {
        unit: unit.to_owned(),
        metric: name.to_owned(),
        units,
    };
    match metric {
        Metric::Rate => match per_second(unit) {
            Some(factor) => Ok((metric, number * factor)),
            None => Err(bad_unit("requests per second, as in 1000 or 1k")),
        },
        Metric::Errors | Metric::ErrorShare => match unit {
            "" => Ok((Metric::Errors, number)),
            "%" => Ok((Metric::ErrorShare, number / 100.0)),
            _ => Err(bad_unit("a number or %")),
        },
        _ => {
            let ns = match unit {
                "ns" => 1.0,
                "us" | "µs" | "μs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "" => return Err(ObjectiveError::NoUnit(text.to_owned())),
                _ => return Err(bad_unit("ns, us, ms or s")),
            };
            Ok((metric, number * ns))
        }
    }
}

/// Requests per second of a text: `1000`, `0.5`, `1k`, `2.5M/s`.
pub fn rate(text: &str) -> Option<f64> {
    let number = text.trim_end_matches(['k', 'M', '/', 's']);
    let factor = per_second(&text[number.len()..])?;
    Some(number.parse::<f64>().ok()? * factor)
}

fn per_second(unit: &str) -> Option<f64> {
    match unit {
        "" | "/s" => Some(1.0),
        "k" | "k/s" => Some(1e3),
        "M" | "M/s" => Some(1e6),
        _ => None,
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Ten digits hide the last bits of a product.
            Metric::Percentile(quantile) => write!(f, "p{}", (quantile * 1e6).round() / 1e4),
            Metric::Mean => f.write_str("mean"),
            Metric::Max => f.write_str("max"),
            Metric::Rate => f.write_str("rate"),
            Metric::Errors | Metric::ErrorShare => f.write_str("errors"),
            Metric::Suspect => f.write_str("suspect"),
        }
    }
}

impl fmt::Display for Objective {
    /// As it can be parsed again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Objective {
            metric,
            comparison,
            limit,
        } = self;
        let comparison = comparison.as_str();
        match metric {
            Metric::Suspect => write!(f, "{metric}"),
            Metric::Rate | Metric::Errors => write!(f, "{metric}{comparison}{limit}"),
            Metric::ErrorShare => {
                // As for a percentile: 7 and not 7.000000000000001.
                let percent = (limit * 1e6).round() / 1e4;
                write!(f, "{metric}{comparison}{percent}%")
            }
            _ if *limit < 1e6 => write!(f, "{metric}{comparison}{}us", limit / 1e3),
            _ if *limit < 1e9 => write!(f, "{metric}{comparison}{}ms", limit / 1e6),
            _ => write!(f, "{metric}{comparison}{}s", limit / 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Objective {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn metric_comparison_and_limit_are_read() {
        let cases = [
            ("p99<5ms", Metric::Percentile(0.99), Comparison::Below, 5e6),
            (
                " p99.9 <= 250us ",
                Metric::Percentile(0.999),
                Comparison::AtMost,
                250e3,
            ),
            (
                "p97_5>1.5s",
                Metric::Percentile(0.975),
                Comparison::Above,
                1.5e9,
            ),
            ("mean>=800ns", Metric::Mean, Comparison::AtLeast, 800.0),
            ("max<1s", Metric::Max, Comparison::Below, 1e9),
            ("rate<1000", Metric::Rate, Comparison::Below, 1000.0),
            ("rate>12.5k", Metric::Rate, Comparison::Above, 12_500.0),
            ("rate>1.5M", Metric::Rate, Comparison::Above, 1.5e6),
            ("errors>0", Metric::Errors, Comparison::Above, 0.0),
            ("errors>1%", Metric::ErrorShare, Comparison::Above, 0.01),
            ("suspect", Metric::Suspect, Comparison::Above, 0.0),
        ];
        for (text, metric, comparison, limit) in cases {
            let objective = Objective {
                metric,
                comparison,
                limit,
            };
            assert_eq!(parse(text), objective, "{text}");
            assert_eq!(parse(&objective.to_string()), objective, "{objective}");
        }
    }

    #[test]
    fn a_mistake_is_named_with_its_remedy() {
        for (text, message) in [
            (
                "p99",
                "'p99' compares nothing: write a metric, < or >, and a limit, such as 'p99<5ms'",
            ),
            (
                "p99=5ms",
                "'p99=5ms' compares nothing: write a metric, < or >, and a limit, such as 'p99<5ms'",
            ),
            (
                "q99<5ms",
                "'q99' is not a metric: use p50, p99, p99.9 or another percentile, mean, max, rate, errors or suspect",
            ),
            (
                "p100<5ms",
                "'p100' is not a percentile: it must be from 0.0001 to 99.9999",
            ),
            (
                "pNaN<5ms",
                "'pNaN' is not a percentile: it must be from 0.0001 to 99.9999",
            ),
            (
                "p99.99999<5ms",
                "'p99.99999' is not a percentile: it must be from 0.0001 to 99.9999",
            ),
            (
                "p0.00001<5ms",
                "'p0.00001' is not a percentile: it must be from 0.0001 to 99.9999",
            ),
            ("p99<5", "'5' has no unit of time: write 5ms, 5us or 5s"),
            (
                "p99<5min",
                "'min' is not a unit of 'p99': use ns, us, ms or s",
            ),
            (
                "p99<-5ms",
                "'-5ms' is not a limit: it must be a number of at least 0 with its unit, such as '5ms'",
            ),
            (
                "p99<",
                "'' is not a limit: it must be a number of at least 0 with its unit, such as '5ms'",
            ),
            (
                "rate<5ms",
                "'ms' is not a unit of 'rate': use requests per second, as in 1000 or 1k",
            ),
            (
                "errors>1ms",
                "'ms' is not a unit of 'errors': use a number or %",
            ),
            (
                "suspect>1",
                "'suspect' is a verdict and has no limit: write it alone",
            ),
        ] {
            let error = text.parse::<Objective>().expect_err(text);
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_share_is_written_as_it_was_given() {
        for text in ["errors>7%", "errors>29%", "errors>0.1%", "errors<=12.5%"] {
            assert_eq!(parse(text).to_string(), text);
        }
    }

    #[test]
    fn an_interval_holds_fails_or_leaves_it_open() {
        let gate = parse("p99>5ms");
        assert_eq!(gate.judge(Some(6e6), Some(7e6)), Answer::Holds);
        assert_eq!(gate.judge(Some(3e6), Some(4e6)), Answer::Fails);
        assert_eq!(gate.judge(Some(4e6), Some(6e6)), Answer::Undecided);
        assert_eq!(gate.judge(Some(6e6), None), Answer::Holds);
        assert_eq!(gate.judge(Some(4e6), None), Answer::Undecided);
        assert_eq!(gate.judge(None, Some(4e6)), Answer::Fails);
    }

    #[test]
    fn a_limit_is_written_in_the_unit_that_suits_it() {
        for (text, written) in [
            ("p99<5000us", "p99<5ms"),
            ("p99<999us", "p99<999us"),
            ("max<0.5s", "max<500ms"),
            ("max<1000ms", "max<1s"),
            ("p0.0001<1s", "p0.0001<1s"),
        ] {
            assert_eq!(parse(text).to_string(), written);
        }
    }

    #[test]
    fn a_figure_at_its_limit_is_not_beyond_it() {
        let holds = |comparison: Comparison| comparison.holds(5.0, 5.0);
        assert!(!holds(Comparison::Below) && !holds(Comparison::Above));
        assert!(holds(Comparison::AtMost) && holds(Comparison::AtLeast));
    }
}
