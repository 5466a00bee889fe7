//! Reads that go on while the caller does something else.

use super::StoreError;
use crossbeam::channel::Receiver;

/// Reads that a [`LeafRead::read_ahead`](super::LeafRead::read_ahead) has begun.
///
/// Dropping it leaves them to themselves: they end when they end.
#[derive(Debug)]
#[must_use = "who does not wait may find nothing in the cache yet"]
pub struct ReadAhead(Option<Receiver<Result<(), StoreError>>>);

impl ReadAhead {
    /// Nothing is to be read.
    pub const fn done() -> Self {
        Self(None)
    }

    /// Reads that each send what has become of them, and end by dropping their sender.
    pub(super) const fn of(outcomes: Receiver<Result<(), StoreError>>) -> Self {
        Self(Some(outcomes))
    }

    /// Waits until all of them have ended. Gives the error of one that failed.
    pub fn wait(self) -> Result<(), StoreError> {
        let outcomes = self.0.into_iter().flatten();
        // All are waited for, also behind one that failed.
        outcomes.fold(Ok(()), Result::and)
    }
}
