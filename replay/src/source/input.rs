//! Which files are sources of blocks, and of which kind: by their names, and where a name leaves it open,
//! by how they begin.
//!
//! | name | source |
//! |---|---|
//! | `N.witness.json` | an execution witness |
//! | `N.bal.json`, `N.bal.rlp`, `N.rlp` | an access list |
//! | `N.prestate.json`, `N.diff.json` | a pre-state; both of them are one source |
//! | `N/` with `pre_state.json` and `block.json` | a pre-state |
//! | `N.json` | an access list if it is a JSON array, or a response that holds one; else a witness |
//! | `*.trace` | a trace; in a folder it is passed over |
//!
//! Each name in `.json` or `.rlp` also with `.zst` behind it. `N.block.*` belongs to the file beside it, and
//! is none of its own. In a folder only files count whose name begins with a number; a file that is named
//! by itself need not, if its contents say which block it is.

use super::{
    file, prestate,
    witness::{self, WitnessError},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use thinstate_formats::BlockNumber;

/// Bytes of a file by which it is recognised.
const START_BYTES: u64 = 256;

/// What a file, or a folder of one block, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputKind {
    /// An execution witness.
    Witness,
    /// An EIP-7928 list.
    AccessList,
    /// A pre-state.
    Prestate,
    /// A trace.
    Trace,
}

/// A source of one block, or a trace of several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    /// The block's number; a trace's first one.
    pub number: BlockNumber,
    /// What it is.
    pub kind: InputKind,
    /// Where it is.
    pub path: PathBuf,
}

/// Paths that are no sources.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A path cannot be looked at.
    #[error("{}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder holds no source, or the file is none. See `thinstate trace --help` for the names.
    #[error(
        "{}: no witness files (N.json, N.witness.json), access lists (N.rlp, N.bal.json), pre-states \
         (N/pre_state.json, N.prestate.json, N.diff.json) or traces; all but traces also with .zst",
        path.display()
    )]
    Nothing {
        /// The path.
        path: PathBuf,
    },
    /// A witness whose name does not say its number cannot be read.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// A trace cannot be opened.
    #[error(transparent)]
    Trace(#[from] crate::trace::TraceFileError),
    /// Neither the name nor the contents say which block it is. Name it by its number.
    #[error("{}: its name does not begin with the number of its block", path.display())]
    Unnumbered {
        /// The path.
        path: PathBuf,
    },
    /// Two sources hold the same block. Give one of them.
    #[error("block {number} is in two files: {} and {}", first.display(), second.display())]
    Twice {
        /// The block.
        number: BlockNumber,
        /// One of them.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

/// The sources at some paths, by ascending block, each block once.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Input>, InputError> {
    let mut inputs = Vec::new();
    for path in paths {
        let found = at(path)?;
        if found.is_empty() {
            return Err(InputError::Nothing { path: path.clone() });
        }
        inputs.extend(found);
    }
    inputs.sort();
    inputs.dedup();
    for pair in inputs.windows(2) {
        if let [one, two] = pair
            && one.number == two.number
        {
            return Err(InputError::Twice {
                number: one.number,
                first: one.path.clone(),
                second: two.path.clone(),
            });
        }
    }
    Ok(inputs)
}

fn at(path: &Path) -> Result<Vec<Input>, InputError> {
    let failed = |source| InputError::Io {
        path: path.to_path_buf(),
        source,
    };
    if !path.metadata().map_err(failed)?.is_dir() {
        return Ok(vec![named(path)?]);
    }
    if prestate::find_parts(path).is_some() {
        return Ok(vec![named(path)?]);
    }
    let mut inputs = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        inputs.extend(numbered(entry.map_err(failed)?.path())?);
    }
    Ok(inputs)
}

/// An entry of a folder, if it is a source and its name begins with a number.
fn numbered(path: PathBuf) -> Result<Option<Input>, InputError> {
    let Some(number) = number(&path) else {
        return Ok(None);
    };
    let Some(kind) = kind(&path)?.filter(|kind| *kind != InputKind::Trace) else {
        return Ok(None);
    };
    let path = canonical(path, kind);
    Ok(Some(Input { number, kind, path }))
}

/// A path that was named by itself.
fn named(path: &Path) -> Result<Input, InputError> {
    let Some(kind) = kind(path)? else {
        let path = path.to_path_buf();
        return Err(InputError::Nothing { path });
    };
    let number = match (kind, number(path)) {
        (InputKind::Trace, _) => {
            let reader = crate::trace::TraceReader::open(path)?;
            reader.numbers().next().unwrap_or_default()
        }
        (_, Some(number)) => number,
        (InputKind::Witness, None) => witness::read(path)?.number(),
        (InputKind::Prestate, None) => match prestate::read(path) {
            Ok((_, figures)) => figures.number,
            Err(_) => return Err(unnumbered(path)),
        },
        (InputKind::AccessList, None) => return Err(unnumbered(path)),
    };
    let path = canonical(path.to_path_buf(), kind);
    Ok(Input { number, kind, path })
}

fn unnumbered(path: &Path) -> InputError {
    let path = path.to_path_buf();
    InputError::Unnumbered { path }
}

/// Both tracer results of a block are one source: that without `diffMode` stands for them.
fn canonical(path: PathBuf, kind: InputKind) -> PathBuf {
    let name = path.to_string_lossy();
    if kind != InputKind::Prestate || !name.contains(".diff.json") {
        return path;
    }
    let plain = name
        .trim_end_matches(".zst")
        .replace(".diff.json", ".prestate.json");
    let candidates = [format!("{plain}.zst"), plain].map(PathBuf::from);
    candidates
        .into_iter()
        .find(|it| it.is_file())
        .unwrap_or(path)
}

/// What a path is by its name, and where that leaves it open, by how it begins.
fn kind(path: &Path) -> Result<Option<InputKind>, InputError> {
    if path.is_dir() {
        let parts = prestate::find_parts(path);
        return Ok(parts.map(|_| InputKind::Prestate));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".zst").unwrap_or(&name);
    let ends = |ending: &str| name.ends_with(ending);
    Ok(if ends(".trace") {
        Some(InputKind::Trace)
    } else if name.contains(".block.") {
        None
    } else if ends(".prestate.json") || ends(".diff.json") {
        Some(InputKind::Prestate)
    } else if ends(".witness.json") {
        Some(InputKind::Witness)
    } else if ends(".rlp") || ends(".bal.json") {
        Some(InputKind::AccessList)
    } else if ends(".json") {
        let start = file::read_start(path, START_BYTES);
        let start = start.map_err(|source| InputError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        Some(kind_of_json(&start))
    } else {
        None
    })
}

/// A list is an array, or a response whose result is one.
fn kind_of_json(start: &[u8]) -> InputKind {
    let text: String = String::from_utf8_lossy(start)
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    if text.starts_with('[') || text.contains("\"result\":[") {
        InputKind::AccessList
    } else {
        InputKind::Witness
    }
}

/// The number that a name begins with.
fn number(path: &Path) -> Option<BlockNumber> {
    let name = path.file_name()?.to_str()?;
    name.split('.').next()?.parse().ok().map(BlockNumber)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, contents) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        folder
    }

    fn found(paths: &[PathBuf]) -> Vec<(u64, InputKind, String)> {
        let inputs = find(paths).unwrap().into_iter();
        inputs
            .map(|it| {
                let name = it.path.file_name().unwrap().to_string_lossy().into_owned();
                (it.number.0, it.kind, name)
            })
            .collect()
    }

    #[test]
    fn no_file_is_taken_for_another_kind() {
        let folder = folder(&[
            ("7.json", " {\"state\": []}"),
            ("8.json", "\n[{\"address\""),
            ("9.json", "{\"jsonrpc\":\"2.0\",\"id\":1,\n \"result\": [{"),
            ("10.rlp", ""),
            ("11.bal.json", "[]"),
            ("11.block.json", "{}"),
            ("12.witness.json", "{}"),
            ("12.block.rlp", ""),
            ("13.prestate.json", "[]"),
            ("13.diff.json", "[]"),
            ("14.diff.json", "[]"),
            ("15/pre_state.json", "{}"),
            ("15/block.json", "{}"),
            ("16/block.json", "{}"),
            ("index.json", "{}"),
            ("17.txt", ""),
            ("18.trace", ""),
        ]);
        use InputKind::{AccessList, Prestate, Witness};
        let expected = [
            (7, Witness, "7.json"),
            (8, AccessList, "8.json"),
            (9, AccessList, "9.json"),
            (10, AccessList, "10.rlp"),
            (11, AccessList, "11.bal.json"),
            (12, Witness, "12.witness.json"),
            (13, Prestate, "13.prestate.json"),
            (14, Prestate, "14.diff.json"),
            (15, Prestate, "15"),
        ];
        let expected = expected.map(|(number, kind, name)| (number, kind, name.to_owned()));
        assert_eq!(found(&[folder.path().into()]), expected);
        assert_eq!(found(&[folder.path().join("15")]), expected[8..]);
    }

    #[test]
    fn files_of_several_folders_do_not_stay_in_the_folders_order() {
        let names = ["one/9.json", "one/100.json", "two/7.json", "two/10.json"];
        let folder = folder(&names.map(|name| (name, "{}")));
        let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
        let numbers: Vec<_> = found(&[one.clone(), two]).iter().map(|it| it.0).collect();
        assert_eq!(numbers, [7, 9, 10, 100]);
        let same = found(&[one.clone(), one.join("9.json")]);
        assert_eq!(same.len(), 2, "the same file twice is one source");
    }

    #[test]
    fn a_block_that_is_there_twice_does_not_pass() {
        let folder = folder(&[("9.json", "{}"), ("9.rlp", "")]);
        let error = find(&[folder.path().into()]).unwrap_err();
        assert!(error.to_string().starts_with("block 9 is in two files"));
    }

    #[test]
    fn what_holds_no_source_is_named() {
        let folder = folder(&[("index.json", "{}"), ("readme.md", "")]);
        let empty = find(&[folder.path().into()]).unwrap_err();
        assert!(matches!(empty, InputError::Nothing { .. }), "{empty}");
        let other = find(&[folder.path().join("readme.md")]).unwrap_err();
        assert!(matches!(other, InputError::Nothing { .. }), "{other}");
        let absent = find(&[folder.path().join("5.json")]).unwrap_err();
        assert!(matches!(absent, InputError::Io { .. }), "{absent}");
    }
}
