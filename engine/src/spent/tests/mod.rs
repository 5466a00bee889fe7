//! A model of the fields in plain vectors, and what is done to both.

mod crashes;
mod files;
mod passes;
mod random;

use super::*;
use crate::leaf_store::{Batch, LeafStore, MemoryStore};
use alloy_primitives::B256;
use proptest::prelude::*;
use std::{collections::BTreeMap, path::Path};
use thinstate_formats::{
    HashKind, NodeHasher, PeriodId,
    bits::{self, Word},
};

/// All fields, bit by bit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    fields: BTreeMap<FieldId, Vec<bool>>,
}

impl Model {
    fn words(field: &[bool]) -> Vec<Word> {
        let mut words = vec![[0; 32]; bits::word_count(field.len() as u64) as usize];
        for (index, _) in field.iter().enumerate().filter(|(_, set)| **set) {
            let (at, byte, mask) = bits::place(index as u64);
            words[at as usize][byte] |= mask;
        }
        words
    }

    /// The root, from nothing but the bits.
    fn root(&self) -> B256 {
        let hasher = NodeHasher::new(HashKind::Blake3);
        let digest = |(field, set): (&FieldId, &Vec<bool>)| {
            let root = bits::root(&hasher, &Self::words(set));
            let commitment = bits::commitment(&hasher, set.len() as u64, root);
            bits::field_digest(&hasher, *field, commitment)
        };
        let digests: Vec<_> = self.fields.iter().map(digest).collect();
        bits::fields_root(&hasher, &digests)
    }

    /// Applies changes; what undoes them.
    fn apply(&mut self, changes: &[BitChange]) -> Vec<BitChange> {
        let apply = |change: &BitChange| self.apply_one(change);
        changes.iter().map(apply).collect()
    }

    fn apply_one(&mut self, change: &BitChange) -> BitChange {
        let mut inverse = BitChange::of(change.field);
        if change.remove {
            self.fields.remove(&change.field);
            return inverse;
        }
        inverse.set.clone_from(&change.clear);
        inverse.clear.clone_from(&change.set);
        inverse.remove = !self.fields.contains_key(&change.field);
        let field = self.fields.entry(change.field).or_default();
        inverse.len = change.len.map(|_| field.len() as u64);
        let len = change.len.map_or(field.len(), |len| len as usize);
        field.resize(len.max(field.len()), false);
        change.set.iter().for_each(|at| field[*at as usize] = true);
        change
            .clear
            .iter()
            .for_each(|at| field[*at as usize] = false);
        field.truncate(len);
        inverse
    }

    fn assert_shown_by(&self, fields: &SpentFields) {
        assert_eq!(fields.root(), self.root());
        let shown: Vec<_> = fields.sizes().iter().map(|size| size.field).collect();
        assert_eq!(shown, self.fields.keys().copied().collect::<Vec<_>>());
        for (field, set) in &self.fields {
            assert_eq!(fields.len(*field), Some(set.len() as u64));
            for (index, set) in set.iter().enumerate() {
                assert_eq!(
                    fields.is_spent(*field, index as u64),
                    Some(*set),
                    "{field} {index}"
                );
            }
            assert_eq!(fields.is_spent(*field, set.len() as u64), None);
            let ones = set.iter().filter(|set| **set).count() as u64;
            assert_eq!(fields.ones(*field), Some(ones));
        }
    }
}

/// What a test does next.
#[derive(Clone, Debug)]
enum Step {
    /// Records are appended.
    Append(u64),
    /// A period is sealed.
    Seal(u64),
    /// Objects are spent, chosen by these numbers.
    Spend(Vec<u64>),
    /// The last commit is undone.
    Undo,
    /// All files are synced.
    Sync,
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1u64..50_000).prop_map(Step::Append),
        2 => (0u64..40_000).prop_map(Step::Seal),
        6 => prop::collection::vec(any::<u64>(), 1..30).prop_map(Step::Spend),
        4 => Just(Step::Undo),
        2 => Just(Step::Sync),
    ];
    prop::collection::vec(step, 1..most)
}

/// Fields over a store, and the model of them.
struct Bed {
    store: MemoryStore,
    fields: SpentFields,
    model: Model,
    undo: Vec<Vec<BitChange>>,
}

fn options(dir: Option<&Path>) -> SpentOptions {
    SpentOptions {
        dir: dir.map(Path::to_owned),
        checkpoint_commits: 5,
        ..SpentOptions::default()
    }
}

fn open(store: &MemoryStore, dir: Option<&Path>) -> Result<SpentFields, SpentError> {
    SpentFields::open(&store.snapshot(), options(dir))
}

impl Bed {
    fn new(dir: Option<&Path>) -> Self {
        let store = MemoryStore::new();
        Self {
            fields: open(&store, dir).expect("a new store"),
            store,
            model: Model::default(),
            undo: Vec::new(),
        }
    }

    /// The changes of a step; `None` if there is nothing to undo.
    fn changes(&mut self, step: &Step) -> Option<Vec<BitChange>> {
        let fields = &self.model.fields;
        match step {
            Step::Append(count) => {
                let len = fields.get(&FieldId::Utxo).map_or(0, Vec::len) as u64;
                let mut change = BitChange::of(FieldId::Utxo);
                change.len = Some(len + count);
                Some(vec![change])
            }
            Step::Seal(leaves) => {
                let next = fields
                    .keys()
                    .filter(|field| **field != FieldId::Utxo)
                    .count();
                let mut change = BitChange::of(FieldId::Period(PeriodId(next as u64)));
                change.len = Some(*leaves);
                Some(vec![change])
            }
            Step::Spend(seeds) => Some(self.spend(seeds)),
            Step::Undo => self.undo.pop(),
            Step::Sync => Some(Vec::new()),
        }
    }

    fn spend(&self, seeds: &[u64]) -> Vec<BitChange> {
        let mut changes: BTreeMap<FieldId, BitChange> = BTreeMap::new();
        let fields: Vec<_> = self
            .model
            .fields
            .iter()
            .filter(|(_, f)| !f.is_empty())
            .collect();
        for seed in seeds.iter().filter(|_| !fields.is_empty()) {
            let (field, set) = fields[(seed % fields.len() as u64) as usize];
            let index = (seed >> 8) % set.len() as u64;
            let change = changes
                .entry(*field)
                .or_insert_with(|| BitChange::of(*field));
            if !set[index as usize] && !change.set.contains(&index) {
                change.set.push(index);
            }
        }
        changes.into_values().collect()
    }

    /// Stages, commits and publishes a step.
    fn step(&mut self, step: &Step) {
        let Some(changes) = self.changes(step) else {
            return;
        };
        if matches!(step, Step::Sync) {
            self.fields.sync().expect("sync");
        }
        let mut batch = Batch::default();
        let staged = self.fields.stage(&changes, &mut batch).expect("stage");
        let inverse = self.model.apply(&changes);
        assert_eq!(staged.root(), self.model.root());
        self.store.commit(batch).expect("commit");
        self.fields.publish(staged);
        if !matches!(step, Step::Undo | Step::Sync) {
            self.undo.push(inverse);
        }
    }
}
