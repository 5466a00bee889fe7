//! Where loads come from.

use crate::{
    load::{BlockLoad, LoadFault},
    trace::TraceFileError,
};

/// Yields the loads of consecutive slots.
pub trait LoadSource: Send {
    /// The load of the next slot, `None` after the last.
    fn next(&mut self) -> Result<Option<BlockLoad>, SourceError>;

    /// Slots that are still to come; `None` where the source does not end.
    fn remaining(&self) -> Option<u64>;

    /// Passes over `slots` of them, as fast as the source can. A source whose state depends on what it has
    /// yielded has to make them all the same.
    fn skip(&mut self, slots: u64) -> Result<(), SourceError> {
        for _ in 0..slots {
            if self.next()?.is_none() {
                break;
            }
        }
        Ok(())
    }
}

impl<S: LoadSource + ?Sized> LoadSource for Box<S> {
    fn next(&mut self) -> Result<Option<BlockLoad>, SourceError> {
        (**self).next()
    }

    fn remaining(&self) -> Option<u64> {
        (**self).remaining()
    }

    fn skip(&mut self, slots: u64) -> Result<(), SourceError> {
        (**self).skip(slots)
    }
}

/// No further load can be made.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceFileError),
    /// The accesses contradict themselves.
    #[error(transparent)]
    Load(#[from] LoadFault),
    /// The generator failed.
    #[error("the next block cannot be generated")]
    Generator(#[source] Box<dyn core::error::Error + Send + Sync>),
}
