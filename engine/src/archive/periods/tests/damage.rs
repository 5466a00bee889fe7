//! Every flipped bit and every cut of a segment is found.

use super::*;
use crate::archive::periods::SegmentFault;
use std::{fs, path::PathBuf};

const BITS: u32 = 2;

/// A segment whose third page is empty, its file, and its leaves.
fn segment() -> (TempDir, PathBuf, Vec<u8>, Vec<Leaf>) {
    let folder = folder();
    let mut all = leaves(12);
    all.retain(|leaf| page_of(&leaf.location, BITS) != 2);
    write(&open(folder.path()), PERIOD, &all, BITS);
    let path = folder.path().join("period-0000000012.seg");
    let bytes = fs::read(&path).expect("the segment");
    (folder, path, bytes, all)
}

/// Puts another file in place of the segment, as a mapping of the first may be in use.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).expect("removed");
    fs::write(path, bytes).expect("written");
}

fn try_open(path: &Path, check: Check) -> Result<PeriodArchive, PeriodArchiveError> {
    PeriodArchive::open(path.parent().expect("a folder"), HASH, check)
}

/// Reads everything in every way. `Ok` if all of it is right.
fn read_all(archive: &PeriodArchive, all: &[Leaf]) -> Result<(), PeriodArchiveError> {
    assert_eq!(archive.segment(PERIOD)?.root, root(all));
    let listed: Vec<_> = archive.leaves(PERIOD)?.collect::<Result<_, _>>()?;
    assert_eq!(listed, all);
    for (index, leaf) in (0u64..).zip(all) {
        assert_eq!(archive.leaf(PERIOD, &leaf.location)?, Some(*leaf));
        assert_eq!(archive.leaf_at(PERIOD, index.into())?, *leaf);
        archive.prove(PERIOD, &leaf.location)?;
    }
    archive.prove(PERIOD, &B256::repeat_byte(0x80)).map(drop)
}

#[test]
fn no_flipped_bit_is_missed() {
    let (_folder, path, good, all) = segment();
    let mut found_later = 0;
    for at in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        replace(&path, &bytes);
        let error = try_open(&path, Check::Everything).expect_err("a flipped bit");
        assert!(
            matches!(error, PeriodArchiveError::Damaged { .. }),
            "bit {at}: {error}"
        );
        assert!(error.to_string().contains("offset"), "bit {at}: {error}");
        if let Ok(archive) = try_open(&path, Check::Structure) {
            // In a page: found when it is read. The header of an empty page is never read.
            found_later += u32::from(read_all(&archive, &all).is_err());
        }
    }
    assert!(found_later > 8 * 300, "{found_later} bits found on reading");
    replace(&path, &good);
    let archive = try_open(&path, Check::Everything).expect("no damage");
    read_all(&archive, &all).expect("no damage");
}

#[test]
fn no_cut_or_longer_file_is_mapped() {
    let (_folder, path, good, _) = segment();
    let check = |bytes: &[u8]| {
        replace(&path, bytes);
        let error = try_open(&path, Check::Structure).expect_err("another length");
        assert!(
            matches!(error, PeriodArchiveError::Damaged { .. }),
            "{error}"
        );
    };
    (0..good.len()).for_each(|len| check(&good[..len]));
    check(&[&good[..], &[0]].concat());
    check(&[&good[..], &good].concat());
    check(&[&[0][..], &good].concat());
    check(
        &[
            &good[..good.len() - 128],
            &[0; 64],
            &good[good.len() - 128..],
        ]
        .concat(),
    );
}

/// All checksums right, contents not: someone wrote another tree under the same footer.
#[test]
fn no_other_contents_under_good_checksums_are_served() {
    let (_folder, path, good, all) = segment();
    let first = &all[0];
    let value_at = good
        .windows(32)
        .position(|window| window == first.location.as_slice())
        .expect("the first leaf")
        + 33;
    let mut bytes = good.clone();
    bytes[value_at] ^= 1;
    let page_bytes = u32::from_le_bytes(bytes[76..80].try_into().expect("four bytes")) as usize;
    let crc = crc32fast::hash(&bytes[128..128 + page_bytes]).to_le_bytes();
    bytes[112..116].copy_from_slice(&crc);
    let header_crc = crc32fast::hash(&bytes[64..124]).to_le_bytes();
    bytes[124..128].copy_from_slice(&header_crc);
    let footer = bytes.len() - 128;
    let directory: [u8; 8] = bytes[footer + 64..footer + 72]
        .try_into()
        .expect("eight bytes");
    let directory = u64::from_le_bytes(directory) as usize;
    bytes[directory + 12..directory + 16].copy_from_slice(&crc);
    let directory_crc = crc32fast::hash(&bytes[directory..directory + 64]).to_le_bytes();
    bytes[footer + 12..footer + 16].copy_from_slice(&directory_crc);
    let footer_crc = crc32fast::hash(&bytes[footer..footer + 124]).to_le_bytes();
    bytes[footer + 124..].copy_from_slice(&footer_crc);
    replace(&path, &bytes);
    let fault = |error| match error {
        PeriodArchiveError::Damaged { fault, .. } => *fault,
        error => panic!("{error}"),
    };
    let on_opening = fault(try_open(&path, Check::Everything).expect_err("another value"));
    assert!(
        matches!(on_opening, SegmentFault::Hash { offset: 128, .. }),
        "{on_opening}"
    );
    let archive = try_open(&path, Check::Structure).expect("the tree over the pages is good");
    let on_proving = fault(
        archive
            .prove(PERIOD, &first.location)
            .expect_err("another value"),
    );
    assert_eq!(on_proving, on_opening);
}

#[test]
fn no_segment_of_another_period_or_function_is_taken() {
    let (folder, path, good, _) = segment();
    let other = folder.path().join("period-0000000013.seg");
    fs::write(&other, &good).expect("written");
    let error = try_open(&path, Check::Structure).expect_err("another period's name");
    assert!(
        error.to_string().ends_with("expected period 13, got 12"),
        "{error}"
    );
    fs::remove_file(&other).expect("removed");
    let error = PeriodArchive::open(folder.path(), HashKind::Sha256, Check::Structure);
    let error = error.expect_err("another hash function");
    assert!(
        error
            .to_string()
            .ends_with("expected hash function 3, got 1"),
        "{error}"
    );
    fs::write(folder.path().join("period-13.seg"), b"no name of ours").expect("written");
    fs::write(folder.path().join("notes.txt"), b"not ours").expect("written");
    assert_eq!(open(folder.path()).periods(), [PERIOD]);
}
