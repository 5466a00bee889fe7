//! A run, read back from its folder.

use super::{
    Blocks, RESULT_SCHEMA, RunResult,
    error::{ReadError, unreadable},
    recorder::{BLOCKS_CSV, RESULT_JSON},
    sums,
};
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A run that has ended.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    /// Its folder.
    pub dir: PathBuf,
    /// `result.json`.
    pub result: RunResult,
}

/// What must be right before the rest means anything.
#[derive(Deserialize)]
struct Header {
    schema: String,
}

impl RecordedRun {
    /// Reads a run, by its folder or by its `result.json`.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let json_path = if path.is_dir() {
            path.join(RESULT_JSON)
        } else {
            path.to_owned()
        };
        if path.is_dir() && !json_path.exists() {
            return Err(ReadError::NoResult {
                path: path.to_owned(),
            });
        }
        let dir = json_path.parent().unwrap_or(Path::new("")).to_owned();
        let bytes = fs::read(&json_path).map_err(unreadable(&json_path))?;
        if json_path
            .file_name()
            .is_some_and(|name| name == RESULT_JSON)
        {
            sums::check(&dir, RESULT_JSON, &bytes)?;
        }
        let result = parse(&json_path, &bytes)?;
        Ok(Self { dir, result })
    }

    /// Reads its rows, and checks that they are those that the result was made from.
    pub fn blocks(&self) -> Result<Blocks, ReadError> {
        let path = self.dir.join(BLOCKS_CSV);
        let bytes = fs::read(&path).map_err(unreadable(&path))?;
        sums::check(&self.dir, BLOCKS_CSV, &bytes)?;
        let text = String::from_utf8(bytes).map_err(|error| ReadError::Row {
            path: path.clone(),
            line: 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count(),
            reason: "not UTF-8".to_owned(),
        })?;
        let blocks = Blocks::parse(&path, &text)?;
        self.compare(&path, &blocks)?;
        Ok(blocks)
    }

    fn compare(&self, path: &Path, blocks: &Blocks) -> Result<(), ReadError> {
        for (name, distribution) in &self.result.metrics {
            let Some(values) = blocks.counted(name) else {
                continue;
            };
            let sum = values
                .iter()
                .fold(0, |sum: u64, it| sum.saturating_add(*it));
            let count = values.len() as u64;
            let facts = [
                ("blocks", distribution.count, count),
                ("sum", distribution.sum, sum),
            ];
            for (what, expected, got) in facts {
                if expected != got {
                    return Err(ReadError::Disagrees {
                        path: path.to_owned(),
                        what: format!("{what} of {name}"),
                        expected,
                        got,
                    });
                }
            }
        }
        Ok(())
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<RunResult, ReadError> {
    let json = |source| ReadError::Json {
        path: path.to_owned(),
        source,
    };
    let header: Header = serde_json::from_slice(bytes).map_err(json)?;
    if header.schema != RESULT_SCHEMA {
        return Err(ReadError::Schema {
            path: path.to_owned(),
            expected: RESULT_SCHEMA,
            got: header.schema,
        });
    }
    serde_json::from_slice(bytes).map_err(json)
}
