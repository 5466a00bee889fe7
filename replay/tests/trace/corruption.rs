//! No damage to a finished file may pass a full reading of it.

use crate::blocks::{block, empty_block, write};
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use thinstate_formats::BlockNumber;
use thinstate_formats::trace::{BlockTrace, TraceError, encode_frame};
use thinstate_replay::trace::{TraceFileError, TraceReader};

/// Opens strictly and reads every block.
fn read_all(path: &Path) -> Result<Vec<BlockTrace>, TraceFileError> {
    TraceReader::open(path)?.blocks().collect()
}

/// Reads `bytes` as a file, which must fail as a damaged trace does.
fn refused(path: &Path, bytes: &[u8], what: &str) -> TraceError {
    fs::write(path, bytes).expect("a disk with room");
    said_damaged(path, what)
}

/// Reads the file, which must fail with what is wrong in its bytes.
fn said_damaged(path: &Path, what: &str) -> TraceError {
    match read_all(path) {
        Err(TraceFileError::Format { source, .. }) => source,
        Err(other) => panic!("{what}: not said to be damaged: {other}"),
        Ok(_) => panic!("{what}: passed"),
    }
}

fn small_file(directory: &Path) -> Vec<u8> {
    let path = write(directory, &[block(1), empty_block(2), block(4)]);
    assert_eq!(read_all(&path).expect("just written").len(), 3);
    fs::read(path).expect("just written")
}

/// One byte at a time is changed in place and put back: a new file for each of thousands of bits
/// takes most of a minute on some file systems.
#[test]
fn no_flipped_bit_passes() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("damaged.trace");
    let bytes = small_file(directory.path());
    fs::write(&path, &bytes).expect("a disk with room");
    let file = fs::File::options()
        .write(true)
        .open(&path)
        .expect("just written");
    let put = |at: usize, byte: u8| file.write_all_at(&[byte], at as u64).expect("room");
    for (at, byte) in bytes.iter().enumerate() {
        for bit in 0..8 {
            put(at, byte ^ (1 << bit));
            said_damaged(&path, &format!("byte {at}, bit {bit}"));
        }
        put(at, *byte);
    }
    assert_eq!(read_all(&path).expect("all is put back").len(), 3);
}

#[test]
fn no_cut_passes() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("damaged.trace");
    let bytes = small_file(directory.path());
    for len in 0..bytes.len() {
        refused(&path, &bytes[..len], &format!("cut at {len}"));
    }
}

#[test]
fn no_appendix_passes() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("damaged.trace");
    let bytes = small_file(directory.path());
    let footer = &bytes[bytes.len() - 40..];
    let appendices: [&[u8]; 5] = [&[0], &[0; 40], footer, &bytes[32..], &bytes];
    for appendix in appendices {
        let longer = [&bytes[..], appendix].concat();
        refused(&path, &longer, &format!("{} bytes more", appendix.len()));
    }
}

/// The file's frames are whole, but not where, or not those, that the index says.
#[test]
fn no_frame_in_the_place_of_another_passes() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("damaged.trace");
    let bytes = small_file(directory.path());
    let [one, two, three] = [block(1), empty_block(2), block(4)]
        .map(|block| encode_frame(&block).expect("rules kept").len());
    let frame_ends = [32, 32 + one, 32 + one + two, 32 + one + two + three];
    let frame = |position: usize| &bytes[frame_ends[position]..frame_ends[position + 1]];
    let around =
        |frames: [&[u8]; 3]| [&bytes[..32], &frames.concat(), &bytes[frame_ends[3]..]].concat();
    assert_eq!(around([frame(0), frame(1), frame(2)]), bytes);

    let error = refused(&path, &around([frame(1), frame(0), frame(2)]), "swapped");
    assert!(error.to_string().contains("offset"), "{error}");

    let mut renumbered = block(5);
    renumbered.timestamp = block(4).timestamp;
    let renumbered = encode_frame(&renumbered).expect("rules kept");
    refused(
        &path,
        &around([frame(0), frame(1), &renumbered]),
        "another block",
    );
}

#[test]
fn no_error_hides_where_it_is() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("damaged.trace");
    let bytes = small_file(directory.path());
    let first = encode_frame(&block(1)).expect("rules kept").len();
    let second = 32 + first;
    let table = [
        (0, "file header at offset 0: expected magic".to_owned()),
        (8, "file header: expected version 1".to_owned()),
        (16, "file header at offset 0: expected checksum".to_owned()),
        (32, "frame header at offset 32: expected magic".to_owned()),
        (
            40,
            "frame header at offset 32: expected checksum".to_owned(),
        ),
        (64, "payload at offset 64: expected checksum".to_owned()),
        (
            second + 8,
            format!("frame header at offset {second}: expected checksum"),
        ),
        (
            second + 32,
            format!("payload at offset {}: expected checksum", second + 32),
        ),
        (
            bytes.len() - 41,
            format!("index at offset {}", bytes.len() - 104),
        ),
        (
            bytes.len() - 40,
            format!("footer at offset {}", bytes.len() - 40),
        ),
        (
            bytes.len() - 1,
            format!("footer at offset {}: expected magic", bytes.len() - 40),
        ),
    ];
    for (at, expected) in table {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let error = refused(&path, &damaged, &expected).to_string();
        assert!(error.starts_with(&expected), "byte {at}: {error}");
    }
}

/// Blocks before the damage are still read; none is after it.
#[test]
fn nothing_is_read_behind_the_damage() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("damaged.trace");
    let mut bytes = small_file(directory.path());
    let second = 32 + encode_frame(&block(1)).expect("rules kept").len();
    bytes[second + 40] ^= 1;
    fs::write(&path, &bytes).expect("a disk with room");
    let reader = TraceReader::open(&path).expect("header, index and footer are whole");
    let blocks: Vec<_> = reader.blocks().collect();
    assert_eq!(blocks.len(), 2);
    assert!(blocks[0].is_ok() && blocks[1].is_err());
    assert_eq!(
        reader.block(BlockNumber(4)).expect("asked for by name"),
        Some(block(4))
    );
    assert!(reader.info().is_err());
}

#[test]
fn no_file_that_shrinks_while_open_panics() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = write(directory.path(), &[block(1), block(2)]);
    let reader = TraceReader::open(&path).expect("just written");
    let file = fs::File::options()
        .write(true)
        .open(&path)
        .expect("just written");
    file.set_len(100).expect("a shorter file");
    let error = reader.block(BlockNumber(2)).expect_err("gone");
    assert!(
        matches!(
            &error,
            TraceFileError::Format {
                source: TraceError::Truncated { .. },
                ..
            }
        ),
        "{error}"
    );
}
