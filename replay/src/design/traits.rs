//! What a design of state has to do.

use super::{DesignError, codes};
use crate::{
    load::BlockLoad,
    measure::{DesignInfo, StateSize, TierWork},
    population::Population,
};
use alloy_primitives::{Address, B256, U256, map::HashMap};
use core::{any::Any, fmt, time::Duration};
use std::sync::Arc;
use thinstate_engine::leaf_store::{IoCounters, StoreKind};
use thinstate_formats::{Account, BlockNumber};

/// A design of state with a store under it.
///
/// Called by one pipeline: `plan` of later blocks may run on another thread, `read` of the next block while
/// `apply` is at work; `apply`, `rest` and `settle` exclude one another.
pub trait StateDesign: Send + Sync {
    /// What the design is.
    fn info(&self) -> DesignInfo;

    /// Fills the empty store with a population, in bulk, and settles it. The head is then
    /// [`FillContext::block`].
    fn fill(&self, population: &Population, context: &FillContext<'_>) -> Result<(), DesignError>;

    /// Fills the empty store, or one that was filled with a population, with keys that a trace will find.
    ///
    /// The head is then [`FillContext::block`]. Over a state that is there already, this is done by the
    /// blocks from the head's next one to that block, so it must lie above the head.
    fn preload(&self, preload: &Preload, context: &FillContext<'_>) -> Result<(), DesignError>;

    /// What happens before the block: not measured. Called in the order of the blocks.
    fn plan(&self, load: Arc<BlockLoad>) -> Result<Plan, DesignError>;

    /// Reads everything that the block needs, and compares it with what the load expects.
    ///
    /// What the overlay answers counts as read, so that counts do not depend on how far the block before
    /// has come.
    fn read(&self, plan: &Plan, overlay: &Overlay) -> Result<ReadCost, DesignError>;

    /// Applies the block durably, or nothing of it.
    fn apply(&self, plan: Plan) -> Result<Applied, DesignError>;

    /// Does what is due between blocks, as much as one slot's cap allows.
    fn rest(&self) -> Result<Rested, DesignError> {
        Ok(Rested::default())
    }

    /// The last block.
    fn head(&self) -> Option<BlockNumber>;

    /// Takes the last block back.
    fn undo(&self) -> Result<(), DesignError>;

    /// Merges what updates have scattered, so that a measurement begins from a settled state.
    fn settle(&self) -> Result<(), DesignError>;

    /// Writes what is held in memory, and waits for it.
    fn flush(&self) -> Result<(), DesignError>;

    /// What the store did since it was opened.
    fn counters(&self) -> IoCounters;

    /// What the state takes.
    fn size(&self) -> Result<StateSize, DesignError>;
}

/// Where a design's store lies, and what it may take.
#[derive(Clone, Debug)]
pub struct DesignStore {
    /// The folder; made if it is missing.
    pub dir: std::path::PathBuf,
    /// Which leaf store, where the design lets one choose.
    pub kind: StoreKind,
    /// Memory for the store's cache.
    pub cache_bytes: usize,
    /// Threads for hashing; `None` for one per core. More than these may wait for reads.
    pub threads: Option<usize>,
    /// Bypass the page cache.
    pub direct_io: bool,
}

/// How a store is filled.
#[derive(Clone, Copy)]
pub struct FillContext<'a> {
    /// The block that the state is then of.
    pub block: BlockNumber,
    /// Is told what is done: what, how many of how many.
    pub progress: &'a (dyn Fn(&str, u64, u64) + Sync),
}

impl fmt::Debug for FillContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FillContext")
            .field("block", &self.block)
            .finish_non_exhaustive()
    }
}

/// What a trace finds: the state that it needs before its first block, as far as it is not zero.
#[derive(Clone, Debug, Default)]
pub struct Preload {
    /// Accounts.
    pub accounts: HashMap<Address, Account>,
    /// Slots, with class and object; `before` is what is found.
    pub slots: HashMap<(Address, U256), crate::load::SlotLoad>,
    /// Codes that are read, by hash: their lengths.
    pub codes: HashMap<B256, u32>,
}

/// A block that is ready to be carried out.
pub struct Plan {
    /// What it asks of the state.
    pub load: Arc<BlockLoad>,
    /// What the design makes of it.
    pub private: Box<dyn Any + Send + Sync>,
}

impl Plan {
    /// A plan of a design that makes `private` of the load.
    pub fn new(load: Arc<BlockLoad>, private: impl Any + Send + Sync) -> Self {
        Self {
            load,
            private: Box::new(private),
        }
    }

    /// What the design made of the load.
    pub fn private<T: Any>(&self) -> Result<&T, DesignError> {
        let number = self.load.number;
        let private: &(dyn Any + Send + Sync) = &*self.private;
        private
            .downcast_ref()
            .ok_or(DesignError::ForeignPlan { number })
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("block", &self.load.number)
            .finish_non_exhaustive()
    }
}

/// Blocks before this one that may not be applied yet when it is read: their values win over the store's.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    /// Ascending; usually one.
    pub blocks: Vec<Arc<BlockLoad>>,
}

impl Overlay {
    /// Whether a pending block writes the account, and what it leaves.
    pub fn account(&self, address: Address) -> Option<Option<Account>> {
        self.blocks.iter().rev().find_map(|load| {
            let at = load
                .accounts
                .binary_search_by_key(&address, |it| it.address)
                .ok()?;
            let account = &load.accounts[at];
            account.is_written().then_some(account.after)
        })
    }

    /// Whether a pending block deploys the code, and how long it is.
    pub fn code(&self, hash: B256) -> Option<u32> {
        let blocks = self.blocks.iter();
        blocks.rev().find_map(|load| codes::deployed_by(load, hash))
    }

    /// Whether a pending block writes the slot, and what it leaves. A storage that is wiped leaves zeros.
    pub fn slot(&self, address: Address, slot: U256) -> Option<U256> {
        self.blocks.iter().rev().find_map(|load| {
            let account = load
                .accounts
                .binary_search_by_key(&address, |it| it.address);
            let wiped = account.is_ok_and(|at| load.accounts[at].drops_storage());
            let found = load
                .slots
                .binary_search_by_key(&(address, slot), |it| it.key());
            match found {
                Ok(at) if wiped || load.slots[at].is_written() => Some(load.slots[at].after),
                _ => wiped.then_some(U256::ZERO),
            }
        })
    }
}

/// What the reads of a block found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCost {
    /// The account trie's.
    pub accounts: TierWork,
    /// Slots of the permanent tier.
    pub slots: TierWork,
    /// The temporary tier.
    pub temporary: TierWork,
    /// The UTXO tier.
    pub utxo: TierWork,
    /// Codes of the permanent tier.
    pub codes: u64,
    /// Those that the store's own cache did not hold.
    pub codes_cold: u64,
    /// Bytes of all of them.
    pub code_bytes: u64,
}

/// What applying a block did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The root of the permanent tier, where there is a trie.
    pub state_root: Option<B256>,
    /// What the design commits to; the state root where there is nothing else.
    pub commitment: B256,
    /// The account trie.
    pub accounts: TierWork,
    /// Slots of the permanent tier.
    pub slots: TierWork,
    /// The temporary tier.
    pub temporary: TierWork,
    /// The UTXO tier.
    pub utxo: TierWork,
    /// Time to compute roots.
    pub state_hash: Duration,
    /// Time until it was durable.
    pub commit: Duration,
}

/// What was done between blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rested {
    /// Entries that expired.
    pub expired_entries: u64,
    /// Bytes that went to the archive.
    pub archive_bytes: u64,
    /// Time that it took.
    pub took: Duration,
}
