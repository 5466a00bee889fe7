//! `study.json`.

use super::{
    CellResult, ModelReport, NoiseFloor, NoiseMissing, StudyError, StudySpec,
    stored::{Stored, Text},
};
use crate::{
    measure::{Deviation, DeviceProfile},
    model::HashCosts,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
};

/// Name and version of the schema.
pub const STUDY_SCHEMA: &str = "thinstate-study/1";
/// The file in a study's folder.
pub(super) const FILE: &str = "study.json";

/// A study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyResult {
    /// [`STUDY_SCHEMA`].
    pub schema: String,
    /// How far it is.
    pub status: StudyStatus,
    /// What it was to do.
    pub spec: StudySpec,
    /// Seconds since 1970 at which it was begun.
    pub started_at: u64,
    /// Seconds that its runs took in all.
    pub wall_s: f64,
    /// What it ran on.
    pub machine: serde_json::Value,
    /// What the device can do, as it was probed.
    pub device: Option<DeviceProfile>,
    /// What hashing takes on it, as it was measured when the study was begun; empty where another version began it and another
    /// CPU went on.
    #[serde(default, rename = "permutation_ns")]
    pub hash_costs: HashCosts,
    /// Cells, in the order of the specification.
    pub cells: Vec<CellResult>,
    /// Blocks at which roots of designs with the same trie were compared, all equal.
    pub roots_compared: u64,
    /// The model of each design, its errors and its predictions.
    pub models: Vec<ModelReport>,
    /// The profile's blocks beside mainnet's numbers; empty until the study is complete.
    #[serde(default)]
    pub deviations: Vec<Deviation>,
    /// What no difference may be smaller than; `None` until the study is complete, or where it is not measured.
    #[serde(default)]
    pub noise_floor: Option<NoiseFloor>,
    /// Why there is none, where the run that was repeated ended before its last block the second time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_floor_missing: Option<NoiseMissing>,
}

/// How far a study is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyStatus {
    /// Cells are missing: it can be run again into the same folder and goes on.
    Partial,
    /// It was told to stop; the same holds.
    Interrupted,
    /// All cells are there.
    Completed,
}

impl StudyResult {
    /// Reads `study.json` in a folder; `None` where there is none. What another version has otherwise and follows
    /// from the runs is computed again, from their results.
    pub fn read(dir: &Path) -> Result<Option<Self>, StudyError> {
        let Some(text) = Text::read(dir)? else {
            return Ok(None);
        };
        let as_it_is = text.parse();
        as_it_is
            .or_else(|_| text.parse::<Stored>()?.computed(dir))
            .map(Some)
    }

    /// Writes it, whole or not at all.
    pub(super) fn write(&self, dir: &Path) -> Result<(), StudyError> {
        let path = dir.join(FILE);
        let aside = dir.join(format!("{FILE}.partial"));
        let json = serde_json::to_vec_pretty(self).map_err(|source| StudyError::Malformed {
            path: path.clone(),
            expected: "numbers that JSON has",
            source: Some(source),
        })?;
        let write = || {
            let mut file = File::create(&aside)?;
            file.write_all(&json)?;
            file.sync_all()
        };
        write().map_err(StudyError::os("write", &aside))?;
        fs::rename(&aside, &path).map_err(StudyError::os("put in place", &path))
    }
}
