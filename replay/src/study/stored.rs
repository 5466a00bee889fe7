//! `study.json` as it lies in a folder, written by this version or by another one of the same schema.
//!
//! What only follows from the runs (models with their errors and predictions, points, saturation) may look otherwise
//! in another version. Going on with a study does not read it ([`Begun`]); a report does, and where it cannot it
//! computes it again from the results of the runs ([`Stored::computed`]).

use super::{
    Cell, CellResult, Largest, ModelReport, NoiseFloor, NoiseMissing, RunPoint, STUDY_SCHEMA,
    StudyError, StudyResult, StudySpec, StudyStatus, result::FILE,
};
use crate::{
    measure::{DesignInfo, Deviation, DeviceProfile, RecordedRun, StateSize},
    model::{HashCosts, Measured},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The file, and what is in it.
pub(super) struct Text {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// What going on with a study takes over.
#[derive(Deserialize)]
pub(super) struct Begun {
    pub(super) spec: StudySpec,
    pub(super) started_at: u64,
    pub(super) wall_s: f64,
    pub(super) machine: serde_json::Value,
    #[serde(default)]
    device: serde_json::Value,
    #[serde(default, rename = "permutation_ns")]
    hash_costs: serde_json::Value,
    #[serde(default)]
    deviations: serde_json::Value,
    #[serde(default)]
    noise_floor: serde_json::Value,
}

/// What does not follow from anything else.
#[derive(Deserialize)]
pub(super) struct Stored {
    status: StudyStatus,
    #[serde(flatten)]
    begun: Begun,
    cells: Vec<StoredCell>,
    roots_compared: u64,
    #[serde(default)]
    noise_floor_missing: serde_json::Value,
}

#[derive(Deserialize)]
struct StoredCell {
    cell: Cell,
    design: DesignInfo,
    state: StateSize,
    runs: Vec<StoredRun>,
    largest: Largest,
}

#[derive(Deserialize)]
struct StoredRun {
    dir: String,
}

/// What must be right before the rest means anything.
#[derive(Deserialize)]
struct Header {
    schema: String,
}

impl Text {
    /// Reads the file in a folder, and checks its schema; `None` where there is none.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, StudyError> {
        let path = dir.join(FILE);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(StudyError::os("read", &path))?,
        };
        let text = Self { path, bytes };
        let header: Header = text.parse()?;
        match header.schema == STUDY_SCHEMA {
            true => Ok(Some(text)),
            false => Err(text.malformed(None)),
        }
    }

    /// What it says, of this kind.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, StudyError> {
        serde_json::from_slice(&self.bytes).map_err(|error| self.malformed(Some(error)))
    }

    fn malformed(&self, source: Option<serde_json::Error>) -> StudyError {
        StudyError::Malformed {
            path: self.path.clone(),
            expected: "a study of schema thinstate-study/1",
            source,
        }
    }
}

impl Begun {
    /// The device as it was probed; `None` where it was not, or where another version has it otherwise.
    pub(super) fn device(&self) -> Option<DeviceProfile> {
        DeviceProfile::deserialize(&self.device).ok()
    }
}

impl Begun {
    /// What hashing took when it was begun; nothing where that was not measured, or where another version has it otherwise.
    pub(super) fn hash_costs(&self) -> HashCosts {
        HashCosts::deserialize(&self.hash_costs).unwrap_or_default()
    }

    /// The noise floor; `None` where it was not measured, or where another version has it otherwise.
    pub(super) fn noise_floor(&self) -> Option<NoiseFloor> {
        NoiseFloor::deserialize(&self.noise_floor).ok()
    }

    /// The workload beside mainnet's numbers; none where another version has it otherwise.
    pub(super) fn deviations(&self) -> Vec<Deviation> {
        Deserialize::deserialize(&self.deviations).unwrap_or_default()
    }
}

impl Stored {
    /// The study in `dir`, with what follows from the results of its runs.
    pub(super) fn computed(self, dir: &Path) -> Result<StudyResult, StudyError> {
        let spec = &self.begun.spec;
        let of = |cell| StoredCell::computed(cell, dir, spec.slot_s);
        let cells = self.cells.into_iter().map(of);
        let cells: Vec<CellResult> = cells.collect::<Result<_, _>>()?;
        let device = self.begun.device();
        let hash_costs = self.begun.hash_costs();
        let measured = Measured {
            device: device.as_ref(),
            hash_costs: &hash_costs,
        };
        let scenarios = spec.scenarios(device.as_ref())?;
        Ok(StudyResult {
            schema: STUDY_SCHEMA.to_owned(),
            status: self.status,
            started_at: self.begun.started_at,
            deviations: self.begun.deviations(),
            noise_floor: self.begun.noise_floor(),
            noise_floor_missing: NoiseMissing::deserialize(&self.noise_floor_missing).ok(),
            wall_s: self.begun.wall_s,
            models: ModelReport::all(spec, &cells, measured, &scenarios),
            spec: self.begun.spec,
            machine: self.begun.machine,
            device,
            hash_costs,
            cells,
            roots_compared: self.roots_compared,
        })
    }
}

impl StoredCell {
    fn computed(self, dir: &Path, slot_s: f64) -> Result<CellResult, StudyError> {
        let mut runs = Vec::new();
        for run in self.runs {
            let result = RecordedRun::open(&dir.join(&run.dir)).map_err(Box::new)?;
            runs.extend(RunPoint::new(&result.result, &self.cell, run.dir, slot_s));
        }
        Ok(CellResult {
            saturation: self.largest.saturation(&runs),
            cell: self.cell,
            design: self.design,
            state: self.state,
            runs,
            largest: self.largest,
        })
    }
}
