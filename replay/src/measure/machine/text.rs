//! Small texts of the kernel.

use std::{fs, path::Path};

/// A whole file, without space around it; `None` where it is absent or empty.
pub(super) fn read(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A file that is one number.
pub(super) fn number(path: impl AsRef<Path>) -> Option<u64> {
    read(path)?.parse().ok()
}

/// The value in the first line `name : value`.
pub(super) fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// The same in bytes, where the value is `n kB`.
pub(in crate::measure) fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = field(text, name)?;
    let number: u64 = value.strip_suffix(" kB")?.trim().parse().ok()?;
    number.checked_mul(1024)
}

/// The choice in `one [two] three`; a text without a choice is one.
pub(super) fn word_in_brackets(text: &str) -> Option<String> {
    let chosen = text
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    Some(chosen.map_or(text, |(word, _)| word).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_not_taken_from_the_wrong_line() {
        let status = "VmPeak:\t  9 kB\nVmHWM:\t    1234 kB\n";
        assert_eq!(kibibytes(status, "VmHWM"), Some(1234 * 1024));
        assert_eq!(kibibytes(status, "Vm"), None);
        let choice = word_in_brackets("always [madvise] never");
        assert_eq!(choice.as_deref(), Some("madvise"));
        assert_eq!(word_in_brackets("none").as_deref(), Some("none"));
    }
}
