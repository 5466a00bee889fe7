//! One page with the changes since it was written: three layers as one.

use super::arena::{Arena, DeltaRef};
use super::deltas::Deltas;
use super::extent::Extent;
use super::leaf::{Cursor, Page, Stored};
use super::log::record::{Change, Far};
use core::ops::ControlFlow::{self, Break, Continue};

/// Changes, and what they point into.
#[derive(Clone, Copy)]
pub(super) struct Layer<'s> {
    pub(super) deltas: &'s Deltas,
    pub(super) arena: &'s Arena,
}

impl<'s> Layer<'s> {
    fn is_wiped(&self, key: &[u8]) -> bool {
        self.deltas.is_wiped(self.arena, key)
    }

    /// What the change at `at` left; `None` if that is nothing.
    pub(super) fn found(&self, at: DeltaRef) -> Option<Found<'s>> {
        match self.arena.op(at).change {
            Change::Put(value) => Some(Found::Inline(value)),
            Change::PutFar(far) => Some(Found::Far(self.arena, at, far)),
            Change::Delete | Change::DeleteTo(_) => None,
        }
    }
}

/// A value, wherever it lies.
#[derive(Clone, Copy)]
pub(super) enum Found<'s> {
    Inline(&'s [u8]),
    /// In pages of its own.
    Blob(Extent),
    /// In the log.
    Far(&'s Arena, DeltaRef, Far),
}

impl<'s> From<Stored<'s>> for Found<'s> {
    fn from(stored: Stored<'s>) -> Self {
        match stored {
            Stored::Inline(value) => Self::Inline(value),
            Stored::Blob(extent) => Self::Blob(extent),
        }
    }
}

/// Layers of changes: recent, active and frozen ones, the newest first.
pub(super) type Layers<'s> = [Option<Layer<'s>>; 3];

/// A page under its changes.
#[derive(Clone, Copy)]
pub(super) struct PageView<'s> {
    /// `None` where there is none, or where it need not be asked.
    pub(super) page: Option<&'s Page>,
    /// Its number in the chunk.
    pub(super) index: usize,
    pub(super) layers: Layers<'s>,
}

impl<'s> PageView<'s> {
    /// Calls `each` for the entries with `from <= key < to`, in order, until it breaks or fails.
    pub(super) fn visit<E>(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        mut each: impl FnMut(&[u8], Found<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<ControlFlow<()>, E> {
        let mut cursor = self.page.map(|page| page.cursor(Vec::with_capacity(96)));
        let mut has_page = cursor.as_mut().is_some_and(|cursor| cursor.seek(from));
        let mut changes = self
            .layers
            .map(|layer| Changes::new(layer, self.index, from));
        loop {
            let page_key = match &cursor {
                Some(cursor) if has_page => Some(cursor.key.as_slice()),
                _ => None,
            };
            let change = first_change(&changes);
            let key = match (page_key, change) {
                (None, None) => return Ok(Continue(())),
                (Some(page), Some((_, changed))) => page.min(changed),
                (page, change) => page
                    .or(change.map(|(_, key)| key))
                    .expect("one of them is there"),
            };
            if to.is_some_and(|to| key >= to) {
                return Ok(Break(()));
            }
            let Some((layer, changed)) = change.filter(|(_, changed)| *changed == key) else {
                if let Some(Cursor { value, .. }) = cursor
                    && !self.hides(self.layers.len(), key)
                    && each(key, value.into())?.is_break()
                {
                    return Ok(Break(()));
                }
                has_page = cursor.as_mut().is_some_and(Cursor::advance);
                continue;
            };
            if page_key == Some(changed) {
                has_page = cursor.as_mut().is_some_and(Cursor::advance);
            }
            let found = changes[layer].next();
            for older in &mut changes[layer + 1..] {
                if older.key == Some(changed) {
                    older.next();
                }
            }
            if let Some(found) = found
                && !self.hides(layer, changed)
                && each(changed, found)?.is_break()
            {
                return Ok(Break(()));
            }
        }
    }

    /// Whether some layer above `layer` says that what lies at `key` is gone.
    fn hides(&self, layer: usize, key: &[u8]) -> bool {
        let above = self.layers[..layer].iter().flatten();
        above.into_iter().any(|layer| layer.is_wiped(key))
    }

    /// The last entry at or below `key`.
    pub(super) fn last(&self, key: &[u8]) -> Option<(Vec<u8>, Found<'s>)> {
        let mut bound = key.to_vec();
        let mut inclusive = true;
        loop {
            let mut cursor = self.page.map(|page| page.cursor(Vec::with_capacity(96)));
            let has_page = cursor
                .as_mut()
                .is_some_and(|cursor| cursor.seek_last(&bound, inclusive));
            let stored = cursor.filter(|_| has_page);
            let changes = self
                .layers
                .map(|layer| last_change(layer, self.index, &bound, inclusive));
            let changed = changes.iter().flatten().map(|(key, _)| *key).max();
            let in_page = stored.as_ref().map(|cursor| cursor.key.as_slice());
            let last = in_page.max(changed)?;
            let found = match changes
                .iter()
                .position(|change| change.is_some_and(|(key, _)| key == last))
            {
                Some(layer) => {
                    let found = changes[layer].and_then(|(_, found)| found);
                    found.filter(|_| !self.hides(layer, last))
                }
                None => {
                    let stored = stored.as_ref().map(|cursor| cursor.value.into());
                    stored.filter(|_| !self.hides(self.layers.len(), last))
                }
            };
            let last = last.to_vec();
            if let Some(found) = found {
                return Some((last, found));
            }
            (bound, inclusive) = (last, false);
        }
    }
}

/// The least key among the changes that come next, and the newest layer that has it.
#[inline]
fn first_change<'s>(changes: &[Changes<'s>; 3]) -> Option<(usize, &'s [u8])> {
    let mut first: Option<(usize, &'s [u8])> = None;
    for (layer, change) in changes.iter().enumerate() {
        if let Some(key) = change.key
            && first.is_none_or(|(_, least)| key < least)
        {
            first = Some((layer, key));
        }
    }
    first
}

/// The key of the last change below `bound` (or at it, where `inclusive`), and what it left.
fn last_change<'s>(
    layer: Option<Layer<'s>>,
    page: usize,
    bound: &[u8],
    inclusive: bool,
) -> Option<(&'s [u8], Option<Found<'s>>)> {
    let layer = layer?;
    let at = layer.deltas.last(layer.arena, page, bound, inclusive)?;
    Some((layer.arena.key(at), layer.found(at)))
}

/// Changes of a page that are still to come.
struct Changes<'s> {
    layer: Option<Layer<'s>>,
    refs: &'s [DeltaRef],
    /// The key of the first.
    key: Option<&'s [u8]>,
}

impl<'s> Changes<'s> {
    fn new(layer: Option<Layer<'s>>, page: usize, from: &[u8]) -> Self {
        let mut changes = Self {
            layer,
            refs: &[],
            key: None,
        };
        if let Some(layer) = layer {
            changes.refs = layer.deltas.from(layer.arena, page, from);
            changes.peek();
        }
        changes
    }

    fn peek(&mut self) {
        self.key = match (self.layer, self.refs.first()) {
            (Some(layer), Some(at)) => Some(layer.arena.key(*at)),
            _ => None,
        };
    }

    /// Goes on to the next change; gives what this one left.
    fn next(&mut self) -> Option<Found<'s>> {
        let (layer, at) = (self.layer?, *self.refs.first()?);
        self.refs = &self.refs[1..];
        self.peek();
        layer.found(at)
    }
}
