//! `histograms/*.hlog`: HDR interval logs in the V2 format, which HdrHistogram's own tools read and plot.
//!
//! One log for each metric, of the blocks that count. An interval is [`INTERVAL`] of *work*: the time axis adds up the times that
//! blocks took (`state_read`, `state_hash`, `commit`, `background`), so that it is the same in an open loop, which waits in
//! between, and in a closed one. A block belongs to the interval in which it begins.

use super::HISTOGRAMS;
use crate::measure::{
    Blocks, METRICS, Unit,
    distributions::{histogram, record},
    error::{RecordError, os},
};
use core::time::Duration;
use hdrhistogram::serialization::{V2DeflateSerializer, interval_log::IntervalLogWriterBuilder};
use std::{fs, path::Path, time::UNIX_EPOCH};

/// Length of an interval.
const INTERVAL: Duration = Duration::from_secs(1);

/// Divides values, so that times are read in milliseconds, as those tools expect.
const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;

/// Writes all logs.
pub(super) fn write_all(dir: &Path, blocks: &Blocks, started_at: u64) -> Result<(), RecordError> {
    let folder = dir.join(HISTOGRAMS);
    fs::create_dir_all(&folder).map_err(os("create the folder", &folder))?;
    let begins = begins(blocks);
    for metric in METRICS {
        let values = blocks.counted(metric.name).unwrap_or_default();
        let path = folder.join(format!("{}.hlog", metric.name));
        let log = log(&begins, &values, metric.unit, started_at);
        let log = log.map_err(|reason| RecordError::Encode {
            path: path.clone(),
            reason,
        })?;
        fs::write(&path, log).map_err(os("write the file", &path))?;
    }
    Ok(())
}

/// When each block that counts began, on the axis of work.
fn begins(blocks: &Blocks) -> Vec<Duration> {
    let parts = [
        "state_read_ns",
        "state_hash_ns",
        "commit_ns",
        "background_ns",
    ];
    let parts: Vec<_> = parts.iter().filter_map(|it| blocks.counted(it)).collect();
    let mut now = Duration::ZERO;
    let blocks = 0..blocks.counted_numbers().len();
    let begin = |index: usize| {
        let took = parts.iter().map(|part| Duration::from_nanos(part[index]));
        let began = now;
        now = now.saturating_add(took.fold(Duration::ZERO, Duration::saturating_add));
        began
    };
    blocks.map(begin).collect()
}

fn log(
    begins: &[Duration],
    values: &[u64],
    unit: Unit,
    started_at: u64,
) -> Result<Vec<u8>, String> {
    let mut bytes = vec![];
    let mut serializer = V2DeflateSerializer::new();
    let start = UNIX_EPOCH + Duration::from_secs(started_at);
    let mut builder = IntervalLogWriterBuilder::new();
    builder.with_start_time(start).with_base_time(start);
    if unit == Unit::Nanoseconds {
        builder.with_max_value_divisor(NANOSECONDS_PER_MILLISECOND);
    }
    let log = builder.begin_log_with(&mut bytes, &mut serializer);
    let mut log = log.map_err(|error| error.to_string())?;
    let interval = |begin: &Duration| begin.as_secs() / INTERVAL.as_secs();
    let mut rest = values;
    for chunk in begins.chunk_by(|a, b| interval(a) == interval(b)) {
        let (own, later) = rest.split_at(chunk.len().min(rest.len()));
        let mut counts = histogram();
        own.iter().for_each(|value| record(&mut counts, *value));
        let at = Duration::from_secs(chunk.first().map_or(0, interval) * INTERVAL.as_secs());
        log.write_histogram(&counts, at, INTERVAL, None)
            .map_err(|error| format!("{error:?}"))?;
        rest = later;
    }
    drop(log);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use hdrhistogram::{
        Histogram,
        serialization::{
            Deserializer,
            interval_log::{IntervalLogIterator, LogEntry},
        },
    };

    #[test]
    fn no_value_is_lost_between_a_log_and_its_reader() {
        let values: Vec<u64> = (1..=500).map(|i| i * 10_000_000).collect();
        let begins: Vec<_> = (0..500).map(|i| Duration::from_millis(i * 70)).collect();
        let text = log(&begins, &values, Unit::Nanoseconds, 1_700_000_000).unwrap();
        let (mut seen, mut intervals) = (Histogram::<u64>::new(3).unwrap(), 0);
        for entry in IntervalLogIterator::new(&text) {
            let LogEntry::Interval(interval) = entry.unwrap() else {
                continue;
            };
            let bytes = base64_decode(interval.encoded_histogram());
            let part: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
            seen.add(part).unwrap();
            intervals += 1;
        }
        assert_eq!((seen.len(), intervals), (500, 35));
        assert!(seen.equivalent(seen.max(), 5_000_000_000));
        assert!(seen.equivalent(seen.min(), 10_000_000));
    }

    /// Standard base64, as the format has it.
    fn base64_decode(text: &str) -> Vec<u8> {
        let digit = |byte: u8| match byte {
            b'A'..=b'Z' => u32::from(byte - b'A'),
            b'a'..=b'z' => u32::from(byte - b'a') + 26,
            b'0'..=b'9' => u32::from(byte - b'0') + 52,
            b'+' => 62,
            b'/' => 63,
            _ => panic!("no digit of base64: {byte}"),
        };
        let text = text.trim_end_matches('=').as_bytes();
        let decode = |four: &[u8]| {
            let bits = four.iter().fold(0, |bits, byte| bits << 6 | digit(*byte));
            let bits = bits << (6 * (4 - four.len()));
            bits.to_be_bytes()[1..four.len()].to_vec()
        };
        text.chunks(4).flat_map(decode).collect()
    }
}
