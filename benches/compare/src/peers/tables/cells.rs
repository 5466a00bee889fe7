//! Figures as cells have them.

/// What stands where there is no figure.
pub(super) fn none() -> String {
    "-".to_owned()
}

/// A whole number, in groups of three digits.
pub(super) fn whole(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(String::from_utf8_lossy);
    let head = Some(head).filter(|it| !it.is_empty()).map(Into::into);
    let groups: Vec<_> = head.into_iter().chain(groups).collect();
    groups.join(",")
}

/// With three digits or so.
pub(super) fn decimal(number: f64) -> String {
    match number {
        it if it >= 100.0 => whole(it.round() as u64),
        it if it >= 10.0 => format!("{it:.1}"),
        it => format!("{it:.2}"),
    }
}

/// A total for each update, in bytes.
pub(super) fn each(figure: Option<f64>) -> String {
    figure.map_or_else(none, |it| whole(it.round() as u64))
}

pub(super) fn milliseconds(ns: u64) -> String {
    format!("{} ms", decimal(ns as f64 / 1e6))
}

pub(super) fn seconds(ns: u64) -> String {
    format!("{:.1} s", ns as f64 / 1e9)
}

/// Bytes in the unit that fits.
pub(super) fn bytes(bytes: u64) -> String {
    match bytes {
        it if it >= 1 << 30 => format!("{:.2} GiB", it as f64 / f64::from(1 << 30)),
        it => format!("{:.0} MiB", it as f64 / f64::from(1 << 20)),
    }
}

/// Several figures in one cell.
pub(super) fn joined(figures: impl IntoIterator<Item = String>) -> String {
    let figures: Vec<_> = figures.into_iter().collect();
    match figures.is_empty() {
        true => none(),
        false => figures.join(" / "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_is_lost_between_commas() {
        for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000")] {
            assert_eq!(whole(number), expected);
        }
        assert_eq!(whole(12_345_678), "12,345,678");
        assert_eq!(whole(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn figures_keep_three_digits() {
        let numbers = [0.5, 9.876, 12.34, 1_234.5].map(decimal);
        assert_eq!(numbers, ["0.50", "9.88", "12.3", "1,235"]);
        assert_eq!(bytes(5 << 20), "5 MiB");
        assert_eq!(bytes(3 << 29), "1.50 GiB");
        assert_eq!(joined([]), "-");
        assert_eq!(joined([each(Some(2.4)), each(None)]), "2 / -");
    }
}
