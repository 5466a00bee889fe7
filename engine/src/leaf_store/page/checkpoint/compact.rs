//! Giving space back.

use super::super::super::StoreError;
use super::super::ids::{PageId, first_page};
use super::super::shared::{Core, lock};
use super::Job;

impl Core {
    /// Merges all changes, moves what lies at the end of the file into free places before it, and
    /// cuts the file.
    pub(in super::super) fn compact(&self) -> Result<(), StoreError> {
        self.checkpoint(Job::default())?;
        let move_from = {
            let allocator = lock(&self.allocator);
            let used = u64::from(allocator.end()) - allocator.free_pages();
            // The chunks and the root of the checkpoint that moves are written anew as well.
            let spare = used / 64 + u64::from(first_page(self.page_bytes));
            (used + spare < u64::from(allocator.end())).then_some(PageId((used + spare) as u32))
        };
        if move_from.is_some() {
            self.checkpoint(Job {
                move_from,
                ..Job::default()
            })?;
        }
        self.cut()
    }

    /// Cuts free pages off the end of the file.
    fn cut(&self) -> Result<(), StoreError> {
        // No checkpoint may write behind the end at the same time; bulk writers take pages under
        // the allocator's lock, and write them later.
        let durable = lock(&self.durable);
        self.refuse_poisoned()?;
        let mut allocator = lock(&self.allocator);
        let end = PageId(allocator.trim());
        let len = end.offset(self.page_bytes);
        let cut = match self.file.len() {
            Ok(file) if file > len => self.file.set_len(len),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        drop(allocator);
        drop(durable);
        cut.map_err(|error| self.fail(error))
    }
}
