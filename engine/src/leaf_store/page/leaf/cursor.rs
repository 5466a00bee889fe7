//! Going through the entries of a page.

use super::{Entry, HEADER, Page, Stored};

/// A position in a page: an entry, once [`Self::advance`] or a seek has said that there is one.
pub(in super::super) struct Cursor<'p> {
    page: &'p Page,
    next: usize,
    shared: usize,
    pub(in super::super) key: Vec<u8>,
    pub(in super::super) value: Stored<'p>,
}

impl<'p> Cursor<'p> {
    /// Goes to the next entry; false at the end.
    #[inline]
    pub(in super::super) fn advance(&mut self) -> bool {
        self.decode().is_some()
    }

    #[inline]
    fn decode(&mut self) -> Option<()> {
        let entry = self.page.entry(self.next)?;
        if entry.shared > self.key.len() {
            return None;
        }
        self.key.truncate(entry.shared);
        self.take(&entry);
        Some(())
    }

    /// Takes an entry whose shared bytes are in `key` already.
    #[inline]
    fn take(&mut self, entry: &Entry<'p>) {
        let own = &self.page.bytes[entry.own_at..entry.value_at];
        self.key.extend_from_slice(own);
        (self.shared, self.value, self.next) = (entry.shared, entry.value, entry.end);
    }

    /// Goes to the first entry at or above `key`; false if there is none.
    #[inline]
    pub(in super::super) fn seek(&mut self, key: &[u8]) -> bool {
        let Some(entry) = self.page.find(key) else {
            self.next = self.page.end;
            return false;
        };
        self.key.clear();
        self.key.extend_from_slice(&key[..entry.shared]);
        self.take(&entry);
        true
    }

    /// Goes to the last entry below `key`, or at it where `inclusive`; false if there is none.
    pub(in super::super) fn seek_last(&mut self, key: &[u8], inclusive: bool) -> bool {
        let is_behind = |found: &[u8]| if inclusive { found > key } else { found >= key };
        self.next = self.page.restart_before(key);
        // An exclusive bound that is a restart's own key: what is wanted stands before it.
        if !inclusive && self.next > HEADER && self.page.is_restart_at(self.next, key) {
            self.next = self.page.restart_below(self.next);
        }
        self.key.clear();
        let mut found = None;
        let mut last = Vec::new();
        while self.advance() && !is_behind(&self.key) {
            last.clone_from(&self.key);
            found = Some((self.value, self.next));
        }
        let Some((value, next)) = found else {
            return false;
        };
        self.key = last;
        (self.value, self.next) = (value, next);
        true
    }
}

impl Page {
    /// A cursor before the first entry; `key` is where it will hold the keys.
    pub(in super::super) fn cursor(&self, mut key: Vec<u8>) -> Cursor<'_> {
        key.clear();
        Cursor {
            page: self,
            next: HEADER,
            shared: 0,
            key,
            value: Stored::Inline(&[]),
        }
    }

    fn is_restart_at(&self, at: usize, key: &[u8]) -> bool {
        (0..self.restarts)
            .find(|index| self.restart(*index) == at)
            .is_some_and(|index| self.compare_restart(index, key).is_eq())
    }

    /// The restart before the one at `at`.
    fn restart_below(&self, at: usize) -> usize {
        (0..self.restarts)
            .map(|index| self.restart(index))
            .take_while(|restart| *restart < at)
            .last()
            .unwrap_or(HEADER)
    }
}
