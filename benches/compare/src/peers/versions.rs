//! Which versions of the stores this program was built with: those in its lock file.

use std::collections::BTreeMap;

/// The lock file.
const LOCK: &str = include_str!("../../Cargo.lock");

/// The stores' crates. RocksDB's own version follows a plus sign in that of its bindings.
const CRATES: &[&str] = &[
    "commonware-storage",
    "librocksdb-sys",
    "nomt",
    "redb",
    #[cfg(feature = "firewood")]
    "firewood",
];

/// Versions by crate.
pub fn of_stores() -> BTreeMap<String, String> {
    let found = CRATES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), version(LOCK, name)?)));
    found.collect()
}

/// The version of a package in a lock file.
fn version(lock: &str, name: &str) -> Option<String> {
    let mut lines = lock.lines();
    let wanted = format!("name = \"{name}\"");
    lines.find(|line| **line == *wanted)?;
    let version = lines.next()?.strip_prefix("version = \"")?;
    Some(version.trim_end_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_store_is_without_a_version() {
        let versions = of_stores();
        assert_eq!(versions.len(), CRATES.len());
        assert!(versions["librocksdb-sys"].contains('+'), "{versions:?}");
        assert_eq!(version(LOCK, "no such package"), None);
    }
}
