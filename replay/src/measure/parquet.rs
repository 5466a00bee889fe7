//! `blocks.parquet`: the rows of `blocks.csv`, with the same names, for tools that read columns. Feature `parquet`.
//!
//! Metrics and `block_number` are `UINT64`, `warm_up` is `BOOLEAN`, roots are 32 bytes of `FIXED_LEN_BYTE_ARRAY`; `state_root` is
//! null where the design has no trie. Compressed with zstd. The key `thinstate.schema` of the file's metadata is the schema of
//! the result.

use super::{
    Blocks, METRICS, RESULT_SCHEMA,
    blocks::{COMMITMENT, NUMBER, STATE_ROOT, WARM_UP},
    error::{RecordError, os},
    recorder::BLOCKS_PARQUET,
};
use alloy_primitives::B256;
use arrow_array::{ArrayRef, BooleanArray, FixedSizeBinaryArray, RecordBatch, UInt64Array};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties},
};
use std::{fs::File, path::Path, sync::Arc};

/// Bytes of a root.
const ROOT_BYTES: i32 = 32;

/// Writes the file beside the others. It has its name before the result has: readers wait for that one.
pub(super) fn write(dir: &Path, blocks: &Blocks) -> Result<(), RecordError> {
    let path = dir.join(BLOCKS_PARQUET);
    let encode = |error: ParquetError| RecordError::Encode {
        path: path.clone(),
        reason: error.to_string(),
    };
    let file = File::create(&path).map_err(os("create the file", &path))?;
    let batch = batch(blocks).map_err(|error| encode(error.into()))?;
    let schema = KeyValue::new("thinstate.schema".to_owned(), RESULT_SCHEMA.to_owned());
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(vec![schema]))
        .build();
    let mut writer =
        ArrowWriter::try_new(file, batch.schema(), Some(properties)).map_err(encode)?;
    writer.write(&batch).map_err(encode)?;
    let file = writer.into_inner().map_err(encode)?;
    file.sync_all().map_err(os("write the file", &path))
}

fn batch(blocks: &Blocks) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let numbers: UInt64Array = blocks.numbers.iter().map(|it| Some(it.0)).collect();
    let warm_up = BooleanArray::from(blocks.warm_up.clone());
    let roots = roots(blocks.state_roots.iter().map(Option::as_ref))?;
    let commitments = self::roots(blocks.commitments.iter().map(Some))?;
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        (NUMBER, Arc::new(numbers), false),
        (WARM_UP, Arc::new(warm_up), false),
    ];
    for metric in METRICS {
        if let Some(values) = blocks.metrics.get(metric.name) {
            let values = UInt64Array::from(values.clone());
            columns.push((metric.name, Arc::new(values), false));
        }
    }
    columns.push((STATE_ROOT, Arc::new(roots), true));
    columns.push((COMMITMENT, Arc::new(commitments), false));
    RecordBatch::try_from_iter_with_nullable(columns)
}

fn roots<'a>(
    roots: impl Iterator<Item = Option<&'a B256>>,
) -> Result<FixedSizeBinaryArray, arrow_schema::ArrowError> {
    let bytes = roots.map(|root| root.map(|root| root.as_slice()));
    FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, ROOT_BYTES)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use arrow_array::{Array as _, cast::AsArray as _, types::UInt64Type};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use thinstate_formats::BlockNumber;

    #[test]
    fn no_value_differs_from_that_in_the_rows() {
        let dir = tempfile::tempdir().unwrap();
        let value = |metric: usize, row: u64| metric as u64 * 1000 + row;
        let of = |(at, metric): (usize, &super::super::Metric)| {
            (
                metric.name.to_owned(),
                (0..3).map(|row| value(at, row)).collect(),
            )
        };
        let blocks = Blocks {
            numbers: (7..10).map(BlockNumber).collect(),
            warm_up: vec![true, false, false],
            state_roots: vec![None, Some(B256::repeat_byte(1)), None],
            commitments: (1..4).map(B256::repeat_byte).collect(),
            metrics: METRICS.iter().enumerate().map(of).collect(),
        };
        write(dir.path(), &blocks).unwrap();
        let file = File::open(dir.path().join(BLOCKS_PARQUET)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let batch = reader.build().unwrap().next().unwrap().unwrap();
        assert_eq!(
            (batch.num_rows(), batch.num_columns()),
            (3, METRICS.len() + 4)
        );
        for (at, metric) in METRICS.iter().enumerate() {
            let column = batch.column_by_name(metric.name).unwrap();
            let column = column.as_primitive::<UInt64Type>();
            assert_eq!(column.values()[..], blocks.metrics[metric.name][..], "{at}");
        }
        let roots = batch.column_by_name(STATE_ROOT).unwrap();
        assert_eq!((roots.null_count(), roots.is_null(1)), (2, false));
        assert_eq!(roots.as_fixed_size_binary().value(1), [1; 32]);
        let numbers = batch.column_by_name(NUMBER).unwrap();
        assert_eq!(numbers.as_primitive::<UInt64Type>().values()[..], [7, 8, 9]);
    }
}
