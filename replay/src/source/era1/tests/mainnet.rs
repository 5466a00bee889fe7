//! Mainnet's own era1 files.

use std::{fs, path::PathBuf};

use alloy_primitives::hex;

use super::mainnet_folder;
use crate::source::era1::Era1;

fn files() -> Vec<PathBuf> {
    let Some(folder) = mainnet_folder("era1") else {
        return Vec::new();
    };
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "era1")
    });
    files.sort();
    files
}

/// The name of an era1 file says which it is: `mainnet-<number / 8192>-<start of accumulator>`.
#[test]
fn mainnets_files_are_not_refused() {
    for path in files() {
        let file = Era1::open(&path).unwrap();
        let summary = file.verify().unwrap();
        let root = hex::encode(&summary.accumulator[..4]);
        let name = format!("mainnet-{:05}-{root}.era1", summary.start_block / 8192);
        assert_eq!(path.file_name().unwrap().to_str(), Some(name.as_str()));
        assert_eq!((summary.blocks, summary.foreign_records), (8192, 0));
        assert_eq!(
            file.block(file.last_block()).unwrap().hash,
            summary.tip.hash
        );
    }
}

/// Mainnet's genesis hash is in every client's source.
#[test]
fn mainnets_first_files_are_not_torn_apart() {
    let summaries: Vec<_> = files()
        .iter()
        .map(|path| Era1::open(path).unwrap().verify().unwrap())
        .collect();
    let [first, second, ..] = summaries.as_slice() else {
        return;
    };
    assert_eq!((first.start_block, second.start_block), (0, 8192));
    assert_eq!(first.tip, second.parent);
    let genesis = Era1::open(&files()[0]).unwrap().block(0).unwrap();
    let known = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3";
    assert_eq!(hex::encode(genesis.hash), known);
}
