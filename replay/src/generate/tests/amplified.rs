//! Several blocks in one load.

use super::{before::Model, generator, population};
use crate::load::BlockLoad;
use std::collections::{BTreeMap, BTreeSet};
use thinstate_formats::object::ObjectClass;

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

/// What is done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Done {
    Created,
    Updated,
    Deleted,
    Read,
    Absent,
}

fn done(before: bool, after: bool, changed: bool) -> Done {
    match (before, after, changed) {
        (false, true, _) => Done::Created,
        (true, false, _) => Done::Deleted,
        (true, true, true) => Done::Updated,
        (true, true, false) => Done::Read,
        (false, false, _) => Done::Absent,
    }
}

/// Keys of a load by what is done to them: accounts, and slots.
fn counts(load: &BlockLoad) -> BTreeMap<(bool, Done), i64> {
    let mut counts = BTreeMap::new();
    for it in &load.accounts {
        let done = done(it.before.is_some(), it.after.is_some(), it.is_written());
        *counts.entry((true, done)).or_default() += 1;
    }
    for it in &load.slots {
        let done = done(!it.before.is_zero(), !it.after.is_zero(), it.is_written());
        *counts.entry((false, done)).or_default() += 1;
    }
    counts
}

fn classes(load: &BlockLoad) -> BTreeMap<ObjectClass, i64> {
    let mut counts = BTreeMap::new();
    for it in &load.slots {
        *counts.entry(it.class).or_default() += 1;
    }
    counts
}

fn keys(load: &BlockLoad) -> usize {
    load.accounts.len() + load.slots.len()
}

/// `m` groups have `m` times the keys that one has for itself, of each kind of access, and share the others: with every
/// further group a block grows by the same number of keys, and by no contract.
#[test]
fn no_clone_has_other_than_m_times_the_keys_of_a_group() {
    let population = population(ACCOUNTS);
    let one = generator(&population, 1).next_block();
    let of = |copies| {
        let mut generator = generator(&population, 1);
        let load = generator.next_cloned(copies);
        load.check().expect("no key is there twice");
        assert_eq!(generator.lacking, 0);
        load
    };
    let two = of(2);
    let (base, with_one_more) = (counts(&one), counts(&two));
    let own: BTreeMap<_, _> = with_one_more
        .iter()
        .map(|(key, count)| (*key, count - base.get(key).copied().unwrap_or_default()))
        .collect();
    for done in [Done::Created, Done::Updated, Done::Read, Done::Absent] {
        assert!(own[&(false, done)] > 0, "{own:?}");
    }
    assert!(
        own.values().sum::<i64>() * 10 > keys(&one) as i64,
        "{own:?}"
    );
    for copies in [3, MULTIPLE] {
        let load = of(copies);
        let expected: BTreeMap<_, _> = with_one_more
            .iter()
            .map(|(key, count)| (*key, count + own[key] * i64::from(copies - 2)))
            .collect();
        assert_eq!(counts(&load), expected, "{copies} copies");
        let contracts =
            |load: &BlockLoad| -> BTreeSet<_> { load.slots.iter().map(|it| it.address).collect() };
        assert_eq!(contracts(&load), contracts(&one), "{copies} copies");
        let shared: BTreeSet<_> = load.slots.iter().map(|it| it.key()).collect();
        assert!(one.slots.iter().all(|it| shared.contains(&it.key())));
        let touched: BTreeSet<_> = load.accounts.iter().map(|it| it.address).collect();
        assert!(one.accounts.iter().all(|it| touched.contains(&it.address)));
        // Where a contract has no more of a class, another stands in.
        let (of_one, of_two) = (classes(&one), classes(&two));
        for (class, count) in classes(&load) {
            let own = of_two[&class] - of_one[&class];
            let expected = of_one[&class] + own * i64::from(copies - 1);
            let off = (count - expected).abs();
            assert!(
                off * 50 <= expected.max(50),
                "{class:?}: {count} for {expected}"
            );
        }
    }
}

/// Also of later blocks, and what each finds is what is there.
#[test]
fn no_later_clone_lacks_keys_or_finds_other_values() {
    let population = population(40_000);
    let mut model = Model::filled(&population);
    let mut generator = generator(&population, 4);
    for _ in 0..12 {
        let load = generator.next_cloned(8);
        model.apply(&load);
    }
    model.apply(&generator.next_mixed(3, 4));
    assert_eq!(generator.lacking, 0);
}

/// A population has no more keys than it has. Those that a group does not find are counted, and are all that a block
/// lacks.
#[test]
fn no_key_is_missing_that_is_not_counted() {
    let population = population(3_000);
    let one = generator(&population, 1).next_block();
    let two = generator(&population, 1).next_cloned(2);
    let own = keys(&two) - keys(&one);
    let copies = 200;
    let mut generator = generator(&population, 1);
    let load = generator.next_cloned(copies);
    load.check().expect("no key is there twice");
    assert!(generator.lacking > 0, "12,000 slots are not enough");
    let expected = keys(&one) + own * (copies as usize - 1);
    assert_eq!(keys(&load) as u64 + generator.lacking, expected as u64);
    assert_eq!(load.keys_lacking, generator.lacking);
    let share = generator.lacking as f64 / expected as f64;
    assert!(share < 0.7, "{share}");
    let before = generator.lacking;
    let mixed = generator.next_mixed(2, copies);
    assert_eq!(mixed.keys_lacking, generator.lacking - before);
    assert!(mixed.keys_lacking > 0);
}
