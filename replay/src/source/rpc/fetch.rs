//! Many blocks, by several threads.

use super::{CallFault, Client, FetchError, FetchFolder, RpcError};
use std::{
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};
use thinstate_formats::BlockNumber;

/// What is fetched, and how many requests are under way at a time.
#[derive(Clone, Copy, Debug)]
pub struct FetchPlan<'a> {
    /// The blocks.
    pub blocks: &'a [BlockNumber],
    /// Where they are kept, and by which calls they are had.
    pub folder: &'a FetchFolder,
    /// Most requests at a time.
    pub max_concurrent: NonZeroUsize,
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It was fetched, in whole or in part.
    New,
    /// It was there.
    Kept,
}

/// What became of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchReport {
    /// Blocks that were fetched.
    pub new: usize,
    /// Blocks that were there.
    pub kept: usize,
}

/// Fetches what is not there. `stop` ends it after the documents under way: what is not fetched then is
/// missing from the report. `done` is told of each block, in no particular order.
///
/// The first failure ends it too, and is returned; what was fetched stays.
pub fn fetch(
    client: &Client,
    plan: &FetchPlan<'_>,
    stop: &AtomicBool,
    done: &(dyn Fn(BlockNumber, Fetched) + Sync),
) -> Result<FetchReport, FetchError> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let outcome = Mutex::new((FetchReport::default(), None));
    let work = || {
        while !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(number) = plan.blocks.get(at) else {
                return;
            };
            let fetched = fetch_block(client, plan.folder, *number, stop);
            let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
            match fetched {
                Ok(fetched) => {
                    match fetched {
                        Fetched::New => outcome.0.new += 1,
                        Fetched::Kept => outcome.0.kept += 1,
                    }
                    done(*number, fetched);
                }
                Err(FetchError::Call(RpcError {
                    source: CallFault::Stopped,
                    ..
                })) => return,
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    outcome.1.get_or_insert(error);
                }
            }
        }
    };
    thread::scope(|scope| {
        let threads = plan.max_concurrent.get().min(plan.blocks.len());
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    match outcome.into_inner().unwrap_or_else(PoisonError::into_inner) {
        (_, Some(error)) => Err(error),
        (report, None) => Ok(report),
    }
}

fn fetch_block(
    client: &Client,
    folder: &FetchFolder,
    number: BlockNumber,
    stop: &AtomicBool,
) -> Result<Fetched, FetchError> {
    let mut fetched = Fetched::Kept;
    for document in folder.method().documents() {
        if !folder.holds(number, document) {
            let value = document.get(client, number, stop)?;
            folder.keep(number, document, &value)?;
            fetched = Fetched::New;
        }
    }
    Ok(fetched)
}
