//! Several blocks in one load.

use super::{generator, population};
use crate::load::BlockLoad;
use std::collections::BTreeSet;

const ACCOUNTS: u64 = 200_000;
const MULTIPLE: u32 = 20;

fn written(load: &BlockLoad) -> usize {
    load.slots_written().count()
}

/// The same seed, block by block and merged: the merged block is the net of them.
#[test]
fn no_merged_block_differs_from_its_blocks() {
    let population = population(ACCOUNTS);
    let blocks: Vec<_> = generator(&population, 1).take(MULTIPLE as usize).collect();
    let merged = generator(&population, 1).next_merged(MULTIPLE);
    let keys: BTreeSet<_> = blocks
        .iter()
        .flat_map(|it| it.slots.iter().map(|it| it.key()))
        .collect();
    assert_eq!(keys.len(), merged.slots.len());
    for slot in &merged.slots {
        let mut of_blocks = blocks
            .iter()
            .flat_map(|it| it.slots.iter().filter(|it| it.key() == slot.key()));
        let first = of_blocks.next().expect("it is of a block");
        let last = of_blocks.last().unwrap_or(first);
        assert_eq!((slot.before, slot.after), (first.before, last.after));
    }
    assert_eq!(
        merged.gas_used,
        blocks.iter().map(|it| it.gas_used).sum::<u64>()
    );
    assert_eq!(
        merged.tx_count,
        blocks.iter().map(|it| it.tx_count).sum::<u64>()
    );
    assert_eq!(merged.blocks, MULTIPLE);
}

/// Clones share hubs and nothing else: more users touch more keys than the same users would, and fewer than
/// if nothing were shared.
#[test]
fn no_clone_shares_more_than_the_hot_keys() {
    let population = population(ACCOUNTS);
    let one = generator(&population, 1).next_block();
    let cloned = generator(&population, 1).next_cloned(MULTIPLE);
    let multiple = MULTIPLE as usize;
    assert_eq!(cloned.gas_used, one.gas_used * u64::from(MULTIPLE));
    assert_eq!(cloned.tx_count, one.tx_count * u64::from(MULTIPLE));
    let created = |load: &BlockLoad| {
        load.slots
            .iter()
            .filter(|it| it.before.is_zero() && it.is_written())
            .count()
    };
    assert!(
        written(&cloned) > written(&one) * multiple / 4,
        "{}",
        written(&cloned)
    );
    assert!(
        written(&cloned) < written(&one) * multiple * 9 / 10,
        "{}",
        written(&cloned)
    );
    let share = created(&cloned) as f64 / (created(&one) * multiple) as f64;
    assert!(share > 0.9, "{share}: each group creates its own");
    let contracts = |load: &BlockLoad| {
        load.slots
            .iter()
            .map(|it| it.address)
            .collect::<BTreeSet<_>>()
    };
    let (few, many) = (contracts(&one).len(), contracts(&cloned).len());
    assert!(
        many < few * multiple / 4,
        "{few} and {many}: hubs are shared"
    );
}
