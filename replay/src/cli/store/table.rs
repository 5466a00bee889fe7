//! Tables that can be pasted into Markdown, and the numbers in them.

/// A count, with its thousands apart.
pub(in crate::cli) use crate::numbers::grouped as count;

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

/// A table with these columns; all but the first hold numbers.
pub(in crate::cli) fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(ASCII_MARKDOWN)
        .set_header(columns.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A size in bytes, with three digits or more.
pub(in crate::cli) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    while size >= 1023.95 {
        let Some(next) = units.next() else { break };
        (size, unit) = (size / 1024.0, next);
    }
    format!("{size:.1} {unit}")
}

/// A mean, or a dash where there is nothing to divide by.
pub(in crate::cli) fn mean(mean: Option<f64>) -> String {
    mean.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.1}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_size_is_written_in_a_wrong_unit() {
        let table = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1.0 MiB"),
            (1 << 20, "1.0 MiB"),
            (3 << 29, "1.5 GiB"),
            (u64::MAX, "16384.0 PiB"),
        ];
        for (size, text) in table {
            assert_eq!(bytes(size), text);
        }
    }
}
