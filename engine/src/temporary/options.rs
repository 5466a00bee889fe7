//! Parameters of the temporary tier that no commitment depends on.

/// How a node works on the temporary tier. Nodes may differ in all of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemporaryLimits {
    /// Leaves of a frozen period that are sorted and hashed between two blocks, on a thread of their
    /// own (default 65,536). At least one page, of about 64 to 128 leaves, is done each time. With 0
    /// nothing is done before the block that seals the period, which then does all of it.
    pub seal_leaves_per_block: u64,
    /// Blocks that can be undone (default 128).
    pub undo_blocks: u64,
    /// Entries that a checkpoint writes with each block while it is being made (default 8,192). With 0
    /// none is made: opening the tier replays the whole logs of the live periods.
    pub checkpoint_entries_per_block: u64,
    /// A checkpoint is begun when the log since the last one has this many times the bytes of the
    /// live entries (default 4).
    pub checkpoint_log_factor: u64,
}

impl Default for TemporaryLimits {
    fn default() -> Self {
        Self {
            seal_leaves_per_block: 65_536,
            undo_blocks: 128,
            checkpoint_entries_per_block: 8_192,
            checkpoint_log_factor: 4,
        }
    }
}
