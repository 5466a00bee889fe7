//! A chain of blocks that touch every tier, in which what a block does follows from its number and
//! from what the blocks before it did. So the commitment after a block is a function of its number,
//! however often blocks were undone, refused, or applied by another process.

use alloy_primitives::{Address, B256, U256, keccak256};
use std::path::Path;
use thinstate_engine::{
    BlockId, Options, Resurrection, Store, StoreOptions, StoreRules, TemporaryWrite,
    leaf_store::{LeafStore, MemoryStore},
    store::{ArchiveOptions, BlockChanges},
    utxo::Spend,
};
use thinstate_formats::{
    Account, BlockNumber, Commitment, HashKind, LeafIndex, PeriodId, RecordIndex, TemporaryRules,
    counted::LocationProof,
    policy::UtxoParameters,
    record::NewRecord,
    temporary::{LiveCommitment, Retention},
};

pub const PERIOD: u64 = 20;
pub const UNDO_BLOCKS: u64 = 15;
pub const RING: u64 = 8;
const CONTRACT: Address = Address::repeat_byte(0xcc);

/// Rules under which every tier turns over within a few blocks.
pub fn rules(commitment: LiveCommitment, retention: Retention) -> StoreRules {
    StoreRules {
        temporary: TemporaryRules {
            period_length: PERIOD,
            seal_delay_blocks: UNDO_BLOCKS + 1,
            commitment,
            retention,
            ..TemporaryRules::default()
        },
        utxo: UtxoParameters {
            ring_length: RING,
            hybrid_window: 2,
            hash: HashKind::Blake3,
        },
    }
}

pub fn options(rules: StoreRules, folder: &Path) -> StoreOptions {
    StoreOptions {
        permanent: Options {
            undo_blocks: UNDO_BLOCKS,
            threads: Some(1),
            ..Options::default()
        },
        rules,
        dir: Some(folder.to_owned()),
        archive: ArchiveOptions::ALL,
        seal_leaves_per_block: 5,
        checkpoint_commits: 6,
    }
}

/// The number of the block after the head.
pub fn next<S: LeafStore>(store: &Store<S>) -> BlockNumber {
    let head = store.head().block;
    BlockNumber(head.map_or(0, |head| head.number.0 + 1))
}

pub fn id(number: BlockNumber) -> BlockId {
    BlockId {
        number,
        hash: keccak256(number.0.to_be_bytes()),
    }
}

/// Applies the next block.
pub fn advance<S: LeafStore>(store: &Store<S>) -> Commitment {
    let number = next(store);
    let report = store.apply(id(number), &changes(store, number));
    report.expect("the block is applied").commitment
}

/// The commitments of so many blocks, by number.
pub fn commitments(rules: StoreRules, blocks: u64) -> Vec<Commitment> {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(MemoryStore::new(), options(rules, folder.path())).expect("a store");
    (0..blocks).map(|_| advance(&store)).collect()
}

/// What block `number`, the one after the head, does.
pub fn changes<S: LeafStore>(store: &Store<S>, number: BlockNumber) -> BlockChanges {
    let mut builder = store.next_block(number);
    let n = number.0;
    if n == 0 {
        let contract = Account {
            nonce: 1,
            ..Account::default()
        };
        builder.set_account(CONTRACT, contract);
        // Accounts that nobody touches again, for what becomes of those.
        for number in 1..=200u64 {
            let address = Address::left_padding_from(&number.to_be_bytes());
            let account = Account {
                nonce: number,
                ..Account::default()
            };
            builder.set_account(address, account);
        }
    }
    for slot in 0..1 + n % 5 {
        builder.set_slot(
            CONTRACT,
            U256::from(n * 3 % 40 + slot),
            U256::from(n % 3 * (n + 1)),
        );
    }
    let resurrections = resurrections(store, n);
    let mut changes = builder.finish();
    changes.temporary = (0..1 + n % 7).map(|nth| write(n, nth)).collect();
    changes.spends = spends(store, number);
    changes.records = (0..n % 4).map(|nth| record(n, nth)).collect();
    changes.resurrections = resurrections;
    changes
}

/// About a tenth of the writes delete.
fn write(n: u64, nth: u64) -> TemporaryWrite {
    let key = (n * 5 + nth * 11) % 60;
    TemporaryWrite {
        location: keccak256(key.to_be_bytes()),
        value: B256::from(U256::from((n * 7 + nth) % 10 * (n + 1))),
    }
}

pub fn record(n: u64, nth: u64) -> NewRecord {
    NewRecord {
        class: 1,
        contract: CONTRACT,
        owner: Address::left_padding_from(&[(n % 5) as u8 + 1]),
        payload: vec![nth as u8 + 1; 1 + (n % 6) as usize].into(),
    }
}

/// Each block spends records of one block, young ones without a path, older ones by the ring, and
/// others by their batch.
fn spends<S: LeafStore>(store: &Store<S>, number: BlockNumber) -> Vec<Spend> {
    let age = [2, 5, 11][number.0 as usize % 3];
    let Some(head) = number.prev().filter(|head| head.0 >= age) else {
        return Vec::new();
    };
    let made_in = number.0 - age;
    let first: u64 = (0..made_in).map(|n| n % 4).sum();
    let indexes = (first..first + made_in % 4).map(RecordIndex);
    let unspent = indexes.filter(|index| store.is_spent(*index) == Some(false));
    let spend = |index| {
        let recent = store.recent_record(index).expect("the window is read");
        if let Some(record) = recent {
            return Spend { record, path: None };
        }
        let archived = store.with_records(|archive| {
            let record = archive.record(index).expect("the record is archived");
            let path = archive.path(index, head).expect("its path is served");
            Spend {
                record,
                path: Some(path),
            }
        });
        archived.expect("records are archived")
    };
    unspent.map(spend).collect()
}

/// Every fourth block uses a leaf of a sealed period, if it is unused.
fn resurrections<S: LeafStore>(store: &Store<S>, n: u64) -> Vec<Resurrection> {
    let sealed: Vec<_> = store
        .periods()
        .into_iter()
        .filter(|(_, root)| root.count > 0)
        .collect();
    if sealed.is_empty() || !n.is_multiple_of(4) {
        return Vec::new();
    }
    let (period, root) = sealed[n as usize / 4 % sealed.len()];
    let index = LeafIndex(n * 13 % root.count);
    if store.is_resurrected(period, index) != Some(false) {
        return Vec::new();
    }
    vec![resurrection(store, period, index)]
}

pub fn resurrection<S: LeafStore>(
    store: &Store<S>,
    period: PeriodId,
    index: LeafIndex,
) -> Resurrection {
    let archive = store.period_archive().expect("periods are archived");
    let leaf = archive
        .leaf_at(period, index)
        .expect("the leaf is archived");
    match archive.prove(period, &leaf.location).expect("it is proven") {
        LocationProof::Included { leaf, proof, .. } => Resurrection {
            period,
            leaf,
            proof,
        },
        LocationProof::Excluded(_) => panic!("leaf {index} of period {period} is there"),
    }
}
