use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// A block with so many new records, which spends those chosen by these numbers; without a path
    /// where that can be.
    Block(u64, Vec<u64>, bool),
    Undo,
    Reopen,
    /// A block that is staged, and then not committed.
    Fail,
    /// The power goes between the block's preparation and its commit.
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let spends = || prop::collection::vec(any::<u64>(), 0..5);
    let step = prop_oneof![
        12 => (0u64..7, spends(), any::<bool>()).prop_map(|(n, s, w)| Step::Block(n, s, w)),
        4 => Just(Step::Undo),
        1 => Just(Step::Reopen),
        1 => Just(Step::Fail),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..60)
}

fn configs() -> impl Strategy<Value = Config> {
    let hash = prop::sample::select(HashKind::ALL.to_vec());
    (hash, 0u64..6, any::<(bool, bool)>()).prop_map(|(hash, window, (archive, owners))| Config {
        hash,
        window,
        archive,
        owners,
    })
}

fn step(bed: &mut Bed, step: &Step) {
    match step {
        Step::Block(count, seeds, without) => {
            let spent = bed.model.spent();
            let free: Vec<_> = (0..bed.model.next())
                .filter(|i| !spent.contains(i))
                .collect();
            let chosen = seeds.iter().filter(|_| !free.is_empty());
            let chosen: BTreeSet<_> = chosen
                .map(|s| free[(s % free.len() as u64) as usize])
                .collect();
            let spends = chosen.into_iter().map(|index| {
                let mut spend = bed.model.spend(index);
                let block = bed.model.block_of(index);
                if *without && block + bed.config.window > bed.model.head().0 {
                    spend.path = None;
                } else if *without && block / 8 < bed.model.next_block().0 / 8 {
                    spend.path = Some(bed.model.batch_path(index));
                }
                spend
            });
            let spends: Vec<_> = spends.collect();
            bed.append(*count, &spends);
        }
        Step::Undo if !bed.model.blocks.is_empty() => bed.undo(),
        Step::Undo => {}
        Step::Reopen => bed.reopen(),
        Step::Fail | Step::Crash => {
            let new: Vec<_> = (0..5).map(new_record).collect();
            let mut batch = Batch::default();
            let block = bed.model.next_block();
            let staged = bed.tier.stage(block, &[], &new, &bed.spent, &mut batch);
            let staged = staged.expect("a good block");
            let bits = bed.spent.stage(&staged.changes, &mut batch).expect("bits");
            drop(bits);
            match step {
                Step::Fail => bed.tier.rollback(staged),
                _ => {
                    drop(staged);
                    bed.reopen();
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_sequence_of_blocks_and_undos_shows_another_state_than_the_model(
        config in configs(), steps in steps(),
    ) {
        let mut bed = Bed::new(config);
        let mut highest = 0;
        for next in &steps {
            // The last twenty blocks of the longest chain there was can be undone.
            highest = highest.max(bed.model.blocks.len());
            if matches!(next, Step::Undo) && bed.model.blocks.len() + 19 < highest {
                continue;
            }
            step(&mut bed, next);
        }
        bed.check();
        bed.reopen();
        bed.check();
    }
}

#[test]
fn no_sealed_ring_stands_in_the_way_of_undoing() {
    for archive in [false, true] {
        let config = Config {
            archive,
            owners: true,
            window: 2,
            ..PLAIN
        };
        let mut bed = Bed::new(config);
        for count in [3, 0, 2, 5, 1, 4, 2, 3, 0, 1, 2, 6, 3, 2] {
            let next = bed.model.next();
            let spends: Vec<_> = (next > 3)
                .then(|| bed.model.spend(next - 3))
                .into_iter()
                .collect();
            let spent = bed.model.spent();
            let spends: Vec<_> = spends
                .into_iter()
                .filter(|s| !spent.contains(&s.record.index.0))
                .collect();
            bed.append(count, &spends);
        }
        bed.check();
        for _ in 0..14 {
            bed.undo();
            bed.check();
        }
        let error = bed
            .tier
            .stage_undo(&bed.store.snapshot(), &mut Batch::default());
        assert!(matches!(error, Err(UtxoError::NothingToUndo)));
        assert!(
            bed.spent.is_empty(),
            "the field is gone with its first record"
        );
        bed.append(4, &[]);
        bed.reopen();
        bed.check();
    }
}

#[test]
fn no_block_is_undone_after_it_is_too_old() {
    let mut bed = Bed::new(PLAIN);
    for _ in 0..30 {
        bed.append(2, &[]);
    }
    for _ in 0..20 {
        bed.undo();
    }
    let error = bed
        .tier
        .stage_undo(&bed.store.snapshot(), &mut Batch::default());
    assert!(matches!(
        error,
        Err(UtxoError::TooOld {
            block: BlockNumber(12)
        })
    ));
}

#[test]
fn no_block_writes_more_than_its_few_entries() {
    let mut bed = Bed::new(PLAIN);
    bed.append(100, &[]);
    let before = bed.store.counters();
    let spends: Vec<_> = (0..50).map(|index| bed.model.spend(2 * index)).collect();
    bed.append(50, &spends);
    let written = bed.store.counters().since(&before);
    // Ring, head, undo entry; journal, head and length of the bits.
    assert_eq!(written.entries_written, 6);
    assert!(
        written.logical_written_bytes < 500,
        "{}",
        written.logical_written_bytes
    );
}
