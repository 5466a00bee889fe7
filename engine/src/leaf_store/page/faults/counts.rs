//! What the store says that it did with its file of pages is what the file saw.

use super::super::super::LeafStore as _;
use super::super::disk::SimDisk;
use super::open;
use super::script::{run, script};

#[test]
fn no_read_or_write_of_pages_goes_uncounted() {
    for seed in 400..404 {
        let store = open(&SimDisk::new()).unwrap();
        let before = store.core.file.counters();
        assert!(run(&store, &script(seed, 60)).failure.is_none());
        // Nothing goes on in the background after it.
        store.flush().unwrap();
        let after = store.core.file.counters();
        let written = after.written_bytes - before.written_bytes;
        assert_eq!(store.stats().page_bytes_written, written, "script {seed}");
        let read = after.read_bytes - before.read_bytes;
        assert_eq!(store.counters().block_read_bytes, read, "script {seed}");
        assert!(written > 0 && read > 0);
    }
}
