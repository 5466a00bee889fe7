//! Files of a folder of witnesses: which there are, which belong together, what is in them.

use super::{
    Fault, WitnessError,
    block::{self, RawBlock},
    json,
};
use crate::source::file;
use serde_json::Value;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Endings of a block's file, behind the stem of its witness.
const BLOCK_ENDINGS: [&str; 6] = [
    ".block.json",
    ".block.rlp",
    ".block.hex",
    ".block.json.zst",
    ".block.rlp.zst",
    ".block.hex.zst",
];

/// Witness files at a path: the file itself, or those of a folder in the order of their numbers.
///
/// In a folder only files named by a number count: `N.json`, `N.witness.json`, each also with
/// `.zst`.
pub fn find(path: &Path) -> Result<Vec<PathBuf>, WitnessError> {
    let listed = if path.is_dir() {
        numbered(path)
    } else {
        path.metadata().map(|_| vec![path.into()])
    };
    listed.map_err(|error| Fault::Io(error).at(path))
}

fn numbered(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(number) = stem(&path).and_then(|stem| stem.parse::<u64>().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// What a witness and its block have in common in their names; `None` if it is no witness by name.
fn stem(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let name = name
        .strip_suffix(".zst")
        .unwrap_or(name)
        .strip_suffix(".json")?;
    Some(name.strip_suffix(".witness").unwrap_or(name))
}

/// The JSON document in a file.
pub(super) fn document(path: &Path) -> Result<Value, Fault> {
    Ok(serde_json::from_slice(&contents(path)?)?)
}

/// The block that belongs to a witness.
pub(super) fn companion(witness: &Path) -> Result<RawBlock, Fault> {
    let stem = stem(witness).unwrap_or_default();
    let names: Vec<String> = BLOCK_ENDINGS
        .iter()
        .map(|ending| format!("{stem}{ending}"))
        .collect();
    let beside = |name: &String| witness.with_file_name(name);
    let Some(path) = names.iter().map(beside).find(|path| path.is_file()) else {
        return Err(Fault::NoBlock { expected: names });
    };
    read_block(&path).map_err(|fault| Fault::Block {
        path,
        source: Box::new(fault),
    })
}

fn read_block(path: &Path) -> Result<RawBlock, Fault> {
    let raw = contents(path)?;
    let plain = path.to_string_lossy();
    let plain = plain.strip_suffix(".zst").unwrap_or(&plain);
    if plain.ends_with(".rlp") {
        return block::from_rlp(raw.into(), "block");
    }
    if plain.ends_with(".hex") {
        let text = String::from_utf8_lossy(&raw);
        return block::from_rlp(json::from_hex(text.trim(), "block")?, "block");
    }
    block::from_json(serde_json::from_slice(&raw)?, "block")
}

/// The bytes of a file, decompressed where its name ends in `.zst`.
fn contents(path: &Path) -> Result<Vec<u8>, Fault> {
    Ok(file::read(path)?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;
    use crate::exec::check_body;

    /// Blocks as an RPC describes them, from 2015 to 2024.
    fn rpc_blocks() -> Vec<PathBuf> {
        let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/mainnet");
        let root =
            std::env::var_os("THINSTATE_MAINNET").map_or_else(|| default.into(), PathBuf::from);
        let Ok(entries) = fs::read_dir(root.join("prestate")) else {
            eprintln!(
                "skipped: no mainnet data at {} (THINSTATE_MAINNET)",
                root.display()
            );
            return Vec::new();
        };
        entries
            .map(|entry| entry.unwrap().path().join("block.json.zst"))
            .collect()
    }

    #[test]
    fn a_block_from_its_description_differs_in_nothing_that_the_header_covers() {
        let mut whole = 0;
        for path in rpc_blocks() {
            let document = document(&path).unwrap();
            match block::from_json(document, "block") {
                Ok(block) => {
                    check_body(&block.block).unwrap();
                    whole += 1;
                    let again = block::from_rlp(block.raw.clone(), "block").unwrap();
                    assert_eq!(again.hash, block.hash);
                    assert_eq!(again.block, block.block);
                }
                Err(Fault::OmmersByHash { .. }) => {}
                Err(fault) => panic!("{}: {fault}", path.display()),
            }
        }
        eprintln!("{whole} blocks read from their descriptions");
    }

    #[test]
    fn only_files_named_by_a_number_are_taken_from_a_folder() {
        let names = [
            "7.json",
            "12.json.zst",
            "3.witness.json",
            "3.block.json",
            "index.json",
            "9.rlp",
        ];
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = find(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(names, ["3.witness.json", "7.json", "12.json.zst"]);
    }
}
