use super::*;
use crate::archive::records::RecordArchiveError;
use std::fs;

/// Eighteen blocks from block 3: batches 0 and 1 are sealed, batch 2 fills.
fn bed(owners: bool) -> Bed {
    let mut bed = Bed::new(Config {
        archive: true,
        owners,
        ..PLAIN
    });
    for count in [3, 0, 2, 5, 1, 4, 2, 3, 0, 1, 2, 6, 3, 2, 4, 4, 0, 2] {
        bed.append(count, &[]);
    }
    bed
}

fn file(bed: &Bed, batch: u64) -> std::path::PathBuf {
    bed.dir
        .path()
        .join(format!("records/batch-{batch}.records"))
}

fn archive(bed: &mut Bed) -> &mut crate::archive::records::RecordArchive {
    bed.tier.archive_mut().expect("an archive")
}

#[test]
fn no_path_stays_stale_once_it_is_asked_for_again() {
    let mut bed = Bed::new(Config {
        archive: true,
        ..PLAIN
    });
    bed.append(5, &[]);
    let mut spent = false;
    for _ in 0..20 {
        let head = bed.model.head();
        let path = bed
            .tier
            .archive()
            .expect("an archive")
            .path(RecordIndex(2), head);
        let path = path.expect("a path at any time");
        assert_eq!(path.batch.is_some(), head.0 >= 3 + u64::from(RING_LEN));
        let spend = Spend {
            record: bed.model.record(2),
            path: Some(path),
        };
        bed.append(0, &[spend]);
        bed.undo();
        bed.append(1, &[]);
        spent = true;
    }
    assert!(spent);
}

#[test]
fn no_deleted_batch_is_served_and_none_is_missed_otherwise() {
    for owners in [false, true] {
        let mut bed = bed(owners);
        bed.check();
        assert_eq!(archive(&mut bed).batches(), [BatchId(0), BatchId(1)]);
        let filling = archive(&mut bed).delete(BatchId(2));
        assert_eq!(
            filling,
            Err(RecordArchiveError::Filling { batch: BatchId(2) })
        );
        assert_eq!(archive(&mut bed).delete(BatchId(0)), Ok(true));
        assert_eq!(archive(&mut bed).delete(BatchId(0)), Ok(false));
        assert!(!file(&bed, 0).exists());
        for reopened in [false, true] {
            if reopened {
                bed.reopen();
            }
            let head = bed.model.head();
            let gone = RecordArchiveError::NotArchived {
                index: RecordIndex(4),
            };
            assert_eq!(archive(&mut bed).record(RecordIndex(4)), Err(gone.clone()));
            assert_eq!(archive(&mut bed).path(RecordIndex(4), head), Err(gone));
            let record = bed.model.record(20);
            assert_eq!(archive(&mut bed).record(RecordIndex(20)), Ok(record));
        }
        // The tier goes on without it, and a path from elsewhere is as good as ever.
        bed.append(1, &[bed.model.spend(4)]);
        for _ in 0..19 {
            bed.undo();
        }
        for _ in 0..19 {
            bed.append(2, &[]);
        }
        bed.check();
    }
}

#[test]
fn no_damage_to_a_sealed_file_goes_unseen() {
    let mut bed = bed(true);
    let bytes = fs::read(file(&bed, 1)).expect("a sealed file");
    let snapshot = bed.store.reopen();
    let next = bed.model.next();
    bed.tier = UtxoTier::open(
        &MemoryStore::new().snapshot(),
        UtxoRules::default(),
        UtxoLimits::default(),
        None,
    )
    .expect("a tier of nothing");
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x20;
        fs::write(file(&bed, 1), &damaged).expect("write");
        let rules = UtxoRules {
            ring_len: RING_LEN,
            hash: HashKind::Blake3,
        };
        let options = RecordArchiveOptions {
            dir: bed.dir.path().join("records"),
            index_owners: true,
        };
        let opened = UtxoTier::open(
            &snapshot.snapshot(),
            rules,
            UtxoLimits::default(),
            Some(options),
        );
        let corrupt =
            |error: &RecordArchiveError| matches!(error, RecordArchiveError::Corrupt { .. });
        let seen = match &opened {
            Err(UtxoError::Archive(error)) => corrupt(error),
            Err(_) => false,
            Ok(tier) => {
                let archive = tier.archive().expect("an archive");
                (0..next).any(|i| archive.record(RecordIndex(i)).is_err_and(|e| corrupt(&e)))
            }
        };
        assert!(seen, "byte {at} of {}", bytes.len());
    }
    for len in 0..bytes.len() {
        fs::write(file(&bed, 1), &bytes[..len]).expect("write");
        let rules = UtxoRules {
            ring_len: RING_LEN,
            hash: HashKind::Blake3,
        };
        let options = RecordArchiveOptions {
            dir: bed.dir.path().join("records"),
            index_owners: true,
        };
        let opened = UtxoTier::open(
            &snapshot.snapshot(),
            rules,
            UtxoLimits::default(),
            Some(options),
        );
        assert!(
            matches!(
                opened,
                Err(UtxoError::Archive(RecordArchiveError::Corrupt { .. }))
            ),
            "{len}"
        );
    }
}

#[test]
fn no_uncommitted_frame_or_file_survives_an_opening() {
    let mut bed = bed(true);
    let committed = fs::metadata(file(&bed, 2)).expect("a filling file").len();
    let mut batch = Batch::default();
    let new: Vec<_> = (0..5).map(new_record).collect();
    let block = bed.model.next_block();
    let staged = bed
        .tier
        .stage(block, &[], &new, &bed.spent, &mut batch)
        .expect("stage");
    assert!(fs::metadata(file(&bed, 2)).expect("a file").len() > committed);
    drop(staged);
    fs::write(file(&bed, 3), b"left behind").expect("write");
    bed.reopen();
    assert_eq!(
        fs::metadata(file(&bed, 2)).expect("a file").len(),
        committed
    );
    assert!(!file(&bed, 3).exists());
    bed.check();
    // A file that lacks what was committed is not taken for whole.
    fs::OpenOptions::new()
        .write(true)
        .open(file(&bed, 2))
        .and_then(|file| file.set_len(committed - 1))
        .expect("cut");
    let store = bed.store.reopen();
    let rules = UtxoRules {
        ring_len: RING_LEN,
        hash: HashKind::Blake3,
    };
    let options = RecordArchiveOptions {
        dir: bed.dir.path().join("records"),
        index_owners: true,
    };
    let opened = UtxoTier::open(
        &store.snapshot(),
        rules,
        UtxoLimits::default(),
        Some(options),
    );
    assert!(matches!(
        opened,
        Err(UtxoError::Archive(RecordArchiveError::Corrupt { .. }))
    ));
}

#[test]
fn no_archive_that_begins_late_claims_what_it_does_not_have() {
    let mut bed = Bed::new(PLAIN);
    for _ in 0..7 {
        bed.append(3, &[]);
    }
    bed.config.archive = true;
    bed.reopen();
    for _ in 0..12 {
        bed.append(3, &[]);
    }
    let head = bed.model.head();
    let missing = RecordArchiveError::NotArchived {
        index: RecordIndex(20),
    };
    assert_eq!(archive(&mut bed).record(RecordIndex(20)), Err(missing));
    for index in 21..bed.model.next() {
        let (record, path) = (bed.model.record(index), bed.model.path(index));
        assert_eq!(archive(&mut bed).record(RecordIndex(index)), Ok(record));
        assert_eq!(archive(&mut bed).path(RecordIndex(index), head), Ok(path));
    }
}
