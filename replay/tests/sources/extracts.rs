//! Parquet files as cryo writes them must become the traces that their rows describe.

use alloy_primitives::{Address, B256, U256, hex};
use arrow_array::{
    ArrayRef, BinaryArray, Float64Array, LargeBinaryArray, RecordBatch, StringArray, UInt32Array,
    UInt64Array,
};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};
use thinstate_formats::{
    BlockNumber,
    trace::{BlockTrace, SlotAccess, encode_record},
};
use thinstate_replay::source::{
    known::KnownState,
    parquet::{Extract, ExtractError, find},
};

/// One row: block, transaction, address, slot, from, to.
type Line = (u32, Option<u32>, u8, u64, u64, u64);

fn array(of: impl arrow_array::Array + 'static) -> ArrayRef {
    Arc::new(of)
}

fn words(lines: &[Line], value: fn(&Line) -> u64) -> Vec<Vec<u8>> {
    let word = |line| U256::from(value(line)).to_be_bytes_vec();
    lines.iter().map(word).collect()
}

fn binary(bytes: &[Vec<u8>]) -> ArrayRef {
    array(BinaryArray::from_iter_values(bytes))
}

fn common(lines: &[Line]) -> Vec<(&'static str, ArrayRef)> {
    let blocks = lines.iter().map(|line| line.0);
    let txs = lines.iter().map(|line| line.1);
    let chains = lines.iter().map(|_| 1u64);
    let hashes: Vec<_> = lines.iter().map(|_| B256::ZERO.to_vec()).collect();
    vec![
        ("block_number", array(UInt32Array::from_iter_values(blocks))),
        ("transaction_index", array(UInt32Array::from_iter(txs))),
        ("transaction_hash", binary(&hashes)),
        ("chain_id", array(UInt64Array::from_iter_values(chains))),
    ]
}

fn addresses(lines: &[Line]) -> Vec<Vec<u8>> {
    let address = |line: &Line| Address::with_last_byte(line.2).to_vec();
    lines.iter().map(address).collect()
}

fn write(folder: &Path, dataset: &str, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let path = folder.join(format!("ethereum__{dataset}__00000100_to_00000199.parquet"));
    let properties = WriterProperties::builder().set_compression(Compression::LZ4_RAW);
    let file = File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn storage_diffs(folder: &Path, lines: &[Line]) -> PathBuf {
    let mut columns = common(lines);
    columns.push(("address", binary(&addresses(lines))));
    columns.push(("slot", binary(&words(lines, |line| line.3))));
    columns.push(("from_value", binary(&words(lines, |line| line.4))));
    columns.push(("to_value", binary(&words(lines, |line| line.5))));
    write(folder, "storage_diffs", columns)
}

/// With the wide offsets that older polars has.
fn storage_reads(folder: &Path, lines: &[Line]) -> PathBuf {
    let wide = |bytes: &[Vec<u8>]| array(LargeBinaryArray::from_iter_values(bytes));
    let mut columns = common(lines);
    columns.push(("contract_address", wide(&addresses(lines))));
    columns.push(("slot", wide(&words(lines, |line| line.3))));
    columns.push(("value", wide(&words(lines, |line| line.4))));
    write(folder, "storage_reads", columns)
}

/// With all three columns of a number of 256 bits.
fn account_diffs(folder: &Path, dataset: &str, lines: &[Line]) -> PathBuf {
    let mut columns = common(lines);
    columns.push(("address", binary(&addresses(lines))));
    for (name, value) in [
        ("from_value", (|line| line.4) as fn(&Line) -> u64),
        ("to_value", |line| line.5),
    ] {
        let names = ["binary", "string", "f64"].map(|kind| &*format!("{name}_{kind}").leak());
        let decimal = lines.iter().map(|line| value(line).to_string());
        let float = lines.iter().map(|line| value(line) as f64);
        columns.push((names[0], binary(&words(lines, value))));
        columns.push((names[1], array(StringArray::from_iter_values(decimal))));
        columns.push((names[2], array(Float64Array::from_iter_values(float))));
    }
    write(folder, dataset, columns)
}

fn extract(folder: &Path) -> Result<Extract, ExtractError> {
    Extract::read(&find(&[folder.into()])?, 1)
}

fn traces(folder: &Path) -> Vec<BlockTrace> {
    let extract = extract(folder).unwrap();
    let mut known = KnownState::new();
    let trace = |number| {
        let trace = extract.trace(number, None, &mut known).unwrap();
        encode_record(&trace).expect("a trace that keeps the rules");
        trace
    };
    extract.numbers().map(trace).collect()
}

fn slot(address: u8, slot: u64, before: u64, after: u64) -> SlotAccess {
    let [slot, before, after] = [slot, before, after].map(U256::from);
    SlotAccess::write(Address::with_last_byte(address), slot, before, after)
}

#[test]
fn no_row_is_lost_on_its_way_into_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    storage_diffs(
        at,
        &[(100, Some(0), 1, 7, 0, 5), (101, Some(2), 1, 7, 5, 0)],
    );
    storage_reads(
        at,
        &[
            (100, Some(0), 1, 7, 0, 0),
            (100, Some(0), 1, 8, 9, 0),
            (100, Some(1), 2, 3, 0, 0),
        ],
    );
    account_diffs(
        at,
        "balance_diffs",
        &[(100, Some(0), 9, 0, 50, 40), (101, Some(2), 9, 0, 40, 0)],
    );
    account_diffs(at, "nonce_diffs", &[(100, Some(0), 9, 0, 3, 4)]);
    let traces = traces(at);
    let [first, second] = &traces[..] else {
        panic!("{traces:?}")
    };
    assert_eq!((first.number, first.tx_count), (BlockNumber(100), 2));
    assert_eq!(first.accesses[0].index.get(), 1);
    assert_eq!(
        first.accesses[0].slots,
        [slot(1, 7, 0, 5), slot(1, 8, 9, 9)]
    );
    assert_eq!(first.accesses[1].slots, [slot(2, 3, 0, 0)]);
    assert_eq!((second.number, second.tx_count), (BlockNumber(101), 3));
    assert_eq!(second.accesses[0].slots, [slot(1, 7, 5, 0)]);

    let sender = first.accesses[0].accounts[1];
    assert_eq!(sender.address, Address::with_last_byte(9));
    let (before, after) = (sender.before().unwrap(), sender.after().unwrap());
    assert_eq!((before.nonce, before.balance), (3, U256::from(50)));
    assert_eq!((after.nonce, after.balance), (4, U256::from(40)));
    let later = second.accesses[0].accounts[1];
    assert_eq!(later.before(), Some(after), "what block 100 left");
    let contract = first.accesses[0].accounts[0];
    assert_eq!(contract.before(), contract.after());
    assert_eq!(second.accesses[0].accounts[0].before(), contract.after());
}

#[test]
fn hex_columns_never_mean_something_else() {
    let lines = [(100, Some(0), 1, 7, 0, 5)];
    let [one, two] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    storage_diffs(one.path(), &lines);
    let text = |bytes: Vec<Vec<u8>>| {
        let digits = bytes.iter().map(|it| format!("0x{}", hex::encode(it)));
        array(StringArray::from_iter_values(digits))
    };
    let mut columns = common(&lines);
    columns.push(("address", text(addresses(&lines))));
    columns.push(("slot", text(words(&lines, |line| line.3))));
    columns.push(("from_value", text(words(&lines, |line| line.4))));
    columns.push(("to_value", text(words(&lines, |line| line.5))));
    write(two.path(), "storage_diffs", columns);
    assert_eq!(traces(one.path()), traces(two.path()));
}

#[test]
fn rows_that_contradict_each_other_are_refused() {
    let refused = |diffs: &[Line], reads: &[Line]| {
        let folder = tempfile::tempdir().unwrap();
        storage_diffs(folder.path(), diffs);
        storage_reads(folder.path(), reads);
        extract(folder.path()).unwrap_err()
    };
    let read = (100, Some(0), 1, 7, 4, 0);
    let other = refused(&[(100, Some(0), 1, 7, 0, 5)], &[read]);
    assert!(matches!(other, ExtractError::Disagree(_)), "{other}");
    let twice = refused(
        &[(100, Some(0), 1, 7, 4, 5), (100, Some(0), 1, 7, 4, 6)],
        &[read],
    );
    assert!(matches!(twice, ExtractError::Disagree(_)), "{twice}");

    let folder = tempfile::tempdir().unwrap();
    let lines = [(100, Some(0), 9, 0, 50, 40), (100, Some(0), 9, 0, 50, 41)];
    account_diffs(folder.path(), "balance_diffs", &lines);
    let error = extract(folder.path()).unwrap_err();
    assert!(
        matches!(
            error,
            ExtractError::Twice {
                field: "balance",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn files_of_something_else_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let nothing = extract(at).unwrap_err();
    assert!(
        matches!(nothing, ExtractError::NoDataset { .. }),
        "{nothing}"
    );

    let lines = [(100, Some(0), 1, 7, 0, 5)];
    let path = write(at, "storage_diffs", common(&lines));
    let column = extract(at).unwrap_err();
    assert!(matches!(column, ExtractError::NoColumn { .. }), "{column}");
    std::fs::write(&path, b"PAR1").unwrap();
    let damaged = extract(at).unwrap_err();
    assert!(matches!(damaged, ExtractError::Parquet { .. }), "{damaged}");

    storage_diffs(at, &lines);
    let chain = Extract::read(&find(&[at.into()]).unwrap(), 5).unwrap_err();
    assert!(
        matches!(
            chain,
            ExtractError::Chain {
                got: 1,
                expected: 5,
                ..
            }
        ),
        "{chain}"
    );
    let mut columns = common(&lines);
    columns.push(("address", binary(&[vec![1; 19]])));
    columns.push(("slot", binary(&words(&lines, |line| line.3))));
    columns.push(("from_value", binary(&[vec![0; 33]])));
    columns.push(("to_value", binary(&words(&lines, |line| line.5))));
    write(at, "storage_diffs", columns);
    let value = extract(at).unwrap_err();
    assert!(
        matches!(value, ExtractError::Value { row: 0, .. }),
        "{value}"
    );
}
