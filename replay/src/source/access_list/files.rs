//! Files of access lists: one list each, and where they have one, the file of their block.

use super::{
    AccessListError, AccessListFault, ListEncoding, check, codec, repair::repair, tx_count,
};
use crate::source::{figures::BlockFigures, file};
use alloy_eip7928::BlockAccessList;
use std::path::{Path, PathBuf};
use thinstate_formats::BlockNumber;

/// Endings of a block's file, behind the number.
const BLOCK_ENDINGS: [&str; 4] = [
    ".block.json",
    ".block.json.zst",
    ".block.rlp",
    ".block.rlp.zst",
];

/// How files of lists are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Where blocks are looked for that do not stand beside their lists: `N.rlp`, `N.json`, `N.block.*`.
    pub block_folder: Option<PathBuf>,
    /// Bring lists into order that are not. Without it they are refused.
    pub repair: bool,
}

/// A list with the figures of its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListFile {
    /// The list, which keeps the rules.
    pub list: BlockAccessList,
    /// How its file wrote slots and values; integers, where the file was JSON.
    pub encoding: ListEncoding,
    /// Items that were dropped to bring it into order.
    pub dropped: u64,
    /// Its block's figures: without a header, where the block's file is not at hand.
    pub figures: BlockFigures,
}

/// Reads a list and checks it. The file is RLP, or with a name in `.json` the JSON of the RPC, each also
/// with `.zst`; its name begins with the block's number. The block is looked for beside it
/// (`N.block.json`, `N.block.rlp`, also with `.zst`), then in the folder of the options.
pub fn read(path: &Path, options: &ListOptions) -> Result<ListFile, AccessListError> {
    read_inner(path, options).map_err(|fault| fault.at(path))
}

fn read_inner(path: &Path, options: &ListOptions) -> Result<ListFile, AccessListFault> {
    let number = number(path).ok_or(AccessListFault::Unnumbered)?;
    let bytes = file::read(path)?;
    let name = path.to_string_lossy();
    let (mut list, encoding) = if name.trim_end_matches(".zst").ends_with(".json") {
        let document = serde_json::from_slice(&bytes).map_err(AccessListFault::Json)?;
        (codec::decode_json(document)?, ListEncoding::Integers)
    } else {
        codec::decode_rlp(&bytes)?
    };
    let dropped = if options.repair { repair(&mut list) } else { 0 };
    let block = companion_block(path, number, options.block_folder.as_deref());
    let figures = match block {
        None => BlockFigures::without_header(number, tx_count(&list)),
        Some(path) => read_block(path, number)?,
    };
    check(&list, &figures)?;
    Ok(ListFile {
        list,
        encoding,
        dropped,
        figures,
    })
}

fn read_block(path: PathBuf, number: BlockNumber) -> Result<BlockFigures, AccessListFault> {
    match BlockFigures::read(&path) {
        Ok(figures) if figures.number == number => Ok(figures),
        Ok(figures) => Err(AccessListFault::BlockNumber {
            path,
            expected: number.0,
            got: figures.number.0,
        }),
        Err(fault) => Err(AccessListFault::Block {
            path,
            source: Box::new(fault),
        }),
    }
}

/// The file of a list's block, if there is one.
pub fn companion_block(
    list: &Path,
    number: BlockNumber,
    block_folder: Option<&Path>,
) -> Option<PathBuf> {
    let beside = BLOCK_ENDINGS
        .iter()
        .map(|ending| list.with_file_name(format!("{number}{ending}")));
    let endings = BLOCK_ENDINGS.iter().copied();
    let endings = endings.chain([".rlp", ".rlp.zst", ".json", ".json.zst"]);
    let elsewhere = block_folder.into_iter().flat_map(|folder| {
        let endings = endings.clone();
        endings.map(move |ending| folder.join(format!("{number}{ending}")))
    });
    beside.chain(elsewhere).find(|path| path.is_file())
}

/// The number that a file's name begins with.
fn number(path: &Path) -> Option<BlockNumber> {
    let name = path.file_name()?.to_str()?;
    name.split('.').next()?.parse().ok().map(BlockNumber)
}

/// Writes a list as `N.rlp` into a folder, whole or not at all.
pub fn write(
    folder: &Path,
    number: BlockNumber,
    list: &BlockAccessList,
    encoding: ListEncoding,
) -> Result<PathBuf, AccessListError> {
    let path = folder.join(format!("{number}.rlp"));
    match file::write(&path, &codec::encode_rlp(list, encoding)) {
        Ok(()) => Ok(path),
        Err(error) => Err(AccessListFault::Io(error).at(path)),
    }
}
