//! Designs of state: which object lives in which tier, with which parameters, and how a block is carried out.
//!
//! A design is a TOML file ([`DesignSpec`], those that are built in lie in `data/designs/`) and an
//! implementation of [`StateDesign`]. [`load`] finds the one, by name or path, [`open`] the other.
//!
//! | kind | implementation | what |
//! |---|---|---|
//! | `permanent` | [`permanent`] | everything in Ethereum's trie, with expiry in place or without |
//! | `layered` | | all tiers behind one commitment |
//! | `flat-lthash` | [`flat_lthash`] | no tree: the floor of what a commitment can cost |
//!
//! # One block
//!
//! ```text
//! plan    what the block's senders and wallets do beforehand: which tier a key lives in, which records are
//!         spent, which proofs are brought along.                       not measured
//! read    every key that the block needs, in parallel, and a check that each value is the expected one.
//!         May run while the block before is applied: what that one writes is in its `overlay`.   state_read
//! apply   changes, roots, one durable commit                           state_hash, commit
//! rest    what the design owes between blocks: steps of expiry, of seals                          background
//! ```
//!
//! # A design of one's own
//!
//! Whoever compares another store implements the trait; what is carried out on a design does not ask which
//! one it is. [`tally`] counts keys as all designs do, [`seed`] turns a population or a trace's pre-state
//! into blocks for stores that have no bulk build. One that forgets everything when it is dropped:
//!
//! ```
//! use alloy_primitives::{Address, U256};
//! use std::{collections::HashMap, sync::{Arc, Mutex}};
//! use thinstate_engine::leaf_store::IoCounters;
//! use thinstate_formats::{Account, BlockNumber};
//! use thinstate_replay::{
//!     design::{
//!         Applied, DesignError, FillContext, Overlay, Plan, Preload, ReadCost, StateDesign, builtin, seed, tally,
//!     },
//!     load::{AccountLoad, BlockLoad},
//!     measure::{DesignInfo, StateSize},
//!     population::Population,
//! };
//!
//! #[derive(Default)]
//! struct State {
//!     head: Option<BlockNumber>,
//!     accounts: HashMap<Address, Account>,
//!     slots: HashMap<(Address, U256), U256>,
//! }
//!
//! #[derive(Default)]
//! struct InMemory(Mutex<State>);
//!
//! impl StateDesign for InMemory {
//!     fn info(&self) -> DesignInfo {
//!         let mut info = builtin("mpt").expect("it is built in").info(None);
//!         info.name = "in-memory".to_owned();
//!         info
//!     }
//!
//!     fn fill(&self, population: &Population, context: &FillContext<'_>) -> Result<(), DesignError> {
//!         for load in seed::population_blocks(population, context.block) {
//!             self.apply(self.plan(Arc::new(load))?)?;
//!         }
//!         Ok(())
//!     }
//!
//!     fn preload(&self, preload: &Preload, context: &FillContext<'_>) -> Result<(), DesignError> {
//!         for load in seed::preload_blocks("in-memory", preload, self.head(), context.block)? {
//!             self.apply(self.plan(Arc::new(load))?)?;
//!         }
//!         Ok(())
//!     }
//!
//!     fn plan(&self, load: Arc<BlockLoad>) -> Result<Plan, DesignError> {
//!         Ok(Plan::new(load, ()))
//!     }
//!
//!     fn read(&self, plan: &Plan, overlay: &Overlay) -> Result<ReadCost, DesignError> {
//!         let (state, load) = (self.0.lock().unwrap(), &plan.load);
//!         let mut cost = ReadCost { codes: load.code_reads.len() as u64, ..ReadCost::default() };
//!         for account in &load.accounts {
//!             let held = state.accounts.get(&account.address).copied();
//!             let got = overlay.account(account.address).unwrap_or(held);
//!             tally::read_account(load.number, account, got, &mut cost.accounts)?;
//!         }
//!         for slot in &load.slots {
//!             let held = state.slots.get(&slot.key()).copied().unwrap_or_default();
//!             let got = overlay.slot(slot.address, slot.slot).unwrap_or(held);
//!             tally::read_slot(load.number, "memory", slot, got, &mut cost.slots)?;
//!         }
//!         Ok(cost)
//!     }
//!
//!     fn apply(&self, plan: Plan) -> Result<Applied, DesignError> {
//!         let (mut state, load) = (self.0.lock().unwrap(), &plan.load);
//!         for account in load.accounts_written() {
//!             if account.drops_storage() {
//!                 state.slots.retain(|(contract, _), _| *contract != account.address);
//!             }
//!             match account.after {
//!                 Some(after) => state.accounts.insert(account.address, after),
//!                 None => state.accounts.remove(&account.address),
//!             };
//!         }
//!         state.slots.extend(load.slots_written().map(|slot| (slot.key(), slot.after)));
//!         state.head = Some(load.number);
//!         Ok(Applied {
//!             accounts: tally::written_accounts(load),
//!             slots: tally::written_slots(load, |_| true),
//!             ..Applied::default()
//!         })
//!     }
//!
//!     fn head(&self) -> Option<BlockNumber> {
//!         self.0.lock().unwrap().head
//!     }
//!
//!     fn undo(&self) -> Result<(), DesignError> {
//!         let what = "it keeps no reverse diffs".to_owned();
//!         Err(DesignError::Unsupported { design: "in-memory".to_owned(), what })
//!     }
//!
//!     fn settle(&self) -> Result<(), DesignError> {
//!         Ok(())
//!     }
//!
//!     fn flush(&self) -> Result<(), DesignError> {
//!         Ok(())
//!     }
//!
//!     fn counters(&self) -> IoCounters {
//!         IoCounters::default()
//!     }
//!
//!     fn size(&self) -> Result<StateSize, DesignError> {
//!         Ok(StateSize::default())
//!     }
//! }
//!
//! let design = InMemory::default();
//! let load = BlockLoad {
//!     number: BlockNumber(1),
//!     accounts: vec![AccountLoad {
//!         address: Address::ZERO,
//!         before: None,
//!         after: Some(Account::default()),
//!         storage_wiped: false,
//!     }],
//!     ..BlockLoad::default()
//! };
//! let plan = design.plan(Arc::new(load))?;
//! assert_eq!(design.read(&plan, &Overlay::default())?.accounts.reads_absent, 1);
//! assert_eq!(design.apply(plan)?.accounts.created, 1);
//! # Ok::<(), DesignError>(())
//! ```

pub mod codes;
mod error;
pub mod flat_lthash;
pub mod folder;
pub mod keys;
mod layered;
pub mod permanent;
mod registry;
pub mod resources;
pub mod seed;
mod spec;
pub mod tally;
mod traits;

pub use codes::WrongCode;
pub use error::{DesignError, WrongAccount, WrongSlot};
pub use layered::LayeredDesign;
pub use registry::{LoadError, builtin, load, names, open};
pub use spec::{DesignKind, DesignSpec, ExpirySpec, SpecError};
pub use traits::{
    Applied, DesignStore, FillContext, Overlay, Plan, Preload, ReadCost, Rested, StateDesign,
};
