//! Status codes that a run expects (`--expect-status`).

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Codes that a server can send (RFC 9110 15, and beyond its classes what some servers make up).
const CODES: RangeInclusive<u16> = 100..=999;

/// Wanted status codes: `200`, `404,410`, `2xx,304`, `200-299`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedStatuses {
    /// As it was written.
    text: String,
    ranges: Vec<RangeInclusive<u16>>,
}

/// The list is not one of status codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a status code; write 404, a class (4xx), a range (400-499), or several with commas"
)]
pub struct StatusError(String);

impl ExpectedStatuses {
    /// Returns true if this status is expected.
    pub fn contains(&self, status: u16) -> bool {
        self.ranges.iter().any(|range| range.contains(&status))
    }
}

/// Returns true for every status but an error of client or server: the rule without a list.
pub fn is_expected(expected: Option<&ExpectedStatuses>, status: u16) -> bool {
    match expected {
        Some(expected) => expected.contains(status),
        None => status < 400,
    }
}

/// A 3xx reply that names another target; 304 (Not Modified) does not.
pub fn is_redirect(status: u16) -> bool {
    (300..400).contains(&status) && status != 304
}

impl FromStr for ExpectedStatuses {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<ExpectedStatuses, StatusError> {
        let ranges = text
            .split(',')
            .map(|part| range(part.trim()).ok_or_else(|| StatusError(part.trim().to_owned())));
        Ok(ExpectedStatuses {
            text: text.to_owned(),
            ranges: ranges.collect::<Result<_, _>>()?,
        })
    }
}

impl fmt::Display for ExpectedStatuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn range(part: &str) -> Option<RangeInclusive<u16>> {
    if let Some(class) = part.strip_suffix("xx").or(part.strip_suffix("XX")) {
        let class: u16 = class.parse().ok().filter(|class| (1..=9).contains(class))?;
        return Some(class * 100..=class * 100 + 99);
    }
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let code = |text: &str| text.parse().ok().filter(|code| CODES.contains(code));
    let (first, last) = (code(first)?, code(last)?);
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_classes_and_ranges_are_expected() {
        let expected: ExpectedStatuses = "200, 4xx,500-502".parse().expect("a list");
        let wanted = [200, 400, 404, 499, 500, 502].map(|status| expected.contains(status));
        assert_eq!(wanted, [true; 6]);
        let others = [199, 201, 301, 399, 503].map(|status| expected.contains(status));
        assert_eq!(others, [false; 5]);
        assert_eq!(expected.to_string(), "200, 4xx,500-502");
    }

    #[test]
    fn without_a_list_errors_of_client_and_server_are_unexpected() {
        for (status, expected) in [
            (200, true),
            (304, true),
            (399, true),
            (400, false),
            (999, false),
        ] {
            assert_eq!(is_expected(None, status), expected, "{status}");
        }
        let only_404 = "404".parse().ok();
        assert!(is_expected(only_404.as_ref(), 404) && !is_expected(only_404.as_ref(), 200));
    }

    #[test]
    fn what_is_no_list_of_codes_is_refused() {
        for text in [
            "", ",", "200,", "ok", "99", "1000", "0xx", "10xx", "5xx-6xx", "300-200",
        ] {
            assert!(text.parse::<ExpectedStatuses>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn not_modified_is_no_redirect() {
        let redirects = [300, 301, 308, 399].map(is_redirect);
        assert_eq!(redirects, [true; 4]);
        assert_eq!([299, 304, 400].map(is_redirect), [false; 3]);
    }
}
