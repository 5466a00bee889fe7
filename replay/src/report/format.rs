//! Numbers as people read them.

/// A count, with its thousands apart.
pub(super) use crate::numbers::grouped as count;

use crate::numbers::grouped;

/// Three significant digits, with thousands apart where there are more before the point.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "-".to_owned();
    }
    let text = match size {
        0.0 => "0".to_owned(),
        _ if size >= 100.0 => return signed(value.round() as i64),
        _ if size >= 10.0 => format!("{value:.1}"),
        _ if size >= 1.0 => format!("{value:.2}"),
        _ => {
            let digits = (-size.log10()).floor().clamp(0.0, 9.0) as usize + 3;
            format!("{value:.digits$}")
        }
    };
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A whole number, with its thousands apart.
fn signed(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(value.unsigned_abs()))
}

/// A number with the prefix of its thousands: 12.3 k, 4 M.
pub(super) fn short(value: f64) -> String {
    scaled(value, 1_000.0, &["", " k", " M", " G", " T"])
}

/// Bytes, by thousands: axes then have round numbers.
pub(super) fn bytes(value: f64) -> String {
    scaled(value, 1_000.0, &[" B", " kB", " MB", " GB", " TB", " PB"])
}

/// Seconds.
pub(super) fn seconds(value: f64) -> String {
    match value.abs() {
        0.0 => "0 s".to_owned(),
        s if s < 1e-6 => format!("{} ns", number(value * 1e9)),
        s if s < 1e-3 => format!("{} µs", number(value * 1e6)),
        s if s < 1.0 => format!("{} ms", number(value * 1e3)),
        _ => format!("{} s", number(value)),
    }
}

/// A share, in per cent.
pub(super) fn percent(value: f64) -> String {
    format!("{} %", number(value * 100.0))
}

/// A deviation, in per cent and with its sign.
pub(super) fn signed_percent(value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{:.1} %", value * 100.0)
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut scaled = value;
    let mut at = 0;
    while scaled.abs() >= step * 0.9995 && at + 1 < units.len() {
        scaled /= step;
        at += 1;
    }
    format!("{}{}", number(scaled), units[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_written_with_the_wrong_unit() {
        let written = [
            (number(0.0), "0"),
            (number(0.01234), "0.0123"),
            (number(1.5), "1.5"),
            (number(99.96), "100"),
            (number(1_234_567.0), "1,234,567"),
            (number(-1_234.0), "-1,234"),
            (number(f64::NAN), "-"),
            (short(999.0), "999"),
            (short(12_345.0), "12.3 k"),
            (short(1_000_000.0), "1 M"),
            (bytes(999.9), "1 kB"),
            (bytes(1_536.0), "1.54 kB"),
            (seconds(0.0), "0 s"),
            (seconds(2.5e-5), "25 µs"),
            (seconds(0.0123), "12.3 ms"),
            (seconds(12.0), "12 s"),
            (percent(0.5), "50 %"),
            (signed_percent(0.0512), "+5.1 %"),
            (signed_percent(-0.2), "-20.0 %"),
        ];
        for (got, expected) in written {
            assert_eq!(got, expected);
        }
    }
}
