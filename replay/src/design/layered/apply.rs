//! Applying a block, taking it back, and what both count.

use super::{LayeredDesign, Private, place::Access};
use crate::{
    design::{Applied, DesignError, Rested, tally},
    load::BlockLoad,
    measure::TierWork,
};
use alloy_primitives::B256;
use std::time::Instant;
use thinstate_engine::{
    BlockChanges, BlockId, ExpiryRule,
    store::{BlockReport, CheapReport},
};
use thinstate_formats::{BlockNumber, HashKind, record::NewRecord, temporary::LiveCommitment};

/// Bytes of an index that a spend writes: of one bit.
const SPEND_BYTES: u64 = 8;

/// The name of a block in the store: loads do not know their block's hash, and several blocks may have gone
/// into one.
pub(super) const fn block_id(number: BlockNumber) -> BlockId {
    BlockId {
        number,
        hash: B256::ZERO,
    }
}

impl LayeredDesign {
    /// Applies a planned load; after an error its plan and those behind it are taken back.
    pub(super) fn apply_load(
        &self,
        load: &BlockLoad,
        private: &Private,
    ) -> Result<Applied, DesignError> {
        let number = load.number;
        let applied = self
            .check_follows(number, private)
            .and_then(|()| self.apply_changes(number, &private.changes));
        match applied {
            Ok(report) => {
                self.state().pending.applied(number);
                Ok(self.applied(load, private, &report))
            }
            Err(error) => {
                self.state().rewind(number);
                Err(error)
            }
        }
    }

    fn apply_changes(
        &self,
        number: BlockNumber,
        changes: &BlockChanges,
    ) -> Result<BlockReport, DesignError> {
        let applied = self.store.apply(block_id(number), changes);
        applied.map_err(DesignError::store(format!("apply block {number}")))
    }

    /// A block follows the head, and was planned on what led there.
    fn check_follows(&self, got: BlockNumber, private: &Private) -> Result<(), DesignError> {
        let head = self.store.head().block;
        if let Some(expected) = head.and_then(|head| head.number.next())
            && expected != got
        {
            return Err(DesignError::NotNext { expected, got });
        }
        let expected = self.store.next_record_index();
        let planned = private.utxo.first_record;
        if planned != expected && !self.state().is_blind {
            return Err(self.unsupported(format!(
                "block {got}: planned for a first record with index {planned}, expected {expected}: \
                 plan it again"
            )));
        }
        Ok(())
    }

    /// Takes the last block back, with the plans from it on.
    pub(super) fn undo_last(&self) -> Result<(), DesignError> {
        let mut state = self.state();
        let head = self.store.head().block.map(|block| block.number);
        if let Some(head) = head
            && !state.remembers(head)
        {
            return Err(self.unsupported(format!(
                "undoing block {head}: wallets do not remember what was before it"
            )));
        }
        let undone = self.store.undo();
        undone.map_err(DesignError::store("undo the last block"))?;
        if let Some(head) = head {
            state.rewind(head);
        }
        Ok(())
    }

    /// One step of the sweep over the permanent tier, where the design has one.
    pub(super) fn expire_step(&self) -> Result<Rested, DesignError> {
        let started = Instant::now();
        let head = self.store.head().block.map_or(0, |block| block.number.0);
        let Some(expiry) = self.spec.expiry else {
            return Ok(Rested::default());
        };
        let first_warm = (head + 1).saturating_sub(expiry.after_blocks);
        if first_warm == 0 {
            return Ok(Rested::default());
        }
        let rule: ExpiryRule<'_> = expiry.rule(BlockNumber(first_warm));
        let report = self.store.expire(&rule, expiry.cap_per_block);
        let report = report.map_err(DesignError::store("expire what is cold"))?;
        Ok(Rested {
            expired_entries: report.accounts + report.slots,
            archive_bytes: report.archive_bytes,
            took: started.elapsed(),
        })
    }

    pub(super) fn unsupported(&self, what: String) -> DesignError {
        DesignError::Unsupported {
            design: self.spec.name.clone(),
            what,
        }
    }

    fn applied(&self, load: &BlockLoad, private: &Private, report: &BlockReport) -> Applied {
        let cheap = &report.cheap;
        let permanent = &report.permanent;
        let mut accounts = tally::written_accounts(load);
        accounts.hashes = permanent.work.hashes;
        accounts.permutations = permanent.work.permutations;
        let beside = cheap.temporary.log_bytes + cheap.spent.journal_bytes;
        accounts.logical_written_bytes = permanent.batch_bytes.saturating_sub(beside);
        Applied {
            state_root: Some(permanent.root),
            commitment: report.commitment.hash(),
            accounts,
            slots: written(&private.trie),
            temporary: self.temporary_work(load.number, private, cheap),
            utxo: self.utxo_work(private, cheap),
            // All that is not the commit: roots of all tiers, and the checks of what is spent.
            state_hash: report.total.saturating_sub(permanent.commit),
            commit: permanent.commit,
        }
    }

    fn temporary_work(
        &self,
        number: BlockNumber,
        private: &Private,
        cheap: &CheapReport,
    ) -> TierWork {
        let rules = &self.store.rules().temporary;
        let mut work = private.temporary.applied;
        let proofs = private.changes.resurrections.len() as u64;
        let bits = share_of_bits(cheap, proofs, cheap.utxo.spent);
        let log = cheap.temporary.work;
        work.permutations = of_proofs(rules.hash, work.hashes, proofs)
            + match rules.commitment {
                // One of all writes, one of 128 bytes.
                LiveCommitment::Deferred => {
                    long(rules.hash, log.bytes.saturating_sub(128)) + short(rules.hash, 0, 1)
                }
                LiveCommitment::Incremental => {
                    let of_128 = (log.bytes / 64).saturating_sub(log.hashes);
                    short(rules.hash, log.hashes.saturating_sub(of_128), of_128)
                }
            }
            + short(rules.hash, bits, 0);
        work.hashes += log.hashes + bits;
        work.logical_written_bytes = cheap.temporary.log_bytes;
        if let Some(period) = rules.seals(number) {
            let segment = self.store.period_archive().map(|it| it.segment(period));
            let bytes = segment.and_then(Result::ok).map_or(0, |it| it.file_bytes);
            work.archive_bytes = bytes;
        }
        work
    }

    fn utxo_work(&self, private: &Private, cheap: &CheapReport) -> TierWork {
        let utxo = cheap.utxo;
        let proofs = private.changes.resurrections.len() as u64;
        let bits = share_of_bits(cheap, utxo.spent, proofs);
        let kind = self.store.rules().utxo.hash;
        // Each record is hashed once when it is made, and once when it is spent.
        let of_128 = utxo.appended + utxo.spent;
        let of_64 = utxo.hashes.saturating_sub(of_128);
        let records = private.changes.records.iter();
        let record_bytes: usize = records.map(NewRecord::encoded_len).sum();
        TierWork {
            created: utxo.appended,
            deleted: utxo.spent,
            hashes: utxo.hashes + bits,
            permutations: short(kind, of_64 + bits, of_128),
            logical_written_bytes: record_bytes as u64 + SPEND_BYTES * utxo.spent,
            witness_bytes: utxo.witness_bytes,
            archive_bytes: utxo.archive_bytes,
            ..TierWork::default()
        }
    }
}

/// Slots of the trie that are created, updated and deleted.
fn written(accesses: &[Access]) -> TierWork {
    let mut work = TierWork::default();
    for access in accesses.iter().filter(|access| access.is_written()) {
        match (access.before.is_zero(), access.after.is_zero()) {
            (true, _) => work.created += 1,
            (false, true) => work.deleted += 1,
            (false, false) => work.updated += 1,
        }
    }
    work
}

/// Hashes over spent bits, in proportion to the bits that are set.
const fn share_of_bits(cheap: &CheapReport, of_tier: u64, others: u64) -> u64 {
    let hashes = cheap.spent.hashes;
    match of_tier + others {
        // A field came into being, or grew.
        0 => hashes / 2,
        all => hashes * of_tier / all,
    }
}

/// Permutations or compressions for messages of 64 and of 128 bytes.
pub(super) const fn short(kind: HashKind, of_64: u64, of_128: u64) -> u64 {
    match kind {
        HashKind::Blake3 => of_64 + 2 * of_128,
        HashKind::Keccak256 => of_64 + of_128,
        HashKind::Sha256 => 2 * of_64 + 3 * of_128,
    }
}

/// The same for one long message.
const fn long(kind: HashKind, bytes: u64) -> u64 {
    match kind {
        // Chunks of 1,024 bytes, joined in pairs.
        HashKind::Blake3 => bytes.div_ceil(64) + bytes.div_ceil(1024).saturating_sub(1),
        HashKind::Keccak256 => bytes / 136 + 1,
        HashKind::Sha256 => (bytes + 9).div_ceil(64),
    }
}

/// The same for proofs of leaves: one message of 64 bytes each, and nodes of 128.
pub(super) const fn of_proofs(kind: HashKind, hashes: u64, proofs: u64) -> u64 {
    short(kind, proofs, hashes.saturating_sub(proofs))
}
