//! Damaged bytes: named, and never served.

use super::super::super::{LeafRead as _, LeafStore as _, StoreError, Table};
use super::super::disk::{Disk as _, SimDisk};
use super::script::{Step, Tables, run_on, script, small_commit};
use super::{dump, open, reopened};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const PAGES: &str = "pages";
const PAGE_BYTES: usize = 1024;

/// A closed store with entries in pages, in blobs and in the log.
struct Filled {
    disk: SimDisk,
    state: Tables,
    /// The states that its last records lead to; the last one is `state`.
    tail: Vec<Tables>,
}

/// Runs a script, a checkpoint, and a few small commits.
fn filled(script_seed: u64) -> Filled {
    let mut steps = script(script_seed, 60);
    // What a snapshot needs cannot be compacted, and does not matter to the next opening.
    steps.retain(|step| !matches!(step, Step::Hold));
    let disk = SimDisk::new();
    steps.push(Step::Compact);
    let mut state = steps
        .iter()
        .fold(Tables::default(), |state, step| step.apply(&state));
    let mut tail = vec![state.clone()];
    for number in 0..4 {
        let step = small_commit(number);
        state = step.apply(&state);
        tail.push(state.clone());
        steps.push(step);
    }
    assert!(run_on(&disk, &steps).failure.is_none());
    // What is damaged is durable, and what no opening needs is gone.
    reopened(&disk, &[&state], "undamaged");
    let disk = disk.power_cut(0);
    Filled { disk, state, tail }
}

/// Every way to read either gives what was written or names the damage; the log may end with any of
/// the states of `tail`. Says whether the damage was named.
fn is_named(disk: &SimDisk, tail: &[Tables], context: &str) -> bool {
    let store = match open(disk) {
        Ok(store) => store,
        Err(error) => {
            assert_corrupt(&error, context);
            return true;
        }
    };
    let read = store.snapshot();
    let (mut is_named, mut state) = (false, None);
    match dump(&read) {
        Ok(found) => {
            state = tail.iter().find(|state| **state == found);
            assert!(state.is_some(), "{context}: other entries were served");
        }
        Err(error) => {
            assert_corrupt(&error, context);
            is_named = true;
        }
    }
    // Where not all can be read, what can be is of the last state: only pages are damaged then.
    let state = state.unwrap_or_else(|| tail.last().unwrap());
    for table in Table::ALL {
        for (key, value) in &state[table as usize] {
            match read.get(table, key) {
                Ok(found) => assert_eq!(found.as_ref(), Some(value), "{context}"),
                Err(error) => {
                    assert_corrupt(&error, context);
                    is_named = true;
                }
            }
            match read.last_at_or_before(table, key, &[]) {
                Ok(found) => assert!(found.is_some_and(|found| found.0 == *key), "{context}"),
                Err(error) => assert_corrupt(&error, context),
            }
        }
    }
    is_named
}

/// The error says what is damaged, and how it was found out.
fn assert_corrupt(error: &StoreError, context: &str) {
    let StoreError::Corrupt { path, message } = error else {
        panic!("{context}: {error}");
    };
    assert!(
        path.file_name().is_some() && message.len() > 10,
        "{context}: {error}"
    );
}

/// Pages of the file.
fn pages(disk: &SimDisk) -> usize {
    disk.bytes(PAGES).len() / PAGE_BYTES
}

/// A copy of the disk, with a file changed.
fn damaged(disk: &SimDisk, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> SimDisk {
    let disk = disk.power_cut(0);
    disk.damage(name, change);
    disk
}

#[test]
fn flipped_bits_of_pages_are_never_served() {
    let Filled { disk, state, .. } = filled(300);
    let random = &mut ChaCha8Rng::seed_from_u64(301);
    let mut named = 0;
    let mut flips = 0;
    for page in 0..pages(&disk) {
        // The header, some of what lies behind it, the end.
        let mut offsets = vec![0, 4, 9, 17, 21, 25, 30, PAGE_BYTES - 1];
        offsets.extend((0..6).map(|_| random.random_range(0..PAGE_BYTES)));
        for offset in offsets {
            let at = page * PAGE_BYTES + offset;
            let bit = random.random_range(0..8);
            let damaged = damaged(&disk, PAGES, |bytes| bytes[at] ^= 1 << bit);
            let context = format!("page {page}, byte {offset}, bit {bit}");
            named += u32::from(is_named(&damaged, std::slice::from_ref(&state), &context));
            flips += 1;
        }
    }
    // The others lie in free pages, in the older superblock, or behind the end of large values.
    assert!(named > flips / 4, "{named} of {flips} flips mattered");
}

#[test]
fn flipped_bits_of_the_log_are_never_served() {
    let Filled { disk, tail, .. } = filled(310);
    let mut named = 0;
    for (name, len) in logs(&disk) {
        for at in 0..len {
            let bit = at % 8;
            let damaged = damaged(&disk, &name, |bytes| bytes[at] ^= 1 << bit);
            // The last record may count as torn; none before it.
            let allowed = &tail[tail.len() - 2..];
            let context = format!("{name}, byte {at}, bit {bit}");
            named += u32::from(is_named(&damaged, allowed, &context));
        }
    }
    assert!(named > 100, "{named} flips were named");
}

/// Names and lengths of the segments of the log, without the zeros at their end.
fn logs(disk: &SimDisk) -> Vec<(String, usize)> {
    let used = |bytes: Vec<u8>| {
        bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1)
    };
    disk.list()
        .unwrap()
        .into_iter()
        .filter(|name| name != PAGES)
        .map(|name| (used(disk.bytes(&name)), name))
        .map(|(len, name)| (name, len))
        .collect()
}

#[test]
fn a_log_that_was_cut_never_shows_half_a_block() {
    let Filled { disk, tail, .. } = filled(320);
    for (name, len) in logs(&disk) {
        for at in 0..len {
            let damaged = damaged(&disk, &name, |bytes| bytes.truncate(at));
            is_named(&damaged, &tail, &format!("{name} cut at {at}"));
        }
    }
}

#[test]
fn a_missing_log_is_named() {
    let Filled { disk, state, .. } = filled(330);
    let logs = logs(&disk);
    assert!(logs.iter().any(|(_, len)| *len > 0));
    for (name, len) in logs.clone() {
        let without = disk.power_cut(0);
        without.remove(&name).unwrap();
        let named = is_named(&without, std::slice::from_ref(&state), &name);
        assert_eq!(named, len > 0, "{name} of {logs:?}");
    }
}

#[test]
fn misdirected_writes_are_never_served() {
    let Filled { disk, state, .. } = filled(340);
    let random = &mut ChaCha8Rng::seed_from_u64(341);
    let count = pages(&disk);
    let mut named = 0;
    for target in 0..count {
        for _ in 0..4 {
            let source = random.random_range(0..count);
            let damaged = damaged(&disk, PAGES, |bytes| {
                let page = source * PAGE_BYTES..(source + 1) * PAGE_BYTES;
                bytes.copy_within(page, target * PAGE_BYTES);
            });
            let context = format!("page {source} over page {target}");
            named += u32::from(is_named(&damaged, std::slice::from_ref(&state), &context));
        }
    }
    assert!(
        named as usize > count / 2,
        "{named} of {count} pages mattered"
    );
}

#[test]
fn a_file_of_pages_that_was_cut_is_named() {
    let Filled { disk, state, .. } = filled(360);
    let len = disk.bytes(PAGES).len();
    for at in (1..len).step_by(500) {
        let damaged = damaged(&disk, PAGES, |bytes| bytes.truncate(at));
        let context = format!("cut at {at} of {len}");
        let named = is_named(&damaged, std::slice::from_ref(&state), &context);
        assert!(named || at > len / 2, "{context}");
    }
}

#[test]
fn a_store_without_its_pages_never_opens_as_an_empty_one() {
    let Filled { disk, .. } = filled(370);
    disk.remove(PAGES).unwrap();
    assert!(matches!(open(&disk), Err(StoreError::Corrupt { .. })));
    for bytes in [Vec::new(), vec![0; 8192], b"something else".repeat(1000)] {
        let Filled { disk, .. } = filled(371);
        disk.damage(PAGES, |pages| *pages = bytes);
        assert!(matches!(open(&disk), Err(StoreError::Corrupt { .. })));
    }
}
