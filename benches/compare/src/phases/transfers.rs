//! Blocks of ERC-20 transfers, on forms of state that are made for them and on stores that hold balances as keys.
//!
//! A transfer is two updates for a store of balances: the key is the slot of the token's mapping, keccak of holder and
//! position. The temporary tier takes the same two writes; the UTXO tier spends a record and makes two, with the paths that
//! senders bring along. What a wallet does for that is no part of any store's time, and its memory is in the process's.

use super::{BlocksFound, PhaseError, Size, SizeFound, Task, nanoseconds};
use crate::{
    keys::Position,
    peer::{Peer, Update},
    rounds::{self, Done, Subject},
    store::{BoxError, Facts},
};
use core::sync::atomic::AtomicBool;
use std::{fs, path::Path, time::Instant};
use thinstate_benches::{
    Draws,
    transfers::{
        Holding, TemporaryTransfers, TransferBlock, TransferStore, TransferWorkload, UtxoKind,
        UtxoTransfers,
    },
};
use thinstate_formats::temporary::LiveCommitment;
use thinstate_replay::{design::folder, measure::probes::memory_bytes_max};

/// Holders that get their first balances together.
const LOADED_TOGETHER: u32 = 1 << 17;

/// A form of state that is made for transfers.
#[derive(Clone, Copy, Debug)]
pub struct StateEntry {
    /// What tables say of it.
    pub facts: Facts,
    make: fn(&Path) -> Box<dyn TransferStore>,
}

/// All of them.
pub const STATES: &[StateEntry] = &[
    StateEntry {
        facts: facts(
            "thinstate-temporary-deferred",
            "thinstate's temporary tier: live entries in memory, a log for each block",
            "a chained hash of the block's writes; a tree when the period is sealed",
        ),
        make: |dir| Box::new(TemporaryTransfers::create(dir, LiveCommitment::Deferred)),
    },
    StateEntry {
        facts: facts(
            "thinstate-temporary-incremental",
            "thinstate's temporary tier: the same, with a tree over the live entries",
            "a tree over all live entries, BLAKE3",
        ),
        make: |dir| Box::new(TemporaryTransfers::create(dir, LiveCommitment::Incremental)),
    },
    StateEntry {
        facts: facts(
            "thinstate-utxo-ring",
            "thinstate's UTXO tier: a record spent and two made, paths to the ring of block roots",
            "a tree for each block's records, BLAKE3; a tree of spent bits",
        ),
        make: |dir| Box::new(UtxoTransfers::create(dir, UtxoKind::Ring)),
    },
    StateEntry {
        facts: facts(
            "thinstate-utxo-window",
            "thinstate's UTXO tier: the same, records kept for a while and spent without paths",
            "a tree for each block's records, BLAKE3; a tree of spent bits",
        ),
        make: |dir| Box::new(UtxoTransfers::create(dir, UtxoKind::Window)),
    },
];

const fn facts(name: &'static str, summary: &'static str, root: &'static str) -> Facts {
    Facts {
        name,
        summary,
        root,
        durability: "write-ahead log, synced with each block",
        is_ethereum: false,
    }
}

/// The form of state of this name.
pub fn state_named(name: &str) -> Option<StateEntry> {
    STATES.iter().find(|it| it.facts.name == name).copied()
}

/// What transfers are applied to.
enum Ledger {
    State(Box<dyn TransferStore>),
    Balances(Box<dyn Peer>),
}

impl Ledger {
    fn fill(&mut self, workload: &TransferWorkload) -> Result<(), BoxError> {
        let mut parts = workload.load(LOADED_TOGETHER);
        match self {
            Self::State(state) => {
                parts.for_each(|part| state.load(&part));
                state.settle();
                state.flush();
                Ok(())
            }
            Self::Balances(peer) => {
                peer.load(&mut parts.by_ref().map(|part| balances(&part)))?;
                peer.settle()?;
                peer.flush()
            }
        }
    }
}

/// Balances as keys, ascending.
fn balances(holdings: &[Holding]) -> Vec<Update> {
    let update = |holding: &Holding| Update {
        key: holding.slot.into(),
        value: holding.balance.into(),
    };
    let mut updates: Vec<_> = holdings.iter().map(update).collect();
    updates.sort_unstable_by_key(|update| update.key);
    updates
}

/// A ledger, and how many transfers the block has that it was given.
struct Counted {
    ledger: Ledger,
    transfers: u64,
}

impl Subject<TransferBlock> for Counted {
    fn prepare(&mut self, block: &TransferBlock) {
        self.transfers = block.transfers.len() as u64;
        match &mut self.ledger {
            Ledger::State(state) => state.prepare(block),
            Ledger::Balances(peer) => peer.prepare(&balances(&block.holdings)),
        }
    }

    fn commit(&mut self) -> Result<Done, BoxError> {
        let updates = self.transfers;
        Ok(match &mut self.ledger {
            Ledger::State(state) => Done {
                updates,
                witness_bytes: state.apply().witness_bytes,
                ..Done::default()
            },
            Ledger::Balances(peer) => {
                let committed = peer.commit()?;
                Done {
                    updates,
                    hashed_in: committed.hashed_in,
                    root: committed.root,
                    ..Done::default()
                }
            }
        })
    }

    fn flush(&mut self) -> Result<(), BoxError> {
        match &mut self.ledger {
            Ledger::State(state) => state.flush(),
            Ledger::Balances(peer) => peer.flush()?,
        }
        Ok(())
    }
}

impl Task {
    pub(super) fn transfers(
        &self,
        draws: Draws,
        holders: u64,
        sizes: &[Size],
        stop: &AtomicBool,
    ) -> Result<BlocksFound, PhaseError> {
        let started = Instant::now();
        let mut workload = TransferWorkload::new(holders, self.seed).drawing(draws);
        let mut subject = Counted {
            ledger: match state_named(&self.store) {
                Some(state) => Ledger::State((state.make)(&self.dir)),
                None => Ledger::Balances(self.open()?),
            },
            transfers: 0,
        };
        let filled = subject.ledger.fill(&workload);
        filled.map_err(PhaseError::store("give holders their first balances"))?;
        let open_ns = nanoseconds(started);
        forget_memory_max();
        let mut found = Vec::new();
        let mut block = 0;
        for size in sizes {
            let next = || Ok(workload.block(size.block as usize));
            let figures = rounds::run(&mut subject, size.plan(), &self.dir, next, stop)?;
            block += size.all_blocks();
            found.push(SizeFound {
                size: *size,
                figures,
            });
        }
        let memory_bytes_max = memory_bytes_max();
        drop(subject);
        Ok(BlocksFound {
            open_ns,
            sizes: found,
            at: Position {
                keys: workload.holders(),
                block,
            },
            folder_bytes: folder::bytes(&self.dir)?,
            memory_bytes_max,
        })
    }
}

/// Lets the most memory of this process be counted anew (proc(5), `clear_refs`). Where it may not, the figure holds what filling
/// took: too high, never too low.
fn forget_memory_max() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn balances_are_those_of_the_holders() {
        let mut workload = TransferWorkload::new(100, 1);
        let first: Vec<_> = workload.load(64).flat_map(|part| balances(&part)).collect();
        let mut state: BTreeMap<_, _> = first.iter().map(|it| (it.key, it.value)).collect();
        assert_eq!(state.len(), 100);
        let block = workload.block(50);
        let updates = balances(&block.holdings);
        assert!(updates.is_sorted_by(|a, b| a.key < b.key));
        state.extend(updates.iter().map(|it| (it.key, it.value)));
        assert_eq!(state.len() as u64, workload.holders());
    }

    #[test]
    fn no_state_is_named_as_a_store() {
        assert!(
            STATES
                .iter()
                .all(|it| crate::peer::named(it.facts.name).is_none())
        );
    }
}
