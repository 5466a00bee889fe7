//! Either leaf store on a disk, with so little memory that its work in the background goes on while a test runs.

use std::{env, path::Path};
use thinstate_engine::leaf_store::{
    DiskStore, PageOptions, PageStore, RocksOptions, RocksStore, StoreKind,
};

/// Where a child finds which store it has.
pub const KIND: &str = "THINSTATE_TEST_STORE";

/// Opens a store that keeps about this many bytes of changes in memory before it writes them into its files.
pub fn open(kind: StoreKind, folder: &Path, buffer_bytes: usize) -> DiskStore {
    let cache_bytes = 4 << 20;
    match kind {
        StoreKind::RocksDb => {
            let options = RocksOptions {
                cache_bytes,
                write_buffer_bytes: buffer_bytes,
                ..RocksOptions::default()
            };
            let store = RocksStore::open(folder, options).expect("open the store");
            DiskStore::RocksDb(Box::new(store))
        }
        StoreKind::Page => {
            let options = PageOptions {
                cache_bytes,
                pending_bytes: buffer_bytes,
                ..PageOptions::default()
            };
            let store = PageStore::open(folder, options).expect("open the store");
            DiskStore::Page(Box::new(store))
        }
    }
}

/// The store of this process, which is a child.
pub fn of_child() -> StoreKind {
    let kind = env::var(KIND).expect("the parent says which store");
    kind.parse().expect("the name of a store")
}
