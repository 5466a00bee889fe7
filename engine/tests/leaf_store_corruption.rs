//! Damaged files end in a typed error, or in exactly what was committed; never in a panic, never
//! in other bytes.

#![expect(clippy::unwrap_used, reason = "a failed test should stop")]

use core::ops::ControlFlow;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use thinstate_engine::leaf_store::{
    Batch, LeafRead, LeafStore, RocksOptions, RocksStore, StoreError, Table,
};

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

fn options() -> RocksOptions {
    RocksOptions {
        cache_bytes: 1 << 20,
        write_buffer_bytes: 1 << 20,
        sync: false,
        ..RocksOptions::default()
    }
}

fn key(index: u32) -> Vec<u8> {
    index.wrapping_mul(0x9e37_79b9).to_be_bytes().repeat(8)
}

fn commit(store: &RocksStore, block: u32) {
    let mut batch = Batch::default();
    for index in 0..200 {
        let value = format!("block {block} entry {index}");
        batch.put(Table::Accounts, key(block * 200 + index), value);
    }
    store.commit(batch).unwrap();
}

fn all(store: &RocksStore) -> Result<Entries, StoreError> {
    let mut entries = Entries::new();
    store
        .snapshot()
        .scan(Table::Accounts, &[], None, &mut |key, value| {
            entries.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })?;
    Ok(entries)
}

fn open_and_read(path: &Path) -> Result<Entries, StoreError> {
    all(&RocksStore::open(path, options())?)
}

/// The same with filters and indexes where the cache may drop them.
fn open_partitioned_and_read(path: &Path) -> Result<Entries, StoreError> {
    let options = RocksOptions {
        filters_in_memory: false,
        ..options()
    };
    all(&RocksStore::open(path, options)?)
}

/// The largest file of the store whose name has this beginning and end.
fn file(path: &Path, prefix: &str, suffix: &str) -> PathBuf {
    let matches = |name: &str| name.starts_with(prefix) && name.ends_with(suffix);
    fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| matches(file.file_name().unwrap().to_str().unwrap()))
        .max_by_key(|file| fs::metadata(file).unwrap().len())
        .unwrap()
}

fn copy(from: &Path) -> TempDir {
    let to = TempDir::new().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
        }
    }
    to
}

/// A store with one table file and an empty log, and what it holds.
fn settled(options: RocksOptions) -> (TempDir, Entries) {
    let folder = TempDir::new().unwrap();
    let store = RocksStore::open(folder.path(), options).unwrap();
    (0..20).for_each(|block| commit(&store, block));
    store.compact().unwrap();
    let entries = all(&store).unwrap();
    drop(store);
    (folder, entries)
}

#[test]
fn a_flipped_byte_in_a_table_file_never_reads_as_data() {
    flip_bytes(settled(options()), open_and_read);
}

#[test]
fn a_flipped_byte_in_a_partitioned_table_file_never_reads_as_data() {
    let options = RocksOptions {
        filters_in_memory: false,
        ..options()
    };
    flip_bytes(settled(options), open_partitioned_and_read);
}

fn flip_bytes(
    (settled, entries): (TempDir, Entries),
    open_and_read: fn(&Path) -> Result<Entries, StoreError>,
) {
    let name = file(settled.path(), "", ".sst");
    let bytes = fs::read(&name).unwrap();
    let (mut caught, mut harmless) = (0, 0);
    for at in (0..bytes.len()).step_by(bytes.len() / 150) {
        let damaged = copy(settled.path());
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x40;
        fs::write(damaged.path().join(name.file_name().unwrap()), bytes).unwrap();
        match open_and_read(damaged.path()) {
            Err(StoreError::Corrupt { .. }) => caught += 1,
            // Filters and statistics are not read by a scan.
            Ok(read) if read == entries => harmless += 1,
            other => panic!("byte {at}: {:?}", other.map(|entries| entries.len())),
        }
    }
    assert!(caught > 100, "{caught} caught, {harmless} harmless");
}

#[test]
fn a_damaged_list_of_files_is_corruption() {
    let (settled, _) = settled(options());
    let manifest = |path: &Path| file(path, "MANIFEST-", "");
    let table = |path: &Path| file(path, "", ".sst");
    let flip_middle = |name: PathBuf| {
        let mut bytes = fs::read(&name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x01;
        fs::write(name, bytes).unwrap();
    };
    type Damage<'a> = (&'a str, &'a dyn Fn(&Path));
    let damages: [Damage<'_>; 7] = [
        ("CURRENT emptied", &|path| {
            fs::write(path.join("CURRENT"), "").unwrap()
        }),
        ("CURRENT names nothing", &|path| {
            fs::write(path.join("CURRENT"), "MANIFEST-999999\n").unwrap();
        }),
        ("CURRENT gone", &|path| {
            fs::remove_file(path.join("CURRENT")).unwrap()
        }),
        ("MANIFEST flipped", &|path| flip_middle(manifest(path))),
        ("MANIFEST gone", &|path| {
            fs::remove_file(manifest(path)).unwrap()
        }),
        ("table file gone", &|path| {
            fs::remove_file(table(path)).unwrap()
        }),
        ("table file cut", &|path| {
            let bytes = fs::read(table(path)).unwrap();
            fs::write(table(path), &bytes[..bytes.len() / 2]).unwrap();
        }),
    ];
    for (name, damage) in damages {
        let damaged = copy(settled.path());
        damage(damaged.path());
        match open_and_read(damaged.path()) {
            Err(StoreError::Corrupt { path, .. }) => assert_eq!(path, damaged.path(), "{name}"),
            other => panic!("{name}: {:?}", other.map(|entries| entries.len())),
        }
    }
}

/// A store whose three blocks are in the log alone.
fn logged() -> TempDir {
    let folder = TempDir::new().unwrap();
    let store = RocksStore::open(folder.path(), options()).unwrap();
    (0..3).for_each(|block| commit(&store, block));
    let crashed = copy(folder.path());
    drop(store);
    crashed
}

#[test]
fn a_torn_last_record_drops_that_block_and_no_other() {
    let crashed = logged();
    let log = file(crashed.path(), "", ".log");
    let bytes = fs::read(&log).unwrap();
    for (cut, blocks) in [(0, 3), (1, 2), (1_000, 2), (bytes.len() / 3 + 1_000, 1)] {
        let torn = copy(crashed.path());
        let name = torn.path().join(log.file_name().unwrap());
        fs::write(name, &bytes[..bytes.len() - cut]).unwrap();
        let entries = open_and_read(torn.path()).unwrap();
        assert_eq!(entries.len(), blocks * 200, "{cut} bytes cut");
    }
}

#[test]
fn a_damaged_record_before_intact_ones_is_not_skipped() {
    let crashed = logged();
    let log = file(crashed.path(), "", ".log");
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x01;
    fs::write(&log, bytes).unwrap();
    assert!(matches!(
        open_and_read(crashed.path()),
        Err(StoreError::Corrupt { .. })
    ));
}
