//! Which pages of the file are free.
//!
//! Single pages are taken from the lowest free places, so that the file's end drains; longer runs
//! from the smallest place that they fit into.

use super::ids::Run;
use std::collections::{BTreeMap, BTreeSet};

/// Free runs, by their start and by their length, and the end of the file.
#[derive(Debug, Default)]
pub(super) struct Allocator {
    by_start: BTreeMap<u32, u32>,
    by_pages: BTreeSet<(u32, u32)>,
    end: u32,
    free: u64,
    /// Whether longer runs, too, are taken from the lowest places.
    is_packing: bool,
}

impl Allocator {
    /// A file in which exactly these runs are in use, and what lies before `first`. Gives two that
    /// overlap instead, if there are any.
    pub(super) fn of_used(first: u32, used: &mut [Run]) -> Result<Self, (Run, Run)> {
        used.sort_unstable();
        let mut allocator = Self {
            end: first,
            ..Self::default()
        };
        let mut last = Run {
            start: 0,
            pages: first,
        };
        for run in used {
            if run.start < allocator.end {
                return Err((last, *run));
            }
            let gap = Run {
                start: allocator.end,
                pages: run.start - allocator.end,
            };
            allocator.end = run.end();
            last = *run;
            allocator.insert(gap);
        }
        Ok(allocator)
    }

    fn insert(&mut self, run: Run) {
        if run.pages > 0 {
            self.by_start.insert(run.start, run.pages);
            self.by_pages.insert((run.pages, run.start));
            self.free += u64::from(run.pages);
        }
    }

    fn remove(&mut self, run: Run) {
        self.by_start.remove(&run.start);
        self.by_pages.remove(&(run.pages, run.start));
        self.free -= u64::from(run.pages);
    }

    /// Takes the front of a free run.
    fn split(&mut self, run: Run, pages: u32) -> Run {
        self.remove(run);
        self.insert(Run {
            start: run.start + pages,
            pages: run.pages - pages,
        });
        Run {
            start: run.start,
            pages,
        }
    }

    /// Pages behind all others; `None` if the file has as many as it can.
    fn extend(&mut self, pages: u32) -> Option<Run> {
        let run = Run {
            start: self.end,
            pages,
        };
        self.end = self.end.checked_add(pages)?;
        Some(run)
    }

    /// Up to `pages` neighbouring pages, from the lowest free place; `None` if the file is as large
    /// as it can get.
    pub(super) fn take_lowest(&mut self, pages: u32) -> Option<Run> {
        match self.by_start.first_key_value() {
            Some((start, free)) => {
                let run = Run {
                    start: *start,
                    pages: *free,
                };
                Some(self.split(run, pages.min(run.pages)))
            }
            None => self.extend(pages),
        }
    }

    /// Whether longer runs, too, are to be taken from the lowest places that they fit into, which
    /// takes a search.
    pub(super) fn pack(&mut self, is_packing: bool) {
        self.is_packing = is_packing;
    }

    /// So many neighbouring pages.
    pub(super) fn take_run(&mut self, pages: u32) -> Option<Run> {
        if self.is_packing {
            let fits = |(_, free): &(&u32, &u32)| **free >= pages;
            if let Some((start, free)) = self.by_start.iter().find(fits) {
                let run = Run {
                    start: *start,
                    pages: *free,
                };
                return Some(self.split(run, pages));
            }
        }
        match self.by_pages.range((pages, 0)..).next() {
            Some((free, start)) => {
                let run = Run {
                    start: *start,
                    pages: *free,
                };
                Some(self.split(run, pages))
            }
            None => self.extend(pages),
        }
    }

    /// Makes pages free that were in use.
    pub(super) fn release(&mut self, run: Run) {
        let mut run = run;
        if run.pages == 0 {
            return;
        }
        if let Some((start, pages)) = self.by_start.range(..run.start).next_back()
            && start + pages == run.start
        {
            let before = Run {
                start: *start,
                pages: *pages,
            };
            self.remove(before);
            run = Run {
                start: before.start,
                pages: before.pages + run.pages,
            };
        }
        if let Some(pages) = self.by_start.get(&run.end()) {
            let behind = Run {
                start: run.end(),
                pages: *pages,
            };
            self.remove(behind);
            run.pages += behind.pages;
        }
        self.insert(run);
    }

    /// Gives up a free run at the end of the file; gives the number of pages that are left.
    pub(super) fn trim(&mut self) -> u32 {
        if let Some((start, pages)) = self.by_start.last_key_value()
            && start + pages == self.end
        {
            let run = Run {
                start: *start,
                pages: *pages,
            };
            self.remove(run);
            self.end = run.start;
        }
        self.end
    }

    /// Pages from the beginning of the file to its end.
    pub(super) fn end(&self) -> u32 {
        self.end
    }

    pub(super) fn free_pages(&self) -> u64 {
        self.free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_used_is_free_and_overlaps_are_found() {
        let run = |start, pages| Run { start, pages };
        let allocator = Allocator::of_used(2, &mut [run(9, 1), run(3, 2)]).expect("apart");
        assert_eq!((allocator.end(), allocator.free_pages()), (10, 5));
        assert!(Allocator::of_used(2, &mut [run(9, 1), run(3, 7)]).is_err());
        assert!(Allocator::of_used(2, &mut [run(1, 1)]).is_err());
    }

    proptest! {
        #[test]
        fn no_page_is_given_twice(steps in proptest::collection::vec((0..3_u8, 1..9_u32), 1..200)) {
            let mut allocator = Allocator::of_used(2, &mut []).expect("nothing is used");
            let mut held: Vec<Run> = Vec::new();
            for (step, pages) in steps {
                match step {
                    0 => held.extend(allocator.take_lowest(pages)),
                    1 => {
                        let run = allocator.take_run(pages).expect("the file is small");
                        prop_assert_eq!(run.pages, pages);
                        held.push(run);
                    }
                    _ if held.is_empty() => {}
                    _ => allocator.release(held.swap_remove(pages as usize % held.len())),
                }
                let mut sorted = held.clone();
                let fresh = Allocator::of_used(2, &mut sorted).expect("no two overlap");
                let used: u32 = held.iter().map(|run| run.pages).sum();
                prop_assert!(fresh.end() <= allocator.end());
                prop_assert_eq!(u64::from(allocator.end() - 2 - used), allocator.free_pages());
            }
            held.drain(..).for_each(|run| allocator.release(run));
            prop_assert_eq!(allocator.trim(), 2);
            prop_assert_eq!(allocator.free_pages(), 0);
        }
    }
}
