//! Witnesses for what has expired, taken from the archive as a transaction's sender would.

use super::PermanentDesign;
use crate::design::DesignError;
use std::collections::HashSet;
use thinstate_engine::{MissingNode, StubLocation, Witness, archive::expired::ExpiredError};
use thinstate_formats::BlockNumber;

/// What was brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Brought {
    /// Bytes of nodes of the account trie.
    pub(super) accounts_bytes: u64,
    /// Bytes of nodes of storage tries.
    pub(super) slots_bytes: u64,
}

impl PermanentDesign {
    /// Brings what is missing, in one commit: the nodes under each stub, none twice. The caller holds the
    /// lock on changes since it found them missing, so that each stub still is there.
    pub(super) fn bring(
        &self,
        number: BlockNumber,
        missing: Vec<MissingNode>,
    ) -> Result<Brought, DesignError> {
        let archive = self.tier.archive().filter(|_| self.is_strict());
        let Some(archive) = archive else {
            let first = missing.into_iter().next().expect("something is missing");
            return Err(DesignError::store(format!("block {number}"))(first));
        };
        let mut witness = Witness::default();
        let mut brought = Brought::default();
        let mut seen = HashSet::new();
        for node in missing {
            let stub = StubLocation {
                account: node.trie.0,
                path: node.path,
            };
            if !seen.insert(stub) {
                continue;
            }
            let nodes = match archive.witness(&stub, node.hash) {
                // It did not expire here: the store never had it, and nobody can bring it.
                Err(ExpiredError::NotArchived { .. }) => {
                    return Err(DesignError::store(format!("block {number}"))(node));
                }
                nodes => nodes.map_err(DesignError::store(format!(
                    "block {number}: bring a witness for {node}"
                )))?,
            };
            let bytes: u64 = nodes.iter().map(|node| node.len() as u64).sum();
            match stub.account {
                None => brought.accounts_bytes += bytes,
                Some(_) => brought.slots_bytes += bytes,
            }
            witness.nodes.extend(nodes);
            witness.starts.push(stub);
        }
        self.tier
            .insert_witness(&witness)
            .map_err(DesignError::store(format!(
                "block {number}: insert a witness"
            )))?;
        Ok(brought)
    }
}

impl Brought {
    /// Adds what was brought then.
    pub(super) const fn add(&mut self, more: Self) {
        self.accounts_bytes += more.accounts_bytes;
        self.slots_bytes += more.slots_bytes;
    }
}
