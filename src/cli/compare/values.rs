//! Values that the flags of a comparison and its suites share.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::cli::values;
use crate::load::{PIPELINING_MAX, Target};

/// A count of at least 1.
///
/// # Errors
/// A sentence with the remedy.
pub(super) fn count(text: &str) -> Result<NonZeroUsize, String> {
    let count = values::count(text)?;
    NonZeroUsize::new(count).ok_or_else(|| "must be at least 1".to_owned())
}

/// A number of requests in flight on each connection.
///
/// # Errors
/// A sentence with the remedy.
pub(super) fn pipelining(text: &str) -> Result<NonZeroUsize, String> {
    match count(text)? {
        count if count.get() <= PIPELINING_MAX => Ok(count),
        _ => Err(format!(
            "at most {PIPELINING_MAX}: more would wait in this client and not at the server"
        )),
    }
}

/// A time that may be zero.
///
/// # Errors
/// A sentence with the remedy.
pub(super) fn warmup(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(0.0) => Ok(Duration::ZERO),
        _ => values::duration(text),
    }
}

/// Requests per second, with k or M for thousands or millions.
///
/// # Errors
/// A sentence with the remedy.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let (number, factor) = match (text.strip_suffix('k'), text.strip_suffix('M')) {
        (Some(number), _) => (number, 1e3),
        (None, Some(number)) => (number, 1e6),
        (None, None) => (text, 1.0),
    };
    match number.parse::<f64>() {
        Ok(rate) if (f64::MIN_POSITIVE..=1e9).contains(&(rate * factor)) => Ok(rate * factor),
        _ => Err(format!(
            "'{text}' is not a rate; write requests per second: 500, 1k, 2.5k"
        )),
    }
}

/// A path with or without a query.
///
/// # Errors
/// A sentence with the remedy.
pub(super) fn path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err(format!(
            "'{text}' is not a path; write it with a slash: /{text}"
        ));
    }
    match Target::parse(&format!("http://localhost{text}")) {
        Ok(target) => Ok(target.request_target().to_owned()),
        Err(e) => Err(e.to_string()),
    }
}

/// `NAME=PID`.
///
/// # Errors
/// A sentence with the remedy.
pub(super) fn named_pid(text: &str) -> Result<(String, u32), String> {
    let named = text.split_once('=').and_then(|(name, id)| {
        let id = id.parse().ok().filter(|&id| id > 0)?;
        Some((name.to_owned(), id))
    });
    named.ok_or_else(|| format!("'{text}' is not NAME=PID, such as app=1234"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_thousands_and_millions() {
        for (text, value) in [("500", 500.0), ("1k", 1e3), ("2.5k", 2500.0), ("1M", 1e6)] {
            assert_eq!(rate(text), Ok(value), "{text}");
        }
        for text in ["", "0", "-1", "k", "1G", "1e12", "NaN", "inf"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
