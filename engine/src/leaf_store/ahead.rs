//! Reads that go on while the caller does something else.

use super::StoreError;
use crossbeam::channel::Receiver;

/// What has become of a part of the reads, behind the part's number.
pub(super) type Outcome = (usize, Result<(), StoreError>);

/// Reads that a [`LeafRead::read_ahead`](super::LeafRead::read_ahead) has begun.
///
/// Dropping it leaves them to themselves: they end when they end.
#[derive(Debug)]
#[must_use = "who does not wait may find nothing in the cache yet"]
pub struct ReadAhead(State);

#[derive(Debug)]
enum State {
    Ended(Result<(), StoreError>),
    /// Each part sends what has become of it, and drops its sender.
    UnderWay(Receiver<Outcome>),
}

impl ReadAhead {
    /// Nothing is to be read.
    pub const fn done() -> Self {
        Self::ended(Ok(()))
    }

    /// What was to be read has been read, or not.
    pub const fn ended(outcome: Result<(), StoreError>) -> Self {
        Self(State::Ended(outcome))
    }

    pub(super) const fn under_way(outcomes: Receiver<Outcome>) -> Self {
        Self(State::UnderWay(outcomes))
    }

    /// Waits until all of them have ended. Of several errors it gives that of the first part, whichever came first.
    pub fn wait(self) -> Result<(), StoreError> {
        let outcomes = match self.0 {
            State::Ended(outcome) => return outcome,
            State::UnderWay(outcomes) => outcomes,
        };
        let failed = |(part, outcome): Outcome| Some((part, outcome.err()?));
        // All are waited for, also behind one that failed.
        let first = outcomes
            .into_iter()
            .filter_map(failed)
            .min_by_key(|(part, _)| *part);
        first.map_or(Ok(()), |(_, error)| Err(error))
    }
}
