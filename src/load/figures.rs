//! Figures as autocannon writes them, but without throwing digits away that were measured.

/// `102,255`, `5,264.4`, `385.32`: thousands apart, five digits, no zero at the end of decimals.
pub(super) fn thousands(value: f64) -> String {
    let decimals = match value {
        10_000.0.. => 0,
        1000.0.. => 1,
        _ => 2,
    };
    let text = trimmed(value, decimals);
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if !decimals.is_empty() {
        grouped.push('.');
        grouped.push_str(decimals);
    }
    grouped
}

/// `999`, `26k`, `7.43M`.
pub(super) fn rounded_count(count: u64) -> String {
    match count {
        0..1000 => count.to_string(),
        1000..999_500 => format!("{}k", (count + 500) / 1000),
        _ => format!("{}M", trimmed(count as f64 / 1e6, 2)),
    }
}

/// `556 kB`: decimal units, three digits.
pub(super) fn bytes(bytes: f64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 999.5 && unit < UNITS.len() - 1 {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = match value {
        _ if unit == 0 => 0,
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{} {}", trimmed(value, decimals), UNITS[unit])
}

/// `2.31 ms`, `0.085 ms`, `3,540 ms`: three digits at least, always in milliseconds, so that
/// columns compare at a glance.
pub(super) fn milliseconds(ms: f64) -> String {
    let decimals = match ms {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        0.0095.. => 3,
        _ => 4,
    };
    let text = format!("{ms:.decimals$}");
    match text.split_once('.') {
        None => format!("{} ms", thousands(ms.round())),
        Some(_) => format!("{text} ms"),
    }
}

/// `-` for a percentile that too few samples stand behind.
pub(super) fn milliseconds_or_dash(ms: Option<f64>) -> String {
    ms.map_or_else(|| "-".to_owned(), milliseconds)
}

/// `1 error`, `2 errors`, `3 replies`.
pub(super) fn plural(count: u64, one: &str) -> String {
    match (count, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) => format!("{} {stem}ies", thousands(count as f64)),
        _ => format!("{} {one}s", thousands(count as f64)),
    }
}

/// Rounded to so many decimals, without zeros at the end.
fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_rates_read_as_in_autocannon() {
        for (value, text) in [
            (0.0, "0"),
            (999.0, "999"),
            (5264.4, "5,264.4"),
            (102_255.0, "102,255"),
            (1_234_567.891, "1,234,568"),
            (385.32, "385.32"),
        ] {
            assert_eq!(thousands(value), text);
        }
        for (count, text) in [
            (999, "999"),
            (1499, "1k"),
            (25_600, "26k"),
            (999_499, "999k"),
            (999_500, "1M"),
            (7_434_000, "7.43M"),
        ] {
            assert_eq!(rounded_count(count), text);
        }
        for (value, text) in [
            (0.0, "0 B"),
            (48.4, "48 B"),
            (999.6, "1 kB"),
            (556_000.0, "556 kB"),
            (47_400.0, "47.4 kB"),
            (3_240_000.0, "3.24 MB"),
            (1_234_567_890.0, "1.23 GB"),
        ] {
            assert_eq!(bytes(value), text);
        }
    }

    #[test]
    fn latencies_keep_three_digits_below_a_millisecond_and_above() {
        for (ms, text) in [
            (0.0, "0.0000 ms"),
            (0.0085, "0.0085 ms"),
            (0.085, "0.085 ms"),
            (0.85, "0.850 ms"),
            (2.314, "2.31 ms"),
            (21.04, "21.0 ms"),
            (558.2, "558 ms"),
            (3540.0, "3,540 ms"),
        ] {
            assert_eq!(milliseconds(ms), text);
        }
        assert_eq!(milliseconds_or_dash(None), "-");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(plural(1, "error"), "1 error");
        assert_eq!(plural(1400, "error"), "1,400 errors");
        assert_eq!(plural(2, "reply"), "2 replies");
        assert_eq!(plural(1, "reply"), "1 reply");
    }
}
