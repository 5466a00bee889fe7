//! From where a run can be gone on with.
//!
//! `checkpoint.json` lies beside the rows: whole, or not there. It is written after the store and the rows
//! are durable, so that both reach at least as far as it says; what lies beyond is undone, or cut off.

use super::{config::difference, error::ReplayError};
use crate::measure::StateSize;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};
use thinstate_formats::BlockNumber;

/// Name and version of the schema.
const SCHEMA: &str = "thinstate-checkpoint/1";
/// Settings that may change when a run goes on: they do not bear on what is measured.
const FREE: &[&str] = &[
    "out",
    "keep-store",
    "device",
    "cache",
    "checkpoint",
    "blocks",
    "end-when-unfit",
    "label",
];

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// [`SCHEMA`].
    schema: String,
    /// The settings.
    pub config: serde_json::Value,
    /// The last block.
    pub block: BlockNumber,
    /// Slots done: of the source, and rows in `blocks.csv`.
    pub slots: u64,
    /// Seconds since 1970 at which the run began.
    pub started_at: u64,
    /// How long it took, in seconds.
    pub wall_s: f64,
    /// How long its counted blocks took, in seconds.
    pub elapsed_s: f64,
    /// How long reading waited for planning meanwhile, in seconds.
    pub starved_s: f64,
    /// CPU seconds of its counted blocks.
    pub cpu_s: f64,
    /// Most memory that was resident.
    pub memory_bytes_max: u64,
    /// Counted blocks that took longer than the slot.
    pub blocks_over_slot: u64,
    /// Gas and transactions of its counted blocks.
    pub gas_used: u64,
    /// See there.
    pub tx_count: u64,
    /// Keys that its counted blocks lack.
    pub keys_lacking: u64,
    /// The state before the first block that counts; `None` where it has not come to that.
    pub state_before: Option<StateSize>,
    /// Slots written, by class.
    pub slots_written_by_class: BTreeMap<String, u64>,
    /// Slots touched, by class.
    pub slots_touched_by_class: BTreeMap<String, u64>,
}

/// A run cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// There is none. Start the run anew, with checkpoints.
    #[error("{}: no checkpoint", path.display())]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("{}: not a checkpoint", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// It was written by another version.
    #[error("{}: expected schema {SCHEMA}, got {got}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        got: String,
    },
    /// The run was another one. Give the same settings, or start anew.
    #[error("{name} is {got}, expected {expected} as in the run that was begun")]
    Config {
        /// The setting.
        name: String,
        /// What it was.
        expected: String,
        /// What it is now.
        got: String,
    },
    /// The store does not reach as far, or not at all: it was removed, or is another one's.
    #[error("the store is at {}, expected block {expected} or a later one", head(*.got))]
    Store {
        /// The checkpoint's block.
        expected: BlockNumber,
        /// The store's.
        got: Option<BlockNumber>,
    },
}

fn head(block: Option<BlockNumber>) -> String {
    block.map_or_else(|| "no block".to_owned(), |number| format!("block {number}"))
}

impl Checkpoint {
    /// Nothing done yet.
    pub(super) fn new(config: serde_json::Value, block: BlockNumber, started_at: u64) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            config,
            block,
            slots: 0,
            started_at,
            wall_s: 0.0,
            elapsed_s: 0.0,
            starved_s: 0.0,
            cpu_s: 0.0,
            memory_bytes_max: 0,
            blocks_over_slot: 0,
            gas_used: 0,
            tx_count: 0,
            keys_lacking: 0,
            state_before: None,
            slots_written_by_class: BTreeMap::new(),
            slots_touched_by_class: BTreeMap::new(),
        }
    }

    /// Reads the checkpoint of a folder of results.
    pub fn read(dir: &Path) -> Result<Self, ReplayError> {
        let path = path(dir);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(CheckpointError::Missing { path }.into());
            }
            bytes => bytes.map_err(ReplayError::os("read the file", &path))?,
        };
        let checkpoint: Self =
            serde_json::from_slice(&bytes).map_err(|source| CheckpointError::Json {
                path: path.clone(),
                source,
            })?;
        if checkpoint.schema != SCHEMA {
            let got = checkpoint.schema;
            return Err(CheckpointError::Schema { path, got }.into());
        }
        Ok(checkpoint)
    }

    /// Checks that a run with these settings is the same run.
    pub fn check(&self, config: &serde_json::Value) -> Result<(), CheckpointError> {
        let Some(name) = difference(&self.config, config, FREE) else {
            return Ok(());
        };
        let of = |value: &serde_json::Value| match value.get(&name) {
            None => "not given".to_owned(),
            Some(value) => value.to_string(),
        };
        Err(CheckpointError::Config {
            expected: of(&self.config),
            got: of(config),
            name,
        })
    }

    /// Writes it: whole, or not at all.
    pub(super) fn write(&self, dir: &Path) -> Result<(), ReplayError> {
        let path = path(dir);
        let partial = dir.join("checkpoint.json.partial");
        let json = serde_json::to_vec_pretty(self).expect("a checkpoint's keys are strings");
        let write = || {
            let mut file = File::create(&partial)?;
            file.write_all(&json)?;
            file.sync_all()?;
            fs::rename(&partial, &path)?;
            File::open(dir)?.sync_all()
        };
        write().map_err(ReplayError::os("write the file", &path))
    }

    /// Removes what an earlier run has left.
    pub(super) fn remove(dir: &Path) -> Result<(), ReplayError> {
        let path = path(dir);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ReplayError::os("remove the file", &path)(error))
            }
            _ => Ok(()),
        }
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join("checkpoint.json")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use crate::replay::RunConfig;

    #[test]
    fn no_other_run_is_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(
            Checkpoint::read(dir.path()),
            Err(ReplayError::Checkpoint(CheckpointError::Missing { .. }))
        ));
        let config = RunConfig::default();
        let checkpoint = Checkpoint::new(config.to_value(), BlockNumber(7), 9);
        checkpoint.write(dir.path()).unwrap();
        let read = Checkpoint::read(dir.path()).unwrap();
        assert_eq!(read, checkpoint);
        let more = RunConfig {
            blocks: Some(5_000),
            ..config.clone()
        };
        assert!(read.check(&more.to_value()).is_ok(), "a longer run");
        let other = RunConfig { seed: 3, ..config };
        let error = read.check(&other.to_value()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "seed is 3, expected 1 as in the run that was begun"
        );
        // What another version has left out is not taken for nothing.
        let text = fs::read(path(dir.path())).unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        json.as_object_mut().unwrap().remove("keys_lacking");
        fs::write(path(dir.path()), json.to_string()).unwrap();
        assert!(matches!(
            Checkpoint::read(dir.path()),
            Err(ReplayError::Checkpoint(CheckpointError::Json { .. }))
        ));
        Checkpoint::remove(dir.path()).unwrap();
        Checkpoint::remove(dir.path()).unwrap();
        assert!(Checkpoint::read(dir.path()).is_err());
    }
}
