//! What a killed writer leaves must give every whole block, and nothing that is not whole.

use crate::blocks::{HEADER, block, write};
use std::fs;
use std::path::Path;
use thinstate_formats::trace::encode_frame;
use thinstate_replay::trace::{Recovery, TraceReader, TraceWriter, partial_path};

/// Recovers `bytes`; the blocks that come back must be the first of `0..`.
fn recover(path: &Path, bytes: &[u8]) -> Recovery {
    fs::write(path, bytes).expect("a disk with room");
    let (reader, recovery) = TraceReader::recover(path).expect("a good file header");
    assert_eq!(reader.len(), recovery.blocks);
    assert_eq!(recovery.file_bytes, bytes.len() as u64);
    for (number, read) in (0..).zip(reader.blocks()) {
        assert_eq!(read.expect("recovered blocks are whole"), block(number));
    }
    recovery
}

/// Where each of the first blocks' frames ends.
fn frame_ends(blocks: u64) -> Vec<u64> {
    let mut ends = vec![32];
    for number in 0..blocks {
        let frame = encode_frame(&block(number)).expect("rules kept");
        ends.push(ends[ends.len() - 1] + frame.len() as u64);
    }
    ends
}

#[test]
fn no_whole_block_is_lost_wherever_the_file_is_cut() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = write(directory.path(), &[block(0), block(1), block(2)]);
    let bytes = fs::read(&path).expect("just written");
    let ends = frame_ends(3);
    for len in 0..bytes.len() {
        if len < 32 {
            fs::write(&path, &bytes[..len]).expect("a disk with room");
            assert!(
                TraceReader::recover(&path).is_err(),
                "no file header at {len}"
            );
            continue;
        }
        let recovery = recover(&path, &bytes[..len]);
        let whole = ends.iter().filter(|end| **end <= len as u64).count() - 1;
        assert_eq!(recovery.blocks, whole, "cut at {len}");
        assert_eq!(recovery.trusted_bytes, ends[whole], "cut at {len}");
        assert!(recovery.cause.is_some(), "cut at {len}");
    }
    let recovery = recover(&path, &bytes);
    assert_eq!(recovery.blocks, 3);
    assert_eq!(recovery.trusted_bytes, bytes.len() as u64);
    assert!(recovery.cause.is_none());
}

#[test]
fn no_damaged_block_is_recovered_wherever_a_bit_flips() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = write(directory.path(), &[block(0), block(1), block(2)]);
    let bytes = fs::read(&path).expect("just written");
    let ends = frame_ends(3);
    for at in 32..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        let recovery = recover(&path, &damaged);
        let whole = ends.iter().filter(|end| **end <= at as u64).count() - 1;
        assert_eq!(recovery.blocks, whole, "byte {at}");
        assert_eq!(recovery.trusted_bytes, ends[whole], "byte {at}");
        assert!(recovery.cause.is_some(), "byte {at}");
    }
}

#[test]
fn no_block_of_a_dropped_writer_is_lost() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("killed.trace");
    let mut writer = TraceWriter::create(&path, HEADER).expect("an empty directory");
    for number in 0..5 {
        writer.push(&block(number)).expect("room");
    }
    let written = writer.bytes();
    drop(writer);
    assert!(!path.exists());
    assert!(
        TraceReader::open(partial_path(&path)).is_err(),
        "not finished"
    );
    let (reader, recovery) = TraceReader::recover(partial_path(&path)).expect("a good header");
    assert_eq!(recovery.blocks, 5);
    assert_eq!(recovery.trusted_bytes, written);
    assert_eq!(reader.blocks().filter(Result::is_ok).count(), 5);
}

/// A power cut may leave zeros where the last writes were to go.
#[test]
fn no_zeros_are_taken_for_blocks() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = write(directory.path(), &[block(0), block(1)]);
    let bytes = fs::read(&path).expect("just written");
    let end = frame_ends(1)[1] as usize;
    let zeros = [&bytes[..end], &[0; 4096][..]].concat();
    let recovery = recover(&path, &zeros);
    assert_eq!((recovery.blocks, recovery.trusted_bytes), (1, end as u64));

    let repeated = [&bytes[..end], &bytes[32..end]].concat();
    let recovery = recover(&path, &repeated);
    assert_eq!(recovery.blocks, 1, "the same block twice");
}
