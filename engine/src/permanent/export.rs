//! Every entry of the state, in the order of the keys.
//!
//! A visit goes over the account trie first, then over the storage tries by hashed address, each
//! by hashed key; a stub stands where the entries under it would be. Together the entries are the
//! whole commitment: whoever hashes them gets the state root. Addresses and slot numbers are not
//! among them, since the state knows their hashes alone; nor is code, of which accounts name the
//! hash ([`StateReader::code`](thinstate_formats::StateReader::code) has the bytes).
//!
//! Costs: one scan of the accounts and one of the slots, no memory beyond one entry.

use super::view::View;
use crate::{
    leaf_store::{LeafRead, LeafStore, StoreError, Table},
    trie::{
        codec::{Stub, TrieId, decode_account, decode_slot},
        error::{StateError, TrieName},
        path::{KEY_NIBBLES, Path},
    },
};
use alloy_primitives::{B256, U256, hex};
use alloy_trie::TrieAccount;
use core::ops::ControlFlow;
use nybbles::Nibbles;
use thinstate_formats::BlockNumber;

/// An entry of the state: a leaf, or a stub in place of some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateEntry {
    /// An account.
    Account {
        /// keccak256 of its address.
        hash: B256,
        /// Its fields, and the root of its storage.
        account: TrieAccount,
        /// The block that last wrote it or one of its slots; 0 where that is not known.
        last_written: BlockNumber,
    },
    /// A slot.
    Slot {
        /// keccak256 of the address of its account.
        account: B256,
        /// keccak256 of its number.
        slot: B256,
        /// Its value, never zero.
        value: U256,
        /// The block that last wrote it; 0 where that is not known.
        last_written: BlockNumber,
    },
    /// A subtree of which no more than the hash is held.
    Stub {
        /// The trie that it is in.
        trie: TrieName,
        /// Its path from the root of that trie.
        path: Nibbles,
        /// keccak256 of the node there.
        hash: B256,
    },
}

impl<S: LeafStore> View<'_, S> {
    /// Visits all entries: accounts, then slots, stubs among either. A `Break` ends the visit and
    /// is handed back; an entry that does not decode ends it with an error.
    pub fn for_each_entry<B>(
        &self,
        mut visit: impl FnMut(StateEntry) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, StateError> {
        match self.for_each_entry_of(Table::Accounts, &mut visit)? {
            ControlFlow::Continue(()) => self.for_each_entry_of(Table::Storage, &mut visit),
            broken => Ok(broken),
        }
    }

    /// Visits the entries of all storage tries, by hashed address.
    pub fn for_each_storage_entry<B>(
        &self,
        mut visit: impl FnMut(StateEntry) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, StateError> {
        self.for_each_entry_of(Table::Storage, &mut visit)
    }

    fn for_each_entry_of<B>(
        &self,
        table: Table,
        visit: &mut impl FnMut(StateEntry) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, StateError> {
        let mut outcome = Ok(ControlFlow::Continue(()));
        self.snapshot.scan(table, &[], None, &mut |key, value| {
            outcome = decode(table, key, value).map(&mut *visit);
            match outcome {
                Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        })?;
        Ok(outcome?)
    }
}

/// The entry that `table` holds at `key`.
fn decode(table: Table, key: &[u8], value: &[u8]) -> Result<StateEntry, StoreError> {
    let bad = |expected: &'static str, got: String| StoreError::BadEntry {
        table,
        key: hex::encode(key),
        expected,
        got,
    };
    let trie = match (table, key.first_chunk::<32>()) {
        (Table::Storage, Some(account)) => TrieId::Storage(account.into()),
        _ => TrieId::Accounts,
    };
    let path = trie
        .path(key)
        .map_err(|got| bad("a key of a leaf, or of a stub with its length", got))?;
    let (entry, expected) = match (trie.account(), path.len()) {
        (None, KEY_NIBBLES) => (account_entry(&path, value), "an account leaf"),
        (Some(account), KEY_NIBBLES) => (slot_entry(account, &path, value), "a slot leaf"),
        _ => (stub_entry(&trie, &path, value), "a stub"),
    };
    entry.ok_or_else(|| bad(expected, hex::encode_prefixed(value)))
}

fn account_entry(path: &Path, leaf: &[u8]) -> Option<StateEntry> {
    decode_account(leaf).map(|dated| StateEntry::Account {
        hash: *path.bytes(),
        account: dated.value,
        last_written: dated.last_written,
    })
}

fn slot_entry(account: B256, path: &Path, leaf: &[u8]) -> Option<StateEntry> {
    decode_slot(leaf).map(|dated| StateEntry::Slot {
        account,
        slot: *path.bytes(),
        value: dated.value,
        last_written: dated.last_written,
    })
}

fn stub_entry(trie: &TrieId, path: &Path, value: &[u8]) -> Option<StateEntry> {
    Stub::decode(value).map(|stub| StateEntry::Stub {
        trie: TrieName(trie.account()),
        path: path.nibbles(),
        hash: stub.hash,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        BlockId, Options, PermanentTier, Witness,
        leaf_store::{Batch, MemoryStore},
    };
    use alloy_primitives::{Address, keccak256};
    use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use thinstate_formats::{Account, AccountChange, AccountUpdate, StateChanges};

    const BLOCK: BlockId = BlockId {
        number: BlockNumber(1),
        hash: B256::ZERO,
    };

    fn tier() -> PermanentTier<MemoryStore> {
        let options = Options {
            bucket_entries_max: 4,
            threads: Some(1),
            ..Options::default()
        };
        PermanentTier::open(MemoryStore::new(), options).expect("a new store opens")
    }

    fn address(n: u16) -> Address {
        Address::from_word(keccak256(n.to_be_bytes()))
    }

    /// A block that sets accounts, each with slots numbered from 1.
    fn block(accounts: &BTreeMap<u16, Vec<u64>>) -> StateChanges {
        let change = |(n, slots): (&u16, &Vec<u64>)| {
            let account = Account {
                nonce: u64::from(*n),
                balance: U256::from(*n) << 40,
                ..Account::default()
            };
            let slots = (1u64..).zip(slots);
            let change = AccountChange {
                account: AccountUpdate::Set(account),
                storage: slots
                    .map(|(s, v)| (U256::from(s), U256::from(*v)))
                    .collect(),
                ..AccountChange::default()
            };
            (address(*n), change)
        };
        StateChanges {
            accounts: accounts.iter().map(change).collect(),
            ..StateChanges::default()
        }
    }

    fn entries(tier: &PermanentTier<MemoryStore>) -> Vec<StateEntry> {
        let mut entries = Vec::new();
        let visited = tier.view().for_each_entry(|entry| {
            entries.push(entry);
            ControlFlow::<()>::Continue(())
        });
        assert_eq!(
            visited.expect("all entries decode"),
            ControlFlow::Continue(())
        );
        entries
    }

    /// The same leaf, written in `block`: a witness does not say when.
    fn written_in(block: BlockNumber, mut entry: StateEntry) -> StateEntry {
        match &mut entry {
            StateEntry::Account { last_written, .. } | StateEntry::Slot { last_written, .. } => {
                assert_eq!(*last_written, BlockNumber(0));
                *last_written = block;
            }
            StateEntry::Stub { .. } => {}
        }
        entry
    }

    /// The roots of all tries that the entries make, by alloy-trie; the account trie's at `None`.
    fn roots(entries: &[StateEntry]) -> BTreeMap<Option<B256>, B256> {
        let mut tries = BTreeMap::<Option<B256>, HashBuilder>::new();
        for entry in entries {
            match entry {
                StateEntry::Account { hash, account, .. } => tries
                    .entry(None)
                    .or_default()
                    .add_leaf(Nibbles::unpack(hash), &alloy_rlp::encode(account)),
                StateEntry::Slot {
                    account,
                    slot,
                    value,
                    ..
                } => tries
                    .entry(Some(*account))
                    .or_default()
                    .add_leaf(Nibbles::unpack(slot), &alloy_rlp::encode(value)),
                StateEntry::Stub { trie, path, hash } => tries
                    .entry(trie.0)
                    .or_default()
                    .add_branch(*path, *hash, false),
            }
        }
        tries.into_iter().map(|(t, mut b)| (t, b.root())).collect()
    }

    /// Panics unless the entries hash to the head's root, and each account's slots to its.
    fn assert_whole(tier: &PermanentTier<MemoryStore>) {
        let entries = entries(tier);
        let mut roots = roots(&entries);
        let root = roots.remove(&None).unwrap_or(EMPTY_ROOT_HASH);
        assert_eq!(root, tier.head().root);
        for entry in &entries {
            if let StateEntry::Account { hash, account, .. } = entry {
                let root = roots.remove(&Some(*hash)).unwrap_or(EMPTY_ROOT_HASH);
                assert_eq!(root, account.storage_root, "storage of {hash}");
            }
        }
        assert!(roots.is_empty(), "storage without account: {roots:?}");
    }

    fn any_accounts() -> impl Strategy<Value = BTreeMap<u16, Vec<u64>>> {
        let slots = prop::collection::vec(0u64..1000, 0..12);
        prop::collection::btree_map(0u16..400, slots, 0..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_export_hashes_to_another_root(first in any_accounts(), second in any_accounts()) {
            let tier = tier();
            for (number, accounts) in (1..).zip([first, second]) {
                let id = BlockId { number: BlockNumber(number), ..BLOCK };
                tier.apply(id, &block(&accounts)).expect("commit");
                assert_whole(&tier);
            }
        }
    }

    #[test]
    fn no_stub_is_left_out_of_a_partial_state() {
        let whole = tier();
        let accounts = (0..200).map(|n| (n, vec![1; usize::from(n % 20)]));
        whole
            .apply(BLOCK, &block(&accounts.collect()))
            .expect("commit");
        let (from, slots) = (entries(&whole), [U256::from(1)]);
        let proofs = [19, 39, 142].map(|n| whole.view().prove(address(n), &slots).expect("proof"));
        let slot_nodes = proofs
            .iter()
            .flat_map(|p| &p.storage_proof)
            .flat_map(|s| &s.proof);
        let nodes = proofs
            .iter()
            .flat_map(|p| &p.account_proof)
            .chain(slot_nodes);
        let witness = Witness {
            nodes: nodes.cloned().collect(),
            allow_unused: true,
            ..Witness::default()
        };
        let part = tier();
        part.adopt_root(BLOCK, whole.head().root).expect("adopt");
        part.insert_witness(&witness).expect("witness");
        let exported = entries(&part);
        let is_stub = |e: &&StateEntry| matches!(e, StateEntry::Stub { .. });
        assert_eq!(
            exported.iter().filter(is_stub).count() as u64,
            part.head().stubs
        );
        assert!(part.head().stubs > 20);
        assert!(
            exported
                .iter()
                .all(|e| is_stub(&e) || from.contains(&written_in(BLOCK.number, *e)))
        );
        // Of accounts whose storage is a stub at the root alone, alloy-trie builds no trie.
        let rooted =
            |e: &&StateEntry| !matches!(e, StateEntry::Stub { path, .. } if path.is_empty());
        let built: Vec<_> = exported.iter().filter(rooted).copied().collect();
        let built = roots(&built);
        assert_eq!(built[&None], whole.head().root);
        for (account, root) in built.iter().filter_map(|(a, r)| Some(((*a)?, r))) {
            let expected = part.view().trie_account_hashed(account).expect("read");
            assert_eq!(expected.map(|a| a.storage_root), Some(*root));
        }
    }

    #[test]
    fn no_visit_goes_on_after_a_break() {
        let tier = tier();
        tier.apply(BLOCK, &block(&[(1, vec![5, 6]), (2, vec![7])].into()))
            .expect("commit");
        let all = entries(&tier);
        assert_eq!(all.len(), 5);
        for stop in 0..all.len() {
            let mut seen = 0;
            let visited = tier.view().for_each_entry(|entry| {
                assert_eq!(entry, all[seen]);
                seen += 1;
                if seen > stop {
                    ControlFlow::Break(seen)
                } else {
                    ControlFlow::Continue(())
                }
            });
            assert_eq!(visited.expect("visit"), ControlFlow::Break(stop + 1));
        }
        let mut slots = Vec::new();
        let visited = tier.view().for_each_storage_entry(|entry| {
            slots.push(entry);
            ControlFlow::<()>::Continue(())
        });
        assert_eq!(visited.expect("visit"), ControlFlow::Continue(()));
        assert_eq!(slots, all[2..]);
    }

    #[test]
    fn no_damaged_entry_is_passed_over() {
        let key = |len: usize| vec![0x11; len];
        let table: [(Table, Vec<u8>, Vec<u8>, &str); 7] = [
            (
                Table::Accounts,
                key(32),
                vec![],
                "expected an account leaf, got 0x",
            ),
            (
                Table::Accounts,
                key(31),
                vec![0, 0],
                "expected a key of a leaf",
            ),
            (
                Table::Accounts,
                key(34),
                vec![0, 0],
                "expected a key of a leaf",
            ),
            (
                Table::Accounts,
                key(33),
                vec![0; 33],
                "expected a key of a leaf",
            ),
            (
                Table::Accounts,
                [vec![0; 32], vec![4]].concat(),
                vec![2; 33],
                "expected a stub",
            ),
            (
                Table::Storage,
                key(64),
                vec![0],
                "expected a slot leaf, got 0x00",
            ),
            (Table::Storage, key(20), vec![1], "table storage"),
        ];
        for (table, key, value, expected) in table {
            let store = MemoryStore::new();
            let mut batch = Batch::default();
            batch.put(table, key.clone(), value);
            // Opened first: opening refuses what does not hash to the root.
            let tier = PermanentTier::open(store, Options::default()).expect("open");
            tier.shared.store.commit(batch).expect("commit");
            let visited = tier
                .view()
                .for_each_entry(|_| ControlFlow::<()>::Continue(()));
            let error = visited.expect_err("the entry is damaged").to_string();
            assert!(
                error.contains(expected),
                "key of {} bytes: {error}",
                key.len()
            );
        }
    }
}
