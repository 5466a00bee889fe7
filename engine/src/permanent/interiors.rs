//! The interiors of all storage tries of more than one bucket, by hashed address.

use crate::trie::interior::{Branch, InteriorSize};
use alloy_primitives::{B256, map::B256Map};
use std::sync::Arc;

/// Shards on each of two levels, by the hashed address's first two bytes.
const SHARDS: usize = 64;

type Shard = B256Map<Arc<Branch>>;

/// A map that is cheap to copy: a change copies one shard, and 64 pointers on each level.
#[derive(Clone, Debug)]
pub(crate) struct Interiors {
    shards: Arc<Vec<Arc<Vec<Arc<Shard>>>>>,
}

impl Default for Interiors {
    fn default() -> Self {
        let inner = Arc::new(vec![Arc::default(); SHARDS]);
        Self {
            shards: Arc::new(vec![inner; SHARDS]),
        }
    }
}

impl Interiors {
    /// The interior of an account's storage; `None` where it is at most one bucket.
    pub(crate) fn get(&self, account: &B256) -> Option<&Arc<Branch>> {
        let (outer, inner) = place(account);
        self.shards[outer][inner].get(account)
    }

    /// Sets or removes the interior of an account's storage.
    pub(crate) fn set(&mut self, account: B256, top: Option<Arc<Branch>>) {
        if top.is_none() && self.get(&account).is_none() {
            return;
        }
        let (outer, inner) = place(&account);
        let shards = Arc::make_mut(&mut Arc::make_mut(&mut self.shards)[outer]);
        let shard = Arc::make_mut(&mut shards[inner]);
        match top {
            Some(top) => shard.insert(account, top),
            None => shard.remove(&account),
        };
    }

    /// All of them, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&B256, &Arc<Branch>)> {
        self.shards
            .iter()
            .flat_map(|s| s.iter())
            .flat_map(|s| s.iter())
    }

    /// Memory that they take.
    pub(crate) fn size(&self) -> InteriorSize {
        let mut size = InteriorSize::default();
        self.iter().for_each(|(_, top)| size.add(&top.size()));
        size
    }
}

fn place(account: &B256) -> (usize, usize) {
    (
        usize::from(account[0]) % SHARDS,
        usize::from(account[1]) % SHARDS,
    )
}
