//! Damaged files end in a typed error or in exactly what was committed; never in a panic, never in
//! other bytes.

use super::{Bed, all, key, small};
use crate::leaf_store::{Batch, Entry, LeafStore, PageStore, StoreError, Table};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn commit(store: &PageStore, block: u64) {
    let mut batch = Batch::default();
    for index in 0..30 {
        batch.put(Table::Accounts, key(block * 30 + index), key(block));
    }
    batch.put(Table::Undo, block.to_be_bytes(), vec![block as u8; 1_500]);
    store.commit(batch).unwrap();
}

/// A folder with pages and a log, and what it holds.
fn folder() -> (TempDir, Vec<Vec<Entry>>) {
    let bed = Bed::new(small());
    let mut states = vec![Vec::new()];
    for block in 0..6 {
        commit(&bed.store, block);
        if block == 1 || block == 3 {
            bed.store.flush().unwrap();
        }
        states.push(contents(&bed.store));
    }
    let Bed { store, folder, .. } = bed;
    drop(store);
    (folder, states)
}

fn contents(store: &PageStore) -> Vec<Entry> {
    let read = store.snapshot();
    [all(&read, Table::Accounts), all(&read, Table::Undo)].concat()
}

fn copy(from: &Path) -> TempDir {
    let to = TempDir::new().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

fn files(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| {
            file.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(prefix)
        })
        .collect();
    files.sort();
    files
}

/// Reads everything, or says what is wrong.
fn read_all(folder: &Path) -> Result<Vec<Entry>, StoreError> {
    let store = PageStore::open(folder, small())?;
    let read = store.snapshot();
    let mut entries = Vec::new();
    for table in [Table::Accounts, Table::Undo] {
        crate::leaf_store::LeafRead::scan(&read, table, &[], None, &mut |key, value| {
            entries.push((key.to_vec(), value.to_vec()));
            core::ops::ControlFlow::Continue(())
        })?;
    }
    Ok(entries)
}

#[test]
fn flipped_bits_are_never_served() {
    let (folder, states) = folder();
    let last = states.last().unwrap();
    assert_eq!(&read_all(folder.path()).unwrap(), last);
    let mut errors = 0;
    for name in ["pages", "log-"] {
        for file in files(folder.path(), name) {
            let file = file.file_name().unwrap();
            let len = fs::metadata(folder.path().join(file)).unwrap().len() as usize;
            for at in (0..len).step_by(len / 150 + 1) {
                let damaged = copy(folder.path());
                let path = damaged.path().join(file);
                let mut bytes = fs::read(&path).unwrap();
                bytes[at] ^= 1 << (at % 8);
                fs::write(&path, bytes).unwrap();
                match read_all(damaged.path()) {
                    // A log whose last record is damaged looks like one that a power cut ended.
                    Ok(found) => assert!(
                        &found == last || (name == "log-" && states.contains(&found)),
                        "{file:?} byte {at}"
                    ),
                    Err(StoreError::Corrupt { .. }) => errors += 1,
                    Err(error) => panic!("{file:?} byte {at}: {error}"),
                }
            }
        }
    }
    assert!(errors > 50, "{errors} errors");
}

#[test]
fn a_torn_log_never_shows_half_a_batch() {
    let (folder, states) = folder();
    let log = files(folder.path(), "log-").pop().unwrap();
    let name = log.file_name().unwrap();
    let len = fs::metadata(&log).unwrap().len();
    for cut in (32..=len).step_by(61).chain([len]) {
        let torn = copy(folder.path());
        let file = fs::File::options()
            .write(true)
            .open(torn.path().join(name))
            .unwrap();
        file.set_len(cut).unwrap();
        let found = read_all(torn.path()).unwrap();
        assert!(states[4..].contains(&found), "cut at {cut}");
        // The log goes on behind what is whole.
        let store = PageStore::open(torn.path(), small()).unwrap();
        commit(&store, 9);
        let after = contents(&store);
        drop(store);
        assert_eq!(read_all(torn.path()).unwrap(), after, "cut at {cut}");
    }
}

#[test]
fn a_missing_or_foreign_file_never_opens_as_an_empty_store() {
    let (folder, _) = folder();
    let refuses = |change: &dyn Fn(&Path)| {
        let changed = copy(folder.path());
        change(changed.path());
        let opened = read_all(changed.path());
        assert!(
            matches!(opened, Err(StoreError::Corrupt { .. })),
            "{opened:?}"
        );
    };
    refuses(&|path| fs::remove_file(path.join("pages")).unwrap());
    refuses(&|path| fs::write(path.join("pages"), [0; 8192]).unwrap());
    refuses(&|path| fs::write(path.join("pages"), "some text").unwrap());
    refuses(&|path| {
        files(path, "log-")
            .iter()
            .for_each(|log| fs::remove_file(log).unwrap())
    });
    refuses(&|path| {
        let pages = fs::File::options().write(true).open(path.join("pages"));
        pages.unwrap().set_len(9_000).unwrap();
    });
}
