//! Random commits, scans, compactions and reopenings against a map.

use super::super::{Batch, LeafRead, LeafStore, MemoryStore, Table};
use super::{Memory, Model, Pages, Rocks, Subject, model_floor, model_scan, same_as_model, scan};
use proptest::prelude::*;

/// What a property test does to a store.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    /// Put, drop the range, put: what comes before a range goes with it, what comes behind stays.
    DeleteRange(Vec<u8>, Vec<u8>, Vec<u8>),
    Compact,
    Reopen,
    Scan(Vec<u8>, Option<Vec<u8>>),
    Floor(Vec<u8>, Vec<u8>),
}

/// Few enough distinct keys that deletes and floors meet something.
fn any_key() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        Just(0x00_u8),
        Just(0x0f),
        Just(0x10),
        Just(0x80),
        Just(0xff)
    ];
    let len = prop_oneof![Just(32_usize), Just(33), Just(64), Just(65)];
    (byte, len, 0..4_u8, 0..4_u8).prop_map(|(byte, len, middle, last)| {
        let mut key = vec![byte; len];
        key[31] = middle;
        key[len - 1] = last;
        key
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let value = proptest::option::weighted(0.7, proptest::collection::vec(any::<u8>(), 0..80));
    let changes = proptest::collection::vec((any_key(), value), 0..60);
    prop_oneof![
        8 => changes.prop_map(Step::Commit),
        4 => (any_key(), any_key(), any_key())
            .prop_map(|(from, to, key)| Step::DeleteRange(from, to, key)),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
        8 => (any_key(), proptest::option::of(any_key())).prop_map(|(from, to)| Step::Scan(from, to)),
        8 => (any_key(), any_key()).prop_map(|(key, floor)| Step::Floor(key, floor)),
    ]
}

fn run(subject: impl Subject, steps: Vec<Step>) {
    let table = Table::Storage;
    let mut subject = subject;
    let mut model = Model::new();
    for step in steps {
        match step {
            Step::Commit(changes) => {
                let mut batch = Batch::default();
                for (key, value) in changes {
                    if let Some(value) = value {
                        batch.put(table, key.clone(), value.clone());
                        model.insert(key, value);
                    } else {
                        batch.delete(table, key.clone());
                        model.remove(&key);
                    }
                }
                subject.store().commit(batch).unwrap();
            }
            Step::DeleteRange(from, to, key) => {
                let mut batch = Batch::default();
                batch.put(table, key.clone(), *b"before");
                if from < to {
                    batch.delete_range(table, from.clone(), to.clone());
                }
                batch.put(table, from.clone(), *b"behind");
                subject.store().commit(batch).unwrap();
                model.insert(key, b"before".to_vec());
                model.retain(|key, _| *key < from || *key >= to);
                model.insert(from, b"behind".to_vec());
            }
            Step::Compact => subject.store().compact().unwrap(),
            Step::Reopen => subject = subject.reopened(),
            Step::Scan(from, to) => assert_eq!(
                scan(&subject.store().snapshot(), table, &from, to.as_deref()),
                model_scan(&model, &from, to.as_deref())
            ),
            Step::Floor(key, floor) => {
                let read = subject.store().snapshot();
                let found = read.last_at_or_before(table, &key, &floor).unwrap();
                assert_eq!(found, model_floor(&model, &key, &floor));
                assert_eq!(read.get(table, &key).unwrap().as_ref(), model.get(&key));
            }
        }
    }
    same_as_model(&subject.store().snapshot(), table, &model);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn rocks_never_differs_from_a_map(steps in proptest::collection::vec(any_step(), 1..40)) {
        run(Rocks::new(), steps);
    }

    #[test]
    fn pages_never_differ_from_a_map(steps in proptest::collection::vec(any_step(), 1..40)) {
        run(Pages::new(), steps);
    }

    #[test]
    fn memory_never_differs_from_a_map(steps in proptest::collection::vec(any_step(), 1..40)) {
        run(Memory(MemoryStore::new()), steps);
    }
}
