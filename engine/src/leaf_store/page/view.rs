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

/// A page under its changes.
#[derive(Clone, Copy)]
pub(super) struct PageView<'s> {
    /// `None` where there is none, or where it need not be asked.
    pub(super) page: Option<&'s Page>,
    /// Its number in the chunk.
    pub(super) index: usize,
    pub(super) frozen: Option<Layer<'s>>,
    pub(super) active: Option<Layer<'s>>,
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
        let mut frozen = Changes::new(self.frozen, self.index, from);
        let mut active = Changes::new(self.active, self.index, from);
        loop {
            let page_key = match &cursor {
                Some(cursor) if has_page => Some(cursor.key.as_slice()),
                _ => None,
            };
            let is_active = match (active.key, frozen.key) {
                (Some(active), Some(frozen)) => active <= frozen,
                (active, _) => active.is_some(),
            };
            let changed = if is_active { active.key } else { frozen.key };
            let key = match (page_key, changed) {
                (None, None) => return Ok(Continue(())),
                (Some(page), Some(changed)) => page.min(changed),
                (page, changed) => page.or(changed).expect("one of them is there"),
            };
            if to.is_some_and(|to| key >= to) {
                return Ok(Break(()));
            }
            let Some(changed) = changed.filter(|changed| *changed == key) else {
                if let Some(Cursor { value, .. }) = cursor
                    && !self.hides_page(key)
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
            let found = if is_active {
                if frozen.key == Some(changed) {
                    frozen.next();
                }
                active.next()
            } else {
                frozen.next().filter(|_| !self.hides_frozen(changed))
            };
            if let Some(found) = found
                && each(changed, found)?.is_break()
            {
                return Ok(Break(()));
            }
        }
    }

    fn hides_frozen(&self, key: &[u8]) -> bool {
        self.active.is_some_and(|active| active.is_wiped(key))
    }

    fn hides_page(&self, key: &[u8]) -> bool {
        self.hides_frozen(key) || self.frozen.is_some_and(|frozen| frozen.is_wiped(key))
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
            let frozen = last_change(self.frozen, self.index, &bound, inclusive);
            let active = last_change(self.active, self.index, &bound, inclusive);
            let keys = [
                stored.as_ref().map(|cursor| cursor.key.as_slice()),
                frozen.map(|(key, _)| key),
                active.map(|(key, _)| key),
            ];
            let [in_page, in_frozen, in_active] = keys;
            let last = keys.into_iter().flatten().max()?;
            let found = if in_active == Some(last) {
                active.and_then(|(_, found)| found)
            } else if in_frozen == Some(last) {
                let found = frozen.and_then(|(_, found)| found);
                found.filter(|_| !self.hides_frozen(last))
            } else {
                debug_assert_eq!(in_page, Some(last), "the last key is one of the three");
                let stored = stored.as_ref().map(|cursor| cursor.value.into());
                stored.filter(|_| !self.hides_page(last))
            };
            let last = last.to_vec();
            if let Some(found) = found {
                return Some((last, found));
            }
            (bound, inclusive) = (last, false);
        }
    }
}

/// The key of the last change below `bound` (or at it, where `inclusive`), and what it left.
fn last_change<'s>(
    layer: Option<Layer<'s>>,
    page: usize,
    bound: &[u8],
    inclusive: bool,
) -> Option<(&'s [u8], Option<Found<'s>>)> {
    let layer = layer?;
    let refs = layer.deltas.of_page(page);
    let behind = refs.partition_point(|at| {
        let key = layer.arena.key(*at);
        key < bound || (inclusive && key == bound)
    });
    let at = *refs.get(behind.checked_sub(1)?)?;
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
            let refs = layer.deltas.of_page(page);
            let first = refs.partition_point(|at| layer.arena.key(*at) < from);
            changes.refs = &refs[first..];
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
