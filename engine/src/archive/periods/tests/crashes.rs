//! Wherever writing stops, it goes on to the same file.

use super::*;
use std::{fs, path::PathBuf};

const BITS: u32 = 3;
const PAGES: u64 = 1 << BITS;

fn segment(folder: &Path) -> PathBuf {
    folder.join("period-0000000012.seg")
}

fn partial(folder: &Path) -> PathBuf {
    folder.join("period-0000000012.seg.partial")
}

/// The file as an undisturbed writer makes it.
fn undisturbed(all: &[Leaf]) -> Vec<u8> {
    let folder = folder();
    write(&open(folder.path()), PERIOD, all, BITS);
    fs::read(segment(folder.path())).expect("the segment")
}

#[test]
fn no_stop_changes_the_file() {
    let all = leaves(40);
    let expected = undisturbed(&all);
    for done in 0..=PAGES {
        for behind in 0..=PAGES - done {
            for torn in [&[][..], &[0; 5_000], b"PAGE"] {
                let folder = folder();
                let mut writer = open(folder.path()).writer(PERIOD, BITS, 0).expect("new");
                append(&mut writer, &all, BITS, done);
                writer.sync().expect("synced");
                append(&mut writer, &all, BITS, done + behind);
                drop(writer);
                let mut bytes = fs::read(partial(folder.path())).expect("the partial segment");
                bytes.extend_from_slice(torn);
                fs::write(partial(folder.path()), bytes).expect("written");

                let archive = open(folder.path());
                let mut writer = archive.writer(PERIOD, BITS, done).expect("continued");
                assert_eq!(writer.pages_done(), done);
                append(&mut writer, &all, BITS, PAGES);
                assert_eq!(writer.finish().expect("a whole segment"), root(&all));
                assert!(!partial(folder.path()).exists());
                assert!(fs::read(segment(folder.path())).expect("the segment") == expected);
            }
        }
    }
}

/// Directory, levels and footer may be there already, in part or whole, when the name was not given.
#[test]
fn no_stop_before_the_name_changes_the_file() {
    let all = leaves(40);
    let expected = undisturbed(&all);
    for len in (64..=expected.len()).step_by(7) {
        let folder = folder();
        fs::write(partial(folder.path()), &expected[..len]).expect("written");
        let archive = open(folder.path());
        assert_eq!(archive.periods(), []);
        let mut done = PAGES;
        let mut writer = loop {
            match archive.writer(PERIOD, BITS, done) {
                Ok(writer) => break writer,
                Err(PeriodArchiveError::PagesMissing { expected, got, .. }) => {
                    assert_eq!(expected, done);
                    done = got;
                }
                Err(error) => panic!("{error}"),
            }
        };
        append(&mut writer, &all, BITS, PAGES);
        writer.finish().expect("a whole segment");
        assert!(fs::read(segment(folder.path())).expect("the segment") == expected);
    }
}

/// The segment has its name, but whoever seals did not learn of it.
#[test]
fn no_finished_segment_is_lost_by_continuing_it() {
    let all = leaves(40);
    let expected = undisturbed(&all);
    for done in 0..=PAGES {
        for stop in [false, true] {
            let folder = folder();
            write(&open(folder.path()), PERIOD, &all, BITS);
            let archive = open(folder.path());
            let mut writer = archive.writer(PERIOD, BITS, done).expect("continued");
            assert_eq!(writer.pages_done(), done);
            archive
                .prove(PERIOD, &all[3].location)
                .expect("still served");
            if stop {
                append(&mut writer, &all, BITS, PAGES / 2 + done / 2);
                drop(writer);
                writer = archive.writer(PERIOD, BITS, done).expect("continued again");
            }
            append(&mut writer, &all, BITS, PAGES);
            writer.finish().expect("a whole segment");
            archive.verify(PERIOD).expect("no damage");
            assert!(fs::read(segment(folder.path())).expect("the segment") == expected);
        }
    }
}

#[test]
fn no_damaged_partial_segment_is_continued() {
    let all = leaves(10);
    let done = 3;
    let folder = folder();
    let archive = open(folder.path());
    let mut writer = archive.writer(PERIOD, BITS, 0).expect("new");
    append(&mut writer, &all, BITS, done);
    drop(writer);
    let good = fs::read(partial(folder.path())).expect("the partial segment");
    for at in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        fs::write(partial(folder.path()), &bytes).expect("written");
        let refused = archive.writer(PERIOD, BITS, done);
        assert!(
            matches!(
                refused,
                Err(PeriodArchiveError::PagesMissing { expected: 3, .. })
            ),
            "bit {at}: {refused:?}"
        );
    }
    for len in 0..good.len() {
        fs::write(partial(folder.path()), &good[..len]).expect("written");
        let refused = archive.writer(PERIOD, BITS, done);
        assert!(
            matches!(refused, Err(PeriodArchiveError::PagesMissing { .. })),
            "{len} bytes"
        );
    }
    fs::remove_file(partial(folder.path())).expect("removed");
    let refused = archive.writer(PERIOD, BITS, 1);
    assert!(matches!(
        refused,
        Err(PeriodArchiveError::PagesMissing { got: 0, .. })
    ));
}

/// A period is sealed, lives on when blocks are undone, and is sealed again with other leaves, with a
/// restart in between: no page of the first seal comes into the second.
#[test]
fn no_page_of_another_past_is_kept() {
    let folder = folder();
    let (period, bits) = (PeriodId(7), 2);
    let first = leaves(200);
    let mut second = first.clone();
    for leaf in &mut second {
        leaf.value.0[31] ^= 0x55;
    }
    let archive = open(folder.path());
    write(&archive, period, &first, bits);
    for done in 1..4u64 {
        let mut writer = archive.resume(period, bits, &[]).expect("a fresh segment");
        append(&mut writer, &second, bits, done);
        writer.sync().expect("synced");
        drop(writer);
        let nodes: Vec<_> = (0..done).map(|at| page(&second, bits, at).1).collect();
        let mut writer = archive.resume(period, bits, &nodes).expect("continued");
        append(&mut writer, &second, bits, 4);
        assert_eq!(writer.finish().expect("finished"), root(&second));
        archive.verify(period).expect("whole");
        // The first seal's segment again, for the next round.
        write(&archive, period, &first, bits);
    }
}
