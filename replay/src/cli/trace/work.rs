//! What a source gives to whoever writes a trace.

use crate::classify::BlockLogs;
use alloy_primitives::{Bytes, map::B256Map};
use thinstate_formats::trace::{BlockTrace, TraceHeader};

/// Blocks of a source, in order.
pub(super) struct Work<'a> {
    /// What the trace will say of itself.
    pub(super) header: TraceHeader,
    /// How many blocks there are, as far as is known before they are read.
    pub(super) blocks: usize,
    /// The blocks.
    pub(super) items: Box<dyn Iterator<Item = eyre::Result<Traced>> + 'a>,
}

/// One block.
#[derive(Debug)]
pub(super) struct Traced {
    pub(super) trace: BlockTrace,
    /// The code that it deploys, by its hash, where it is at hand.
    pub(super) code: B256Map<Bytes>,
    /// Its logs, where it was executed.
    pub(super) logs: Option<BlockLogs>,
    /// What a reader of the command's output should know of it.
    pub(super) note: Option<String>,
}

impl From<BlockTrace> for Traced {
    fn from(trace: BlockTrace) -> Self {
        Self {
            trace,
            code: B256Map::default(),
            logs: None,
            note: None,
        }
    }
}
