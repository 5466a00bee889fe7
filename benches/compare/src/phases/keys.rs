//! The key-value workload on one store.

use super::{
    BlocksFound, FillFound, PhaseError, ReadsFound, Size, SizeFound, Task, cold, nanoseconds,
};
use crate::{
    keys::{KeyBlocks, KeySpace, Position},
    peer::{Peer, Update},
    rounds::{self, Done, Subject},
    store::BoxError,
};
use core::sync::atomic::AtomicBool;
use std::time::Instant;
use thinstate_benches::Draws;
use thinstate_replay::{
    design::folder, measure::probes::memory_bytes_max, replay::drop_page_cache,
};

/// A store, and how many updates the block has that it was given.
struct Counted {
    peer: Box<dyn Peer>,
    updates: u64,
}

impl Subject<Vec<Update>> for Counted {
    fn prepare(&mut self, block: &Vec<Update>) {
        self.updates = block.len() as u64;
        self.peer.prepare(block);
    }

    fn commit(&mut self) -> Result<Done, BoxError> {
        let committed = self.peer.commit()?;
        Ok(Done {
            updates: self.updates,
            hashed_in: committed.hashed_in,
            root: committed.root,
            ..Done::default()
        })
    }

    fn flush(&mut self) -> Result<(), BoxError> {
        self.peer.flush()
    }
}

impl Task {
    pub(super) fn fill(&self, keys: u64) -> Result<FillFound, PhaseError> {
        let started = Instant::now();
        let mut peer = self.open()?;
        let space = KeySpace::new(self.seed);
        let filled = peer.fill(&mut space.fill(keys));
        filled.map_err(PhaseError::store("fill the store"))?;
        peer.settle().map_err(PhaseError::store("settle it"))?;
        peer.flush().map_err(PhaseError::store("flush it"))?;
        drop(peer);
        Ok(FillFound {
            ns: nanoseconds(started),
            folder_bytes: folder::bytes(&self.dir)?,
            memory_bytes_max: memory_bytes_max(),
        })
    }

    pub(super) fn blocks(
        &self,
        draws: Draws,
        at: Position,
        sizes: &[Size],
        drop_caches: bool,
        stop: &AtomicBool,
    ) -> Result<BlocksFound, PhaseError> {
        let started = Instant::now();
        let mut subject = Counted {
            peer: self.open()?,
            updates: 0,
        };
        let open_ns = nanoseconds(started);
        if drop_caches {
            drop_page_cache(&self.dir)?;
        }
        let space = KeySpace::new(self.seed);
        let mut blocks = KeyBlocks::new(&space, draws, at);
        let mut found = Vec::new();
        for size in sizes {
            let next = || blocks.next_block(size.block).map_err(BoxError::from);
            let figures = rounds::run(&mut subject, size.plan(), &self.dir, next, stop)?;
            found.push(SizeFound {
                size: *size,
                figures,
            });
        }
        drop(subject);
        Ok(BlocksFound {
            open_ns,
            sizes: found,
            at: blocks.position(),
            folder_bytes: folder::bytes(&self.dir)?,
            memory_bytes_max: memory_bytes_max(),
        })
    }

    pub(super) fn reads(
        &self,
        draws: Draws,
        at: Position,
        reads: u64,
        threads: &[usize],
    ) -> Result<ReadsFound, PhaseError> {
        let space = KeySpace::new(self.seed);
        let numbers = KeyBlocks::new(&space, draws, at).reads(reads);
        let asked = cold::Asked {
            keys: space.keys(&numbers),
            numbers,
            block: at.block,
        };
        let mut found = Vec::new();
        for threads in threads {
            let started = Instant::now();
            let peer = self.open()?;
            let open_ns = nanoseconds(started);
            let mut figures = cold::read(&*peer, &space, &asked, *threads, &self.dir)?;
            figures.open_ns = open_ns;
            found.push(figures);
        }
        Ok(ReadsFound {
            threads: found,
            memory_bytes_max: memory_bytes_max(),
        })
    }
}
