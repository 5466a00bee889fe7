//! The folder of a run, while it runs.
//!
//! ```text
//! DIR/THINSTATE-RUN        says that a run made this folder; locked while it runs
//! DIR/blocks.csv           one row for each block, as they are applied
//! DIR/histograms/*.hlog    HDR interval logs, one for each metric      \
//! DIR/blocks.parquet       with the feature `parquet`                   | written by `finish`
//! DIR/SHA256SUMS           of everything above, and of result.json      |
//! DIR/result.json          the last of all: whole, or not there        /
//! ```
//!
//! A folder with a `result.json` is complete. A new run in the same folder removes it before anything else, then the other
//! files above; it leaves alone what else lies there. A folder that is not empty and has no `THINSTATE-RUN` is refused.
//!
//! **Cost.** A block costs one row of about 450 bytes, through a buffer, and one count in each histogram: some microseconds,
//! which [`Recorder::measuring`] adds up (`thinstate device --overhead` measures them). Memory: the histograms, at most some
//! 20 MB.
//!
//! **Crash.** Rows are durable up to the last [`Recorder::flush`]. [`Recorder::resume_at`] goes on from there.

mod folder;
mod hlog;

use super::{
    BlockCost, Blocks, Distribution, METRICS, RecordedTime, RunResult, blocks,
    distributions::Distributions,
    error::{ReadError, RecordError, os},
    sums,
};
use core::time::Duration;
use folder::Folder;
pub(super) use folder::write_whole;
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    time::Instant,
};

/// Name of the result in its folder.
pub(super) const RESULT_JSON: &str = "result.json";
/// Name of the rows.
pub(super) const BLOCKS_CSV: &str = "blocks.csv";
/// Name of the same rows in columns.
pub(super) const BLOCKS_PARQUET: &str = "blocks.parquet";
/// Name of the folder of interval logs.
pub(super) const HISTOGRAMS: &str = "histograms";

/// Records a run into its folder.
#[derive(Debug)]
pub struct Recorder {
    folder: Folder,
    csv_path: PathBuf,
    csv: BufWriter<File>,
    /// The row at hand; kept for its memory.
    row: String,
    rows: u64,
    distributions: Distributions,
    measuring: RecordedTime,
}

impl Recorder {
    /// Begins a run: makes the folder, or removes an earlier run's files from it.
    pub fn create(dir: &Path) -> Result<Self, RecordError> {
        let folder = Folder::create(dir)?;
        let csv_path = dir.join(BLOCKS_CSV);
        let mut file = File::create(&csv_path).map_err(os("create the file", &csv_path))?;
        file.write_all(blocks::header().as_bytes())
            .map_err(os("write the file", &csv_path))?;
        Ok(Self::new(folder, csv_path, file))
    }

    /// Goes on with a run that was interrupted: all of its whole rows count.
    pub fn resume(dir: &Path) -> Result<Self, RecordError> {
        Self::reopen(dir, None)
    }

    /// Goes on with a run from a checkpoint that was taken after so many rows (see [`Self::rows`]); later rows go.
    pub fn resume_at(dir: &Path, rows: u64) -> Result<Self, RecordError> {
        Self::reopen(dir, Some(rows))
    }

    /// Records a block.
    pub fn add(&mut self, cost: &BlockCost) -> Result<(), RecordError> {
        let begun = Instant::now();
        self.row.clear();
        blocks::push_row(&mut self.row, cost);
        if !cost.warm_up {
            self.distributions.add(cost);
        }
        let written = self.csv.write_all(self.row.as_bytes());
        self.measuring.since(begun);
        written.map_err(os("write the file", &self.csv_path))?;
        self.rows += 1;
        Ok(())
    }

    /// Makes the rows durable, before a checkpoint.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        let begun = Instant::now();
        let flushed = self
            .csv
            .flush()
            .and_then(|()| self.csv.get_ref().sync_data());
        self.measuring.since(begun);
        flushed.map_err(os("write the file", &self.csv_path))
    }

    /// Rows so far, those of the burn-in too.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Time that recording took so far.
    pub const fn measuring(&self) -> Duration {
        self.measuring.total()
    }

    /// Distributions over the blocks so far that count, by the name of the metric.
    pub fn distributions(&self) -> BTreeMap<String, Distribution> {
        self.distributions.all()
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the run: everything else first, `result.json` last.
    pub fn finish(mut self, result: &RunResult) -> Result<(), RecordError> {
        self.flush()?;
        let blocks = read_rows(&self.csv_path)?;
        let dir = self.folder.path().to_owned();
        hlog::write_all(&dir, &blocks, result.started_at)?;
        #[cfg(feature = "parquet")]
        super::parquet::write(&dir, &blocks)?;
        let json_path = dir.join(RESULT_JSON);
        let json = serde_json::to_vec_pretty(result);
        let mut json = json.map_err(|error| RecordError::Encode {
            path: json_path.clone(),
            reason: error.to_string(),
        })?;
        json.push(b'\n');
        sums::write(&dir, &[(RESULT_JSON, &json)])?;
        write_whole(&json_path, &json)
    }

    fn new(folder: Folder, csv_path: PathBuf, csv: File) -> Self {
        Self {
            folder,
            csv_path,
            csv: BufWriter::with_capacity(1 << 16, csv),
            row: String::with_capacity(1024),
            rows: 0,
            distributions: Distributions::new(),
            measuring: RecordedTime::default(),
        }
    }

    fn reopen(dir: &Path, rows: Option<u64>) -> Result<Self, RecordError> {
        let folder = Folder::reopen(dir)?;
        let csv_path = dir.join(BLOCKS_CSV);
        let text = read_text(&csv_path)?;
        let kept = whole_rows(&csv_path, &text, rows)?;
        let earlier = Blocks::parse(&csv_path, kept)?;
        let mut file = OpenOptions::new();
        let file = file.append(true).open(&csv_path);
        let file = file.map_err(os("open the file", &csv_path))?;
        file.set_len(kept.len() as u64)
            .map_err(os("cut the file", &csv_path))?;
        let mut recorder = Self::new(folder, csv_path, file);
        recorder.rows = earlier.len() as u64;
        for metric in METRICS {
            let values = earlier.counted(metric.name).unwrap_or_default();
            recorder.distributions.add_values(metric.name, &values);
        }
        Ok(recorder)
    }
}

/// The text up to the end of the row with this number, or of the last whole row.
fn whole_rows<'a>(path: &Path, text: &'a str, rows: Option<u64>) -> Result<&'a str, RecordError> {
    let header = blocks::header();
    if !text.starts_with(&header) {
        return Err(RecordError::Read(ReadError::Row {
            path: path.to_owned(),
            line: 1,
            reason: "other columns: written by another version".to_owned(),
        }));
    }
    let mut ends = text.match_indices('\n').map(|(at, _)| at + 1);
    let Some(rows) = rows else {
        return Ok(&text[..ends.next_back().unwrap_or(header.len())]);
    };
    let got = text.matches('\n').count() as u64 - 1;
    let wanted = usize::try_from(rows).ok().and_then(|rows| ends.nth(rows));
    let end = wanted.ok_or_else(|| RecordError::RowsMissing {
        path: path.to_owned(),
        expected: rows,
        got,
    })?;
    Ok(&text[..end])
}

fn read_text(path: &Path) -> Result<String, RecordError> {
    fs::read_to_string(path).map_err(os("read the file", path))
}

fn read_rows(path: &Path) -> Result<Blocks, RecordError> {
    Ok(Blocks::parse(path, &read_text(path)?)?)
}
