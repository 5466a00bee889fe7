//! Carrying a study out.

use super::{
    Cell, CellResult, ModelReport, NoiseFloor, NoiseMeasured, NoiseMissing, NoiseRow, RunPoint,
    STUDY_SCHEMA, Step, StudyError, StudyResult, StudySpec, StudyStatus,
    folder::Locked,
    noise, result, search,
    stored::{Begun, Text},
};
use crate::{
    compare::Statistic,
    measure::{Deviation, DeviceProfile, RunResult, RunStatus},
    model::{HashCosts, Measured, Scenario},
};
use alloy_primitives::{B256, map::HashMap};
use std::{path::Path, time::SystemTime};

/// How long a run is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The gas multiple.
    pub multiple: u32,
    /// Blocks that count.
    pub blocks: u64,
    /// Blocks before them.
    pub warm_up: u64,
}

/// What a study asks of the replay.
pub trait Runner {
    /// What it runs on, as results say it.
    fn machine(&self) -> serde_json::Value;

    /// The device, as it was probed.
    fn device(&self) -> Option<DeviceProfile>;

    /// What hashing takes, measured now.
    fn hash_costs(&self) -> HashCosts;

    /// The workload beside mainnet's numbers.
    fn deviations(&self, spec: &StudySpec) -> Result<Vec<Deviation>, StudyError>;

    /// Runs into the folder, on a fresh copy of the cell's store, or reads what is complete there.
    fn run(
        &mut self,
        spec: &StudySpec,
        cell: &Cell,
        shape: Shape,
        dir: &Path,
    ) -> Result<RunResult, StudyError>;

    /// What lies between a run and its repetition, as their folders have them.
    fn noise(&self, first: &Path, again: &Path) -> Result<NoiseMeasured, StudyError>;

    /// State roots of a run, by block, as its folder has them.
    fn roots(&self, dir: &Path) -> Result<Vec<(u64, B256)>, StudyError>;

    /// Whether no further run may begin.
    fn stopped(&self) -> bool;

    /// Is told what the study does.
    fn note(&mut self, message: &str);
}

/// Carries a study out in a folder, or goes on with it. Meanwhile the folder is locked.
pub fn run(
    spec: &StudySpec,
    dir: &Path,
    scenarios: &[Scenario],
    runner: &mut dyn Runner,
) -> Result<StudyResult, StudyError> {
    spec.check()?;
    let _locked = Locked::folder(dir)?;
    let mut study = Study {
        result: begin(spec, dir, runner)?,
        dir,
        roots: HashMap::default(),
    };
    let began = std::time::Instant::now();
    let before_s = study.result.wall_s;
    for accounts in &spec.accounts {
        for design in &spec.designs {
            if runner.stopped() {
                break;
            }
            let cell = Cell {
                design: design.clone(),
                accounts: *accounts,
            };
            study.cell(spec, cell, runner)?;
            let device = runner.device();
            let measured = Measured {
                device: device.as_ref(),
                hash_costs: &study.result.hash_costs,
            };
            study.result.models = ModelReport::all(spec, &study.result.cells, measured, scenarios);
            study.result.wall_s = before_s + began.elapsed().as_secs_f64();
            study.result.write(dir)?;
        }
    }
    if !runner.stopped() {
        study.noise(spec, runner)?;
        study.result.wall_s = before_s + began.elapsed().as_secs_f64();
    }
    study.result.status = match runner.stopped() {
        true => StudyStatus::Interrupted,
        false => {
            if study.result.deviations.is_empty() {
                study.result.deviations = runner.deviations(spec)?;
            }
            StudyStatus::Completed
        }
    };
    study.result.write(dir)?;
    Ok(study.result)
}

/// The study that is in the folder, if it is this one; a new one in an empty folder.
fn begin(spec: &StudySpec, dir: &Path, runner: &mut dyn Runner) -> Result<StudyResult, StudyError> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let new = StudyResult {
        schema: STUDY_SCHEMA.to_owned(),
        status: StudyStatus::Partial,
        spec: spec.clone(),
        started_at: now.map_or(0, |it| it.as_secs()),
        wall_s: 0.0,
        machine: runner.machine(),
        device: runner.device(),
        hash_costs: HashCosts::default(),
        cells: Vec::new(),
        roots_compared: 0,
        models: Vec::new(),
        deviations: Vec::new(),
        noise_floor: None,
        noise_floor_missing: None,
    };
    let Some(old) = Text::read(dir)? else {
        let new = StudyResult {
            hash_costs: runner.hash_costs(),
            ..new
        };
        new.write(dir)?;
        return Ok(new);
    };
    let old: Begun = old.parse()?;
    if let Some(difference) = difference(&old.spec, spec) {
        return Err(StudyError::OtherStudy {
            path: dir.join(result::FILE),
            difference,
        });
    }
    Ok(StudyResult {
        started_at: old.started_at,
        wall_s: old.wall_s,
        device: old.device().or(new.device),
        hash_costs: match old.hash_costs() {
            // Another version began it, which the same CPU makes good.
            unknown if unknown.is_empty() && is_same_cpu(&old.machine, &new.machine) => {
                runner.hash_costs()
            }
            costs => costs,
        },
        deviations: old.deviations(),
        // Where it was begun; each result says what it was run on itself.
        machine: old.machine,
        ..new
    })
}

/// Whether both are known to have the same CPU.
fn is_same_cpu(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    let cpu = |machine: &serde_json::Value| {
        let facts = ["cpu_model", "keccak_width"].map(|it| machine[it].clone());
        (!facts[0].is_null()).then_some(facts)
    };
    cpu(a).is_some_and(|a| cpu(b) == Some(a))
}

/// The first field of two specifications that differs, of those that runs depend on.
fn difference(old: &StudySpec, new: &StudySpec) -> Option<String> {
    let json = |spec: &StudySpec| serde_json::to_value(spec).unwrap_or_default();
    let (old, new) = (json(old), json(new));
    let may_grow = [
        "accounts",
        "designs",
        "multiples",
        "bisect",
        "predict",
        "held-out",
        "noise-floor",
        "summary",
    ];
    let fields = new.as_object()?;
    fields
        .iter()
        .filter(|(name, _)| !may_grow.contains(&name.as_str()))
        .find(|(name, value)| old.get(name) != Some(value))
        .map(|(name, value)| {
            let old = old.get(name).cloned().unwrap_or_default();
            format!("{name} is {old} there, {value} here")
        })
}

/// A study at work.
struct Study<'a> {
    result: StudyResult,
    dir: &'a Path,
    /// The design that first had each root, by trie, accounts, multiple and block.
    roots: HashMap<(String, u64, u32, u64), (String, B256)>,
}

impl Study<'_> {
    fn cell(
        &mut self,
        spec: &StudySpec,
        cell: Cell,
        runner: &mut dyn Runner,
    ) -> Result<(), StudyError> {
        let mut runs: Vec<RunPoint> = Vec::new();
        let mut first: Option<RunResult> = None;
        let bisect = spec.bisect.as_ref();
        let largest = search(
            &spec.multiples,
            bisect,
            |multiple| -> Result<Step, StudyError> {
                if runner.stopped() {
                    return Ok(Step::Stop);
                }
                let shape = shape(spec, multiple, &runs);
                let dir = format!(
                    "runs/{}/{}/x{multiple}",
                    file_name(&cell.design),
                    cell.accounts
                );
                let run = runner.run(spec, &cell, shape, &self.dir.join(&dir))?;
                if !run.status.is_final() {
                    return Ok(Step::Stop);
                }
                self.compare_roots(&run, &self.dir.join(&dir), &cell, runner)?;
                let Some(point) = RunPoint::new(&run, &cell, dir, spec.slot_s) else {
                    return Ok(Step::Stop);
                };
                runner.note(&format!(
                    "{}, {} accounts, {multiple}x: p99 {:.3} s of {} blocks, {}",
                    cell.design,
                    cell.accounts,
                    point.point.p99_s,
                    run.blocks_text(),
                    if point.fits { "fits" } else { "does not fit" }
                ));
                let step = match point.fits {
                    true => Step::Fits,
                    false => Step::TooMuch,
                };
                runs.push(point);
                first.get_or_insert(run);
                Ok(step)
            },
        )?;
        let Some(first) = first else { return Ok(()) };
        runs.sort_by_key(|run| run.multiple);
        self.result.cells.push(CellResult {
            cell,
            design: first.design,
            state: first.state_before,
            saturation: largest.saturation(&runs),
            runs,
            largest,
        });
        Ok(())
    }

    /// Repeats a run, and notes how far both lie apart.
    fn noise(&mut self, spec: &StudySpec, runner: &mut dyn Runner) -> Result<(), StudyError> {
        let Some(it) = noise::repeated(spec, &self.result.cells) else {
            return Ok(());
        };
        let again = format!("{}-again", it.dir);
        let shape = Shape {
            multiple: it.multiple,
            blocks: it.blocks,
            warm_up: spec.run.warm_up,
        };
        let run = runner.run(spec, &it.cell, shape, &self.dir.join(&again))?;
        // The same blocks, or there is nothing to compare: it may have been told to stop, or found not to fit this time.
        if run.status != RunStatus::Completed {
            let missing = NoiseMissing {
                cell: it.cell,
                multiple: it.multiple,
                again,
                blocks: run.workload.blocks,
                blocks_planned: it.blocks,
            };
            runner.note(&missing.to_string());
            self.result.noise_floor_missing = Some(missing);
            return Ok(());
        }
        let measured = runner.noise(&self.dir.join(&it.dir), &self.dir.join(&again))?;
        let p99 = measured.row("total_ns", Statistic::P99);
        runner.note(&format!(
            "noise floor: {}, {} accounts, {}x once more: p99 {:.1} % apart",
            it.cell.design,
            it.cell.accounts,
            it.multiple,
            p99.map_or(0.0, NoiseRow::floor) * 100.0
        ));
        self.result.noise_floor = Some(NoiseFloor {
            cell: it.cell,
            multiple: it.multiple,
            first: it.dir,
            again,
            measured,
        });
        Ok(())
    }

    /// Compares the roots of a run with those of the designs before it that have the same trie.
    fn compare_roots(
        &mut self,
        run: &RunResult,
        dir: &Path,
        cell: &Cell,
        runner: &dyn Runner,
    ) -> Result<(), StudyError> {
        let Some(trie) = &run.design.trie else {
            return Ok(());
        };
        for (block, root) in runner.roots(dir)? {
            let key = (
                trie.clone(),
                cell.accounts,
                run.workload.gas_multiple,
                block,
            );
            let ours = (run.design.name.clone(), root);
            match self.roots.get(&key) {
                None => {
                    self.roots.insert(key, ours);
                }
                Some((_, known)) if *known == root => self.result.roots_compared += 1,
                Some((design, known)) => {
                    return Err(StudyError::RootsDiffer {
                        block,
                        a: design.clone(),
                        root_a: *known,
                        b: ours.0,
                        root_b: root,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Blocks for a run at a multiple: as many as the time allows, by what the nearest run before took.
fn shape(spec: &StudySpec, multiple: u32, runs: &[RunPoint]) -> Shape {
    let run = &spec.run;
    let nearest = runs.iter().min_by_key(|it| it.multiple.abs_diff(multiple));
    let blocks = match nearest {
        Some(near) => {
            let ratio = f64::from(multiple) / f64::from(near.multiple);
            let block_s = (near.point.mean_s * ratio).max(1e-6);
            (run.seconds / block_s) as u64
        }
        None => run.blocks,
    };
    Shape {
        multiple,
        blocks: blocks.clamp(run.blocks_min, run.blocks),
        warm_up: run.warm_up,
    }
}

/// A design's name as the name of a folder.
fn file_name(design: &str) -> String {
    let name = Path::new(design).file_stem().unwrap_or_default();
    let name = name.to_string_lossy();
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect()
}
