//! A block passes once over what it touches: each word is hashed and written once, and its journal is one value
//! behind all others.

use super::*;
use crate::leaf_store::{Action, LeafRead, Table};
use std::collections::BTreeSet;

/// Hashes of nodes above groups, of a field of `height` heights above them.
fn above(groups: &BTreeSet<u64>, height: u32) -> u64 {
    let at = |height| {
        groups
            .iter()
            .map(|group| group >> height)
            .collect::<BTreeSet<_>>()
    };
    (1..=height).map(|height| at(height).len() as u64).sum()
}

#[test]
fn no_number_of_spends_makes_a_block_pass_over_a_word_twice() {
    const LEN: u64 = 1 << 20;
    let mut bed = Bed::new(None);
    bed.step(&Step::Append(LEN));
    let mut last_entry = Vec::new();
    for (block, spends) in [1u64, 10, 1_000, 20_000, 3].into_iter().enumerate() {
        // In pairs of neighbours, each pair far from the one before.
        let at = |n: u64| (n / 2 * 104_729 + n % 2 + block as u64 * 50_021 * 2) % LEN;
        let set: BTreeSet<u64> = (0..spends).map(at).collect();
        let set: Vec<u64> = set
            .into_iter()
            .filter(|index| bed.fields.is_spent(FieldId::Utxo, *index) == Some(false))
            .rev()
            .collect();
        let words: BTreeSet<u64> = set.iter().map(|index| index / bits::WORD_BITS).collect();
        let groups: BTreeSet<u64> = words.iter().map(|word| word / bits::GROUP_WORDS).collect();
        let change = BitChange {
            set: set.clone(),
            ..BitChange::of(FieldId::Utxo)
        };
        let mut batch = Batch::default();
        let staged = bed
            .fields
            .stage(core::slice::from_ref(&change), &mut batch)
            .expect("stage");
        let work = staged.work();
        assert_eq!(
            (work.bits, work.words),
            (set.len() as u64, words.len() as u64)
        );
        // Three nodes in each group, those above, the field's commitment and digest, the root over all fields.
        let hashes = 3 * groups.len() as u64 + above(&groups, 10) + 3;
        assert_eq!(work.hashes, hashes, "{spends} spends");
        let puts = |op: &crate::leaf_store::Op| matches!(op.action, Action::Put(_));
        assert!(
            batch.len() == 2 && batch.ops().iter().all(puts),
            "the entry and the head"
        );
        let [entry, _] = batch.ops() else {
            unreachable!()
        };
        assert!(entry.key > last_entry, "an entry follows the one before");
        last_entry.clone_from(&entry.key);
        bed.model.apply(&[change]);
        bed.store.commit(batch).expect("commit");
        bed.fields.publish(staged);
        let last = bed
            .store
            .snapshot()
            .last_at_or_before(Table::Journal, &[u8::MAX; 9], b"j");
        assert_eq!(
            last.expect("read").map(|(key, _)| key),
            Some(last_entry.clone())
        );
    }
    bed.model.assert_shown_by(&bed.fields);
}
