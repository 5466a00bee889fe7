//! Parameters of the permanent tier.

use super::error::OpenError;

/// How the permanent tier works. What it commits to does not depend on any of this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Most entries in a bucket (2 to 4,096). Small buckets cost memory (about 41 bytes each),
    /// large ones hashes and bytes read for each update. `docs/adr/0003-bucket-size.md` has the
    /// measurements behind the default.
    pub bucket_entries_max: usize,
    /// Blocks that can be undone (128 by default).
    pub undo_blocks: u64,
    /// Threads for reading and hashing; `None` for one per core.
    pub threads: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bucket_entries_max: 64,
            undo_blocks: 128,
            threads: None,
        }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        if !(2..=4096).contains(&self.bucket_entries_max) {
            return Err(OpenError::BadOption {
                name: "bucket_entries_max",
                expected: "2 to 4096",
                got: self.bucket_entries_max.to_string(),
            });
        }
        if self.threads == Some(0) {
            return Err(OpenError::BadOption {
                name: "threads",
                expected: "at least 1",
                got: "0".to_owned(),
            });
        }
        Ok(())
    }
}
