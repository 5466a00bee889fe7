//! Proofs of present and absent keys verify against the root, and no altered one does.

mod support;

use alloy_primitives::U256;
use proptest::prelude::*;
use support::{Model, apply, strategy};
use thinstate_engine::{Options, PermanentTier, leaf_store::MemoryStore};
use thinstate_formats::proof::{verify_account, verify_slot};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_proof_fails_and_no_altered_proof_passes(
        blocks in strategy::blocks(),
        entries_max in 2usize..20,
        bit in any::<prop::sample::Index>(),
    ) {
        let options = Options { bucket_entries_max: entries_max, threads: Some(1), ..Options::default() };
        let tier = PermanentTier::open(MemoryStore::new(), options).expect("open");
        let mut model = Model::default();
        for (number, changes) in (0u64..).zip(&blocks) {
            apply(&tier, &mut model, number, changes);
        }
        let root = model.root();
        let view = tier.view();
        let slots: Vec<U256> = (0..40).map(U256::from).chain([U256::from(u64::MAX)]).collect();
        for address in strategy::addresses() {
            let proof = view.prove(address, &slots).expect("proof");
            prop_assert_eq!(proof.verify(root), Ok(()));
            let alone = view.prove_account(address).expect("proof");
            prop_assert_eq!(verify_account(root, &alone), Ok(()));
            let apart = view.prove_slots(address, &slots).expect("proofs");
            prop_assert_eq!(&apart, &proof.storage_proof);
            for slot in &apart {
                prop_assert_eq!(verify_slot(alone.storage_hash, slot), Ok(()));
            }
            let storage = model.accounts.get(&address).map(|(_, storage)| storage);
            for slot in &proof.storage_proof {
                let value = storage.and_then(|s| s.get(&slot.key)).copied().unwrap_or_default();
                prop_assert_eq!(slot.value, value);
            }
            for index in 0..proof.account_proof.len() {
                let mut forged = proof.clone();
                let mut node = forged.account_proof[index].to_vec();
                let bit = bit.index(node.len() * 8);
                node[bit / 8] ^= 1 << (bit % 8);
                forged.account_proof[index] = node.into();
                prop_assert!(forged.verify(root).is_err());
            }
            let mut richer = proof.clone();
            richer.balance += U256::from(1);
            prop_assert!(richer.verify(root).is_err());
            let mut other = proof;
            other.storage_proof[0].value += U256::from(1);
            prop_assert!(other.verify(root).is_err());
        }
    }
}
