//! Looks for every version of an object, wherever it may be, and compares them with what there must be.

use alloy_primitives::{Address, B256, U256};
use std::collections::BTreeMap;
use thinstate_engine::{
    Resurrection, ResurrectionError,
    utxo::{Spend, UtxoError},
};
use thinstate_formats::{
    RecordIndex, StateReader,
    counted::LocationProof,
    object::{MergeRule, NOTHING, Object, ObjectKey, Tier},
    temporary::location,
};
use thinstate_replay::design::{DesignSpec, LayeredDesign, StateDesign};

/// What was found, by kind of version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    pub(crate) live: u64,
    pub(crate) sealed: u64,
    pub(crate) frozen: u64,
    pub(crate) used: u64,
    pub(crate) lapsed: u64,
    pub(crate) records: u64,
    pub(crate) spent: u64,
    pub(crate) in_trie: u64,
    /// Objects whose version is not the one that it must be: each must be waiting for a seal.
    pub(crate) behind: u64,
}

/// Compares every object with its value. What is used up must not be usable again.
pub(crate) fn audit(
    design: &LayeredDesign,
    spec: &DesignSpec,
    values: &BTreeMap<(Address, ObjectKey), U256>,
) -> Audit {
    let mut audit = Audit::default();
    let records = unspent_records(design, &mut audit);
    let policy = spec.policy();
    for ((contract, key), value) in values {
        let slot = key.slot(U256::from(1));
        let in_trie = design.store().view().slot(*contract, slot).expect("read");
        let fits =
            value.is_zero() || matches!(Object::from_word(*key, B256::from(*value)), Ok(Some(_)));
        let tier = if fits {
            policy.tier(key.class())
        } else {
            Tier::Permanent
        };
        audit.in_trie += u64::from(!in_trie.is_zero());
        let expected_in_trie = if tier == Tier::Permanent {
            *value
        } else {
            U256::ZERO
        };
        assert_eq!(in_trie, expected_in_trie, "{key:?}");
        let cheap = *value - expected_in_trie;
        match policy.tier(key.class()) {
            Tier::Permanent => {}
            Tier::Utxo => {
                let held = records.get(&(*contract, *key)).copied();
                assert_eq!(held.map_or(U256::ZERO, |it| it.0), cheap, "{key:?}");
                assert!(held.is_none_or(|(_, count)| count <= 8), "{key:?}: dust");
            }
            Tier::Temporary => temporary(design, *contract, *key, cheap, &mut audit),
        }
    }
    assert!(audit.behind <= design.waiting() as u64, "{audit:?}");
    audit
}

/// Sum and number of the unspent records of each object.
fn unspent_records(
    design: &LayeredDesign,
    audit: &mut Audit,
) -> BTreeMap<(Address, ObjectKey), (U256, usize)> {
    let store = design.store();
    let head = design.head().expect("there are blocks");
    let mut sums: BTreeMap<_, (U256, usize)> = BTreeMap::new();
    for index in (0..store.next_record_index().0).map(RecordIndex) {
        let found =
            store.with_records(|archive| (archive.record(index), archive.path(index, head)));
        let (record, path) = found.expect("records are archived");
        let record = record.expect("it is there");
        let path = path.expect("there is a path");
        let object = Object::from_record(record.class, record.owner, &record.payload);
        let object = object.expect("it decodes");
        let spend = Spend {
            record: record.clone(),
            path: Some(path),
        };
        let can_spend = store.check_spend(&spend);
        match store.is_spent(index) {
            Some(false) => {
                can_spend.expect("what is unspent can be spent");
                let (sum, count) = sums.entry((record.contract, object.key())).or_default();
                *sum += U256::from_be_bytes(object.word().0);
                *count += 1;
                audit.records += 1;
            }
            _ => {
                let error = can_spend.expect_err("spent once");
                assert!(matches!(error, UtxoError::AlreadySpent { .. }), "{error}");
                audit.spent += 1;
            }
        }
    }
    sums
}

/// An object of the temporary tier has one version, and that is the value; one that lapses has at most
/// the live one.
fn temporary(
    design: &LayeredDesign,
    contract: Address,
    key: ObjectKey,
    value: U256,
    audit: &mut Audit,
) {
    let store = design.store();
    let at = location(contract, key.temporary_key());
    let mut versions = Vec::new();
    let live = store.temporary_at(at);
    if !live.is_zero() && live != NOTHING {
        versions.push(live);
        audit.live += 1;
    }
    let lapses = key.class().merge_rule() == MergeRule::Lapse;
    if lapses {
        let live = versions.first().copied().unwrap_or_default();
        audit.lapsed += u64::from(B256::from(value) != live);
        assert!(versions.is_empty() || live == B256::from(value), "{key:?}");
        return;
    }
    if let Some(frozen) = store.frozen_value(&at).filter(|it| *it != NOTHING) {
        versions.push(frozen);
        audit.frozen += 1;
    }
    let archive = store.period_archive().expect("periods are archived");
    for period in archive.periods() {
        let proof = archive.prove(period, &at).expect("read");
        let LocationProof::Included { leaf, index, proof } = proof else {
            continue;
        };
        if leaf.value == NOTHING {
            continue;
        }
        let can = store.check_resurrection(&Resurrection {
            period,
            leaf,
            proof,
        });
        match store.is_resurrected(period, index) {
            Some(false) => {
                assert_eq!(can, Ok(index));
                versions.push(leaf.value);
                audit.sealed += 1;
            }
            // A segment is whole a while before its period is in the table.
            None => assert!(
                matches!(can, Err(ResurrectionError::NotYetSealed { .. })),
                "{can:?}"
            ),
            Some(true) => {
                assert!(
                    matches!(can, Err(ResurrectionError::Spent { .. })),
                    "{can:?}"
                );
                audit.used += 1;
            }
        }
    }
    assert!(
        versions.len() <= 1,
        "{key:?} has {} versions",
        versions.len()
    );
    let version = versions.first().copied().unwrap_or_default();
    audit.behind += u64::from(version != B256::from(value));
}
