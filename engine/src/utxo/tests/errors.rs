use super::*;
use thinstate_formats::record::RecordPathError;

/// Twelve blocks of five records, from block 3: the ring has blocks 7 to 14, batch 0 is sealed.
fn bed(window: u64) -> Bed {
    let mut bed = Bed::new(Config { window, ..PLAIN });
    for _ in 0..12 {
        bed.append(5, &[]);
    }
    bed
}

/// The error of a block with these spends, after which a block without them is as good as ever.
fn refused(bed: &mut Bed, spends: &[Spend]) -> UtxoError {
    let error = bed.block(spends, &[new_record(1), new_record(2)]);
    let error = error.expect_err("the block is refused");
    bed.check();
    let before = bed.model.blocks.len();
    bed.append(1, &[]);
    bed.undo();
    assert_eq!(bed.model.blocks.len(), before);
    error
}

fn altered(bed: &Bed, index: u64, change: impl FnOnce(&mut Record, &mut RecordPath)) -> Spend {
    let mut record = bed.model.record(index);
    let mut path = bed.model.path(index);
    change(&mut record, &mut path);
    Spend {
        record,
        path: Some(path),
    }
}

#[test]
fn no_record_is_spent_twice() {
    let mut bed = bed(2);
    let spend = bed.model.spend(40);
    let error = refused(&mut bed, &[spend.clone(), spend.clone()]);
    assert!(matches!(
        error,
        UtxoError::DoubleSpend {
            index: RecordIndex(40)
        }
    ));
    bed.append(1, &[spend]);
    for path in [bed.model.ring_path(40), bed.model.batch_path(40)] {
        let spend = Spend {
            record: bed.model.record(40),
            path: Some(path),
        };
        let error = bed.block(&[spend], &[]).expect_err("spent");
        let not_sealed = matches!(error, UtxoError::NotSealed { .. });
        assert!(
            not_sealed
                || matches!(
                    error,
                    UtxoError::AlreadySpent {
                        index: RecordIndex(40)
                    }
                )
        );
    }
    // By its path, without one, and after the bits were opened again.
    bed.append(
        1,
        &[Spend {
            path: None,
            ..bed.model.spend(58)
        }],
    );
    bed.reopen();
    let spend = bed.model.spend(58);
    let error = bed.block(&[spend], &[]).expect_err("spent");
    assert!(matches!(
        error,
        UtxoError::AlreadySpent {
            index: RecordIndex(58)
        }
    ));
    bed.undo();
    bed.append(1, &[bed.model.spend(58)]);
}

#[test]
fn no_altered_record_or_path_is_spent() {
    let is_root =
        |error: &UtxoError| matches!(error, UtxoError::Path(RecordPathError::Root { .. }));
    let mut bed = bed(0);
    // Record 41 lies in block 11, in the ring alone; record 1 in block 3, in batch 0 alone.
    for index in [41, 1] {
        let spends = [
            altered(&bed, index, |r, _| r.payload = Bytes::from_static(&[7; 40])),
            altered(&bed, index, |r, _| r.owner = Address::ZERO),
            altered(&bed, index, |r, _| r.contract = Address::repeat_byte(9)),
            altered(&bed, index, |r, _| r.class ^= 1),
            altered(&bed, index, |_, p| p.siblings[1].0[5] ^= 1),
            altered(&bed, index, |_, p| p.siblings.swap(0, 1)),
            altered(&bed, index, |_, p| p.count = 6),
            // The index of a record of the same block: the wrong one, or another's path.
            altered(&bed, index, |r, _| r.index.0 += 1),
        ];
        for spend in spends {
            let good = bed.model.spend(20);
            let error = refused(&mut bed, &[good, spend]);
            assert!(is_root(&error), "{error}");
        }
        let of = bed.model.spend(index + 1).path;
        let other = Spend {
            path: of,
            ..bed.model.spend(index)
        };
        let error = refused(&mut bed, &[other]);
        assert!(is_root(&error), "{error}");
        let short = altered(&bed, index, |_, p| drop(p.siblings.split_off(1)));
        let error = refused(&mut bed, &[short]);
        assert!(matches!(
            error,
            UtxoError::Path(RecordPathError::Siblings { .. })
        ));
        let long = altered(&bed, index, |r, _| r.payload = vec![0; 65].into());
        let error = refused(&mut bed, &[long]);
        assert!(matches!(
            error,
            UtxoError::Path(RecordPathError::Payload(_))
        ));
    }
    let sealed = altered(&bed, 1, |_, p| {
        p.batch.iter_mut().for_each(|b| b[0].0[0] ^= 1)
    });
    assert!(is_root(&refused(&mut bed, &[sealed])));
}

#[test]
fn no_record_is_spent_by_the_path_of_another_block() {
    let mut bed = bed(0);
    let (own, other) = (bed.model.spend(41), bed.model.spend(46));
    let error = refused(
        &mut bed,
        &[Spend {
            path: other.path,
            ..own.clone()
        }],
    );
    let expected = (RecordIndex(41), BlockNumber(11), BlockNumber(12));
    assert!(matches!(
        error,
        UtxoError::WrongBlock { index, expected: of, got } if (index, of, got) == expected
    ));
    let moved = altered(&bed, 41, |_, path| path.block = BlockNumber(10));
    assert!(matches!(
        refused(&mut bed, &[moved]),
        UtxoError::WrongBlock { .. }
    ));
    let later = altered(&bed, 41, |_, path| path.block = BlockNumber(15));
    let error = refused(&mut bed, &[later]);
    assert!(matches!(
        error,
        UtxoError::UnknownBlock {
            head: BlockNumber(14),
            ..
        }
    ));
    // Into a batch: another block's place there, a batch that is not sealed, another batch.
    let moved = altered(&bed, 1, |_, path| path.block = BlockNumber(4));
    let error = refused(&mut bed, &[moved]);
    assert!(
        matches!(error, UtxoError::Path(RecordPathError::Root { .. })),
        "{error}"
    );
    let early = Spend {
        path: Some(bed.model.batch_path(41)),
        ..own
    };
    let error = refused(&mut bed, &[early]);
    assert!(matches!(
        error,
        UtxoError::NotSealed {
            batch: BatchId(1),
            ..
        }
    ));
}

#[test]
fn no_record_is_spent_in_its_own_block_or_before_it_exists() {
    let mut bed = bed(3);
    assert_eq!(bed.model.next(), 60);
    let record = new_record(1).at(RecordIndex(60));
    for path in [None, bed.model.spend(59).path] {
        let error = refused(
            &mut bed,
            &[Spend {
                record: record.clone(),
                path,
            }],
        );
        assert!(matches!(
            error,
            UtxoError::SameBlock {
                index: RecordIndex(60)
            }
        ));
    }
    let later = Spend {
        record: new_record(1).at(RecordIndex(62)),
        path: None,
    };
    let error = refused(&mut bed, &[later]);
    let next_index = RecordIndex(60);
    assert!(
        matches!(error, UtxoError::UnknownIndex { index: RecordIndex(62), next_index: n } if n == next_index)
    );
}

#[test]
fn no_stale_path_is_taken_and_the_error_says_what_is_needed() {
    let mut bed = bed(0);
    let stale = Spend {
        path: Some(bed.model.ring_path(1)),
        ..bed.model.spend(1)
    };
    let error = refused(&mut bed, &[stale]);
    assert!(matches!(
        error,
        UtxoError::StalePath {
            block: BlockNumber(3),
            oldest: BlockNumber(7),
            batch: BatchId(0),
            ..
        }
    ));
    assert!(
        error.to_string().contains("a path into batch 0 is needed"),
        "{error}"
    );
    // Record 20 lies in block 7, which has both.
    for path in [bed.model.ring_path(20), bed.model.batch_path(20)] {
        let spend = Spend {
            path: Some(path),
            ..bed.model.spend(20)
        };
        bed.append(0, &[spend]);
        bed.undo();
    }
    bed.append(0, &[bed.model.spend(1)]);
}

#[test]
fn no_record_outside_the_window_is_spent_without_a_path() {
    let mut bed = bed(2);
    let without = |bed: &Bed, index| Spend {
        path: None,
        ..bed.model.spend(index)
    };
    let spend = without(&bed, 49);
    let error = refused(&mut bed, &[spend]);
    assert!(matches!(
        error,
        UtxoError::NeedsPath {
            window: 2,
            first: RecordIndex(50),
            ..
        }
    ));
    let mut altered = without(&bed, 50);
    altered.record.owner = Address::ZERO;
    let error = refused(&mut bed, &[altered]);
    assert!(matches!(
        error,
        UtxoError::Altered {
            index: RecordIndex(50)
        }
    ));
    let spends = [without(&bed, 50), without(&bed, 59)];
    bed.append(0, &spends);
    bed.check();
}

#[test]
fn no_tier_opens_or_goes_on_under_other_rules() {
    let mut bed = bed(0);
    let other = UtxoRules {
        ring_len: 9,
        hash: HashKind::Blake3,
    };
    let limits = UtxoLimits::default();
    let opened = UtxoTier::open(&bed.store.snapshot(), other, limits, None);
    assert!(matches!(opened, Err(UtxoError::OtherRules { .. })));
    let none = UtxoRules {
        ring_len: 0,
        ..other
    };
    let opened = UtxoTier::open(&MemoryStore::new().snapshot(), none, limits, None);
    assert!(matches!(opened, Err(UtxoError::NoRing)));
    let mut batch = Batch::default();
    let skipped = bed
        .tier
        .stage(BlockNumber(16), &[], &[], &bed.spent, &mut batch);
    assert!(matches!(
        skipped,
        Err(UtxoError::NotNext {
            head: BlockNumber(14),
            ..
        })
    ));
    let long = NewRecord {
        payload: vec![0; 65].into(),
        ..new_record(1)
    };
    let error = bed.block(&[], &[new_record(1), long]);
    assert!(matches!(error, Err(UtxoError::Payload { position: 1, .. })));
}

#[test]
fn no_window_forgets_blocks_that_undoing_brings_back() {
    let mut bed = bed(3);
    for _ in 0..6 {
        bed.undo();
        bed.check();
    }
    let spend = Spend {
        path: None,
        ..bed.model.spend(16)
    };
    bed.append(1, &[spend]);
    // Another window is taken up as far as records are there.
    bed.config.window = 1;
    bed.reopen();
    bed.append(3, &[]);
    bed.check();
}

#[test]
fn no_bad_spend_goes_unnoticed_among_many() {
    let mut bed = Bed::new(Config { window: 1, ..PLAIN });
    // One block that only a batch has in the end, some in the ring, one in the window.
    for records in [300, 300, 3, 3, 3, 3, 300, 3, 300] {
        bed.append(records, &[]);
    }
    let windowed = bed.model.next() - 300;
    let spend = |index: u64| match index >= windowed {
        true => Spend {
            path: None,
            ..bed.model.spend(index)
        },
        false => bed.model.spend(index),
    };
    // Not sorted.
    let order = (0..bed.model.next()).map(|n| n * 7 % bed.model.next());
    let good: Vec<Spend> = order.map(spend).collect();
    let at = |index: u64| {
        let at = good.iter().position(|spend| spend.record.index.0 == index);
        at.expect("every record is spent")
    };
    let flips: [fn(&mut Spend); 4] = [
        |spend| spend.record.class ^= 1,
        |spend| spend.record.owner.0[19] ^= 1,
        |spend| {
            let sibling = spend.path.as_mut().and_then(|p| p.siblings.last_mut());
            sibling.expect("a path").0[31] ^= 1;
        },
        |spend| {
            let batch = spend.path.as_mut().and_then(|p| p.batch.as_mut());
            batch.and_then(|batch| batch.last_mut()).expect("a path").0[0] ^= 1;
        },
    ];
    let in_batch = at(5);
    assert!(
        good[in_batch]
            .path
            .as_ref()
            .is_some_and(|path| path.batch.is_some())
    );
    for (flip, place) in [
        (0, in_batch),
        (3, in_batch),
        (1, at(450)),
        (2, at(451)),
        (2, at(700)),
        (0, at(windowed + 9)),
        (1, at(windowed + 299)),
    ] {
        let mut spends = good.clone();
        flips[flip](&mut spends[place]);
        let index = spends[place].record.index;
        let error = refused(&mut bed, &spends).to_string();
        assert!(error.contains(&index.0.to_string()), "{error}");
    }
    bed.block(&good, &[]).expect("all of them are good");
    bed.check();
}
