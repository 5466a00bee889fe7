//! Writing the access lists of blocks.

use super::work::Traced;
use crate::source::access_list::{self, AccessListFault, ListEncoding};
use eyre::WrapErr as _;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Writes lists into a folder.
pub(super) struct ListWriter {
    folder: PathBuf,
    pub(super) written: usize,
    /// Blocks that have no list, or whose list cannot be made of what is at hand.
    pub(super) refused: usize,
}

impl ListWriter {
    pub(super) fn new(folder: &Path) -> eyre::Result<Self> {
        fs::create_dir_all(folder).wrap_err_with(|| folder.display().to_string())?;
        Ok(Self {
            folder: folder.to_path_buf(),
            written: 0,
            refused: 0,
        })
    }

    /// Writes a block's list. The reason why there is none, where that is so.
    pub(super) fn write(&mut self, traced: &Traced) -> eyre::Result<Option<String>> {
        let code = |hash| traced.code.get(&hash).cloned();
        let list = match access_list::from_trace(&traced.trace, code) {
            Ok(list) => list,
            Err(fault @ (AccessListFault::Wiped { .. } | AccessListFault::Code { .. })) => {
                self.refused += 1;
                return Ok(Some(format!("no access list: {fault}")));
            }
            Err(fault) => return Err(fault.into()),
        };
        access_list::write(
            &self.folder,
            traced.trace.number,
            &list,
            ListEncoding::Integers,
        )?;
        self.written += 1;
        Ok(None)
    }
}
