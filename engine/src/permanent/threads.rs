//! The threads of the tier: little work is done by the one that has it, much by all of them.

use rayon::{ThreadPool, prelude::*};

/// Pieces of work (keys, changes, entries) that are not worth waking another thread for.
const ALONE: usize = 1_024;

/// What work is divided among.
#[derive(Clone, Copy, Debug)]
pub(super) struct Threads<'a>(pub(super) &'a ThreadPool);

impl Threads<'_> {
    /// `f` of each item, in their order. They are as much work as so many pieces.
    pub(super) fn map<T: Sync, O: Send>(
        self,
        pieces: usize,
        items: &[T],
        f: impl Fn(&T) -> O + Send + Sync,
    ) -> Vec<O> {
        match pieces {
            ..=ALONE => items.iter().map(f).collect(),
            _ => self.0.install(|| items.par_iter().map(f).collect()),
        }
    }

    /// `f` of slices of the items, in their order.
    pub(super) fn map_slices<T: Sync, O: Send>(
        self,
        items: &[T],
        f: impl Fn(&[T]) -> O + Send + Sync,
    ) -> Vec<O> {
        match items.len() {
            ..=ALONE => vec![f(items)],
            _ => self.0.install(|| items.par_chunks(ALONE).map(f).collect()),
        }
    }

    /// Appends `f` of each item, in their order.
    pub(super) fn extend<T: Send, O: Send>(
        self,
        out: &mut Vec<O>,
        items: &mut [T],
        f: impl Fn(&mut T) -> O + Send + Sync,
    ) {
        match items.len() {
            ..=ALONE => out.extend(items.iter_mut().map(f)),
            _ => self
                .0
                .install(|| out.par_extend(items.par_iter_mut().map(f))),
        }
    }

    /// Sorts the items; the order of those with equal keys is not kept.
    pub(super) fn sort_by_key<T: Send, K: Ord>(
        self,
        items: &mut [T],
        key: impl Fn(&T) -> K + Send + Sync,
    ) {
        match items.len() {
            ..=ALONE => items.sort_unstable_by_key(key),
            _ => self.0.install(|| items.par_sort_unstable_by_key(key)),
        }
    }

    /// Gives back what is no longer needed; where that is many small pieces of memory, behind the caller's back.
    pub(super) fn give_back<T: Send + 'static>(self, items: Vec<T>) {
        if items.len() > ALONE {
            self.0.spawn(move || drop(items));
        }
    }
}
