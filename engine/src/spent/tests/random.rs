use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_sequence_of_commits_and_undos_shows_other_bits_than_the_model(
        steps in steps(14), in_memory: bool,
    ) {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = (!in_memory).then(|| dir.path());
        let mut bed = Bed::new(dir);
        for step in &steps {
            bed.step(step);
            prop_assert_eq!(bed.fields.root(), bed.model.root());
        }
        bed.model.assert_shown_by(&bed.fields);
        // Dropped first: two mappings of one file would see the same pages.
        let Bed { store, fields, model, .. } = bed;
        drop(fields);
        model.assert_shown_by(&open(&store, dir).expect("reopen"));
    }
}

fn bed_of(len: u64) -> Bed {
    let mut bed = Bed::new(None);
    bed.step(&Step::Append(len));
    bed
}

fn refused(bed: &mut Bed, change: BitChange) -> SpentError {
    let mut batch = Batch::default();
    let staged = bed.fields.stage(&[change], &mut batch);
    assert!(batch.is_empty(), "an error leaves the batch alone");
    bed.model.assert_shown_by(&bed.fields);
    staged.expect_err("refused")
}

#[test]
fn no_bit_is_set_or_cleared_twice_or_outside_its_field() {
    let mut bed = bed_of(1_000);
    let utxo = |set: &[u64], clear: &[u64]| BitChange {
        set: set.to_vec(),
        clear: clear.to_vec(),
        ..BitChange::of(FieldId::Utxo)
    };
    let mut spent = Batch::default();
    let staged = bed
        .fields
        .stage(&[utxo(&[7], &[])], &mut spent)
        .expect("stage");
    bed.model.apply(&[utxo(&[7], &[])]);
    bed.fields.publish(staged);
    let error = refused(&mut bed, utxo(&[8, 7], &[]));
    assert!(matches!(error, SpentError::AlreadySet { index: 7, .. }));
    let error = refused(&mut bed, utxo(&[8, 8], &[]));
    assert!(matches!(error, SpentError::AlreadySet { index: 8, .. }));
    let error = refused(&mut bed, utxo(&[], &[8]));
    assert!(matches!(error, SpentError::NotSet { index: 8, .. }));
    let error = refused(&mut bed, utxo(&[1_000], &[]));
    assert!(matches!(
        error,
        SpentError::Outside {
            index: 1_000,
            len: 1_000,
            ..
        }
    ));
    let error = refused(&mut bed, utxo(&[], &[1_000]));
    assert!(matches!(error, SpentError::Outside { .. }));
    let cut = BitChange {
        len: Some(7),
        ..utxo(&[], &[])
    };
    let error = refused(&mut bed, cut);
    assert!(matches!(error, SpentError::Bits { .. }));
    let error = refused(&mut bed, BitChange::of(FieldId::Period(PeriodId(3))));
    assert!(matches!(error, SpentError::NoField { .. }));
    let twice = [utxo(&[1], &[]), utxo(&[2], &[])];
    let error = bed.fields.stage(&twice, &mut Batch::default());
    assert!(matches!(error, Err(SpentError::Repeated { .. })));
}

#[test]
fn no_word_that_is_not_touched_is_hashed_or_written() {
    let mut bed = bed_of(1 << 24);
    let mut change = BitChange::of(FieldId::Utxo);
    // 100 words, each in a group of its own.
    change.set = (0..100).map(|n| n * (1 << 17) + 5).collect();
    let mut batch = Batch::default();
    let staged = bed.fields.stage(&[change], &mut batch).expect("stage");
    let work = staged.work();
    assert_eq!((work.words, work.bits), (100, 100));
    // 2^16 words: 14 heights above the groups. Those touched are 512 words apart, 128 groups: they
    // share no node on the lower seven heights.
    let shared = |height: u32| 100u64.div_ceil(1 << height.saturating_sub(7));
    let above: u64 = (1..=14).map(shared).sum();
    // And the field's commitment, its digest, the root over all fields.
    assert_eq!(work.hashes, 3 * 100 + above + 3);
    assert_eq!(batch.len(), 2, "the entry and the head");
    assert!(work.journal_bytes < 320);
}
