//! Parsers of values that several flags take, such as times and counts.

use std::time::Duration;

/// A time such as `5`, `0.5`, `500ms`, `5s`, `1m` or `1h`; seconds without a unit. More than zero.
///
/// # Errors
/// A sentence with the remedy.
pub fn duration(text: &str) -> Result<Duration, String> {
    let remedy =
        || format!("'{text}' is not a time; write seconds (5, 0.5) or add a unit (500ms, 1m)");
    let digits_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits_end);
    let number: f64 = number.parse().map_err(|_| remedy())?;
    let seconds = match unit {
        "ms" => number / 1e3,
        "" | "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(remedy()),
    };
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err("a time must be more than 0".to_owned()),
        Err(_) => Err(remedy()),
    }
}

/// A count of at least 1.
///
/// # Errors
/// A sentence with the remedy.
pub fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err(format!("'{text}' is not a whole number of at least 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_default_to_seconds() {
        for (text, ms) in [
            ("5", 5_000),
            ("0.5", 500),
            ("250ms", 250),
            ("2s", 2_000),
            ("1m", 60_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_the_remedy() {
        for text in [
            "",
            "abc",
            "5x",
            "-1",
            "1e3",
            "0",
            "0ms",
            "ms",
            "1..2",
            "99999999999999999999h",
        ] {
            let error = duration(text).unwrap_err();
            assert!(error.contains("time"), "{text}: {error}");
        }
    }

    #[test]
    fn counts_start_at_one() {
        assert_eq!(count("7"), Ok(7));
        for text in ["0", "-1", "1.5", "x", ""] {
            assert!(count(text).is_err(), "{text}");
        }
    }
}
