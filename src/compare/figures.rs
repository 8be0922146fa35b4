//! How figures are written for a reader: a unit, and about three digits that mean something.

/// A rate or count: `1,234,567`; below 100 with one decimal.
pub fn rate(value: f64) -> String {
    match value {
        small if small < 100.0 => format!("{small:.1}"),
        large => grouped(large.round() as u64),
    }
}

/// `1,234,567`.
pub fn grouped(count: u64) -> String {
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

/// A number with three digits: `0.123`, `1.23`, `12.3`, `123`.
pub fn three_digits(value: f64) -> String {
    match value {
        v if v < 0.9995 => format!("{v:.3}"),
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => grouped(v.round() as u64),
    }
}

/// Microseconds below a millisecond, seconds above a thousand: `321 µs`, `1.23 ms`, `4.15 s`.
pub fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 0.9995 => format!("{} µs", three_digits(ms * 1e3)),
        ms if ms < 999.5 => format!("{} ms", three_digits(ms)),
        ms => format!("{} s", three_digits(ms / 1e3)),
    }
}

/// Binary units: `512 KiB`, `9.61 MiB`.
pub fn bytes(bytes: u64) -> String {
    const KIB: f64 = 1024.0;
    let kib = bytes as f64 / KIB;
    match kib {
        kib if kib < KIB => format!("{} KiB", three_digits(kib)),
        kib if kib < KIB * KIB => format!("{} MiB", three_digits(kib / KIB)),
        kib => format!("{} GiB", three_digits(kib / KIB / KIB)),
    }
}

/// A share of one: `96 %`.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        let written = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(written, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([7.25, 99.96, 5264.4].map(rate), ["7.2", "100.0", "5,264"]);
    }

    #[test]
    fn a_figure_keeps_three_digits_and_changes_its_unit() {
        let written = [0.000_4, 0.012_34, 0.9994, 1.0, 12.34, 999.4, 4146.0].map(milliseconds);
        let expected = [
            "0.400 µs",
            "12.3 µs",
            "999 µs",
            "1.00 ms",
            "12.3 ms",
            "999 ms",
            "4.15 s",
        ];
        assert_eq!(written, expected);
        let written = [512 * 1024, 10_077_880, 3 << 30].map(bytes);
        assert_eq!(written, ["512 KiB", "9.61 MiB", "3.00 GiB"]);
    }
}
