//! Random blocks: after each, root and contents are those of a model hashed by alloy-trie; after
//! undoing each, those before it, whether or not the store was reopened in between.

mod support;

use proptest::prelude::*;
use support::{Model, apply, strategy};
use thinstate_engine::{Options, PermanentTier, leaf_store::MemoryStore};

fn open(store: MemoryStore, bucket_entries_max: usize) -> PermanentTier<MemoryStore> {
    let options = Options {
        bucket_entries_max,
        threads: Some(2),
        // Every other size of buckets with held hashes.
        leaf_hash_bytes_max: (bucket_entries_max % 2) << 16,
        ..Options::default()
    };
    PermanentTier::open(store, options).expect("open")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn blocks_and_undone_blocks_never_lead_astray(
        blocks in strategy::blocks(),
        entries_max in 2usize..20,
        reopen_at in any::<prop::sample::Index>(),
    ) {
        let mut tier = open(MemoryStore::new(), entries_max);
        let mut model = Model::default();
        let mut history = vec![model.clone()];
        let reopen_at = reopen_at.index(blocks.len());
        for (number, changes) in (0u64..).zip(&blocks) {
            apply(&tier, &mut model, number, changes);
            model.assert_shown_by(&tier.view(), &strategy::addresses());
            history.push(model.clone());
            if number as usize == reopen_at {
                tier = open(tier.into_store().reopen(), entries_max);
                model.assert_shown_by(&tier.view(), &[]);
            }
        }
        tier.verify().expect("verifies");
        history.pop();
        for before in history.iter().rev() {
            let head = tier.undo().expect("undo");
            prop_assert_eq!(head.root, before.root());
            before.assert_shown_by(&tier.view(), &strategy::addresses());
        }
        tier.verify().expect("verifies");
        prop_assert!(tier.undo().is_err());
    }
}
