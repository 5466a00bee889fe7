//! A chain in the making: the store and the oracle, block by block.

use super::{
    costs::BlockCosts,
    error::DemoError,
    generate::{BlockGenerator, GeneratedBlock, Profile},
    oracle::{Compared, Oracle},
};
use crate::{
    exec::{UnsignedOutcome, execute_unsigned},
    source::genesis::{Genesis, MAINNET_GENESIS_HASH, MAINNET_GENESIS_ROOT},
    verify::TimedReader,
};
use alloy_consensus::Header;
use alloy_primitives::B256;
use revm::primitives::hardfork::SpecId;
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use thinstate_engine::{
    BlockId, CommitReport, Options, PermanentTier, VerifyReport,
    leaf_store::{DiskOptions, DiskStore},
};
use thinstate_formats::{BlockNumber, StateChanges};

/// Blocks that are undone and done again in the end.
const REPLAYED_BLOCKS: usize = 8;

/// Block 0.
const GENESIS: BlockId = BlockId {
    number: BlockNumber(0),
    hash: MAINNET_GENESIS_HASH,
};

/// Mainnet's genesis in a store, and generated blocks on top of it.
pub struct Chain {
    tier: PermanentTier<DiskStore>,
    options: Options,
    /// Where its files are, and how they are opened.
    files: (PathBuf, DiskOptions),
    oracle: Oracle,
    generator: BlockGenerator,
    head: BlockId,
    root: B256,
    /// The last blocks, oldest first.
    recent: VecDeque<Applied>,
}

/// A block as it was applied.
struct Applied {
    block: BlockId,
    root_before: B256,
    root: B256,
    changes: StateChanges,
}

/// What was checked after the last block.
#[derive(Clone, Copy, Debug)]
pub struct FinalChecks {
    /// Blocks undone and done again, each to its former root.
    pub replayed: u64,
    /// What the full verification of the reopened store covered.
    pub verified: VerifyReport,
    /// What of the reopened store was compared with the oracle.
    pub compared: Compared,
}

impl Chain {
    /// Puts the genesis state into a new store in the folder `dir`; its root has to be mainnet's.
    pub fn new(
        dir: &Path,
        leaves: &DiskOptions,
        options: Options,
        genesis: Genesis,
        profile: Profile,
    ) -> Result<Self, DemoError> {
        let generator = BlockGenerator::new(profile, genesis.balances)?;
        let tier = PermanentTier::open(DiskStore::open(dir, leaves)?, options.clone())?;
        let mut oracle = Oracle::new(&genesis.changes);
        let root = commit_genesis(&tier, &genesis.changes, &mut oracle)?;
        Ok(Self {
            tier,
            options,
            files: (dir.to_owned(), leaves.clone()),
            oracle,
            generator,
            head: GENESIS,
            root,
            recent: VecDeque::new(),
        })
    }

    /// Generates, executes and commits the next block, and checks it against the oracle. `None`
    /// after the last.
    pub fn next_block(&mut self) -> Option<Result<BlockCosts, DemoError>> {
        let block = self.generator.next()?;
        Some(block.map_err(DemoError::from).and_then(|b| self.apply(&b)))
    }

    /// The store's half.
    pub fn tier(&self) -> &PermanentTier<DiskStore> {
        &self.tier
    }

    /// The oracle, to be led astray by tests.
    pub fn oracle_mut(&mut self) -> &mut Oracle {
        &mut self.oracle
    }

    fn apply(&mut self, block: &GeneratedBlock) -> Result<BlockCosts, DemoError> {
        let number = block.number;
        let before = self.tier.counters();
        let reader = TimedReader::new(self.tier.view());
        let started = Instant::now();
        let txs = block.txs.iter().map(|tx| tx.tx_env());
        let outcome = execute_unsigned(&reader, SpecId::SHANGHAI, block.block_env(), txs).map_err(
            |source| DemoError::Execute {
                block: number,
                source: Box::new(source),
            },
        )?;
        let elapsed = started.elapsed();
        let state_read = reader.spent();
        drop(reader);
        let report = self.commit(block, &outcome)?;
        let io = self.tier.counters().since(&before);
        let oracle = self.ask_oracle(block, &outcome, report.root)?;
        let costs = BlockCosts {
            number,
            kind: block.kind,
            root: report.root,
            tx_count: block.txs.len() as u64,
            gas_used: outcome.gas_used,
            reads: outcome.reads,
            writes: outcome.writes,
            work: report.work,
            io,
            execution: elapsed.saturating_sub(state_read),
            state_read,
            state_hash: report.state_hash,
            commit: report.commit,
            oracle,
        };
        self.remember(outcome.changes, report.root);
        Ok(costs)
    }

    /// Commits under the hash of the header that the block would have.
    fn commit(
        &mut self,
        block: &GeneratedBlock,
        outcome: &UnsignedOutcome,
    ) -> Result<CommitReport, DemoError> {
        let failed = |source| DemoError::Commit {
            block: block.number,
            source,
        };
        let prepared = self.tier.prepare(&outcome.changes).map_err(failed)?;
        let header = Header {
            parent_hash: self.head.hash,
            number: block.number.0,
            beneficiary: block.beneficiary,
            timestamp: block.timestamp,
            gas_limit: block.gas_limit,
            gas_used: outcome.gas_used,
            base_fee_per_gas: Some(0),
            state_root: prepared.root(),
            ..Header::default()
        };
        self.head = BlockId {
            number: block.number,
            hash: header.hash_slow(),
        };
        self.tier.commit(self.head, prepared).map_err(failed)
    }

    /// Lets the oracle execute the block, and compares; gives the time that it took.
    fn ask_oracle(
        &mut self,
        block: &GeneratedBlock,
        outcome: &UnsignedOutcome,
        root: B256,
    ) -> Result<Duration, DemoError> {
        let started = Instant::now();
        let number = block.number;
        let gas_used = self
            .oracle
            .execute(block)
            .map_err(|source| DemoError::Oracle {
                block: number,
                source: Box::new(source),
            })?;
        self.check_root(number, root)?;
        if gas_used != outcome.gas_used {
            return Err(DemoError::Gas {
                block: number,
                expected: gas_used,
                got: outcome.gas_used,
            });
        }
        Ok(started.elapsed())
    }

    fn check_root(&mut self, block: BlockNumber, got: B256) -> Result<(), DemoError> {
        let expected = self.oracle.root();
        if got == expected {
            Ok(())
        } else {
            Err(DemoError::Root {
                block,
                expected,
                got,
            })
        }
    }

    fn remember(&mut self, changes: StateChanges, root: B256) {
        if self.recent.len() == REPLAYED_BLOCKS {
            self.recent.pop_front();
        }
        self.recent.push_back(Applied {
            block: self.head,
            root_before: core::mem::replace(&mut self.root, root),
            root,
            changes,
        });
    }

    /// Undoes the last blocks and does them again; reopens the store; computes all of it anew and
    /// compares it with the oracle's state.
    pub fn finish(self) -> Result<(Self, FinalChecks), DemoError> {
        self.undo()?;
        self.redo()?;
        let chain = self.reopen()?;
        let verified = chain.tier.verify()?;
        let compared = chain.oracle.compare(&chain.tier.view())?;
        expect_count("number of accounts", compared.accounts, verified.accounts)?;
        expect_count("number of slots", compared.slots, verified.slots)?;
        let checks = FinalChecks {
            replayed: chain.recent.len() as u64,
            verified,
            compared,
        };
        Ok((chain, checks))
    }

    fn undo(&self) -> Result<(), DemoError> {
        for applied in self.recent.iter().rev() {
            let block = applied.block.number;
            let head = self
                .tier
                .undo()
                .map_err(|source| DemoError::Undo { block, source })?;
            same_root(block, "undone", applied.root_before, head.root)?;
        }
        Ok(())
    }

    fn redo(&self) -> Result<(), DemoError> {
        for applied in &self.recent {
            let block = applied.block.number;
            let report = self
                .tier
                .apply(applied.block, &applied.changes)
                .map_err(|source| DemoError::Commit { block, source })?;
            same_root(block, "done again", applied.root, report.root)?;
        }
        Ok(())
    }

    /// Closes the store and opens it again: the interior is computed anew from the leaves.
    fn reopen(self) -> Result<Self, DemoError> {
        let before = self.tier.head();
        drop(self.tier.into_store());
        let (dir, leaves) = &self.files;
        let tier = PermanentTier::open(DiskStore::open(dir, leaves)?, self.options.clone())?;
        let after = tier.head();
        if after != before {
            return Err(DemoError::Reopened {
                what: "head",
                expected: format!("{before:?}"),
                got: format!("{after:?}"),
            });
        }
        Ok(Self { tier, ..self })
    }
}

/// Block 0 is committed only if its root is mainnet's.
fn commit_genesis(
    tier: &PermanentTier<DiskStore>,
    changes: &StateChanges,
    oracle: &mut Oracle,
) -> Result<B256, DemoError> {
    let block = GENESIS.number;
    let failed = |source| DemoError::Commit { block, source };
    let prepared = tier.prepare(changes).map_err(failed)?;
    let (root, expected) = (oracle.root(), MAINNET_GENESIS_ROOT);
    if prepared.root() != expected || root != expected {
        return Err(DemoError::GenesisRoot {
            expected,
            got: prepared.root(),
            oracle: root,
        });
    }
    tier.commit(GENESIS, prepared).map_err(failed)?;
    Ok(root)
}

fn same_root(
    block: BlockNumber,
    what: &'static str,
    expected: B256,
    got: B256,
) -> Result<(), DemoError> {
    if expected == got {
        return Ok(());
    }
    Err(DemoError::Replayed {
        block,
        what,
        expected,
        got,
    })
}

fn expect_count(what: &'static str, expected: u64, got: u64) -> Result<(), DemoError> {
    if expected == got {
        return Ok(());
    }
    Err(DemoError::Reopened {
        what,
        expected: expected.to_string(),
        got: got.to_string(),
    })
}
