//! `blocks.parquet` of a run says what `blocks.csv` says, in every column.

#![cfg_attr(
    feature = "parquet",
    expect(clippy::unwrap_used, reason = "a failed step is a failed test")
)]
#![cfg(feature = "parquet")]

use alloy_primitives::B256;
use arrow_array::{Array as _, RecordBatch, cast::AsArray as _, types::UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::{fs::File, path::Path, sync::atomic::AtomicBool};
use thinstate_replay::{
    measure::{METRICS, RESULT_SCHEMA, RecordedRun},
    replay::{RunConfig, Silent, Workload, run},
};

fn replay(out: &Path, design: &str) -> RecordedRun {
    let config = RunConfig {
        design: vec![design.to_owned()],
        accounts: Some(1_000),
        warm_up: 2,
        blocks: Some(5),
        threads: Some(2),
        out: out.to_owned(),
        ..RunConfig::default()
    };
    let workload = Workload::open(&config).unwrap();
    run(&config, &workload, false, &Silent, &AtomicBool::new(false)).unwrap();
    RecordedRun::open(out).unwrap()
}

/// All rows, and the schema that the file names.
fn columns(path: &Path) -> (RecordBatch, Option<String>) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let metadata = reader.metadata().file_metadata().key_value_metadata();
    let named = metadata.into_iter().flatten();
    let schema = named
        .filter(|it| it.key == "thinstate.schema")
        .find_map(|it| it.value.clone());
    let mut batches = reader.build().unwrap();
    let batch = batches.next().unwrap().unwrap();
    assert!(batches.next().is_none(), "few rows are one batch");
    (batch, schema)
}

fn numbers<'a>(batch: &'a RecordBatch, name: &str) -> &'a [u64] {
    let column = batch.column_by_name(name).unwrap();
    assert_eq!(column.null_count(), 0, "{name}");
    column.as_primitive::<UInt64Type>().values()
}

fn roots(batch: &RecordBatch, name: &str) -> Vec<Option<B256>> {
    let column = batch.column_by_name(name).unwrap().as_fixed_size_binary();
    let root = |at| {
        column
            .is_valid(at)
            .then(|| B256::from_slice(column.value(at)))
    };
    (0..column.len()).map(root).collect()
}

#[test]
fn no_column_differs_from_its_rows() {
    for (design, has_trie) in [("mpt", true), ("flat-lthash", false)] {
        let dir = tempfile::tempdir().unwrap();
        let recorded = replay(dir.path(), design);
        let rows = recorded.blocks().unwrap();
        let (batch, schema) = columns(&dir.path().join("blocks.parquet"));
        assert_eq!(schema.as_deref(), Some(RESULT_SCHEMA));
        assert_eq!((batch.num_rows(), rows.len()), (7, 7));
        assert_eq!(batch.num_columns(), METRICS.len() + 4);
        for metric in METRICS {
            assert_eq!(numbers(&batch, metric.name), rows.metrics[metric.name]);
        }
        let expected: Vec<_> = rows.numbers.iter().map(|number| number.0).collect();
        assert_eq!(numbers(&batch, "block_number"), expected);
        let warm_up = batch.column_by_name("warm_up").unwrap().as_boolean();
        assert!((0..7).all(|at| warm_up.value(at) == rows.warm_up[at]));
        let commitments: Vec<_> = rows.commitments.iter().copied().map(Some).collect();
        assert_eq!(roots(&batch, "commitment"), commitments);
        assert_eq!(roots(&batch, "state_root"), rows.state_roots);
        assert_eq!(rows.state_roots.iter().all(Option::is_some), has_trie);
    }
}
