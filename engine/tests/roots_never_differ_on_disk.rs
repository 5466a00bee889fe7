//! Random blocks on stores on disk that differ in everything that may be chosen: threads, bucket
//! sizes, memory, caches. All give the roots of a model hashed by alloy-trie, after each block,
//! after reopening with another choice, and after undoing each block; and their proofs verify.

mod support;

use alloy_primitives::U256;
use proptest::prelude::*;
use support::{Model, apply, strategy};
use tempfile::TempDir;
use thinstate_engine::{
    Options, PermanentTier,
    leaf_store::{DiskStore, PageOptions, PageStore, RocksOptions, RocksStore},
};

type Tier = PermanentTier<DiskStore>;

/// One choice of everything.
#[derive(Clone, Copy, Debug)]
struct Choice {
    threads: usize,
    bucket_entries_max: usize,
    cache_bytes: usize,
    write_buffer_bytes: usize,
    filters_in_memory: bool,
    sync: bool,
}

const CHOICES: [Choice; 4] = [
    Choice {
        threads: 1,
        bucket_entries_max: 2,
        cache_bytes: 64 << 10,
        write_buffer_bytes: 64 << 10,
        filters_in_memory: false,
        sync: true,
    },
    Choice {
        threads: 2,
        bucket_entries_max: 7,
        cache_bytes: 1 << 20,
        write_buffer_bytes: 4 << 20,
        filters_in_memory: true,
        sync: false,
    },
    Choice {
        threads: 4,
        bucket_entries_max: 64,
        cache_bytes: 16 << 20,
        write_buffer_bytes: 256 << 10,
        filters_in_memory: false,
        sync: true,
    },
    Choice {
        threads: 2,
        bucket_entries_max: 4096,
        cache_bytes: 1 << 20,
        write_buffer_bytes: 1 << 20,
        filters_in_memory: true,
        sync: false,
    },
];

impl Choice {
    /// Opens the `nth` folder: those with even numbers are of RocksDB, the others of pages.
    fn open(&self, nth: usize, folder: &TempDir) -> Tier {
        let store = match nth % 2 {
            0 => self.rocks(folder),
            _ => self.pages(folder),
        };
        let options = Options {
            bucket_entries_max: self.bucket_entries_max,
            threads: Some(self.threads),
            ..Options::default()
        };
        PermanentTier::open(store, options).expect("open the state")
    }

    fn rocks(&self, folder: &TempDir) -> DiskStore {
        let options = RocksOptions {
            cache_bytes: self.cache_bytes,
            write_buffer_bytes: self.write_buffer_bytes,
            filters_in_memory: self.filters_in_memory,
            sync: self.sync,
            ..RocksOptions::default()
        };
        let store = RocksStore::open(folder.path(), options).expect("open the store");
        DiskStore::RocksDb(Box::new(store))
    }

    fn pages(&self, folder: &TempDir) -> DiskStore {
        let options = PageOptions {
            cache_bytes: self.cache_bytes,
            pending_bytes: self.write_buffer_bytes,
            filter_bits: if self.filters_in_memory { 10 } else { 0 },
            sync: self.sync,
            ..PageOptions::default()
        };
        let store = PageStore::open(folder.path(), options).expect("open the store");
        DiskStore::Page(Box::new(store))
    }
}

/// Reopens each store with the next choice.
fn reopen(tiers: Vec<Tier>, folders: &[TempDir], turn: usize) -> Vec<Tier> {
    drop(tiers);
    let choices = CHOICES.iter().cycle().skip(turn % CHOICES.len());
    let open = |(choice, (nth, folder)): (&Choice, (usize, &TempDir))| choice.open(nth, folder);
    choices.zip(folders.iter().enumerate()).map(open).collect()
}

fn assert_proofs_verify(tier: &Tier, model: &Model) {
    let (view, root) = (tier.view(), model.root());
    let slots: Vec<U256> = (0..12).map(U256::from).collect();
    for address in strategy::addresses() {
        let proof = view.prove(address, &slots).expect("proof");
        assert_eq!(proof.verify(root), Ok(()));
        let storage = model.accounts.get(&address).map(|(_, storage)| storage);
        for slot in &proof.storage_proof {
            let value = storage.and_then(|s| s.get(&slot.key)).copied();
            assert_eq!(slot.value, value.unwrap_or_default());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn no_choice_of_parameters_ever_changes_a_root(
        blocks in strategy::blocks(),
        reopen_at in any::<prop::sample::Index>(),
        compact_at in any::<prop::sample::Index>(),
        undone_before_reopening in any::<prop::sample::Index>(),
    ) {
        let folders: Vec<TempDir> = CHOICES.iter().map(|_| TempDir::new().expect("folder")).collect();
        let mut tiers = reopen(Vec::new(), &folders, 0);
        let mut model = Model::default();
        let mut history = vec![model.clone()];
        let mut turn = 0;
        for (number, changes) in (0u64..).zip(&blocks) {
            let before = model.clone();
            for tier in &tiers {
                model.clone_from(&before);
                apply(tier, &mut model, number, changes);
                model.assert_shown_by(&tier.view(), &strategy::addresses());
            }
            history.push(model.clone());
            if number as usize == reopen_at.index(blocks.len()) {
                turn += 1;
                tiers = reopen(tiers, &folders, turn);
            }
            if number as usize == compact_at.index(blocks.len()) {
                tiers.iter().for_each(|tier| tier.compact().expect("compact"));
            }
        }
        for tier in &tiers {
            tier.verify().expect("verifies");
            assert_proofs_verify(tier, &model);
        }
        history.pop();
        for (undone, before) in history.iter().rev().enumerate() {
            if undone == undone_before_reopening.index(blocks.len()) {
                turn += 1;
                tiers = reopen(tiers, &folders, turn);
            }
            for tier in &tiers {
                prop_assert_eq!(tier.undo().expect("undo").root, before.root());
                before.assert_shown_by(&tier.view(), &strategy::addresses());
            }
        }
        for tier in &tiers {
            tier.verify().expect("verifies");
            prop_assert!(tier.undo().is_err());
        }
    }
}
