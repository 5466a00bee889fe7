//! Witnesses: nodes that fill stubs.
//!
//! A state may begin as nothing but a root ([`PermanentTier::adopt_root`]), or have stubs for other
//! reasons. A witness is a set of trie nodes, in any order. Starting at the root and at the stubs
//! that it names, each node whose hash is asked for takes its place: its leaves become leaves, its
//! children are filled in turn or become stubs. The root does not change, which is checked by
//! computing it again from the entries.
//!
//! Nodes do not say when a leaf was last written. The leaves of a witness say 0, not known: any
//! other block would claim a write that may never have been, and a leaf that was brought in to be
//! read is as cold as before (EIP-8188: reads never bump it). The write that follows dates it.

mod fill;

use super::{
    error::WitnessError,
    head::{BlockId, Head},
    tier::PermanentTier,
    transition::Transition,
};
use crate::{
    leaf_store::{LeafStore, Table},
    trie::{
        change::{Change, Target},
        codec::Stub,
        path::Path,
    },
};
use alloy_primitives::{B256, Bytes};
use alloy_trie::EMPTY_ROOT_HASH;
use fill::{Filled, Filler};
use nybbles::Nibbles;

/// Nodes and code that a state lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    /// RLP of trie nodes, of the account trie and of storage tries, in any order.
    pub nodes: Vec<Bytes>,
    /// Code.
    pub codes: Vec<Bytes>,
    /// Stubs to begin at, besides the root: needed for nodes whose ancestors are not among
    /// `nodes`.
    pub starts: Vec<StubLocation>,
    /// Whether nodes that fill no stub are passed over; otherwise the first is an error.
    pub allow_unused: bool,
}

/// The place of a stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StubLocation {
    /// The hashed address whose storage trie it is in; `None` for the account trie.
    pub account: Option<B256>,
    /// Its path.
    pub path: Nibbles,
}

/// What a witness did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WitnessReport {
    /// Nodes that filled a stub, or that led to one.
    pub nodes_used: u64,
    /// Nodes that were passed over.
    pub nodes_unused: u64,
    /// Account leaves that appeared.
    pub accounts: u64,
    /// Slot leaves that appeared.
    pub slots: u64,
    /// Stubs that are left in the state.
    pub stubs_left: u64,
}

impl<S: LeafStore> PermanentTier<S> {
    /// Makes an empty store the state with this root, of which nothing is known yet.
    pub fn adopt_root(&self, block: BlockId, root: B256) -> Result<Head, WitnessError> {
        let _writer = self.shared.writer();
        let view = self.shared.view();
        if view.head().commit != 0 {
            return Err(WitnessError::NotEmpty {
                root: view.head().root,
            });
        }
        let stub = Stub {
            hash: root,
            is_branch: false,
        };
        let change = (root != EMPTY_ROOT_HASH).then(|| Change {
            path: Path::EMPTY,
            to: Target::Value(stub.encode()),
        });
        let changes = change.into_iter().collect();
        let mut transition = self
            .shared
            .transition(&view.state, &view.snapshot, &[], |_| changes)?;
        transition.count();
        transition.state.head.block = Some(block);
        let head = transition.state.head;
        drop(view);
        let batch = transition.batch(self.shared.threads(), None);
        self.shared.publish(batch, transition.state)?;
        Ok(head)
    }

    /// Fills stubs with the nodes of a witness, and takes its code. The root stays.
    pub fn insert_witness(&self, witness: &Witness) -> Result<WitnessReport, WitnessError> {
        let _writer = self.shared.writer();
        let view = self.shared.view();
        let hashes = self.shared.hasher.hash_all(&witness.nodes);
        let mut filler = Filler::new(&view, witness, &hashes);
        filler.start(witness)?;
        filler.run()?;
        let report = filler.report(witness, &hashes)?;
        let Filled {
            accounts,
            jobs,
            roots,
        } = filler.filled()?;
        let mut transition = self
            .shared
            .transition(&view.state, &view.snapshot, &jobs, |_| accounts)?;
        check_roots(&transition, view.head().root, &roots)?;
        transition.count();
        self.shared.note_stubs(&mut transition, false)?;
        let mut batch = transition.batch(self.shared.threads(), None);
        let code_hashes = self.shared.hasher.hash_all(&witness.codes);
        for (hash, code) in code_hashes.iter().zip(&witness.codes) {
            batch.put(Table::Code, hash.as_slice(), code.as_ref());
        }
        let stubs_left = transition.state.head.stubs;
        drop(view);
        self.shared.publish(batch, transition.state)?;
        Ok(WitnessReport {
            stubs_left,
            ..report
        })
    }
}

/// The nodes must have led to tries of the shape that their entries imply: otherwise they were
/// hashed from something that is no Merkle-Patricia trie.
fn check_roots(transition: &Transition, root: B256, storage: &[B256]) -> Result<(), WitnessError> {
    let roots = transition.storage_roots.iter().zip(storage);
    for (got, expected) in roots.chain([(&transition.state.head.root, &root)]) {
        if got != expected {
            return Err(WitnessError::NotCanonical {
                expected: *expected,
                got: *got,
            });
        }
    }
    Ok(())
}
