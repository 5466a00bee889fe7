//! Results with a flipped bit, cut off, or of two runs mixed: errors that say so, never figures.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "support/runs.rs"]
mod runs;

use runs::{record, record_with};
use std::{fs, path::Path};
use thinstate_replay::measure::{Blocks, ReadError, RecordedRun};

/// Reads everything that a comparison reads.
fn read(dir: &Path) -> Result<(), ReadError> {
    RecordedRun::open(dir)?.blocks().map(|_| ())
}

/// Reads a damaged file, and puts it right again.
fn read_damaged(dir: &Path, file: &str, bytes: &[u8]) -> Result<(), ReadError> {
    let path = dir.join(file);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    let outcome = read(dir);
    fs::write(&path, whole).unwrap();
    outcome
}

#[test]
fn no_flipped_bit_goes_unseen() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), 6, 1.0);
    read(dir.path()).unwrap();
    for file in ["result.json", "blocks.csv"] {
        let whole = fs::read(dir.path().join(file)).unwrap();
        for at in (0..whole.len()).step_by(97) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            let outcome = read_damaged(dir.path(), file, &bytes);
            assert!(
                matches!(outcome, Err(ReadError::Checksum { .. })),
                "{file}, byte {at}: {outcome:?}"
            );
        }
    }
}

/// Without the sums beside them, what cannot be parsed is an error, and rows must add up to the result's sums.
#[test]
fn no_damage_is_a_panic_where_sums_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), 6, 1.0);
    fs::remove_file(dir.path().join("SHA256SUMS")).unwrap();
    for file in ["result.json", "blocks.csv"] {
        let whole = fs::read(dir.path().join(file)).unwrap();
        for at in (0..whole.len()).step_by(53) {
            let cut = read_damaged(dir.path(), file, &whole[..at]);
            assert!(cut.is_err(), "{file} cut to {at} bytes");
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            // A digit of a figure may become another one: then there is no error to expect, but no panic either.
            let _ = read_damaged(dir.path(), file, &bytes);
        }
    }
}

#[test]
fn rows_of_another_run_are_refused() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    record(dir.path(), 6, 1.0);
    record(other.path(), 6, 1.5);
    fs::remove_file(dir.path().join("SHA256SUMS")).unwrap();
    let csv = fs::read(other.path().join("blocks.csv")).unwrap();
    let outcome = read_damaged(dir.path(), "blocks.csv", &csv);
    assert!(
        matches!(outcome, Err(ReadError::Disagrees { .. })),
        "{outcome:?}"
    );
}

#[test]
fn other_schemas_and_torn_sums_are_named() {
    let dir = tempfile::tempdir().unwrap();
    record_with(dir.path(), 6, 1.0, |it| {
        it.schema = "thinstate-run/9".to_owned()
    });
    let outcome = read(dir.path());
    let Err(ReadError::Schema { got, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(got, "thinstate-run/9");
    let outcome = read_damaged(dir.path(), "SHA256SUMS", b"");
    assert!(
        matches!(outcome, Err(ReadError::NotInSums { .. })),
        "{outcome:?}"
    );
    let outcome = read_damaged(dir.path(), "SHA256SUMS", b"what is this\n");
    assert!(
        matches!(outcome, Err(ReadError::Sums { line: 1, .. })),
        "{outcome:?}"
    );
}

#[test]
fn a_bad_row_is_named_by_its_line() {
    let header = "block_number,warm_up,total_ns,state_root,commitment\n";
    let hash = format!("0x{}", "11".repeat(32));
    let good = format!("7,0,5,,{hash}\n");
    let bad = [
        format!("7,0,5,{hash}\n"),
        format!("7,2,5,,{hash}\n"),
        format!("7,0,-5,,{hash}\n"),
        format!("7,0,99999999999999999999,,{hash}\n"),
        "7,0,5,,0x11\n".to_owned(),
        format!("7,0,5,x,{hash}\n"),
        "\n".to_owned(),
        format!("7,0,5,,{hash}"),
    ];
    let parse = |text: &str| Blocks::parse(Path::new("blocks.csv"), text);
    assert_eq!(parse(&format!("{header}{good}")).unwrap().len(), 1);
    for row in bad {
        let outcome = parse(&format!("{header}{good}{row}"));
        assert!(
            matches!(outcome, Err(ReadError::Row { line: 3, .. })),
            "{row}: {outcome:?}"
        );
    }
    for text in [
        "",
        "\n",
        "block_number,warm_up\n",
        &header.replace("total_ns", "warm_up"),
    ] {
        let outcome = parse(text);
        assert!(
            matches!(outcome, Err(ReadError::Row { .. })),
            "{text}: {outcome:?}"
        );
    }
}
