//! The simulated disk does what it says: power cuts lose what may be lost and nothing else, and
//! faults hit the operation that they are meant for.

#![expect(clippy::unwrap_used, reason = "a failed test should stop")]

use super::super::super::super::StoreError;
use super::super::{Disk, DiskFile};
use super::{Fault, On, Operation, SimDisk, SimFile};
use std::collections::BTreeSet;

const SEEDS: u64 = 1000;

/// A disk with a file of ones that is durable, and its handle.
fn disk_with_file() -> (SimDisk, SimFile) {
    let disk = SimDisk::new();
    let file = disk.open("file").unwrap();
    file.write_at(0, &[1; 4096]).unwrap();
    file.sync().unwrap();
    disk.sync_folder().unwrap();
    (disk, file)
}

fn contents(disk: &SimDisk) -> Vec<u8> {
    let file = disk.open("file").unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(0, &mut bytes).unwrap();
    bytes
}

/// What different cuts leave of the file.
fn outcomes(disk: &SimDisk) -> BTreeSet<Vec<u8>> {
    let after = |seed| contents(&disk.power_cut(seed));
    (0..SEEDS).map(after).collect()
}

#[test]
fn synced_bytes_are_never_lost() {
    let (disk, file) = disk_with_file();
    file.write_at(100, &[2; 9]).unwrap();
    file.set_len(4000).unwrap();
    file.sync().unwrap();
    let expected = contents(&disk);
    assert_eq!(expected.len(), 4000);
    assert_eq!(outcomes(&disk), BTreeSet::from([expected]));
}

#[test]
fn an_unsynced_write_is_kept_lost_or_torn_at_sectors() {
    let (disk, file) = disk_with_file();
    file.write_at(1000, &[2; 1100]).unwrap();
    let outcomes = outcomes(&disk);
    let sectors = [(1000, 1024), (1024, 1536), (1536, 2048), (2048, 2100)];
    for outcome in &outcomes {
        assert_eq!(outcome.len(), 4096);
        assert!(
            outcome[..1000]
                .iter()
                .chain(&outcome[2100..])
                .all(|&byte| byte == 1)
        );
        for (from, to) in sectors {
            let sector = &outcome[from..to];
            assert!(
                sector.iter().all(|byte| *byte == sector[0]),
                "a sector is never torn"
            );
        }
    }
    assert_eq!(
        outcomes.len(),
        1 << sectors.len(),
        "every combination happens"
    );
}

#[test]
fn unsynced_writes_survive_in_any_order() {
    let (disk, file) = disk_with_file();
    file.write_at(0, &[2; 512]).unwrap();
    file.write_at(512, &[3; 512]).unwrap();
    file.write_at(5000, &[4; 512]).unwrap();
    let outcomes = outcomes(&disk);
    let kept = |outcome: &Vec<u8>| (outcome[0] == 2, outcome[512] == 3, outcome.len() == 5512);
    let kept: BTreeSet<_> = outcomes.iter().map(kept).collect();
    assert_eq!(kept.len(), 8);
    // What lies between the old end and a write beyond it is zeros.
    let longer = outcomes.iter().filter(|outcome| outcome.len() == 5512);
    assert!(longer.clone().count() > 0);
    assert!(
        longer
            .into_iter()
            .all(|outcome| outcome[4096..5000] == [0; 904])
    );
}

#[test]
fn unsynced_names_may_be_there_or_not() {
    let (disk, _file) = disk_with_file();
    drop(disk.open("new").unwrap());
    disk.remove("file").unwrap();
    let names = |seed| disk.power_cut(seed).list().unwrap();
    let outcomes: BTreeSet<_> = (0..SEEDS).map(names).collect();
    let list =
        |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let expected: BTreeSet<Vec<String>> = [
        list(&[]),
        list(&["file"]),
        list(&["file", "new"]),
        list(&["new"]),
    ]
    .into();
    assert_eq!(outcomes, expected);
    disk.sync_folder().unwrap();
    let outcomes: BTreeSet<_> = (0..SEEDS).map(names).collect();
    assert_eq!(outcomes, BTreeSet::from([list(&["new"])]));
}

#[test]
fn the_same_seed_gives_the_same_disk() {
    let (disk, file) = disk_with_file();
    file.write_at(0, &[2; 4096]).unwrap();
    for seed in 0..50 {
        let first = contents(&disk.power_cut(seed));
        assert_eq!(first, contents(&disk.power_cut(seed)), "seed {seed}");
    }
    assert_eq!(contents(&disk), [2; 4096], "the old disk stays as it was");
}

#[test]
fn a_fault_hits_the_operation_that_it_is_meant_for() {
    let (disk, file) = disk_with_file();
    let (writes, changes) = (On::Each(Operation::Write), disk.count(On::Changes));
    disk.inject(Fault::Io, writes, 2);
    file.write_at(0, &[2]).unwrap();
    file.sync().unwrap();
    file.write_at(1, &[2]).unwrap();
    assert!(!disk.has_fired());
    let refused = file.write_at(2, &[2]);
    assert!(matches!(
        refused,
        Err(StoreError::Io {
            operation: "write",
            ..
        })
    ));
    assert!(disk.has_fired());
    file.write_at(3, &[2]).unwrap();
    assert_eq!(contents(&disk)[..5], [2, 2, 1, 2, 1]);
    assert_eq!(
        (disk.count(writes), disk.count(On::Changes) - changes),
        (5, 5)
    );
    assert_eq!(file.counters().writes, 4, "what failed is not counted");
}

#[test]
fn short_transfers_are_continued_or_fail_with_a_part_done() {
    let (disk, file) = disk_with_file();
    let ones = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == 1).count();
    disk.inject(Fault::Short, On::Any, 0);
    file.write_at(0, &[2; 100]).unwrap();
    disk.inject(Fault::Short, On::Any, 0);
    let mut bytes = [0; 101];
    file.read_at(0, &mut bytes).unwrap();
    assert!(disk.has_fired());
    assert_eq!((ones(&bytes), bytes[..100] == [2; 100]), (1, true));
    for (fault, is_full) in [(Fault::ShortThenIo, false), (Fault::ShortThenNoSpace, true)] {
        disk.inject(fault, On::Any, 0);
        let error = file.write_at(1000, &[3; 100]).unwrap_err();
        assert_eq!(
            matches!(error, StoreError::NoSpace { .. }),
            is_full,
            "{error}"
        );
        let written = contents(&disk).iter().filter(|&&byte| byte == 3).count();
        assert_eq!(written, 51);
    }
}

#[test]
fn a_full_disk_takes_what_it_has_space_for() {
    let (disk, file) = disk_with_file();
    disk.limit_space(1000);
    file.write_at(0, &[2; 4096]).unwrap();
    let refused = file.write_at(4096, &[3; 1001]);
    assert!(matches!(refused, Err(StoreError::NoSpace { .. })));
    assert_eq!(contents(&disk).len(), 5096);
    assert!(matches!(
        file.write_at(5096, &[3]),
        Err(StoreError::NoSpace { .. })
    ));
    disk.heal();
    file.write_at(5096, &[3]).unwrap();
}

#[test]
fn a_lost_sync_loses_bytes_that_are_still_read() {
    let mut lost = 0;
    for before in 0..40 {
        let (disk, file) = disk_with_file();
        // Which part is lost differs with the number of operations before.
        (0..before).for_each(|_| drop(disk.list().unwrap()));
        file.write_at(0, &[2; 4096]).unwrap();
        disk.inject(Fault::LostSync, On::Each(Operation::Sync), 0);
        assert!(matches!(file.sync(), Err(StoreError::Io { .. })));
        file.sync().unwrap();
        assert_eq!(contents(&disk), [2; 4096]);
        let durable = contents(&disk.power_cut(before));
        lost += u32::from(durable != [2; 4096]);
        disk.drop_cache();
        assert_eq!(contents(&disk), durable);
    }
    assert!((1..40).contains(&lost), "{lost} of 40");
}

#[test]
fn a_late_failure_of_a_sync_loses_nothing() {
    let (disk, file) = disk_with_file();
    file.write_at(0, &[2; 4096]).unwrap();
    disk.inject(Fault::LateIo, On::Each(Operation::Sync), 0);
    assert!(matches!(file.sync(), Err(StoreError::Io { .. })));
    assert_eq!(outcomes(&disk), BTreeSet::from([vec![2; 4096]]));
}

#[test]
fn nothing_happens_while_the_power_is_off() {
    let (disk, file) = disk_with_file();
    disk.inject(Fault::PowerOff, On::Changes, 1);
    file.write_at(0, &[2; 512]).unwrap();
    assert!(file.write_at(512, &[2; 512]).is_err());
    assert!(file.write_at(1024, &[2; 512]).is_err());
    assert!(file.sync().is_err());
    assert!(file.read_at(0, &mut [0]).is_err());
    assert!(disk.open("new").is_err());
    let outcomes = outcomes(&disk);
    let kept = |outcome: &Vec<u8>| (outcome[0] == 2, outcome[512] == 2);
    let kept: BTreeSet<_> = outcomes.iter().map(kept).collect();
    assert_eq!(kept.len(), 4, "the write on its way may have come through");
    assert!(outcomes.iter().all(|outcome| outcome[1024..] == [1; 3072]));
}

#[test]
fn damage_is_durable() {
    let (disk, _file) = disk_with_file();
    disk.flip("file", 7, 3);
    let damaged = contents(&disk.power_cut(1));
    assert_eq!((damaged[6], damaged[7], damaged[8]), (1, 9, 1));
    assert_eq!(disk.bytes("file"), damaged);
}
