//! The same scripts on the operating system's disk, in every way that it can be read and written.

use super::super::super::LeafStore as _;
use super::super::{PageOptions, PageStore};
use super::dump;
use super::script::{run, script};
use tempfile::TempDir;

fn every_way(page_bytes: usize, seed: u64) {
    let steps = script(seed, 60);
    for (direct_io, io_uring) in [(false, false), (false, true), (true, false), (true, true)] {
        let options = PageOptions {
            page_bytes,
            cache_bytes: 16 << 10,
            pending_bytes: 6 << 10,
            direct_io,
            io_uring,
            ..PageOptions::default()
        };
        let context = format!("pages of {page_bytes}, direct {direct_io}, io_uring {io_uring}");
        let folder = TempDir::new().unwrap();
        let store = PageStore::open(folder.path(), options.clone()).unwrap();
        let reached = run(&store, &steps);
        assert!(
            reached.failure.is_none(),
            "{context}: {:?}",
            reached.failure
        );
        assert!(
            dump(&store.snapshot()).unwrap() == reached.acknowledged,
            "{context}"
        );
        drop(store);
        let store = PageStore::open(folder.path(), options).unwrap();
        assert!(
            dump(&store.snapshot()).unwrap() == reached.acknowledged,
            "{context}"
        );
    }
}

#[test]
fn pages_of_whole_blocks_are_the_same_in_every_way() {
    every_way(4096, 500);
    every_way(16_384, 501);
}

#[test]
fn pages_smaller_than_a_block_are_the_same_in_every_way() {
    every_way(512, 502);
}
