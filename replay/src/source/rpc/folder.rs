//! The folder that fetched documents are kept in.

use super::{
    FetchError, FetchMethod,
    error::purpose,
    method::{Document, DocumentKind},
};
use crate::source::file;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};
use thinstate_formats::BlockNumber;

const SCHEMA: &str = "thinstate-fetch/1";
const MANIFEST: &str = "fetch.json";

/// What a folder was begun for.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    schema: String,
    chain_id: u64,
    method: String,
}

/// A folder of documents of one chain, had by one method.
#[derive(Clone, Debug)]
pub struct FetchFolder {
    path: PathBuf,
    method: FetchMethod,
}

impl FetchFolder {
    /// Where the documents for a trace at `output` are kept: beside it, with `.fetch` appended.
    pub fn beside(output: &Path) -> PathBuf {
        let mut name = OsString::from(output);
        name.push(".fetch");
        name.into()
    }

    /// The method that a folder was begun with, where there is one.
    pub fn method_of(path: &Path) -> Option<FetchMethod> {
        let manifest: Manifest =
            serde_json::from_slice(&file::read(&path.join(MANIFEST)).ok()?).ok()?;
        [
            FetchMethod::Witness,
            FetchMethod::Prestate,
            FetchMethod::Bal,
        ]
        .into_iter()
        .find(|method| method.to_string() == manifest.method)
    }

    /// Begins a folder, or goes on with one that was begun for the same.
    pub fn open(
        path: impl Into<PathBuf>,
        chain_id: u64,
        method: FetchMethod,
    ) -> Result<Self, FetchError> {
        let folder = Self {
            path: path.into(),
            method,
        };
        let manifest = folder.path.join(MANIFEST);
        fs::create_dir_all(&folder.path).map_err(failed("create", &folder.path))?;
        if !manifest.exists() {
            let contents = Manifest {
                schema: SCHEMA.to_owned(),
                chain_id,
                method: method.to_string(),
            };
            let bytes = serde_json::to_vec(&contents).expect("plain fields become JSON");
            file::write(&manifest, &bytes).map_err(failed("write", &manifest))?;
            return Ok(folder);
        }
        let bytes = fs::read(&manifest).map_err(failed("read", &manifest))?;
        let got = match serde_json::from_slice::<Manifest>(&bytes) {
            Ok(got) if got.schema == SCHEMA => {
                format!("blocks of chain {} by {}", got.chain_id, got.method)
            }
            _ => "something else".to_owned(),
        };
        let expected = purpose(chain_id, method);
        if got == expected {
            return Ok(folder);
        }
        Err(FetchError::OtherFolder {
            path: folder.path,
            expected,
            got,
        })
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How its documents are had.
    pub const fn method(&self) -> FetchMethod {
        self.method
    }

    /// The file by which a block is read.
    pub fn input(&self, number: BlockNumber) -> PathBuf {
        self.file(
            number,
            match self.method {
                FetchMethod::Witness => DocumentKind::Witness,
                FetchMethod::Prestate => DocumentKind::Prestate,
                FetchMethod::Bal => DocumentKind::Bal,
            },
        )
    }

    /// Removes what is there of a block, so that it is fetched anew.
    pub fn forget(&self, number: BlockNumber) -> Result<(), FetchError> {
        for document in self.method.documents() {
            let path = self.file(number, document.kind);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a document is there, whole, and of its block.
    pub(super) fn holds(&self, number: BlockNumber, document: &Document) -> bool {
        let path = self.file(number, document.kind);
        let read = || {
            let bytes = file::read(&path).ok()?;
            let value: Value = serde_json::from_slice(&bytes).ok()?;
            document.kind.check(&value, number).ok()
        };
        path.is_file() && read().is_some()
    }

    /// Keeps a document.
    pub(super) fn keep(
        &self,
        number: BlockNumber,
        document: &Document,
        value: &Value,
    ) -> Result<(), FetchError> {
        let path = self.file(number, document.kind);
        let bytes = value.to_string();
        file::write(&path, bytes.as_bytes()).map_err(failed("write", &path))
    }

    fn file(&self, number: BlockNumber, kind: DocumentKind) -> PathBuf {
        self.path.join(format!("{number}.{}.json.zst", kind.name()))
    }
}

fn failed(operation: &'static str, path: &Path) -> impl Fn(io::Error) -> FetchError {
    let path = path.to_path_buf();
    move |source| FetchError::Io {
        operation,
        path: path.clone(),
        source,
    }
}
