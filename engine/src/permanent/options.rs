//! Parameters of the permanent tier.

use super::error::OpenError;
use crate::trie::leaf_hashes::LeafHashes;
use std::path::PathBuf;
use thinstate_formats::keccak::{BatchHasher, LaneWidth};

/// How the permanent tier works. What it commits to does not depend on any of this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Most entries in a bucket (2 to 4,096). Small buckets cost memory (about 41 bytes each),
    /// large ones hashes and bytes read for each update. `docs/adr/0003-bucket-size.md` has the
    /// measurements behind the default.
    pub bucket_entries_max: usize,
    /// Blocks that can be undone (128 by default).
    pub undo_blocks: u64,
    /// Threads that plan, load and hash; `None` for one per core. What they need next the page store reads, and
    /// checks, by threads of its own, two for each core, 4 to 16. Where the state is much larger than memory, two
    /// computing threads for each core are a little faster, and slower where it is not
    /// (`docs/adr/0018-subtrees-as-tasks.md`).
    pub threads: Option<usize>,
    /// Bytes of memory for hashes of leaves, 33 for each leaf and 128 for each bucket; 0, the default, for
    /// none. A bucket whose leaves' hashes are held is hashed with less than half of the permutations, which
    /// pays on CPUs without wide lanes. `docs/adr/0015-leaf-hashes-of-buckets.md` has the measurements.
    pub leaf_hash_bytes_max: usize,
    /// Messages of keccak256 that are hashed side by side; `None` for as many as the CPU can.
    pub lanes: Option<LaneWidth>,
    /// The folder of expired leaves; without one nothing can expire. A store whose leaves have
    /// expired can be opened without it too: they are then as good as deleted.
    pub archive: Option<PathBuf>,
    /// What becomes of reads and changes of expired leaves.
    pub expired_reads: ExpiredReads,
    /// Open a store in which the building of a state was interrupted, as an empty one: to go on with it
    /// ([`PermanentTier::bulk_build`](super::PermanentTier::bulk_build)). Nothing else can be done with it.
    pub resume_bulk: bool,
    /// Entries of a state that is built in bulk after which it can be gone on with, should it be interrupted.
    pub bulk_step_entries: u64,
    /// Bytes from which a new file of expired leaves is begun (at most 2 GiB).
    pub archive_segment_bytes: u64,
}

/// What becomes of reads and changes of what has expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpiredReads {
    /// They end in [`StateError::Missing`](crate::StateError::Missing); the caller brings a witness.
    #[default]
    Strict,
    /// A read rebuilds the subtree from the archive, checks it, and answers; a change brings it
    /// back first. What is not in the archive is missing as in strict mode.
    ArchiveBacked,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bucket_entries_max: 64,
            undo_blocks: 128,
            threads: None,
            leaf_hash_bytes_max: 0,
            lanes: None,
            archive: None,
            expired_reads: ExpiredReads::Strict,
            resume_bulk: false,
            bulk_step_entries: 1 << 22,
            archive_segment_bytes: 256 << 20,
        }
    }
}

impl Options {
    /// The hasher of the lanes asked for, which the CPU offers.
    pub(crate) fn hasher(&self) -> BatchHasher {
        let asked = self.lanes.map(BatchHasher::with_width);
        asked.and_then(Result::ok).unwrap_or_default()
    }

    /// What holds the hashes of leaves.
    pub(crate) fn leaf_hashes(&self) -> Option<LeafHashes> {
        let bytes_max = self.leaf_hash_bytes_max;
        (bytes_max > 0).then(|| LeafHashes::new(bytes_max))
    }

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
        if let Some(lanes) = self.lanes.filter(|lanes| !lanes.is_available()) {
            return Err(OpenError::BadOption {
                name: "lanes",
                expected: "a width that this CPU offers",
                got: lanes.to_string(),
            });
        }
        if self.archive.is_none() && self.expired_reads == ExpiredReads::ArchiveBacked {
            return Err(OpenError::BadOption {
                name: "archive",
                expected: "a folder, for archive-backed reads",
                got: "none".to_owned(),
            });
        }
        if !(1..=2 << 30).contains(&self.archive_segment_bytes) {
            return Err(OpenError::BadOption {
                name: "archive_segment_bytes",
                expected: "1 to 2147483648",
                got: self.archive_segment_bytes.to_string(),
            });
        }
        Ok(())
    }
}
