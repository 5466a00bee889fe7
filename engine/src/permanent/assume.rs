//! A guess about a stub, for witnesses that lack a node.

use super::{error::WitnessError, tier::PermanentTier, witness::StubLocation};
use crate::{
    leaf_store::{Batch, LeafRead, LeafStore},
    trie::{
        codec::{Stub, TrieId},
        error::TrieName,
        path::Path,
    },
};

impl<S: LeafStore> PermanentTier<S> {
    /// Takes the node of a stub for a branch from now on, so that a branch above it can collapse.
    ///
    /// The root does not change by it. If the guess is wrong, later roots will be: compare them
    /// with something that is known.
    pub fn assume_branch(&self, location: &StubLocation) -> Result<(), WitnessError> {
        let _writer = self.shared.writer();
        let view = self.shared.view();
        let trie = location.account.map_or(TrieId::Accounts, TrieId::Storage);
        let no_stub = || WitnessError::NoStub {
            trie: TrieName(location.account),
            path: location.path,
        };
        let path = Path::from_nibbles(&location.path).ok_or_else(no_stub)?;
        let key = trie.key(&path);
        let value = view.snapshot.get(trie.table(), &key)?;
        let stub = value.and_then(|v| Stub::decode(&v)).ok_or_else(no_stub)?;
        let assumed = Stub {
            is_branch: true,
            ..stub
        };
        let mut state = (*view.state).clone();
        state.head.commit += 1;
        let mut batch = Batch::default();
        batch.put(trie.table(), key, assumed.encode());
        state.head.write(&mut batch);
        drop(view);
        self.shared.publish(batch, state)?;
        Ok(())
    }
}
