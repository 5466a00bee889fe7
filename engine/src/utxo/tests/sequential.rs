//! What a block writes to the leaf store is the same few values, however many records it makes and spends; the
//! records themselves go to whoever archives them.

use super::*;

/// Head, place in the ring, undo entry, a batch; of the spent bits the head, the length, the journal's entry, and in one
/// range those that the last sync of the files made needless, whenever that ends.
const ENTRIES_MAX: u64 = 8;
/// Head, place in the ring and undo entry with their keys, the one that goes; of the spent bits the head, the length
/// and the journal's entry; the range and the batch.
const BLOCK_BYTES_MAX: u64 = 500;
/// A spend is an index in the journal and one in the undo entry, each by its distance to the one before.
const SPEND_BYTES_MAX: u64 = 2 * 3;

#[test]
fn no_number_of_records_or_spends_makes_a_block_more_than_its_few_values() {
    let mut bed = Bed::new(PLAIN);
    bed.append(300, &[]);
    for (records, spends) in [(1, 1), (3, 2), (500, 100), (0, 150), (1, 0)] {
        let spent = bed.model.spent();
        let free = (0..bed.model.next()).filter(|index| !spent.contains(index));
        let spends: Vec<_> = free.take(spends).map(|at| bed.model.spend(at)).collect();
        let before = bed.store.counters();
        bed.append(records, &spends);
        let did = bed.store.counters().since(&before);
        assert!(did.entries_written <= ENTRIES_MAX, "{did:?}");
        let bytes_max = BLOCK_BYTES_MAX + SPEND_BYTES_MAX * spends.len() as u64;
        assert!(did.logical_written_bytes <= bytes_max, "{did:?}");
    }
}
