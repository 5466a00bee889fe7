//! What the store says that it read is what the file of pages saw.

use super::super::super::LeafStore as _;
use super::super::disk::SimDisk;
use super::open;
use super::script::{run, script};

#[test]
fn no_read_of_pages_goes_uncounted() {
    for seed in 400..404 {
        let store = open(&SimDisk::new()).unwrap();
        let before = store.core.file.counters();
        assert!(run(&store, &script(seed, 60)).failure.is_none());
        // Nothing goes on in the background after it.
        store.flush().unwrap();
        let read = store.core.file.counters().read_bytes - before.read_bytes;
        assert_eq!(store.counters().block_read_bytes, read, "script {seed}");
        assert!(read > 0);
    }
}
