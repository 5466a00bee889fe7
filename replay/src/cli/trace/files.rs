//! The order in which witness files are traced.

use crate::source::witness::{self, BlockWitness};
use eyre::{WrapErr as _, bail};
use std::path::{Path, PathBuf};
use thinstate_formats::BlockNumber;

/// Witness files by ascending block, each block once.
pub(super) fn ordered(paths: &[PathBuf]) -> eyre::Result<Vec<(BlockNumber, PathBuf)>> {
    let mut files = Vec::new();
    for path in paths {
        let found = witness::find(path).wrap_err("no witness files")?;
        if found.is_empty() {
            bail!(
                "{}: no witness files (N.json, N.witness.json, also .zst)",
                path.display()
            );
        }
        for file in found {
            files.push((number(&file)?, file));
        }
    }
    files.sort();
    for pair in files.windows(2) {
        if let [(first, one), (second, other)] = pair
            && first == second
        {
            let (one, other) = (one.display(), other.display());
            bail!("block {first} is in two files: {one} and {other}");
        }
    }
    Ok(files)
}

/// Reads a file of which the block's number is known.
pub(super) fn read(number: BlockNumber, path: &Path) -> eyre::Result<BlockWitness> {
    let witness = witness::read(path)?;
    let got = witness.number();
    if got != number {
        bail!(
            "{}: named for block {number}, but holds block {got}",
            path.display()
        );
    }
    Ok(witness)
}

/// The number of a file's block: from its name, or else from what it holds.
fn number(path: &Path) -> eyre::Result<BlockNumber> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    match stem.parse() {
        Ok(number) => Ok(BlockNumber(number)),
        Err(_) => Ok(witness::read(path)?.number()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;
    use std::fs;

    #[test]
    fn files_of_several_folders_do_not_stay_in_the_folders_order() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
        for (folder, names) in [
            (&one, ["9.json", "100.json"]),
            (&two, ["7.json", "10.json"]),
        ] {
            fs::create_dir(folder).unwrap();
            for name in names {
                fs::write(folder.join(name), "").unwrap();
            }
        }
        let numbers: Vec<_> = ordered(&[one.clone(), two])
            .unwrap()
            .into_iter()
            .map(|(number, _)| number.0)
            .collect();
        assert_eq!(numbers, [7, 9, 10, 100]);

        let twice = ordered(&[one.clone(), one.join("9.json")]).unwrap_err();
        assert!(twice.to_string().starts_with("block 9 is in two files"));
    }
}
