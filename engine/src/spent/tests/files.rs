use super::*;
use std::fs;

/// A field of 100,000 records, synced, with some of them spent since, and a period since.
fn damaged(damage: impl FnOnce(&Path)) -> (Bed, Result<SpentFields, SpentError>) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut bed = Bed::new(Some(dir.path()));
    bed.step(&Step::Append(100_000));
    bed.step(&Step::Spend(vec![9 << 8, 70_000 << 8]));
    bed.step(&Step::Sync);
    bed.step(&Step::Spend(vec![11 << 8]));
    bed.step(&Step::Seal(50));
    bed.fields = SpentFields::open(&MemoryStore::new().snapshot(), options(None)).expect("empty");
    damage(dir.path());
    let opened = open(&bed.store, Some(dir.path()));
    (bed, opened)
}

fn utxo(dir: &Path) -> std::path::PathBuf {
    dir.join("utxo.bits")
}

/// Changes the bytes of the records' file.
fn edit(edit: impl FnOnce(&mut Vec<u8>)) -> (Bed, Result<SpentFields, SpentError>) {
    damaged(|dir| {
        let mut bytes = fs::read(utxo(dir)).expect("read");
        edit(&mut bytes);
        fs::write(utxo(dir), bytes).expect("write");
    })
}

#[test]
fn no_damaged_file_is_taken_for_a_whole_one() {
    let (_, missing) = damaged(|dir| fs::remove_file(utxo(dir)).expect("remove"));
    assert!(matches!(
        missing,
        Err(SpentError::Missing {
            field: FieldId::Utxo,
            ..
        })
    ));
    for len in [0, 35, 4095, 4096, 16_000] {
        let (_, cut) = edit(|bytes| bytes.truncate(len));
        let got = len as u64;
        assert!(
            matches!(cut, Err(SpentError::Truncated { got: g, .. }) if g == got),
            "{len}"
        );
    }
    // The bits of a word that the journal does not mention.
    for at in [4096 + 500, 4096 + 12_499] {
        let (_, flipped) = edit(|bytes| bytes[at] ^= 0x10);
        assert!(
            matches!(flipped, Err(SpentError::RootMismatch { .. })),
            "byte {at}"
        );
    }
    let (_, zeros) = edit(|bytes| bytes.fill(0));
    assert!(matches!(
        zeros,
        Err(SpentError::BadHeader { what: "magic", .. })
    ));
}

#[test]
fn no_foreign_header_is_taken_for_the_fields_own() {
    for bit in 0..36 * 8 {
        let (_, flipped) = edit(|bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        assert!(
            matches!(flipped, Err(SpentError::BadHeader { .. })),
            "bit {bit}"
        );
    }
    let (_, foreign) = damaged(|dir| {
        let other = Bed::new(Some(&dir.join("other")));
        let mut other = other;
        other.step(&Step::Seal(200_000));
        other.step(&Step::Sync);
        fs::copy(dir.join("other/period-0.bits"), utxo(dir)).expect("copy");
    });
    let is_field =
        |error: &SpentError| matches!(error, SpentError::BadHeader { what: "field", .. });
    assert!(foreign.is_err_and(|error| is_field(&error)));
    let (_, newer) = edit(|bytes| {
        bytes[8] = 2;
        let checksum = crc32fast::hash(&bytes[..32]).to_le_bytes();
        bytes[32..36].copy_from_slice(&checksum);
    });
    let is_version = |error: &SpentError| {
        matches!(
            error,
            SpentError::BadHeader {
                what: "version",
                ..
            }
        )
    };
    assert!(newer.is_err_and(|error| is_version(&error)));
}

#[test]
fn no_damage_that_the_journal_repairs_stops_the_opening() {
    let repaired = |(bed, opened): (Bed, Result<SpentFields, SpentError>)| {
        bed.model
            .assert_shown_by(&opened.expect("the journal repairs it"));
    };
    // A bit that was spent since the sync, zeros beyond the end, files since the sync.
    repaired(edit(|bytes| bytes[4096 + 1] ^= 1 << 3));
    repaired(edit(|bytes| bytes[4096 + 12_500] = 0xff));
    repaired(edit(|bytes| *bytes.last_mut().expect("bytes") = 0xff));
    repaired(damaged(|dir| {
        fs::remove_file(dir.join("period-0.bits")).expect("remove")
    }));
    repaired(damaged(|dir| {
        fs::write(dir.join("period-0.bits"), [0xff; 99]).expect("write")
    }));
    repaired(damaged(|dir| {
        fs::write(dir.join("period-7.bits"), [0xff; 99]).expect("write")
    }));
}

#[test]
fn no_store_opens_with_another_hash_or_without_its_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut bed = Bed::new(Some(dir.path()));
    bed.step(&Step::Append(10));
    bed.step(&Step::Sync);
    let other = SpentOptions {
        hash: HashKind::Keccak256,
        ..options(Some(dir.path()))
    };
    let other = SpentFields::open(&bed.store.snapshot(), other);
    assert!(matches!(other, Err(SpentError::OtherHash { .. })));
    let without = open(&bed.store, None);
    assert!(matches!(without, Err(SpentError::NeedsFiles { first: 2 })));
}

#[test]
fn no_file_of_a_removed_field_stays_and_none_goes_before_the_commit() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut bed = Bed::new(Some(dir.path()));
    bed.step(&Step::Seal(10));
    let file = dir.path().join("period-0.bits");
    assert!(file.exists());
    let undo = bed.undo.pop().expect("a commit to undo");
    let mut batch = Batch::default();
    let staged = bed.fields.stage(&undo, &mut batch).expect("stage");
    bed.store.commit(batch).expect("commit");
    assert!(file.exists());
    bed.fields.publish(staged);
    assert!(!file.exists());
}

#[test]
fn no_missing_entry_of_the_journal_is_passed_over() {
    use crate::leaf_store::Table;
    let dir = tempfile::tempdir().expect("a directory");
    let mut bed = Bed::new(Some(dir.path()));
    for seed in 0..4 {
        bed.step(&Step::Append(1 + seed));
    }
    for commit in 1..=4u64 {
        let store = bed.store.reopen();
        let mut batch = Batch::default();
        batch.delete(Table::Journal, super::super::head::entry_key(commit));
        store.commit(batch).expect("commit");
        let gap = open(&store, Some(dir.path()));
        let is_gap = |error: &SpentError| matches!(error, SpentError::JournalGap { expected, .. } if *expected == commit);
        assert!(gap.is_err_and(|error| is_gap(&error)), "{commit}");
    }
}
