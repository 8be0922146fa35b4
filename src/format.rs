//! Figures as text: one spelling for each kind of figure, in every report.
//!
//! Deliberately absent: binary units, and latencies in anything but milliseconds. Figures of one
//! kind have one unit, so that they compare at a glance.

/// A rate or a mean count with five digits and no trailing zeros: `102,255`, `5,264.4`, `385.32`.
pub fn rate(value: f64) -> String {
    let decimals = match value {
        10_000.0.. => 0,
        1000.0.. => 1,
        _ => 2,
    };
    let text = trimmed(value, decimals);
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
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

/// A rate with four digits: one that a search has found is no more exact.
pub fn four_digits(value: f64) -> String {
    let scale = 10f64.powf(3.0 - value.log10().floor());
    rate(match scale.is_finite() {
        true => (value * scale).round() / scale,
        false => value,
    })
}

/// A rate where there is little room: `5,264`, `14.2k`, `1.49M`.
pub fn short_rate(value: f64) -> String {
    match value {
        999_500.0.. => format!("{}M", three_digits(value / 1e6)),
        9_999.5.. => format!("{}k", three_digits(value / 1e3)),
        1000.0.. => rate(value.round()),
        _ => rate(value),
    }
}

/// An exact count: `1,234,567`.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count with its noun: `1 error`, `1,400 errors`, `3 replies`.
pub fn plural(number: u64, one: &str) -> String {
    match (number, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) => format!("{} {stem}ies", count(number)),
        _ => format!("{} {one}s", count(number)),
    }
}

/// A count in autocannon's short form: `999`, `26k`, `7.43M`.
pub fn rounded_count(count: u64) -> String {
    match count {
        0..1000 => count.to_string(),
        1000..999_500 => format!("{}k", (count + 500) / 1000),
        _ => format!("{}M", trimmed(count as f64 / 1e6, 2)),
    }
}

/// A size with three digits in decimal units: `48 B`, `47.4 kB`, `3.24 MB`.
pub fn bytes(bytes: f64) -> String {
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

/// A latency with at least three digits: `0.085 ms`, `2.31 ms`, `3,540 ms`.
pub fn milliseconds(ms: f64) -> String {
    let decimals = match ms {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        0.0095.. => 3,
        _ => 4,
    };
    match decimals {
        0 => format!("{} ms", rate(ms.round())),
        decimals => format!("{ms:.decimals$} ms"),
    }
}

/// A figure, or a lower bound of it: `>= 2.31 ms`.
pub fn bound(is_lower_bound: bool, figure: String) -> String {
    match is_lower_bound {
        true => format!(">= {figure}"),
        false => figure,
    }
}

/// A number with three digits: `0.123`, `1.23`, `12.3`, `1,230`.
pub fn three_digits(value: f64) -> String {
    match value {
        v if v < 0.9995 => format!("{v:.3}"),
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => count(v.round() as u64),
    }
}

/// A ratio: near 1 with three decimals, elsewhere with three digits. `0.987`, `1.023`, `19.4`.
pub fn ratio(ratio: f64) -> String {
    match ratio {
        0.0995..1.9995 => format!("{ratio:.3}"),
        _ => three_digits(ratio),
    }
}

/// A round number, as on an axis, with no more digits than it needs: `0.002`, `1.5`, `20,000`.
pub fn shortest(value: f64) -> String {
    match value.abs() {
        1000.0.. => rate(value.round()),
        _ => trimmed(value, 4),
    }
}

/// A share of one, in per cent: `96 %`.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A figure that may be missing: `-` if it is.
pub fn or_dash(figure: Option<String>) -> String {
    figure.unwrap_or_else(|| "-".to_owned())
}

/// A number with at most `decimals` decimals, without trailing zeros.
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
    fn rates_have_five_digits_and_no_trailing_zeros() {
        for (value, text) in [
            (0.0, "0"),
            (7.25, "7.25"),
            (999.0, "999"),
            (5264.4, "5,264.4"),
            (102_255.0, "102,255"),
            (1_234_567.891, "1,234,568"),
            (385.32, "385.32"),
        ] {
            assert_eq!(rate(value), text);
        }
    }

    #[test]
    fn short_rates_have_three_digits_where_they_are_large() {
        let values = [
            5264.4,
            9999.0,
            14_207.0,
            99_999.0,
            999_499.0,
            999_500.0,
            12_345_678.0,
        ];
        let texts = ["5,264", "9,999", "14.2k", "100k", "999k", "1.00M", "12.3M"];
        assert_eq!(values.map(short_rate), texts);
    }

    #[test]
    fn counts_are_exact_or_short() {
        let exact = [0, 999, 1000, 1_234_567].map(count);
        assert_eq!(exact, ["0", "999", "1,000", "1,234,567"]);
        for (number, text) in [
            (999, "999"),
            (1499, "1k"),
            (25_600, "26k"),
            (999_499, "999k"),
            (999_500, "1M"),
            (7_434_000, "7.43M"),
        ] {
            assert_eq!(rounded_count(number), text);
        }
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(plural(1, "error"), "1 error");
        assert_eq!(plural(1400, "error"), "1,400 errors");
        assert_eq!(plural(2, "reply"), "2 replies");
        assert_eq!(plural(1, "reply"), "1 reply");
    }

    #[test]
    fn sizes_have_three_digits_and_decimal_units() {
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
    fn latencies_are_milliseconds_with_three_digits() {
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
    }

    #[test]
    fn ratios_near_one_show_tenths_of_a_per_cent() {
        let written = [0.0123, 0.98765, 1.0, 1.0234, 1.9996, 19.44].map(ratio);
        assert_eq!(
            written,
            ["0.012", "0.988", "1.000", "1.023", "2.00", "19.4"]
        );
    }

    #[test]
    fn round_numbers_have_no_needless_digits() {
        let written = [0.0, 0.002, 0.98, 1.0, 99.999, 20_000.0].map(shortest);
        assert_eq!(written, ["0", "0.002", "0.98", "1", "99.999", "20,000"]);
    }

    #[test]
    fn numbers_keep_three_digits() {
        let written = [0.000_4, 0.4461, 4.834, 23.44, 302.6, 1230.4].map(three_digits);
        assert_eq!(written, ["0.000", "0.446", "4.83", "23.4", "303", "1,230"]);
    }
}
