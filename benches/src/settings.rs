//! What a run is told by environment variables.

use std::path::PathBuf;

/// The numbers in a variable, which may be empty, or the default ones.
pub fn numbers(name: &str, default: &str) -> Vec<u64> {
    let given = std::env::var(name).unwrap_or_else(|_| default.to_owned());
    given
        .split(',')
        .map(str::trim)
        .filter(|number| !number.is_empty())
        .map(|number| number.parse().expect("a list of numbers"))
        .collect()
}

/// Whether a variable, a list of words, names one of these; all are chosen where it is not set.
pub fn chosen(variable: &str, name: &str) -> bool {
    let given = std::env::var(variable).unwrap_or_default();
    given.is_empty() || given.split(',').any(|word| name.contains(word.trim()))
}

/// A folder for stores, in `THINSTATE_BENCH_DIR` or else in `parent`.
pub fn folder(parent: &str) -> tempfile::TempDir {
    let parent = std::env::var_os("THINSTATE_BENCH_DIR")
        .map_or_else(|| PathBuf::from(parent), PathBuf::from);
    tempfile::tempdir_in(parent).expect("a folder for the stores")
}
