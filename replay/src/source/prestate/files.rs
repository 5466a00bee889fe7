//! Files of pre-states, and of the blocks that belong to them.

use super::{Prestate, PrestateError, decode_diffs, decode_prestates, decode_whole};
use crate::source::{figures::BlockFigures, file, witness::Fault};
use serde_json::Value;
use std::path::{Path, PathBuf};
use thinstate_formats::BlockNumber;

/// Reads a block's pre-state: from the folder `N`, which holds `pre_state.json` and `block.json`, or from
/// the files `N.prestate.json` and `N.diff.json` (either or both), of which `path` is one, with the block
/// beside them.
pub fn read(path: &Path) -> Result<(Prestate, BlockFigures), PrestateError> {
    if path.is_dir() {
        return read_folder(path);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    let beside = |ending: &str| existing(&path.with_file_name(format!("{stem}{ending}")));
    let endings = [".block.json", ".block.rlp"];
    let Some(block) = endings.iter().find_map(|ending| beside(ending)) else {
        let expected = endings.map(|ending| format!("{stem}{ending}")).join(" or ");
        let path = path.to_path_buf();
        return Err(PrestateError::NoBlock { path, expected });
    };
    let figures = read_block(&block, stem)?;
    let found = beside(".prestate.json");
    let found = found
        .map(|path| decoded(&path, decode_prestates))
        .transpose()?;
    let changed = beside(".diff.json");
    let changed = changed
        .map(|path| decoded(&path, decode_diffs))
        .transpose()?;
    Ok((Prestate::Traced { found, changed }, figures))
}

fn read_folder(folder: &Path) -> Result<(Prestate, BlockFigures), PrestateError> {
    let part = |name: &str| {
        let path = folder.join(name);
        existing(&path).ok_or_else(|| PrestateError::NoBlock {
            path: folder.to_path_buf(),
            expected: format!("{name} or {name}.zst"),
        })
    };
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let figures = read_block(&part("block.json")?, &name)?;
    let state = decoded(&part("pre_state.json")?, decode_whole)?;
    Ok((Prestate::Whole(state), figures))
}

/// The parts of which a folder of one block consists, if it is one.
pub fn find_parts(folder: &Path) -> Option<[PathBuf; 2]> {
    let block = existing(&folder.join("block.json"))?;
    let state = existing(&folder.join("pre_state.json"))?;
    Some([block, state])
}

/// A block, which is the one that its files are named for, if they are named by a number.
fn read_block(path: &Path, named: &str) -> Result<BlockFigures, PrestateError> {
    let figures = BlockFigures::read(path).map_err(PrestateError::file(path))?;
    match named.parse().map(BlockNumber) {
        Ok(expected) if expected != figures.number => Err(PrestateError::BlockNumber {
            path: path.to_path_buf(),
            expected,
            got: figures.number,
        }),
        _ => Ok(figures),
    }
}

fn decoded<T>(
    path: &Path,
    decode: impl FnOnce(Value) -> Result<T, Fault>,
) -> Result<T, PrestateError> {
    let document = || -> Result<T, Fault> { decode(serde_json::from_slice(&file::read(path)?)?) };
    document().map_err(PrestateError::file(path))
}

/// The file, or the same with `.zst`.
fn existing(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_path_buf());
    }
    let mut packed = path.as_os_str().to_owned();
    packed.push(".zst");
    let packed = PathBuf::from(packed);
    packed.is_file().then_some(packed)
}
